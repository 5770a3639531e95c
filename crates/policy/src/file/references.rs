//! Whether what the file names is there, in the file or before it, and whether the schema's rules hold.

use super::{
    convert::{Reader, Spot},
    data::{AssignmentEntry, ElementEntry, PolicyFile, RoleEntry},
    diagnostic::suggest,
};
use crate::{RoleName, Schema, SchemaError, Snapshot};
use askfirst_domain::{
    Id, Key, Timestamp,
    element::Element,
    facts::{DEFAULT_TENANT, InstanceRef},
    schema::{Action, Attribute, Derivation, Relation, Resource, Role},
};
use serde_json::Map;
use std::collections::BTreeMap;
use uuid::Uuid;

impl Reader {
    pub(super) fn check_references(&mut self, file: &PolicyFile, existing: &Snapshot) {
        let schema = merged(file, existing.schema());
        self.check_schema(file, &schema);
        for element in &file.elements {
            self.check_element(element, &schema);
        }
        self.check_facts(file, existing, &schema);
    }

    fn check_schema(&mut self, file: &PolicyFile, schema: &Schema) {
        for resource in &file.resources {
            for relation in schema.relations_of(resource.key.as_str()) {
                if let Err(error) = schema.check_relation(relation) {
                    let spot = Spot::Relation(resource.key.clone(), relation.key.clone());
                    let hint = suggest(
                        relation.subject_resource.as_str(),
                        schema.resources().map(|r| r.key.as_str()),
                    )
                    .filter(|_| matches!(error, SchemaError::UnknownSubject { .. }));
                    self.complain(self.position(&spot), error, hint);
                }
            }
        }
        for name in role_names(file) {
            let scope = name.resource.as_ref().map(Key::as_str);
            let Some(role) = schema.role_by_key(scope, name.key.as_str()) else { continue };
            self.check_permissions(&name, role, schema);
            for base in &role.extends {
                if let Err(error) = schema.check_extends(role, base) {
                    let others = schema
                        .roles_of(scope)
                        .map(|r| r.key.as_str())
                        .filter(|key| *key != name.key.as_str());
                    let hint = matches!(error, SchemaError::UnknownExtendedRole { .. })
                        .then(|| suggest(base.as_str(), others))
                        .flatten();
                    self.complain(self.position(&Spot::Extends(name.clone(), base.clone())), error, hint);
                }
            }
            let rules = role.granted_to.iter().flat_map(|derivation| &derivation.users_with_role);
            for (index, rule) in rules.enumerate() {
                if let Err(error) = schema.check_derivation(role, rule) {
                    let hint = derivation_hint(&error, schema);
                    self.complain(self.position(&Spot::Rule(name.clone(), index)), error, hint);
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
                    None => suggest(permission.resource.as_str(), schema.resources().map(|r| r.key.as_str())),
                };
                let spot = Spot::Permission(name.clone(), permission.clone());
                self.complain(self.position(&spot), error, hint);
            }
        }
    }

    fn check_element(&mut self, entry: &ElementEntry, schema: &Schema) {
        let mut roles_to_levels = BTreeMap::new();
        for (level, names) in &entry.levels {
            let ids: &mut Vec<_> = roles_to_levels.entry(*level).or_default();
            for name in names {
                match schema.role_by_key(name.resource.as_ref().map(Key::as_str), name.key.as_str()) {
                    Some(role) => ids.push(role.id),
                    None => self.unknown_role(&Spot::Level(entry.key.clone(), name.clone()), name, schema),
                }
            }
        }
        let element = Element {
            id: Id::new(Uuid::nil()),
            key: entry.key.clone(),
            name: entry.name.clone(),
            kind: entry.kind,
            settings: Map::new(),
            resource: entry.resource.clone(),
            email_notifications: entry.email_notifications,
            roles_to_levels,
            webhook: None,
            is_active: true,
            created_at: Timestamp::default(),
            updated_at: Timestamp::default(),
        };
        if let Err(error) = schema.check_element(&element) {
            let hint = match &error {
                SchemaError::UnknownResource { resource, .. } => {
                    suggest(resource.as_str(), schema.resources().map(|r| r.key.as_str()))
                }
                _ => None,
            };
            self.complain(self.position(&Spot::Element(entry.key.clone())), error, hint);
        }
    }

    fn unknown_role(&mut self, spot: &Spot, name: &RoleName, schema: &Schema) {
        let scope = name.resource.as_ref().map(Key::as_str);
        let hint = suggest(name.key.as_str(), schema.roles_of(scope).map(|role| role.key.as_str()));
        let message = match scope {
            Some(resource) => format!("{resource} has no role `{}`", name.key),
            None => format!("there is no tenant role `{}`", name.key),
        };
        self.complain(self.position(spot), message, hint);
    }

    fn check_facts(&mut self, file: &PolicyFile, existing: &Snapshot, schema: &Schema) {
        let known = Known { file, existing };
        for (index, instance) in file.instances.iter().enumerate() {
            let spot = Spot::Instance(index);
            if schema.resource_by_key(instance.at.resource.as_str()).is_none() {
                let resources = schema.resources().map(|r| r.key.as_str());
                let hint = suggest(instance.at.resource.as_str(), resources);
                let message = format!("there is no resource `{}`", instance.at.resource);
                self.complain(self.position(&spot), message, hint);
            }
            self.check_tenant(&spot, &instance.tenant, &known);
            if existing
                .instance_tenant(instance.at.resource.as_str(), instance.at.key.as_str())
                .is_some_and(|tenant| tenant != instance.tenant)
            {
                let message =
                    format!("{} is there already, in another tenant than {}", instance.at, instance.tenant);
                let hint = "an instance can't change its tenant; delete it first".to_owned();
                self.complain(self.position(&spot), message, Some(hint));
            }
        }
        self.check_tuples(file, &known, schema);
        for (index, assignment) in file.assignments.iter().enumerate() {
            self.check_assignment(&Spot::Assignment(index), assignment, &known, schema);
        }
    }

    fn check_tuples(&mut self, file: &PolicyFile, known: &Known<'_>, schema: &Schema) {
        for (index, tuple) in file.tuples.iter().enumerate() {
            let at = self.position(&Spot::Tuple(index));
            let object_resource = tuple.object.resource.as_str();
            match schema.relation_by_key(object_resource, tuple.relation.as_str()) {
                None => {
                    let names = schema.relations_of(object_resource).map(|r| r.key.as_str());
                    let hint = suggest(tuple.relation.as_str(), names);
                    self.complain(
                        at,
                        format!("{object_resource} has no relation `{}`", tuple.relation),
                        hint,
                    );
                }
                Some(relation) if relation.subject_resource != tuple.subject.resource => {
                    let message = format!(
                        "the subject of `{}` is an instance of {}, and {} is not",
                        relation.key, relation.subject_resource, tuple.subject
                    );
                    self.complain(at, message, None);
                }
                Some(_) => {}
            }
            let ends = [&tuple.subject, &tuple.object].map(|end| (end, known.tenant_of(end)));
            for (end, tenant) in &ends {
                if tenant.is_none() {
                    self.complain(at, format!("there is no instance {end}"), known.suggest_instance(end));
                }
            }
            if let [(subject, Some(a)), (object, Some(b))] = &ends
                && a != b
            {
                let message = format!("{subject} is in tenant {a} and {object} in tenant {b}");
                self.complain(at, message, Some("relate instances of one tenant".to_owned()));
            }
        }
    }

    fn check_assignment(&mut self, spot: &Spot, entry: &AssignmentEntry, known: &Known<'_>, schema: &Schema) {
        if !known.has_user(entry.user.as_str()) {
            let hint = suggest(entry.user.as_str(), known.file.users.iter().map(|u| u.key.as_str()));
            self.complain(self.position(spot), format!("there is no user `{}`", entry.user), hint);
        }
        let name =
            RoleName { resource: entry.on.as_ref().map(|on| on.resource.clone()), key: entry.role.clone() };
        if schema.role_by_key(name.resource.as_ref().map(Key::as_str), name.key.as_str()).is_none() {
            self.unknown_role(spot, &name, schema);
        }
        match &entry.on {
            None => entry.tenant.iter().for_each(|tenant| self.check_tenant(spot, tenant, known)),
            Some(on) => match known.tenant_of(on) {
                None => {
                    let message = format!("there is no instance {on}");
                    self.complain(self.position(spot), message, known.suggest_instance(on));
                }
                Some(tenant) => {
                    if let Some(written) = entry.tenant.as_ref().filter(|written| **written != tenant) {
                        let message = format!("{on} is in tenant {tenant}, not in {written}");
                        self.complain(
                            self.position(spot),
                            message,
                            Some(format!("write `tenant: {tenant}`")),
                        );
                    }
                }
            },
        }
    }

    fn check_tenant(&mut self, spot: &Spot, tenant: &Key, known: &Known<'_>) {
        if !known.has_tenant(tenant.as_str()) {
            let names = known.file.tenants.iter().map(|t| t.key.as_str());
            let hint = suggest(tenant.as_str(), names.chain([DEFAULT_TENANT]));
            self.complain(self.position(spot), format!("there is no tenant `{tenant}`"), hint);
        }
    }
}

/// The facts of the file and those before it.
struct Known<'a> {
    file: &'a PolicyFile,
    existing: &'a Snapshot,
}

impl Known<'_> {
    fn has_user(&self, key: &str) -> bool {
        self.existing.has_user(key) || self.file.users.iter().any(|user| user.key.as_str() == key)
    }

    fn has_tenant(&self, key: &str) -> bool {
        key == DEFAULT_TENANT
            || self.existing.has_tenant(key)
            || self.file.tenants.iter().any(|tenant| tenant.key.as_str() == key)
    }

    fn tenant_of(&self, at: &InstanceRef) -> Option<Key> {
        let written = self.file.instances.iter().find(|instance| instance.at == *at);
        written
            .map(|instance| instance.tenant.clone())
            .or_else(|| self.existing.instance_tenant(at.resource.as_str(), at.key.as_str()))
    }

    fn suggest_instance(&self, at: &InstanceRef) -> Option<String> {
        suggest(&at.to_string(), self.file.instances.iter().map(|instance| instance.at.to_string()))
            .filter(|hint| hint.starts_with("did"))
            .or_else(|| Some("list it under `instances`".to_owned()))
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
        SchemaError::UnknownResource { resource, .. } => {
            suggest(resource.as_str(), schema.resources().map(|r| r.key.as_str()))
        }
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

/// The schema as it would be with the file written over it. New things get ids that mean nothing outside.
fn merged(file: &PolicyFile, existing: &Schema) -> Schema {
    let mut schema = existing.clone();
    let mut last = 0;
    let mut fresh = || {
        last += 1;
        Uuid::from_u128(last)
    };
    let now = Timestamp::default();
    for entry in &file.resources {
        let known = schema.resource_by_key(entry.key.as_str()).map(|r| r.id);
        let actions = entry.actions.iter().map(|action| Action {
            id: Id::new(Uuid::nil()),
            key: action.key.clone(),
            name: action.name.clone(),
            description: None,
            attributes: None,
            compat: Map::new(),
            created_at: now,
            updated_at: now,
        });
        let attributes = entry.attributes.iter().map(|attribute| Attribute {
            id: Id::new(Uuid::nil()),
            key: attribute.key.clone(),
            kind: attribute.kind,
            description: None,
            created_at: now,
            updated_at: now,
        });
        schema.put_resource(Resource {
            id: known.unwrap_or_else(|| Id::new(fresh())),
            key: entry.key.clone(),
            name: entry.name.clone(),
            urn: None,
            description: None,
            type_attributes: None,
            compat: Map::new(),
            actions: actions.collect(),
            attributes: attributes.collect(),
            action_groups: Vec::new(),
            created_at: now,
            updated_at: now,
        });
        for relation in &entry.relations {
            let known = schema.relation_by_key(entry.key.as_str(), relation.key.as_str()).map(|r| r.id);
            schema.put_relation(Relation {
                id: known.unwrap_or_else(|| Id::new(fresh())),
                key: relation.key.clone(),
                name: relation.key.to_string(),
                description: None,
                subject_resource: relation.subject_resource.clone(),
                object_resource: entry.key.clone(),
                created_at: now,
                updated_at: now,
            });
        }
        for role in &entry.roles {
            let known = schema.role_by_key(Some(entry.key.as_str()), role.key.as_str()).map(|r| r.id);
            schema.put_role(provisional(role, Some(&entry.key), known.unwrap_or_else(|| Id::new(fresh()))));
        }
    }
    for role in &file.tenant_roles {
        let known = schema.role_by_key(None, role.key.as_str()).map(|r| r.id);
        schema.put_role(provisional(role, None, known.unwrap_or_else(|| Id::new(fresh()))));
    }
    schema
}

fn provisional(entry: &RoleEntry, resource: Option<&Key>, id: askfirst_domain::id::RoleId) -> Role {
    Role {
        id,
        key: entry.key.clone(),
        resource: resource.cloned(),
        name: entry.name.clone(),
        description: None,
        permissions: entry.permissions.clone(),
        extends: entry.extends.clone(),
        granted_to: entry.granted_to.as_ref().map(|derivation| Derivation {
            id: Uuid::nil(),
            when: derivation.when,
            users_with_role: derivation.users_with_role.clone(),
        }),
        attributes: None,
        compat: Map::new(),
        created_at: Timestamp::default(),
        updated_at: Timestamp::default(),
    }
}
