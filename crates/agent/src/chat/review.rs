//! The node that asks a human before a risky call runs.

use super::graph::{CALL_LLM, RUN_TOOL};
use crate::graph::{Command, Node, NodeContext, NodeResult, NodeStop};
use crate::interrupt::Interrupt;
use crate::messages::{Message, MessagesState, MessagesUpdate, ToolCall, ToolMessage, ToolStatus};
use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

/// Which tool calls a human has to see before they run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReviewPolicy(Risky);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Risky {
    These(BTreeSet<String>),
    AllBut(BTreeSet<String>),
}

impl Default for ReviewPolicy {
    /// The two calls that hand out rights: `approve_access_request` and `approve_operation_approval`.
    fn default() -> Self {
        Self::these(["approve_access_request", "approve_operation_approval"])
    }
}

impl ReviewPolicy {
    /// Exactly these tools.
    pub fn these(tools: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self(Risky::These(tools.into_iter().map(Into::into).collect()))
    }

    /// Every tool but these, also tools that a server adds later.
    pub fn all_but(tools: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self(Risky::AllBut(tools.into_iter().map(Into::into).collect()))
    }

    /// No tool: the servers alone decide.
    pub fn nothing() -> Self {
        Self(Risky::These(BTreeSet::new()))
    }

    /// These tools as well.
    #[must_use]
    pub fn and(mut self, tools: impl IntoIterator<Item = impl Into<String>>) -> Self {
        for tool in tools {
            match &mut self.0 {
                Risky::These(names) => {
                    names.insert(tool.into());
                }
                Risky::AllBut(names) => {
                    names.remove(&tool.into());
                }
            }
        }
        self
    }

    /// Whether a human has to see calls of this tool.
    pub fn is_risky(&self, tool: &str) -> bool {
        match &self.0 {
            Risky::These(names) => names.contains(tool),
            Risky::AllBut(names) => !names.contains(tool),
        }
    }
}

/// What the human is asked: the payload of the review node's interrupt.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReviewQuestion {
    /// The question as a sentence.
    pub question: String,
    /// The first risky call.
    pub tool_call: ShownCall,
    /// All risky calls of the message, in order.
    pub tool_calls: Vec<ShownCall>,
}

/// A call as it is shown.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ShownCall {
    /// The call's id.
    pub id: String,
    /// The tool.
    pub name: String,
    /// The exact arguments.
    pub args: Value,
}

impl ReviewQuestion {
    /// Reads the question from an interrupt of the review node; nothing if it is another node's.
    pub fn of(interrupt: &Interrupt) -> Option<Self> {
        serde_json::from_value(interrupt.payload.clone()).ok()
    }

    fn about(calls: &[&ToolCall]) -> Option<Self> {
        let shown = |call: &&ToolCall| ShownCall {
            id: call.id.clone(),
            name: call.name.clone(),
            args: call.args.clone(),
        };
        let tool_calls: Vec<ShownCall> = calls.iter().map(shown).collect();
        let question = match tool_calls.len() {
            1 => "Do you approve this tool call? (yes/no)".to_owned(),
            n => format!("Do you approve these {n} tool calls? (yes/no)"),
        };
        Some(Self { question, tool_call: tool_calls.first()?.clone(), tool_calls })
    }
}

/// A human's word on one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallDecision {
    /// It may run.
    Approved,
    /// It may not.
    Declined,
}

/// An answer to a [`ReviewQuestion`], one decision a call and in the order of `tool_calls`.
pub fn review_answer(decisions: &[CallDecision]) -> Value {
    let word = |decision: &CallDecision| match decision {
        CallDecision::Approved => "yes",
        CallDecision::Declined => "no",
    };
    let all = decisions.iter().all(|decision| *decision == CallDecision::Approved) && !decisions.is_empty();
    let words: Vec<&str> = decisions.iter().map(word).collect();
    json!({ "action": if all { "yes" } else { "no" }, "decisions": words })
}

/// The decision on call number `index` of `count` in an answer. `{"action": "yes"}` approves all calls;
/// `decisions`, when it is there, says it call by call. What is not clearly a yes is a no.
fn decision_of(answer: &Value, index: usize, count: usize) -> CallDecision {
    let said = match answer {
        Value::Object(answer) => match answer.get("decisions") {
            Some(Value::Array(words)) if words.len() == count => words.get(index),
            Some(_) => None,
            None => answer.get("action"),
        },
        other => Some(other),
    };
    let yes = match said {
        Some(Value::Bool(yes)) => *yes,
        Some(Value::String(word)) => {
            matches!(word.trim().to_ascii_lowercase().as_str(), "yes" | "y" | "approve")
        }
        _ => false,
    };
    if yes { CallDecision::Approved } else { CallDecision::Declined }
}

/// Looks at every risky call of the model's last message and asks a human about them. Declined means that no
/// call of the message runs; each gets a message that says why.
#[derive(Debug, Clone, Default)]
pub struct ReviewNode {
    policy: ReviewPolicy,
}

impl ReviewNode {
    /// Asks about the calls that `policy` names.
    pub fn new(policy: ReviewPolicy) -> Self {
        Self { policy }
    }
}

#[async_trait]
impl Node<MessagesState> for ReviewNode {
    async fn run(&self, state: MessagesState, cx: NodeContext) -> NodeResult<MessagesState> {
        let Some(last) = state.last_assistant() else {
            return Err(NodeStop::failed(
                "the last message is not the model's, so there is no call to review",
            ));
        };
        let risky: Vec<&ToolCall> =
            last.tool_calls().filter(|call| self.policy.is_risky(&call.name)).collect();
        let Some(question) = ReviewQuestion::about(&risky) else {
            return Ok(Command::goto(RUN_TOOL));
        };
        let answer = cx.interrupt("review", serde_json::to_value(question)?)?;
        let mut decisions = (0..risky.len()).map(|index| decision_of(&answer, index, risky.len()));
        if decisions.clone().all(|decision| decision == CallDecision::Approved) {
            return Ok(Command::goto(RUN_TOOL));
        }
        // Providers refuse a conversation in which a call has no result, so each call gets one.
        let results = last.tool_calls().map(|call| {
            let content = if !self.policy.is_risky(&call.name) {
                not_run(call)
            } else if decisions.next() == Some(CallDecision::Approved) {
                format!("{} The user had approved it; ask for it again on its own.", not_run(call))
            } else {
                declined(call)
            };
            Message::Tool(ToolMessage::of(call, ToolStatus::Error, content))
        });
        let update = MessagesUpdate::put(results);
        Ok(Command::goto(CALL_LLM).and_update(update))
    }
}

fn declined(call: &ToolCall) -> String {
    let args = match &call.args {
        Value::Null => Value::Object(Map::new()),
        args => args.clone(),
    };
    format!("The user declined your request to execute the {} tool, with arguments {args}", call.name)
}

fn not_run(call: &ToolCall) -> String {
    format!("The {} tool was not run, because the user declined another call of the same message.", call.name)
}
