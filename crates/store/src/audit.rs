//! The audit log as a chain that can be proven: what is read of it besides its events, and what is signed.

use crate::{
    AuditFilter, CommitError, Found, List, Page, StoreError,
    body::Body,
    sql::{audit, rows as decode},
    store::{all, list, one, upkeep, write},
    writer::Job,
};
use askfirst_domain::{
    Timestamp,
    audit::{AuditEvent, ChainHead, ChainId, Entry, Field, PublicKey, SignedHead},
    id::{AuditEventId, EnvId},
};
use async_trait::async_trait;
use uuid::Uuid;

/// The end of a chain of which less was signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unsigned {
    pub chain: ChainId,
    pub head: ChainHead,
    /// Up to where it was signed; 0 when it never was.
    pub signed: u64,
    /// The environment's epoch; zeros for the installation, and for an environment that is gone.
    pub epoch: Uuid,
}

/// What is to be erased of events of one environment, with the event that says so.
#[derive(Debug, Clone)]
pub struct Erasure {
    pub env: EnvId,
    pub parts: Vec<(AuditEventId, Vec<Field>)>,
    pub event: AuditEvent,
}

/// The audit log as a chain. Part of every [`crate::Store`]; `env` none means the installation's own chain.
#[async_trait]
pub trait AuditChain: Send + Sync {
    /// Events as they are linked, newest first.
    async fn audit_entries(&self, env: Option<EnvId>, filter: &AuditFilter, page: Page) -> List<Entry>;
    /// The chain from the event after the `after`th on, oldest first, `most` at most.
    async fn audit_chain(&self, env: Option<EnvId>, after: u64, most: u32) -> Result<Vec<Entry>, StoreError>;
    /// One event of a chain.
    async fn audit_entry(&self, env: Option<EnvId>, id: AuditEventId) -> Found<Entry>;
    /// Where a chain ends.
    async fn audit_head(&self, chain: ChainId) -> Result<ChainHead, StoreError>;
    /// Erases parts of events for good, and says so in an event of its own; both or nothing. The chain stays what it is.
    async fn erase_audit(&self, erasure: Erasure) -> Result<(), CommitError>;

    /// The chains that are longer than what was signed of them.
    async fn unsigned_audit(&self) -> Result<Vec<Unsigned>, StoreError>;
    /// The chain's ends at each `step`th event and at `last`, after the event `after`; a thousand of them at most.
    async fn audit_heads_at(
        &self,
        chain: ChainId,
        after: u64,
        last: u64,
        step: u64,
    ) -> Result<Vec<ChainHead>, StoreError>;
    /// Keeps a signed head. One that is there for the same event and epoch stays.
    async fn put_signed_head(&self, signed: &SignedHead) -> Result<(), StoreError>;
    /// Signed heads at event `from` or later, in their order, `most` at most.
    async fn signed_heads(&self, chain: ChainId, from: u64, most: u32)
    -> Result<Vec<SignedHead>, StoreError>;
    /// Keeps a public key; one that is there stays.
    async fn put_audit_key(&self, key: &PublicKey, at: Timestamp) -> Result<(), StoreError>;
    /// All public keys with which heads were ever signed, the oldest first.
    async fn audit_keys(&self) -> Result<Vec<PublicKey>, StoreError>;
}

#[async_trait]
impl<B: Body> AuditChain for B {
    async fn audit_entries(&self, env: Option<EnvId>, filter: &AuditFilter, page: Page) -> List<Entry> {
        list(self, &filter.select(B::DIALECT, env), page, decode::audit_entry).await
    }

    async fn audit_chain(&self, env: Option<EnvId>, after: u64, most: u32) -> Result<Vec<Entry>, StoreError> {
        all(self, audit::chain(env, after, most), decode::audit_entry).await
    }

    async fn audit_entry(&self, env: Option<EnvId>, id: AuditEventId) -> Found<Entry> {
        one(self, audit::entry(env, id), decode::audit_entry).await
    }

    async fn audit_head(&self, chain: ChainId) -> Result<ChainHead, StoreError> {
        Ok(one(self, audit::head(chain), decode::chain_head).await?.unwrap_or_default())
    }

    async fn erase_audit(&self, erasure: Erasure) -> Result<(), CommitError> {
        write(self, |reply| Job::Erase(Box::new(erasure), reply)).await
    }

    async fn unsigned_audit(&self) -> Result<Vec<Unsigned>, StoreError> {
        all(self, audit::unsigned(), decode::unsigned).await
    }

    async fn audit_heads_at(
        &self,
        chain: ChainId,
        after: u64,
        last: u64,
        step: u64,
    ) -> Result<Vec<ChainHead>, StoreError> {
        all(self, audit::heads_at(chain, after, last, step), decode::chain_head).await
    }

    async fn put_signed_head(&self, signed: &SignedHead) -> Result<(), StoreError> {
        upkeep(self, audit::put_signed_head(signed)).await.map(drop)
    }

    async fn signed_heads(
        &self,
        chain: ChainId,
        from: u64,
        most: u32,
    ) -> Result<Vec<SignedHead>, StoreError> {
        all(self, audit::signed_heads(chain, from, most), decode::signed_head).await
    }

    async fn put_audit_key(&self, key: &PublicKey, at: Timestamp) -> Result<(), StoreError> {
        upkeep(self, audit::put_key(key, at)).await.map(drop)
    }

    async fn audit_keys(&self) -> Result<Vec<PublicKey>, StoreError> {
        all(self, audit::keys(), decode::audit_key).await
    }
}
