//! The permission prompt: one tool, by the contract of Claude Code's `--permission-prompt-tool`. It is called with the
//! `tool_name`, `input` and `tool_use_id` of a call that waits for leave, and its text is
//! `{"behavior":"allow","updatedInput":{...}}` or `{"behavior":"deny","message":"..."}`. Whatever goes wrong is a denial.

use super::{
    BridgeConfig, BridgeError,
    gate::{Gate, GatedCall, Verdict},
    serve_until_host_leaves,
};
use rmcp::{
    ErrorData, RoleServer, ServerHandler,
    model::{
        CallToolRequestParams, CallToolResponse, CallToolResult, ContentBlock, Implementation, JsonObject,
        ListToolsResult, PaginatedRequestParams, ProgressNotificationParam, ServerCapabilities, ServerConfig,
        Tool,
    },
    service::RequestContext,
};
use serde_json::{Value, json};
use std::{pin::pin, sync::Arc, time::Duration};
use tokio::io::{AsyncRead, AsyncWrite};

/// The tool's name; as `--permission-prompt-tool` it is `mcp__SERVER__permission_prompt`.
pub const TOOL: &str = "permission_prompt";
/// How often a waiting host is told that the call is alive.
const BEAT: Duration = Duration::from_secs(10);

/// Serves the permission prompt on stdin and stdout until the host hangs up. `instance`: the thing whose reviewers decide,
/// as `type:key`; `wait`: how long they have.
///
/// # Errors
/// When the configuration can't be right. A server that can't be asked is a denial of each call.
pub async fn run_prompt(config: &BridgeConfig, instance: String, wait: Duration) -> Result<(), BridgeError> {
    run_prompt_on(config, instance, wait, (tokio::io::stdin(), tokio::io::stdout())).await
}

/// As [`run_prompt`], on any pair of streams.
///
/// # Errors
/// As [`run_prompt`].
pub async fn run_prompt_on<R, W>(
    config: &BridgeConfig,
    instance: String,
    wait: Duration,
    streams: (R, W),
) -> Result<(), BridgeError>
where
    R: AsyncRead + Send + Unpin + 'static,
    W: AsyncWrite + Send + Unpin + 'static,
{
    let prompt = Prompt { gate: Gate::new(config, instance, wait)? };
    serve_until_host_leaves(prompt, streams).await
}

#[derive(Debug)]
struct Prompt {
    gate: Gate,
}

impl ServerHandler for Prompt {
    fn get_info(&self) -> ServerConfig {
        let about = Implementation::new("askfirst", env!("CARGO_PKG_VERSION"))
            .with_title("askfirst")
            .with_description("Asks a human before a tool runs.");
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build()).with_server_info(about)
    }

    async fn list_tools(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        Ok(ListToolsResult::with_all_items(vec![listing()]))
    }

    async fn call_tool(
        &self,
        params: CallToolRequestParams,
        cx: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        if params.name != TOOL {
            let message = format!("There is no tool `{}`; there is {TOOL}.", params.name);
            return Err(ErrorData::invalid_params(message, None));
        }
        let answer = match gated(params.arguments.unwrap_or_default()) {
            Ok(call) => self.settle(&call, &cx).await,
            Err(sentence) => deny(&sentence),
        };
        Ok(CallToolResult::success(vec![ContentBlock::text(answer.to_string())]).into())
    }
}

impl Prompt {
    async fn settle(&self, call: &GatedCall, cx: &RequestContext<RoleServer>) -> Value {
        let mut asking = pin!(self.gate.ask(call));
        let mut beats = tokio::time::interval(BEAT);
        let mut told = 0.0;
        loop {
            tokio::select! {
                biased;
                verdict = &mut asking => return answer(verdict),
                () = cx.ct.cancelled() => return deny("The host cancelled this call before it was decided."),
                _ = beats.tick() => {
                    told += 1.0;
                    tell(cx, told).await;
                }
            }
        }
    }
}

/// The host's call, from the arguments of the tool. What newer hosts add is not part of the call.
fn gated(mut arguments: JsonObject) -> Result<GatedCall, String> {
    let tool = match arguments.remove("tool_name") {
        Some(Value::String(tool)) if !tool.trim().is_empty() => tool,
        _ => {
            return Err(format!(
                "{TOOL} wants the name of a tool in `tool_name`, so this call is not allowed."
            ));
        }
    };
    let Some(Value::Object(input)) = arguments.remove("input") else {
        return Err(format!(
            "{TOOL} wants the tool's arguments in `input`, as an object, so this call is not allowed."
        ));
    };
    let reason = format!("An agent wants to use the tool {tool}.");
    Ok(GatedCall { action: tool, arguments: input, context: JsonObject::new(), reason })
}

fn answer(verdict: Verdict) -> Value {
    match verdict {
        Verdict::Allow { arguments, .. } => json!({"behavior": "allow", "updatedInput": arguments}),
        Verdict::Deny(sentence) | Verdict::Undecided(sentence) => deny(&sentence),
        Verdict::Unavailable(sentence) => {
            deny(&format!("It can't be asked whether this call may be made, so it is not: {sentence}"))
        }
    }
}

fn deny(message: &str) -> Value {
    json!({"behavior": "deny", "message": message})
}

async fn tell(cx: &RequestContext<RoleServer>, told: f64) {
    let Some(token) = cx.meta.get_progress_token() else { return };
    let progress =
        ProgressNotificationParam::new(token, told).with_message("Waiting for a reviewer to decide.");
    if let Err(gone) = cx.peer.notify_progress(progress).await {
        tracing::debug!(error = %gone, "the host could not be told that its call waits");
    }
}

fn listing() -> Tool {
    let schema = json!({
        "type": "object",
        "properties": {
            "tool_name": {"type": "string", "description": "The tool that is to be called."},
            "input": {"type": "object", "description": "Its arguments."},
            "tool_use_id": {"type": "string", "description": "The host's id of this call."},
        },
        "required": ["tool_name", "input"],
    });
    let schema = if let Value::Object(schema) = schema { schema } else { JsonObject::new() };
    Tool::new(TOOL, "Asks a human whether a tool may be called with these arguments.", Arc::new(schema))
        .with_title("Ask before a tool runs")
}
