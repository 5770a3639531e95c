//! `askfirst policy plan`: what would applying a file change?

use super::{Prune, or_failed, parcel, show};
use crate::{
    client::Client,
    env::Env,
    terminal::{self, Style},
};
use serde_json::Value;
use std::{path::PathBuf, process::ExitCode};

/// Show what applying a policy file would change, and which decisions
///
/// Compares the file with the environment of the key: what is added, changed and removed, who could do what from then on
/// and who could not any more, and which recorded decisions would be others. Nothing is written. The exit code is 0 when
/// nothing would change, 2 when something would, and 1 when the plan could not be made.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  askfirst policy plan policy.yaml
  askfirst policy plan policy.yaml --prune
  askfirst policy plan policy.yaml --json | jq .differences")]
pub(super) struct Args {
    /// The file, or `-` for standard input
    file: PathBuf,
    /// Take away what the environment has and the file does not name
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "policy", value_name = "WHAT")]
    prune: Option<Prune>,
    /// Print the plan as JSON
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(args: &Args, env: &Env) -> ExitCode {
    or_failed(made(args, env).await)
}

async fn made(args: &Args, env: &Env) -> anyhow::Result<ExitCode> {
    let client = Client::from_env(env)?;
    let text = super::read(&args.file)?;
    let plan = planned(&client, &text, args.prune, env).await?;
    let shown = show::Plan::read(&plan)?;
    if args.json {
        terminal::line(plan)?;
    } else {
        for line in shown.lines(Style::of_stdout(env)) {
            terminal::line(line)?;
        }
        if shown.changes() > 0 {
            let prune = args.prune.map(|prune| format!(" --prune={}", prune.word())).unwrap_or_default();
            let file = args.file.display();
            terminal::line(format_args!(
                "Do exactly this with:\n  askfirst policy apply {file}{prune} --plan {}",
                shown.token
            ))?;
        }
    }
    Ok(ExitCode::from(if shown.changes() > 0 { 2 } else { 0 }))
}

/// The plan as the server gives it.
pub(super) async fn planned(
    client: &Client,
    text: &str,
    prune: Option<Prune>,
    env: &Env,
) -> anyhow::Result<Value> {
    client.post("/api/v1/policy/plan", &[], &parcel(text, prune, env).into()).await
}
