//! An access evaluation in the form in which two of them are compared: what an approval over AuthZEN is for.
//!
//! Subject, resource and action count with their properties, the context with the members that matter: all but those that
//! differ from call to call ([`is_volatile`]) and the approval itself. The delegation chain in `subject.properties.act` is
//! no part of it; it is kept beside.

use crate::{Digest, binding::Call};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// The member of the context in which an approval is presented.
pub const APPROVAL: &str = "approval";
/// What a requester may add to the context of a submission: why.
pub const JUSTIFICATION: &str = "justification";
/// The member of the subject's properties that says who acts for it.
pub const ACT: &str = "act";

/// Members of the context that say when and which call, and not what about.
const VOLATILE: [&str; 7] =
    ["time", "timestamp", "nonce", "request_id", "trace_id", "traceparent", "idempotency_key"];

type Members = Map<String, Value>;

/// What was asked, with what matters of its context.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Evaluation {
    subject: Members,
    resource: Members,
    action: Members,
    context: Members,
}

/// Whether a member of the context never matters to what an approval is for.
pub fn is_volatile(member: &str) -> bool {
    member == APPROVAL || member == JUSTIFICATION || VOLATILE.contains(&member)
}

impl Evaluation {
    /// From the objects of a call. Members that the protocol does not know are left out; properties that hold nothing are
    /// none.
    pub fn new(subject: &Members, resource: &Members, action: &Members, context: &Members) -> Self {
        let mut subject = known(subject, &["type", "id"]);
        if let Some(Value::Object(properties)) = subject.get_mut("properties") {
            properties.remove(ACT);
        }
        let context = context.iter().filter(|(name, _)| !is_volatile(name));
        Self {
            subject: without_empty(subject),
            resource: without_empty(known(resource, &["type", "id"])),
            action: without_empty(known(action, &["name"])),
            context: context.map(|(name, value)| (name.clone(), value.clone())).collect(),
        }
    }

    /// The same with only those members of the context.
    #[must_use]
    pub fn within<'m>(mut self, members: impl IntoIterator<Item = &'m str>) -> Self {
        let named: Vec<&str> = members.into_iter().collect();
        self.context.retain(|name, _| named.contains(&name.as_str()));
        self
    }

    /// The names of the members of the context that matter.
    pub fn members(&self) -> impl Iterator<Item = &str> {
        self.context.keys().map(String::as_str)
    }

    pub fn subject(&self) -> &Members {
        &self.subject
    }

    pub fn resource(&self) -> &Members {
        &self.resource
    }

    pub fn action(&self) -> &Members {
        &self.action
    }

    /// `type:id` of the resource.
    pub fn object(&self) -> String {
        let part = |name| self.resource.get(name).and_then(Value::as_str).unwrap_or_default();
        format!("{}:{}", part("type"), part("id"))
    }

    /// SHA-256 over the canonical JSON of `{action, context, resource, subject}`.
    ///
    /// # Errors
    /// When there is a number in it that JSON can't carry.
    pub fn digest(&self) -> Result<Digest, serde_json::Error> {
        Digest::of_json(&json!(self))
    }

    /// As the call that a reviewer looks at and that an approval is bound to. The arguments are the action's properties; the
    /// whole evaluation stands in the context, so that the digest is of all of it.
    pub fn call(&self) -> Call {
        let action = self.action.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
        let arguments = self.action.get("properties").cloned().unwrap_or(Value::Null);
        let context = Members::from_iter([("evaluation".to_owned(), json!(self))]);
        Call { action, arguments, context }
    }

    /// The evaluation that a call was made of.
    pub fn of_call(call: &Call) -> Option<Self> {
        Self::deserialize(call.context.get("evaluation")?).ok()
    }

    /// The first place in which another evaluation differs, for a sentence: `resource.properties.owner`. Numbers are equal
    /// when they are the same number, and what is absent is not null.
    pub fn difference(&self, other: &Self) -> Option<String> {
        let members = [
            ("subject", &self.subject, &other.subject),
            ("resource", &self.resource, &other.resource),
            ("action", &self.action, &other.action),
            ("context", &self.context, &other.context),
        ];
        members.into_iter().find_map(|(name, left, right)| between(name, left, right))
    }
}

fn known(object: &Members, names: &[&str]) -> Members {
    let kept = |name: &String| names.contains(&name.as_str()) || name == "properties";
    object.iter().filter(|(name, _)| kept(name)).map(|(name, value)| (name.clone(), value.clone())).collect()
}

fn without_empty(mut object: Members) -> Members {
    let is_empty = match object.get("properties") {
        Some(Value::Object(properties)) => properties.is_empty(),
        Some(Value::Null) => true,
        _ => false,
    };
    if is_empty {
        object.remove("properties");
    }
    object
}

fn between(path: &str, left: &Members, right: &Members) -> Option<String> {
    let names = left.keys().chain(right.keys().filter(|name| !left.contains_key(*name)));
    names.into_iter().find_map(|name| {
        let path = format!("{path}.{name}");
        match (left.get(name), right.get(name)) {
            (Some(left), Some(right)) => differ(&path, left, right),
            _ => Some(path),
        }
    })
}

fn differ(path: &str, left: &Value, right: &Value) -> Option<String> {
    match (left, right) {
        (Value::Object(left), Value::Object(right)) => between(path, left, right),
        (Value::Array(left), Value::Array(right)) if left.len() == right.len() => {
            left.iter().zip(right).find_map(|(left, right)| differ(path, left, right))
        }
        (Value::Number(_), Value::Number(_)) => {
            let same =
                Digest::of_json(left).ok().is_some_and(|left| Digest::of_json(right).ok() == Some(left));
            (!same).then(|| path.to_owned())
        }
        _ => (left != right).then(|| path.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn members(value: Value) -> Members {
        match value {
            Value::Object(members) => members,
            other => panic!("{other} is no object"),
        }
    }

    fn evaluation(change: impl FnOnce(&mut Value)) -> Evaluation {
        let mut all = json!({
            "subject": {"type": "user", "id": "ann", "properties": {"unit": "a", "act": {"sub": "bot"}}},
            "resource": {"type": "doc", "id": "plan", "properties": {"size": 1, "tags": ["x", "y"]}},
            "action": {"name": "read"},
            "context": {"ip": "::1", "time": "10:00", "deep": {"a": 1, "b": 2}},
        });
        change(&mut all);
        let part = |name: &str| members(all[name].clone());
        Evaluation::new(&part("subject"), &part("resource"), &part("action"), &part("context"))
    }

    #[test]
    fn what_differs_is_named_and_has_another_digest() {
        type Change = fn(&mut Value);
        let base = evaluation(|_| {});
        let cases: [(Change, Option<&str>); 14] = [
            (|all| all["subject"]["id"] = json!("ben"), Some("subject.id")),
            (|all| all["subject"]["properties"]["unit"] = json!("b"), Some("subject.properties.unit")),
            (|all| all["subject"]["properties"]["more"] = Value::Null, Some("subject.properties.more")),
            (|all| all["subject"]["properties"]["act"] = json!({"sub": "other"}), None),
            (|all| all["subject"]["unknown"] = json!(1), None),
            (|all| all["resource"]["properties"]["size"] = json!(1.0), None),
            (|all| all["resource"]["properties"]["size"] = json!("1"), Some("resource.properties.size")),
            (
                |all| all["resource"]["properties"]["tags"] = json!(["y", "x"]),
                Some("resource.properties.tags"),
            ),
            (|all| all["action"]["properties"] = json!({}), None),
            (|all| all["action"]["properties"] = json!({"amount": 2}), Some("action.properties")),
            (|all| all["context"]["time"] = json!("11:00"), None),
            (|all| all["context"]["justification"] = json!("please"), None),
            (|all| all["context"]["deep"] = json!({"b": 2, "a": 1}), None),
            (|all| drop(all["context"].as_object_mut().unwrap().remove("ip")), Some("context.ip")),
        ];
        for (n, (change, named)) in cases.into_iter().enumerate() {
            let other = evaluation(change);
            assert_eq!(base.difference(&other).as_deref(), named, "case {n}");
            assert_eq!(base.digest().unwrap() == other.digest().unwrap(), named.is_none(), "case {n}");
        }
    }

    #[test]
    fn a_call_gives_its_evaluation_back() {
        let base = evaluation(|all| all["action"]["properties"] = json!({"amount": 2}));
        let call = base.call();
        assert_eq!((call.action.as_str(), &call.arguments), ("read", &json!({"amount": 2})));
        assert_eq!(Evaluation::of_call(&call), Some(base));
    }

    #[test]
    fn a_context_can_be_narrowed_to_what_was_named() {
        let base = evaluation(|_| {});
        let wider = evaluation(|all| all["context"]["more"] = json!(1));
        assert_eq!(base.difference(&wider).as_deref(), Some("context.more"));
        let narrowed = wider.within(base.members());
        assert_eq!(base.difference(&narrowed), None);
    }
}
