//! Users with their memberships: the tenants that they belong to and the roles that they have there.

use crate::{EnvScope, error::Result};
use askfirst_domain::{
    Key,
    facts::{DEFAULT_TENANT, InstanceRef, User},
    id::UserId,
};
use askfirst_store::{AssignmentFilter, Page};
use std::collections::{BTreeMap, HashMap};

/// A user with the memberships that count now; `default` first, the others by key.
#[derive(Debug, Clone)]
pub struct UserView {
    pub user: User,
    pub memberships: Vec<Membership>,
}

/// What a user is in a tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Membership {
    pub tenant: Key,
    pub roles: Vec<Key>,
    /// Roles on instances of the tenant.
    pub instance_roles: Vec<(InstanceRef, Key)>,
}

impl EnvScope {
    /// Users with their memberships, in the given order.
    pub(super) async fn with_memberships(&self, users: Vec<User>) -> Result<Vec<UserView>> {
        if users.is_empty() {
            return Ok(Vec::new());
        }
        let filter = AssignmentFilter {
            users: Some(users.iter().map(|u| u.id).collect()),
            ..AssignmentFilter::default()
        };
        let found = self.engine.store().assignments(self.env.id, &filter, Page::ALL).await?;
        let default: Key = DEFAULT_TENANT.parse()?;
        let mut by_user: HashMap<UserId, BTreeMap<Key, Membership>> = HashMap::new();
        for a in found.items.into_iter().filter(|a| a.expires_at.is_none_or(|at| at > self.op.now)) {
            let tenants = by_user.entry(a.user_id).or_default();
            let membership = tenants.entry(a.tenant.clone()).or_insert_with(|| empty(a.tenant));
            match a.instance {
                Some(on) => membership.instance_roles.push((on.reference(), a.role)),
                None => membership.roles.push(a.role),
            }
        }
        let view = |user: User| {
            let mut tenants = by_user.remove(&user.id).unwrap_or_default();
            let first = tenants.remove(&default).unwrap_or_else(|| empty(default.clone()));
            let memberships = std::iter::once(first).chain(tenants.into_values()).collect();
            UserView { user, memberships }
        };
        Ok(users.into_iter().map(view).collect())
    }

    /// One user with memberships.
    pub(super) async fn with_membership(&self, user: User) -> Result<UserView> {
        let key = user.key.clone();
        let mut views = self.with_memberships(vec![user]).await?;
        views.pop().ok_or_else(|| crate::Error::not_found("user", key))
    }
}

fn empty(tenant: Key) -> Membership {
    Membership { tenant, roles: Vec::new(), instance_roles: Vec::new() }
}
