//! The check, asked from the other side: who may, what may be done, where.
//!
//! Each list holds exactly what a check would allow. People, actions and related instances come from the live
//! snapshot. A tenant role reaches every instance of its tenant; those are read from the store, a page at a time.

use super::{
    Thing,
    thing::{needed, permitting},
};
use crate::{EnvScope, LiveState, error::Result};
use askfirst_domain::{
    Ident, Key, UserKey,
    decision::{Place, RoleAt},
    facts::{DEFAULT_TENANT, Instance, Tenant},
    id::RoleId,
};
use askfirst_policy::Question;
use askfirst_store::{InstanceFilter, Page};
use std::collections::{BTreeMap, BTreeSet};

/// An instance on which something may be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reached {
    pub key: Key,
    pub tenant: Key,
}

/// Part of a list of instances.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReachedPage {
    pub items: Vec<Reached>,
    /// Where the next part starts; none at the end.
    pub next: Option<u64>,
    /// How long the whole list is now.
    pub total: u64,
}

/// The people who may do something, each with the roles that were given to them and allow it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authorized {
    /// The tenant that the question was about.
    pub tenant: String,
    pub users: BTreeMap<UserKey, Vec<RoleAt>>,
}

/// Where instances are found: related ones by name, and all of a tenant.
struct Sources {
    related: Vec<Reached>,
    tenants: BTreeSet<Key>,
}

impl EnvScope {
    /// The users who may do this to the thing, sorted. The cost grows with the answer, not with the number of users.
    pub fn users_allowed(&self, action: &str, on: &Thing) -> Vec<UserKey> {
        let state = self.state();
        let needed = needed(&state.snapshot, action, on);
        needed
            .map_or_else(Vec::new, |needed| state.snapshot.holders(&needed.place, &needed.roles, self.op.now))
    }

    /// As [`EnvScope::users_allowed`], with the roles that let them: those that they were given, wherever that is.
    pub fn authorized(&self, action: &str, on: &Thing) -> Authorized {
        let state = self.state();
        let named = || on.tenant.clone().unwrap_or_else(|| DEFAULT_TENANT.to_owned());
        let Some(needed) = needed(&state.snapshot, action, on) else {
            return Authorized { tenant: named(), users: BTreeMap::new() };
        };
        let users = state.snapshot.holders(&needed.place, &needed.roles, self.op.now);
        let with_roles = users.into_iter().map(|user| {
            let effective = state.snapshot.roles_on(user.as_str(), &needed.place, self.op.now);
            let allowing = effective.into_iter().filter(|role| needed.roles.contains(&role.id));
            let given: BTreeSet<RoleAt> = allowing.map(|role| role.grant.held).collect();
            (user, given.into_iter().collect())
        });
        Authorized { users: with_roles.collect(), tenant: needed.tenant }
    }

    /// The actions that the user may do to the thing, in the order of their keys.
    pub fn actions_allowed(&self, user: &str, on: &Thing) -> Vec<Key> {
        let state = self.state();
        let Some(resource) = state.snapshot.schema().resource_by_key(&on.resource) else { return Vec::new() };
        let allowed = |action: &Key| {
            let question = Question {
                user,
                action: action.as_str(),
                resource: &on.resource,
                instance: on.instance.as_deref(),
                tenant: on.tenant.as_deref(),
            };
            state.snapshot.is_allowed(&question, self.op.now)
        };
        let mut actions: Vec<Key> =
            resource.actions.iter().map(|action| action.key.clone()).filter(allowed).collect();
        actions.sort_unstable();
        actions
    }

    /// The instances of a resource to which the user may do this; in one tenant when it is named, else in all. First
    /// those on which the user has a role, by key; then, tenant by tenant, all of the tenants in which the user has one,
    /// in the order of their creation. Only instances that exist are listed.
    ///
    /// The cost grows with the places where the user has a role and with the part that is asked for. A list that changes
    /// between two parts may show an instance twice or leave out one that was there all the time.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn instances_allowed(
        &self,
        user: &str,
        action: &str,
        resource: &str,
        tenant: Option<&str>,
        page: Page,
    ) -> Result<ReachedPage> {
        let state = self.state();
        let nothing = ReachedPage { items: Vec::new(), next: None, total: 0 };
        let Some(roles) = permitting(state.snapshot.schema(), resource, action) else { return Ok(nothing) };
        let Ok(resource) = resource.parse::<Key>() else { return Ok(nothing) };
        let Sources { related, tenants } = self.sources(&state, user, &roles, &resource, tenant);

        let mut total = count(related.len());
        let mut skip = page.offset.saturating_sub(total);
        let first = usize::try_from(page.offset).unwrap_or(usize::MAX);
        let most = usize::try_from(page.limit).unwrap_or(usize::MAX);
        let mut items: Vec<Reached> = related.into_iter().skip(first).take(most).collect();
        let mut left = page.limit.saturating_sub(u32::try_from(items.len()).unwrap_or(u32::MAX));
        for key in tenants {
            let Some(tenant) = self.tenant_of_key(&key).await? else { continue };
            let filter = InstanceFilter {
                tenant: Some(tenant.id),
                resource: Some(resource.clone()),
                ..InstanceFilter::default()
            };
            let part = Page { offset: skip, limit: left };
            let found = self.engine.store().instances(self.env.id, &filter, part).await?;
            total = total.saturating_add(found.total);
            skip = skip.saturating_sub(found.total);
            left = left.saturating_sub(u32::try_from(found.items.len()).unwrap_or(u32::MAX));
            // The store may be a moment ahead of the state that was asked.
            let holds = |i: &Instance| self.holds(&state, user, action, i);
            let holding = found.items.into_iter().filter(holds);
            items.extend(holding.map(|i| Reached { key: i.key, tenant: i.tenant }));
        }
        let end = page.offset.saturating_add(u64::from(page.limit));
        Ok(ReachedPage { items, next: (end < total).then_some(end), total })
    }

    fn sources(
        &self,
        state: &LiveState,
        user: &str,
        roles: &[RoleId],
        resource: &Key,
        tenant: Option<&str>,
    ) -> Sources {
        let wanted = |key: &Key| tenant.is_none_or(|named| named == key.as_str());
        let mut sources = Sources { related: Vec::new(), tenants: BTreeSet::new() };
        // Tenants come first.
        for place in state.snapshot.places(user, roles, self.op.now) {
            match place {
                Place::Tenant(key) if wanted(&key) => {
                    sources.tenants.insert(key);
                }
                Place::Instance(at) if at.resource == *resource => {
                    let own = state.snapshot.instance_tenant(at.resource.as_str(), at.key.as_str());
                    if let Some(own) = own.filter(|own| wanted(own) && !sources.tenants.contains(own)) {
                        sources.related.push(Reached { key: at.key, tenant: own });
                    }
                }
                _ => {}
            }
        }
        sources
    }

    fn holds(&self, state: &LiveState, user: &str, action: &str, instance: &Instance) -> bool {
        let question = Question {
            user,
            action,
            resource: instance.resource.as_str(),
            instance: Some(instance.key.as_str()),
            tenant: Some(instance.tenant.as_str()),
        };
        state.snapshot.is_allowed(&question, self.op.now)
    }

    /// The tenants in which the user may do this to the thing, by key; the thing's own tenant is not looked at. A known
    /// instance is in one tenant only.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn tenants_allowed(&self, user: &str, action: &str, on: &Thing) -> Result<Vec<Tenant>> {
        let state = self.state();
        let roles = permitting(state.snapshot.schema(), &on.resource, action).unwrap_or_default();
        let instance = on.instance.as_deref();
        let candidates = match instance.and_then(|key| state.snapshot.instance_tenant(&on.resource, key)) {
            Some(own) => vec![own],
            None => tenants_among(state.snapshot.places(user, &roles, self.op.now)),
        };
        let allowed = candidates.into_iter().filter(|tenant| {
            let question =
                Question { user, action, resource: &on.resource, instance, tenant: Some(tenant.as_str()) };
            state.snapshot.is_allowed(&question, self.op.now)
        });
        self.tenants_of_keys(allowed).await
    }

    /// The tenants that the user belongs to: `default`, then those where the user has a role, by key. None for an unknown
    /// user.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn tenants_of_user(&self, user: &str) -> Result<Vec<Tenant>> {
        if !self.state().snapshot.has_user(user) {
            return Ok(Vec::new());
        }
        let view = match self.user(&Ident::from(user)).await {
            Ok(view) => view,
            Err(e) if e.kind() == crate::Kind::NotFound => return Ok(Vec::new()),
            Err(e) => return Err(e),
        };
        self.tenants_of_keys(view.memberships.into_iter().map(|m| m.tenant)).await
    }

    async fn tenants_of_keys(&self, keys: impl Iterator<Item = Key>) -> Result<Vec<Tenant>> {
        let mut tenants = Vec::new();
        for key in keys {
            tenants.extend(self.tenant_of_key(&key).await?);
        }
        Ok(tenants)
    }

    /// The tenant with this key, unless it has just gone.
    pub(super) async fn tenant_of_key(&self, key: &Key) -> Result<Option<Tenant>> {
        let found = self.engine.store().tenant(self.env.id, &Ident::from(key.as_str())).await?;
        Ok(found.map(|tenant| tenant.value).filter(|tenant| tenant.key == *key))
    }
}

fn tenants_among(places: Vec<Place>) -> Vec<Key> {
    let tenant = |place| match place {
        Place::Tenant(key) => Some(key),
        Place::Instance(_) => None,
    };
    places.into_iter().filter_map(tenant).collect()
}

fn count(len: usize) -> u64 {
    u64::try_from(len).unwrap_or(u64::MAX)
}
