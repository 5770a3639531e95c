//! `askfirst inbox`: requests that wait for a reviewer, in the terminal.

pub(crate) mod card;
mod talk;
pub(crate) mod wire;

use crate::{client::Client, env::Env, terminal, terminal::Style};
use serde_json::Value;
use std::process::ExitCode;
use wire::{Inbox, Request, Verb, Word};

/// The width of what is shown.
const WIDTH: usize = 100;

/// See and decide the requests that wait for a reviewer
///
/// Without a sub-command it shows them one by one and asks; where nobody can be asked it lists them. Whoever runs this
/// holds an environment's key and so answers for the name after --as. People without a key sign in with a link
/// (`askfirst link USER`).
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  askfirst inbox --as joe
  askfirst inbox --as joe list
  askfirst inbox --as joe show 0193d0e2-8b7c-7e31-9f0a-3f6d8f0f7c11
  askfirst inbox --as joe approve 0193d0e2-8b7c-7e31-9f0a-3f6d8f0f7c11 --comment 'enjoy'
  askfirst inbox --as joe deny 0193d0e2-8b7c-7e31-9f0a-3f6d8f0f7c11 --comment 'one pizza is enough'")]
pub(crate) struct Args {
    /// Key of the user who reviews
    #[arg(long = "as", value_name = "USER")]
    user: String,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// List what waits for you
    #[command(after_help = "\
Examples:
  askfirst inbox --as joe list")]
    List,
    Show(Show),
    Approve(Approve),
    Deny(Deny),
    Ask(Ask),
}

/// Show one request in full
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  askfirst inbox --as joe show 0193d0e2-8b7c-7e31-9f0a-3f6d8f0f7c11")]
struct Show {
    /// The request
    id: String,
}

/// Approve a request
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  askfirst inbox --as joe approve 0193d0e2-8b7c-7e31-9f0a-3f6d8f0f7c11
  askfirst inbox --as joe approve 0193d0e2-8b7c-7e31-9f0a-3f6d8f0f7c11 --role child-can-order --comment 'tonight'")]
struct Approve {
    /// The request
    id: String,
    /// What to tell the requester
    #[arg(long)]
    comment: Option<String>,
    /// Give another role than the one that was asked for
    #[arg(long)]
    role: Option<String>,
    /// Give it for a shorter time than was asked for, such as 30m
    #[arg(long, value_name = "TIME")]
    lasts: Option<String>,
    /// The digest of the call that you looked at; needed for a request that is for one call
    #[arg(long)]
    digest: Option<String>,
    /// Approve the call with these arguments instead, as JSON
    #[arg(long, value_name = "JSON", value_parser = json)]
    arguments: Option<Value>,
    /// In whose place you approve, where you stand in for somebody
    #[arg(long = "for", value_name = "USER")]
    stands_for: Option<String>,
}

fn json(text: &str) -> Result<Value, serde_json::Error> {
    serde_json::from_str(text)
}

/// Ask the requester something before deciding
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  askfirst inbox --as joe ask 0193d0e2-8b7c-7e31-9f0a-3f6d8f0f7c11 'for how many people?'")]
struct Ask {
    /// The request
    id: String,
    /// What you want to know; the requester and their agent read it
    question: String,
}

/// Deny a request
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  askfirst inbox --as joe deny 0193d0e2-8b7c-7e31-9f0a-3f6d8f0f7c11 --comment 'one pizza is enough'")]
struct Deny {
    /// The request
    id: String,
    /// Why; the requester and their agent read it, and go by it
    #[arg(long, value_name = "WHY")]
    comment: String,
    /// In whose place you deny, where you stand in for somebody
    #[arg(long = "for", value_name = "USER")]
    stands_for: Option<String>,
}

pub(crate) async fn run(args: Args, env: &Env) -> anyhow::Result<ExitCode> {
    let inbox = Inbox::new(Client::from_env(env)?, args.user);
    let style = Style::of_stdout(env);
    match args.command {
        None if terminal::can_ask() => talk::run(&inbox, style).await?,
        None => {
            if list(&inbox, style).await? > 0 {
                terminal::remark(
                    "askfirst: nobody can be asked here, so nothing was decided; use approve or deny",
                );
            }
        }
        Some(Command::List) => {
            list(&inbox, style).await?;
        }
        Some(Command::Show(show)) => print(&card::lines(&inbox.get(&show.id).await?, style, WIDTH))?,
        Some(Command::Approve(Approve { id, comment, role, lasts, digest, arguments, stands_for })) => {
            let shown = match (&digest, &arguments) {
                (None, None) => None,
                // Who names the arguments says all that is approved.
                _ => seen(&inbox.get(&id).await?, digest.as_deref())?,
            };
            let word = Word { comment, role, lasts, arguments, shown, stands_for };
            let decided = inbox.decide(&id, Verb::Approve, word).await?;
            terminal::line(card::outcome(&decided, style))?;
        }
        Some(Command::Deny(Deny { id, comment, stands_for })) => {
            let word = Word { comment: Some(comment), stands_for, ..Word::default() };
            let decided = inbox.decide(&id, Verb::Deny, word).await?;
            terminal::line(card::outcome(&decided, style))?;
        }
        Some(Command::Ask(Ask { id, question })) => {
            print(&card::lines(&inbox.ask(&id, &question).await?, style, WIDTH))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// What the server has shown, if the call is still the one that was looked at.
fn seen(request: &Request, digest: Option<&str>) -> anyhow::Result<Option<String>> {
    let now = request.call.as_ref().map(|call| call.digest.as_str());
    if digest.is_some() && digest != now {
        anyhow::bail!("this is for another call now; look at it with `show`, and decide again");
    }
    Ok(request.shown.clone())
}

/// Lists what waits; how many requests that are.
async fn list(inbox: &Inbox, style: Style) -> anyhow::Result<usize> {
    let waiting: Vec<Request> = inbox.waiting().await?;
    if waiting.is_empty() {
        terminal::line(format_args!("Nothing waits for {}.", inbox.user()))?;
    }
    for request in &waiting {
        terminal::line(format_args!("{}  {}", style.dim(&request.id), card::sentence(request, style)))?;
    }
    Ok(waiting.len())
}

fn print(lines: &[String]) -> anyhow::Result<()> {
    for line in lines {
        terminal::line(line)?;
    }
    Ok(())
}
