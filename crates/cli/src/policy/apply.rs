//! `askfirst policy apply`: make the environment what a file says.

use super::{Prune, parcel, plan::planned, show};
use crate::{
    client::Client,
    env::Env,
    terminal::{self, Keyboard, Style},
};
use anyhow::bail;
use serde::Deserialize;
use std::{collections::BTreeMap, path::PathBuf, process::ExitCode};

/// Apply a policy file to the environment of the key
///
/// Adds what is not there and changes what differs, all of it or nothing; what the file does not name stays as it is,
/// unless it is pruned. Applying the same file again changes nothing. Before anything is removed the plan is shown, and
/// somebody has to agree.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  askfirst policy apply policy.yaml
  askfirst policy apply - < policy.yaml
  askfirst policy apply policy.yaml --prune
  askfirst policy apply policy.yaml --plan qFqgVNVhT7Xw0cBBYpzYHJZaIbAEzlJwHdZ1q6zvRNE")]
pub(super) struct Args {
    /// The file, or `-` for standard input
    file: PathBuf,
    /// Take away what the environment has and the file does not name
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "policy", value_name = "WHAT")]
    prune: Option<Prune>,
    /// Do what this plan showed, or nothing when the environment is not any more as it was
    #[arg(long, value_name = "TOKEN")]
    plan: Option<String>,
    /// Remove without asking
    #[arg(long)]
    yes: bool,
}

#[derive(Deserialize)]
struct Applied {
    created: BTreeMap<String, usize>,
    changed: BTreeMap<String, usize>,
    #[serde(default)]
    removed: BTreeMap<String, usize>,
    unchanged: usize,
    revision: u64,
}

pub(super) async fn run(args: &Args, env: &Env) -> anyhow::Result<ExitCode> {
    let client = Client::from_env(env)?;
    let text = super::read(&args.file)?;
    let mut token = args.plan.clone();
    if args.prune.is_some() && token.is_none() && !args.yes {
        let plan = planned(&client, &text, args.prune, env).await?;
        let shown = show::Plan::read(&plan)?;
        if shown.removals() > 0 {
            for line in shown.lines(Style::of_stdout(env)) {
                terminal::line(line)?;
            }
            agreed(args, shown.removals()).await?;
        }
        token = Some(shown.token);
    }
    let mut parcel = parcel(&text, args.prune, env);
    if let Some(token) = token {
        parcel.insert("plan".to_owned(), token.into());
    }
    let applied: Applied = client.put("/api/v1/policy", &parcel.into()).await?;
    terminal::line(summary(&applied))?;
    Ok(ExitCode::SUCCESS)
}

/// Asks whoever sits at the terminal; without one nobody can agree.
async fn agreed(args: &Args, removals: usize) -> anyhow::Result<()> {
    if args.file.as_os_str() == "-" || !terminal::can_ask() {
        bail!(
            "this would remove {removals} things; look at the plan, and then say --yes, or --plan with its token"
        );
    }
    terminal::prompt(format_args!("Remove {removals} things? Type yes to do it: "))?;
    if Keyboard::start().next().await.as_deref() == Some("yes") {
        return Ok(());
    }
    bail!("nothing was changed")
}

/// Applies a policy and answers what that did, in one line.
pub(crate) async fn apply(client: &Client, text: String) -> anyhow::Result<String> {
    let applied: Applied = client.put_text("/api/v1/policy", text).await?;
    Ok(summary(&applied))
}

fn summary(applied: &Applied) -> String {
    let list = |counts: &BTreeMap<String, usize>| {
        counts
            .iter()
            .map(|(what, count)| format!("{count} {}", what.replace('_', " ")))
            .collect::<Vec<_>>()
            .join(", ")
    };
    let parts: Vec<String> =
        [("created", &applied.created), ("changed", &applied.changed), ("removed", &applied.removed)]
            .into_iter()
            .filter(|(_, counts)| !counts.is_empty())
            .map(|(verb, counts)| format!("{verb} {}", list(counts)))
            .collect();
    if parts.is_empty() {
        return format!("Nothing to do: all of it holds already, at revision {}.", applied.revision);
    }
    let rest =
        if applied.unchanged == 0 { String::new() } else { format!("; {} unchanged", applied.unchanged) };
    format!("Applied at revision {}: {}{rest}.", applied.revision, parts.join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_what_was_done() {
        let counts = |pairs: &[(&str, usize)]| pairs.iter().map(|(k, n)| ((*k).to_owned(), *n)).collect();
        let mut applied = Applied {
            created: counts(&[("roles", 2), ("users", 4)]),
            changed: counts(&[("elements", 1)]),
            removed: counts(&[("set_rules", 1)]),
            unchanged: 3,
            revision: 7,
        };
        assert_eq!(
            summary(&applied),
            "Applied at revision 7: created 2 roles, 4 users; changed 1 elements; removed 1 set rules; 3 unchanged."
        );
        applied.created.clear();
        applied.changed.clear();
        applied.removed.clear();
        assert_eq!(summary(&applied), "Nothing to do: all of it holds already, at revision 7.");
    }
}
