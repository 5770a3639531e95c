//! `askfirst audit export`.

use super::source::{self, EXPORT, Line, Title};
use crate::{client::Client, env::Env, terminal};
use std::process::ExitCode;

/// Write the whole log with its signed heads, a JSON object a line
///
/// The log is signed first, so that all of it is under a signed head. What is written holds personal data as far as it was
/// not erased; erasing does not reach it. With a key of the organisation it is the installation's own log.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  askfirst audit export > audit.jsonl
  askfirst audit export | gzip > audit.jsonl.gz")]
pub(super) struct Args {}

pub(super) async fn run(_: Args, env: &Env) -> anyhow::Result<ExitCode> {
    let client = Client::from_env(env)?;
    let heads = source::heads(&client).await?;
    let first = source::part(&client, 0, "1").await?;
    let keys = source::keys(&client).await?;
    let kind = EXPORT.to_owned();
    let title = Title { kind, installation: first.installation, env: first.env, keys };
    terminal::line(serde_json::to_string(&title)?)?;
    for head in heads {
        terminal::line(serde_json::to_string(&Line::Head(head))?)?;
    }
    let mut after = 0;
    loop {
        let part = source::next(&client, after).await?;
        let Some(last) = part.events.last() else { return Ok(ExitCode::SUCCESS) };
        after = last.n;
        for event in part.events {
            terminal::line(serde_json::to_string(&Line::Event(event))?)?;
        }
    }
}
