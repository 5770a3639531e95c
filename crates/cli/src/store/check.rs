//! `askfirst store check`.

use super::{place::named, progress::Bar};
use crate::{env::Env, terminal};
use askfirst_store::tools;
use std::process::ExitCode;

/// Check that the log has no gaps, the tables hold what it comes to, and the audit log is the one that was written
///
/// Plays the whole log again into a temporary database and compares, and verifies the chain of audit events; nothing is
/// changed, and a server may be running.
/// Ends with 1 when something is not as it has to be.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  askfirst store check
  askfirst store check askfirst-backup.db")]
pub(super) struct Args {
    /// The installation
    place: Option<String>,
}

pub(super) async fn run(args: Args, env: &Env) -> anyhow::Result<ExitCode> {
    let place = named(args.place.as_deref(), env)?.place();
    let mut bar = Bar::new();
    let findings = tools::check(&place, &mut |progress| bar.show(progress)).await;
    bar.end();
    let findings = findings?;
    if findings.is_empty() {
        terminal::line(format_args!("{place} is sound: the tables hold what the log comes to."))?;
        return Ok(ExitCode::SUCCESS);
    }
    for finding in &findings {
        terminal::line(format_args!("{}: {}", finding.place, terminal::plain(&finding.what)))?;
    }
    Ok(ExitCode::from(1))
}
