//! The node that runs what the model asked for.

use super::{ToolError, ToolOutcome, ToolSet, first_misfit};
use crate::checkpoint::CallState;
use crate::graph::{Command, Node, NodeContext, NodeResult, NodeStop};
use crate::messages::{Message, MessagesState, MessagesUpdate, ToolCall, ToolMessage};
use async_trait::async_trait;
use futures::future::join_all;
use serde_json::Value;
use std::sync::Arc;

/// Runs all tool calls of the model's last message at the same time and answers each with one message.
///
/// A call is noted before it is made and its result right after. When the node runs again after a crash,
/// a finished call gives its stored result, and a call that was begun without a result is reported
/// as such instead of being made a second time.
#[derive(Debug, Clone)]
pub struct ToolNode {
    tools: Arc<dyn ToolSet>,
}

impl ToolNode {
    /// Runs these tools.
    pub fn new(tools: Arc<dyn ToolSet>) -> Self {
        Self { tools }
    }

    async fn answer(&self, index: usize, call: &ToolCall, cx: &NodeContext) -> Result<Message, NodeStop> {
        let outcome = match self.checked(call) {
            Ok(()) => self.once(index, call, cx).await?,
            Err(error) => ToolOutcome::error(error.to_string()),
        };
        Ok(Message::Tool(ToolMessage::of(call, outcome.status, outcome.content)))
    }

    /// What can be refused without asking the tool.
    fn checked(&self, call: &ToolCall) -> Result<(), ToolError> {
        let specs = self.tools.specs();
        let Some(spec) = specs.iter().find(|spec| spec.name == call.name) else {
            let valid = specs.into_iter().map(|spec| spec.name).collect();
            return Err(ToolError::Unknown { name: call.name.clone(), valid });
        };
        let Value::Object(args) = &call.args else {
            return Err(ToolError::BadArguments("they have to be a JSON object".to_owned()));
        };
        first_misfit(&spec.input_schema, args).map_or(Ok(()), |misfit| Err(ToolError::BadArguments(misfit)))
    }

    async fn once(&self, index: usize, call: &ToolCall, cx: &NodeContext) -> Result<ToolOutcome, NodeStop> {
        // Models have been seen to give two calls of one message the same id.
        let name = format!("{index}:{}", call.id);
        match cx.begin_call(&name).await? {
            CallState::Finished(result) => return Ok(serde_json::from_value(result)?),
            CallState::Begun => {
                let error =
                    ToolError::OutcomeUnknown("the agent stopped while the call was under way".to_owned());
                return Ok(ToolOutcome::error(error.to_string()));
            }
            CallState::New => {}
        }
        let args = call.args.as_object().cloned().unwrap_or_default();
        let outcome = match self.tools.call(&call.name, args).await {
            Ok(outcome) => outcome,
            Err(error) => ToolOutcome::error(error.to_string()),
        };
        cx.finish_call(&name, serde_json::to_value(&outcome)?).await?;
        Ok(outcome)
    }
}

#[async_trait]
impl Node<MessagesState> for ToolNode {
    async fn run(&self, state: MessagesState, cx: NodeContext) -> NodeResult<MessagesState> {
        let Some(last) = state.last_assistant() else {
            return Err(NodeStop::failed("the last message is not the model's, so there is no tool to run"));
        };
        let calls: Vec<&ToolCall> = last.tool_calls().collect();
        let answers = join_all(calls.iter().enumerate().map(|(i, call)| self.answer(i, call, &cx))).await;
        let messages = answers.into_iter().collect::<Result<Vec<Message>, NodeStop>>()?;
        Ok(Command::update(MessagesUpdate::put(messages)))
    }
}
