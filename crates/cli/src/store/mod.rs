//! `askfirst store`: an installation as its operator meets it, beside the server that serves it.

mod backup;
mod check;
mod copy;
mod epoch;
mod info;
mod place;
mod progress;

use crate::env::Env;
use std::process::ExitCode;

/// Look after an installation: see, check, copy, back up, restore
///
/// These commands work on the database itself and not through a server. A PLACE is a data directory, an SQLite file, the
/// URL of a PostgreSQL database, or @FILE, a file with such a URL in it. Where it is left out, it is
/// `ASKFIRST_DATABASE_URL`, or else ./askfirst-data.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  askfirst store info
  askfirst store check /var/lib/askfirst
  askfirst store backup --to askfirst-backup.db
  askfirst store restore askfirst-backup.db
  askfirst store copy --from ./askfirst-data --to postgres://askfirst@db.example.com/askfirst")]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    Info(info::Args),
    Check(check::Args),
    Copy(copy::Args),
    Backup(backup::BackupArgs),
    Restore(backup::RestoreArgs),
    NewEpoch(epoch::Args),
}

pub(crate) async fn run(args: Args, env: &Env) -> anyhow::Result<ExitCode> {
    match args.command {
        Command::Info(args) => info::run(args, env).await,
        Command::Check(args) => check::run(args, env).await,
        Command::Copy(args) => copy::run(args, env).await,
        Command::Backup(args) => backup::back_up(args, env).await,
        Command::Restore(args) => backup::restore(args, env).await,
        Command::NewEpoch(args) => epoch::run(args, env).await,
    }
}
