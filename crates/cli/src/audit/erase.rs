//! `askfirst audit erase`.

use crate::{client::Client, env::Env, terminal};
use serde::Deserialize;
use std::process::ExitCode;

/// Erase a user from the audit log, for good
///
/// All goes of what was done by or for the user, and of other events what names them by key, id or e-mail address. That, when
/// and what kind of thing happened stays, and so does the chain with its signatures. Erase after the user was deleted, with
/// the key and the e-mail address, each by itself: the server does not know any more that they belong together.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  askfirst audit erase --user henry
  askfirst audit erase --user henry@example.com")]
pub(super) struct Args {
    /// The key or the id of the user, or whatever names them
    #[arg(long, value_name = "KEY")]
    user: String,
}

#[derive(Debug, Deserialize)]
struct Erased {
    events: u64,
}

pub(super) async fn run(args: Args, env: &Env) -> anyhow::Result<ExitCode> {
    let client = Client::from_env(env)?;
    let body = serde_json::json!({ "user": args.user });
    let erased: Erased = client.post("/api/v1/audit/erase", &[], &body).await?;
    let what = match erased.events {
        0 => "nothing names this user".to_owned(),
        1 => "something was erased from 1 event".to_owned(),
        n => format!("something was erased from {n} events"),
    };
    terminal::line(what)?;
    Ok(ExitCode::SUCCESS)
}
