//! Everything that the evening needs, started in a temporary directory: the server, the family's policy, henry's agent
//! with its MCP servers. Whatever is started here is stopped here.

use super::henry::ScriptedAgent;
use crate::{
    chat::{self, model, servers},
    client::{Client, Server},
    env::Env,
    policy,
    serve::{Config, Database, Delivery, Limits, Running},
};
use anyhow::{Context as _, anyhow};
use askfirst_agent::{
    chat::{ChatSetup, ReviewPolicy, chat_graph},
    checkpoint::SqliteSaver,
    graph::{CompileOptions, Graph},
    messages::MessagesState,
    model::ChatModel,
    tools::{McpServer, McpTools, ServerLog},
};
use askfirst_engine::decisions::LogSettings;
use serde::Deserialize;
use serde_json::json;
use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};
use tempfile::TempDir;

/// The family's policy, the same file as in the examples.
const POLICY: &str = include_str!("../../../../examples/family/policy.yaml");
/// Who has the agent.
pub(super) const CHILD: &str = "henry";
/// Who decides.
pub(super) const PARENT: &str = "joe";
/// The environment that the evening happens in.
const ENVIRONMENT: &str = "default/dev";

/// Who does henry's agent's thinking.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Mind {
    /// A script that reacts to what the tools answer.
    Script,
    /// A language model.
    Model(String),
}

/// The stage.
#[derive(Debug)]
pub(super) struct Stage {
    pub(super) client: Client,
    pub(super) graph: Graph<MessagesState>,
    /// What applying the policy did.
    pub(super) policy: String,
    tools: Arc<McpTools>,
    running: Running,
    dir: TempDir,
}

#[derive(Deserialize)]
struct Made {
    secret: String,
}

impl Stage {
    pub(super) async fn set(mind: &Mind, env: &Env) -> anyhow::Result<Self> {
        let dir =
            tempfile::Builder::new().prefix("askfirst-demo-").tempdir().context("can't make a directory")?;
        let config = Config {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            data: dir.path().join("data"),
            database: Database::OwnFile,
            at_least_wait: Duration::from_secs(2),
            public_url: None,
            decisions: Some(LogSettings::default()),
            delivery: Delivery::default(),
            policy: askfirst_engine::PolicyLimits::default(),
            requests: askfirst_engine::requests::RequestTimes::default(),
            oidc: None,
            http: askfirst_http::Options::default(),
            first_key: None,
            tls: None,
            limits: Limits::default(),
        };
        let running = Box::pin(Running::start(config)).await?;
        let key = running.first_key(ENVIRONMENT).ok_or_else(|| anyhow!("the new server has no key"))?;
        let server = Server { url: running.url().to_owned(), key: key.to_owned() };
        let client = Client::new(server.clone())?;
        let policy = policy::apply(&client, POLICY.to_owned()).await.context("the example's policy")?;
        let wish = json!({"scope": "env", "as_user": CHILD, "name": "the demo's agent"});
        let agent_key: Made = client.post("/api/v1/keys", &[], &wish).await.context("a key for the agent")?;
        let tools = Box::pin(McpTools::connect([
            // The agent's own process holds a key that opens /mcp as henry and nothing else.
            servers::own(&Server { key: agent_key.secret, ..server.clone() }, CHILD, env)?
                .log(ServerLog::Inherit),
            food(&server, dir.path(), env)?,
        ]));
        let tools = Arc::new(tools.await.context("henry's agent")?);
        let graph = graph(mind, &tools, dir.path(), env).await?;
        Ok(Self { client, graph, policy, tools, running, dir })
    }

    /// Where the server listens.
    pub(super) fn url(&self) -> &str {
        self.running.url()
    }

    /// Where everything is.
    pub(super) fn directory(&self) -> &Path {
        self.dir.path()
    }

    /// The food server's database.
    pub(super) fn food_database(&self) -> PathBuf {
        food_database(self.dir.path())
    }

    /// Stops everything, and removes the directory unless it is to stay.
    pub(super) async fn strike(self, keep: Keep) -> anyhow::Result<()> {
        let Self { graph, tools, running, dir, .. } = self;
        drop(graph);
        if let Some(tools) = Arc::into_inner(tools) {
            tools.close().await;
        }
        running.stop().await?;
        match keep {
            Keep::Nothing => dir.close().context("can't remove the temporary directory"),
            Keep::Directory => {
                let _kept = dir.keep();
                Ok(())
            }
        }
    }
}

/// What stays after the evening.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Keep {
    Nothing,
    Directory,
}

async fn graph(
    mind: &Mind,
    tools: &Arc<McpTools>,
    dir: &Path,
    env: &Env,
) -> anyhow::Result<Graph<MessagesState>> {
    let model: Arc<dyn ChatModel> = match mind {
        Mind::Script => Arc::new(ScriptedAgent),
        Mind::Model(name) => model::choose(Some(name), env)?,
    };
    let saver = SqliteSaver::open(dir.join("chats.db")).await.context("can't keep the conversation")?;
    let setup = ChatSetup::new(model, Arc::clone(tools) as _, ReviewPolicy::default())
        .with_system(chat::instructions(CHILD));
    Ok(chat_graph(setup).compile(CompileOptions::with_checkpointer(Arc::new(saver)))?)
}

fn food(server: &Server, dir: &Path, env: &Env) -> anyhow::Result<McpServer> {
    let program = std::env::current_exe().context("can't find this program")?;
    let mut variables = servers::harmless(env);
    variables.push(("ASKFIRST_URL".to_owned(), server.url.clone()));
    variables.push(("ASKFIRST_API_KEY".to_owned(), server.key.clone()));
    let database = food_database(dir).display().to_string();
    Ok(McpServer::child("food", program, ["food", "--as", CHILD, "--database", &database], variables))
}

fn food_database(dir: &Path) -> PathBuf {
    dir.join("food.db")
}
