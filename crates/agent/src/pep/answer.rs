//! What a decision point and an access request service answered, read with suspicion: whatever is not plainly a permit
//! or an approval is none.

use serde_json::Value;
use std::time::Duration;

/// What an evaluation means for whoever enforces it.
#[derive(Clone, PartialEq, Eq)]
pub enum Decision {
    /// `decision` is true.
    Permit,
    /// Anything else.
    Deny(Next),
}

/// What may be done about a denial.
#[derive(Clone, PartialEq, Eq)]
pub enum Next {
    /// It can be asked about; this is the answer's `context.access_request`.
    Ask(Value),
    /// Evaluate again after a while.
    Retry(Duration),
    /// Nothing.
    Nothing,
}

/// How a task, or one item of a bundle, stands.
#[derive(Clone, PartialEq, Eq)]
pub enum Progress {
    /// Nobody has decided yet.
    Wait,
    /// Evaluate again with this in `context.approval`, unchanged.
    Present(Value),
    /// Over, or not understood.
    Over,
}

/// The answers hold tokens, so only their kind is shown.
macro_rules! shows_its_kind {
    ($name:ident, $($pattern:pat => $kind:literal),+) => {
        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(match self { $($pattern => $kind),+ })
            }
        }
    };
}
shows_its_kind!(Decision, Self::Permit => "Permit", Self::Deny(Next::Ask(_)) => "Deny(Ask)",
    Self::Deny(Next::Retry(_)) => "Deny(Retry)", Self::Deny(Next::Nothing) => "Deny(Nothing)");
shows_its_kind!(Next, Self::Ask(_) => "Ask", Self::Retry(_) => "Retry", Self::Nothing => "Nothing");
shows_its_kind!(Progress, Self::Wait => "Wait", Self::Present(_) => "Present", Self::Over => "Over");

/// Reads the answer of an evaluation. Obligations are not executed here, so an answer that carries any (or a member
/// of that name which can't be read) is a denial.
pub fn decision(answer: &Value) -> Decision {
    let context = answer.get("context");
    let obliged = match context.and_then(|context| context.get("obligations")) {
        None => false,
        Some(Value::Array(obligations)) => !obligations.is_empty(),
        Some(_) => true,
    };
    if answer.get("decision") == Some(&Value::Bool(true)) {
        return if obliged { Decision::Deny(Next::Nothing) } else { Decision::Permit };
    }
    if answer.get("decision") != Some(&Value::Bool(false)) {
        return Decision::Deny(Next::Nothing);
    }
    Decision::Deny(context.map_or(Next::Nothing, next))
}

fn next(context: &Value) -> Next {
    let ask = || match context.get("access_request") {
        Some(request) if request.is_object() => Next::Ask(request.clone()),
        _ => Next::Nothing,
    };
    match context.get("next_action") {
        None => ask(),
        Some(action) => match action.as_str() {
            Some("request") => ask(),
            Some("retry") => context
                .get("retry_after")
                .and_then(Value::as_u64)
                .map_or(Next::Nothing, |seconds| Next::Retry(Duration::from_secs(seconds))),
            _ => Next::Nothing,
        },
    }
}

/// Reads how a task stands. `now` is compared with the approval's end.
pub fn progress(answer: &Value, now: Timestamp<'_>) -> Progress {
    let status = answer.get("task").and_then(|task| task.get("status")).and_then(Value::as_str);
    stands(status, answer.get("result"), now)
}

/// Reads how each item of a bundle stands; each counts for itself, whatever the task as a whole says.
pub fn items(answer: &Value, now: Timestamp<'_>) -> Vec<Progress> {
    let items = answer.pointer("/task/items").and_then(Value::as_array);
    items
        .into_iter()
        .flatten()
        .map(|item| stands(item.get("status").and_then(Value::as_str), item.get("result"), now))
        .collect()
}

/// Whether the end of something has come. One that can't be read never comes.
pub(super) fn is_over(end: &str, now: Timestamp<'_>) -> bool {
    match (Timestamp(end).seconds(), now.seconds()) {
        (Some(end), Some(now)) => end <= now,
        _ => false,
    }
}

/// A moment as RFC 3339 in UTC writes it: `2026-11-24T03:10:00Z`, with or without a fraction.
#[derive(Debug, Clone, Copy)]
pub struct Timestamp<'a>(pub &'a str);

impl Timestamp<'_> {
    /// The seconds, where it is written in the one way that can be compared as text.
    fn seconds(&self) -> Option<&str> {
        let text = self.0.strip_suffix('Z')?;
        let (seconds, fraction) = text.split_once('.').unwrap_or((text, "0"));
        let shape = b"dddd-dd-ddTdd:dd:dd";
        let fits = seconds.len() == shape.len()
            && seconds
                .bytes()
                .zip(shape)
                .all(|(byte, &want)| if want == b'd' { byte.is_ascii_digit() } else { byte == want })
            && !fraction.is_empty()
            && fraction.bytes().all(|byte| byte.is_ascii_digit());
        fits.then_some(seconds)
    }
}

fn stands(status: Option<&str>, result: Option<&Value>, now: Timestamp<'_>) -> Progress {
    match status {
        Some("pending") => Progress::Wait,
        Some("approved") => {
            let Some(result) = result else { return Progress::Over };
            let reevaluate = result.get("mode").and_then(Value::as_str) == Some("reevaluate");
            match result.get("approval") {
                Some(approval) if reevaluate && counts(approval, now) => Progress::Present(approval.clone()),
                _ => Progress::Over,
            }
        }
        _ => Progress::Over,
    }
}

/// Whether an approval still counts. One whose end can't be read does not; one without an end is left to the server.
fn counts(approval: &Value, now: Timestamp<'_>) -> bool {
    if !approval.is_object() {
        return false;
    }
    match approval.get("approved_until") {
        None => true,
        Some(until) => {
            match (until.as_str().map(Timestamp).as_ref().and_then(Timestamp::seconds), now.seconds()) {
                (Some(until), Some(now)) => now < until,
                _ => false,
            }
        }
    }
}
