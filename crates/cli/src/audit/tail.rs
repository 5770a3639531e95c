//! `askfirst audit tail`.

use super::source;
use crate::{
    client::Client,
    env::Env,
    terminal::{self, Style},
};
use anyhow::bail;
use askfirst_domain::{
    audit::{AuditEvent, Entry},
    principal::Principal,
};
use serde::Deserialize;
use std::{process::ExitCode, time::Duration};

/// How long it is waited before a server that broke off is called again.
const BREATH: Duration = Duration::from_secs(1);

/// Show what happened, and go on with what happens
///
/// The newest events with the newest at the end. Each has its number in the log.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  askfirst audit tail
  askfirst audit tail -n 100 --once
  askfirst audit tail --json | jq .body")]
pub(super) struct Args {
    /// How many of the past
    #[arg(short = 'n', default_value_t = 10, value_name = "N", value_parser = clap::value_parser!(u32).range(0..=1000))]
    lines: u32,
    /// Show them and end
    #[arg(long)]
    once: bool,
    /// One JSON object a line, as the log has it
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(args: Args, env: &Env) -> anyhow::Result<ExitCode> {
    let client = Client::from_env(env)?;
    let style = Style::of_stdout(env);
    let mut after = source::part(&client, 0, "1").await?.head.n.saturating_sub(u64::from(args.lines));
    show(&client, &mut after, &args, style).await?;
    if args.once {
        return Ok(ExitCode::SUCCESS);
    }
    loop {
        follow(&client, &mut after, &args, style).await?;
        tokio::time::sleep(BREATH).await;
    }
}

/// Shows what there is after an event.
async fn show(client: &Client, after: &mut u64, args: &Args, style: Style) -> anyhow::Result<()> {
    loop {
        let part = source::next(client, *after).await?;
        if part.events.is_empty() {
            return Ok(());
        }
        for entry in part.events {
            *after = entry.n;
            if args.json {
                terminal::line(serde_json::to_string(&entry)?)?;
            } else {
                terminal::line(line(&entry, style))?;
            }
        }
    }
}

/// Shows what happens for as long as the connection holds.
async fn follow(client: &Client, after: &mut u64, args: &Args, style: Style) -> anyhow::Result<()> {
    let mut events = client.listen("/api/v1/stream", &[("after", &after.to_string())]).await?;
    // One that breaks is made again.
    while let Ok(Some(event)) = events.next().await {
        if event.name == "end" {
            let end: End = serde_json::from_str(&event.data)?;
            match end.why.as_str() {
                "stopping" | "slow" => return Ok(()),
                _ => bail!(end.message),
            }
        }
        // One call may bring many; those that it brought are told all the same, and passed over.
        if event.id.is_some_and(|n| n > *after) {
            show(client, after, args, style).await?;
        }
    }
    Ok(())
}

/// Why nothing more is told.
#[derive(Deserialize)]
struct End {
    why: String,
    message: String,
}

fn line(entry: &Entry, style: Style) -> String {
    let n = style.dim(format_args!("{:>6}", entry.n));
    let event = match entry.event() {
        Ok(event) => event,
        Err(error) => return format!("{n}  {}", style.bad(error)),
    };
    let at: String = event.at.to_string().chars().take(19).map(|c| if c == 'T' { ' ' } else { c }).collect();
    let what = terminal::plain(&words(&event));
    format!("{n}  {}  {}  {what}", style.dim(at), style.bold(format_args!("{:<24}", event.code)))
}

/// What it is about: one thing, or several facts of a bulk call.
fn about(event: &AuditEvent) -> Option<String> {
    if let Some(object) = &event.object {
        return Some(format!("about {object}"));
    }
    let facts = event.details.get("facts")?.as_array()?;
    let first = facts.first()?.get("object")?.as_str()?;
    Some(match facts.len() {
        1 => format!("about {first}"),
        many => format!("about {first} and {} more", many - 1),
    })
}

fn words(event: &AuditEvent) -> String {
    let actor = match &event.actor {
        Principal::ApiKey { id, .. } => format!("key {id}"),
        Principal::User { key, .. } => key.to_string(),
        Principal::Agent { key, .. } => format!("{key}'s agent"),
        Principal::TrustedAgent { .. } => "an agent that is believed".to_owned(),
        Principal::System { name } => name.clone(),
        Principal::Erased => "(erased)".to_owned(),
    };
    let mut words = vec![actor];
    words.extend(event.on_behalf_of.as_ref().map(|user| format!("for {user}")));
    words.extend(about(event));
    words.extend(event.request.map(|request| format!("(request {request})")));
    words.join(" ")
}
