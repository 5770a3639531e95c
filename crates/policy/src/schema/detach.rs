//! What else has to be written when something is deleted, so that no name in the schema refers to it any more and a
//! thing that is created later under the same key inherits nothing.

use super::Schema;
use askfirst_domain::{
    element::Element,
    id::{RelationId, ResourceId, RoleId},
    schema::{DerivationRule, Role},
};
use std::sync::Arc;

impl Schema {
    /// The other roles that extend this one or are derived from it, without that: to be put along with its deletion.
    pub fn detach_role(&self, id: RoleId) -> Vec<Role> {
        let Some(gone) = self.role_by_id(id) else { return Vec::new() };
        self.rewritten(
            |role| role.id != id,
            |role| {
                if role.resource == gone.resource {
                    role.extends.retain(|key| *key != gone.key);
                }
                keep_rules(role, |rule| {
                    gone.resource.as_ref() != Some(&rule.on_resource) || rule.role != gone.key
                });
            },
        )
    }

    /// The roles that are derived over this relation, without that: to be put along with its deletion.
    pub fn detach_relation(&self, id: RelationId) -> Vec<Role> {
        let Some(gone) = self.relation_by_id(id) else { return Vec::new() };
        self.rewritten(
            |role| role.resource.as_ref() == Some(&gone.object_resource),
            |role| keep_rules(role, |rule| rule.linked_by_relation != gone.key),
        )
    }

    /// The roles of other scopes that permit something on this resource or are derived from a role on it, without
    /// that: to be put along with its deletion.
    pub fn detach_resource(&self, id: ResourceId) -> Vec<Role> {
        let Some(gone) = self.resource_by_id(id) else { return Vec::new() };
        self.rewritten(
            |role| role.resource.as_ref() != Some(&gone.key),
            |role| {
                role.permissions.retain(|permission| permission.resource != gone.key);
                keep_rules(role, |rule| rule.on_resource != gone.key);
            },
        )
    }

    /// The elements that give a level to one of these roles, without that: to be put along with the roles' deletion.
    pub fn detach_levels(&self, roles: &[RoleId]) -> Vec<Element> {
        self.elements()
            .filter(|element| element.roles_to_levels.values().flatten().any(|id| roles.contains(id)))
            .map(|element| {
                let mut element = Element::clone(element);
                for ids in element.roles_to_levels.values_mut() {
                    ids.retain(|id| !roles.contains(id));
                }
                element.roles_to_levels.retain(|_, ids| !ids.is_empty());
                element
            })
            .collect()
    }

    fn rewritten(&self, concerned: impl Fn(&Role) -> bool, rewrite: impl Fn(&mut Role)) -> Vec<Role> {
        let changed = |role: &Arc<Role>| {
            let mut new = Role::clone(role);
            rewrite(&mut new);
            (new != **role).then_some(new)
        };
        self.roles().filter(|role| concerned(role)).filter_map(changed).collect()
    }
}

fn keep_rules(role: &mut Role, keep: impl Fn(&DerivationRule) -> bool) {
    if let Some(derivation) = &mut role.granted_to {
        derivation.users_with_role.retain(keep);
        if derivation.users_with_role.is_empty() {
            role.granted_to = None;
        }
    }
}
