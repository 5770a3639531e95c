//! `askfirst store copy`.

use super::{
    place::named,
    progress::{Bar, grouped},
};
use crate::{env::Env, terminal};
use anyhow::Context as _;
use askfirst_store::tools;
use std::process::ExitCode;

/// Copy a whole installation into an empty database, of the other kind or the same
///
/// Everything goes along: policies, facts, requests, audit, keys, the decision log. At the end the copy is read again and
/// compared; until then it is unfinished, and no server takes it. The copy is another history from there on: its
/// environments get new epochs, so that revision tokens of the source are refused there.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  askfirst store copy --from ./askfirst-data --to postgres://askfirst@db.example.com/askfirst
  askfirst store copy --from @database-url --to ./askfirst-data")]
pub(super) struct Args {
    /// The installation to copy
    #[arg(long, value_name = "PLACE")]
    from: String,
    /// An empty database, or a data directory or file that is not there yet
    #[arg(long, value_name = "PLACE")]
    to: String,
    /// Copy what is there at this moment though a server goes on writing
    #[arg(long)]
    while_running: bool,
}

pub(super) async fn run(args: Args, env: &Env) -> anyhow::Result<ExitCode> {
    let (from, to) = (named(Some(&args.from), env)?, named(Some(&args.to), env)?);
    // One that is not there shall not be made by taking it.
    let there = match from.place() {
        tools::Place::Sqlite(file) => file.is_file(),
        tools::Place::Postgres(_) => true,
    };
    let _source = if args.while_running || !there {
        None
    } else {
        from.take().context(
            "what it writes from now on would be missing in the copy (--while-running copies all the same)",
        )?
    };
    let (from, target) = (from.place(), to.place());
    if !there {
        return Err(tools::ToolError::Nothing(from.to_string()).into());
    }
    let _target = to.take()?;
    to.make_private()?;
    let mut bar = Bar::new();
    let copied = tools::copy(&from, &target, &mut |progress| bar.show(progress)).await;
    bar.end();
    let copied = copied?;
    terminal::line(format_args!(
        "{from} is in {target}: {} rows of {} tables, all read back and compared. Its environments have new epochs.",
        grouped(copied.rows()),
        copied.tables.len()
    ))?;
    Ok(ExitCode::SUCCESS)
}
