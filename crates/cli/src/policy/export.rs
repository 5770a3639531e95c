//! `askfirst policy export`: a policy file of what is there.

use crate::{client::Client, env::Env, terminal};
use std::process::ExitCode;

/// Write the environment of the key as a policy file
///
/// With its facts, the file makes the same environment of an empty one. Tokens of webhooks are not in it, only the names
/// of the variables from which `apply` takes them.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  askfirst policy export > policy.yaml
  askfirst policy export --facts > everything.yaml")]
pub(super) struct Args {
    /// Users, tenants, instances, tuples and assignments as well
    #[arg(long)]
    facts: bool,
}

pub(super) async fn run(args: &Args, env: &Env) -> anyhow::Result<ExitCode> {
    let client = Client::from_env(env)?;
    let query: &[(&str, &str)] = if args.facts { &[("facts", "true")] } else { &[] };
    let text = client.get_text("/api/v1/policy", query).await?;
    terminal::line(text.trim_end())?;
    Ok(ExitCode::SUCCESS)
}
