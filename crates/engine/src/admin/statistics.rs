//! How much there is in an environment.

use crate::{
    EnvScope, OrgScope,
    decisions::DecisionFilter,
    error::{Kind, Result},
};
use askfirst_domain::Ident;
use askfirst_store::{Page, RequestFilter, TenantFilter, UserFilter};
use std::{collections::BTreeSet, time::Duration};

/// Who was active within this time counts as active.
const ACTIVE: Duration = Duration::from_hours(24 * 30);
/// How many requests are looked at for who was active.
const REQUESTS: u32 = 10_000;
/// How many of them are read at once.
const REQUESTS_AT_ONCE: u32 = 500;

/// Counts of one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Statistics {
    /// Tenant roles and resource roles.
    pub roles: u64,
    pub users: u64,
    /// Rules over condition sets.
    pub set_rules: u64,
    pub resources: u64,
    pub tenants: u64,
    /// Whether the decision log has a decision of this environment.
    pub has_decisions: bool,
    /// How many users were active within the last [`ACTIVE`]: a decision in the log is about them, or they made a request.
    /// Counted by key, whether or not there still is such a user; of a large log the newest eight million decisions, and
    /// the newest [`REQUESTS`] requests.
    pub active_users: u64,
}

impl OrgScope {
    /// Counts what is in an environment.
    ///
    /// # Errors
    /// [`crate::Kind::NotFound`] when there is none that this key reaches.
    pub async fn environment_statistics(&self, project: &Ident, env: &Ident) -> Result<Statistics> {
        self.get_environment(project, env)?;
        let scope = self.engine.enter(self.op.clone(), project, env).await?;
        let store = self.engine.store();
        let one = Page { offset: 0, limit: 1 };
        let users = store.users(scope.env.id, &UserFilter::default(), one).await?.total;
        let tenants = store.tenants(scope.env.id, &TenantFilter::default(), one).await?.total;
        let has_decisions = match scope.count_decisions(&DecisionFilter::default(), 1).await {
            Ok(logged) => logged > 0,
            // A server may keep no log.
            Err(error) if error.kind() == Kind::NotFound => false,
            Err(error) => return Err(error),
        };
        let active_users = scope.active_users().await?;
        let state = scope.state();
        let schema = state.snapshot.schema();
        let count = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
        Ok(Statistics {
            roles: count(schema.roles().count()),
            users,
            set_rules: count(schema.set_rules().count()),
            resources: count(crate::schema::plain_resources(schema).count()),
            tenants,
            has_decisions,
            active_users,
        })
    }
}

impl EnvScope {
    /// How many users were active; see [`Statistics::active_users`].
    async fn active_users(&self) -> Result<u64> {
        let since = self.op.now.minus(ACTIVE);
        let mut users = match self.users_of_decisions(since).await {
            Ok(users) => users,
            // A server may keep no log.
            Err(error) if error.kind() == Kind::NotFound => BTreeSet::new(),
            Err(error) => return Err(error),
        };
        let mut offset = 0;
        while offset < REQUESTS {
            let page = Page { offset: offset.into(), limit: REQUESTS_AT_ONCE };
            // Newest first.
            let found =
                self.engine.store().requests(self.env.id, &RequestFilter::default(), page).await?.items;
            let recent = found.iter().filter(|request| request.created_at >= since);
            users.extend(recent.map(|request| request.requester.key.to_string()));
            if found.last().is_none_or(|oldest| oldest.created_at < since) {
                break;
            }
            offset += REQUESTS_AT_ONCE;
        }
        Ok(u64::try_from(users.len()).unwrap_or(u64::MAX))
    }
}
