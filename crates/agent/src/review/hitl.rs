//! `LangChain`'s human-in-the-loop middleware (1.4): one request for all calls of a message, one response with a decision for
//! each, in the same order.

use super::{AnswerError, Decision, edit, object};
use crate::messages::ToolCall;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

const SHAPE: &str = "HITLResponse";

/// What is asked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HitlRequest {
    /// The calls, in order.
    pub action_requests: Vec<ActionRequest>,
    /// What may be decided of each, in the same order.
    pub review_configs: Vec<ReviewConfig>,
}

/// A call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ActionRequest {
    /// The tool.
    pub name: String,
    /// Its arguments.
    pub args: Map<String, Value>,
    /// For the reviewer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// What may be decided of calls of one tool.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReviewConfig {
    /// The tool.
    pub action_name: String,
    /// Which decisions are taken.
    pub allowed_decisions: Vec<DecisionType>,
    /// The schema of its arguments.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub args_schema: Option<Map<String, Value>>,
}

/// A kind of decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DecisionType {
    /// Run it.
    Approve,
    /// Run it with other arguments.
    Edit,
    /// Do not run it.
    Reject,
    /// Do not run it; the human gives its result.
    Respond,
}

impl DecisionType {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Approve, Self::Edit, Self::Reject, Self::Respond];

    fn as_str(self) -> &'static str {
        match self {
            Self::Approve => "approve",
            Self::Edit => "edit",
            Self::Reject => "reject",
            Self::Respond => "respond",
        }
    }
}

/// What is answered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HitlResponse {
    /// One for each call.
    pub decisions: Vec<HitlDecision>,
}

/// One decision.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum HitlDecision {
    /// Run it.
    Approve {},
    /// Run this instead.
    Edit {
        /// The call with its other arguments.
        edited_action: Action,
    },
    /// Do not run it.
    Reject {
        /// Why.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        message: Option<String>,
    },
    /// Do not run it.
    Respond {
        /// What the model gets as its result.
        message: String,
    },
}

/// A call with its arguments.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Action {
    /// The tool.
    pub name: String,
    /// Its arguments.
    pub args: Map<String, Value>,
}

impl HitlRequest {
    /// Asks about these calls.
    pub fn about(calls: &[&ToolCall], allowed: &[DecisionType]) -> Self {
        let request = |call: &&ToolCall| ActionRequest {
            name: call.name.clone(),
            args: object(call),
            description: Some(format!("The agent wants to call the tool {}.", call.name)),
        };
        let config = |call: &&ToolCall| ReviewConfig {
            action_name: call.name.clone(),
            allowed_decisions: allowed.to_vec(),
            args_schema: None,
        };
        Self {
            action_requests: calls.iter().map(request).collect(),
            review_configs: calls.iter().map(config).collect(),
        }
    }

    /// Reads a request; nothing when it is something else.
    pub fn read(payload: &Value) -> Option<Self> {
        let request: Self = serde_json::from_value(payload.clone()).ok()?;
        (!request.action_requests.is_empty()).then_some(request)
    }

    /// What an answer decides, in the order of the calls.
    ///
    /// # Errors
    /// See [`AnswerError`]. Nothing is decided then.
    pub fn decisions(&self, answer: &Value) -> Result<Vec<Decision>, AnswerError> {
        let response: HitlResponse = serde_json::from_value(answer.clone())
            .map_err(|error| AnswerError::Shape { shape: SHAPE, reason: error.to_string() })?;
        let (given, asked) = (response.decisions.len(), self.action_requests.len());
        if given != asked {
            return Err(AnswerError::Count { given, asked });
        }
        let pairs = self.action_requests.iter().zip(response.decisions);
        pairs.map(|(request, decision)| self.decision(request, decision)).collect()
    }

    fn decision(&self, request: &ActionRequest, decision: HitlDecision) -> Result<Decision, AnswerError> {
        let kind = match &decision {
            HitlDecision::Approve {} => DecisionType::Approve,
            HitlDecision::Edit { .. } => DecisionType::Edit,
            HitlDecision::Reject { .. } => DecisionType::Reject,
            HitlDecision::Respond { .. } => DecisionType::Respond,
        };
        let config = self.review_configs.iter().find(|config| config.action_name == request.name);
        if !config.is_some_and(|config| config.allowed_decisions.contains(&kind)) {
            return Err(AnswerError::NotAllowed { action: request.name.clone(), decision: kind.as_str() });
        }
        Ok(match decision {
            HitlDecision::Approve {} => Decision::Approve,
            HitlDecision::Edit { edited_action } => {
                edit(&request.name, edited_action.name, edited_action.args)?
            }
            HitlDecision::Reject { message } => Decision::Reject { message },
            HitlDecision::Respond { message } => Decision::Respond { message },
        })
    }
}

impl HitlResponse {
    /// These decisions about these calls, as an answer to somebody else's agent.
    pub fn of(request: &HitlRequest, decisions: Vec<Decision>) -> Self {
        let pairs = request.action_requests.iter().zip(decisions);
        let decision = |(request, decision): (&ActionRequest, Decision)| match decision {
            Decision::Approve => HitlDecision::Approve {},
            Decision::Edit(args) => {
                HitlDecision::Edit { edited_action: Action { name: request.name.clone(), args } }
            }
            Decision::Reject { message } => HitlDecision::Reject { message },
            Decision::Respond { message } => HitlDecision::Respond { message },
        };
        Self { decisions: pairs.map(decision).collect() }
    }
}
