//! The schema as it would be with a file written over it.

use super::{
    build::{Others, Stamp, attributes_over, bare_resource},
    data::{AttributeEntry, ElementEntry, PolicyFile, Prune, RoleEntry, Section},
};
use crate::{RoleName, Schema};
use askfirst_domain::{
    Key, Timestamp,
    element::{APPROVED_ROLE, ElementType, OPERATE_ACTION, REVIEWER_ACTIONS, REVIEWER_ROLE},
    schema::{Action, Permission, Resource, SetKind, TENANT_RESOURCE, USER_RESOURCE, is_built_in},
};
use serde_json::Map;
use std::{cell::Cell, collections::BTreeSet, convert::Infallible};
use uuid::Uuid;

/// The actions that an operation approval needs on its resource, and that no pruning takes away.
pub(super) const OPERATION_ACTIONS: [&str; 4] =
    [REVIEWER_ACTIONS[0], REVIEWER_ACTIONS[1], REVIEWER_ACTIONS[2], OPERATE_ACTION];

impl PolicyFile {
    /// The resources on which the file asks for operation approvals.
    pub fn operation_resources(&self) -> BTreeSet<&Key> {
        let about = |element: &&ElementEntry| element.kind == ElementType::OperationApproval;
        self.elements.iter().filter(about).filter_map(|element| element.resource.as_ref()).collect()
    }

    /// What becomes of a resource's parts that the file does not name.
    pub fn others(&self, resource: &Key, prune: Prune) -> Others<'static> {
        if !self.is_whole(Section::Resources, prune) {
            return Others::Stay;
        }
        let operated = self.operation_resources().contains(resource);
        Others::Go { but: if operated { &OPERATION_ACTIONS } else { &[] } }
    }

    /// The roles that stay whatever is pruned, since an operation approval of the file needs them.
    pub fn keeps_role(&self, role: &RoleName) -> bool {
        matches!(role.key.as_str(), REVIEWER_ROLE | APPROVED_ROLE)
            && role.resource.as_ref().is_some_and(|resource| self.operation_resources().contains(resource))
    }

    /// The role's entry.
    pub fn role(&self, name: &RoleName) -> Option<&RoleEntry> {
        let roles = match &name.resource {
            None => &self.tenant_roles,
            Some(key) => &self.resources.iter().find(|resource| resource.key == *key)?.roles,
        };
        roles.iter().find(|role| role.key == name.key)
    }
}

/// Ids that mean nothing outside, and no time.
pub(super) struct Numbers(Cell<u128>);

impl Numbers {
    pub(super) fn from(first: u128) -> Self {
        Self(Cell::new(first))
    }

    pub(super) fn next(&self) -> Uuid {
        self.0.set(self.0.get() + 1);
        Uuid::from_u128(self.0.get())
    }
}

fn sure<T>(made: Result<T, Infallible>) -> T {
    match made {
        Ok(made) => made,
    }
}

/// The schema as it would be with the file written over it. New things get ids that mean nothing outside.
pub(super) fn merged(file: &PolicyFile, existing: &Schema, prune: Prune) -> Schema {
    let numbers = Numbers::from(0);
    let fresh = || Ok(numbers.next());
    let mut stamp = Stamp::<Infallible>::new(Timestamp::default(), &fresh);
    let mut schema = pruned(file, existing, prune);
    for (key, entries, section) in [
        (USER_RESOURCE, &file.user_attributes, Section::UserAttributes),
        (TENANT_RESOURCE, &file.tenant_attributes, Section::TenantAttributes),
    ] {
        put_attributes(&mut schema, key, entries, file.is_whole(section, prune), &mut stamp);
    }
    for entry in &file.resources {
        let old = schema.resource_by_key(entry.key.as_str()).cloned();
        let others = file.others(&entry.key, prune);
        schema.put_resource(sure(entry.over(old.as_deref(), others, &mut stamp)));
    }
    for entry in &file.resources {
        for relation in &entry.relations {
            let old = schema.relation_by_key(entry.key.as_str(), relation.key.as_str()).cloned();
            schema.put_relation(sure(relation.over(&entry.key, old.as_deref(), &mut stamp)));
        }
    }
    let on_resources = file.resources.iter().flat_map(|r| r.roles.iter().map(|role| (Some(&r.key), role)));
    for (resource, role) in on_resources.chain(file.tenant_roles.iter().map(|role| (None, role))) {
        let old = schema.role_by_key(resource.map(Key::as_str), role.key.as_str()).cloned();
        schema.put_role(sure(role.over(resource, old.as_deref(), &mut stamp)));
    }
    for resource in file.operation_resources() {
        imply_operation_roles(&mut schema, resource, &mut stamp);
    }
    for entry in &file.sets {
        let old = schema.condition_set_by_key(entry.key.as_str()).cloned();
        schema.put_condition_set(sure(entry.over(old.as_deref(), &mut stamp)));
    }
    for entry in &file.rules {
        if !schema.set_rules().any(|rule| entry.is(rule)) {
            schema.put_set_rule(sure(entry.new_rule(&mut stamp)));
        }
    }
    for entry in &file.proxy_configs {
        let old = schema.proxy_config_by_key(entry.key.as_str()).cloned();
        schema.put_proxy_config(sure(entry.over(old.as_deref(), &mut stamp)));
    }
    schema
}

fn put_attributes(
    schema: &mut Schema,
    key: &str,
    entries: &[AttributeEntry],
    whole: bool,
    stamp: &mut Stamp<'_, Infallible>,
) {
    let (old, Ok(key)) = (schema.resource_by_key(key).cloned(), key.parse::<Key>()) else { return };
    if entries.is_empty() && old.is_none() {
        return;
    }
    let mut resource = match old {
        Some(old) => Resource::clone(&old),
        None => sure(bare_resource(&key, stamp)),
    };
    let others = if whole { Others::Go { but: &[] } } else { Others::Stay };
    resource.attributes = sure(attributes_over(&resource.attributes, entries, others, stamp));
    schema.put_resource(resource);
}

/// What is there, without what goes because the file does not name it.
fn pruned(file: &PolicyFile, existing: &Schema, prune: Prune) -> Schema {
    let mut schema = existing.clone();
    let whole = |section| file.is_whole(section, prune);
    for role in existing.roles() {
        if goes(file, &RoleName::from(role.as_ref()), prune) {
            schema.remove_role(role.id);
        }
    }
    if whole(Section::Resources) {
        for relation in existing.relations() {
            let entry = file.resources.iter().find(|resource| resource.key == relation.object_resource);
            if !entry.is_some_and(|entry| entry.relations.iter().any(|r| r.key == relation.key)) {
                schema.remove_relation(relation.id);
            }
        }
        for resource in existing.resources() {
            if !is_built_in(&resource.key) && !file.resources.iter().any(|entry| entry.key == resource.key) {
                schema.remove_resource(resource.id);
            }
        }
    }
    for set in existing.condition_sets() {
        if whole(set_section(set.kind)) && !file.sets.iter().any(|entry| entry.key == set.key) {
            schema.remove_condition_set(set.id);
        }
    }
    if whole(Section::SetRules) {
        for rule in existing.set_rules() {
            if !file.rules.iter().any(|entry| entry.is(rule)) {
                schema.remove_set_rule(rule.id);
            }
        }
    }
    if whole(Section::Elements) {
        for element in existing.elements() {
            if !file.elements.iter().any(|entry| entry.key == element.key) {
                schema.remove_element(element.id);
            }
        }
    }
    if whole(Section::ProxyConfigs) {
        for config in existing.proxy_configs() {
            if !file.proxy_configs.iter().any(|entry| entry.key == config.key) {
                schema.remove_proxy_config(config.id);
            }
        }
    }
    schema
}

/// The section in which sets of this kind stand.
pub fn set_section(kind: SetKind) -> Section {
    match kind {
        SetKind::Userset => Section::UserSets,
        SetKind::Resourceset => Section::ResourceSets,
    }
}

/// Whether a role that is there goes, because the file does not name it.
pub fn goes(file: &PolicyFile, role: &RoleName, prune: Prune) -> bool {
    let section = if role.resource.is_some() { Section::Resources } else { Section::Roles };
    file.is_whole(section, prune) && file.role(role).is_none() && !file.keeps_role(role)
}

/// What an operation approval brings along on its resource, as far as it is missing.
fn imply_operation_roles(schema: &mut Schema, key: &Key, stamp: &mut Stamp<'_, Infallible>) {
    let Some(resource) = schema.resource_by_key(key.as_str()).cloned() else { return };
    let keys = |texts: &[&str]| -> Vec<Key> { texts.iter().filter_map(|text| text.parse().ok()).collect() };
    let mut wider = Resource::clone(&resource);
    for action in keys(&OPERATION_ACTIONS) {
        if !wider.actions.iter().any(|a| a.key == action) {
            let at = stamp.now();
            wider.actions.push(Action {
                id: sure(stamp.id()),
                name: action.to_string(),
                key: action,
                description: None,
                attributes: None,
                compat: Map::new(),
                created_at: at,
                updated_at: at,
            });
        }
    }
    wider.actions.sort_by(|a, b| a.key.cmp(&b.key));
    schema.put_resource(wider);
    for (role, actions) in
        [(REVIEWER_ROLE, REVIEWER_ACTIONS.as_slice()), (APPROVED_ROLE, [OPERATE_ACTION].as_slice())]
    {
        let Ok(role) = role.parse::<Key>() else { continue };
        if schema.role_by_key(Some(key.as_str()), role.as_str()).is_none() {
            let permission = |action| Permission { resource: key.clone(), action };
            let entry = RoleEntry {
                name: role.to_string(),
                key: role,
                description: None,
                permissions: keys(actions).into_iter().map(permission).collect(),
                extends: Vec::new(),
                granted_to: None,
                attributes: None,
                compat: Map::new(),
            };
            schema.put_role(sure(entry.over(Some(key), None, stamp)));
        }
    }
}
