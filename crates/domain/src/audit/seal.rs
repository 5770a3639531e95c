//! The bytes that stand for an event: what is open as it is, and for each part that can hold personal data a commitment.
//!
//! A commitment is a salted hash. The value and its salt stand beside the event and can be erased: without the salt,
//! which has 128 random bits, the hash says nothing about the value, and the bytes of the event stay what they were.

use super::{AuditEvent, Entry, Field, Hash, Salt};
use crate::{
    Timestamp,
    id::{AuditEventId, RequestId},
    principal::Principal,
};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use thiserror::Error;

const VALUE: &[u8] = b"askfirst.audit.value.v1\0";
const SALT: &[u8] = b"askfirst.audit.salt.v1\0";
/// The format of the body that this program writes.
const VERSION: u32 = 1;

/// What is hashed of an event, as canonical JSON (RFC 8785).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Body {
    /// The commitment to who did it; so for the other parts in [`Field`].
    pub actor: Hash,
    /// Microseconds since 1970-01-01T00:00:00Z.
    pub at: Timestamp,
    pub code: String,
    pub details: Hash,
    pub id: AuditEventId,
    pub model_named_user: bool,
    pub object: Hash,
    pub on_behalf_of: Hash,
    pub request: Option<RequestId>,
    /// 1.
    pub v: u32,
}

impl Body {
    /// Reads the bytes of an event.
    ///
    /// # Errors
    /// When they are none, or not in the one form in which they are written.
    pub fn read(text: &str) -> Result<Self, SealError> {
        let body: Self = serde_json::from_str(text)?;
        if body.v != VERSION {
            return Err(SealError::Version(body.v));
        }
        if body.canonical()? != text {
            return Err(SealError::NotCanonical);
        }
        Ok(body)
    }

    /// The bytes that are hashed. The members stand in the order of their names, and of texts, flags and whole numbers
    /// that a double holds exactly, serde writes what RFC 8785 wants (held against each other in the tests); it is a
    /// tenth of the work.
    fn canonical(&self) -> Result<String, SealError> {
        const EXACT: u64 = 1 << f64::MANTISSA_DIGITS;
        Ok(if self.at.micros().unsigned_abs() < EXACT {
            serde_json::to_string(self)?
        } else {
            serde_json_canonicalizer::to_string(self)?
        })
    }

    /// What the event says of a part.
    pub fn commitment(&self, field: Field) -> Hash {
        match field {
            Field::Actor => self.actor,
            Field::Details => self.details,
            Field::Object => self.object,
            Field::OnBehalfOf => self.on_behalf_of,
        }
    }
}

/// A part that is there, as it was committed to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Opened {
    /// 32 hexadecimal digits.
    pub salt: String,
    /// The value as JSON, to the byte.
    pub text: String,
}

/// The parts of an event that were not erased.
pub type Private = BTreeMap<Field, Opened>;

/// An event as it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    /// The bytes that are hashed.
    pub body: String,
    pub private: Private,
}

/// Why bytes are no event.
#[derive(Debug, Error)]
pub enum SealError {
    #[error("it is no audit event: {0}")]
    Json(#[from] serde_json::Error),
    #[error("it is an event of the unknown version {0}")]
    Version(u32),
    #[error("it is not spelled in the one way that is hashed")]
    NotCanonical,
    #[error("its `{}` is not what it says", .0.as_str())]
    Value(Field),
}

/// The salted hash that an event has in the place of a value. `salt` is 32 hexadecimal digits.
pub fn commitment(field: Field, opened: &Opened) -> Option<Hash> {
    let salt = hex::decode(&opened.salt).ok().filter(|salt| salt.len() == 16)?;
    let mut hash = Sha256::new();
    hash.update(VALUE);
    hash.update(salt);
    hash.update(field.as_str());
    hash.update([0]);
    hash.update(&opened.text);
    Some(Hash::new(hash.finalize().into()))
}

/// The salt of one part.
fn salt_of(salt: Salt, event: AuditEventId, field: Field) -> String {
    let mut hash = Sha256::new();
    hash.update(SALT);
    hash.update(salt.bytes());
    hash.update(event.uuid().as_bytes());
    hash.update(field.as_str());
    let hash: [u8; 32] = hash.finalize().into();
    let mut text = Hash::new(hash).to_string();
    text.truncate(32);
    text
}

/// The bytes that stand for an event, and what can be erased of it.
///
/// # Errors
/// When a value has no JSON.
pub fn seal(event: &AuditEvent) -> Result<Sealed, SealError> {
    let mut private = Private::new();
    let mut keep = |field: Field, text: String| -> Result<Hash, SealError> {
        let opened = Opened { salt: salt_of(event.salt, event.id, field), text };
        let hash = commitment(field, &opened).ok_or(SealError::Value(field))?;
        private.insert(field, opened);
        Ok(hash)
    };
    let body = Body {
        actor: keep(Field::Actor, serde_json::to_string(&event.actor)?)?,
        at: event.at,
        code: event.code.clone(),
        details: keep(Field::Details, serde_json::to_string(&event.details)?)?,
        id: event.id,
        model_named_user: event.model_named_user,
        object: keep(Field::Object, serde_json::to_string(&event.object)?)?,
        on_behalf_of: keep(Field::OnBehalfOf, serde_json::to_string(&event.on_behalf_of)?)?,
        request: event.request,
        v: VERSION,
    };
    Ok(Sealed { body: body.canonical()?, private })
}

impl Entry {
    /// The event, with nothing where something was erased.
    ///
    /// # Errors
    /// When it can't be read, or a value is not the one that the event is about.
    pub fn event(&self) -> Result<AuditEvent, SealError> {
        let body = Body::read(&self.body)?;
        let text = |field: Field| -> Result<Option<&str>, SealError> {
            let Some(opened) = self.private.get(&field) else { return Ok(None) };
            if commitment(field, opened) != Some(body.commitment(field)) {
                return Err(SealError::Value(field));
            }
            Ok(Some(opened.text.as_str()))
        };
        let actor = text(Field::Actor)?.map(serde_json::from_str).transpose()?;
        let details = text(Field::Details)?.map(serde_json::from_str).transpose()?;
        let object = text(Field::Object)?.map(serde_json::from_str).transpose()?;
        let on_behalf_of = text(Field::OnBehalfOf)?.map(serde_json::from_str).transpose()?;
        Ok(AuditEvent {
            id: body.id,
            at: body.at,
            code: body.code,
            actor: actor.unwrap_or(Principal::Erased),
            on_behalf_of: on_behalf_of.flatten(),
            model_named_user: body.model_named_user,
            request: body.request,
            object: object.flatten(),
            details: details.unwrap_or_default(),
            salt: Salt::default(),
            erased: self.erased(),
        })
    }

    /// The parts that were erased.
    pub fn erased(&self) -> Vec<Field> {
        Field::ALL.into_iter().filter(|field| !self.private.contains_key(field)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use uuid::Uuid;

    proptest! {
        #[test]
        fn what_is_hashed_is_canonical(
            code in any::<String>(),
            controls in "[\\x00-\\x20\"\\\\/\\x7f\u{2028}]*",
            at in prop_oneof![any::<i64>(), -10..10_i64, 1_700_000_000_000_000..1_800_000_000_000_000_i64],
            seen in any::<bool>(),
            request in any::<Option<u128>>(),
        ) {
            let hash = |n: u8| Hash::new([n; 32]);
            let body = Body {
                actor: hash(0xab),
                at: Timestamp::from_micros(at),
                code: code + &controls,
                details: hash(1),
                id: AuditEventId::new(Uuid::from_u128(5)),
                model_named_user: seen,
                object: hash(0xff),
                on_behalf_of: hash(0),
                request: request.map(|id| RequestId::new(Uuid::from_u128(id))),
                v: VERSION,
            };
            prop_assert_eq!(body.canonical().unwrap(), serde_json_canonicalizer::to_string(&body).unwrap());
        }
    }
}
