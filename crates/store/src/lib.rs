//! Durable state: one trait, several bodies, one contract suite.
//!
//! The store knows what is written, not what it means. It promises:
//! - a [`Commit`] is one transaction: its expectations are checked, its changes are written to the change log and to the
//!   tables, its audit events and outbox rows stand beside them, or nothing of it happened;
//! - each commit of an environment gets the next revision, without gaps, in one total order;
//! - each audit event is the next link of its environment's hash chain, and is so in the transaction that writes it;
//! - a commit that was answered is on the disk.

mod audit;
mod body;
mod chains;
#[cfg(feature = "contract")]
#[expect(clippy::missing_panics_doc, reason = "its cases are tests: they fail by assertion")]
#[expect(
    clippy::cloned_ref_to_slice_refs,
    reason = "a list of one clone reads like the longer ones beside it"
)]
pub mod contract;
#[cfg_attr(
    feature = "contract",
    expect(clippy::missing_panics_doc, reason = "its contract's cases fail by assertion")
)]
pub mod decisions;
mod expectations;
mod filter;
mod identities;
mod image;
mod load;
mod migrations;
mod model;
mod moves;
mod outbox;
mod postgres;
mod sql;
mod sqlite;
mod store;
mod tasks;
pub mod tools;
mod writer;

pub use audit::{AuditChain, Erasure, Unsigned};
pub use filter::{
    AssignmentFilter, AuditFilter, Emergencies, InstanceFilter, InviteFilter, Listed, Older, Page, Placed,
    RequestFilter, Spot, Standing, TenantFilter, TupleFilter, UserFilter,
};
pub use identities::Identities;
pub use model::{
    AdminCommit, AdminOp, ChangeRecord, Commit, CommitError, Committed, Head, Position, StoreError, Versioned,
};

pub use image::ImagePolicy;
pub use outbox::{Attempt, Outbox, OutboxFilter, Queued};
pub use postgres::{PostgresOptions, PostgresStore};
pub use sqlite::{Durability, Options, SqliteStore};
pub use tasks::{TaskName, Tasks};

use askfirst_domain::{
    Ident, Timestamp,
    audit::AuditEvent,
    change::Change,
    facts::{Instance, RelationshipTuple, RoleAssignment, Tenant, User},
    id::{
        ApiKeyId, AssignmentId, EnvId, InstanceId, InviteId, ProjectId, RelationId, RequestId, TupleId,
        UserId,
    },
    invite::Invite,
    request::Request,
    scope::{ApiKey, Environment, Organization, PasswordHash, Project, Session, SignInLink},
    webhook::Webhook,
};
use async_trait::async_trait;
use std::fmt::Debug;

/// What every look-up answers: not-found is `None`, not an error.
pub type Found<T> = Result<Option<T>, StoreError>;
/// What every list answers.
pub type List<T> = Result<Listed<T>, StoreError>;

/// Durable state. All methods may be called at once from many tasks.
#[async_trait]
pub trait Store: AuditChain + Identities + Outbox + Tasks + Send + Sync + Debug {
    /// Whether the database answers.
    async fn ping(&self) -> Result<(), StoreError>;

    /// Writes installation-wide things (organisation, projects, environments, keys, sessions) and their audit events in
    /// one transaction. Creating an environment gives it revision 0 and a fresh epoch.
    ///
    /// # Errors
    /// [`CommitError::Duplicate`] when a key is taken.
    async fn commit_admin(&self, commit: AdminCommit) -> Result<(), CommitError>;

    /// The organisation, once the first start has made it.
    async fn organization(&self) -> Found<Organization>;
    /// All projects, in the order of their creation.
    async fn projects(&self) -> Result<Vec<Project>, StoreError>;
    /// All environments (of one project), in the order of their creation.
    async fn environments(&self, project: Option<ProjectId>) -> Result<Vec<Environment>, StoreError>;

    /// The key whose secret has this hash, revoked or expired ones included.
    async fn api_key_by_hash(&self, secret_hash: &str) -> Found<ApiKey>;
    /// One key.
    async fn api_key(&self, id: ApiKeyId) -> Found<ApiKey>;
    /// All keys, in the order of their creation.
    async fn api_keys(&self) -> Result<Vec<ApiKey>, StoreError>;
    /// All webhooks that environments have set, in the order of their creation.
    async fn webhooks(&self) -> Result<Vec<Webhook>, StoreError>;
    /// The session whose token has this hash, expired ones included.
    async fn session_by_hash(&self, token_hash: &str) -> Found<Session>;
    /// The newest hundred browser sessions of a user, newest first, expired ones included.
    async fn browser_sessions(&self, env: EnvId, user: UserId) -> Result<Vec<Session>, StoreError>;
    /// The password of a user.
    async fn password(&self, env: EnvId, user: UserId) -> Found<PasswordHash>;
    /// Takes the sign-in link with this hash out of the store: of any number of callers at once, one gets it. An
    /// expired link is removed and not given.
    async fn take_link(&self, token_hash: &str, now: Timestamp) -> Found<SignInLink>;

    /// Writes one commit of one environment.
    ///
    /// # Errors
    /// [`CommitError::Conflict`] when an expectation does not hold: nothing was written, read again.
    async fn commit(&self, commit: Commit) -> Result<Committed, CommitError>;

    /// The newest revision of an environment and its epoch.
    async fn head(&self, env: EnvId) -> Found<Head>;
    /// How far everything is, for whoever follows what other processes write.
    async fn position(&self) -> Result<Position, StoreError>;
    /// Waits until somebody says that the directory has moved beyond `version`; see [`Position::directory`]. A hint and
    /// no promise: other processes' hints may be lost, so whoever follows looks at [`Store::position`] as well, now and
    /// then.
    ///
    /// # Errors
    /// [`StoreError::Closed`] once the store is closed.
    async fn directory_moved(&self, version: u64) -> Result<(), StoreError>;
    /// Waits until the environment may have moved beyond `revision`: returns at once when it has, and at the latest a
    /// quarter of a second after anybody's commit took it there, whichever process that was. It may return for nothing,
    /// and does when the environment is not there (any more); who follows the log reads it then and comes back:
    ///
    /// ```text
    /// loop {
    ///     store.moved(env, seen).await?;
    ///     for record in store.changes_after(env, seen, 4096).await? { ... }
    /// }
    /// ```
    ///
    /// Nothing is missed between two calls. A call that is dropped has done nothing.
    async fn moved(&self, env: EnvId, revision: u64) -> Result<(), StoreError> {
        while !moves::is_beyond(self.head(env).await?, revision) {
            tokio::time::sleep(moves::POLL).await;
        }
        Ok(())
    }
    /// The change log after `revision`, oldest first, whole revisions only, at least one if there is one; stops once
    /// `limit` changes are passed.
    async fn changes_after(
        &self,
        env: EnvId,
        revision: u64,
        limit: usize,
    ) -> Result<Vec<ChangeRecord>, StoreError>;
    /// The whole state of an environment that a decision can depend on, as changes that build it from nothing
    /// (resources, roles, relations, elements, users, tenants, instances, assignments, tuples; no requests), consistent
    /// at the returned head: the `Put` changes of what there is, or of what there was at an earlier revision and then all
    /// that was done since. Given in chunks; things come before what refers to them.
    ///
    /// # Errors
    /// [`StoreError::NoSuchEnvironment`].
    async fn load(&self, env: EnvId, sink: &mut (dyn FnMut(Vec<Change>) + Send)) -> Result<Head, StoreError>;
    /// Writes an image of the environment as it is now, from which [`Store::load`] reads faster than from the tables; the
    /// store does so by itself when it is worth it, see [`ImagePolicy`]. Gives where the image was taken.
    ///
    /// # Errors
    /// [`StoreError::NoSuchEnvironment`]; [`StoreError::Corrupt`] when another process made a newer one meanwhile.
    async fn write_image(&self, env: EnvId) -> Result<Head, StoreError>;
    /// Removes up to `most` sessions and up to `most` sign-in links that had ended at `now`, those first that ended
    /// first. Gives how many it removed.
    async fn purge_expired(&self, now: Timestamp, most: u64) -> Result<u64, StoreError>;

    /// One user, by id or key.
    async fn user(&self, env: EnvId, ident: &Ident) -> Found<Versioned<User>>;
    /// Those of these users that are there, in no order.
    async fn users_by_key(&self, env: EnvId, keys: &[&str]) -> Result<Vec<Versioned<User>>, StoreError>;
    /// Users, in the order of their creation.
    async fn users(&self, env: EnvId, filter: &UserFilter, page: Page) -> List<User>;
    /// One tenant, by id or key.
    async fn tenant(&self, env: EnvId, ident: &Ident) -> Found<Versioned<Tenant>>;
    /// Tenants, in the order of their creation.
    async fn tenants(&self, env: EnvId, filter: &TenantFilter, page: Page) -> List<Tenant>;
    /// One instance by id, or by `type` and `key`.
    async fn instance(&self, env: EnvId, ident: &InstanceIdent) -> Found<Versioned<Instance>>;
    /// Those of these instances of a resource that are there, in no order.
    async fn instances_by_key(
        &self,
        env: EnvId,
        resource: &str,
        keys: &[&str],
    ) -> Result<Vec<Versioned<Instance>>, StoreError>;
    /// Instances, in the order of their creation.
    async fn instances(&self, env: EnvId, filter: &InstanceFilter, page: Page) -> List<Instance>;
    /// Role assignments, in the order of their creation; ended ones are still listed until they are removed.
    async fn assignments(&self, env: EnvId, filter: &AssignmentFilter, page: Page) -> List<RoleAssignment>;
    /// One assignment.
    async fn assignment(&self, env: EnvId, id: AssignmentId) -> Found<Versioned<RoleAssignment>>;
    /// Relationship tuples, in the order of their creation.
    async fn tuples(&self, env: EnvId, filter: &TupleFilter, page: Page) -> List<RelationshipTuple>;
    /// Those of the tuples with these subjects, relations and objects that are there, in no order.
    async fn tuples_between(
        &self,
        env: EnvId,
        ends: &[(InstanceId, RelationId, InstanceId)],
    ) -> Result<Vec<RelationshipTuple>, StoreError>;
    /// One tuple.
    async fn tuple(&self, env: EnvId, id: TupleId) -> Found<Versioned<RelationshipTuple>>;

    /// One request.
    async fn request(&self, env: EnvId, id: RequestId) -> Found<Versioned<Request>>;
    /// Requests, newest first.
    async fn requests(&self, env: EnvId, filter: &RequestFilter, page: Page) -> List<Request>;
    /// Requests in any of these places that the filter lets through, newest first; no places at all are everywhere. Each
    /// place costs as much as what is given, however much is pending in it and elsewhere, unless the filter has to
    /// look for what is rare there.
    async fn newest_requests(
        &self,
        env: EnvId,
        filter: &RequestFilter,
        spots: &[Spot],
        older: Older,
    ) -> Result<Vec<Placed>, StoreError>;
    /// The pending request with this wish; there is one at most.
    async fn pending_request(&self, env: EnvId, wish: &str) -> Found<Versioned<Request>>;

    /// One invitation.
    async fn invite(&self, env: EnvId, id: InviteId) -> Found<Versioned<Invite>>;
    /// Invitations, in the order of their creation.
    async fn invites(&self, env: EnvId, filter: &InviteFilter, page: Page) -> List<Invite>;

    /// Audit events, newest first; `env` none for those of the installation.
    async fn audit_events(&self, env: Option<EnvId>, filter: &AuditFilter, page: Page) -> List<AuditEvent>;
}

/// How an instance is named in a look-up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InstanceIdent {
    /// By its id.
    Id(askfirst_domain::id::InstanceId),
    /// By its resource's key and its own.
    Key { resource: String, key: String },
}
