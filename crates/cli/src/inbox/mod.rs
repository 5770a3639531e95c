//! `askfirst inbox`: requests that wait for a reviewer, in the terminal.

pub(crate) mod card;
mod talk;
pub(crate) mod wire;

use crate::{client::Client, env::Env, terminal, terminal::Style};
use std::process::ExitCode;
use wire::{Inbox, Request, Verb};

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
}

/// Deny a request
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  askfirst inbox --as joe deny 0193d0e2-8b7c-7e31-9f0a-3f6d8f0f7c11 --comment 'one pizza is enough'")]
struct Deny {
    /// The request
    id: String,
    /// Why; the requester and their agent read it
    #[arg(long)]
    comment: Option<String>,
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
        Some(Command::Approve(Approve { id, comment, role })) => {
            let decided = inbox.decide(&id, Verb::Approve, comment.as_deref(), role.as_deref(), None).await?;
            terminal::line(card::outcome(&decided, style))?;
        }
        Some(Command::Deny(Deny { id, comment })) => {
            let decided = inbox.decide(&id, Verb::Deny, comment.as_deref(), None, None).await?;
            terminal::line(card::outcome(&decided, style))?;
        }
    }
    Ok(ExitCode::SUCCESS)
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
