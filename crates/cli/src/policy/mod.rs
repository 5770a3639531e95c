//! `askfirst policy`: the policy as a file.

mod apply;
mod check;
mod export;
mod plan;
mod replay;
mod show;
mod test;

pub(crate) use apply::apply;

use crate::env::Env;
use anyhow::Context as _;
use serde_json::{Map, Value, json};
use std::{path::Path, process::ExitCode};

/// Work with policy files
///
/// A policy file holds an environment's policy, and its facts and tests where wanted: see docs/policy-file.md.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  askfirst policy check policy.yaml
  askfirst policy test policy.yaml
  askfirst policy plan policy.yaml
  askfirst policy apply policy.yaml
  askfirst policy export --facts > policy.yaml
  askfirst policy replay policy.yaml --since 7d")]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    Check(check::Args),
    Test(test::Args),
    Plan(plan::Args),
    Apply(apply::Args),
    Export(export::Args),
    Replay(replay::Args),
}

pub(crate) async fn run(args: Args, env: &Env) -> anyhow::Result<ExitCode> {
    match args.command {
        Command::Check(args) => check::run(&args, env),
        Command::Test(args) => test::run(&args, env),
        Command::Plan(args) => Ok(plan::run(&args, env).await),
        Command::Apply(args) => Box::pin(apply::run(&args, env)).await,
        Command::Export(args) => export::run(&args, env).await,
        Command::Replay(args) => Ok(replay::run(&args, env).await),
    }
}

/// What becomes of things that the environment has and the file does not name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Prune {
    /// Resources, roles, sets, rules and elements go, as far as the file has their section
    Policy,
    /// Users, tenants, instances, tuples and assignments go, too
    All,
}

impl Prune {
    fn word(self) -> &'static str {
        match self {
            Self::Policy => "policy",
            Self::All => "all",
        }
    }
}

/// The text of a file, or of standard input for `-`.
fn read(file: &Path) -> anyhow::Result<String> {
    if file.as_os_str() == "-" {
        return std::io::read_to_string(std::io::stdin()).context("can't read standard input");
    }
    std::fs::read_to_string(file).with_context(|| format!("can't read {}", file.display()))
}

/// What a server is sent: the file, what is to become of what it does not name, and those tokens of webhooks that the file
/// asks for and the environment has.
fn parcel(text: &str, prune: Option<Prune>, env: &Env) -> Map<String, Value> {
    let names = askfirst_engine::policy::token_names(text).into_iter();
    let secrets: Map<String, Value> = names
        .filter_map(|name| {
            let token = env.get(&name)?.to_owned();
            Some((name, token.into()))
        })
        .collect();
    let mut parcel = Map::new();
    parcel.insert("file".to_owned(), text.into());
    parcel.insert("secrets".to_owned(), secrets.into());
    if let Some(prune) = prune {
        parcel.insert("prune".to_owned(), json!(prune.word()));
    }
    parcel
}

/// Ends a command whose exit code tells what it found, so that 1 is left for a failure.
fn or_failed(done: anyhow::Result<ExitCode>) -> ExitCode {
    match done {
        Ok(code) => code,
        // Whoever reads our output has gone, which is no failure.
        Err(error) if crate::is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            crate::terminal::remark(format_args!("askfirst: {error:#}"));
            ExitCode::from(1)
        }
    }
}
