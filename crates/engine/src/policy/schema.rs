//! The schema part of a file: resources, then relations, then roles (which refer to both), then elements.

use super::plan::Plan;
use crate::{
    elements::operation_roles,
    error::{Error, Kind, Result},
};
use askfirst_domain::{
    Key,
    change::Change,
    element::{Element, ElementType, ElementWebhook},
    schema::{Action, Attribute, Derivation, Relation, Resource, Role},
};
use askfirst_policy::file::{ElementEntry, PolicyFile, RelationEntry, ResourceEntry, RoleEntry};
use serde_json::{Map, Value};

impl Plan<'_> {
    pub(super) fn schema(&mut self, file: &PolicyFile) -> Result<()> {
        for resource in &file.resources {
            self.resource(resource)?;
        }
        for resource in &file.resources {
            for relation in &resource.relations {
                self.relation(&resource.key, relation)?;
            }
        }
        for resource in &file.resources {
            for role in &resource.roles {
                self.role(Some(&resource.key), role)?;
            }
        }
        for role in &file.tenant_roles {
            self.role(None, role)?;
        }
        for element in &file.elements {
            self.element(element)?;
        }
        Ok(())
    }

    fn resource(&mut self, entry: &ResourceEntry) -> Result<()> {
        let now = self.now();
        let old = self.snapshot.schema().resource_by_key(entry.key.as_str()).map(|r| Resource::clone(r));
        let mut new = match &old {
            Some(old) => old.clone(),
            None => Resource {
                id: self.fresh()?,
                key: entry.key.clone(),
                name: String::new(),
                urn: None,
                description: None,
                type_attributes: None,
                compat: Map::new(),
                actions: Vec::new(),
                attributes: Vec::new(),
                action_groups: Vec::new(),
                created_at: now,
                updated_at: now,
            },
        };
        new.name.clone_from(&entry.name);
        new.description.clone_from(&entry.description);
        for action in &entry.actions {
            match new.actions.iter_mut().find(|a| a.key == action.key) {
                Some(known) => {
                    known.name.clone_from(&action.name);
                    known.description.clone_from(&action.description);
                }
                None => new.actions.push(Action {
                    id: self.fresh()?,
                    key: action.key.clone(),
                    name: action.name.clone(),
                    description: action.description.clone(),
                    attributes: None,
                    compat: Map::new(),
                    created_at: now,
                    updated_at: now,
                }),
            }
        }
        for attribute in &entry.attributes {
            match new.attributes.iter_mut().find(|a| a.key == attribute.key) {
                Some(known) => known.kind = attribute.kind,
                None => new.attributes.push(Attribute {
                    id: self.fresh()?,
                    key: attribute.key.clone(),
                    kind: attribute.kind,
                    description: None,
                    created_at: now,
                    updated_at: now,
                }),
            }
        }
        new.actions.sort_by(|a, b| a.key.cmp(&b.key));
        new.attributes.sort_by(|a, b| a.key.cmp(&b.key));
        if old.as_ref() == Some(&new) {
            self.unchanged();
            return Ok(());
        }
        new.updated_at = now;
        self.put("resources", old.is_some(), Change::PutResource(new));
        Ok(())
    }

    fn relation(&mut self, object: &Key, entry: &RelationEntry) -> Result<()> {
        let now = self.now();
        let old = self.snapshot.schema().relation_by_key(object.as_str(), entry.key.as_str());
        if let Some(old) = old {
            if old.subject_resource == entry.subject_resource {
                self.unchanged();
                return Ok(());
            }
            let message = format!(
                "The relation `{}` of `{object}` is there already, from `{}`; a relation's subject can't change, so delete it first or give it another key.",
                entry.key, old.subject_resource
            );
            return Err(Error::conflict(message));
        }
        let relation = Relation {
            id: self.fresh()?,
            key: entry.key.clone(),
            name: entry.key.to_string(),
            description: None,
            subject_resource: entry.subject_resource.clone(),
            object_resource: object.clone(),
            created_at: now,
            updated_at: now,
        };
        self.put("relations", false, Change::PutRelation(relation));
        Ok(())
    }

    fn role(&mut self, resource: Option<&Key>, entry: &RoleEntry) -> Result<()> {
        let now = self.now();
        let schema = self.snapshot.schema();
        let old = schema.role_by_key(resource.map(Key::as_str), entry.key.as_str()).map(|r| Role::clone(r));
        let granted_to = match &entry.granted_to {
            None => None,
            Some(derivation) => Some(Derivation {
                id: match old.as_ref().and_then(|r| r.granted_to.as_ref()) {
                    Some(known) => known.id,
                    None => self.fresh::<()>()?.uuid(),
                },
                when: derivation.when,
                users_with_role: derivation.users_with_role.clone(),
            }),
        };
        let mut new = match &old {
            Some(old) => old.clone(),
            None => Role {
                id: self.fresh()?,
                key: entry.key.clone(),
                resource: resource.cloned(),
                name: String::new(),
                description: None,
                permissions: Vec::new(),
                extends: Vec::new(),
                granted_to: None,
                attributes: None,
                compat: Map::new(),
                created_at: now,
                updated_at: now,
            },
        };
        new.name.clone_from(&entry.name);
        new.description.clone_from(&entry.description);
        new.permissions.clone_from(&entry.permissions);
        new.extends.clone_from(&entry.extends);
        new.granted_to = granted_to;
        if old.as_ref() == Some(&new) {
            self.unchanged();
            return Ok(());
        }
        new.updated_at = now;
        self.put("roles", old.is_some(), Change::PutRole(new));
        Ok(())
    }

    /// What an operation approval element needs on its resource, as far as the file does not say it itself.
    fn operation_roles(&mut self, entry: &ElementEntry) -> Result<()> {
        let Some(resource) = entry.resource.as_ref().filter(|_| entry.kind == ElementType::OperationApproval)
        else {
            return Ok(());
        };
        let schema = std::sync::Arc::clone(self.snapshot.schema());
        let Some(resource) = schema.resource_by_key(resource.as_str()) else { return Ok(()) };
        for change in operation_roles(self.scope, &schema, resource)? {
            match change {
                Change::PutResource(_) => self.change("resources", change),
                other => self.create("roles", other),
            }
        }
        Ok(())
    }

    fn element(&mut self, entry: &ElementEntry) -> Result<()> {
        self.operation_roles(entry)?;
        let now = self.now();
        let schema = self.snapshot.schema();
        let old = schema.element_by_key(entry.key.as_str()).map(|e| Element::clone(e));
        let mut roles_to_levels = std::collections::BTreeMap::new();
        for (level, names) in &entry.levels {
            let mut ids = Vec::new();
            for name in names {
                let role = schema.role_by_key(name.resource.as_ref().map(Key::as_str), name.key.as_str());
                ids.push(role.ok_or_else(|| Error::not_found("role", name))?.id);
            }
            roles_to_levels.insert(*level, ids);
        }
        let webhook = match &entry.webhook {
            None => None,
            Some(hook) => {
                let known = old.as_ref().and_then(|e| e.webhook.as_ref());
                let mut new = match known {
                    Some(known) => known.clone(),
                    None => ElementWebhook {
                        id: self.fresh::<()>()?.uuid(),
                        url: String::new(),
                        bearer_token: None,
                        created_at: now,
                        updated_at: now,
                    },
                };
                new.url.clone_from(&hook.url);
                // A file need not hold the secret: what is known stays.
                if hook.bearer_token.is_some() {
                    new.bearer_token.clone_from(&hook.bearer_token);
                }
                Some(new)
            }
        };
        let mut settings = entry.settings.clone();
        if let Some(resource) = &entry.resource {
            settings.entry("resource").or_insert_with(|| Value::String(resource.to_string()));
        }
        let mut new = match &old {
            Some(old) => old.clone(),
            None => Element {
                id: self.fresh()?,
                key: entry.key.clone(),
                name: String::new(),
                kind: entry.kind,
                settings: Map::new(),
                resource: None,
                email_notifications: false,
                roles_to_levels: std::collections::BTreeMap::new(),
                webhook: None,
                is_active: true,
                created_at: now,
                updated_at: now,
            },
        };
        new.name.clone_from(&entry.name);
        new.kind = entry.kind;
        new.settings = settings;
        new.resource.clone_from(&entry.resource);
        new.email_notifications = entry.email_notifications;
        new.roles_to_levels = roles_to_levels;
        new.webhook = webhook;
        if old.as_ref() == Some(&new) {
            self.unchanged();
            return Ok(());
        }
        new.updated_at = now;
        self.snapshot
            .schema()
            .check_element(&new)
            .map_err(|e| Error::new(Kind::Invalid, crate::error::sentence(&e.to_string())))?;
        self.put("elements", old.is_some(), Change::PutElement(new));
        Ok(())
    }

    pub(super) fn put(&mut self, kind: &'static str, known: bool, change: Change) {
        if known {
            self.change(kind, change);
        } else {
            self.create(kind, change);
        }
    }
}
