//! A model that follows a file, for trials without a key: `--model script:FILE`.
//!
//! The file is a JSON array of steps: `{"say": "text"}` or `{"call": "tool", "args": {...}}`. A text or argument that begins
//! with `$` is taken from an earlier result: `$create_access_request.id` is the member `id` of what that tool answered
//! last.

use anyhow::{Context as _, bail};
use askfirst_agent::{
    messages::{AssistantMessage, Message, ToolCall},
    model::ScriptedModel,
};
use serde::Deserialize;
use serde_json::Value;
use std::path::Path;

#[derive(Deserialize)]
#[serde(untagged, deny_unknown_fields)]
enum Step {
    Say {
        say: String,
    },
    Call {
        call: String,
        #[serde(default)]
        args: serde_json::Map<String, Value>,
    },
}

/// Reads a script.
pub(super) fn read(file: &Path) -> anyhow::Result<ScriptedModel> {
    let shown = file.display();
    let text = std::fs::read_to_string(file).with_context(|| format!("can't read the script {shown}"))?;
    let steps: Vec<Step> =
        serde_json::from_str(&text).with_context(|| format!("the script {shown} does not read"))?;
    if steps.is_empty() {
        bail!("the script {shown} has no steps");
    }
    Ok(steps.into_iter().enumerate().fold(ScriptedModel::new(), |model, (number, step)| match step {
        Step::Say { say } => model.step(move |messages| {
            let said = filled(&Value::String(say.clone()), messages);
            AssistantMessage::text(said.as_str().map_or_else(|| said.to_string(), ToOwned::to_owned))
        }),
        Step::Call { call, args } => model.step(move |messages| {
            let args = filled(&Value::Object(args.clone()), messages);
            AssistantMessage::calls([ToolCall::new(format!("call_{}", number + 1), call.clone(), args)])
        }),
    }))
}

/// The arguments with references replaced. A reference to nothing stays as it is, and the tool will refuse it.
fn filled(value: &Value, messages: &[Message]) -> Value {
    match value {
        Value::Object(members) => Value::Object(
            members.iter().map(|(name, value)| (name.clone(), filled(value, messages))).collect(),
        ),
        Value::Array(items) => Value::Array(items.iter().map(|item| filled(item, messages)).collect()),
        Value::String(text) => text
            .strip_prefix('$')
            .and_then(|path| referenced(path, messages))
            .unwrap_or_else(|| value.clone()),
        other => other.clone(),
    }
}

fn referenced(path: &str, messages: &[Message]) -> Option<Value> {
    let (tool, members) = path.split_once('.')?;
    let result = last_result(messages, tool)?;
    members.split('.').try_fold(result, |value, member| value.get(member).cloned())
}

/// What a tool answered last, when it was JSON.
pub(crate) fn last_result(messages: &[Message], tool: &str) -> Option<Value> {
    messages.iter().rev().find_map(|message| match message {
        Message::Tool(result) if result.name == tool => serde_json::from_str(&result.content).ok(),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use askfirst_agent::messages::{ToolMessage, ToolStatus};
    use serde_json::json;

    #[test]
    fn references_are_taken_from_the_last_result() {
        let call = ToolCall::new("call_1", "create_access_request", json!({}));
        let result = |text: &str| Message::Tool(ToolMessage::of(&call, ToolStatus::Success, text));
        let messages = [result(r#"{"id": "old"}"#), result(r#"{"id": "new", "who": {"key": "henry"}}"#)];
        let args = json!({"request_id": "$create_access_request.id", "list": ["$create_access_request.who.key", "$x.y"]});
        assert_eq!(filled(&args, &messages), json!({"request_id": "new", "list": ["henry", "$x.y"]}));
    }

    #[test]
    fn a_script_that_does_not_read_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("script.json");
        for text in ["", "[]", r#"[{"shout": "x"}]"#, r#"[{"say": "x", "call": "y"}]"#] {
            std::fs::write(&file, text).unwrap();
            assert!(read(&file).is_err(), "{text}");
        }
    }
}
