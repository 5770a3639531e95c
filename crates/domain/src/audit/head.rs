//! Signed heads: with one of them outside, nobody can shorten or rewrite what came before it.

use super::{ChainHead, ChainId, Hash};
use crate::Timestamp;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use ed25519_dalek::{Signature, Signer as _, VerifyingKey};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::fmt;
use thiserror::Error;
use uuid::Uuid;

/// What is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeadStatement {
    /// The id of the organisation.
    pub installation: Uuid,
    /// The environment; nothing but zeros for the installation's own chain.
    pub env: ChainId,
    /// The environment's epoch when it was signed; nothing but zeros for the installation's own chain.
    pub epoch: Uuid,
    pub n: u64,
    pub hash: Hash,
    /// When it was signed, in microseconds since 1970-01-01T00:00:00Z.
    pub at: Timestamp,
}

impl HeadStatement {
    /// The signed bytes: seven lines, each with a line feed at its end.
    pub fn bytes(&self) -> String {
        let Self { installation, env, epoch, n, hash, at } = self;
        let at = at.micros();
        format!(
            "askfirst.audit.head.v1\ninstallation {installation}\nenv {env}\nepoch {epoch}\nn {n}\nhash {hash}\nat {at}\n"
        )
    }

    pub fn head(&self) -> ChainHead {
        ChainHead { n: self.n, hash: self.hash }
    }
}

/// The name of a key: the first 16 bytes of the SHA-256 of the public key, as 32 hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AuditKeyId(String);

impl AuditKeyId {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
impl From<String> for AuditKeyId {
    fn from(text: String) -> Self {
        Self(text)
    }
}
impl fmt::Display for AuditKeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A head with its signature.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedHead {
    #[serde(flatten)]
    pub statement: HeadStatement,
    pub key: AuditKeyId,
    /// Ed25519 over [`HeadStatement::bytes`], as base64url without padding.
    pub signature: String,
}

/// Why a head is not to be believed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum HeadError {
    #[error("it is signed with the key {0}, which is not among the keys to trust")]
    UnknownKey(AuditKeyId),
    #[error("its signature is wrong")]
    Signature,
    #[error("it is no Ed25519 public key")]
    Key,
}

/// The half of a key that verifies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PublicKey(VerifyingKey);

impl PublicKey {
    /// From its 32 bytes.
    ///
    /// # Errors
    /// When they are no key.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, HeadError> {
        let bytes = bytes.try_into().map_err(|_| HeadError::Key)?;
        let key = VerifyingKey::from_bytes(bytes).map_err(|_| HeadError::Key)?;
        // With a weak key, one signature fits many messages.
        if key.is_weak() { Err(HeadError::Key) } else { Ok(Self(key)) }
    }

    pub fn bytes(&self) -> &[u8; 32] {
        self.0.as_bytes()
    }

    pub fn id(&self) -> AuditKeyId {
        let mut text = hex::encode(Sha256::digest(self.bytes()));
        text.truncate(32);
        AuditKeyId(text)
    }

    pub fn jwk(&self) -> Jwk {
        Jwk {
            kty: "OKP".to_owned(),
            crv: "Ed25519".to_owned(),
            alg: Some("EdDSA".to_owned()),
            kid: Some(self.id().0),
            x: URL_SAFE_NO_PAD.encode(self.bytes()),
        }
    }
}

/// A public key as RFC 8037 writes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Jwk {
    pub kty: String,
    pub crv: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alg: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kid: Option<String>,
    pub x: String,
}

impl Jwk {
    /// The key. Its name is worked out and not taken from what is written.
    ///
    /// # Errors
    /// When it is no Ed25519 key.
    pub fn key(&self) -> Result<PublicKey, HeadError> {
        if (self.kty.as_str(), self.crv.as_str()) != ("OKP", "Ed25519") {
            return Err(HeadError::Key);
        }
        PublicKey::from_bytes(&URL_SAFE_NO_PAD.decode(&self.x).map_err(|_| HeadError::Key)?)
    }
}

/// Several keys, as RFC 7517 writes them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JwkSet {
    pub keys: Vec<Jwk>,
}

impl SignedHead {
    /// Whether one of these keys has signed it.
    ///
    /// # Errors
    /// When none of them has.
    pub fn verify(&self, keys: &[PublicKey]) -> Result<(), HeadError> {
        let key = keys.iter().find(|key| key.id() == self.key);
        let key = key.ok_or_else(|| HeadError::UnknownKey(self.key.clone()))?;
        let bytes = URL_SAFE_NO_PAD.decode(&self.signature).map_err(|_| HeadError::Signature)?;
        let signature = Signature::from_slice(&bytes).map_err(|_| HeadError::Signature)?;
        key.0.verify_strict(self.statement.bytes().as_bytes(), &signature).map_err(|_| HeadError::Signature)
    }
}

/// The half of a key that signs. Its bytes are never shown.
pub struct SigningKey(ed25519_dalek::SigningKey);

impl SigningKey {
    /// From 32 random bytes that nobody else has.
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        Self(ed25519_dalek::SigningKey::from_bytes(seed))
    }

    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.verifying_key())
    }

    pub fn sign(&self, statement: HeadStatement) -> SignedHead {
        let signature = self.0.sign(statement.bytes().as_bytes());
        SignedHead {
            statement,
            key: self.public().id(),
            signature: URL_SAFE_NO_PAD.encode(signature.to_bytes()),
        }
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({})", self.public().id())
    }
}
