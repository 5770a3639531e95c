//! A program for this crate's own tests, which need processes that can be killed.
//!
//! `fixture mcp` is a small MCP server on standard input and output: `add`, `fail`, `environment`
//! and `die`. `fixture ask DB` begins a reviewed conversation on that file, stops at the question, prints
//! `asked` and then waits for ever; `fixture order DB` does the same in the middle of a tool call.
//! `fixture chat DB` is such a conversation in the terminal.

use askfirst_agent::chat::{ChatSetup, Color, ReviewPolicy, chat_graph, run, stdin_lines};
use askfirst_agent::checkpoint::SqliteSaver;
use askfirst_agent::graph::{CompileOptions, Input, RunConfig};
use askfirst_agent::messages::{Message, MessagesUpdate};
use askfirst_agent::model::ScriptedModel;
use askfirst_agent::tools::{FunctionTools, ToolOutcome, ToolSpec};
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, ContentBlock, ListToolsResult,
    PaginatedRequestParams, ServerCapabilities, ServerConfig, Tool,
};
use rmcp::service::RequestContext;
use rmcp::{ErrorData, RoleServer, ServerHandler, ServiceExt};
use serde_json::json;
use std::error::Error;
use std::io::Write;
use std::sync::Arc;

#[derive(Debug, Clone)]
struct Fixture;

impl ServerHandler for Fixture {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
    }

    async fn list_tools(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        let numbers = json!({"type": "object", "properties": {"a": {}, "b": {}}, "required": ["a", "b"]});
        let nothing = json!({"type": "object"});
        let tool = |name: &'static str, schema: &serde_json::Value| {
            Tool::new(
                name,
                format!("The {name} tool"),
                Arc::new(schema.as_object().cloned().unwrap_or_default()),
            )
        };
        let tools = vec![
            tool("add", &numbers),
            tool("fail", &nothing),
            tool("environment", &nothing),
            tool("die", &nothing),
        ];
        Ok(ListToolsResult::with_all_items(tools))
    }

    async fn call_tool(
        &self,
        params: CallToolRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let args = params.arguments.unwrap_or_default();
        let text = |text: String| CallToolResult::success(vec![ContentBlock::text(text)]);
        Ok(match &*params.name {
            "add" => {
                let number = |name: &str| args.get(name).and_then(serde_json::Value::as_i64);
                match (number("a"), number("b")) {
                    (Some(a), Some(b)) => text((a + b).to_string()),
                    _ => return Err(ErrorData::invalid_params("`a` and `b` have to be whole numbers", None)),
                }
            }
            "fail" => CallToolResult::error(vec![ContentBlock::text("out of lobster")]),
            "environment" => {
                let mut names: Vec<String> =
                    std::env::vars_os().map(|(name, _)| name.to_string_lossy().into_owned()).collect();
                names.sort();
                text(names.join(","))
            }
            "die" => std::process::abort(),
            other => return Err(ErrorData::invalid_params(format!("no tool {other}"), None)),
        }
        .into())
    }
}

fn say(line: &str) -> std::io::Result<()> {
    let mut out = std::io::stdout();
    writeln!(out, "{line}")?;
    out.flush()
}

async fn converse(db: &str, review: ReviewPolicy) -> Result<(), Box<dyn Error>> {
    let spec =
        ToolSpec { name: "order".to_owned(), description: None, input_schema: json!({"type": "object"}) };
    let tools = FunctionTools::new().with(spec, |_| async {
        if say("ordering").is_err() {
            return Ok(ToolOutcome::error("nobody listens"));
        }
        futures::future::pending().await
    });
    let model = ScriptedModel::new().call("order", json!({"dish": "Lobster"})).say("Enjoy.");
    let setup = ChatSetup::new(Arc::new(model), Arc::new(tools), review);
    let options = CompileOptions::with_checkpointer(Arc::new(SqliteSaver::open(db).await?));
    let graph = chat_graph(setup).compile(options)?;
    let hungry = MessagesUpdate::put([Message::user("I am hungry")]);
    graph.invoke(&RunConfig::thread("t"), Input::New(hungry)).await?;
    say("asked")?;
    futures::future::pending().await
}

async fn chat(db: &str) -> Result<(), Box<dyn Error>> {
    let spec =
        ToolSpec { name: "order".to_owned(), description: None, input_schema: json!({"type": "object"}) };
    let tools = FunctionTools::new().with(spec, |_| async { Ok(ToolOutcome::success("on its way")) });
    let model = ScriptedModel::new().call("order", json!({"dish": "Lobster", "count": 2})).say("Enjoy.");
    let setup = ChatSetup::new(Arc::new(model), Arc::new(tools), ReviewPolicy::these(["order"]));
    let options = CompileOptions::with_checkpointer(Arc::new(SqliteSaver::open(db).await?));
    let graph = chat_graph(setup).compile(options)?;
    let mut lines = stdin_lines()?;
    run(&graph, &RunConfig::thread("t"), Color::On, &mut *lines, &mut std::io::stdout()).await?;
    Ok(())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["mcp"] => {
            Fixture.serve(rmcp::transport::stdio()).await?.waiting().await?;
            Ok(())
        }
        ["ask", db] => converse(db, ReviewPolicy::these(["order"])).await,
        ["chat", db] => chat(db).await,
        ["order", db] => converse(db, ReviewPolicy::nothing()).await,
        _ => Err("usage: fixture mcp | ask DB | order DB | chat DB".into()),
    }
}
