//! The MCP handler: one is made for each call; it settles the connection from that call's credential and runs a tool.

use super::{
    connection::Connection,
    text,
    tools::{self, Tool},
    wishes::Wishes,
};
use crate::wire;
use askfirst_engine::{Engine, Error, Kind, Op, Result};
use http::request::Parts;
use rmcp::{
    ErrorData, RoleServer, ServerHandler,
    model::{
        CacheScope, CallToolRequestParams, CallToolResponse, DiscoverResult, Implementation,
        InitializeRequestParams, InitializeResult, ListToolsResult, PaginatedRequestParams,
        ServerCapabilities, ServerConfig,
    },
    service::RequestContext,
};
use serde_json::json;

/// Who names the user of a call; the tools and their descriptions differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Named {
    /// The connection.
    ByConnection,
    /// The model.
    ByModel,
}

/// What the server says of itself.
pub(crate) fn server_config(named: Named) -> ServerConfig {
    let about = Implementation::new("askfirst", env!("CARGO_PKG_VERSION"))
        .with_title("askfirst")
        .with_description("Agents ask first, a human decides.");
    let instructions = match named {
        Named::ByConnection => text::BOUND,
        Named::ByModel => text::NAMED,
    };
    ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
        .with_server_info(about)
        .with_instructions(instructions)
}

/// All tools. What is listed depends on the credential, so it is nobody else's.
pub(crate) fn list_of_tools(named: Named) -> ListToolsResult {
    let mut list = ListToolsResult::with_all_items(tools::catalog(named));
    list.ttl_ms = Some(0);
    list.cache_scope = Some(CacheScope::Private);
    list
}

#[derive(Debug)]
pub(super) struct Handler {
    engine: Engine,
}

impl Handler {
    pub(super) fn new(engine: Engine) -> Self {
        Self { engine }
    }

    /// The connection of this very call.
    async fn connection(&self, cx: &RequestContext<RoleServer>) -> Result<Connection> {
        let unknown = || Error::new(Kind::Unauthenticated, "This call came without a credential.");
        let parts = cx.extensions.get::<Parts>().ok_or_else(unknown)?;
        let op = parts.extensions.get::<Op>().cloned().ok_or_else(unknown)?;
        Connection::open(&self.engine, op, Wishes::read(parts)?).await
    }

    async fn named(&self, cx: &RequestContext<RoleServer>) -> Result<Named, ErrorData> {
        let connection = self.connection(cx).await.map_err(|e| protocol_error(&e))?;
        Ok(if connection.is_bound() { Named::ByConnection } else { Named::ByModel })
    }
}

impl ServerHandler for Handler {
    fn get_info(&self) -> ServerConfig {
        server_config(Named::ByConnection)
    }

    async fn initialize(
        &self,
        request: InitializeRequestParams,
        cx: RequestContext<RoleServer>,
    ) -> Result<InitializeResult, ErrorData> {
        let named = self.named(&cx).await?;
        cx.peer.set_peer_info(request.clone());
        let negotiated = self.negotiate_initialize(&request)?.protocol_version;
        Ok(server_config(named).with_protocol_version(negotiated))
    }

    async fn discover(&self, cx: RequestContext<RoleServer>) -> Result<DiscoverResult, ErrorData> {
        let named = self.named(&cx).await?;
        Ok(DiscoverResult::from_server_info(
            self.supported_protocol_versions().into_owned(),
            server_config(named),
        ))
    }

    async fn list_tools(
        &self,
        _: Option<PaginatedRequestParams>,
        cx: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        let named = self.named(&cx).await?;
        Ok(list_of_tools(named))
    }

    async fn call_tool(
        &self,
        params: CallToolRequestParams,
        cx: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let Some(tool) = Tool::named(&params.name) else {
            let names: Vec<_> = Tool::ALL.iter().map(|tool| tool.name()).collect();
            let message = format!("There is no tool `{}`; there are {}.", params.name, names.join(", "));
            return Err(ErrorData::invalid_params(message, None));
        };
        let arguments = params.arguments.unwrap_or_default();
        let connection = match self.connection(&cx).await {
            Ok(connection) => connection,
            Err(refused) => return Ok(tools::answer(tool, Err(refused)).into()),
        };
        let trail = connection.scope.trail();
        let done = tools::run(tool, connection, arguments, cx).await;
        let mut result = tools::answer(tool, done);
        if let Some(token) = trail.read().await {
            let meta = result.meta.get_or_insert_default();
            meta.0.insert(wire::REVISION.to_owned(), json!(token));
        }
        Ok(result.into())
    }
}

/// A refusal of a call that is no tool call.
fn protocol_error(error: &Error) -> ErrorData {
    let data = Some(json!({wire::REFUSED: true}));
    match error.kind() {
        Kind::Internal | Kind::Unavailable => ErrorData::internal_error(error.message().to_owned(), data),
        _ => ErrorData::invalid_request(error.message().to_owned(), data),
    }
}
