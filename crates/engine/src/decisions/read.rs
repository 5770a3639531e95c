//! Reading the decision log.

use super::{DecisionFilter, DecisionId, LeftOut, Mark, Missed, pack::Written};
use crate::{
    EnvScope,
    check::{Ask, Given, by_role},
    error::{Error, Result},
};
use askfirst_domain::{
    Id, Timestamp, UserKey,
    decision::{Allowance, Decision},
    facts::User,
    id::{ApiKeyId, SessionId},
    principal::Principal,
};
use askfirst_store::{Page, UserFilter, decisions::DecisionRecord};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeSet;
use thiserror::Error as ThisError;
use uuid::Uuid;

/// The most decisions of a page.
const MOST: u32 = 5000;

/// A decision as it was logged.
#[derive(Debug, Clone, PartialEq)]
pub struct LoggedDecision {
    pub id: DecisionId,
    /// The time that it was made for: what expires is held against it.
    pub at: Timestamp,
    pub epoch: Uuid,
    /// The revision that it was made at.
    pub revision: u64,
    pub allow: bool,
    /// The question as it was asked. Names that nothing can have are cut.
    pub ask: Ask,
    /// The tenant that it was decided in.
    pub tenant: String,
    pub given: Said,
    /// The name of the [`super::Door`].
    pub door: String,
    /// None when it was written by another version and does not read.
    pub asked_by: Option<AskedBy>,
    /// Why, in words.
    pub reason: Option<String>,
    /// Why, as [`askfirst_domain::decision::Decision`] writes itself, unless that was too long.
    pub trace: Option<Value>,
}

impl LoggedDecision {
    /// What the call said besides the names; none when it is not in the log, and then the decision can't be made again.
    pub fn given(&self) -> Option<Given> {
        match &self.given {
            Said::Nothing => Some(Given::default()),
            Said::All(given) => Some(given.as_ref().clone()),
            Said::LeftOut(_) => None,
        }
    }
}

/// What a call said besides the names.
#[derive(Debug, Clone, PartialEq)]
pub enum Said {
    Nothing,
    All(Box<Given>),
    /// Something, which is not in the log.
    LeftOut(LeftOut),
}

/// Whose credential asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum AskedBy {
    ApiKey {
        key: ApiKeyId,
    },
    /// A signed-in human, or an element session.
    Session {
        session: SessionId,
        user: UserKey,
    },
    /// An agent that is bound to a human.
    Agent {
        key: ApiKeyId,
        user: UserKey,
    },
    /// An agent whose model names the user.
    TrustedAgent {
        key: ApiKeyId,
    },
    System {
        name: String,
    },
}

impl From<&Principal> for AskedBy {
    fn from(by: &Principal) -> Self {
        match by {
            Principal::ApiKey { id, .. } => Self::ApiKey { key: *id },
            Principal::User { session, key, .. } => Self::Session { session: *session, user: key.clone() },
            Principal::Agent { key, via, .. } => Self::Agent { key: *via, user: key.clone() },
            Principal::TrustedAgent { via, .. } => Self::TrustedAgent { key: *via },
            Principal::System { name } => Self::System { name: name.clone() },
            // Asks nothing: it stands in the audit log alone.
            Principal::Erased => Self::System { name: String::new() },
        }
    }
}

/// Part of the log, newest first.
#[derive(Debug, Clone, PartialEq)]
pub struct DecisionPage {
    pub decisions: Vec<LoggedDecision>,
    /// Where to go on. A page can be short, and even empty, with more behind it: a list looks through a part of the log at
    /// a time.
    pub next: Option<Mark>,
    /// Decisions of the time that the filter names which were made and are not in the log.
    pub missed: Vec<Missed>,
}

/// Goes through the log, newest first, page by page.
#[derive(Debug)]
pub struct DecisionWalk {
    scope: EnvScope,
    filter: DecisionFilter,
    next: Next,
}

/// Where a walk goes on.
#[derive(Debug, Clone, Copy)]
enum Next {
    Newest,
    Before(Mark),
    Nowhere,
}

impl EnvScope {
    /// Logged decisions, newest first: those before `before`, at most `limit` (and 5000). The first page has all that was
    /// decided before it was asked for.
    ///
    /// # Errors
    /// [`crate::Kind::NotFound`] when there is no log.
    pub async fn decisions(
        &self,
        filter: &DecisionFilter,
        before: Option<Mark>,
        limit: u32,
    ) -> Result<DecisionPage> {
        let log = self.engine.decision_log()?;
        if before.is_none() {
            self.engine.flush_decisions().await;
        }
        let page = log.page(self.env.id, filter, before, limit.clamp(1, MOST)).await?;
        let missed = log.missed(self.env.id, filter.from, filter.to).await?;
        let decisions = page.records.into_iter().map(LoggedDecision::from).collect();
        Ok(DecisionPage { decisions, next: page.next, missed })
    }

    /// Goes through all decisions that match, newest first, without holding them all.
    pub fn walk_decisions(&self, filter: DecisionFilter) -> DecisionWalk {
        DecisionWalk { scope: self.clone(), filter, next: Next::Newest }
    }

    /// How many decisions match; stops counting at `at_most`.
    ///
    /// # Errors
    /// As [`EnvScope::decisions`].
    pub async fn count_decisions(&self, filter: &DecisionFilter, at_most: u64) -> Result<u64> {
        let log = self.engine.decision_log()?;
        self.engine.flush_decisions().await;
        Ok(log.count(self.env.id, filter, at_most).await?)
    }

    /// The keys of the users whom the decisions since a moment are about, of a large log the newest millions.
    ///
    /// # Errors
    /// As [`EnvScope::decisions`].
    pub(crate) async fn users_of_decisions(&self, since: Timestamp) -> Result<BTreeSet<String>> {
        let log = self.engine.decision_log()?;
        self.engine.flush_decisions().await;
        Ok(log.users(self.env.id, since).await?)
    }

    /// The keys of the users who have this e-mail address.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn users_with_email(&self, email: &str) -> Result<Vec<UserKey>> {
        let filter = UserFilter { search: Some(email.to_owned()), ..UserFilter::default() };
        let found = self.engine.store().users(self.env.id, &filter, Page { offset: 0, limit: MOST }).await?;
        let has = |user: &User| user.email.as_deref().is_some_and(|own| own.eq_ignore_ascii_case(email));
        Ok(found.items.into_iter().filter(has).map(|user| user.key).collect())
    }

    /// One logged decision.
    ///
    /// # Errors
    /// [`crate::Kind::NotFound`] when there is none, or no log.
    pub async fn decision(&self, id: DecisionId) -> Result<LoggedDecision> {
        let log = self.engine.decision_log()?;
        self.engine.flush_decisions().await;
        let found = log.find(self.env.id, id).await?;
        found.map(LoggedDecision::from).ok_or_else(|| Error::not_found("logged decision", id))
    }
}

impl DecisionWalk {
    /// The next decisions, at least one; none at the end.
    ///
    /// # Errors
    /// As [`EnvScope::decisions`].
    pub async fn next(&mut self) -> Result<Option<Vec<LoggedDecision>>> {
        loop {
            let before = match self.next {
                Next::Newest => None,
                Next::Before(mark) => Some(mark),
                Next::Nowhere => return Ok(None),
            };
            let page = self.scope.decisions(&self.filter, before, MOST).await?;
            self.next = page.next.map_or(Next::Nowhere, Next::Before);
            if !page.decisions.is_empty() {
                return Ok(Some(page.decisions));
            }
        }
    }
}

impl From<DecisionRecord> for LoggedDecision {
    fn from(record: DecisionRecord) -> Self {
        let id = record.id();
        // What does not read can't be given back; the rest of the decision stands.
        let given = match (record.given, record.left_out) {
            (None, None) => Said::Nothing,
            (Some(text), _) => serde_json::from_str::<Written<'_>>(&text)
                .map_or(Said::LeftOut(LeftOut::TooLarge), |written| Said::All(Box::new(written.into()))),
            (None, Some(left_out)) => Said::LeftOut(left_out),
        };
        let ask = Ask {
            user: record.user,
            action: record.action,
            resource: record.resource,
            instance: record.instance,
            tenant: record.tenant,
        };
        let reason = record.reason.or_else(|| match serde_json::from_str(record.trace.as_deref()?).ok()? {
            Decision::Allow(Allowance::Role(grant)) => Some(by_role(&ask, &grant)),
            _ => None,
        });
        Self {
            id,
            at: record.at,
            epoch: record.epoch,
            revision: record.revision,
            allow: record.allow,
            ask,
            tenant: record.in_tenant,
            given,
            door: record.door,
            asked_by: serde_json::from_str(&record.asker).ok(),
            reason,
            trace: record.trace.and_then(|trace| serde_json::from_str(&trace).ok()),
        }
    }
}

/// A text that names no place in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ThisError)]
#[error("a cursor is given back exactly as `next` of the page before has it")]
pub struct MarkError;

/// A place in the log as a text without meaning, for callers to give back.
pub fn mark_text(mark: Mark) -> String {
    let mut bytes = mark.at.micros().to_be_bytes().to_vec();
    bytes.extend_from_slice(mark.id.uuid().as_bytes());
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The way back.
///
/// # Errors
/// When the text is not one of [`mark_text`].
pub fn read_mark(text: &str) -> Result<Mark, MarkError> {
    let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| MarkError)?;
    let (at, id) = bytes.split_first_chunk::<8>().ok_or(MarkError)?;
    let id = Uuid::from_slice(id).map_err(|_| MarkError)?;
    Ok(Mark { at: Timestamp::from_micros(i64::from_be_bytes(*at)), id: Id::new(id) })
}
