//! `askfirst store info`.

use super::{place::named, progress::grouped};
use crate::{env::Env, terminal};
use askfirst_store::tools::{self, Info};
use serde_json::json;
use std::process::ExitCode;

/// Show what there is: environments, revisions, tables
///
/// A server may be running.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  askfirst store info
  askfirst store info postgres://askfirst@db.example.com/askfirst --json")]
pub(super) struct Args {
    /// The installation
    place: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(args: Args, env: &Env) -> anyhow::Result<ExitCode> {
    let place = named(args.place.as_deref(), env)?.place();
    let info = tools::info(&place).await?;
    if args.json {
        let environments = info.environments.iter().map(|environment| {
            json!({"name": environment.name, "id": environment.id, "epoch": environment.head.epoch,
                "revision": environment.head.revision, "image": environment.image})
        });
        let tables = info.tables.iter().map(|table| json!({"name": table.name, "rows": table.rows}));
        let value = json!({"place": place.to_string(), "version": info.version, "bytes": info.bytes,
            "environments": environments.collect::<Vec<_>>(), "tables": tables.collect::<Vec<_>>()});
        terminal::line(serde_json::to_string_pretty(&value)?)?;
    } else {
        terminal::line(text(&place.to_string(), &info))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn text(place: &str, info: &Info) -> String {
    let mut lines =
        vec![format!("{place}: tables of step {}, {} KiB", info.version, grouped(info.bytes / 1024))];
    lines.push(String::new());
    for environment in &info.environments {
        let image = environment.image.map_or("no image".to_owned(), |at| format!("image at {}", grouped(at)));
        let (name, head) = (terminal::plain(&environment.name), environment.head);
        lines.push(format!(
            "{name:<24} revision {:>12}  {image:<18}  epoch {}",
            grouped(head.revision),
            head.epoch
        ));
    }
    lines.push(String::new());
    let width = info.tables.iter().map(|table| table.name.len()).max().unwrap_or(0);
    for table in &info.tables {
        lines.push(format!("{:<width$}  {:>14}", table.name, grouped(table.rows)));
    }
    lines.join("\n")
}
