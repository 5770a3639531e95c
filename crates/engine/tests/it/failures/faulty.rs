//! A store that fails, or dies, at a call that a test chooses.
//!
//! Only calls that are made within [`under`] count, so what goes on in the background has no say in where a fault strikes.

use askfirst_domain::{
    Ident, Timestamp,
    audit::{AuditEvent, ChainHead, ChainId, Entry, PublicKey, SignedHead},
    change::Change,
    facts::{Instance, RelationshipTuple, RoleAssignment, Tenant, User},
    id::{
        ApiKeyId, AssignmentId, AuditEventId, EnvId, InstanceId, InviteId, ProjectId, RelationId, RequestId,
        TupleId, UserId,
    },
    invite::Invite,
    request::Request,
    scope::{ApiKey, Environment, Identity, Organization, PasswordHash, Project, Session, SignInLink},
    task::Task,
    webhook::Webhook,
};
use askfirst_store::{
    AdminCommit, AssignmentFilter, Attempt, AuditChain, AuditFilter, ChangeRecord, Commit, CommitError,
    Committed, Erasure, Found, Head, Identities, InstanceFilter, InstanceIdent, InviteFilter, List, Listed,
    Older, Outbox, OutboxFilter, Page, Placed, Position, Queued, RequestFilter, Spot, Store, StoreError,
    TaskName, Tasks, TenantFilter, TupleFilter, Unsigned, UserFilter, Versioned,
};
use async_trait::async_trait;
use std::{
    future::pending,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};
use tokio::sync::Notify;
use uuid::Uuid;

/// What happens at the chosen call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It is not done, and that is said.
    Refused,
    /// It is done, and the answer is an error all the same.
    AnswerLost,
    /// The process ends before it is done.
    DiesBefore,
    /// The process ends after it is done, before anybody hears of it.
    DiesAfter,
}

impl Fault {
    pub(crate) const ALL: [Self; 4] = [Self::Refused, Self::AnswerLost, Self::DiesBefore, Self::DiesAfter];
}

/// Where a fault strikes.
#[derive(Debug, Clone)]
struct Plan(Arc<Planned>);

#[derive(Debug)]
struct Planned {
    fault: Fault,
    /// How many calls are still let through.
    left: AtomicU32,
    died: Notify,
    struck: AtomicU32,
}

tokio::task_local! {
    static PLAN: Plan;
}

/// What came of work under a fault.
#[derive(Debug)]
pub(crate) enum Came<T> {
    /// The work came to its end. `struck`: the fault was met on the way.
    Answered { answer: T, struck: bool },
    /// The process is gone in the middle of it.
    Died,
}

/// Does work whose call number `at` (from 0) to the store meets the fault.
pub(crate) fn under<T>(
    fault: Fault,
    at: u32,
    work: impl Future<Output = T>,
) -> impl Future<Output = Came<T>> {
    let planned = Planned { fault, left: AtomicU32::new(at), died: Notify::new(), struck: AtomicU32::new(0) };
    let plan = Plan(Arc::new(planned));
    let working = Box::pin(PLAN.scope(plan.clone(), work));
    async move {
        tokio::select! {
            answer = working => {
                Came::Answered { answer, struck: plan.0.struck.load(Ordering::SeqCst) > 0 }
            }
            () = plan.0.died.notified() => Came::Died,
        }
    }
}

impl Plan {
    /// The fault, if it is this call's turn.
    fn strikes() -> Option<(Self, Fault)> {
        let plan = PLAN.try_with(Clone::clone).ok()?;
        let let_through =
            plan.0.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        if let_through.is_ok() || plan.0.struck.fetch_add(1, Ordering::SeqCst) > 0 {
            return None;
        }
        let fault = plan.0.fault;
        Some((plan, fault))
    }

    async fn die<T>(&self) -> T {
        self.0.died.notify_one();
        pending().await
    }
}

/// A store that meets faults.
#[derive(Debug)]
pub(crate) struct Faulty(pub(crate) Arc<dyn Store>);

macro_rules! handed_on {
    (impl $trait:ident { $(fn $name:ident($($parameters:tt)*) -> $answer:ty => ($($argument:expr),*);)* }) => {
        #[async_trait]
        impl $trait for Faulty {
            $(
                async fn $name(&self, $($parameters)*) -> $answer {
                    let Some((plan, fault)) = Plan::strikes() else {
                        return self.0.$name($($argument),*).await;
                    };
                    match fault {
                        Fault::Refused => Err(StoreError::Closed.into()),
                        Fault::DiesBefore => plan.die().await,
                        Fault::AnswerLost => {
                            let _ = self.0.$name($($argument),*).await;
                            Err(StoreError::Closed.into())
                        }
                        Fault::DiesAfter => {
                            let _ = self.0.$name($($argument),*).await;
                            plan.die().await
                        }
                    }
                }
            )*
        }
    };
}

handed_on! { impl AuditChain {
    fn audit_entries(env: Option<EnvId>, filter: &AuditFilter, page: Page) -> List<Entry> => (env, filter, page);
    fn audit_chain(env: Option<EnvId>, after: u64, most: u32) -> Result<Vec<Entry>, StoreError> => (env, after, most);
    fn audit_entry(env: Option<EnvId>, id: AuditEventId) -> Found<Entry> => (env, id);
    fn audit_head(chain: ChainId) -> Result<ChainHead, StoreError> => (chain);
    fn erase_audit(erasure: Erasure) -> Result<(), CommitError> => (erasure);
    fn unsigned_audit() -> Result<Vec<Unsigned>, StoreError> => ();
    fn audit_heads_at(chain: ChainId, after: u64, last: u64, step: u64) -> Result<Vec<ChainHead>, StoreError>
        => (chain, after, last, step);
    fn put_signed_head(signed: &SignedHead) -> Result<(), StoreError> => (signed);
    fn signed_heads(chain: ChainId, from: u64, most: u32) -> Result<Vec<SignedHead>, StoreError> => (chain, from, most);
    fn put_audit_key(key: &PublicKey, at: Timestamp) -> Result<(), StoreError> => (key, at);
    fn audit_keys() -> Result<Vec<PublicKey>, StoreError> => ();
} }
handed_on! { impl Outbox {
    fn outbox_due(now: Timestamp, most: u32, busy: &[Uuid]) -> Result<Vec<Queued>, StoreError> => (now, most, busy);
    fn outbox_next(busy: &[Uuid]) -> Result<Option<Timestamp>, StoreError> => (busy);
    fn outbox_claim(seen: &Queued, until: Timestamp) -> Result<bool, StoreError> => (seen, until);
    fn outbox_settle(id: Uuid, claimed: Timestamp, attempt: &Attempt) -> Result<bool, StoreError> => (id, claimed, attempt);
    fn outbox(env: EnvId, filter: OutboxFilter, page: Page) -> Result<Listed<Queued>, StoreError> => (env, filter, page);
    fn outbox_item(env: EnvId, id: Uuid) -> Result<Option<Queued>, StoreError> => (env, id);
    fn outbox_revive(env: EnvId, id: Uuid, now: Timestamp) -> Result<bool, StoreError> => (env, id, now);
    fn outbox_drop(env: EnvId, id: Uuid) -> Result<bool, StoreError> => (env, id);
} }
handed_on! { impl Identities {
    fn link_identity(identity: &Identity) -> Result<bool, StoreError> => (identity);
    fn unlink_identities(env: EnvId, user: UserId) -> Result<u64, StoreError> => (env, user);
    fn identity(env: EnvId, issuer: &str, subject: &str) -> Found<Identity> => (env, issuer, subject);
    fn identities(env: EnvId, user: UserId) -> Result<Vec<Identity>, StoreError> => (env, user);
    fn users_with_email(env: EnvId, email: &str) -> Result<Vec<User>, StoreError> => (env, email);
} }
handed_on! { impl Tasks {
    fn put_task(env: EnvId, task: &Task) -> Result<bool, StoreError> => (env, task);
    fn task(env: EnvId, id: &str) -> Found<Task> => (env, id);
    fn take_task_name(env: EnvId, name: &TaskName) -> Result<bool, StoreError> => (env, name);
    fn task_name(env: EnvId, name: &str) -> Found<TaskName> => (env, name);
    fn rename_task(env: EnvId, from: &str, to: &str) -> Result<(), StoreError> => (env, from, to);
    fn put_token_key(key: &PublicKey, kept_until: Timestamp) -> Result<(), StoreError> => (key, kept_until);
    fn token_keys(now: Timestamp) -> Result<Vec<PublicKey>, StoreError> => (now);
} }
handed_on! { impl Store {
    fn ping() -> Result<(), StoreError> => ();
    fn commit_admin(commit: AdminCommit) -> Result<(), CommitError> => (commit);
    fn organization() -> Found<Organization> => ();
    fn projects() -> Result<Vec<Project>, StoreError> => ();
    fn environments(project: Option<ProjectId>) -> Result<Vec<Environment>, StoreError> => (project);
    fn api_key_by_hash(secret_hash: &str) -> Found<ApiKey> => (secret_hash);
    fn api_key(id: ApiKeyId) -> Found<ApiKey> => (id);
    fn api_keys() -> Result<Vec<ApiKey>, StoreError> => ();
    fn webhooks() -> Result<Vec<Webhook>, StoreError> => ();
    fn session_by_hash(token_hash: &str) -> Found<Session> => (token_hash);
    fn browser_sessions(env: EnvId, user: UserId) -> Result<Vec<Session>, StoreError> => (env, user);
    fn password(env: EnvId, user: UserId) -> Found<PasswordHash> => (env, user);
    fn take_link(token_hash: &str, now: Timestamp) -> Found<SignInLink> => (token_hash, now);
    fn commit(commit: Commit) -> Result<Committed, CommitError> => (commit);
    fn head(env: EnvId) -> Found<Head> => (env);
    fn position() -> Result<Position, StoreError> => ();
    fn directory_moved(version: u64) -> Result<(), StoreError> => (version);
    fn moved(env: EnvId, revision: u64) -> Result<(), StoreError> => (env, revision);
    fn changes_after(env: EnvId, revision: u64, limit: usize) -> Result<Vec<ChangeRecord>, StoreError>
        => (env, revision, limit);
    fn load(env: EnvId, sink: &mut (dyn FnMut(Vec<Change>) + Send)) -> Result<Head, StoreError> => (env, sink);
    fn write_image(env: EnvId) -> Result<Head, StoreError> => (env);
    fn purge_expired(now: Timestamp, most: u64) -> Result<u64, StoreError> => (now, most);
    fn user(env: EnvId, ident: &Ident) -> Found<Versioned<User>> => (env, ident);
    fn users_by_key(env: EnvId, keys: &[&str]) -> Result<Vec<Versioned<User>>, StoreError> => (env, keys);
    fn users(env: EnvId, filter: &UserFilter, page: Page) -> List<User> => (env, filter, page);
    fn tenant(env: EnvId, ident: &Ident) -> Found<Versioned<Tenant>> => (env, ident);
    fn tenants(env: EnvId, filter: &TenantFilter, page: Page) -> List<Tenant> => (env, filter, page);
    fn instance(env: EnvId, ident: &InstanceIdent) -> Found<Versioned<Instance>> => (env, ident);
    fn instances_by_key(env: EnvId, resource: &str, keys: &[&str]) -> Result<Vec<Versioned<Instance>>, StoreError>
        => (env, resource, keys);
    fn instances(env: EnvId, filter: &InstanceFilter, page: Page) -> List<Instance> => (env, filter, page);
    fn assignments(env: EnvId, filter: &AssignmentFilter, page: Page) -> List<RoleAssignment> => (env, filter, page);
    fn assignment(env: EnvId, id: AssignmentId) -> Found<Versioned<RoleAssignment>> => (env, id);
    fn tuples(env: EnvId, filter: &TupleFilter, page: Page) -> List<RelationshipTuple> => (env, filter, page);
    fn tuples_between(env: EnvId, ends: &[(InstanceId, RelationId, InstanceId)])
        -> Result<Vec<RelationshipTuple>, StoreError> => (env, ends);
    fn tuple(env: EnvId, id: TupleId) -> Found<Versioned<RelationshipTuple>> => (env, id);
    fn request(env: EnvId, id: RequestId) -> Found<Versioned<Request>> => (env, id);
    fn requests(env: EnvId, filter: &RequestFilter, page: Page) -> List<Request> => (env, filter, page);
    fn newest_requests(env: EnvId, filter: &RequestFilter, spots: &[Spot], older: Older)
        -> Result<Vec<Placed>, StoreError> => (env, filter, spots, older);
    fn pending_request(env: EnvId, wish: &str) -> Found<Versioned<Request>> => (env, wish);
    fn invite(env: EnvId, id: InviteId) -> Found<Versioned<Invite>> => (env, id);
    fn invites(env: EnvId, filter: &InviteFilter, page: Page) -> List<Invite> => (env, filter, page);
    fn audit_events(env: Option<EnvId>, filter: &AuditFilter, page: Page) -> List<AuditEvent> => (env, filter, page);
} }
