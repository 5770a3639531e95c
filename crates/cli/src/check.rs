//! `askfirst check`: ask the policy.

use crate::{client::Client, env::Env, terminal};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::process::ExitCode;

/// Ask whether a user may do something
///
/// Prints `allow` or `deny`. The exit code is 0 for allow, 1 for deny and 2 when the question could not be asked.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  askfirst check joe update restaurants:pizza-palace
  askfirst check henry operate restaurants:pizza-palace_truffle-pizza --explain
  askfirst check kim read doc:low --user-attributes '{\"age\": 40}' --explain
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
    /// Attributes of the user, which conditions see before the stored ones: a JSON object
    #[arg(long, value_name = "JSON", value_parser = object)]
    user_attributes: Option<Map<String, Value>>,
    /// Attributes of what it would be done to, likewise
    #[arg(long, value_name = "JSON", value_parser = object)]
    resource_attributes: Option<Map<String, Value>>,
    /// What there is to say about the situation, likewise
    #[arg(long, value_name = "JSON", value_parser = object)]
    context: Option<Map<String, Value>>,
    /// Say why, with every comparison that rules made, and for a denial what could be asked for and from whom
    #[arg(long)]
    explain: bool,
}

fn object(text: &str) -> Result<Map<String, Value>, String> {
    serde_json::from_str(text).map_err(|e| format!("write a JSON object, as in {{\"age\": 40}}; {e}"))
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
    let question = json!({
        "user": args.user,
        "action": args.action,
        "resource": args.resource,
        "tenant": args.tenant,
        "user_attributes": args.user_attributes.unwrap_or_default(),
        "resource_attributes": args.resource_attributes.unwrap_or_default(),
        "context": args.context.unwrap_or_default(),
    });
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
