//! Agent Inbox: a list of interrupts, one for each call, and a list of responses.

use super::{AnswerError, Decision, edit, object};
use crate::messages::ToolCall;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

const SHAPE: &str = "list of HumanResponse";

/// What is asked about one call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HumanInterrupt {
    /// The call.
    pub action_request: ActionRequest,
    /// What may be answered.
    pub config: HumanInterruptConfig,
    /// For the reviewer.
    #[serde(default)]
    pub description: Option<String>,
}

/// A call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ActionRequest {
    /// The tool.
    pub action: String,
    /// Its arguments.
    pub args: Map<String, Value>,
}

/// What may be answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "the members of the format")]
pub struct HumanInterruptConfig {
    /// Pass over it: it does not run.
    pub allow_ignore: bool,
    /// Tell the model something instead.
    pub allow_respond: bool,
    /// Run it with other arguments.
    pub allow_edit: bool,
    /// Run it.
    pub allow_accept: bool,
}

impl HumanInterruptConfig {
    /// Everything may be answered.
    pub const EVERYTHING: Self =
        Self { allow_ignore: true, allow_respond: true, allow_edit: true, allow_accept: true };
}

/// What is answered about one call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", content = "args", rename_all = "snake_case", deny_unknown_fields)]
pub enum HumanResponse {
    /// Run it. Agent Inbox repeats the call here; what it says is not looked at, the call runs as it was asked for.
    Accept(Option<Value>),
    /// Pass over it.
    Ignore(Option<Value>),
    /// Tell the model this.
    Response(String),
    /// Run this instead.
    Edit(ActionRequest),
}

impl HumanInterrupt {
    /// Asks about these calls, one interrupt for each.
    pub fn about(calls: &[&ToolCall], config: HumanInterruptConfig) -> Vec<Self> {
        let interrupt = |call: &&ToolCall| Self {
            action_request: ActionRequest { action: call.name.clone(), args: object(call) },
            config,
            description: Some(format!("The agent wants to call the tool {}.", call.name)),
        };
        calls.iter().map(interrupt).collect()
    }

    /// Reads a list of interrupts; nothing when it is something else. One that stands alone is a list as well.
    pub fn read(payload: &Value) -> Option<Vec<Self>> {
        let list = if payload.is_array() { payload.clone() } else { Value::Array(vec![payload.clone()]) };
        let interrupts: Vec<Self> = serde_json::from_value(list).ok()?;
        (!interrupts.is_empty()).then_some(interrupts)
    }

    /// What an answer decides, in the order of the interrupts.
    ///
    /// # Errors
    /// See [`AnswerError`]. Nothing is decided then.
    pub fn decisions(interrupts: &[Self], answer: &Value) -> Result<Vec<Decision>, AnswerError> {
        let responses: Vec<HumanResponse> = serde_json::from_value(answer.clone())
            .map_err(|error| AnswerError::Shape { shape: SHAPE, reason: error.to_string() })?;
        let (given, asked) = (responses.len(), interrupts.len());
        if given != asked {
            return Err(AnswerError::Count { given, asked });
        }
        interrupts.iter().zip(responses).map(|(interrupt, response)| interrupt.decision(response)).collect()
    }

    fn decision(&self, response: HumanResponse) -> Result<Decision, AnswerError> {
        let (allowed, decision) = match &response {
            HumanResponse::Accept(_) => (self.config.allow_accept, "accept"),
            HumanResponse::Ignore(_) => (self.config.allow_ignore, "ignore"),
            HumanResponse::Response(_) => (self.config.allow_respond, "response"),
            HumanResponse::Edit(_) => (self.config.allow_edit, "edit"),
        };
        let asked = &self.action_request.action;
        if !allowed {
            return Err(AnswerError::NotAllowed { action: asked.clone(), decision });
        }
        Ok(match response {
            HumanResponse::Accept(_) => Decision::Approve,
            HumanResponse::Ignore(_) => Decision::Reject { message: None },
            HumanResponse::Response(message) => Decision::Respond { message },
            HumanResponse::Edit(call) => edit(asked, call.action, call.args)?,
        })
    }

    /// A decision about this call, as an answer to somebody else's agent. A rejection with a reason is a response, since
    /// `ignore` carries none.
    pub fn response(&self, decision: Decision) -> HumanResponse {
        match decision {
            Decision::Approve => HumanResponse::Accept(None),
            Decision::Edit(args) => {
                HumanResponse::Edit(ActionRequest { action: self.action_request.action.clone(), args })
            }
            Decision::Reject { message: None } => HumanResponse::Ignore(None),
            Decision::Reject { message: Some(message) } | Decision::Respond { message } => {
                HumanResponse::Response(message)
            }
        }
    }
}
