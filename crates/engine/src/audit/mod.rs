//! The audit log of an environment: reading it, proving what it says, erasing people from it.

mod erase;
mod feed;
mod follow;
mod receipt;
mod sign;

pub use follow::{Ended, EventFilter, Follow, News, Notice, Told};

pub(crate) use feed::Feed;

use crate::{EnvScope, error::Result};
use askfirst_domain::{
    audit::{AuditEvent, ChainHead, ChainId, Entry, SignedHead},
    id::RequestId,
};
use askfirst_store::{AuditFilter, Listed, Page};
use uuid::Uuid;

/// A part of an environment's chain.
#[derive(Debug, Clone)]
pub struct ChainPart {
    /// The id of the organisation.
    pub installation: Uuid,
    pub chain: ChainId,
    /// Oldest first.
    pub entries: Vec<Entry>,
    /// Where the chain ended after they were read.
    pub head: ChainHead,
}

impl EnvScope {
    /// Audit events, newest first: all of them, of one request, or with one code (`request.approved`, or `request` for
    /// all that begin so).
    ///
    /// # Errors
    /// When the store fails.
    pub async fn audit_events(
        &self,
        request: Option<RequestId>,
        code: Option<String>,
        page: Page,
    ) -> Result<Listed<AuditEvent>> {
        let filter = AuditFilter { request, code };
        Ok(self.engine.store().audit_events(Some(self.env.id), &filter, page).await?)
    }

    /// The chain from the event after the `after`th on, `most` events at most.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn audit_chain(&self, after: u64, most: u32) -> Result<ChainPart> {
        let store = self.engine.store();
        let entries = store.audit_chain(Some(self.env.id), after, most).await?;
        let chain = self.audit_log();
        let head = store.audit_head(chain).await?;
        Ok(ChainPart { installation: self.engine.installation()?, chain, entries, head })
    }

    /// Signed heads at event `from` or later, in their order, `most` at most.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn signed_heads(&self, from: u64, most: u32) -> Result<Vec<SignedHead>> {
        Ok(self.engine.store().signed_heads(self.audit_log(), from, most).await?)
    }

    fn audit_log(&self) -> ChainId {
        ChainId::new(Some(self.env.id))
    }
}
