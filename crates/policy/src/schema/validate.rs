//! What may be written: every rule that a new or changed schema object has to keep, against the schema as it is.

use super::{RoleName, Schema, SchemaError, error::Names};
use askfirst_domain::{
    Key,
    element::{Element, ElementType},
    schema::{DerivationRule, Permission, Relation, Resource, Role},
};
use std::{collections::BTreeSet, sync::Arc};

/// The relation key under which a resource may not be related to itself.
const PARENT: &str = "parent";

impl Schema {
    /// Whether the resource may be written.
    ///
    /// # Errors
    /// [`SchemaError::DuplicateKey`], [`SchemaError::UnknownGroupAction`].
    pub fn check_resource(&self, resource: &Resource) -> Result<(), SchemaError> {
        let actions = resource.actions.iter().map(|action| &action.key);
        let attributes = resource.attributes.iter().map(|attribute| &attribute.key);
        let groups = resource.action_groups.iter().map(|group| &group.key);
        let twice = repeated(actions).or_else(|| repeated(attributes)).or_else(|| repeated(groups));
        if let Some(key) = twice {
            return Err(SchemaError::DuplicateKey { resource: resource.key.clone(), key: key.clone() });
        }
        let has = |key: &Key| resource.actions.iter().any(|action| action.key == *key);
        for group in &resource.action_groups {
            if let Some(action) = group.actions.iter().find(|key| !has(key)) {
                return Err(SchemaError::UnknownGroupAction {
                    resource: resource.key.clone(),
                    group: group.key.clone(),
                    action: action.clone(),
                    available: names(resource.actions.iter().map(|a| &a.key)),
                });
            }
        }
        Ok(())
    }

    /// Whether the role may be written: its resource, permissions, extended roles and derivation are all there, and
    /// nothing leads back to it.
    ///
    /// # Errors
    /// The first rule that does not hold.
    pub fn check_role(&self, role: &Role) -> Result<(), SchemaError> {
        if let Some(resource) = &role.resource {
            self.require_resource(resource)?;
        }
        self.check_permissions(role)?;
        for extended in &role.extends {
            self.check_extends(role, extended)?;
        }
        match &role.granted_to {
            None => Ok(()),
            Some(derivation) => {
                derivation.users_with_role.iter().try_for_each(|rule| self.check_derivation(role, rule))
            }
        }
    }

    /// Whether `role` may extend the role `extended` of the same scope.
    ///
    /// # Errors
    /// [`SchemaError::UnknownExtendedRole`], [`SchemaError::ExtendsCycle`].
    pub fn check_extends(&self, role: &Role, extended: &Key) -> Result<(), SchemaError> {
        let scope = role.resource.as_ref().map(Key::as_str);
        if *extended == role.key {
            return Err(SchemaError::ExtendsCycle { role: role.into(), extended: extended.clone() });
        }
        let base =
            self.role_by_key(scope, extended.as_str()).ok_or_else(|| SchemaError::UnknownExtendedRole {
                role: role.into(),
                extended: extended.clone(),
                available: names(self.roles_of(scope).map(|r| &r.key).filter(|key| **key != role.key)),
            })?;
        if self.extended(base).iter().any(|r| r.key == role.key) {
            return Err(SchemaError::ExtendsCycle { role: role.into(), extended: extended.clone() });
        }
        Ok(())
    }

    /// Whether `role` may be derived by `rule`. A rule may name the role itself, on an instance related to its own.
    ///
    /// # Errors
    /// [`SchemaError::DerivedTenantRole`], [`SchemaError::UnknownResource`], [`SchemaError::UnknownSourceRole`],
    /// [`SchemaError::UnknownRelation`], [`SchemaError::ForeignRelation`].
    pub fn check_derivation(&self, role: &Role, rule: &DerivationRule) -> Result<(), SchemaError> {
        let Some(object_resource) = &role.resource else {
            return Err(SchemaError::DerivedTenantRole { role: role.into() });
        };
        self.require_resource(&rule.on_resource)?;
        let on = rule.on_resource.as_str();
        let is_itself = rule.on_resource == *object_resource && rule.role == role.key;
        if !is_itself && self.role_by_key(Some(on), rule.role.as_str()).is_none() {
            return Err(SchemaError::UnknownSourceRole {
                role: role.into(),
                source_role: rule.role.clone(),
                on_resource: rule.on_resource.clone(),
                available: names(self.roles_of(Some(on)).map(|r| &r.key)),
            });
        }
        let relation = self
            .relation_by_key(object_resource.as_str(), rule.linked_by_relation.as_str())
            .ok_or_else(|| SchemaError::UnknownRelation {
                role: role.into(),
                relation: rule.linked_by_relation.clone(),
                object_resource: object_resource.clone(),
                available: names(self.relations_of(object_resource.as_str()).map(|r| &r.key)),
            })?;
        if relation.subject_resource == rule.on_resource {
            Ok(())
        } else {
            Err(SchemaError::ForeignRelation {
                role: role.into(),
                relation: relation.key.clone(),
                on_resource: rule.on_resource.clone(),
                subject_resource: relation.subject_resource.clone(),
            })
        }
    }

    /// Whether the relation may be written.
    ///
    /// # Errors
    /// [`SchemaError::UnknownResource`], [`SchemaError::UnknownSubject`], [`SchemaError::ParentOfItself`].
    pub fn check_relation(&self, relation: &Relation) -> Result<(), SchemaError> {
        self.require_resource(&relation.object_resource)?;
        if self.resource_by_key(relation.subject_resource.as_str()).is_none() {
            return Err(SchemaError::UnknownSubject {
                relation: relation.key.clone(),
                object_resource: relation.object_resource.clone(),
                subject_resource: relation.subject_resource.clone(),
                available: self.resource_names(),
            });
        }
        if relation.key.as_str() == PARENT && relation.subject_resource == relation.object_resource {
            return Err(SchemaError::ParentOfItself { resource: relation.object_resource.clone() });
        }
        Ok(())
    }

    /// Whether the element may be written: approvals of operations and their management are about one resource, a role
    /// has one level, every role that has one is a tenant role or a role on the element's resource, and its terms can be kept.
    ///
    /// # Errors
    /// The first rule that does not hold.
    pub fn check_element(&self, element: &Element) -> Result<(), SchemaError> {
        match (&element.resource, element.kind) {
            (Some(resource), _) => self.require_resource(resource).map(drop)?,
            (None, ElementType::OperationApproval | ElementType::ApprovalManagement) => {
                return Err(SchemaError::ElementWithoutResource {
                    element: element.key.clone(),
                    kind: element.kind,
                });
            }
            (None, _) => {}
        }
        let mut seen = BTreeSet::new();
        for id in element.roles_to_levels.values().flatten() {
            let role = self
                .role_by_id(*id)
                .ok_or_else(|| SchemaError::UnknownLevelRole { element: element.key.clone(), role: *id })?;
            if role.resource.is_some() && role.resource != element.resource {
                return Err(SchemaError::ForeignLevelRole {
                    element: element.key.clone(),
                    role: role.as_ref().into(),
                    scope: element.resource.as_ref().map_or_else(|| "no resource".to_owned(), Key::to_string),
                });
            }
            if !seen.insert(*id) {
                return Err(SchemaError::TwoLevels {
                    element: element.key.clone(),
                    role: role.as_ref().into(),
                });
            }
        }
        self.check_terms(element.resource.as_ref(), &element.terms)
            .map_err(|cause| SchemaError::Terms { element: element.key.clone(), cause })
    }

    fn check_permissions(&self, role: &Role) -> Result<(), SchemaError> {
        if let Some(own) = &role.resource
            && let Some(foreign) = role.permissions.iter().find(|p| p.resource != *own)
        {
            let resource = foreign.resource.clone();
            return Err(SchemaError::ForeignPermission { role: role.into(), resource });
        }
        let missing: Vec<&Permission> = role.permissions.iter().filter(|p| !self.has_action(p)).collect();
        let Some(first) = missing.first() else { return Ok(()) };
        let spell = |p: &Permission| match &role.resource {
            Some(_) => p.action.to_string(),
            None => format!("{}:{}", p.resource, p.action),
        };
        let available = match self.resource_by_key(first.resource.as_str()) {
            Some(resource) => Names(
                resource
                    .actions
                    .iter()
                    .map(|a| spell(&Permission { resource: resource.key.clone(), action: a.key.clone() }))
                    .collect(),
            ),
            None => {
                return Err(SchemaError::UnknownResource {
                    resource: first.resource.clone(),
                    available: self.resource_names(),
                });
            }
        };
        let missing = Names(missing.into_iter().map(spell).collect());
        Err(SchemaError::MissingPermissions { role: RoleName::from(role), missing, available })
    }

    fn has_action(&self, permission: &Permission) -> bool {
        self.resource_by_key(permission.resource.as_str())
            .is_some_and(|resource| resource.actions.iter().any(|action| action.key == permission.action))
    }

    pub(super) fn require_resource(&self, key: &Key) -> Result<&Arc<Resource>, SchemaError> {
        self.resource_by_key(key.as_str()).ok_or_else(|| SchemaError::UnknownResource {
            resource: key.clone(),
            available: self.resource_names(),
        })
    }

    fn resource_names(&self) -> Names {
        names(self.resources().map(|r| &r.key))
    }
}

pub(super) fn names<'a>(keys: impl Iterator<Item = &'a Key>) -> Names {
    Names(keys.map(Key::to_string).collect())
}

/// The first key that comes twice.
fn repeated<'a>(mut keys: impl Iterator<Item = &'a Key>) -> Option<&'a Key> {
    let mut seen = BTreeSet::new();
    keys.find(|key| !seen.insert(*key))
}
