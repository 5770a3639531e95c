//! `askfirst check`: ask the policy.

use crate::{client::Client, env::Env, terminal};
use serde::Deserialize;
use serde_json::json;
use std::process::ExitCode;

/// Ask whether a user may do something
///
/// Prints `allow` or `deny`. The exit code is 0 for allow, 1 for deny and 2 when the question could not be asked.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  askfirst check joe update restaurants:pizza-palace
  askfirst check henry operate restaurants:pizza-palace_truffle-pizza --explain
  askfirst check henry read restaurants:pizza-palace && echo 'go ahead'")]
pub(crate) struct Args {
    /// Key of the user
    user: String,
    /// The action, as the policy names it
    action: String,
    /// What it would be done to: TYPE:KEY, or TYPE for the resource as a whole
    #[arg(value_name = "TYPE:KEY")]
    resource: String,
    /// The tenant; the instance's own when left out
    #[arg(long)]
    tenant: Option<String>,
    /// Say why, and for a denial what could be asked for and from whom
    #[arg(long)]
    explain: bool,
}

#[derive(Deserialize)]
struct Explanation {
    allow: bool,
    sentence: String,
    #[serde(default)]
    rules: Vec<Rule>,
}

/// A rule over condition sets that was asked.
#[derive(Deserialize)]
struct Rule {
    holds: bool,
    user_sets: Vec<Set>,
    resource_sets: Vec<Set>,
}

#[derive(Deserialize)]
struct Set {
    set: String,
    leaves: Vec<Comparison>,
}

#[derive(Deserialize)]
struct Comparison {
    words: String,
}

pub(crate) async fn run(args: Args, env: &Env) -> anyhow::Result<ExitCode> {
    let client = Client::from_env(env)?;
    let question =
        json!({"user": args.user, "action": args.action, "resource": args.resource, "tenant": args.tenant});
    let answer: Explanation = client.post("/api/v1/check", &[], &question).await?;
    terminal::line(if answer.allow { "allow" } else { "deny" })?;
    if args.explain {
        terminal::line(terminal::plain(&answer.sentence))?;
        answer.rules.iter().try_for_each(compared)?;
    }
    Ok(ExitCode::from(u8::from(!answer.allow)))
}

/// Every comparison of a rule, set by set.
fn compared(rule: &Rule) -> anyhow::Result<()> {
    terminal::line(if rule.holds { "the rule holds" } else { "a rule that does not hold" })?;
    for set in rule.user_sets.iter().chain(&rule.resource_sets) {
        terminal::line(format!("  {}", terminal::plain(&set.set)))?;
        for one in &set.leaves {
            terminal::line(format!("    {}", terminal::plain(&one.words)))?;
        }
    }
    Ok(())
}
