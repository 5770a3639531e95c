//! `askfirst demo`: the family's evening, from an agent's wish to a human's decision and back.

mod books;
mod evening;
mod henry;
mod joe;
mod screen;
mod stage;

use crate::{
    chat::model,
    env::Env,
    inbox::wire::{Inbox, Kind, Request, Status},
    link,
    serve::logs,
    signals::Signals,
    terminal::{self, Keyboard, Style, table},
};
use anyhow::{Context as _, anyhow, bail};
use askfirst_agent::draw::Drawing;
use askfirst_food::{Kitchen, Order, OrderState, dollars};
use joe::{Hand, Joe};
use screen::Screen;
use serde::Deserialize;
use serde_json::{Value, json};
use stage::{CHILD, Keep, Mind, PARENT, Stage};
use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
};
use tokio::sync::Mutex;

/// The picture of the agent's graph.
const PICTURE: &str = "workflow_graph.png";

/// Play the family's evening
///
/// Starts a server with the family's policy, a food server and henry's agent in a temporary directory, and plays the
/// evening: henry's agent wants to order, is told what it may ask for, asks, and waits; joe decides, here or in the browser;
/// the agent goes on. You are joe. With a model key in the environment a model does the agent's thinking, without one a
/// script does. Everything is stopped and removed at the end.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  askfirst demo
  askfirst demo --auto
  askfirst demo --model claude-sonnet-4-5 --keep

Model keys: GEMINI_API_KEY or GOOGLE_API_KEY, ANTHROPIC_API_KEY, OPENAI_API_KEY.")]
pub(crate) struct Args {
    /// Play joe too, and the script even when there is a model key; draws the agent's graph as `workflow_graph.png`
    #[arg(long, conflicts_with = "model")]
    auto: bool,
    /// Where the picture of the graph goes; default with --auto: the working directory
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// The model that does the agent's thinking
    #[arg(long, value_name = "NAME")]
    model: Option<String>,
    /// Keep the directory with everything in it, and say where it is
    #[arg(long)]
    keep: bool,
    /// What is logged to standard error
    #[arg(long, value_name = "FILTER")]
    log: Option<String>,
}

pub(crate) async fn run(args: Args, env: &Env) -> anyhow::Result<ExitCode> {
    logs::start(args.log.as_deref().or(env.get("RUST_LOG")).unwrap_or("error"), env)?;
    let named = args.model.as_deref().or(env.get("ASKFIRST_MODEL")).or_else(|| model::by_key(env));
    let mind = match named {
        Some(name) if !args.auto => Mind::Model(name.to_owned()),
        _ => Mind::Script,
    };
    let mut signals = Signals::watch_terminal()?;
    let stage = Box::pin(Stage::set(&mind, env)).await?;
    let played = tokio::select! {
        played = Box::pin(play(&args, &mind, &stage, Style::of_stdout(env))) => played,
        signal = signals.next() => Err(anyhow!("the evening was broken off by {signal}")),
    };
    let directory = stage.directory().to_owned();
    let keep = if args.keep { Keep::Directory } else { Keep::Nothing };
    Box::pin(stage.strike(keep)).await?;
    played?;
    if args.keep {
        terminal::line(format_args!(
            "Everything is stopped; its files are kept in {}.",
            directory.display()
        ))?;
    } else {
        terminal::line("Everything that was started is stopped, and its files are removed.")?;
    }
    Ok(ExitCode::SUCCESS)
}

async fn play(args: &Args, mind: &Mind, stage: &Stage, style: Style) -> anyhow::Result<()> {
    let inbox = Inbox::new(stage.client.clone(), PARENT.to_owned());
    let hand = if args.auto { Hand::Script } else { Hand::Keyboard(Keyboard::start()) };
    let screen = Arc::new(Mutex::new(Screen::new(style)));
    introduce(args, mind, stage, &mut *screen.lock().await).await?;
    let mut joe = Joe::new(inbox.clone(), hand);
    for (title, words) in evening::CHAPTERS {
        screen.lock().await.chapter(title)?;
        evening::chapter(stage, &mut joe, &screen, words).await?;
    }
    let mut screen = screen.lock().await;
    screen.chapter("The reckoning")?;
    let kitchen = Kitchen::open(&stage.food_database()).await.context("the food server's database")?;
    let orders = kitchen.orders().await?;
    kitchen.close().await;
    let requests = inbox.all().await?;
    reckon(stage, &orders, &requests, style).await?;
    if args.auto {
        as_the_script_wants(&orders, &requests)?;
    }
    trail(stage, &mut screen).await?;
    if args.auto || args.out.is_some() {
        let file = args.out.as_deref().unwrap_or(Path::new(".")).join(PICTURE);
        draw(stage, &file)?;
        screen.fact("picture", &format!("the agent's graph is drawn in {}", file.display()))?;
    }
    Ok(())
}

async fn introduce(args: &Args, mind: &Mind, stage: &Stage, screen: &mut Screen) -> anyhow::Result<()> {
    let style = screen.style();
    terminal::line(style.bold("askfirst: the family's evening"))?;
    screen.fact("server", &format!("{}, its data in {}", stage.url(), stage.directory().display()))?;
    screen.fact("policy", &format!("the file of examples/family. {}", stage.policy))?;
    let mind = match mind {
        Mind::Script => "a script that reacts to what the tools answer; no model key is used".to_owned(),
        Mind::Model(name) => format!("the model {name}"),
    };
    screen.fact(
        "henry's agent",
        &format!("`askfirst mcp --as {CHILD}` and the food server; it thinks with {mind}"),
    )?;
    if args.auto {
        screen.fact(
            "joe",
            "is played by a script; it approves what is asked for, but the same dish only once",
        )?;
    } else {
        let link = link::make(&stage.client, PARENT).await?;
        screen.fact("joe", "is you: decide here, or in the browser with this link, which works once:")?;
        // Never broken into lines, so that it can be clicked.
        terminal::line(format_args!("{:17}{link}", ""))?;
    }
    Ok(())
}

/// Prints what was ordered, and that it is what was approved.
async fn reckon(stage: &Stage, orders: &[Order], requests: &[Request], style: Style) -> anyhow::Result<()> {
    let mut rows =
        vec![["order", "dish", "restaurant", "price", "what came of it"].map(ToOwned::to_owned).to_vec()];
    for order in orders {
        let outcome = match (order.state, &order.spent) {
            (OrderState::Placed, Some(_)) => "placed; its approval is spent",
            (OrderState::Placed, None) => "placed",
            (OrderState::Refused, _) => "refused",
            (OrderState::Opened, _) => "cut off",
        };
        let price = dollars(order.price_cents);
        rows.push(vec![
            order.id.to_string(),
            order.dish.clone(),
            order.restaurant.clone(),
            price,
            outcome.into(),
        ]);
    }
    for line in table(style, &rows) {
        terminal::line(format_args!("  {line}"))?;
    }
    let mut open = BTreeSet::new();
    for request in requests.iter().filter(|r| r.kind == Kind::OperationApproval) {
        let question = json!({"user": CHILD, "action": "operate", "resource": request.place});
        let answer: Value = stage.client.post("/api/v1/check", &[], &question).await?;
        if answer.get("allow") == Some(&Value::Bool(true)) {
            open.insert(request.place.clone());
        }
    }
    let accounts =
        books::balance(orders, requests, &open).map_err(|wrong| anyhow!("it does not add up: {wrong}"))?;
    terminal::line("")?;
    for account in accounts {
        let books::Account { place, approved, used, open } = account;
        terminal::line(format_args!("  {place}: approved {approved}, used {used}, still open {open}"))?;
    }
    let placed = orders.iter().filter(|order| order.state == OrderState::Placed).count();
    let orders = if placed == 1 { "order was" } else { "orders were" };
    let verdict = format!("{placed} {orders} placed, exactly as approved.");
    terminal::line(format_args!("  {}", style.good(verdict)))?;
    Ok(())
}

/// With two scripts there is only one right evening.
fn as_the_script_wants(orders: &[Order], requests: &[Request]) -> anyhow::Result<()> {
    let placed: Vec<&str> =
        orders.iter().filter(|o| o.state == OrderState::Placed).map(|o| o.dish.as_str()).collect();
    let decided: Vec<Status> = requests.iter().rev().map(|request| request.status).collect();
    if placed != ["margherita", "truffle-pizza"] {
        bail!("the orders are {placed:?}, not a margherita and a truffle pizza");
    }
    if decided != [Status::Approved, Status::Approved, Status::Denied] {
        bail!("the decisions are {decided:?}, not two approvals and a denial");
    }
    Ok(())
}

#[derive(Deserialize)]
struct Trail {
    data: Vec<Event>,
    total_count: u64,
}

#[derive(Deserialize)]
struct Event {
    at: String,
    code: String,
    actor: Value,
    on_behalf_of: Option<String>,
    request: Option<String>,
    object: Option<String>,
}

/// Prints the part of the audit trail that is about requests.
async fn trail(stage: &Stage, screen: &mut Screen) -> anyhow::Result<()> {
    let trail: Trail = stage.client.get("/api/v1/audit", &[("per_page", "100")]).await?;
    let about_requests: Vec<&Event> =
        trail.data.iter().rev().filter(|event| event.request.is_some()).collect();
    terminal::line("")?;
    screen.fact(
        "audit trail",
        &format!(
            "{} events, each written together with what it tells about; GET /api/v1/audit lists them. {} of them are \
             about requests:",
            trail.total_count,
            about_requests.len()
        ),
    )?;
    let rows: Vec<Vec<String>> = about_requests
        .into_iter()
        .map(|event| {
            let time = event.at.split_once('T').map_or(event.at.as_str(), |(_, time)| time);
            let time = time.chars().take(8).collect();
            let object = terminal::plain(event.object.as_deref().unwrap_or_default());
            vec![time, event.code.clone(), who(event), object]
        })
        .collect();
    let head = ["time", "event", "by", "about"].map(ToOwned::to_owned).to_vec();
    for line in table(screen.style(), &[vec![head], rows].concat()) {
        terminal::line(format_args!("  {line}"))?;
    }
    terminal::line("")?;
    Ok(())
}

/// Who did it, and for whom.
fn who(event: &Event) -> String {
    let kind = event.actor.get("kind").and_then(Value::as_str).unwrap_or("somebody");
    let actor = match kind {
        "agent" => "an agent",
        "api_key" => "a key",
        "user" => "signed in",
        other => other,
    };
    match &event.on_behalf_of {
        Some(user) => format!("{actor} for {user}"),
        None => actor.to_owned(),
    }
}

fn draw(stage: &Stage, file: &Path) -> anyhow::Result<()> {
    let png = Drawing::of(&stage.graph).png().context("can't draw the graph")?;
    if let Some(parent) = file.parent().filter(|p| !p.as_os_str().is_empty()) {
        std::fs::create_dir_all(parent).with_context(|| format!("can't make {}", parent.display()))?;
    }
    std::fs::write(file, png).with_context(|| format!("can't write {}", file.display()))
}
