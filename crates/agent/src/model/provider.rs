//! Models of the usual providers, by name.

use super::keys::{ModelKeys, kind_of, variables_of};
use super::{ChatModel, ModelError};
use crate::messages::{AssistantMessage, Message, Part, ToolCall, ToolMessage, ToolStatus};
use crate::tls;
use crate::tools::ToolSpec;
use async_trait::async_trait;
use genai::ModelIden;
use genai::adapter::AdapterKind;
use genai::chat::{
    ChatMessage, ChatRequest, ChatResponse, ContentPart, MessageContent, Tool, ToolCall as WireCall,
    ToolResponse,
};
use genai::resolver::{AuthData, AuthResolver, Endpoint, ServiceTargetResolver};
use genai::{Client, ServiceTarget};
use serde_json::{Map, Value};
use std::fmt;
use std::time::Duration;

/// How long a model may take for one answer; the library itself would wait for ever.
const ANSWER_TIMEOUT: Duration = Duration::from_mins(5);

/// Under which name a tool call's thought signatures are kept in [`ToolCall::extras`].
const SIGNATURES: &str = "thought_signatures";
/// Kind of a [`Part::Provider`] that is a thought signature of its own.
const SIGNATURE: &str = "thought_signature";
/// Kind of a [`Part::Provider`] that is any other part in the library's own JSON.
const OPAQUE: &str = "genai";

/// A model of one of the providers that `genai` knows, chosen by name: `gemini-...`, `gpt-...`,
/// `claude-...`, `provider::name`, and anything else is a local Ollama model.
///
/// The process must have installed a TLS provider before (`rustls::crypto::ring`).
#[derive(Clone)]
pub struct GenaiModel {
    client: Client,
    target: ModelIden,
    model: String,
}

impl fmt::Debug for GenaiModel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GenaiModel").field("model", &self.model).finish_non_exhaustive()
    }
}

impl GenaiModel {
    /// The model with this name and the key for it.
    ///
    /// # Errors
    /// No provider is known for the name, or `keys` has none for it.
    pub fn new(model: impl Into<String>, keys: &ModelKeys) -> Result<Self, ModelError> {
        Self::at(model, keys, None)
    }

    /// The same at another address, such as a proxy or an Ollama on another machine. The address ends with
    /// a slash and is what the provider's own base address would be.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn at(
        model: impl Into<String>,
        keys: &ModelKeys,
        base_url: Option<String>,
    ) -> Result<Self, ModelError> {
        let model = model.into();
        let kind = kind_of(&model)?;
        let variables = variables_of(kind);
        let key = match (keys.first_of(&variables), variables.is_empty()) {
            (Some(key), _) => key.to_owned(),
            // The library wants some text here even where nobody checks it.
            (None, true) => "none".to_owned(),
            (None, false) => return Err(ModelError::NoKey { model, variables }),
        };
        if !tls::provider_is_installed() {
            return Err(ModelError::Provider { model, reason: tls::NO_PROVIDER.to_owned() });
        }
        // Always an answer: without one the library would look into the environment.
        let auth = AuthResolver::from_resolver_fn(move |_: ModelIden| {
            Ok::<Option<AuthData>, genai::resolver::Error>(Some(AuthData::from_single(key.clone())))
        });
        let mut builder = Client::builder().with_auth_resolver(auth);
        if let Some(url) = base_url {
            let resolver = move |mut target: ServiceTarget| {
                target.endpoint = Endpoint::from_owned(url.as_str());
                Ok::<ServiceTarget, genai::resolver::Error>(target)
            };
            builder = builder.with_service_target_resolver(ServiceTargetResolver::from_resolver_fn(resolver));
        }
        let client = builder
            .build()
            .map_err(|error| ModelError::Provider { model: model.clone(), reason: error.to_string() })?;
        Ok(Self { client, target: ModelIden::new(kind, model.clone()), model })
    }
}

#[async_trait]
impl ChatModel for GenaiModel {
    async fn complete(
        &self,
        messages: &[Message],
        tools: &[ToolSpec],
    ) -> Result<AssistantMessage, ModelError> {
        let mut request = ChatRequest::from_messages(wire_messages(messages));
        if !tools.is_empty() {
            request = request.with_tools(tools.iter().map(wire_tool).collect::<Vec<_>>());
        }
        let call = self.client.exec_chat(self.target.clone(), request, None);
        let failed = |reason: String| ModelError::Provider { model: self.model.clone(), reason };
        let response = match tokio::time::timeout(ANSWER_TIMEOUT, Box::pin(call)).await {
            Ok(response) => response.map_err(|error| failed(reason_of(&error)))?,
            Err(_) => return Err(failed(format!("no answer within {} seconds", ANSWER_TIMEOUT.as_secs()))),
        };
        let message = message_of(response);
        if message.joined_text().is_empty() && message.tool_calls().next().is_none() {
            return Err(ModelError::Empty(self.model.clone()));
        }
        Ok(message)
    }
}

/// The first lines of the library's error, which can hold whole request and response bodies.
fn reason_of(error: &genai::Error) -> String {
    const LIMIT: usize = 600;
    let text = error.to_string();
    let mut short: String = text.chars().take(LIMIT).collect();
    if short.len() < text.len() {
        short.push_str(" ...");
    }
    short
}

fn wire_tool(spec: &ToolSpec) -> Tool {
    let mut tool = Tool::new(spec.name.as_str()).with_schema(spec.input_schema.clone());
    if let Some(description) = &spec.description {
        tool = tool.with_description(description);
    }
    tool
}

/// The conversation in the library's types. Results of one message's calls go into one message, because
/// some providers want all of them in the turn after the calls.
fn wire_messages(messages: &[Message]) -> Vec<ChatMessage> {
    let mut wire: Vec<ChatMessage> = Vec::with_capacity(messages.len());
    let mut results: Vec<ToolResponse> = Vec::new();
    for message in messages {
        if !matches!(message, Message::Tool(_)) && !results.is_empty() {
            wire.push(ChatMessage::tool(MessageContent::from_tool_responses(std::mem::take(&mut results))));
        }
        match message {
            Message::System(text) => wire.push(ChatMessage::system(text.content.as_str())),
            Message::User(text) => wire.push(ChatMessage::user(text.content.as_str())),
            Message::Assistant(answer) => {
                let parts: Vec<ContentPart> = answer.parts.iter().filter_map(wire_part).collect();
                wire.push(ChatMessage::assistant(MessageContent::from_parts(parts)));
            }
            Message::Tool(result) => results.push(wire_result(result)),
        }
    }
    if !results.is_empty() {
        wire.push(ChatMessage::tool(MessageContent::from_tool_responses(results)));
    }
    wire
}

fn wire_result(result: &ToolMessage) -> ToolResponse {
    // The library has no flag for it, and a model must not take a refusal for a result.
    let content = match result.status {
        ToolStatus::Success => result.content.clone(),
        ToolStatus::Error => format!("Error: {}", result.content),
    };
    ToolResponse::new(result.tool_call_id.as_str(), content).with_fn_name(result.name.as_str())
}

fn wire_part(part: &Part) -> Option<ContentPart> {
    match part {
        Part::Text { text } => Some(ContentPart::Text(text.clone())),
        Part::Reasoning { text } => Some(ContentPart::ReasoningContent(text.clone())),
        Part::ToolCall(call) => {
            let signatures = call.extras.get(SIGNATURES).cloned();
            Some(ContentPart::ToolCall(WireCall {
                call_id: call.id.clone(),
                fn_name: call.name.clone(),
                fn_arguments: call.args.clone(),
                thought_signatures: signatures.and_then(|value| serde_json::from_value(value).ok()),
            }))
        }
        Part::Provider { kind, data } if kind == SIGNATURE => {
            data.as_str().map(|signature| ContentPart::ThoughtSignature(signature.to_owned()))
        }
        // Parts of a model adapter that this one does not know stay where they are and are not sent.
        Part::Provider { kind, data } if kind == OPAQUE => serde_json::from_value(data.clone()).ok(),
        Part::Provider { .. } => None,
    }
}

fn message_of(response: ChatResponse) -> AssistantMessage {
    let mut parts: Vec<Part> = Vec::new();
    if let Some(text) = response.reasoning_content.filter(|_| !response.content.contains_reasoning_content())
    {
        parts.push(Part::Reasoning { text });
    }
    parts.extend(response.content.into_parts().into_iter().filter_map(part_of));
    for (index, part) in parts.iter_mut().enumerate() {
        // Some local models leave the id out, and results are matched by it.
        if let Part::ToolCall(call) = part
            && call.id.is_empty()
        {
            call.id = format!("call_{index}");
        }
    }
    AssistantMessage { id: None, parts }
}

fn part_of(part: ContentPart) -> Option<Part> {
    Some(match part {
        ContentPart::Text(text) => Part::Text { text },
        ContentPart::ReasoningContent(text) => Part::Reasoning { text },
        ContentPart::ThoughtSignature(signature) => {
            Part::Provider { kind: SIGNATURE.to_owned(), data: Value::String(signature) }
        }
        ContentPart::ToolCall(call) => {
            let mut extras = Map::new();
            if let Some(signatures) = call.thought_signatures {
                extras.insert(SIGNATURES.to_owned(), signatures.into_iter().map(Value::String).collect());
            }
            Part::ToolCall(ToolCall {
                id: call.call_id,
                name: call.fn_name,
                // A call without arguments is written as `null` by some providers.
                args: if call.fn_arguments.is_null() { Value::Object(Map::new()) } else { call.fn_arguments },
                extras,
            })
        }
        other => {
            let data = serde_json::to_value(&other).ok()?;
            Part::Provider { kind: OPAQUE.to_owned(), data }
        }
    })
}

/// The provider that a model name belongs to, for people.
impl GenaiModel {
    /// Name of the provider.
    pub fn provider(&self) -> &'static str {
        AdapterKind::as_str(&self.target.adapter_kind)
    }
}
