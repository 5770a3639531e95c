//! How the parts of the audit log look, for the description; docs/audit.md has them to the byte.

use crate::openapi::IdShape;
use utoipa::ToSchema;

/// The end of a chain.
#[derive(Debug, ToSchema)]
#[schema(as = AuditChainHead)]
pub(super) struct ChainHead {
    /// How many events there are.
    n: u64,
    /// The hash of the last one: 64 hexadecimal digits.
    hash: String,
}

/// A value with the salt of its commitment.
#[derive(Debug, ToSchema)]
#[schema(as = AuditValue)]
pub(super) struct Opened {
    /// 32 hexadecimal digits.
    salt: String,
    /// The value as JSON text, to the byte.
    text: String,
}

/// The values of an event that were not erased.
#[derive(Debug, ToSchema)]
#[schema(as = AuditValues)]
pub(super) struct Private {
    #[schema(value_type = Opened, required = false)]
    actor: Option<Opened>,
    #[schema(value_type = Opened, required = false)]
    details: Option<Opened>,
    #[schema(value_type = Opened, required = false)]
    object: Option<Opened>,
    #[schema(value_type = Opened, required = false)]
    on_behalf_of: Option<Opened>,
}

/// An event in its chain.
#[derive(Debug, ToSchema)]
#[schema(as = AuditEntry)]
pub(super) struct Entry {
    /// Its place, from 1.
    n: u64,
    /// 64 hexadecimal digits.
    hash: String,
    /// The bytes that are hashed: canonical JSON as a text.
    body: String,
    private: Private,
}

/// A head with its signature.
#[derive(Debug, ToSchema)]
#[schema(as = AuditSignedHead)]
pub(super) struct SignedHead {
    /// The id of the organisation.
    #[schema(value_type = IdShape)]
    installation: uuid::Uuid,
    #[schema(value_type = IdShape)]
    env: uuid::Uuid,
    #[schema(value_type = IdShape)]
    epoch: uuid::Uuid,
    n: u64,
    hash: String,
    /// Microseconds since 1970-01-01T00:00:00Z.
    at: i64,
    /// The name of the key.
    key: String,
    /// Ed25519, as base64url without padding.
    signature: String,
}

/// What proves one event.
#[derive(Debug, ToSchema)]
#[schema(as = AuditReceipt)]
pub(super) struct Receipt {
    /// `askfirst.audit.receipt.v1`.
    kind: String,
    #[schema(value_type = IdShape)]
    env: uuid::Uuid,
    n: u64,
    /// The hash of the event before.
    previous: String,
    body: String,
    private: Private,
    /// Of the events after it, up to the head.
    leaves: Vec<String>,
    head: SignedHead,
}

/// A public key (RFC 8037).
#[derive(Debug, ToSchema)]
#[schema(as = AuditKey)]
pub(super) struct Jwk {
    /// `OKP`.
    kty: String,
    /// `Ed25519`.
    crv: String,
    /// `EdDSA`.
    alg: String,
    /// The name of the key.
    kid: String,
    x: String,
}

/// Public keys.
#[derive(Debug, ToSchema)]
#[schema(as = AuditKeys)]
pub(super) struct JwkSet {
    keys: Vec<Jwk>,
}
