//! `askfirst chat`: an agent that acts for a user, in the terminal.

pub(crate) mod model;
mod script;
pub(crate) mod servers;

use crate::{client::Server, env::Env, serve::logs};
use anyhow::Context as _;
use askfirst_agent::{
    chat::{ChatSetup, Color, ReviewPolicy, chat_graph, stdin_lines},
    checkpoint::SqliteSaver,
    graph::{CompileOptions, RunConfig},
    tools::McpTools,
};
use std::{
    io::IsTerminal as _,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
};

/// Talk to an agent that acts for a user
///
/// The agent has the tools of `askfirst mcp --as USER` and of every --mcp server. It asks before what it may not do, and
/// decides nothing. Calls that hand out rights, and those named with --confirm, stop and show you their exact arguments
/// first. A conversation is kept; one that was cut off goes on where it stopped.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  askfirst chat --as henry
  askfirst chat --as henry --mcp 'askfirst food --as henry --database food.db' --confirm order_dish
  askfirst chat --as henry --model claude-sonnet-4-5 --thread dinner

Model keys come from the usual variables: GEMINI_API_KEY or GOOGLE_API_KEY, OPENAI_API_KEY, ANTHROPIC_API_KEY and so on;
a local Ollama needs none (--model llama3.2).")]
pub(crate) struct Args {
    /// Key of the user whom the agent acts for
    #[arg(long = "as", value_name = "USER")]
    user: String,
    /// The model, such as `gemini-2.5-flash` or `openai::gpt-5-mini`; default: by the model key that is set
    #[arg(long, value_name = "NAME")]
    model: Option<String>,
    /// The conversation; one is kept for each name
    #[arg(long, default_value = "1", value_name = "ID")]
    thread: String,
    /// Another MCP server, as the command that starts it; may be repeated. It sees of the environment only PATH, HOME and
    /// the like, and what --mcp-env names
    #[arg(long = "mcp", value_name = "COMMAND")]
    servers: Vec<String>,
    /// A variable that the --mcp servers may see; may be repeated
    #[arg(long = "mcp-env", value_name = "NAME")]
    server_env: Vec<String>,
    /// A tool whose calls you want to see and approve first; may be repeated
    #[arg(long, value_name = "TOOL")]
    confirm: Vec<String>,
    /// The file that keeps the conversations; default: askfirst/chats.db in your state directory
    #[arg(long, value_name = "FILE")]
    store: Option<PathBuf>,
    /// What is logged to standard error
    #[arg(long, value_name = "FILTER")]
    log: Option<String>,
}

/// What an agent is told before anything is said.
pub(crate) fn instructions(user: &str) -> String {
    format!(
        "You act for {user} and for nobody else. When a tool refuses something, read the refusal: it says what could be \
         asked for, through which element and who would decide. Ask {user} whether they want that, unless they have said \
         so already; then ask for it with a reason in their words, wait with wait_for_decision, and go on when it is \
         approved. When it is denied, tell {user} what the reviewer said and do not ask again by yourself. Never say \
         that something is done before a tool has said so. Say instance keys in tool calls as list_resource_instances \
         gives them."
    )
}

pub(crate) async fn run(args: Args, env: &Env) -> anyhow::Result<ExitCode> {
    logs::start(args.log.as_deref().or(env.get("RUST_LOG")).unwrap_or("error"), env)?;
    let server = Server::of(env)?;
    let model = model::choose(args.model.as_deref(), env)?;
    let mut servers = vec![servers::own(&server, &args.user, env)?];
    for command in &args.servers {
        servers.push(servers::other(command, &args.server_env, env)?);
    }
    let tools = Arc::new(Box::pin(McpTools::connect(servers)).await?);
    let store = match args.store {
        Some(path) => path,
        None => default_store(env)?,
    };
    make_parent(&store)?;
    let saver = SqliteSaver::open(&store).await.with_context(|| format!("can't use {}", store.display()))?;
    let setup = ChatSetup::new(model, Arc::clone(&tools) as _, ReviewPolicy::default().and(args.confirm))
        .with_system(instructions(&args.user));
    let graph = chat_graph(setup).compile(CompileOptions::with_checkpointer(Arc::new(saver)))?;
    let color = if std::io::stdout().is_terminal() && env.wants_colour() { Color::On } else { Color::Off };
    let mut lines = stdin_lines().context("can't read the terminal")?;
    let mut out = std::io::stdout();
    // A conversation belongs to the user whose agent it is.
    let thread = RunConfig::thread(format!("{}/{}", args.user, args.thread));
    let ended = Box::pin(askfirst_agent::chat::run(&graph, &thread, color, lines.as_mut(), &mut out)).await;
    drop(graph);
    if let Some(tools) = Arc::into_inner(tools) {
        tools.close().await;
    }
    ended?;
    Ok(ExitCode::SUCCESS)
}

fn default_store(env: &Env) -> anyhow::Result<PathBuf> {
    let state = match (env.get("XDG_STATE_HOME"), env.get("HOME")) {
        (Some(state), _) => PathBuf::from(state),
        (None, Some(home)) => Path::new(home).join(".local").join("state"),
        (None, None) => anyhow::bail!("HOME is not set; say with --store which file keeps the conversations"),
    };
    Ok(state.join("askfirst").join("chats.db"))
}

/// Conversations are their owner's alone.
fn make_parent(file: &Path) -> anyhow::Result<()> {
    let Some(parent) = file.parent().filter(|p| !p.as_os_str().is_empty()) else { return Ok(()) };
    crate::serve::make_private_directory(parent).with_context(|| format!("can't make {}", parent.display()))
}
