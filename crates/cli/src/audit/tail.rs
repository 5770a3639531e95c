//! `askfirst audit tail`.

use super::source;
use crate::{
    client::Client,
    env::Env,
    terminal::{self, Style},
};
use askfirst_domain::{
    audit::{AuditEvent, Entry},
    principal::Principal,
};
use std::{process::ExitCode, time::Duration};

/// How often it is looked whether something new happened.
const LOOK: Duration = Duration::from_millis(500);

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
    loop {
        let part = source::next(&client, after).await?;
        let ended = part.events.is_empty();
        for entry in part.events {
            after = entry.n;
            if args.json {
                terminal::line(serde_json::to_string(&entry)?)?;
            } else {
                terminal::line(line(&entry, style))?;
            }
        }
        if ended {
            if args.once {
                return Ok(ExitCode::SUCCESS);
            }
            tokio::time::sleep(LOOK).await;
        }
    }
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
    words.extend(event.object.as_ref().map(|object| format!("about {object}")));
    words.extend(event.request.map(|request| format!("(request {request})")));
    words.join(" ")
}
