//! The canonical form (RFC 8785) of a value is the value, is its own canonical form, and is what digests are of.

#![no_main]

use askfirst_domain::{
    Digest,
    binding::{Binding, Call},
    id::{EnvId, UserId},
};
use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use uuid::Uuid;

fuzz_target!(|data: &[u8]| {
    let Ok(value) = serde_json::from_slice::<Value>(data) else { return };
    let Ok(digest) = Digest::of_json(&value) else { return };
    let text = serde_json_canonicalizer::to_vec(&value).expect("what has a digest has a canonical form");
    assert_eq!(Digest::of_bytes(&text), digest);
    let again: Value = serde_json::from_slice(&text).expect("the canonical form is JSON");
    assert_eq!(serde_json_canonicalizer::to_vec(&again).expect("it has one"), text);
    // However it is spelled, it is the same value.
    let spelled = serde_json::to_string_pretty(&value).expect("JSON");
    let spelled: Value = serde_json::from_str(&spelled).expect("JSON");
    assert_eq!(Digest::of_json(&spelled).expect("it has one"), digest);
    bound(value);
});

/// What a call is bound to differs in its arguments if and only if its digest does.
fn bound(arguments: Value) {
    let (env, user) = (EnvId::new(Uuid::from_u128(1)), UserId::new(Uuid::from_u128(2)));
    let call = |arguments| Call { action: "order".to_owned(), arguments, context: Default::default() };
    let bind = |arguments| Binding::new(env, user, None, "dish:pizza".to_owned(), call(arguments));
    let Ok(first) = bind(arguments.clone()) else { return };
    let same = bind(arguments.clone()).expect("it was bound before");
    assert_eq!(first.difference(&same), None);
    let other = bind(Value::Array(vec![arguments, Value::Null]));
    if let Ok(other) = other {
        assert_eq!(first.difference(&other), Some("arguments"));
    }
}
