//! Resources, roles, relations, derivations, sets and rules.

use super::suggest_resource;
use crate::{
    RoleName, Schema, SchemaError,
    file::{
        data::{PolicyFile, ResourceEntry},
        diagnostic::suggest,
        reader::{Reader, Spot},
    },
};
use askfirst_domain::{
    Id, Key, Timestamp,
    schema::{Role, SetRule},
};
use uuid::Uuid;

impl Reader {
    pub(super) fn check_schema(&mut self, file: &PolicyFile, schema: &Schema) {
        for resource in &file.resources {
            self.check_resource(resource, schema);
        }
        for name in role_names(file) {
            let scope = name.resource.as_ref().map(Key::as_str);
            let Some(role) = schema.role_by_key(scope, name.key.as_str()) else { continue };
            self.check_permissions(&name, role, schema);
            self.check_extends(&name, role, schema);
            let rules = role.granted_to.iter().flat_map(|derivation| &derivation.users_with_role);
            for (index, rule) in rules.enumerate() {
                if let Err(error) = schema.check_derivation(role, rule) {
                    let hint = derivation_hint(&error, schema);
                    self.complain(self.position(&Spot::Derivation(name.clone(), index)), error, hint);
                }
            }
        }
        for (index, entry) in file.sets.iter().enumerate() {
            let Some(set) = schema.condition_set_by_key(entry.key.as_str()) else { continue };
            if let Err(error) = schema.check_condition_set(set) {
                let of_conditions = matches!(error, SchemaError::WrongConditions { .. });
                let spot = if of_conditions { Spot::Conditions(index) } else { Spot::Set(index) };
                let hint = set_hint(&error, schema);
                self.complain(self.position(&spot), error, hint);
            }
        }
        self.check_rules(file, schema);
    }

    fn check_resource(&mut self, entry: &ResourceEntry, schema: &Schema) {
        for relation in schema.relations_of(entry.key.as_str()) {
            if let Err(error) = schema.check_relation(relation) {
                let spot = Spot::Relation(entry.key.clone(), relation.key.clone());
                let hint = suggest_resource(&relation.subject_resource, schema)
                    .filter(|_| matches!(error, SchemaError::UnknownSubject { .. }));
                self.complain(self.position(&spot), error, hint);
            }
        }
        let Some(resource) = schema.resource_by_key(entry.key.as_str()) else { return };
        for group in &entry.action_groups {
            for action in &group.actions {
                if !resource.actions.iter().any(|a| a.key == *action) {
                    let hint = suggest(action.as_str(), resource.actions.iter().map(|a| a.key.as_str()));
                    let spot = Spot::Group(entry.key.clone(), group.key.clone());
                    let message = format!("{} has no action `{action}`", entry.key);
                    self.complain(self.position(&spot), message, hint);
                }
            }
        }
    }

    /// One complaint for each permission, where [`Schema::check_role`] would stop at the first role.
    fn check_permissions(&mut self, name: &RoleName, role: &Role, schema: &Schema) {
        for permission in &role.permissions {
            let single = Role {
                permissions: vec![permission.clone()],
                extends: Vec::new(),
                granted_to: None,
                ..role.clone()
            };
            if let Err(error) = schema.check_role(&single) {
                let hint = match schema.resource_by_key(permission.resource.as_str()) {
                    Some(resource) => {
                        suggest(permission.action.as_str(), resource.actions.iter().map(|a| a.key.as_str()))
                    }
                    None => suggest_resource(&permission.resource, schema),
                };
                let spot = Spot::Permission(name.clone(), permission.clone());
                self.complain(self.position(&spot), error, hint);
            }
        }
    }

    fn check_extends(&mut self, name: &RoleName, role: &Role, schema: &Schema) {
        let scope = name.resource.as_ref().map(Key::as_str);
        for base in &role.extends {
            if let Err(error) = schema.check_extends(role, base) {
                let others =
                    schema.roles_of(scope).map(|r| r.key.as_str()).filter(|key| *key != name.key.as_str());
                let hint = matches!(error, SchemaError::UnknownExtendedRole { .. })
                    .then(|| suggest(base.as_str(), others))
                    .flatten();
                self.complain(self.position(&Spot::Extends(name.clone(), base.clone())), error, hint);
            }
        }
    }

    fn check_rules(&mut self, file: &PolicyFile, schema: &Schema) {
        for (index, entry) in file.rules.iter().enumerate() {
            let rule = SetRule {
                id: Id::new(Uuid::nil()),
                users: entry.users.clone(),
                permission: entry.permission.clone(),
                resources: entry.resources.clone(),
                created_at: Timestamp::default(),
                updated_at: Timestamp::default(),
            };
            if let Err(error) = schema.check_set_rule(&rule) {
                let hint = set_hint(&error, schema);
                self.complain(self.position(&Spot::Rule(index)), error, hint);
            }
        }
    }
}

fn role_names(file: &PolicyFile) -> Vec<RoleName> {
    let on_resources = file.resources.iter().flat_map(|resource| {
        resource
            .roles
            .iter()
            .map(|role| RoleName { resource: Some(resource.key.clone()), key: role.key.clone() })
    });
    let in_tenants = file.tenant_roles.iter().map(|role| RoleName { resource: None, key: role.key.clone() });
    on_resources.chain(in_tenants).collect()
}

fn derivation_hint(error: &SchemaError, schema: &Schema) -> Option<String> {
    match error {
        SchemaError::UnknownResource { resource, .. } => suggest_resource(resource, schema),
        SchemaError::UnknownSourceRole { source_role, on_resource, .. } => suggest(
            source_role.as_str(),
            schema.roles_of(Some(on_resource.as_str())).map(|role| role.key.as_str()),
        ),
        SchemaError::UnknownRelation { relation, object_resource, .. } => {
            suggest(relation.as_str(), schema.relations_of(object_resource.as_str()).map(|r| r.key.as_str()))
        }
        _ => None,
    }
}

fn set_hint(error: &SchemaError, schema: &Schema) -> Option<String> {
    let near = |written: &str, names: &[String]| suggest(written, names).filter(|h| h.starts_with("did"));
    match error {
        SchemaError::UnknownResource { resource, .. } => suggest_resource(resource, schema),
        SchemaError::UnknownParentSet { parent, available, .. } => near(parent.as_str(), &available.0),
        SchemaError::UnknownRuleAction { action, available, .. } => near(action.as_str(), &available.0),
        SchemaError::UnknownRuleSet { key, available, .. } => near(key.as_str(), &available.0),
        SchemaError::UnknownRuleRole { role, available } => near(role, &available.0),
        _ => None,
    }
}
