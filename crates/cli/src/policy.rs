//! `askfirst policy`: the policy file.

use crate::{client::Client, env::Env, terminal};
use anyhow::Context as _;
use serde::Deserialize;
use std::{collections::BTreeMap, path::PathBuf, process::ExitCode};

/// Work with policy files
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  askfirst policy apply policy.yaml")]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    Apply(Apply),
}

/// Apply a policy file to the environment of the key
///
/// Adds what is not there and changes what differs, all of it or nothing; what the file does not name stays as it is.
/// Applying the same file again changes nothing.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  askfirst policy apply policy.yaml
  askfirst policy apply - < policy.yaml")]
struct Apply {
    /// The file, or `-` for standard input
    file: PathBuf,
}

#[derive(Deserialize)]
struct Applied {
    created: BTreeMap<String, usize>,
    changed: BTreeMap<String, usize>,
    unchanged: usize,
    revision: u64,
}

pub(crate) async fn run(args: Args, env: &Env) -> anyhow::Result<ExitCode> {
    let Command::Apply(Apply { file }) = args.command;
    let client = Client::from_env(env)?;
    let name = file.display().to_string();
    let text = if name == "-" {
        std::io::read_to_string(std::io::stdin()).context("can't read standard input")?
    } else {
        std::fs::read_to_string(&file).with_context(|| format!("can't read {name}"))?
    };
    terminal::line(apply(&client, text).await?)?;
    Ok(ExitCode::SUCCESS)
}

/// Applies a policy and answers what that did, in one line.
pub(crate) async fn apply(client: &Client, text: String) -> anyhow::Result<String> {
    let applied: Applied = client.put_text("/api/v1/policy", text).await?;
    Ok(summary(&applied))
}

fn summary(applied: &Applied) -> String {
    let list = |counts: &BTreeMap<String, usize>| {
        counts.iter().map(|(what, count)| format!("{count} {what}")).collect::<Vec<_>>().join(", ")
    };
    let parts: Vec<String> = [("created", &applied.created), ("changed", &applied.changed)]
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
            unchanged: 3,
            revision: 7,
        };
        assert_eq!(
            summary(&applied),
            "Applied at revision 7: created 2 roles, 4 users; changed 1 elements; 3 unchanged."
        );
        applied.created.clear();
        applied.changed.clear();
        assert_eq!(summary(&applied), "Nothing to do: all of it holds already, at revision 7.");
    }
}
