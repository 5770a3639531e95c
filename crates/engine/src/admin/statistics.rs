//! How much there is in an environment.

use crate::{
    OrgScope,
    decisions::DecisionFilter,
    error::{Kind, Result},
};
use askfirst_domain::Ident;
use askfirst_store::{Page, TenantFilter, UserFilter};

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
        })
    }
}
