//! The hooks of Claude Code: an event as JSON on standard input, an answer as JSON on standard output and exit code 0. Exit
//! code 2 blocks, with the sentence on standard error; any other code would let the call go on.

use askfirst_mcp::bridge::{Ending, GatedCall};
use serde_json::{Map, Value, json};

/// What happened, as far as a hook of ours has a say in it.
#[derive(Debug, PartialEq)]
pub(super) enum Event {
    /// A tool is about to be called.
    Before(Asking, GatedCall),
    /// It was.
    After(GatedCall, Ending, Option<String>),
}

/// Which of the two events that ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asking {
    /// Before each call, ahead of the program's own rules.
    PreToolUse,
    /// Where the program would have asked the person in front of it.
    PermissionRequest,
}

/// What is answered.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Answer {
    /// `changed`: the arguments, where they are not those of the call.
    Allow {
        reason: String,
        changed: Option<Map<String, Value>>,
    },
    Deny(String),
    /// The program asks the person in front of it.
    Ask(String),
}

/// Reads an event.
///
/// # Errors
/// One sentence; the call must not be made then.
pub(super) fn read(text: &str) -> Result<Event, String> {
    let event: Value =
        serde_json::from_str(text).map_err(|e| format!("the event on standard input is no JSON: {e}"))?;
    let word = |name: &str| event.get(name).and_then(Value::as_str);
    let name = word("hook_event_name").ok_or("the event does not say what it is in `hook_event_name`")?;
    let call = || gated(&event);
    match name {
        "PreToolUse" => Ok(Event::Before(Asking::PreToolUse, call()?)),
        "PermissionRequest" => Ok(Event::Before(Asking::PermissionRequest, call()?)),
        "PostToolUse" => Ok(Event::After(call()?, Ending::Succeeded, None)),
        "PostToolUseFailure" => Ok(Event::After(call()?, Ending::Failed, word("error").map(first_words))),
        other => Err(format!(
            "this hook answers PreToolUse, PermissionRequest, PostToolUse and PostToolUseFailure, and `{other}` is none of \
             them; take it out of the settings for that event"
        )),
    }
}

/// The call of an event. Where it runs decides about it as well.
fn gated(event: &Value) -> Result<GatedCall, String> {
    let word = |name: &str| event.get(name).and_then(Value::as_str).filter(|word| !word.trim().is_empty());
    let tool = word("tool_name").ok_or("the event names no tool in `tool_name`")?;
    let arguments = event.get("tool_input").and_then(Value::as_object);
    let arguments = arguments.ok_or("the event has no object with the tool's arguments in `tool_input`")?;
    let directory = word("cwd").map(|directory| ("cwd".to_owned(), json!(directory)));
    Ok(GatedCall {
        action: tool.to_owned(),
        arguments: arguments.clone(),
        context: directory.into_iter().collect(),
        reason: format!("Claude Code wants to use the tool {tool}."),
    })
}

/// Enough of an error to know it by.
fn first_words(text: &str) -> String {
    text.chars().take(500).collect()
}

/// The answer on standard output; none is printed where there is nothing to say.
pub(super) fn write(asking: Asking, answer: &Answer) -> Option<Value> {
    let said = match (asking, answer) {
        (Asking::PermissionRequest, Answer::Ask(_)) => return None,
        (Asking::PreToolUse, Answer::Allow { reason, changed }) => {
            let mut said = decision("allow", reason);
            insert(&mut said, "updatedInput", changed.as_ref());
            said
        }
        (Asking::PreToolUse, Answer::Deny(reason)) => decision("deny", reason),
        (Asking::PreToolUse, Answer::Ask(reason)) => decision("ask", reason),
        (Asking::PermissionRequest, Answer::Allow { changed, .. }) => {
            let mut said = json!({"behavior": "allow"});
            insert(&mut said, "updatedInput", changed.as_ref());
            json!({"hookEventName": "PermissionRequest", "decision": said})
        }
        (Asking::PermissionRequest, Answer::Deny(reason)) => {
            json!({"hookEventName": "PermissionRequest", "decision": {"behavior": "deny", "message": reason}})
        }
    };
    Some(json!({"hookSpecificOutput": said}))
}

fn decision(word: &str, reason: &str) -> Value {
    json!({"hookEventName": "PreToolUse", "permissionDecision": word, "permissionDecisionReason": reason})
}

fn insert(said: &mut Value, name: &str, value: Option<&Map<String, Value>>) {
    if let (Some(said), Some(value)) = (said.as_object_mut(), value) {
        said.insert(name.to_owned(), Value::Object(value.clone()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As Claude Code sends it.
    fn event(name: &str) -> Value {
        json!({
            "session_id": "3f1c", "transcript_path": "/home/henry/.claude/projects/shop/3f1c.jsonl",
            "cwd": "/home/henry/shop", "permission_mode": "default", "hook_event_name": name,
            "tool_name": "Bash", "tool_input": {"command": "rm -rf build", "description": "Clean"},
            "tool_use_id": "toolu_01",
        })
    }

    fn call() -> GatedCall {
        let Value::Object(arguments) = json!({"command": "rm -rf build", "description": "Clean"}) else {
            panic!()
        };
        GatedCall {
            action: "Bash".to_owned(),
            arguments,
            context: Map::from_iter([("cwd".to_owned(), json!("/home/henry/shop"))]),
            reason: "Claude Code wants to use the tool Bash.".to_owned(),
        }
    }

    #[test]
    fn events_are_read() {
        let read = |event: &Value| read(&event.to_string());
        assert_eq!(read(&event("PreToolUse")), Ok(Event::Before(Asking::PreToolUse, call())));
        assert_eq!(read(&event("PermissionRequest")), Ok(Event::Before(Asking::PermissionRequest, call())));
        assert_eq!(read(&event("PostToolUse")), Ok(Event::After(call(), Ending::Succeeded, None)));
        let mut failed = event("PostToolUseFailure");
        failed["error"] = json!("exit code 1");
        assert_eq!(read(&failed), Ok(Event::After(call(), Ending::Failed, Some("exit code 1".to_owned()))));
    }

    #[test]
    fn what_does_not_read_is_refused() {
        for (text, sentence) in [
            ("", "is no JSON"),
            ("[]", "hook_event_name"),
            (r#"{"hook_event_name":"PreToolUse"}"#, "names no tool"),
            (r#"{"hook_event_name":"PreToolUse","tool_name":" ","tool_input":{}}"#, "names no tool"),
            (r#"{"hook_event_name":"PreToolUse","tool_name":"Bash","tool_input":"rm"}"#, "no object"),
            (r#"{"hook_event_name":"Stop"}"#, "`Stop` is none of them"),
        ] {
            let refused = read(text).unwrap_err();
            assert!(refused.contains(sentence), "{text}: {refused}");
        }
    }

    /// The exact JSON of every answer.
    #[test]
    fn answers() {
        let changed = Map::from_iter([("command".to_owned(), json!("rm -r build"))]);
        let answers = [
            Answer::Allow { reason: "joe approved this call".to_owned(), changed: None },
            Answer::Allow {
                reason: "joe approved it with changed arguments".to_owned(),
                changed: Some(changed),
            },
            Answer::Deny("it was denied by joe".to_owned()),
            Answer::Ask("nobody has decided".to_owned()),
        ];
        let mut lines = Vec::new();
        for asking in [Asking::PreToolUse, Asking::PermissionRequest] {
            lines.extend(answers.iter().map(|answer| {
                write(asking, answer).map_or_else(|| "(nothing)".to_owned(), |json| json.to_string())
            }));
        }
        insta::assert_snapshot!(lines.join("\n"));
    }
}
