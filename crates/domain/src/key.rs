//! Keys: the names that people give to things. Two alphabets, from Permit's models: users, and everything else.

use serde::{Deserialize, Deserializer, Serialize};
use std::{borrow::Borrow, fmt, str::FromStr, sync::Arc};
use thiserror::Error;
use uuid::Uuid;

/// The longest key, in bytes.
pub const MAX_KEY_LEN: usize = 128;

/// Why a text is not a key.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum KeyError {
    /// The text is empty.
    #[error("a key must not be empty")]
    Empty,
    /// The text is longer than [`MAX_KEY_LEN`].
    #[error("a key may have {MAX_KEY_LEN} characters at most")]
    TooLong,
    /// A character outside the alphabet.
    #[error("the key `{0}` may hold letters, digits, `-` and `_` only")]
    Alphabet(String),
    /// A character outside the alphabet of user keys.
    #[error("the user key `{0}` may hold letters, digits and `| @ + - . _` only")]
    UserAlphabet(String),
}

macro_rules! key_type {
    ($(#[$doc:meta])* $name:ident, $allowed:expr, $error:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        #[serde(transparent)]
        pub struct $name(Arc<str>);

        impl $name {
            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
        impl FromStr for $name {
            type Err = KeyError;
            fn from_str(s: &str) -> Result<Self, KeyError> {
                let allowed: fn(u8) -> bool = $allowed;
                if s.is_empty() {
                    Err(KeyError::Empty)
                } else if s.len() > MAX_KEY_LEN {
                    Err(KeyError::TooLong)
                } else if s.bytes().all(allowed) {
                    Ok(Self(s.into()))
                } else {
                    Err(KeyError::$error(s.to_owned()))
                }
            }
        }
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                String::deserialize(d)?.parse().map_err(serde::de::Error::custom)
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&self.0, f)
            }
        }
        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }
        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }
    };
}

key_type!(
    /// The key of anything but a user: `^[A-Za-z0-9\-_]+$`, 1 to 128 characters.
    Key,
    |b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'),
    Alphabet
);
key_type!(
    /// The key of a user: `^[A-Za-z0-9|@+\-\._]+$`, 1 to 128 characters.
    UserKey,
    |b| b.is_ascii_alphanumeric() || matches!(b, b'|' | b'@' | b'+' | b'-' | b'.' | b'_'),
    UserAlphabet
);

/// What a caller may write where a thing is named: its key, or its UUID (hyphenated or 32 hexadecimal digits).
///
/// A text that reads as a UUID may still be a key, so look-ups try the id first and the text as a key next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ident {
    text: String,
    uuid: Option<Uuid>,
}

impl Ident {
    /// Takes any text; what it names is decided by the look-up.
    pub fn new(text: impl Into<String>) -> Self {
        let text = text.into();
        let uuid = matches!(text.len(), 32 | 36).then(|| text.parse().ok()).flatten();
        Self { text, uuid }
    }

    /// The text as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The UUID that the text reads as.
    pub fn uuid(&self) -> Option<Uuid> {
        self.uuid
    }
}

impl From<&str> for Ident {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}
impl From<Uuid> for Ident {
    fn from(uuid: Uuid) -> Self {
        Self { text: uuid.to_string(), uuid: Some(uuid) }
    }
}
impl fmt::Display for Ident {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_have_their_alphabet() {
        assert!("pizza-palace_2".parse::<Key>().is_ok());
        assert_eq!("a b".parse::<Key>(), Err(KeyError::Alphabet("a b".into())));
        assert_eq!("".parse::<Key>(), Err(KeyError::Empty));
        assert_eq!("x".repeat(129).parse::<Key>(), Err(KeyError::TooLong));
        assert!("auth0|elon+1@x.io".parse::<UserKey>().is_ok());
        assert!("auth0|elon".parse::<Key>().is_err());
        assert!("joe/1".parse::<UserKey>().is_err());
    }

    #[test]
    fn idents_see_both_spellings_of_a_uuid() {
        let u = Uuid::from_u128(0x1234_5678);
        assert_eq!(Ident::new(u.to_string()).uuid(), Some(u));
        assert_eq!(Ident::new(u.simple().to_string()).uuid(), Some(u));
        assert_eq!(Ident::new("joe").uuid(), None);
    }
}
