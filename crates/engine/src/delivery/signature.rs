//! Signatures of the Standard Webhooks specification: symmetric, version 1.

use crate::{Entropy, EntropyError};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use std::{fmt, str::FromStr};
use thiserror::Error;
use uuid::Uuid;

/// How a secret begins.
const PREFIX: &str = "whsec_";
/// How many bytes a secret has (Standard Webhooks, "Signature scheme").
const BYTES: std::ops::RangeInclusive<usize> = 24..=64;

/// What a receiver checks signatures with. Written `whsec_` and base64 of 24 to 64 random bytes; never printed by accident.
#[derive(Clone)]
pub struct SigningSecret(Vec<u8>);

/// A text that is no secret of this kind. Says nothing of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error(
    "a webhook's secret is written `whsec_` and then 24 to 64 random bytes in base64; `openssl rand -base64 32` makes the second part"
)]
pub struct BadSecret;

impl FromStr for SigningSecret {
    type Err = BadSecret;

    fn from_str(text: &str) -> Result<Self, BadSecret> {
        let bytes = text.trim().strip_prefix(PREFIX).and_then(|rest| STANDARD.decode(rest).ok());
        bytes.filter(|bytes| BYTES.contains(&bytes.len())).map(Self).ok_or(BadSecret)
    }
}

impl fmt::Debug for SigningSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningSecret(…)")
    }
}

impl SigningSecret {
    /// The text of a new one.
    pub(super) fn make(entropy: &dyn Entropy) -> Result<String, EntropyError> {
        let mut bytes = [0_u8; 32];
        entropy.fill(&mut bytes)?;
        Ok(format!("{PREFIX}{}", STANDARD.encode(bytes)))
    }

    /// The value of `webhook-signature` for a message: `v1,` and the base64 of HMAC-SHA256 over `ID.SECONDS.BODY`.
    pub(super) fn sign(&self, id: Uuid, seconds: i64, body: &[u8]) -> Result<String, BadSecret> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).map_err(|_| BadSecret)?;
        mac.update(format!("{id}.{seconds}.").as_bytes());
        mac.update(body);
        Ok(format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_read_and_not_shown() {
        let secret: SigningSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".parse().unwrap();
        assert_eq!(secret.0.len(), 24);
        assert_eq!(format!("{secret:?}"), "SigningSecret(…)");
        for bad in [
            "",
            "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            "whsec_",
            "whsec_MfKQ",
            "whsec_%%%%",
            "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS",
        ] {
            assert_eq!(bad.parse::<SigningSecret>().err(), Some(BadSecret), "{bad}");
        }
    }

    /// Computed with `hmac.new(b64decode(...), b"ID.SECONDS.BODY", "sha256")` in Python.
    #[test]
    fn a_signature_is_that_of_the_specification() {
        let secret: SigningSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".parse().unwrap();
        let id = Uuid::from_u128(1);
        let body = br#"{"test": 2432232314}"#;
        assert_eq!(
            secret.sign(id, 1_614_265_330, body).as_deref(),
            Ok("v1,iCxWDzOB1td6pu5wFuJotaWTEKkcYodMae2NqIIaffg=")
        );
        assert_ne!(secret.sign(id, 1_614_265_331, body), secret.sign(id, 1_614_265_330, body));
        assert_ne!(
            secret.sign(Uuid::from_u128(2), 1_614_265_330, body),
            secret.sign(id, 1_614_265_330, body)
        );
    }
}
