//! Secrets: made here, shown once, kept as hashes.

use crate::context::{Entropy, EntropyError};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest as _, Sha256};
use std::fmt;

/// A secret that was just made or was just presented. Never printed by accident.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// Takes a secret that a caller presented.
    pub fn presented(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Makes one with 256 random bits behind a prefix that says what it is (`askfirst_key_`).
    pub(crate) fn make(prefix: &str, entropy: &dyn Entropy) -> Result<Self, EntropyError> {
        let mut bytes = [0_u8; 32];
        entropy.fill(&mut bytes)?;
        Ok(Self(format!("{prefix}{}", URL_SAFE_NO_PAD.encode(bytes))))
    }

    /// SHA-256 as hexadecimal digits: what is stored and looked up. The secrets have 256 random bits, so neither a slow
    /// hash nor a constant-time look-up of the hash would add anything.
    pub fn hash(&self) -> String {
        let mut digits = [0; 64];
        // 32 bytes have 64 digits, which are text: neither fails. Each call does this, and a text that grows is slower.
        let _ = hex::encode_to_slice(Sha256::digest(self.0.as_bytes()), &mut digits);
        std::str::from_utf8(&digits).unwrap_or_default().to_owned()
    }

    /// The text, for showing it once to whom it belongs.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}
