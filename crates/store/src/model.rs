//! What goes into the store and what comes back.

use askfirst_domain::{
    Timestamp,
    audit::{AuditEvent, OutboxItem},
    change::{Change, Expect},
    id::{ApiKeyId, EnvId, ProjectId, SessionId, UserId, WebhookId},
    principal::Principal,
    scope::{ApiKey, Environment, Organization, PasswordHash, Project, Session, SignInLink},
    webhook::Webhook,
};
use std::collections::BTreeMap;
use thiserror::Error;
use uuid::Uuid;

/// One transaction on one environment. Without changes it takes no revision and is answered with the newest one, so
/// that each revision has changes in the log.
#[derive(Debug, Clone)]
pub struct Commit {
    pub env: EnvId,
    pub at: Timestamp,
    pub actor: Principal,
    /// The id of the call that caused it, for the log.
    pub call: Option<String>,
    /// Checked first, in the transaction.
    pub expects: Vec<Expect>,
    /// Written in this order.
    pub changes: Vec<Change>,
    pub audit: Vec<AuditEvent>,
    pub outbox: Vec<OutboxItem>,
}

/// The answer to a commit: it is on the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Committed {
    pub epoch: Uuid,
    pub revision: u64,
}

/// The newest revision of an environment. The epoch changes when a backup is restored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    pub epoch: Uuid,
    pub revision: u64,
}

/// How far everything is, at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Position {
    /// The version of the directory (organisation, projects, environments, API keys, webhooks): another number after each write of
    /// any of them, a greater one unless a backup was restored.
    pub directory: u64,
    /// All environments.
    pub heads: BTreeMap<EnvId, Head>,
    /// How many events the audit log of each environment has.
    pub events: BTreeMap<EnvId, u64>,
}

/// One change as it stands in the log.
#[derive(Debug, Clone, PartialEq)]
pub struct ChangeRecord {
    pub revision: u64,
    /// The place of the change within its revision, from 0.
    pub seq: u32,
    pub at: Timestamp,
    pub actor: Principal,
    pub change: Change,
}

/// A thing with the revision that last wrote it, for [`Expect::AtRevision`].
#[derive(Debug, Clone, PartialEq)]
pub struct Versioned<T> {
    pub value: T,
    pub revision: u64,
}

/// One transaction on what the environments stand in.
#[derive(Debug, Clone)]
pub struct AdminCommit {
    pub ops: Vec<AdminOp>,
    /// With the environment whose log they belong to, or none for the installation's.
    pub audit: Vec<(Option<EnvId>, AuditEvent)>,
}

/// One write outside the environments' change logs.
#[derive(Debug, Clone)]
pub enum AdminOp {
    PutOrganization(Organization),
    PutProject(Project),
    /// Takes along its environments and all that is in them, and the keys that open them. The audit events stay, here
    /// and below: what happened is not undone by deleting where it happened.
    DeleteProject(ProjectId),
    /// A new environment starts at revision 0 with a fresh epoch, given here; ignored for one that is there.
    PutEnvironment {
        environment: Environment,
        epoch: Uuid,
    },
    /// Takes along all that is in it, and the keys that open it.
    DeleteEnvironment(EnvId),
    PutApiKey(ApiKey),
    RevokeApiKey {
        id: ApiKeyId,
        at: Timestamp,
    },
    PutSession(Session),
    DeleteSession(SessionId),
    /// Ends all browser sessions of a user but one; of none, all.
    DeleteSessionsOf {
        env: EnvId,
        user: UserId,
        but: Option<SessionId>,
    },
    /// One for each user.
    PutPassword(PasswordHash),
    DeletePassword {
        env: EnvId,
        user: UserId,
    },
    PutLink(SignInLink),
    PutWebhook(Webhook),
    DeleteWebhook(WebhookId),
}

/// Why a commit was not written. Nothing of it was.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum CommitError {
    /// An expectation does not hold: somebody else wrote first.
    #[error("the state has changed since it was read: {0:?}")]
    Conflict(Expect),
    /// A key is taken. `what` names it for a person: "a user with the key `joe`".
    #[error("{what} already exists")]
    Duplicate { what: String },
    /// The environment is not there (any more).
    #[error("the environment {0} does not exist")]
    NoSuchEnvironment(EnvId),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The database failed. The text is for operators, never for callers.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The database said so.
    #[error("the database failed while {doing}")]
    Database {
        doing: &'static str,
        #[source]
        source: sqlx::Error,
    },
    /// A stored value does not read back.
    #[error("a stored {what} can't be read: {detail}")]
    Corrupt { what: &'static str, detail: String },
    /// The environment is not there (any more).
    #[error("the environment {0} does not exist")]
    NoSuchEnvironment(EnvId),
    /// A text holds NUL, which PostgreSQL takes nowhere. Fit for callers: it is for them to leave it out.
    #[error("a text holds the character NUL (U+0000), which can't be kept; leave it out")]
    Nul,
    /// Somebody began to copy an installation into this database, and did not finish.
    #[error("a copy into this database was not finished: empty the database and copy again")]
    Unfinished,
    /// The writer has stopped.
    #[error("the store is closed")]
    Closed,
}
