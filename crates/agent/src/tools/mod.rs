//! Tools that a model may call: what they are called, what they take, and running them.

mod functions;
mod mcp;
mod node;

pub use functions::FunctionTools;
pub use mcp::{McpError, McpServer, McpTools, ServerLog};
pub use node::ToolNode;

use crate::messages::ToolStatus;
use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// What a model is told about a tool.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ToolSpec {
    /// Its name, unique among the tools of a conversation.
    pub name: String,
    /// What it does, for the model.
    pub description: Option<String>,
    /// JSON Schema of its arguments, an object.
    pub input_schema: Value,
}

/// What a tool answered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ToolOutcome {
    /// The answer as text for the model.
    pub content: String,
    /// Whether it did what it was asked.
    pub status: ToolStatus,
}

impl ToolOutcome {
    /// It did.
    pub fn success(content: impl Into<String>) -> Self {
        Self { content: content.into(), status: ToolStatus::Success }
    }

    /// It did not.
    pub fn error(content: impl Into<String>) -> Self {
        Self { content: content.into(), status: ToolStatus::Error }
    }
}

/// Why a tool gave no answer of its own. Each becomes a message to the model.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ToolError {
    /// There is no such tool.
    #[error("there is no tool named `{name}`; the tools are: {}", valid.join(", "))]
    Unknown {
        /// The name that the model used.
        name: String,
        /// The names that exist.
        valid: Vec<String>,
    },
    /// The arguments do not fit; nothing was done.
    #[error("the arguments do not fit the tool, nothing was done: {0}")]
    BadArguments(String),
    /// The call failed before it reached the tool; nothing was done.
    #[error("the tool could not be reached, nothing was done: {0}")]
    NotReached(String),
    /// The connection broke or the time ran out after the call was sent.
    #[error(
        "nobody knows whether the tool did its work, and it was not run again: {0}; check before calling it again"
    )]
    OutcomeUnknown(String),
}

/// A set of tools.
#[async_trait]
pub trait ToolSet: Send + Sync + std::fmt::Debug {
    /// The tools, in the order in which the model is told of them.
    fn specs(&self) -> Vec<ToolSpec>;

    /// Runs a tool.
    ///
    /// # Errors
    /// The tool gave no answer; see [`ToolError`] for what is known of its work.
    async fn call(&self, name: &str, args: Map<String, Value>) -> Result<ToolOutcome, ToolError>;
}

#[cfg(test)]
mod tests;

/// The first thing that is wrong with `args`, as far as the schema's top level says: a property that is
/// required and missing, or not allowed. The tool itself checks the rest.
fn first_misfit(schema: &Value, args: &Map<String, Value>) -> Option<String> {
    let names = |key: &str| schema.get(key).and_then(Value::as_array).into_iter().flatten();
    let known = schema.get("properties").and_then(Value::as_object);
    let takes = || {
        let names: Vec<&str> = known.into_iter().flatten().map(|(name, _)| name.as_str()).collect();
        if names.is_empty() { "no arguments".to_owned() } else { names.join(", ") }
    };
    if let Some(missing) = names("required").filter_map(Value::as_str).find(|name| !args.contains_key(*name))
    {
        return Some(format!("`{missing}` is missing; the tool takes: {}", takes()));
    }
    if schema.get("additionalProperties") == Some(&Value::Bool(false)) {
        let surplus = args.keys().find(|name| !known.is_some_and(|known| known.contains_key(*name)))?;
        return Some(format!("`{surplus}` is not an argument; the tool takes: {}", takes()));
    }
    None
}
