//! `askfirst store new-epoch`.

use super::place::named;
use crate::{env::Env, terminal};
use askfirst_store::tools;
use std::process::ExitCode;

/// Refuse all revision tokens from before, after the database was put back to an older state
///
/// For PostgreSQL that was restored by its own tools, and for a disk that was put back to a snapshot: revisions are given
/// out again then, and tokens that clients still hold would mean something else. `store restore` does it by itself, and a
/// server that finds an older SQLite file in the place of its own as well. Servers on PostgreSQL may be running.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  askfirst store new-epoch postgres://askfirst@db.example.com/askfirst")]
pub(super) struct Args {
    /// The installation
    place: Option<String>,
}

pub(super) async fn run(args: Args, env: &Env) -> anyhow::Result<ExitCode> {
    let named = named(args.place.as_deref(), env)?;
    let _taken = named.take()?;
    let environments = tools::new_epochs(&named.place()).await?;
    terminal::line(format_args!(
        "{environments} environments have new epochs; older revision tokens are refused."
    ))?;
    Ok(ExitCode::SUCCESS)
}
