//! One spelling for a JSON value, and its digest.
//!
//! What a human was shown and what runs later are compared by digest, so the same value must always
//! give the same bytes (RFC 8785) and two different values never may.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use std::fmt;

/// SHA-256 over the canonical JSON of a value, written as 64 lower-case hex digits.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Digest(String);

/// A value that has no canonical spelling.
#[derive(Debug, thiserror::Error)]
#[error("the value cannot be written as canonical JSON: {0}")]
pub struct CanonicalError(#[from] serde_json::Error);

impl Digest {
    /// The digest of `value`. Object keys are sorted first, so key order does not matter.
    ///
    /// # Errors
    /// The value cannot be written as canonical JSON.
    pub fn of(value: &Value) -> Result<Self, CanonicalError> {
        let bytes = serde_json_canonicalizer::to_vec(&exact_numbers(value))?;
        Ok(Self(hex::encode(Sha256::digest(bytes))))
    }

    /// The 64 hex digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Largest integer that a JSON number keeps exactly in RFC 8785, where every number is a double.
const EXACT: u64 = 1 << 53;

/// RFC 8785 rounds integers above 2^53, which would give two different amounts one digest. Such
/// integers are replaced by a marked string that no real string equals: real strings that start with
/// the mark get it doubled.
fn exact_numbers(value: &Value) -> Value {
    const MARK: char = '\u{1}';
    match value {
        Value::Number(n) => {
            let wide = n.as_u64().map(|v| v > EXACT).or_else(|| n.as_i64().map(|v| v.unsigned_abs() > EXACT));
            if wide == Some(true) { Value::String(format!("{MARK}{n}")) } else { value.clone() }
        }
        Value::String(s) if s.starts_with(MARK) => Value::String(format!("{MARK}{s}")),
        Value::Array(items) => Value::Array(items.iter().map(exact_numbers).collect()),
        Value::Object(map) => Value::Object(map.iter().map(|(k, v)| (k.clone(), exact_numbers(v))).collect()),
        other => other.clone(),
    }
}

/// A short stable id made from several parts; each part is length-prefixed, so parts cannot run
/// into each other.
pub(crate) fn derived_id(parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    let mut text = hex::encode(hash.finalize());
    text.truncate(32);
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn key_order_does_not_matter_but_values_do() {
        let a = Digest::of(&json!({"a": 1, "b": [1, 2]})).unwrap();
        assert_eq!(a, Digest::of(&json!({"b": [1, 2], "a": 1})).unwrap());
        assert_ne!(a, Digest::of(&json!({"b": [2, 1], "a": 1})).unwrap());
        assert_eq!(a, Digest::of(&json!({"a": 1.0, "b": [1, 2]})).unwrap(), "1 and 1.0 are one JSON number");
    }

    #[test]
    fn large_integers_do_not_collapse() {
        let odd = Digest::of(&json!({"amount": 9_007_199_254_740_993_u64})).unwrap();
        assert_ne!(odd, Digest::of(&json!({"amount": 9_007_199_254_740_992_u64})).unwrap());
        assert_ne!(odd, Digest::of(&json!({"amount": "9007199254740993"})).unwrap());
        assert_ne!(odd, Digest::of(&json!({"amount": "\u{1}9007199254740993"})).unwrap());
    }

    #[test]
    fn known_digest() {
        // sha256 of the two bytes "{}"
        assert_eq!(
            Digest::of(&json!({})).unwrap().as_str(),
            "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
        );
    }
}
