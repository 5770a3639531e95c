//! `askfirst agents`: the agents that act for the environment's users.

use crate::{
    client::{Client, segment},
    env::Env,
    terminal,
};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::process::ExitCode;

/// The most that is asked for at once.
const PAGE: usize = 100;

/// Register agents, give them keys, and freeze them
///
/// An agent may do what the human whom it acts for may, and no more than --may says. Freezing one stops it at once: its keys
/// open nothing, what it asked for can't be approved, what it was given can't be used.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  askfirst agents create billing-bot --owner joe --may orders:read --may orders:refund
  askfirst agents key billing-bot --for henry
  askfirst agents freeze billing-bot --reason 'it refunds too much'
  askfirst agents list")]
pub(crate) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    Create(Create),
    Change(Change),
    /// List the agents
    List {
        /// One JSON object a line
        #[arg(long)]
        json: bool,
    },
    /// Show an agent and its keys
    Show {
        /// Key or id
        agent: String,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    Key(Key),
    /// Stop an agent at once
    Freeze(Stop),
    /// Let a frozen agent go on
    Thaw(Stop),
}

/// Register an agent
#[derive(Debug, clap::Args)]
struct Create {
    /// What it is called in commands and logs
    key: String,
    /// The user who answers for it
    #[arg(long, value_name = "USER")]
    owner: String,
    /// What it is called on pages
    #[arg(long)]
    name: Option<String>,
    /// What it may do at most: RESOURCE:ACTION, `*` for any; whatever its human may unless said
    #[arg(long, value_name = "RESOURCE:ACTION")]
    may: Vec<String>,
}

/// Change an agent
#[derive(Debug, clap::Args)]
struct Change {
    /// Key or id
    agent: String,
    /// The user who answers for it
    #[arg(long, value_name = "USER")]
    owner: Option<String>,
    /// What it is called on pages
    #[arg(long)]
    name: Option<String>,
    /// What it may do at most, in place of what it might before
    #[arg(long, value_name = "RESOURCE:ACTION", conflicts_with = "may_what_its_human_may")]
    may: Vec<String>,
    /// No limit of its own
    #[arg(long)]
    may_what_its_human_may: bool,
}

/// Make a key with which an agent acts for one human, and print it, alone on the last line
///
/// It opens /mcp and nothing else. It is shown this once and never again.
#[derive(Debug, clap::Args)]
struct Key {
    /// Key or id
    agent: String,
    /// The human
    #[arg(long = "for", value_name = "USER")]
    user: String,
    /// What it is for
    #[arg(long)]
    name: Option<String>,
}

#[derive(Debug, clap::Args)]
struct Stop {
    /// Key or id
    agent: String,
    /// For the audit log
    #[arg(long)]
    reason: Option<String>,
}

#[derive(Deserialize)]
struct Page {
    data: Vec<Value>,
    page_count: usize,
}

#[derive(Deserialize)]
struct Agent {
    id: String,
    key: String,
    name: String,
    owner: String,
    status: String,
    may: Option<Vec<String>>,
    keys: Vec<AgentKey>,
}

#[derive(Deserialize)]
struct AgentKey {
    id: String,
    user: String,
    created_at: String,
}

#[derive(Deserialize)]
struct Made {
    secret: String,
}

pub(crate) async fn run(args: Args, env: &Env) -> anyhow::Result<ExitCode> {
    let client = Client::from_env(env)?;
    match args.what {
        What::Create(create) => {
            let may = (!create.may.is_empty()).then_some(create.may);
            let wish = json!({"key": create.key, "owner": create.owner, "name": create.name, "may": may});
            let made: Agent = client.post("/api/v1/agents", &[], &wish).await?;
            terminal::line(row(&made))?;
            terminal::remark(format_args!(
                "give it a key for each human whom it acts for: askfirst agents key {} --for USER",
                made.key
            ));
        }
        What::Change(change) => {
            let path = path(&change.agent, "");
            terminal::line(row(&client.patch(&path, &edit(change)).await?))?;
        }
        What::List { json } => list(&client, json).await?,
        What::Show { agent, json } => show(&client, &agent, json).await?,
        What::Key(key) => {
            let wish = json!({"user": key.user, "name": key.name});
            let made: Made = client.post(&path(&key.agent, "/keys"), &[], &wish).await?;
            terminal::line(format_args!(
                "A key with which {} acts for {} on /mcp. It is shown this once:",
                terminal::plain(&key.agent),
                terminal::plain(&key.user)
            ))?;
            terminal::line(made.secret)?;
        }
        What::Freeze(stop) => stop_or_go(&client, &stop, "/freeze").await?,
        What::Thaw(stop) => stop_or_go(&client, &stop, "/thaw").await?,
    }
    Ok(ExitCode::SUCCESS)
}

fn path(agent: &str, rest: &str) -> String {
    format!("/api/v1/agents/{}{rest}", segment(agent))
}

/// What is said, and nothing else.
fn edit(change: Change) -> Value {
    let mut said = Map::new();
    said.extend(change.owner.map(|owner| ("owner".to_owned(), json!(owner))));
    said.extend(change.name.map(|name| ("name".to_owned(), json!(name))));
    if change.may_what_its_human_may {
        said.insert("may".to_owned(), Value::Null);
    } else if !change.may.is_empty() {
        said.insert("may".to_owned(), json!(change.may));
    }
    Value::Object(said)
}

async fn stop_or_go(client: &Client, stop: &Stop, verb: &str) -> anyhow::Result<()> {
    let agent: Agent = client.post(&path(&stop.agent, verb), &[], &json!({"reason": stop.reason})).await?;
    Ok(terminal::line(format_args!("{} is {}", agent.key, agent.status))?)
}

async fn list(client: &Client, json: bool) -> anyhow::Result<()> {
    let size = PAGE.to_string();
    let (mut number, mut any) = (1, false);
    loop {
        let at = number.to_string();
        let page: Page = client.get("/api/v1/agents", &[("page", &at), ("per_page", &size)]).await?;
        for found in page.data {
            any = true;
            if json {
                terminal::line(found)?;
            } else {
                terminal::line(row(&serde_json::from_value(found)?))?;
            }
        }
        if number >= page.page_count {
            break;
        }
        number += 1;
    }
    if !any && !json {
        terminal::remark("no agent is registered; see askfirst agents create --help");
    }
    Ok(())
}

async fn show(client: &Client, agent: &str, json: bool) -> anyhow::Result<()> {
    let found: Value = client.get(&path(agent, ""), &[]).await?;
    if json {
        return Ok(terminal::line(found)?);
    }
    let agent: Agent = serde_json::from_value(found)?;
    terminal::line(row(&agent))?;
    terminal::line(format_args!("  id    {}", agent.id))?;
    terminal::line(format_args!("  name  {}", terminal::plain(&agent.name)))?;
    for key in &agent.keys {
        terminal::line(format_args!("  key   {}  for {}, made {}", key.id, key.user, key.created_at))?;
    }
    if agent.keys.is_empty() {
        terminal::line("  it has no key")?;
    }
    Ok(())
}

fn row(agent: &Agent) -> String {
    let may = match agent.may.as_deref() {
        None => "whatever its human may".to_owned(),
        Some([]) => "nothing".to_owned(),
        Some(may) => terminal::plain(&may.join(", ")),
    };
    let mut users: Vec<&str> = agent.keys.iter().map(|key| key.user.as_str()).collect();
    users.dedup();
    let users = if users.is_empty() { "nobody yet".to_owned() } else { users.join(", ") };
    format!("{}  {:<6}  of {}  for {users}  may {may}", agent.key, agent.status, agent.owner)
}
