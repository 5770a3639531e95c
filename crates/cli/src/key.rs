//! `askfirst key`: API keys.

use crate::{client::Client, env::Env, terminal};
use clap::ValueEnum;
use serde::Deserialize;
use serde_json::json;
use std::process::ExitCode;

/// Make API keys
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  askfirst key create --as henry
  askfirst key create --scope env --name 'the food server'")]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    Create(Create),
}

/// Make a key and print it, alone on the last line
///
/// It is shown this once and never again. A key can make only keys that open no more than it does itself.
#[derive(Debug, clap::Args)]
#[command(
    group = clap::ArgGroup::new("opens").required(true).multiple(false),
    after_help = "\
Examples:
  askfirst key create --as henry                  a key for henry's agent: it opens /mcp and nothing else
  askfirst key create --scope env                 a key for the environment of the key in use
  askfirst key create --scope project --project shop
  KEY=$(askfirst key create --as henry | tail -n 1)"
)]
struct Create {
    /// What the key opens
    #[arg(long, group = "opens")]
    scope: Option<Scope>,
    /// The user whom the holder acts for; such a key opens /mcp and nothing else
    #[arg(long = "as", value_name = "USER", group = "opens")]
    as_user: Option<String>,
    /// What it is for
    #[arg(long)]
    name: Option<String>,
    /// The project, when the key in use opens several
    #[arg(long)]
    project: Option<String>,
    /// The environment, when the key in use opens several
    #[arg(long)]
    env: Option<String>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Scope {
    /// Everything
    Org,
    /// One project and its environments
    Project,
    /// One environment
    Env,
}

#[derive(Deserialize)]
struct Made {
    secret: String,
    opens: String,
}

pub(crate) async fn run(args: Args, env: &Env) -> anyhow::Result<ExitCode> {
    let Command::Create(create) = args.command;
    let scope = match create.scope {
        Some(Scope::Org) => "org",
        Some(Scope::Project) => "project",
        // An agent's key belongs to an environment.
        Some(Scope::Env) | None => "env",
    };
    let mut wish = json!({"scope": scope});
    let members = [
        ("as_user", create.as_user),
        ("name", create.name),
        ("project", create.project),
        ("env", create.env),
    ];
    if let Some(wish) = wish.as_object_mut() {
        wish.extend(members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), json!(value?)))));
    }
    let made: Made = Client::from_env(env)?.post("/api/v1/keys", &[], &wish).await?;
    terminal::line(format_args!(
        "A key that opens {}. It is shown this once:",
        terminal::plain(&made.opens)
    ))?;
    terminal::line(made.secret)?;
    Ok(ExitCode::SUCCESS)
}
