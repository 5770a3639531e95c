//! The digest of a JSON value: SHA-256 over its canonical form (RFC 8785), so that two spellings of the same value
//! have the same digest and any other value has another.

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::fmt;

/// A SHA-256 digest, written as 64 lower-case hexadecimal digits.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Digest(String);

impl Digest {
    /// The digest of `value`, as JSON in canonical form (RFC 8785).
    ///
    /// # Errors
    /// When the value has no canonical form (a number that JSON can't carry).
    pub fn of_json(value: &impl Serialize) -> Result<Self, serde_json::Error> {
        Ok(Self::of_bytes(&serde_json_canonicalizer::to_vec(value)?))
    }

    /// The digest of `bytes`.
    pub fn of_bytes(bytes: &[u8]) -> Self {
        let mut digits = [0; 64];
        // 32 bytes have 64 digits, which are text: neither fails. It is quicker than a text that grows digit by digit.
        let _ = hex::encode_to_slice(Sha256::digest(bytes), &mut digits);
        Self(std::str::from_utf8(&digits).unwrap_or_default().to_owned())
    }

    /// The 64 hexadecimal digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn spelling_does_not_matter_and_content_does() -> Result<(), serde_json::Error> {
        let a: serde_json::Value = serde_json::from_str(r#"{"b": 1.0, "a": "\u0041"}"#)?;
        assert_eq!(Digest::of_json(&a)?, Digest::of_json(&json!({"a": "A", "b": 1}))?);
        assert_ne!(Digest::of_json(&a)?, Digest::of_json(&json!({"a": "A", "b": 2}))?);
        assert_eq!(
            Digest::of_bytes(b"").as_str(),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        );
        Ok(())
    }
}
