//! What a question is about, and which roles would have to be held where.

use super::Ask;
use askfirst_domain::{facts::DEFAULT_TENANT, id::RoleId};
use askfirst_policy::{PlaceRef, Question, Schema, Snapshot};

/// A resource, or one of its instances. Every name is a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Thing {
    pub resource: String,
    /// None means the resource as a whole.
    pub instance: Option<String>,
    /// None means the instance's tenant, or `default`.
    pub tenant: Option<String>,
}

impl Thing {
    /// Whether the user may do this to it.
    pub fn asked(self, user: impl Into<String>, action: impl Into<String>) -> Ask {
        let Self { resource, instance, tenant } = self;
        Ask { user: user.into(), action: action.into(), resource, instance, tenant }
    }

    pub(super) fn question<'t>(&'t self, user: &'t str, action: &'t str) -> Question<'t> {
        Question {
            user,
            action,
            resource: &self.resource,
            instance: self.instance.as_deref(),
            tenant: self.tenant.as_deref(),
        }
    }
}

/// The roles that allow an action by their own permissions, and the place on which one of them has to be effective.
#[derive(Debug)]
pub(super) struct Needed<'t> {
    pub(super) roles: Vec<RoleId>,
    /// The instance when it is known, else the tenant.
    pub(super) place: PlaceRef<'t>,
    pub(super) tenant: String,
}

/// What it takes to do this to the thing; none when nothing would allow it. The rules are those of a check: a known
/// instance says its tenant and is in no other; for everything else the tenant is the one that is named, or `default`.
pub(super) fn needed<'t>(snapshot: &Snapshot, action: &str, on: &'t Thing) -> Option<Needed<'t>> {
    let roles = permitting(snapshot.schema(), &on.resource, action)?;
    let instance = on.instance.as_deref();
    let known = instance.and_then(|key| Some((key, snapshot.instance_tenant(&on.resource, key)?)));
    if let Some((key, tenant)) = known {
        let fits = on.tenant.as_deref().is_none_or(|named| named == tenant.as_str());
        let place = PlaceRef::Instance { resource: &on.resource, key };
        return fits.then(|| Needed { roles, place, tenant: tenant.to_string() });
    }
    let tenant = on.tenant.as_deref().unwrap_or(DEFAULT_TENANT);
    Some(Needed { roles, place: PlaceRef::Tenant(tenant), tenant: tenant.to_owned() })
}

/// The roles, of the resource and of tenants, that allow an action by their own permissions; none when the policy knows
/// no such action.
pub(super) fn permitting(schema: &Schema, resource: &str, action: &str) -> Option<Vec<RoleId>> {
    let actions = &schema.resource_by_key(resource)?.actions;
    actions.iter().find(|known| known.key.as_str() == action)?;
    let here = schema.roles_of(Some(resource)).chain(schema.roles_of(None));
    let allowing = here.filter(|role| {
        role.permissions.iter().any(|p| p.resource.as_str() == resource && p.action.as_str() == action)
    });
    Some(allowing.map(|role| role.id).collect())
}
