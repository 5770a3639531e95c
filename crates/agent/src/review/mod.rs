//! The questions and answers of other programs' reviews, in their exact shapes, so that their inboxes can answer for a human
//! here, and their agents be answered from here.
//!
//! - [`hitl`]: `HITLRequest` and `HITLResponse` of `LangChain`'s human-in-the-loop middleware
//! - [`inbox`]: `HumanInterrupt` and `HumanResponse` of Agent Inbox
//!
//! Both come to the same [`Decision`]s. What is not one of their shapes is refused with a sentence; nothing is guessed, and
//! values keep their types.

pub mod hitl;
pub mod inbox;

#[cfg(test)]
mod tests;

use crate::messages::ToolCall;
use serde_json::{Map, Value};
use thiserror::Error;

/// What a human said of one call.
#[derive(Debug, Clone, PartialEq)]
pub enum Decision {
    /// It may run as it is.
    Approve,
    /// It may run with these arguments.
    Edit(Map<String, Value>),
    /// It may not run.
    Reject {
        /// Why, for the model.
        message: Option<String>,
    },
    /// It does not run; this is its result.
    Respond {
        /// For the model.
        message: String,
    },
}

/// Why an answer is none.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum AnswerError {
    /// It has another shape.
    #[error("the answer is no {shape}: {reason}")]
    Shape {
        /// What it should be.
        shape: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// It decides more calls than were asked about, or fewer.
    #[error("the answer decides {given} calls, and {asked} were asked about")]
    Count {
        /// How many it decides.
        given: usize,
        /// How many were asked about.
        asked: usize,
    },
    /// The question does not allow that.
    #[error("the question about `{action}` does not allow the decision `{decision}`")]
    NotAllowed {
        /// The tool.
        action: String,
        /// The decision, as the format calls it.
        decision: &'static str,
    },
    /// The call that was edited is another one.
    #[error("`{asked}` was asked about, and `{given}` can't take its place")]
    OtherTool {
        /// The tool that was asked about.
        asked: String,
        /// The tool of the answer.
        given: String,
    },
}

/// In which shape a review asks and is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ReviewFormat {
    /// Ours; see [`ReviewQuestion`](crate::chat::ReviewQuestion).
    #[default]
    Askfirst,
    /// [`hitl`].
    HumanInTheLoop,
    /// [`inbox`].
    AgentInbox,
}

/// Arguments as an object; a model that made a mistake may have written something else.
fn object(call: &ToolCall) -> Map<String, Value> {
    match &call.args {
        Value::Object(args) => args.clone(),
        Value::Null => Map::new(),
        other => Map::from_iter([("args".to_owned(), other.clone())]),
    }
}

/// An edit of a call, which stays a call of the same tool.
fn edit(asked: &str, given: String, args: Map<String, Value>) -> Result<Decision, AnswerError> {
    if asked == given {
        Ok(Decision::Edit(args))
    } else {
        Err(AnswerError::OtherTool { asked: asked.to_owned(), given })
    }
}
