//! Messages between the human, the model and the tools, and how lists of them merge.
//!
//! The types are our own, so that a conversation saved today can be read tomorrow whatever a
//! provider's library looks like by then. What a provider needs back unchanged (such as Gemini's
//! thought signatures) is kept in place, part by part.

use crate::graph::{State, UpdateError};
use crate::ids::IdSource;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::{HashMap, HashSet};

/// One message of a conversation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "role", rename_all = "snake_case")]
pub enum Message {
    /// Standing instructions.
    System(TextMessage),
    /// What the human said.
    User(TextMessage),
    /// What the model said or wants done.
    Assistant(AssistantMessage),
    /// What came of one tool call.
    Tool(ToolMessage),
}

/// A message that is only text.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TextMessage {
    /// Empty until the message reaches the state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The text.
    pub content: String,
}

/// An answer of the model: text and wished-for tool calls in the order in which they came.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct AssistantMessage {
    /// Empty until the message reaches the state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The parts, in order.
    pub parts: Vec<Part>,
}

/// One part of a model's answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Part {
    /// Text for the human.
    Text {
        /// The text.
        text: String,
    },
    /// A tool call that the model wants.
    ToolCall(ToolCall),
    /// The model's own thinking, given back to providers that ask for it and never shown as an answer.
    Reasoning {
        /// The text.
        text: String,
    },
    /// Something that only the provider understands and that must go back to it unchanged, at the
    /// same place.
    Provider {
        /// What it is, in the words of the model adapter.
        kind: String,
        /// The content.
        data: Value,
    },
}

/// One tool call that the model wants.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ToolCall {
    /// Ties the result to the call.
    pub id: String,
    /// Name of the tool.
    pub name: String,
    /// Arguments as the model wrote them; a JSON object unless the model made a mistake.
    pub args: Value,
    /// What the provider wants back with this call, such as thought signatures.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub extras: Map<String, Value>,
}

/// The result of one tool call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ToolMessage {
    /// Empty until the message reaches the state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Which call this answers.
    pub tool_call_id: String,
    /// Name of the tool.
    pub name: String,
    /// The result as text for the model.
    pub content: String,
    /// Whether the call did what it was asked.
    pub status: ToolStatus,
}

/// How a tool call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ToolStatus {
    /// It ran and reported success.
    Success,
    /// It failed, was not run, or its outcome is not known; the content says which.
    Error,
}

impl ToolCall {
    /// A call without provider extras.
    pub fn new(id: impl Into<String>, name: impl Into<String>, args: Value) -> Self {
        Self { id: id.into(), name: name.into(), args, extras: Map::new() }
    }
}

impl AssistantMessage {
    /// An answer of text only.
    pub fn text(text: impl Into<String>) -> Self {
        Self { id: None, parts: vec![Part::Text { text: text.into() }] }
    }

    /// An answer that only calls tools.
    pub fn calls(calls: impl IntoIterator<Item = ToolCall>) -> Self {
        Self { id: None, parts: calls.into_iter().map(Part::ToolCall).collect() }
    }

    /// The same answer with one more tool call.
    #[must_use]
    pub fn with_call(mut self, call: ToolCall) -> Self {
        self.parts.push(Part::ToolCall(call));
        self
    }

    /// All text parts, one after the other, separated by line breaks.
    pub fn joined_text(&self) -> String {
        let texts: Vec<&str> = self
            .parts
            .iter()
            .filter_map(|part| if let Part::Text { text } = part { Some(text.as_str()) } else { None })
            .collect();
        texts.join("\n")
    }

    /// The tool calls, in order.
    pub fn tool_calls(&self) -> impl Iterator<Item = &ToolCall> {
        self.parts.iter().filter_map(|part| if let Part::ToolCall(call) = part { Some(call) } else { None })
    }
}

impl ToolMessage {
    /// The result of `call`.
    pub fn of(call: &ToolCall, status: ToolStatus, content: impl Into<String>) -> Self {
        Self {
            id: None,
            tool_call_id: call.id.clone(),
            name: call.name.clone(),
            content: content.into(),
            status,
        }
    }
}

impl Message {
    /// A message of the human.
    pub fn user(content: impl Into<String>) -> Self {
        Self::User(TextMessage { id: None, content: content.into() })
    }

    /// Standing instructions.
    pub fn system(content: impl Into<String>) -> Self {
        Self::System(TextMessage { id: None, content: content.into() })
    }

    /// The id, once the message is part of a state.
    pub fn id(&self) -> Option<&str> {
        match self {
            Self::System(m) | Self::User(m) => m.id.as_deref(),
            Self::Assistant(m) => m.id.as_deref(),
            Self::Tool(m) => m.id.as_deref(),
        }
    }

    /// The assistant's message, if it is one.
    pub fn as_assistant(&self) -> Option<&AssistantMessage> {
        if let Self::Assistant(message) = self { Some(message) } else { None }
    }

    fn set_id(&mut self, id: String) {
        match self {
            Self::System(m) | Self::User(m) => m.id = Some(id),
            Self::Assistant(m) => m.id = Some(id),
            Self::Tool(m) => m.id = Some(id),
        }
    }
}

/// One change of a list of messages.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "op", rename_all = "snake_case")]
pub enum MessageChange {
    /// Adds the message, or replaces the one with the same id where it stands.
    Put {
        /// The message.
        message: Message,
    },
    /// Removes the message with this id.
    Remove {
        /// The id of a message in the list.
        id: String,
    },
    /// Forgets everything before this change, including earlier changes of the same update.
    RemoveAll,
}

/// Merges changes into a list of messages, with the rules of `LangGraph`'s `add_messages`.
///
/// Messages without an id get one from `ids`; a message whose id is already in the list replaces it in
/// place; the rest is appended.
///
/// # Errors
/// A removal names an id that is not in the list. The list is unchanged then.
pub fn add_messages(
    list: &mut Vec<Message>,
    changes: Vec<MessageChange>,
    ids: &dyn IdSource,
) -> Result<(), UpdateError> {
    let from_all = changes.iter().rposition(|change| matches!(change, MessageChange::RemoveAll));
    let (mut merged, changes) = match from_all {
        Some(index) => (Vec::new(), changes.into_iter().skip(index + 1).collect()),
        None => (list.clone(), changes),
    };
    for message in &mut merged {
        if message.id().is_none() {
            message.set_id(ids.next_id());
        }
    }
    let mut at: HashMap<String, usize> =
        merged.iter().enumerate().filter_map(|(i, m)| m.id().map(|id| (id.to_owned(), i))).collect();
    let mut removed: HashSet<String> = HashSet::new();
    for change in changes {
        match change {
            MessageChange::RemoveAll => {}
            MessageChange::Remove { id } => {
                if !at.contains_key(&id) {
                    return Err(UpdateError(format!(
                        "there is no message with the id `{id}` to remove; use the id of a message in the list"
                    )));
                }
                removed.insert(id);
            }
            MessageChange::Put { mut message } => {
                let id = message.id().map_or_else(|| ids.next_id(), ToOwned::to_owned);
                message.set_id(id.clone());
                removed.remove(&id);
                if let Some(place) = at.get(&id).and_then(|&i| merged.get_mut(i)) {
                    *place = message;
                } else {
                    at.insert(id, merged.len());
                    merged.push(message);
                }
            }
        }
    }
    merged.retain(|m| m.id().is_none_or(|id| !removed.contains(id)));
    *list = merged;
    Ok(())
}

/// The state of a conversation: one channel of messages.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct MessagesState {
    /// The conversation so far.
    pub messages: Vec<Message>,
}

impl MessagesState {
    /// The last message, when it is the model's.
    pub fn last_assistant(&self) -> Option<&AssistantMessage> {
        self.messages.last().and_then(Message::as_assistant)
    }
}

/// What a node may change in a conversation.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct MessagesUpdate {
    /// Changes in order.
    pub changes: Vec<MessageChange>,
}

impl MessagesUpdate {
    /// Adds messages.
    pub fn put(messages: impl IntoIterator<Item = Message>) -> Self {
        Self { changes: messages.into_iter().map(|message| MessageChange::Put { message }).collect() }
    }

    /// The messages that this update adds or replaces.
    pub fn messages(&self) -> impl Iterator<Item = &Message> {
        self.changes.iter().filter_map(|change| {
            if let MessageChange::Put { message } = change { Some(message) } else { None }
        })
    }
}

impl State for MessagesState {
    type Update = MessagesUpdate;

    fn apply(&mut self, update: MessagesUpdate, ids: &dyn IdSource) -> Result<(), UpdateError> {
        add_messages(&mut self.messages, update.changes, ids)
    }
}

#[cfg(test)]
#[path = "messages_tests.rs"]
mod tests;
