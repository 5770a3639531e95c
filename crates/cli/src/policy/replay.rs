//! `askfirst policy replay`: recorded questions, asked again of what a file would come to.

use super::{Prune, or_failed, parcel, show};
use crate::{
    client::Client,
    decisions::moment,
    env::Env,
    terminal::{self, Style},
};
use serde_json::{Value, json};
use std::{path::PathBuf, process::ExitCode};

/// Ask recorded questions again, of what a policy file would come to
///
/// Takes the newest decisions of the decision log and asks each question of the environment as it is and of the environment
/// with the file applied, for the moment at which it was asked. Lists those with another answer. Nothing is written. The
/// exit code is 0 when every answer stays, 2 when one changes, and 1 when it could not be found out.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  askfirst policy replay policy.yaml
  askfirst policy replay policy.yaml --since 7d --limit 1000000
  askfirst policy replay policy.yaml --prune --json")]
pub(super) struct Args {
    /// The file, or `-` for standard input
    file: PathBuf,
    /// Without what the environment has and the file does not name
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "policy", value_name = "WHAT")]
    prune: Option<Prune>,
    /// Not before: 90s, 15m, 1h, 7d ago, or a moment such as 2030-01-31T12:00:00Z
    #[arg(long, value_name = "TIME", value_parser = moment)]
    since: Option<String>,
    /// Not after
    #[arg(long, value_name = "TIME", value_parser = moment)]
    until: Option<String>,
    /// How many decisions at most, the newest
    #[arg(long, default_value_t = 100_000, value_name = "N")]
    limit: u64,
    /// Print what was found as JSON
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(args: &Args, env: &Env) -> ExitCode {
    or_failed(replayed(args, env).await)
}

async fn replayed(args: &Args, env: &Env) -> anyhow::Result<ExitCode> {
    let client = Client::from_env(env)?;
    let text = super::read(&args.file)?;
    let mut parcel = parcel(&text, args.prune, env);
    for (name, value) in [("from", &args.since), ("to", &args.until)] {
        if let Some(value) = value {
            parcel.insert(name.to_owned(), json!(value));
        }
    }
    parcel.insert("limit".to_owned(), json!(args.limit));
    let found: Value = client.post("/api/v1/policy/replay", &[], &parcel.into()).await?;
    let replay = show::Replay::read(&found)?;
    if args.json {
        terminal::line(found)?;
    } else {
        for line in replay.lines(Style::of_stdout(env)) {
            terminal::line(line)?;
        }
    }
    Ok(ExitCode::from(if replay.changed > 0 { 2 } else { 0 }))
}
