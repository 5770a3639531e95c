//! `askfirst webhooks`: whom the environment tells.

use crate::{
    client::{Client, segment},
    env::Env,
    terminal,
};
use serde::Deserialize;
use serde_json::{Value, json};
use std::process::ExitCode;

/// Say who is told of what happens to requests and approvals
///
/// Messages are signed as the Standard Webhooks specification says. `askfirst deliveries` shows what is still to be told, and what was
/// given up.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  askfirst webhooks
  askfirst webhooks create https://example.org/askfirst --event request.created --event grant
  askfirst webhooks test 0193d0e2-8b7c-7e31-9f0a-3f6d8f0f7c11")]
pub(crate) struct Args {
    #[command(subcommand)]
    what: Option<What>,
    /// One JSON object a line
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Make a webhook and print its secret, alone on the last line
    Create {
        /// Where messages are sent
        url: String,
        /// An event such as request.created, or request or grant for all that begin so; again for more. All unless said
        #[arg(long = "event", value_name = "EVENT")]
        events: Vec<String>,
        /// What it is for
        #[arg(long)]
        description: Option<String>,
    },
    /// Change a webhook
    #[command(group = clap::ArgGroup::new("change").required(true).multiple(true))]
    Update {
        id: String,
        /// Where messages are sent
        #[arg(long, group = "change")]
        url: Option<String>,
        /// The events, instead of those before; `all` for all
        #[arg(long = "event", value_name = "EVENT", group = "change")]
        events: Vec<String>,
        /// What it is for
        #[arg(long, group = "change")]
        description: Option<String>,
    },
    /// Give a webhook another secret and print it, alone on the last line
    Rotate { id: String },
    /// Send a webhook a message of the type `test`
    Test { id: String },
    /// Delete a webhook
    Delete { id: String },
}

const PATH: &str = "/api/v1/webhooks";

#[derive(Deserialize)]
struct Webhooks {
    data: Vec<Value>,
}

#[derive(Deserialize)]
struct Webhook {
    id: String,
    url: String,
    description: Option<String>,
    events: Vec<String>,
}

#[derive(Deserialize)]
struct Made {
    id: String,
    secret: String,
}

#[derive(Deserialize)]
struct Tested {
    delivery: String,
}

pub(crate) async fn run(args: Args, env: &Env) -> anyhow::Result<ExitCode> {
    let client = Client::from_env(env)?;
    match args.what {
        None => list(&client, args.json).await?,
        Some(What::Create { url, events, description }) => {
            let new = json!({"url": url, "events": events, "description": description});
            shown(&client.post(PATH, &[], &new).await?)?;
        }
        Some(What::Update { id, url, events, description }) => {
            let mut patch = serde_json::Map::new();
            patch.extend(url.map(|url| ("url".to_owned(), json!(url))));
            patch.extend(description.map(|text| ("description".to_owned(), json!(text))));
            if !events.is_empty() {
                let all = events.iter().any(|event| event == "all");
                patch.insert("events".to_owned(), if all { json!([]) } else { json!(events) });
            }
            let path = format!("{PATH}/{}", segment(&id));
            let webhook: Webhook = client.patch(&path, &Value::Object(patch)).await?;
            terminal::line(row(&webhook))?;
        }
        Some(What::Rotate { id }) => {
            let path = format!("{PATH}/{}/rotate-secret", segment(&id));
            shown(&client.post(&path, &[], &json!({})).await?)?;
        }
        Some(What::Test { id }) => {
            let path = format!("{PATH}/{}/test", segment(&id));
            let tested: Tested = client.post(&path, &[], &json!({})).await?;
            terminal::line(format_args!("the message {} is on its way", tested.delivery))?;
        }
        Some(What::Delete { id }) => {
            client.delete(&format!("{PATH}/{}", segment(&id)), &[]).await?;
            terminal::line(format_args!("{} is deleted", terminal::plain(&id)))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn list(client: &Client, as_json: bool) -> anyhow::Result<()> {
    let found: Webhooks = client.get(PATH, &[]).await?;
    if found.data.is_empty() && !as_json {
        terminal::remark("there is no webhook");
    }
    for webhook in found.data {
        if as_json {
            terminal::line(webhook)?;
        } else {
            terminal::line(row(&serde_json::from_value(webhook)?))?;
        }
    }
    Ok(())
}

fn shown(made: &Made) -> anyhow::Result<()> {
    terminal::line(format_args!(
        "Messages of the webhook {} are signed with this secret. It is shown this once:",
        made.id
    ))?;
    Ok(terminal::line(&made.secret)?)
}

fn row(webhook: &Webhook) -> String {
    let Webhook { id, url, description, events } = webhook;
    let events = if events.is_empty() { "all events".to_owned() } else { events.join(", ") };
    let about =
        description.as_deref().map(|text| format!("  ({})", terminal::plain(text))).unwrap_or_default();
    format!("{id}  {}  {events}{about}", terminal::plain(url))
}
