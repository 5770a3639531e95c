//! Language models behind one small trait.

mod keys;
mod provider;
mod scripted;

pub use keys::{ModelKeys, key_variables};
pub use provider::GenaiModel;
pub use scripted::ScriptedModel;

use crate::messages::{AssistantMessage, Message};
use crate::tools::ToolSpec;
use async_trait::async_trait;

/// A model that continues a conversation.
#[async_trait]
pub trait ChatModel: Send + Sync + std::fmt::Debug {
    /// The next message of the assistant.
    ///
    /// # Errors
    /// The model gave no usable answer.
    async fn complete(
        &self,
        messages: &[Message],
        tools: &[ToolSpec],
    ) -> Result<AssistantMessage, ModelError>;
}

/// Why a model gave no answer. Never holds a key.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ModelError {
    /// No key for this model's provider.
    #[error("model `{model}` needs a key; set {}", variables.join(" or "))]
    NoKey {
        /// The model.
        model: String,
        /// The variables of which one would do.
        variables: Vec<&'static str>,
    },
    /// The name says nothing about the provider.
    #[error("no provider is known for model `{0}`; use a name such as `gemini-2.0-flash` or `openai::gpt-5`")]
    UnknownModel(String),
    /// The provider refused or did not answer.
    #[error("model `{model}` did not answer: {reason}")]
    Provider {
        /// The model.
        model: String,
        /// What the provider or the connection said.
        reason: String,
    },
    /// The model answered nothing.
    #[error("model `{0}` answered neither text nor a tool call")]
    Empty(String),
    /// The script has no step for this point of the conversation.
    #[error("the script has {steps} steps and was asked for step {asked}; add a step to it")]
    ScriptExhausted {
        /// Steps in the script.
        steps: usize,
        /// The step that was asked for, from 1.
        asked: usize,
    },
}
