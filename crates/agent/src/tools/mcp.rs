//! Tools of MCP servers, several at once.

use super::{ToolError, ToolOutcome, ToolSet, ToolSpec};
use crate::messages::ToolStatus;
use crate::tls;
use async_trait::async_trait;
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, ClientCapabilities, ClientConfig, ContentBlock,
    ErrorCode, Implementation, ProtocolVersion, ResourceContents,
};
use rmcp::service::{ClientCacheConfig, ClientLifecycleMode, ClientServiceExt, RunningService, ServiceError};
use rmcp::transport::streamable_http_client::StreamableHttpClientTransportConfig;
use rmcp::transport::{StreamableHttpClientTransport, TokioChildProcess};
use rmcp::{RoleClient, model::Tool};
use serde_json::{Map, Value};
use std::collections::HashMap;
use std::fmt;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::{PoisonError, RwLock};
use std::time::Duration;

/// How long one call may take unless [`McpServer::call_timeout`] says otherwise: long enough for tools
/// that wait for a human for a while.
const CALL_TIMEOUT: Duration = Duration::from_mins(10);

/// How long connecting and listing tools may take.
const CONNECT_TIMEOUT: Duration = Duration::from_mins(1);

/// An MCP server to connect to.
#[derive(Clone)]
pub struct McpServer {
    name: String,
    reach: Reach,
    call_timeout: Duration,
}

#[derive(Clone)]
enum Reach {
    Child { program: PathBuf, args: Vec<String>, env: Vec<(String, String)>, log: ServerLog },
    Http { url: String, bearer: Option<String> },
}

/// Where a child process's standard error goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ServerLog {
    /// To this process's standard error.
    #[default]
    Inherit,
    /// Nowhere.
    Discard,
}

impl fmt::Debug for McpServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Environment and bearer are secrets.
        let mut shown = f.debug_struct("McpServer");
        shown.field("name", &self.name);
        match &self.reach {
            Reach::Child { program, .. } => shown.field("program", program),
            Reach::Http { url, .. } => shown.field("url", url),
        };
        shown.finish_non_exhaustive()
    }
}

impl McpServer {
    /// A server that is a child process and speaks on its standard input and output. It sees only the
    /// environment that is given here, not this process's keys; give it `PATH` and `HOME` if it needs them.
    pub fn child(
        name: impl Into<String>,
        program: impl Into<PathBuf>,
        args: impl IntoIterator<Item = impl Into<String>>,
        env: impl IntoIterator<Item = (String, String)>,
    ) -> Self {
        let args = args.into_iter().map(Into::into).collect();
        let env = env.into_iter().collect();
        let reach = Reach::Child { program: program.into(), args, env, log: ServerLog::default() };
        Self { name: name.into(), reach, call_timeout: CALL_TIMEOUT }
    }

    /// A server over Streamable HTTP. `bearer` is sent as `Authorization: Bearer ...`.
    ///
    /// The process must have installed a TLS provider before (`rustls::crypto::ring`), also for `http:`.
    pub fn http(name: impl Into<String>, url: impl Into<String>, bearer: Option<String>) -> Self {
        Self { name: name.into(), reach: Reach::Http { url: url.into(), bearer }, call_timeout: CALL_TIMEOUT }
    }

    /// How long one call may take; the default is ten minutes.
    #[must_use]
    pub fn call_timeout(mut self, limit: Duration) -> Self {
        self.call_timeout = limit;
        self
    }

    /// Where a child's standard error goes.
    #[must_use]
    pub fn log(mut self, to: ServerLog) -> Self {
        if let Reach::Child { log, .. } = &mut self.reach {
            *log = to;
        }
        self
    }
}

/// Why the tools of a server are not available.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum McpError {
    /// The program did not start.
    #[error("MCP server `{server}` did not start: {source}")]
    Start {
        /// The server's name.
        server: String,
        /// Why.
        source: std::io::Error,
    },
    /// The server did not answer as an MCP server.
    #[error("MCP server `{server}` could not be used: {reason}")]
    Connect {
        /// The server's name.
        server: String,
        /// Why.
        reason: String,
    },
    /// Two servers offer a tool of one name.
    #[error(
        "the MCP servers `{first}` and `{second}` both offer a tool named `{tool}`; leave one of them out"
    )]
    NameClash {
        /// The name.
        tool: String,
        /// One server.
        first: String,
        /// The other.
        second: String,
    },
}

struct Connection {
    name: String,
    service: RunningService<RoleClient, ClientConfig>,
    call_timeout: Duration,
}

#[derive(Debug, Default)]
struct Catalogue {
    specs: Vec<ToolSpec>,
    /// Tool name to place in `connections`.
    owner: HashMap<String, usize>,
}

/// The tools of all connected MCP servers.
pub struct McpTools {
    connections: Vec<Connection>,
    catalogue: RwLock<Catalogue>,
}

impl fmt::Debug for McpTools {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.connections.iter().map(|c| c.name.as_str()).collect();
        f.debug_struct("McpTools").field("servers", &names).finish_non_exhaustive()
    }
}

impl McpTools {
    /// Connects to all servers and lists their tools.
    ///
    /// # Errors
    /// A server that cannot be used, or a tool name that two servers share.
    pub async fn connect(servers: impl IntoIterator<Item = McpServer>) -> Result<Self, McpError> {
        let connections = futures::future::try_join_all(servers.into_iter().map(connect)).await?;
        let tools = Self { connections, catalogue: RwLock::default() };
        tools.refresh().await?;
        Ok(tools)
    }

    /// Lists the tools of all servers again.
    ///
    /// # Errors
    /// A server does not answer, or a name clash; the old list stays.
    pub async fn refresh(&self) -> Result<(), McpError> {
        let mut fresh = Catalogue::default();
        for (index, connection) in self.connections.iter().enumerate() {
            for tool in connection.list().await? {
                let spec = spec_of(tool);
                if let Some(&first) = fresh.owner.get(&spec.name) {
                    let first = self.connections.get(first).map_or_else(String::new, |c| c.name.clone());
                    let second = connection.name.clone();
                    return Err(McpError::NameClash { tool: spec.name, first, second });
                }
                fresh.owner.insert(spec.name.clone(), index);
                fresh.specs.push(spec);
            }
        }
        *self.catalogue.write().unwrap_or_else(PoisonError::into_inner) = fresh;
        Ok(())
    }

    /// Ends all connections and waits until the child processes are gone.
    pub async fn close(self) {
        for connection in self.connections {
            if let Err(error) = connection.service.cancel().await {
                tracing::warn!(server = connection.name, %error, "MCP connection did not close cleanly");
            }
        }
    }

    fn owner(&self, tool: &str) -> Option<&Connection> {
        let catalogue = self.catalogue.read().unwrap_or_else(PoisonError::into_inner);
        catalogue.owner.get(tool).and_then(|&index| self.connections.get(index))
    }
}

impl Connection {
    async fn list(&self) -> Result<Vec<Tool>, McpError> {
        let connect = |reason: String| McpError::Connect { server: self.name.clone(), reason };
        match tokio::time::timeout(CONNECT_TIMEOUT, self.service.peer().list_all_tools()).await {
            Ok(Ok(tools)) => Ok(tools),
            Ok(Err(error)) => Err(connect(error.to_string())),
            Err(_) => Err(connect("it did not list its tools within a minute".to_owned())),
        }
    }
}

async fn connect(server: McpServer) -> Result<Connection, McpError> {
    let McpServer { name, reach, call_timeout } = server;
    // No capabilities: a server must not ask this client anything in the middle of a call.
    let identity = Implementation::new("askfirst-agent", env!("CARGO_PKG_VERSION"));
    let client = ClientConfig::new(ClientCapabilities::default(), identity);
    let lifecycle = ClientLifecycleMode::Auto {
        preferred_versions: vec![ProtocolVersion::V_2026_07_28],
        legacy_version: None,
    };
    let reached = async {
        match reach {
            Reach::Child { program, args, env, log } => {
                let mut command = tokio::process::Command::new(program);
                command.args(args).env_clear().envs(env).kill_on_drop(true);
                let stderr = match log {
                    ServerLog::Inherit => Stdio::inherit(),
                    ServerLog::Discard => Stdio::null(),
                };
                let (transport, _) = TokioChildProcess::builder(command)
                    .stderr(stderr)
                    .spawn()
                    .map_err(|source| McpError::Start { server: name.clone(), source })?;
                client.serve_with_lifecycle(transport, lifecycle).await.map_err(|e| unusable(&name, &e))
            }
            Reach::Http { url, bearer } => {
                if !tls::provider_is_installed() {
                    let reason = tls::NO_PROVIDER.to_owned();
                    return Err(McpError::Connect { server: name.clone(), reason });
                }
                let mut config = StreamableHttpClientTransportConfig::with_uri(url);
                if let Some(bearer) = bearer {
                    config = config.auth_header(bearer);
                }
                let transport = StreamableHttpClientTransport::from_config(config);
                client.serve_with_lifecycle(transport, lifecycle).await.map_err(|e| unusable(&name, &e))
            }
        }
    };
    let Ok(service) = tokio::time::timeout(CONNECT_TIMEOUT, Box::pin(reached)).await else {
        let reason = "it did not answer within a minute".to_owned();
        return Err(McpError::Connect { server: name, reason });
    };
    let service = service?;
    // The library would answer from a cache, even an expired one when the server fails; what an agent may
    // call has to be what the server offers now.
    service.peer().set_response_cache_config(ClientCacheConfig::disabled()).await;
    Ok(Connection { name, service, call_timeout })
}

fn unusable(server: &str, error: &dyn std::error::Error) -> McpError {
    McpError::Connect { server: server.to_owned(), reason: error.to_string() }
}

fn spec_of(tool: Tool) -> ToolSpec {
    ToolSpec {
        name: tool.name.into_owned(),
        description: tool.description.map(std::borrow::Cow::into_owned),
        input_schema: Value::Object((*tool.input_schema).clone()),
    }
}

#[async_trait]
impl ToolSet for McpTools {
    fn specs(&self) -> Vec<ToolSpec> {
        self.catalogue.read().unwrap_or_else(PoisonError::into_inner).specs.clone()
    }

    async fn call(&self, name: &str, args: Map<String, Value>) -> Result<ToolOutcome, ToolError> {
        let Some(connection) = self.owner(name) else {
            let valid = self.specs().into_iter().map(|spec| spec.name).collect();
            return Err(ToolError::Unknown { name: name.to_owned(), valid });
        };
        let params = CallToolRequestParams::new(name.to_owned()).with_arguments(args);
        // One request and no more: the convenience call would answer questions and retry by itself.
        let call = connection.service.peer().call_tool_once(params);
        match tokio::time::timeout(connection.call_timeout, call).await {
            Ok(Ok(CallToolResponse::Complete(result))) => Ok(outcome_of(&result)),
            Ok(Ok(_)) => Ok(ToolOutcome::error(
                "the tool wants to ask something in the middle of the call, which this client does not offer; \
                 nothing was done",
            )),
            Ok(Err(error)) => failed(error),
            Err(_) => {
                let limit = connection.call_timeout.as_secs();
                Err(ToolError::OutcomeUnknown(format!("there was no answer within {limit} seconds")))
            }
        }
    }
}

fn failed(error: ServiceError) -> Result<ToolOutcome, ToolError> {
    match error {
        ServiceError::McpError(error) if error.code == ErrorCode::INVALID_PARAMS => {
            Err(ToolError::BadArguments(error.message.into_owned()))
        }
        // The server itself says that the call failed.
        ServiceError::McpError(error) => {
            Ok(ToolOutcome::error(format!("the tool failed: {}", error.message)))
        }
        other => Err(ToolError::OutcomeUnknown(other.to_string())),
    }
}

fn outcome_of(result: &CallToolResult) -> ToolOutcome {
    let mut parts: Vec<String> = result.content.iter().map(text_of).collect();
    if parts.is_empty()
        && let Some(structured) = &result.structured_content
    {
        parts.push(structured.to_string());
    }
    let status = if result.is_error == Some(true) { ToolStatus::Error } else { ToolStatus::Success };
    ToolOutcome { content: parts.join("\n"), status }
}

/// What a model that reads only text gets of a content block.
fn text_of(block: &ContentBlock) -> String {
    match block {
        ContentBlock::Text(text) => text.text.clone(),
        ContentBlock::Image(image) => format!("[image, {}]", image.mime_type),
        ContentBlock::Audio(audio) => format!("[audio, {}]", audio.mime_type),
        ContentBlock::ResourceLink(link) => format!("[resource {}]", link.uri),
        ContentBlock::Resource(embedded) => match &embedded.resource {
            ResourceContents::TextResourceContents { text, .. } => text.clone(),
            ResourceContents::BlobResourceContents { uri, .. } => format!("[binary resource {uri}]"),
            _ => "[resource of an unknown kind]".to_owned(),
        },
        _ => "[content of an unknown kind]".to_owned(),
    }
}
