//! Tools of real MCP servers: a child process and Streamable HTTP.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail like tests")]

mod support;

use askfirst_agent::tools::{McpError, McpServer, McpTools, ServerLog, ToolError, ToolOutcome, ToolSet};
use axum::http::{Request, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, ContentBlock, ListToolsResult,
    PaginatedRequestParams, ServerCapabilities, ServerConfig, Tool,
};
use rmcp::service::RequestContext;
use rmcp::transport::streamable_http_server::session::local::LocalSessionManager;
use rmcp::transport::{StreamableHttpServerConfig, StreamableHttpService};
use rmcp::{ErrorData, RoleServer, ServerHandler};
use serde_json::{Map, Value, json};
use std::sync::Arc;

fn child(name: &str) -> McpServer {
    let env = [("GREETING".to_owned(), "hello".to_owned())];
    McpServer::child(name, support::fixture(), ["mcp"], env).log(ServerLog::Discard)
}

fn args(value: &Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

#[tokio::test]
async fn a_child_process_lists_and_runs_tools() {
    let tools = McpTools::connect([child("fixture")]).await.unwrap();
    let specs = tools.specs();
    let names: Vec<&str> = specs.iter().map(|spec| spec.name.as_str()).collect();
    assert_eq!(names, ["add", "fail", "environment", "die"]);
    assert_eq!(specs[0].input_schema["required"], json!(["a", "b"]));
    let sum = tools.call("add", args(&json!({"a": 2, "b": 40}))).await;
    assert_eq!(sum, Ok(ToolOutcome::success("42")));
    assert_eq!(tools.call("fail", Map::new()).await, Ok(ToolOutcome::error("out of lobster")));
    let misfit = tools.call("add", args(&json!({"a": "x", "b": 1}))).await;
    assert_eq!(misfit, Err(ToolError::BadArguments("`a` and `b` have to be whole numbers".into())));
    assert!(matches!(tools.call("subtract", Map::new()).await, Err(ToolError::Unknown { .. })));
    tools.close().await;
}

#[tokio::test]
async fn a_child_sees_only_the_environment_that_it_is_given() {
    let tools = McpTools::connect([child("fixture")]).await.unwrap();
    let seen = tools.call("environment", Map::new()).await.unwrap();
    assert_eq!(seen.content, "GREETING", "nothing of this process's, which may hold keys");
}

#[tokio::test]
async fn a_server_that_dies_in_a_call_leaves_the_outcome_unknown() {
    let tools = McpTools::connect([child("fixture")]).await.unwrap();
    let outcome = tools.call("die", Map::new()).await;
    assert!(matches!(outcome, Err(ToolError::OutcomeUnknown(_))), "{outcome:?}");
}

#[tokio::test]
async fn servers_that_cannot_be_used_are_named() {
    let clash = McpTools::connect([child("one"), child("two")]).await.unwrap_err();
    assert_eq!(
        clash.to_string(),
        "the MCP servers `one` and `two` both offer a tool named `add`; leave one of them out"
    );
    let none = McpServer::child("none", "/no/such/program", Vec::<String>::new(), []);
    let error = McpTools::connect([none]).await.unwrap_err();
    assert!(matches!(&error, McpError::Start { server, .. } if server == "none"), "{error}");
    let silent = McpServer::child("true", "/bin/true", Vec::<String>::new(), []);
    let error = McpTools::connect([silent]).await.unwrap_err();
    assert!(matches!(&error, McpError::Connect { server, .. } if server == "true"), "{error}");
}

#[derive(Debug, Clone)]
struct Hello;

impl ServerHandler for Hello {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
    }

    async fn list_tools(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        let schema = Arc::new(args(&json!({"type": "object"})));
        Ok(ListToolsResult::with_all_items(vec![Tool::new("hello", "Says hello", schema)]))
    }

    async fn call_tool(
        &self,
        _: CallToolRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        Ok(CallToolResult::success(vec![ContentBlock::text("hello")]).into())
    }
}

async fn only_with_key(request: Request<axum::body::Body>, next: Next) -> Response {
    let key = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    if key == Some("Bearer the-key") {
        next.run(request).await
    } else {
        StatusCode::UNAUTHORIZED.into_response()
    }
}

async fn serve_http() -> String {
    let service = StreamableHttpService::new(
        || Ok(Hello),
        Arc::new(LocalSessionManager::default()),
        StreamableHttpServerConfig::default(),
    );
    let app = axum::Router::new().nest_service("/mcp", service).layer(middleware::from_fn(only_with_key));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/mcp", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, app).await });
    url
}

#[tokio::test]
async fn http_and_child_servers_work_side_by_side() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let url = serve_http().await;
    let http = McpServer::http("http", url.as_str(), Some("the-key".to_owned()));
    assert!(!format!("{http:?}").contains("the-key"));
    let tools = McpTools::connect([http, child("fixture")]).await.unwrap();
    assert_eq!(tools.call("hello", Map::new()).await, Ok(ToolOutcome::success("hello")));
    assert_eq!(tools.call("add", args(&json!({"a": 1, "b": 1}))).await, Ok(ToolOutcome::success("2")));
    for key in [None, Some("another".to_owned())] {
        let error = McpTools::connect([McpServer::http("http", url.as_str(), key)]).await.unwrap_err();
        assert!(matches!(&error, McpError::Connect { server, .. } if server == "http"), "{error}");
        assert!(!error.to_string().contains("another"), "{error}");
    }
}
