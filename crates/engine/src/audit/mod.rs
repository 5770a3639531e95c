//! Audit logs: reading them, proving what they say, erasing people from them. Each environment has one, and the installation.

mod erase;
mod feed;
mod follow;
mod receipt;
mod sign;

pub use follow::{Ended, EventFilter, Follow, News, Notice, Told};

pub(crate) use feed::Feed;

use crate::{
    Engine, EnvScope, OrgScope,
    error::{Error, Result},
};
use askfirst_domain::{
    audit::{AuditEvent, ChainHead, ChainId, Entry, SignedHead},
    id::{EnvId, RequestId},
    scope::KeyScope,
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

/// One audit log, opened by a credential that may read all of it.
#[derive(Debug, Clone)]
pub struct AuditLog {
    engine: Engine,
    /// The environment; none for the installation.
    env: Option<EnvId>,
}

impl OrgScope {
    /// The installation's own log: its projects, environments and wide keys. None for a key that opens less than all of it.
    pub fn audit_log(&self) -> Option<AuditLog> {
        let all = matches!(self.scope, KeyScope::Organization);
        all.then(|| AuditLog { engine: self.engine.clone(), env: None })
    }
}

impl EnvScope {
    /// The environment's log.
    pub fn audit_log(&self) -> AuditLog {
        AuditLog { engine: self.engine.clone(), env: Some(self.env.id) }
    }

    /// Audit events without their places in the log, newest first: all of them, of one request, or with one code
    /// (`request.approved`, or `request` for all that begin so).
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
}

impl AuditLog {
    /// Events, newest first: all of them, of one request, or with one code (`request.approved`, or `request` for all that
    /// begin so).
    ///
    /// # Errors
    /// When the store fails, or holds what is no event.
    pub async fn events(
        &self,
        request: Option<RequestId>,
        code: Option<String>,
        page: Page,
    ) -> Result<Listed<News>> {
        let filter = AuditFilter { request, code };
        let found = self.engine.store().audit_entries(self.env, &filter, page).await?;
        let items = found.items.iter().map(News::of).collect::<Result<_>>()?;
        Ok(Listed { items, total: found.total })
    }

    /// The chain from the event after the `after`th on, `most` events at most.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn part(&self, after: u64, most: u32) -> Result<ChainPart> {
        let store = self.engine.store();
        let entries = store.audit_chain(self.env, after, most).await?;
        let head = store.audit_head(self.chain()).await?;
        Ok(ChainPart { installation: self.engine.installation()?, chain: self.chain(), entries, head })
    }

    /// Signed heads at event `from` or later, in their order, `most` at most.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn signed_heads(&self, from: u64, most: u32) -> Result<Vec<SignedHead>> {
        Ok(self.engine.store().signed_heads(self.chain(), from, most).await?)
    }

    fn chain(&self) -> ChainId {
        ChainId::new(self.env)
    }
}

impl News {
    fn of(entry: &Entry) -> Result<Self> {
        Ok(Self { n: entry.n, hash: entry.hash, event: entry.event().map_err(Error::internal)? })
    }
}
