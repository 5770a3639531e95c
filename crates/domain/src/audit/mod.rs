//! Audit events: what happened, who did it, to what. Written in the transaction of the change itself, each as the next
//! link of a hash chain.
//!
//! `seal` says which bytes stand for an event, `chain` how they are linked, `head` how the end of a chain is signed,
//! `receipt` and `verify` how somebody else finds out that nothing was changed. docs/audit.md has the same in words.

mod chain;
mod head;
mod mention;
mod receipt;
mod seal;
#[cfg(test)]
mod tests;
mod verify;

pub use chain::{ChainHead, ChainId, Entry, Hash, HashError, leaf, link};
pub use head::{AuditKeyId, HeadError, HeadStatement, Jwk, JwkSet, PublicKey, SignedHead, SigningKey};
pub use mention::Mentioned;
pub use receipt::{Receipt, ReceiptError};
pub use seal::{Body, Opened, Private, SealError, Sealed, commitment, seal};
pub use verify::{Expected, Finding, Report, Verifier};

use crate::{
    Timestamp,
    id::{AuditEventId, RequestId},
    principal::Principal,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::fmt;

/// One audit event.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AuditEvent {
    pub id: AuditEventId,
    pub at: Timestamp,
    /// Stable name of what happened, e.g. `request.approved`.
    pub code: String,
    pub actor: Principal,
    /// The key of the user on whose behalf it happened.
    pub on_behalf_of: Option<String>,
    /// The user was named by a model's argument (`--trust-user-id`).
    pub model_named_user: bool,
    pub request: Option<RequestId>,
    /// What it was about, e.g. `restaurants:pizza-palace`.
    pub object: Option<String>,
    pub details: Map<String, Value>,
    /// What hides the personal part of the event once it is erased. Not there in an event that was read.
    #[serde(skip)]
    pub salt: Salt,
    /// What of the event was erased since; it reads as nothing.
    #[serde(skip)]
    pub erased: Vec<Field>,
}

/// 256 random bits, of which the salts of one event are made. A secret until the event is written, and then forgotten.
#[derive(Clone, Copy, Default)]
pub struct Salt([u8; 32]);

impl Salt {
    /// From random bytes that nobody else has.
    pub fn new(random: [u8; 32]) -> Self {
        Self(random)
    }

    pub(crate) fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// Two events that say the same are the same, whatever hides them.
impl PartialEq for Salt {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}
impl fmt::Debug for Salt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Salt(…)")
    }
}

/// A part of an event that can hold personal data, and can be erased.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Field {
    Actor,
    Details,
    Object,
    OnBehalfOf,
}

impl Field {
    pub const ALL: [Self; 4] = [Self::Actor, Self::Details, Self::Object, Self::OnBehalfOf];

    /// Its name in an event.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Actor => "actor",
            Self::Details => "details",
            Self::Object => "object",
            Self::OnBehalfOf => "on_behalf_of",
        }
    }
}

/// Something to be delivered outside (webhook, mail) after the transaction, at least once.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OutboxItem {
    pub id: uuid::Uuid,
    /// What kind of delivery, e.g. `element.webhook`.
    pub topic: String,
    /// Whom it is for, so that one who is slow is not in the way of the others.
    pub receiver: Option<uuid::Uuid>,
    pub payload: Value,
    pub created_at: Timestamp,
}
