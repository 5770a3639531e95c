//! `askfirst deliveries`: what webhooks are still to be told.

use crate::{
    client::{Client, segment},
    env::Env,
    terminal,
};
use serde::Deserialize;
use serde_json::Value;
use std::process::ExitCode;

/// The most that is asked for at once.
const PAGE: usize = 100;

/// Look at what webhooks are still to be told, and try again what was given up
///
/// A delivery that fails is tried again for three days, later and later, and is given up then. One that was taken is gone from
/// here.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  askfirst deliveries
  askfirst deliveries --dead
  askfirst deliveries retry 0193d0e2-8b7c-7e31-9f0a-3f6d8f0f7c11")]
pub(crate) struct Args {
    #[command(subcommand)]
    what: Option<What>,
    /// Those that were given up and nothing else
    #[arg(long)]
    dead: bool,
    /// One JSON object a line
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Try a delivery again that was given up
    Retry { id: String },
    /// Drop a delivery that was given up
    Drop { id: String },
}

#[derive(Deserialize)]
struct Page {
    data: Vec<Value>,
    page_count: usize,
}

#[derive(Deserialize)]
struct Delivery {
    id: String,
    state: String,
    topic: String,
    created_at: String,
    due_at: String,
    attempts: u32,
    failure: Option<String>,
}

pub(crate) async fn run(args: Args, env: &Env) -> anyhow::Result<ExitCode> {
    let client = Client::from_env(env)?;
    match args.what {
        Some(What::Retry { id }) => {
            client.post_nothing(&format!("/api/v1/deliveries/{}/retry", segment(&id))).await?;
            terminal::line(format_args!("{id} is tried again"))?;
        }
        Some(What::Drop { id }) => {
            client.delete(&format!("/api/v1/deliveries/{}", segment(&id)), &[]).await?;
            terminal::line(format_args!("{id} is dropped"))?;
        }
        None => list(&client, args.dead, args.json).await?,
    }
    Ok(ExitCode::SUCCESS)
}

async fn list(client: &Client, dead: bool, json: bool) -> anyhow::Result<()> {
    let size = PAGE.to_string();
    let mut number = 1;
    let mut any = false;
    loop {
        let at = number.to_string();
        let mut query = vec![("page", at.as_str()), ("per_page", size.as_str())];
        if dead {
            query.push(("state", "dead"));
        }
        let page: Page = client.get("/api/v1/deliveries", &query).await?;
        for found in page.data {
            any = true;
            if json {
                terminal::line(found)?;
            } else {
                let delivery: Delivery = serde_json::from_value(found)?;
                terminal::line(row(&delivery))?;
            }
        }
        if number >= page.page_count {
            break;
        }
        number += 1;
    }
    if !any && !json {
        terminal::remark(if dead { "nothing was given up" } else { "nothing waits" });
    }
    Ok(())
}

fn row(delivery: &Delivery) -> String {
    let Delivery { id, state, topic, created_at, due_at, attempts, failure } = delivery;
    let tried = if *attempts == 0 {
        String::new()
    } else {
        let times = if *attempts == 1 { "once".to_owned() } else { format!("{attempts} times") };
        format!("  tried {times}: {}", failure.as_deref().unwrap_or("unknown"))
    };
    let again =
        if *attempts > 0 && state == "waiting" { format!("; again at {due_at}") } else { String::new() };
    format!("{id}  {state:<7}  {topic:<15}  of {created_at}{tried}{again}")
}
