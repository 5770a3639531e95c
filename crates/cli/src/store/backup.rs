//! `askfirst store backup` and `restore`.

use super::place::{Named, named};
use crate::{
    env::Env,
    serve::{DEFAULT_DATA, DataDir},
    terminal,
};
use anyhow::bail;
use askfirst_store::tools::{self, Place};
use std::{path::PathBuf, process::ExitCode};

/// Write a backup of an SQLite installation into a new file
///
/// A server may be running. All is in it but the decision log: policies, facts, requests, audit, keys (as hashes). A
/// PostgreSQL database is backed up by its own tools, or copied into a file with `store copy`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  askfirst store backup --to /backup/askfirst-monday.db
  askfirst store check /backup/askfirst-monday.db")]
pub(super) struct BackupArgs {
    /// The installation
    place: Option<String>,
    /// The new file
    #[arg(long, value_name = "FILE")]
    to: PathBuf,
}

pub(super) async fn back_up(args: BackupArgs, env: &Env) -> anyhow::Result<ExitCode> {
    let Place::Sqlite(file) = named(args.place.as_deref(), env)?.place() else {
        bail!(
            "a PostgreSQL database is backed up by its own tools, such as pg_dump; `askfirst store copy` writes it into an \
             SQLite file"
        );
    };
    tools::backup(&file, &args.to).await?;
    terminal::line(format_args!("{} is in {}.", file.display(), args.to.display()))?;
    Ok(ExitCode::SUCCESS)
}

/// Put a backup in the place of an SQLite installation
///
/// No server may be running. What is there is put aside, not deleted. The environments get new epochs: revision tokens
/// that clients hold from before are refused.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  askfirst store restore /backup/askfirst-monday.db
  askfirst store restore /backup/askfirst-monday.db --data /var/lib/askfirst")]
pub(super) struct RestoreArgs {
    /// The backup
    file: PathBuf,
    /// The data directory
    #[arg(long, default_value = DEFAULT_DATA, value_name = "DIR")]
    data: PathBuf,
}

pub(super) async fn restore(args: RestoreArgs, _: &Env) -> anyhow::Result<ExitCode> {
    if !args.file.is_file() {
        bail!("there is no file {}", args.file.display());
    }
    let _taken = DataDir::take(&args.data)?;
    let Place::Sqlite(database) = Named::Directory(args.data).place() else {
        bail!("a backup goes into a data directory");
    };
    let aside = tools::restore(&args.file, &database).await?;
    if let Some(aside) = aside {
        terminal::line(format_args!("What was there is in {} now.", aside.display()))?;
    }
    terminal::line(format_args!(
        "{} is restored. Its environments have new epochs; older revision tokens are refused.",
        database.display()
    ))?;
    Ok(ExitCode::SUCCESS)
}
