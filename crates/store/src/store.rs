//! The store, on whatever database gives a [`Body`].

use crate::{
    AdminCommit, AssignmentFilter, AuditFilter, ChangeRecord, Commit, CommitError, Committed, Found, Head,
    InstanceFilter, InstanceIdent, InviteFilter, List, Listed, Older, Page, Placed, Position, RequestFilter,
    Spot, Store, StoreError, TenantFilter, TupleFilter, UserFilter, Versioned,
    body::{Body, Look, Readers, failed},
    image,
    load::{self, AtOnce},
    moves::is_beyond,
    sql::{self, Cells, Filtered, Select, Statement, read, rows as decode, spots},
    writer::Job,
};
use askfirst_domain::{
    Ident, Timestamp,
    audit::AuditEvent,
    change::Change,
    facts::{DEFAULT_TENANT, Instance, RelationshipTuple, RoleAssignment, Tenant, User},
    id::{
        ApiKeyId, AssignmentId, EnvId, InstanceId, InviteId, ProjectId, RelationId, RequestId, TenantId,
        TupleId, UserId,
    },
    invite::Invite,
    request::Request,
    scope::{ApiKey, Environment, Organization, PasswordHash, Project, Session, SignInLink},
    webhook::Webhook,
};
use async_trait::async_trait;
use tokio::sync::oneshot;

const READING: &str = "reading";

pub(crate) type Decode<B, T> = fn(&<B as Body>::Row) -> Result<T, StoreError>;

pub(crate) async fn all<B: Body, T>(
    body: &B,
    statement: Statement,
    decode: Decode<B, T>,
) -> Result<Vec<T>, StoreError> {
    let rows = body.rows(statement).await.map_err(failed(READING))?;
    rows.iter().map(decode).collect()
}

/// For statements that find one row at most.
pub(crate) async fn one<B: Body, T>(body: &B, statement: Statement, decode: Decode<B, T>) -> Found<T> {
    // Not every database would look for it.
    if statement.holds_nul() {
        return Ok(None);
    }
    let rows = body.rows(statement).await.map_err(failed(READING))?;
    rows.first().map(decode).transpose()
}

/// The thing with this id, else the one with this key.
async fn named<B: Body, T>(
    body: &B,
    env: EnvId,
    ident: &Ident,
    by_id: fn(EnvId, uuid::Uuid) -> Statement,
    by_key: fn(EnvId, &str) -> Statement,
    decode: Decode<B, T>,
) -> Found<T> {
    if let Some(id) = ident.uuid()
        && let Some(found) = one(body, by_id(env, id), decode).await?
    {
        return Ok(Some(found));
    }
    one(body, by_key(env, ident.as_str()), decode).await
}

/// A page and the length of the whole, of one moment.
pub(crate) async fn list<B: Body, T>(body: &B, select: &Select, page: Page, decode: Decode<B, T>) -> List<T> {
    if select.is_empty() {
        return Ok(Listed { items: Vec::new(), total: 0 });
    }
    let mut look = body.readers().look().await.map_err(failed(READING))?;
    let found = look.rows(select.page(page)).await.map_err(failed(READING))?;
    let items = found.iter().map(decode).collect::<Result<Vec<_>, _>>()?;
    let given = u64::try_from(items.len()).unwrap_or(u64::MAX);
    let at_the_end = given < u64::from(page.limit) && (given > 0 || page.offset == 0);
    let total = if at_the_end {
        page.offset.saturating_add(given)
    } else {
        let counted = look.rows(select.count()).await.map_err(failed(READING))?;
        counted.first().map_or(Ok(0), |row| Cells::of("count", row).whole())?
    };
    look.end().await.map_err(failed(READING))?;
    Ok(Listed { items, total })
}

async fn is_default_tenant<B: Body>(body: &B, env: EnvId, tenant: TenantId) -> Result<bool, StoreError> {
    let found = one(body, read::tenant_by_id(env, tenant.uuid()), decode::tenant).await?;
    Ok(found.is_some_and(|tenant| tenant.value.key.as_str() == DEFAULT_TENANT))
}

/// Hands a job to the writer and waits for its answer.
pub(crate) async fn write<B: Body, T, E: From<StoreError>>(
    body: &B,
    job: impl FnOnce(oneshot::Sender<Result<T, E>>) -> Job,
) -> Result<T, E> {
    let (reply, answer) = oneshot::channel();
    // The writer is gone when it takes no job or gives no answer.
    body.queue().sender()?.send(job(reply)).await.map_err(|_| StoreError::Closed)?;
    answer.await.map_err(|_| StoreError::Closed)?
}

/// Hands the writer a statement that is no part of any history; how many rows it gave.
pub(crate) async fn upkeep<B: Body>(body: &B, statement: Statement) -> Result<u64, StoreError> {
    write(body, |reply| Job::Upkeep(statement, reply)).await
}

#[async_trait]
impl<B: Body> Store for B {
    async fn ping(&self) -> Result<(), StoreError> {
        all(self, Statement::new("SELECT 1", Vec::new()), |_| Ok(())).await.map(drop)
    }

    async fn commit_admin(&self, commit: AdminCommit) -> Result<(), CommitError> {
        write(self, |reply| Job::Admin(Box::new(commit), reply)).await
    }

    async fn organization(&self) -> Found<Organization> {
        one(self, read::organization(), |row| decode::body("organisation", row)).await
    }

    async fn projects(&self) -> Result<Vec<Project>, StoreError> {
        all(self, read::projects(), |row| decode::body("project", row)).await
    }

    async fn environments(&self, project: Option<ProjectId>) -> Result<Vec<Environment>, StoreError> {
        all(self, read::environments(project), |row| decode::body("environment", row)).await
    }

    async fn api_key_by_hash(&self, secret_hash: &str) -> Found<ApiKey> {
        one(self, read::api_key_by_hash(secret_hash), decode::api_key).await
    }

    async fn api_key(&self, id: ApiKeyId) -> Found<ApiKey> {
        one(self, read::api_key(id.uuid()), decode::api_key).await
    }

    async fn api_keys(&self) -> Result<Vec<ApiKey>, StoreError> {
        all(self, read::api_keys(), decode::api_key).await
    }

    async fn webhooks(&self) -> Result<Vec<Webhook>, StoreError> {
        all(self, read::webhooks(), decode::webhook).await
    }

    async fn session_by_hash(&self, token_hash: &str) -> Found<Session> {
        one(self, read::session_by_hash(token_hash), decode::session).await
    }

    async fn browser_sessions(&self, env: EnvId, user: UserId) -> Result<Vec<Session>, StoreError> {
        all(self, read::browser_sessions(env, user), decode::session).await
    }

    async fn password(&self, env: EnvId, user: UserId) -> Found<PasswordHash> {
        one(self, read::password(env, user), decode::password).await
    }

    async fn take_link(&self, token_hash: &str, now: Timestamp) -> Found<SignInLink> {
        let token_hash = token_hash.to_owned();
        write(self, |reply| Job::TakeLink { token_hash, now, reply }).await
    }

    async fn commit(&self, commit: Commit) -> Result<Committed, CommitError> {
        write(self, |reply| Job::Commit(Box::new(commit), reply)).await
    }

    async fn head(&self, env: EnvId) -> Found<Head> {
        one(self, read::head(env), decode::head).await
    }

    async fn position(&self) -> Result<Position, StoreError> {
        let rows = self.rows(read::position()).await.map_err(failed(READING))?;
        decode::position(&rows)
    }

    async fn directory_moved(&self, version: u64) -> Result<(), StoreError> {
        let mut known = self.queue().moves().follow_directory().ok_or(StoreError::Closed)?;
        known.wait_for(|newest| *newest > version).await.map(drop).map_err(|_| StoreError::Closed)
    }

    async fn moved(&self, env: EnvId, revision: u64) -> Result<(), StoreError> {
        // Followed first and looked at then: what happens in between is not missed.
        let mut known = self.queue().moves().follow(env).ok_or(StoreError::Closed)?;
        if is_beyond(self.head(env).await?, revision) {
            return Ok(());
        }
        match known.wait_for(|newest| *newest > revision).await.map(drop) {
            Ok(()) => Ok(()),
            // Nobody says any more how far it is, so the caller has to look, unless the store is closed.
            Err(_) => self.queue().sender().map(drop),
        }
    }

    async fn changes_after(
        &self,
        env: EnvId,
        revision: u64,
        limit: usize,
    ) -> Result<Vec<ChangeRecord>, StoreError> {
        all(self, read::changes_after(env, revision, limit), decode::change).await
    }

    async fn load(&self, env: EnvId, sink: &mut (dyn FnMut(Vec<Change>) + Send)) -> Result<Head, StoreError> {
        let look = self.readers().look().await.map_err(failed(READING))?;
        let loaded = load::load(look, B::DIALECT, env, &mut AtOnce(sink)).await?;
        if let Some(image) = loaded.spoiled {
            // It would be tried again at each start.
            upkeep(self, sql::image::discard(env, image)).await?;
        }
        self.queue().meter().suggest(env);
        Ok(loaded.head)
    }

    async fn write_image(&self, env: EnvId) -> Result<Head, StoreError> {
        image::write(self.readers(), &self.queue().sender()?.downgrade(), env).await
    }

    async fn purge_expired(&self, now: Timestamp, most: u64) -> Result<u64, StoreError> {
        let mut purged = 0;
        for statement in sql::purge(now, most) {
            purged += upkeep(self, statement).await?;
        }
        Ok(purged)
    }

    async fn user(&self, env: EnvId, ident: &Ident) -> Found<Versioned<User>> {
        named(self, env, ident, read::user_by_id, read::user_by_key, decode::user).await
    }

    async fn users_by_key(&self, env: EnvId, keys: &[&str]) -> Result<Vec<Versioned<User>>, StoreError> {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        all(self, read::users_by_key(B::DIALECT, env, keys), decode::user).await
    }

    async fn users(&self, env: EnvId, filter: &UserFilter, page: Page) -> List<User> {
        let mut filter = filter.clone();
        if let Some(tenant) = filter.tenant
            && is_default_tenant(self, env, tenant).await?
        {
            filter.tenant = None;
        }
        list(self, &filter.select(B::DIALECT, env), page, |row| Ok(decode::user(row)?.value)).await
    }

    async fn tenant(&self, env: EnvId, ident: &Ident) -> Found<Versioned<Tenant>> {
        named(self, env, ident, read::tenant_by_id, read::tenant_by_key, decode::tenant).await
    }

    async fn tenants(&self, env: EnvId, filter: &TenantFilter, page: Page) -> List<Tenant> {
        list(self, &filter.select(B::DIALECT, env), page, |row| Ok(decode::tenant(row)?.value)).await
    }

    async fn instance(&self, env: EnvId, ident: &InstanceIdent) -> Found<Versioned<Instance>> {
        let statement = match ident {
            InstanceIdent::Id(id) => read::instance_by_id(env, id.uuid()),
            InstanceIdent::Key { resource, key } => read::instance_by_key(env, resource, key),
        };
        one(self, statement, decode::instance).await
    }

    async fn instances_by_key(
        &self,
        env: EnvId,
        resource: &str,
        keys: &[&str],
    ) -> Result<Vec<Versioned<Instance>>, StoreError> {
        if keys.is_empty() || resource.contains('\0') {
            return Ok(Vec::new());
        }
        all(self, read::instances_by_key(B::DIALECT, env, resource, keys), decode::instance).await
    }

    async fn instances(&self, env: EnvId, filter: &InstanceFilter, page: Page) -> List<Instance> {
        list(self, &filter.select(B::DIALECT, env), page, |row| Ok(decode::instance(row)?.value)).await
    }

    async fn assignments(&self, env: EnvId, filter: &AssignmentFilter, page: Page) -> List<RoleAssignment> {
        list(self, &filter.select(B::DIALECT, env), page, |row| Ok(decode::assignment(row)?.value)).await
    }

    async fn assignment(&self, env: EnvId, id: AssignmentId) -> Found<Versioned<RoleAssignment>> {
        one(self, read::assignment_by_id(env, id.uuid()), decode::assignment).await
    }

    async fn tuples(&self, env: EnvId, filter: &TupleFilter, page: Page) -> List<RelationshipTuple> {
        list(self, &filter.select(B::DIALECT, env), page, |row| Ok(decode::tuple(row)?.value)).await
    }

    async fn tuples_between(
        &self,
        env: EnvId,
        ends: &[(InstanceId, RelationId, InstanceId)],
    ) -> Result<Vec<RelationshipTuple>, StoreError> {
        if ends.is_empty() {
            return Ok(Vec::new());
        }
        all(self, read::tuples_between(B::DIALECT, env, ends), |row| Ok(decode::tuple(row)?.value)).await
    }

    async fn tuple(&self, env: EnvId, id: TupleId) -> Found<Versioned<RelationshipTuple>> {
        one(self, read::tuple_by_id(env, id.uuid()), decode::tuple).await
    }

    async fn request(&self, env: EnvId, id: RequestId) -> Found<Versioned<Request>> {
        one(self, read::request_by_id(env, id.uuid()), decode::request).await
    }

    async fn requests(&self, env: EnvId, filter: &RequestFilter, page: Page) -> List<Request> {
        list(self, &filter.select(B::DIALECT, env), page, |row| Ok(decode::request(row)?.value)).await
    }

    async fn newest_requests(
        &self,
        env: EnvId,
        filter: &RequestFilter,
        spots: &[Spot],
        older: Older,
    ) -> Result<Vec<Placed>, StoreError> {
        let statements = spots::newest(B::DIALECT, env, filter, spots, older);
        let mut look = self.readers().look().await.map_err(failed(READING))?;
        let mut places = Vec::new();
        for statement in statements {
            let rows = look.rows(statement).await.map_err(failed(READING))?;
            for row in &rows {
                places.push(Cells::of("request", row).whole()?);
            }
        }
        places.sort_unstable_by(|a, b| b.cmp(a));
        places.dedup();
        places.truncate(usize::try_from(older.most).unwrap_or(usize::MAX));
        let rows = if places.is_empty() {
            Vec::new()
        } else {
            look.rows(spots::at(B::DIALECT, env, &places)).await.map_err(failed(READING))?
        };
        look.end().await.map_err(failed(READING))?;
        let mut found = rows.iter().map(decode::placed_request).collect::<Result<Vec<_>, _>>()?;
        found.sort_unstable_by_key(|placed| std::cmp::Reverse(placed.place));
        Ok(found)
    }

    async fn pending_request(&self, env: EnvId, wish: &str) -> Found<Versioned<Request>> {
        one(self, read::pending_request(env, wish), decode::request).await
    }

    async fn invite(&self, env: EnvId, id: InviteId) -> Found<Versioned<Invite>> {
        one(self, read::invite_by_id(env, id.uuid()), decode::invite).await
    }

    async fn invites(&self, env: EnvId, filter: &InviteFilter, page: Page) -> List<Invite> {
        list(self, &filter.select(B::DIALECT, env), page, |row| Ok(decode::invite(row)?.value)).await
    }

    async fn audit_events(&self, env: Option<EnvId>, filter: &AuditFilter, page: Page) -> List<AuditEvent> {
        list(self, &filter.select(B::DIALECT, env), page, decode::audit_event).await
    }
}
