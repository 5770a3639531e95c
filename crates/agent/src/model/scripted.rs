//! A model that follows a script.

use super::{ChatModel, ModelError};
use crate::messages::{AssistantMessage, Message, ToolCall};
use crate::tools::ToolSpec;
use async_trait::async_trait;
use serde_json::Value;
use std::fmt;

type Step = Box<dyn Fn(&[Message]) -> AssistantMessage + Send + Sync>;

/// A model that follows a script, for tests and demonstrations without a key.
///
/// Which step is next is read from the conversation (how often the assistant has spoken), so a
/// conversation that goes on in another process goes on at the right step.
#[derive(Default)]
pub struct ScriptedModel {
    steps: Vec<Step>,
}

impl fmt::Debug for ScriptedModel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScriptedModel").field("steps", &self.steps.len()).finish()
    }
}

impl ScriptedModel {
    /// An empty script.
    pub fn new() -> Self {
        Self::default()
    }

    /// Then says this.
    #[must_use]
    pub fn say(self, text: impl Into<String>) -> Self {
        self.answer(AssistantMessage::text(text))
    }

    /// Then calls a tool. The call's id is `call_N` with N the number of the step, from 1.
    #[must_use]
    pub fn call(self, tool: impl Into<String>, args: Value) -> Self {
        let id = format!("call_{}", self.steps.len() + 1);
        self.answer(AssistantMessage::calls([ToolCall::new(id, tool, args)]))
    }

    /// Then answers this.
    #[must_use]
    pub fn answer(self, message: AssistantMessage) -> Self {
        self.step(move |_| message.clone())
    }

    /// Then answers what the function makes of the conversation.
    #[must_use]
    pub fn step(mut self, step: impl Fn(&[Message]) -> AssistantMessage + Send + Sync + 'static) -> Self {
        self.steps.push(Box::new(step));
        self
    }
}

#[async_trait]
impl ChatModel for ScriptedModel {
    async fn complete(&self, messages: &[Message], _: &[ToolSpec]) -> Result<AssistantMessage, ModelError> {
        let spoken = messages.iter().filter(|message| message.as_assistant().is_some()).count();
        match self.steps.get(spoken) {
            Some(step) => Ok(step(messages)),
            None => Err(ModelError::ScriptExhausted { steps: self.steps.len(), asked: spoken + 1 }),
        }
    }
}
