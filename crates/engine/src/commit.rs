//! Writing: a draft is committed as one transaction, and the live state shows it before the caller is answered.

use crate::{
    access::EnvScope,
    error::{Error, Kind, Result},
    facts::FactNote,
};
use askfirst_domain::{
    audit::{AuditEvent, OutboxItem, Salt},
    change::{Change, Expect},
    id::RequestId,
    principal::Principal,
};
use askfirst_store::{Commit, CommitError, Committed, Head};
use serde_json::{Map, Value};

/// How often a write whose beliefs did not hold is tried anew before the caller is told to.
const TRIES: u32 = 64;

/// What is to be written, and what it takes for granted.
#[derive(Debug, Default)]
pub(crate) struct Draft {
    pub(crate) expects: Vec<Expect>,
    pub(crate) changes: Vec<Change>,
    pub(crate) audit: Vec<AuditEvent>,
    /// What the audit log is to say of facts, after the events that are ready.
    pub(crate) facts: Vec<FactNote>,
    pub(crate) outbox: Vec<OutboxItem>,
}

/// What came of a draft.
#[derive(Debug)]
#[must_use]
pub(crate) enum Outcome {
    /// It is on the disk and in the live state.
    Done(Committed),
    /// Somebody else wrote first: read again and draft anew.
    Again,
}

/// Counts how often a use case drafts anew.
#[derive(Debug, Default)]
pub(crate) struct Tries(u32);

impl Tries {
    /// Counts one more try.
    ///
    /// # Errors
    /// After [`TRIES`] of them.
    pub(crate) fn again(&mut self) -> Result<()> {
        self.0 += 1;
        if self.0 >= TRIES {
            return Err(Error::new(
                Kind::Unavailable,
                "Too many writers are changing this at once; try again.",
            ));
        }
        Ok(())
    }
}

/// What an audit event is about.
#[derive(Debug, Default)]
pub(crate) struct About {
    pub(crate) on_behalf_of: Option<String>,
    pub(crate) request: Option<RequestId>,
    pub(crate) object: Option<String>,
    pub(crate) details: Map<String, Value>,
}

impl EnvScope {
    /// An audit event of this call.
    pub(crate) fn audit(&self, code: &str, about: About) -> Result<AuditEvent> {
        self.engine.audit_event(&self.op, code, about)
    }

    /// Commits a draft and shows it to readers.
    pub(crate) async fn commit(&self, draft: Draft) -> Result<Outcome> {
        let store = self.engine.store();
        let changes = draft.changes.clone();
        let leaves = !draft.outbox.is_empty();
        let mut audit = draft.audit;
        audit.extend(self.fact_events(draft.facts)?);
        let tells = !audit.is_empty();
        let commit = Commit {
            env: self.env.id,
            at: self.op.now,
            actor: self.op.principal.clone(),
            call: Some(self.op.call.to_string()),
            expects: draft.expects,
            changes: draft.changes,
            audit,
            outbox: draft.outbox,
        };
        let writing = self.live.writing();
        match store.commit(commit).await {
            Ok(committed) => {
                self.live.committed(store, committed, changes).await?;
                if tells {
                    self.live.feed().grew();
                }
                if leaves {
                    self.engine.0.left.notify_one();
                }
                self.seen.note(Head { epoch: committed.epoch, revision: committed.revision });
                Ok(Outcome::Done(committed))
            }
            Err(CommitError::Conflict(_)) => {
                drop(writing);
                self.live.catch_up(store).await?;
                Ok(Outcome::Again)
            }
            Err(other) => Err(other.into()),
        }
    }
}

impl crate::Engine {
    /// An audit event of a call.
    pub(crate) fn audit_event(&self, op: &crate::Op, code: &str, about: About) -> Result<AuditEvent> {
        let mut salt = [0; 32];
        self.entropy().fill(&mut salt)?;
        Ok(AuditEvent {
            id: self.fresh_id(op)?,
            at: op.now,
            code: code.to_owned(),
            model_named_user: matches!(op.principal, Principal::TrustedAgent { .. }),
            actor: op.principal.clone(),
            on_behalf_of: about.on_behalf_of,
            request: about.request,
            object: about.object,
            details: about.details,
            salt: Salt::new(salt),
            erased: Vec::new(),
        })
    }

    /// A fresh id of this moment.
    pub(crate) fn fresh_id<K>(&self, op: &crate::Op) -> Result<askfirst_domain::Id<K>> {
        Ok(crate::context::fresh(op.now, self.entropy())?)
    }
}
