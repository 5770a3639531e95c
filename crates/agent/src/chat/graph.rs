//! The graph of a reviewed conversation: the model, the human, the tools.

use super::review::{ReviewNode, ReviewPolicy};
use crate::graph::{Command, END, Node, NodeContext, NodeOptions, NodeResult, START, StateGraph};
use crate::messages::{AssistantMessage, Message, MessagesState, MessagesUpdate};
use crate::model::ChatModel;
use crate::review::ReviewFormat;
use crate::tools::{ToolNode, ToolSet};
use async_trait::async_trait;
use std::sync::Arc;

/// Name of the node that asks the model.
pub const CALL_LLM: &str = "call_llm";
/// Name of the node that runs tools.
pub const RUN_TOOL: &str = "run_tool";
/// Name of the node that asks a human.
pub const HUMAN_REVIEW: &str = "human_review_node";

/// What a reviewed conversation is made of.
#[derive(Debug, Clone)]
pub struct ChatSetup {
    /// The model.
    pub model: Arc<dyn ChatModel>,
    /// The tools that it may call.
    pub tools: Arc<dyn ToolSet>,
    /// The calls that a human has to see first.
    pub review: ReviewPolicy,
    /// Standing instructions; sent with every request and not stored in the thread.
    pub system: Option<String>,
    /// In which shape the human is asked and answers.
    pub format: ReviewFormat,
}

impl ChatSetup {
    /// No standing instructions.
    pub fn new(model: Arc<dyn ChatModel>, tools: Arc<dyn ToolSet>, review: ReviewPolicy) -> Self {
        Self { model, tools, review, system: None, format: ReviewFormat::default() }
    }

    /// Asking and taking answers in another program's shape.
    #[must_use]
    pub fn with_format(mut self, format: ReviewFormat) -> Self {
        self.format = format;
        self
    }

    /// With standing instructions.
    #[must_use]
    pub fn with_system(mut self, system: impl Into<String>) -> Self {
        self.system = Some(system.into());
        self
    }
}

/// The graph of a reviewed conversation, ready to compile. Its nodes are `call_llm`, `run_tool` and
/// `human_review_node`; it needs a checkpointer.
pub fn chat_graph(setup: ChatSetup) -> StateGraph<MessagesState> {
    let ChatSetup { model, tools, review, system, format } = setup;
    StateGraph::new()
        .add_node(CALL_LLM, CallModel { model, tools: tools.clone(), system })
        .add_node(RUN_TOOL, ToolNode::new(tools))
        .add_node_with(
            HUMAN_REVIEW,
            NodeOptions::new().interrupts().goes_to([CALL_LLM, RUN_TOOL]),
            ReviewNode::new(review).in_format(format),
        )
        .add_edge(START, CALL_LLM)
        .add_conditional_edges(CALL_LLM, after_model, [HUMAN_REVIEW, END])
        .add_edge(RUN_TOOL, CALL_LLM)
}

fn after_model(state: &MessagesState) -> Vec<String> {
    let calls =
        state.last_assistant().is_some_and(|last: &AssistantMessage| last.tool_calls().next().is_some());
    vec![if calls { HUMAN_REVIEW } else { END }.to_owned()]
}

#[derive(Debug)]
struct CallModel {
    model: Arc<dyn ChatModel>,
    tools: Arc<dyn ToolSet>,
    system: Option<String>,
}

#[async_trait]
impl Node<MessagesState> for CallModel {
    async fn run(&self, state: MessagesState, _: NodeContext) -> NodeResult<MessagesState> {
        let mut messages = state.messages;
        if let Some(system) = &self.system {
            messages.insert(0, Message::system(system.as_str()));
        }
        let answer = self.model.complete(&messages, &self.tools.specs()).await?;
        Ok(Command::update(MessagesUpdate::put([Message::Assistant(answer)])))
    }
}
