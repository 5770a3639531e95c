//! The check, asked from the other side: who may, what may be done, where.
//!
//! Each list holds exactly what a check would allow with the same words of the call. All of it comes from the live
//! snapshot; no database is read.

use super::{Given, Thing, thing::needed};
use crate::{EnvScope, LiveState, error::Result};
use askfirst_domain::{
    Ident, Key, Timestamp, UserKey,
    decision::{Allowance, Decision, RoleAt, RuleGrant},
    facts::DEFAULT_TENANT,
};
use askfirst_policy::{InstancePage, Part, Reaching, TenantView};
use std::collections::{BTreeMap, BTreeSet};

/// A list over more users, tenants and instances than this is made on a thread of its own, so that checks do not wait.
const MADE_AT_ONCE: usize = 4_000;

/// The people who may do something, each with what lets them.
#[derive(Debug, Clone, PartialEq)]
pub struct Authorized {
    /// The tenant that the question was about.
    pub tenant: String,
    pub users: BTreeMap<UserKey, Authority>,
}

/// What lets a user do something.
#[derive(Debug, Clone, PartialEq)]
pub enum Authority {
    /// Roles, as they were given.
    Roles(Vec<RoleAt>),
    /// No role, but this rule.
    Rule(RuleGrant),
}

/// Which instances are asked for.
#[derive(Debug, Clone, Default)]
pub struct InstanceSearch {
    pub user: String,
    pub action: String,
    pub resource: String,
    /// One tenant only.
    pub tenant: Option<String>,
    /// The last key of the part before; none for the first part.
    pub after: Option<String>,
    /// How many at most.
    pub limit: usize,
}

impl EnvScope {
    /// The users who may do this to the thing, sorted. What the call says of the user is said of each of them.
    ///
    /// The cost of what roles allow grows with the answer; a rule over a user set looks at every user, unless what it
    /// asks of the thing does not hold.
    ///
    /// # Errors
    /// When the work is broken off.
    pub async fn users_allowed(&self, action: &str, on: &Thing, given: &Given) -> Result<Vec<UserKey>> {
        let (action, on, given) = (action.to_owned(), on.clone(), given.clone());
        self.apart(move |state, now| {
            let question = on.question("", &action);
            state.snapshot.users_allowed(&question, &given.attributes(), now)
        })
        .await
    }

    /// As [`EnvScope::users_allowed`], with what lets them: the roles that they were given, wherever that is, or else the
    /// rule.
    ///
    /// # Errors
    /// As [`EnvScope::users_allowed`].
    pub async fn authorized(&self, action: &str, on: &Thing, given: &Given) -> Result<Authorized> {
        let (action, on, given) = (action.to_owned(), on.clone(), given.clone());
        self.apart(move |state, now| authorized(state, &action, &on, &given, now)).await
    }

    /// The actions that the user may do to the thing, in the order of their keys.
    pub fn actions_allowed(&self, user: &str, on: &Thing, given: &Given) -> Vec<Key> {
        let state = self.state();
        let Some(resource) = state.snapshot.schema().resource_by_key(&on.resource) else { return Vec::new() };
        let call = given.attributes();
        let allowed = |action: &Key| {
            state.snapshot.is_allowed_with(&on.question(user, action.as_str()), &call, self.op.now)
        };
        let mut actions: Vec<Key> =
            resource.actions.iter().map(|action| action.key.clone()).filter(allowed).collect();
        actions.sort_unstable();
        actions
    }

    /// The known instances of a resource to which the user may do this, by key. What the call says of the resource is
    /// said of each of them.
    ///
    /// The cost of what roles on instances allow grows with the answer. Where a tenant role or a rule allows it, each
    /// part goes through the instances of those tenants (a rule over a user set: of all) and holds as many of them
    /// against conditions as it takes. An instance that is there all the while is in exactly one part.
    ///
    /// # Errors
    /// When the work is broken off.
    pub async fn instances_allowed(&self, search: InstanceSearch, given: &Given) -> Result<InstancePage> {
        let given = given.clone();
        self.apart(move |state, now| {
            let InstanceSearch { user, action, resource, tenant, after, limit } = &search;
            let reaching = Reaching { user, action, resource };
            let part = Part { after: after.as_deref(), limit: *limit };
            let call = given.attributes();
            state.snapshot.instances_allowed(&reaching, tenant.as_deref(), &call, now, &part)
        })
        .await
    }

    /// The tenants in which the user may do this to the thing, by key; the thing's own tenant is not looked at. A known
    /// instance is in one tenant only; for everything else a rule over a user set is asked of every tenant.
    ///
    /// # Errors
    /// When the work is broken off.
    pub async fn tenants_allowed(
        &self,
        user: &str,
        action: &str,
        on: &Thing,
        given: &Given,
    ) -> Result<Vec<TenantView>> {
        let (user, action, on, given) = (user.to_owned(), action.to_owned(), on.clone(), given.clone());
        self.apart(move |state, now| {
            let reaching = Reaching { user: &user, action: &action, resource: &on.resource };
            let call = given.attributes();
            state.snapshot.tenants_allowed(&reaching, on.instance.as_deref(), &call, now)
        })
        .await
    }

    /// The tenants that the user belongs to: `default`, then those where the user has a role, by key. None for an unknown
    /// user.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn tenants_of_user(&self, user: &str) -> Result<Vec<TenantView>> {
        if !self.state().snapshot.has_user(user) {
            return Ok(Vec::new());
        }
        let view = match self.user(&Ident::from(user)).await {
            Ok(view) => view,
            Err(e) if e.kind() == crate::Kind::NotFound => return Ok(Vec::new()),
            Err(e) => return Err(e),
        };
        let snapshot = &self.state().snapshot;
        Ok(view.memberships.into_iter().filter_map(|m| snapshot.tenant(m.tenant.as_str())).collect())
    }

    /// Makes a list from the newest state: at once, or beside the calls when it may take long.
    pub(super) async fn apart<T: Send + 'static>(
        &self,
        list: impl FnOnce(&LiveState, Timestamp) -> T + Send + 'static,
    ) -> Result<T> {
        let (state, now) = (self.state(), self.op.now);
        if state.snapshot.population() <= MADE_AT_ONCE {
            return Ok(list(&state, now));
        }
        Ok(tokio::task::spawn_blocking(move || list(&state, now)).await?)
    }
}

fn authorized(state: &LiveState, action: &str, on: &Thing, given: &Given, now: Timestamp) -> Authorized {
    let snapshot = &state.snapshot;
    let Some(needed) = needed(snapshot, action, on) else {
        let tenant = on.tenant.clone().unwrap_or_else(|| DEFAULT_TENANT.to_owned());
        return Authorized { tenant, users: BTreeMap::new() };
    };
    let call = given.attributes();
    let authority = |user: &UserKey| {
        let effective = snapshot.roles_on(user.as_str(), &needed.place, now);
        let allowing = effective.into_iter().filter(|role| needed.roles.contains(&role.id));
        let roles: BTreeSet<RoleAt> = allowing.map(|role| role.grant.held).collect();
        if !roles.is_empty() {
            return Some(Authority::Roles(roles.into_iter().collect()));
        }
        match snapshot.check_with(&on.question(user.as_str(), action), &call, now) {
            Decision::Allow(Allowance::Rule(rule)) => Some(Authority::Rule(rule)),
            Decision::Allow(Allowance::Role(grant)) => Some(Authority::Roles(vec![grant.held])),
            Decision::Deny(_) => None,
        }
    };
    let users = snapshot.users_allowed(&on.question("", action), &call, now).into_iter();
    let users = users.filter_map(|user| Some((user.clone(), authority(&user)?))).collect();
    Authorized { users, tenant: needed.tenant }
}
