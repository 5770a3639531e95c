//! What a role amounts to once everything that it extends is counted in.

use super::Schema;
use askfirst_domain::schema::{Permission, Role};
use std::{collections::BTreeSet, sync::Arc};

impl Schema {
    /// The role and every role that it extends, directly or through others; itself first, nearest next. A cycle is
    /// walked once.
    pub fn extended<'a>(&'a self, role: &'a Arc<Role>) -> Vec<&'a Arc<Role>> {
        let scope = role.resource.as_ref().map(AsRef::as_ref);
        let mut found: Vec<&Arc<Role>> = vec![role];
        let mut next = 0;
        while let Some(&current) = found.get(next) {
            for base in current.extends.iter().filter_map(|key| self.role_by_key(scope, key.as_str())) {
                if !found.iter().any(|seen| seen.id == base.id) {
                    found.push(base);
                }
            }
            next += 1;
        }
        found
    }

    /// Everything that holding the role permits in the place where it is held.
    pub fn permissions_of(&self, role: &Arc<Role>) -> BTreeSet<Permission> {
        self.extended(role).iter().flat_map(|r| r.permissions.iter().cloned()).collect()
    }

    /// Whether the role permits `resource:action`, by itself or by what it extends.
    pub fn permits(&self, role: &Arc<Role>, resource: &str, action: &str) -> bool {
        self.extended(role)
            .iter()
            .flat_map(|r| &r.permissions)
            .any(|p| p.resource.as_str() == resource && p.action.as_str() == action)
    }

    /// The roles that permit `resource:action` where they are held, by themselves or by what they extend: those on
    /// the resource and those in tenants, least privilege first (fewest permissions, then by key).
    pub fn roles_permitting(&self, resource: &str, action: &str) -> Vec<&Arc<Role>> {
        let mut found: Vec<_> = self
            .roles_of(Some(resource))
            .chain(self.roles_of(None))
            .filter(|role| self.permits(role, resource, action))
            .collect();
        found.sort_by_cached_key(|role| {
            (role.resource.is_none(), self.permissions_of(role).len(), role.key.clone())
        });
        found
    }
}
