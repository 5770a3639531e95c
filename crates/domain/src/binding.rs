//! What an approval is bound to: exactly this call, by this person through this agent, on this thing.
//!
//! The digest is SHA-256 over the canonical JSON (RFC 8785) of seven members, and nothing else:
//!
//! ```json
//! {"environment": ID, "subject": USER_ID, "agent": AGENT_ID or null, "action": "...", "resource": "type:key",
//!  "arguments": ..., "context": {...}}
//! ```
//!
//! It is fixed when the request is opened, shown to whoever decides, and compared when the approval is spent. So what was
//! shown is what runs.

use crate::{
    Digest,
    id::{AgentId, EnvId, UserId},
    principal::Principal,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use thiserror::Error;

/// The longest name of an action or tool, in characters.
pub const MAX_ACTION: usize = 200;
/// How much room the arguments and the context of a call may take together, as canonical JSON, in bytes.
pub const MAX_CALL: usize = 64 * 1024;
/// Whole numbers beyond it are not told apart by a JSON number (RFC 8785 takes them as IEEE 754 doubles).
const EXACT: u64 = 1 << 53;

/// A call that somebody is to look at before it is made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Call {
    /// The action, or the name of the tool.
    pub action: String,
    /// What it is called with.
    pub arguments: Value,
    /// What else decides about it: the environment of the call as far as it matters.
    pub context: Map<String, Value>,
}

/// What an approval is bound to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Binding {
    pub environment: EnvId,
    pub subject: UserId,
    /// The agent, when an agent asked; none for the person themselves or their server. See [`agent_of`].
    pub agent: Option<AgentId>,
    /// `type:key`, or `tenant:key` for a role in a tenant.
    pub resource: String,
    pub call: Call,
    /// Of all this; see [`Binding::new`].
    pub digest: Digest,
}

/// Why a call can't be bound.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CallError {
    /// No name, or a very long one.
    #[error("the action must have between 1 and {MAX_ACTION} characters")]
    Action,
    /// Two different numbers would have one digest.
    #[error("the number {0} can't be told from its neighbours in JSON; write it as a text")]
    Number(String),
    /// Too large to be looked at.
    #[error("the arguments and the context may take {MAX_CALL} bytes together; these take {0}")]
    TooLarge(usize),
    /// It has no canonical form.
    #[error("the call has no canonical JSON: {0}")]
    NotCanonical(String),
}

impl Call {
    /// Whether each other call has another digest, and a person can look at it.
    ///
    /// # Errors
    /// See [`CallError`].
    pub fn check(&self) -> Result<(), CallError> {
        if self.action.trim().is_empty() || self.action.chars().count() > MAX_ACTION {
            return Err(CallError::Action);
        }
        check_numbers(&self.arguments)?;
        self.context.values().try_for_each(check_numbers)?;
        let both = json!([self.arguments, self.context]);
        let bytes =
            serde_json_canonicalizer::to_vec(&both).map_err(|e| CallError::NotCanonical(e.to_string()))?;
        if bytes.len() > MAX_CALL { Err(CallError::TooLarge(bytes.len())) } else { Ok(()) }
    }
}

fn check_numbers(value: &Value) -> Result<(), CallError> {
    match value {
        Value::Number(n) => {
            let whole = n.as_u64().or_else(|| n.as_i64().map(i64::unsigned_abs));
            if whole.is_some_and(|whole| whole > EXACT) {
                return Err(CallError::Number(n.to_string()));
            }
            Ok(())
        }
        Value::Array(items) => items.iter().try_for_each(check_numbers),
        Value::Object(members) => members.values().try_for_each(check_numbers),
        Value::Null | Value::Bool(_) | Value::String(_) => Ok(()),
    }
}

impl Binding {
    /// Binds a call.
    ///
    /// # Errors
    /// See [`CallError`].
    pub fn new(
        environment: EnvId,
        subject: UserId,
        agent: Option<AgentId>,
        resource: String,
        call: Call,
    ) -> Result<Self, CallError> {
        call.check()?;
        let bound = json!({
            "environment": environment,
            "subject": subject,
            "agent": agent,
            "action": call.action,
            "resource": resource,
            "arguments": call.arguments,
            "context": call.context,
        });
        let digest = Digest::of_json(&bound).map_err(|e| CallError::NotCanonical(e.to_string()))?;
        Ok(Self { environment, subject, agent, resource, call, digest })
    }

    /// The same with other arguments, and so with another digest.
    ///
    /// # Errors
    /// See [`CallError`].
    pub fn with_arguments(&self, arguments: Value) -> Result<Self, CallError> {
        let call = Call { arguments, ..self.call.clone() };
        Self::new(self.environment, self.subject, self.agent, self.resource.clone(), call)
    }

    /// Names the first member in which another binding differs, for a sentence; none when the digests are equal.
    pub fn difference(&self, other: &Self) -> Option<&'static str> {
        if self.digest == other.digest {
            return None;
        }
        let members = [
            ("environment", self.environment == other.environment),
            ("user", self.subject == other.subject),
            ("agent", self.agent == other.agent),
            ("resource", self.resource == other.resource),
            ("action", self.call.action == other.call.action),
            ("arguments", self.call.arguments == other.call.arguments),
        ];
        Some(members.into_iter().find(|(_, same)| !same).map_or("context", |(member, _)| member))
    }
}

/// The agent through which somebody acts: a registered one, or else whatever holds a key, which has the key's id. An agent that
/// was registered for a key has that id, too, so what was bound to the key before is bound to the agent.
pub fn agent_of(principal: &Principal) -> Option<AgentId> {
    match principal {
        Principal::Agent { agent: Some(agent), .. } => Some(*agent),
        Principal::Agent { via, .. } | Principal::TrustedAgent { via, .. } => Some(AgentId::new(via.uuid())),
        Principal::ApiKey { .. } | Principal::User { .. } | Principal::System { .. } | Principal::Erased => {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Id;
    use proptest::prelude::*;
    use uuid::Uuid;

    fn id<K>(n: u128) -> Id<K> {
        Id::new(Uuid::from_u128(n))
    }

    fn call(arguments: Value) -> Call {
        Call { action: "refund".to_owned(), arguments, context: Map::new() }
    }

    fn bind(arguments: Value) -> Result<Binding, CallError> {
        Binding::new(id(1), id(2), Some(id(3)), "orders:8812".to_owned(), call(arguments))
    }

    #[test]
    fn the_digest_is_of_the_documented_json() {
        let bound = bind(json!({"amount": 420, "currency": "EUR"})).unwrap();
        let text = concat!(
            r#"{"action":"refund","agent":"00000000-0000-0000-0000-000000000003","#,
            r#""arguments":{"amount":420,"currency":"EUR"},"context":{},"#,
            r#""environment":"00000000-0000-0000-0000-000000000001","resource":"orders:8812","#,
            r#""subject":"00000000-0000-0000-0000-000000000002"}"#
        );
        assert_eq!(bound.digest, Digest::of_bytes(text.as_bytes()));
    }

    #[test]
    fn whatever_differs_is_named_and_has_another_digest() {
        let base = bind(json!({"amount": 1})).unwrap();
        let of = |env, subject, agent, resource: &str, call| {
            Binding::new(id(env), id(subject), agent, resource.to_owned(), call).unwrap()
        };
        let same = call(json!({"amount": 1.0}));
        let context = Map::from_iter([("ip".to_owned(), json!("::1"))]);
        for (other, member) in [
            (of(9, 2, Some(id(3)), "orders:8812", same.clone()), "environment"),
            (of(1, 9, Some(id(3)), "orders:8812", same.clone()), "user"),
            (of(1, 2, Some(id(9)), "orders:8812", same.clone()), "agent"),
            (of(1, 2, None, "orders:8812", same.clone()), "agent"),
            (of(1, 2, Some(id(3)), "orders:8813", same.clone()), "resource"),
            (
                of(1, 2, Some(id(3)), "orders:8812", Call { action: "pay".to_owned(), ..same.clone() }),
                "action",
            ),
            (of(1, 2, Some(id(3)), "orders:8812", call(json!({"amount": 2}))), "arguments"),
            (of(1, 2, Some(id(3)), "orders:8812", Call { context, ..call(json!({"amount": 1})) }), "context"),
        ] {
            assert_eq!(base.difference(&other), Some(member));
        }
        assert_eq!(
            base.difference(&of(1, 2, Some(id(3)), "orders:8812", same)),
            None,
            "1 and 1.0 are one number"
        );
    }

    #[test]
    fn what_could_hide_a_change_is_refused() {
        assert_eq!(
            bind(json!([9_007_199_254_740_993_u64])).unwrap_err().to_string(),
            "the number 9007199254740993 can't be told from its neighbours in JSON; write it as a text"
        );
        assert!(matches!(bind(json!({"a": {"b": i64::MIN}})), Err(CallError::Number(_))));
        assert!(matches!(bind(json!("x".repeat(MAX_CALL))), Err(CallError::TooLarge(_))));
        let nameless = Call { action: " ".to_owned(), ..call(Value::Null) };
        assert_eq!(nameless.check(), Err(CallError::Action));
    }

    fn values() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            (-50_i64..50).prop_map(Value::from),
            "[a-c]{0,2}".prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 12, 3, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
                prop::collection::hash_map("[a-c]", inner, 0..3)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn digests_are_equal_for_equal_arguments_alone(a in values(), b in values()) {
            let (left, right) = (bind(a.clone()).unwrap(), bind(b.clone()).unwrap());
            prop_assert_eq!(left.digest == right.digest, a == b);
            prop_assert_eq!(left.with_arguments(b).unwrap().digest, right.digest);
        }
    }
}
