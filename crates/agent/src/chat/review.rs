//! The node that asks a human before a risky call runs.

use super::graph::{CALL_LLM, RUN_TOOL};
use crate::graph::{Command, Node, NodeContext, NodeResult, NodeStop};
use crate::interrupt::Interrupt;
use crate::messages::{
    AssistantMessage, Message, MessagesState, MessagesUpdate, Part, ToolCall, ToolMessage, ToolStatus,
};
use crate::review::{
    AnswerError, Decision, ReviewFormat,
    hitl::{DecisionType, HitlRequest},
    inbox::{HumanInterrupt, HumanInterruptConfig},
};
use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::collections::{BTreeSet, HashMap};

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
#[serde(deny_unknown_fields)]
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
#[serde(deny_unknown_fields)]
pub struct ShownCall {
    /// The call's id.
    pub id: String,
    /// The tool.
    pub name: String,
    /// The exact arguments.
    pub args: Value,
}

impl ReviewQuestion {
    /// Reads the question from an interrupt of the review node; nothing if it is another node's, or holds more than would be
    /// shown of it.
    pub fn of(interrupt: &Interrupt) -> Option<Self> {
        let question: Self = serde_json::from_value(interrupt.payload.clone()).ok()?;
        (question.tool_calls.first() == Some(&question.tool_call)).then_some(question)
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
/// call of the message runs; each gets a message that says why. An answer that can't be read declines all of them.
#[derive(Debug, Clone, Default)]
pub struct ReviewNode {
    policy: ReviewPolicy,
    format: ReviewFormat,
}

impl ReviewNode {
    /// Asks about the calls that `policy` names.
    pub fn new(policy: ReviewPolicy) -> Self {
        Self { policy, format: ReviewFormat::default() }
    }

    /// Asks, and takes answers, in this shape.
    #[must_use]
    pub fn in_format(mut self, format: ReviewFormat) -> Self {
        self.format = format;
        self
    }
}

impl ReviewFormat {
    /// The payload of the interrupt that asks about these calls, one at least.
    fn question(self, risky: &[&ToolCall]) -> Result<Value, serde_json::Error> {
        match self {
            Self::Askfirst => serde_json::to_value(ReviewQuestion::about(risky)),
            Self::HumanInTheLoop => serde_json::to_value(HitlRequest::about(risky, &DecisionType::ALL)),
            Self::AgentInbox => {
                serde_json::to_value(HumanInterrupt::about(risky, HumanInterruptConfig::EVERYTHING))
            }
        }
    }

    /// What an answer decides of these calls, one decision each.
    fn decisions(self, risky: &[&ToolCall], answer: &Value) -> Result<Vec<Decision>, AnswerError> {
        match self {
            Self::Askfirst => {
                let decision = |index| match decision_of(answer, index, risky.len()) {
                    CallDecision::Approved => Decision::Approve,
                    CallDecision::Declined => Decision::Reject { message: None },
                };
                Ok((0..risky.len()).map(decision).collect())
            }
            Self::HumanInTheLoop => HitlRequest::about(risky, &DecisionType::ALL).decisions(answer),
            Self::AgentInbox => {
                let asked = HumanInterrupt::about(risky, HumanInterruptConfig::EVERYTHING);
                HumanInterrupt::decisions(&asked, answer)
            }
        }
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
        if risky.is_empty() {
            return Ok(Command::goto(RUN_TOOL));
        }
        let answer = cx.interrupt("review", self.format.question(&risky)?)?;
        let decisions = match self.format.decisions(&risky, &answer) {
            Ok(decisions) => decisions,
            Err(unreadable) => {
                let message = format!("Nobody has approved it: {unreadable}.");
                risky.iter().map(|_| Decision::Reject { message: Some(message.clone()) }).collect()
            }
        };
        let decided: HashMap<&str, Decision> =
            risky.iter().map(|call| call.id.as_str()).zip(decisions).collect();
        if decided.len() == risky.len()
            && decided.values().all(|decision| matches!(decision, Decision::Approve | Decision::Edit(_)))
        {
            return Ok(match edited(last, &decided) {
                Some(edited) => {
                    let update = MessagesUpdate::put([Message::Assistant(edited)]);
                    Command::goto(RUN_TOOL).and_update(update)
                }
                None => Command::goto(RUN_TOOL),
            });
        }
        // Providers refuse a conversation in which a call has no result, so each call gets one.
        let results =
            last.tool_calls().map(|call| Message::Tool(result(call, decided.get(call.id.as_str()))));
        let update = MessagesUpdate::put(results);
        Ok(Command::goto(CALL_LLM).and_update(update))
    }
}

/// The model's message with the arguments that the human made of them; nothing when none were changed.
fn edited(last: &AssistantMessage, decided: &HashMap<&str, Decision>) -> Option<AssistantMessage> {
    let mut message = last.clone();
    let mut changed = false;
    for part in &mut message.parts {
        let Part::ToolCall(call) = part else { continue };
        if let Some(Decision::Edit(args)) = decided.get(call.id.as_str()) {
            call.args = Value::Object(args.clone());
            changed = true;
        }
    }
    changed.then_some(message)
}

/// What the model reads of a call of a message that does not run.
fn result(call: &ToolCall, decision: Option<&Decision>) -> ToolMessage {
    let (status, content) = match decision {
        None => (ToolStatus::Error, not_run(call)),
        Some(Decision::Approve | Decision::Edit(_)) => {
            let content = format!("{} The user had approved it; ask for it again on its own.", not_run(call));
            (ToolStatus::Error, content)
        }
        Some(Decision::Reject { message: None }) => (ToolStatus::Error, declined(call)),
        Some(Decision::Reject { message: Some(message) }) => {
            (ToolStatus::Error, format!("{}: {message}", declined(call)))
        }
        Some(Decision::Respond { message }) => (ToolStatus::Success, message.clone()),
    };
    ToolMessage::of(call, status, content)
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
