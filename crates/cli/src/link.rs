//! `askfirst link`: a sign-in link for a human.

use crate::{client::Client, env::Env, terminal};
use serde::Deserialize;
use serde_json::json;
use std::process::ExitCode;

/// Print a one-time link that signs a user in to the inbox
///
/// It works once, for fifteen minutes. Hand it to that person and nobody else: whoever opens it decides in their name.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  askfirst link joe")]
pub(crate) struct Args {
    /// Key of the user
    user: String,
}

#[derive(Deserialize)]
struct Link {
    url: String,
}

pub(crate) async fn run(args: Args, env: &Env) -> anyhow::Result<ExitCode> {
    terminal::line(make(&Client::from_env(env)?, &args.user).await?)?;
    Ok(ExitCode::SUCCESS)
}

/// A fresh link for a user.
pub(crate) async fn make(client: &Client, user: &str) -> anyhow::Result<String> {
    let link: Link = client.post("/api/v1/links", &[], &json!({"user": user})).await?;
    Ok(link.url)
}
