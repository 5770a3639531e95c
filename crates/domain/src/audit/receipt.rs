//! Receipts: one event with what it takes to see that it stands in a signed log, and nothing else of the log.

use super::{
    Body, ChainId, Field, Hash, HeadError, Private, PublicKey, SealError, SignedHead, commitment, leaf, link,
};
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// What a receipt says it is.
const KIND: &str = "askfirst.audit.receipt.v1";

/// The proof that an event stands in the log. Of the events after it, up to the signed head, it holds hashes only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Receipt {
    /// `askfirst.audit.receipt.v1`.
    pub kind: String,
    pub env: ChainId,
    pub n: u64,
    /// The hash of the event before; 32 zero bytes for the first.
    pub previous: Hash,
    /// The bytes of the event.
    pub body: String,
    /// Its values that were not erased.
    pub private: Private,
    /// The leaves of the events after it, in their order, up to the head.
    pub leaves: Vec<Hash>,
    pub head: SignedHead,
}

/// Why a receipt is not to be believed.
#[derive(Debug, Error)]
pub enum ReceiptError {
    #[error("it is not of the kind `{KIND}`")]
    Kind,
    #[error("the event can't be read: {0}")]
    Event(#[from] SealError),
    #[error("the head is not to be believed: {0}")]
    Head(#[from] HeadError),
    #[error("the head is of another log")]
    OtherLog,
    #[error("the head is {head} events away, and the receipt has {leaves} of them")]
    Length { head: u64, leaves: u64 },
    #[error("the event does not lead to the hash that was signed")]
    Hash,
}

impl Receipt {
    /// A receipt; `leaves` are those of the events after it, up to the head.
    pub fn new(
        env: ChainId,
        previous: Hash,
        entry: super::Entry,
        leaves: Vec<Hash>,
        head: SignedHead,
    ) -> Self {
        let super::Entry { n, body, private, .. } = entry;
        Self { kind: KIND.to_owned(), env, n, previous, body, private, leaves, head }
    }

    /// Whether the event stands in the log that one of these keys has signed; gives the event. Needs nothing but the keys.
    ///
    /// # Errors
    /// When it does not, or a value is not the one that was committed to.
    pub fn verify(&self, keys: &[PublicKey]) -> Result<Body, ReceiptError> {
        if self.kind != KIND {
            return Err(ReceiptError::Kind);
        }
        self.head.verify(keys)?;
        let signed = &self.head.statement;
        if signed.env != self.env {
            return Err(ReceiptError::OtherLog);
        }
        let leaves = self.leaves.len() as u64;
        if signed.n.checked_sub(self.n) != Some(leaves) {
            return Err(ReceiptError::Length { head: signed.n.saturating_sub(self.n), leaves });
        }
        let mut hash = link(self.previous, self.n, self.env, leaf(&self.body));
        for (n, leaf) in (self.n.saturating_add(1)..).zip(&self.leaves) {
            hash = link(hash, n, self.env, *leaf);
        }
        if hash != signed.hash {
            return Err(ReceiptError::Hash);
        }
        let body = Body::read(&self.body)?;
        for (field, opened) in &self.private {
            if commitment(*field, opened) != Some(body.commitment(*field)) {
                return Err(SealError::Value(*field).into());
            }
        }
        Ok(body)
    }

    /// The parts that were erased.
    pub fn erased(&self) -> Vec<Field> {
        Field::ALL.into_iter().filter(|field| !self.private.contains_key(field)).collect()
    }
}
