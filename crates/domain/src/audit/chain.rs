//! The chain: each event's hash takes in the one before, so that none can be changed, left out or moved by itself.

use super::Private;
use crate::id::EnvId;
use serde::{Deserialize, Serialize, Serializer};
use sha2::{Digest as _, Sha256};
use std::{fmt, str::FromStr};
use thiserror::Error;
use uuid::Uuid;

const EVENT: &[u8] = b"askfirst.audit.event.v1\0";
const LINK: &[u8] = b"askfirst.audit.link.v1\0";

/// A SHA-256 hash, written as 64 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Deserialize)]
#[serde(try_from = "String")]
pub struct Hash([u8; 32]);

/// It is no hash.
#[derive(Debug, Clone, Error)]
#[error("a hash is 64 lower-case hexadecimal digits")]
pub struct HashError;

impl Hash {
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    pub const fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Hands the digits on without a text of their own: each event that is written has half a dozen hashes.
    fn spelled<T>(&self, take: impl FnOnce(&str) -> T) -> T {
        let mut digits = [0; 64];
        // 32 bytes have 64 digits, which are text: neither fails.
        let _ = hex::encode_to_slice(self.0, &mut digits);
        take(std::str::from_utf8(&digits).unwrap_or_default())
    }
}

impl TryFrom<&[u8]> for Hash {
    type Error = HashError;
    fn try_from(bytes: &[u8]) -> Result<Self, HashError> {
        bytes.try_into().map(Self).map_err(|_| HashError)
    }
}
impl FromStr for Hash {
    type Err = HashError;
    fn from_str(text: &str) -> Result<Self, HashError> {
        if text.bytes().any(|b| b.is_ascii_uppercase()) {
            return Err(HashError);
        }
        Self::try_from(hex::decode(text).map_err(|_| HashError)?.as_slice())
    }
}
impl TryFrom<String> for Hash {
    type Error = HashError;
    fn try_from(text: String) -> Result<Self, HashError> {
        text.parse()
    }
}
impl Serialize for Hash {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.spelled(|digits| serializer.serialize_str(digits))
    }
}
impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.spelled(|digits| f.write_str(digits))
    }
}
impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Which chain: that of an environment, or that of the installation, whose id is nothing but zeros.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ChainId(Uuid);

impl ChainId {
    pub const INSTALLATION: Self = Self(Uuid::nil());

    pub fn new(env: Option<EnvId>) -> Self {
        env.map_or(Self::INSTALLATION, |env| Self(env.uuid()))
    }

    pub fn from_uuid(uuid: Uuid) -> Self {
        Self(uuid)
    }

    /// None for the installation.
    pub fn env(self) -> Option<EnvId> {
        (self != Self::INSTALLATION).then(|| EnvId::new(self.0))
    }

    pub fn uuid(self) -> Uuid {
        self.0
    }
}

impl fmt::Display for ChainId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The end of a chain: how many events there are, and the hash of the last one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ChainHead {
    pub n: u64,
    pub hash: Hash,
}

impl ChainHead {
    /// The head after one more event with this body.
    #[must_use]
    pub fn next(self, chain: ChainId, body: &str) -> Self {
        let n = self.n.saturating_add(1);
        Self { n, hash: link(self.hash, n, chain, leaf(body)) }
    }
}

/// One event in its chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// Its place, from 1, without gaps.
    pub n: u64,
    pub hash: Hash,
    /// The bytes that are hashed; see [`super::Body`].
    pub body: String,
    pub private: Private,
}

impl Entry {
    pub fn head(&self) -> ChainHead {
        ChainHead { n: self.n, hash: self.hash }
    }
}

/// The hash of an event by itself: SHA-256 of `askfirst.audit.event.v1`, a zero byte, and the body.
pub fn leaf(body: &str) -> Hash {
    let mut hash = Sha256::new();
    hash.update(EVENT);
    hash.update(body);
    Hash(hash.finalize().into())
}

/// The hash of an event in its place: SHA-256 of `askfirst.audit.link.v1`, a zero byte, the hash of the event before (32
/// zero bytes for the first), the place as 8 bytes with the highest first, the id of the chain as 16 bytes, and the leaf.
pub fn link(previous: Hash, n: u64, chain: ChainId, leaf: Hash) -> Hash {
    let mut hash = Sha256::new();
    hash.update(LINK);
    hash.update(previous.0);
    hash.update(n.to_be_bytes());
    hash.update(chain.0.as_bytes());
    hash.update(leaf.0);
    Hash(hash.finalize().into())
}
