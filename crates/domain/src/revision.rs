//! Where in the history of an environment an answer stands, as a text that callers hand back.

use crate::id::EnvId;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::{fmt, str::FromStr};
use thiserror::Error;
use uuid::Uuid;

/// The form that is written; a reader that finds another one does not guess.
const FORM: u8 = 1;
/// The form, two UUIDs and a number of eight bytes.
const BYTES: usize = 1 + 16 + 16 + 8;
/// [`BYTES`] in base64 without padding.
const CHARACTERS: usize = (BYTES * 4).div_ceil(3);

/// A revision of an environment, within the history that the epoch names. Its text is for handing back, not for reading:
/// 55 characters of the URL-safe base64 alphabet. It is no secret and opens nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RevisionToken {
    /// The history; a restored backup begins another one.
    pub epoch: Uuid,
    pub env: EnvId,
    pub revision: u64,
}

/// A text that no answer has given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("this is not a revision token; send one as an answer of this server has given it")]
pub struct NoToken;

impl fmt::Display for RevisionToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = [FORM; BYTES];
        let [_, rest @ ..] = &mut bytes;
        let (epoch, rest) = rest.split_first_chunk_mut().ok_or(fmt::Error)?;
        let (env, rest) = rest.split_first_chunk_mut().ok_or(fmt::Error)?;
        *epoch = self.epoch.into_bytes();
        *env = self.env.uuid().into_bytes();
        *rest.first_chunk_mut().ok_or(fmt::Error)? = self.revision.to_be_bytes();
        let mut text = [0; CHARACTERS];
        let written = URL_SAFE_NO_PAD.encode_slice(bytes, &mut text).map_err(|_| fmt::Error)?;
        let text = text.get(..written).and_then(|text| std::str::from_utf8(text).ok()).ok_or(fmt::Error)?;
        f.write_str(text)
    }
}

impl FromStr for RevisionToken {
    type Err = NoToken;

    fn from_str(text: &str) -> Result<Self, NoToken> {
        // The length first: what is decoded never outgrows the buffer.
        if text.len() != CHARACTERS {
            return Err(NoToken);
        }
        let mut bytes = [0; BYTES];
        let read = URL_SAFE_NO_PAD.decode_slice(text, &mut bytes).map_err(|_| NoToken)?;
        let ([FORM], rest) = bytes.split_first_chunk().ok_or(NoToken)? else { return Err(NoToken) };
        let (epoch, rest) = rest.split_first_chunk().ok_or(NoToken)?;
        let (env, rest) = rest.split_first_chunk().ok_or(NoToken)?;
        let revision = rest.first_chunk().filter(|_| read == BYTES).ok_or(NoToken)?;
        Ok(Self {
            epoch: Uuid::from_bytes(*epoch),
            env: EnvId::new(Uuid::from_bytes(*env)),
            revision: u64::from_be_bytes(*revision),
        })
    }
}

impl Serialize for RevisionToken {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}
impl<'de> Deserialize<'de> for RevisionToken {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        String::deserialize(d)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn token(epoch: u128, env: u128, revision: u64) -> RevisionToken {
        RevisionToken { epoch: Uuid::from_u128(epoch), env: EnvId::new(Uuid::from_u128(env)), revision }
    }

    proptest! {
        #[test]
        fn a_token_reads_as_it_was_written(epoch: u128, env: u128, revision: u64) {
            let token = token(epoch, env, revision);
            let text = token.to_string();
            prop_assert_eq!(text.len(), CHARACTERS);
            prop_assert!(text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_'));
            prop_assert_eq!(text.parse(), Ok(token));
            let json = serde_json::to_string(&token).unwrap();
            prop_assert_eq!(serde_json::from_str::<RevisionToken>(&json).unwrap(), token);
        }

        #[test]
        fn other_texts_are_refused(text in "\\PC{0,80}") {
            prop_assert_eq!(text.parse::<RevisionToken>(), Err(NoToken));
        }

        /// One text for each token: what reads is what would be written.
        #[test]
        fn no_token_has_two_texts(revision: u64, place in 0..CHARACTERS, byte in "[A-Za-z0-9_-]") {
            let mut text = token(3, 4, revision).to_string();
            text.replace_range(place..=place, &byte);
            if let Ok(other) = text.parse::<RevisionToken>() {
                prop_assert_eq!(other.to_string(), text);
            }
        }
    }

    #[test]
    fn another_form_is_refused() {
        let mut bytes = URL_SAFE_NO_PAD.decode(token(1, 2, 3).to_string()).unwrap();
        bytes[0] = FORM + 1;
        assert_eq!(URL_SAFE_NO_PAD.encode(&bytes).parse::<RevisionToken>(), Err(NoToken));
        for short in [&bytes[..0], &bytes[..BYTES - 1]] {
            assert_eq!(URL_SAFE_NO_PAD.encode(short).parse::<RevisionToken>(), Err(NoToken));
        }
    }
}
