//! All that a user may do, place by place.

use crate::{EnvScope, LiveState, error::Result};
use askfirst_domain::{
    Key,
    decision::Place,
    facts::{Attributes, Tenant},
    id::RoleId,
    schema::Permission,
};
use askfirst_policy::PlaceRef;
use askfirst_store::{InstanceIdent, Page};
use std::collections::{BTreeSet, HashMap};

/// The type under which tenants stand among resources.
pub const TENANT_TYPE: &str = "__tenant";

/// Narrows a user's permissions. None means any; an empty list matches nothing. A tenant counts as an instance of the
/// resource [`TENANT_TYPE`].
#[derive(Debug, Clone, Default)]
pub struct PermissionFilter {
    /// Keys of tenants: those tenants, and what is in them.
    pub tenants: Option<Vec<String>>,
    /// As `type:key`.
    pub resources: Option<Vec<String>>,
    /// Keys of resources.
    pub resource_types: Option<Vec<String>>,
}

/// What a user has in one place.
#[derive(Debug, Clone, PartialEq)]
pub struct Holding {
    pub place: Place,
    /// The place itself, or the tenant of the instance.
    pub tenant: Tenant,
    /// Of the instance; none for a tenant.
    pub attributes: Option<Attributes>,
    /// What the roles here allow, sorted. What is allowed on an instance by a role in its tenant stands with the tenant.
    pub permissions: Vec<Permission>,
    /// The roles that are effective here: given, extended and derived; sorted.
    pub roles: Vec<Key>,
}

impl Holding {
    /// `__tenant:KEY` or `type:key`.
    pub fn name(&self) -> String {
        name(&self.place)
    }
}

impl EnvScope {
    /// The places where the user has a role, and what it allows there, sorted by name. An unknown user has none.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn permissions_of(
        &self,
        user: &str,
        filter: &PermissionFilter,
        page: Page,
    ) -> Result<Vec<Holding>> {
        let state = self.state();
        let mut places: Vec<(String, Place, Key)> = self
            .places_of(&state, user, filter)
            .into_iter()
            .map(|(place, tenant)| (name(&place), place, tenant))
            .collect();
        places.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        let first = usize::try_from(page.offset).unwrap_or(usize::MAX);
        let most = usize::try_from(page.limit).unwrap_or(usize::MAX);
        let mut tenants: HashMap<Key, Option<Tenant>> = HashMap::new();
        let mut holdings = Vec::new();
        for (_, place, tenant) in places.into_iter().skip(first).take(most) {
            if !tenants.contains_key(&tenant) {
                tenants.insert(tenant.clone(), self.tenant_of_key(&tenant).await?);
            }
            // What has just gone is left out.
            let Some(Some(tenant)) = tenants.get(&tenant).cloned() else { continue };
            let attributes = match &place {
                Place::Tenant(_) => None,
                Place::Instance(at) => {
                    let ident =
                        InstanceIdent::Key { resource: at.resource.to_string(), key: at.key.to_string() };
                    let Some(found) = self.engine.store().instance(self.env.id, &ident).await? else {
                        continue;
                    };
                    Some(found.value.attributes)
                }
            };
            let (roles, permissions) = self.roles_at(&state, user, &place);
            holdings.push(Holding { place, tenant, attributes, permissions, roles });
        }
        Ok(holdings)
    }

    /// The places that the filter lets through, each with its tenant.
    fn places_of(&self, state: &LiveState, user: &str, filter: &PermissionFilter) -> Vec<(Place, Key)> {
        let schema = state.snapshot.schema();
        let typed = schema.roles().filter(|role| {
            matches(filter.resource_types.as_ref(), role.resource.as_ref().map_or(TENANT_TYPE, Key::as_str))
        });
        let roles: Vec<RoleId> = typed.map(|role| role.id).collect();
        let found = state.snapshot.places(user, &roles, self.op.now).into_iter();
        let with_tenant = found.filter_map(|place| {
            let tenant = match &place {
                Place::Tenant(key) => key.clone(),
                Place::Instance(at) => {
                    state.snapshot.instance_tenant(at.resource.as_str(), at.key.as_str())?
                }
            };
            Some((place, tenant))
        });
        let passes = |(place, tenant): &(Place, Key)| {
            matches(filter.tenants.as_ref(), tenant.as_str())
                && matches(filter.resources.as_ref(), &name(place))
        };
        with_tenant.filter(passes).collect()
    }

    fn roles_at(&self, state: &LiveState, user: &str, place: &Place) -> (Vec<Key>, Vec<Permission>) {
        let schema = state.snapshot.schema();
        let effective = state.snapshot.roles_on(user, &PlaceRef::from(place), self.op.now);
        let (mut roles, mut permissions) = (BTreeSet::new(), BTreeSet::new());
        for role in effective.into_iter().filter(|role| role.at.at == *place) {
            if let Some(role) = schema.role_by_id(role.id) {
                permissions.extend(role.permissions.iter().cloned());
            }
            roles.insert(role.at.role);
        }
        // A permission may outlive its action; then it allows nothing.
        permissions.retain(|p| {
            schema
                .resource_by_key(p.resource.as_str())
                .is_some_and(|resource| resource.actions.iter().any(|action| action.key == p.action))
        });
        (roles.into_iter().collect(), permissions.into_iter().collect())
    }
}

fn name(place: &Place) -> String {
    match place {
        Place::Tenant(key) => format!("{TENANT_TYPE}:{key}"),
        Place::Instance(at) => at.to_string(),
    }
}

fn matches(wanted: Option<&Vec<String>>, name: &str) -> bool {
    wanted.is_none_or(|names| names.iter().any(|wanted| wanted == name))
}
