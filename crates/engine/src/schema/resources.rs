//! Resources: listed, created, changed, replaced, deleted, with the blocks that may be written inline.
//!
//! A block that is given (actions, attributes, roles, relations) becomes the whole of its kind: what it does not name is
//! deleted, what it names keeps its id. A replacement also empties what it does not mention, but for roles and
//! relations, which carry assignments and tuples: those are deleted only when the block is there.

use super::{
    actions::{self, ActionBlock},
    attributes::{self, AttributeBlock},
    key_of, merge_compat, paged,
    roles::RoleEdit,
    stage::{Stage, taken},
    view::{ResourceView, resource_view},
};
use crate::{
    EnvScope, Patch,
    error::{Error, Result},
};
use askfirst_domain::{
    Ident, Key, Timestamp,
    id::ResourceId,
    schema::{Relation, Resource, Role, is_built_in},
};
use askfirst_store::{Listed, Page};
use serde_json::{Map, Value};
use std::{collections::BTreeMap, sync::Arc};

/// What is said about a resource. Blocks that are none are left as they are.
#[derive(Debug, Clone, Default)]
pub struct ResourceEdit {
    pub name: Option<String>,
    pub urn: Patch<String>,
    pub description: Patch<String>,
    pub type_attributes: Patch<Value>,
    /// See [`Resource::compat`].
    pub compat: Map<String, Value>,
    pub actions: Option<BTreeMap<Key, ActionBlock>>,
    pub attributes: Option<BTreeMap<Key, AttributeBlock>>,
    pub roles: Option<BTreeMap<Key, RoleEdit>>,
    /// Relation to subject resource.
    pub relations: Option<BTreeMap<Key, Ident>>,
}

impl EnvScope {
    /// Resources, in the order of their creation.
    pub fn list_resources(&self, page: Page) -> Listed<ResourceView> {
        let state = self.state();
        let schema = state.snapshot.schema();
        let found = paged(super::plain_resources(schema), page);
        Listed {
            items: found.items.into_iter().map(|r| resource_view(schema, r)).collect(),
            total: found.total,
        }
    }

    /// One resource.
    ///
    /// # Errors
    /// [`crate::Kind::NotFound`].
    pub fn resource(&self, ident: &Ident) -> Result<ResourceView> {
        let state = self.state();
        let schema = state.snapshot.schema();
        Ok(resource_view(schema, super::resource(schema, ident)?))
    }

    /// Creates a resource.
    ///
    /// # Errors
    /// [`crate::Kind::Duplicate`]; what the blocks' checks refuse.
    pub async fn create_resource(&self, key: Key, edit: ResourceEdit) -> Result<ResourceView> {
        self.write_schema(|stage| {
            if is_built_in(&key) {
                return Err(Error::invalid(format!(
                    "`{key}` is for attributes alone and needs not be created; write its attributes."
                )));
            }
            if stage.schema().resource_by_key(key.as_str()).is_some() {
                return Err(taken("resource", &key));
            }
            let blank = blank(&key, stage.fresh_id()?, stage.now());
            write(stage, blank, edit.clone(), "resource.created")
        })
        .await
    }

    /// Changes what is said.
    ///
    /// # Errors
    /// [`crate::Kind::NotFound`]; what the blocks' checks refuse.
    pub async fn update_resource(&self, ident: &Ident, edit: ResourceEdit) -> Result<ResourceView> {
        self.write_schema(|stage| {
            let resource = super::resource(stage.schema(), ident)?.as_ref().clone();
            write(stage, resource, edit.clone(), "resource.updated")
        })
        .await
    }

    /// Makes it what is said and nothing else; see the module.
    ///
    /// # Errors
    /// As [`EnvScope::update_resource`].
    pub async fn replace_resource(&self, ident: &Ident, edit: ResourceEdit) -> Result<ResourceView> {
        let edit = ResourceEdit {
            urn: edit.urn.or_clear(),
            description: edit.description.or_clear(),
            type_attributes: edit.type_attributes.or_clear(),
            actions: Some(edit.actions.unwrap_or_default()),
            attributes: Some(edit.attributes.unwrap_or_default()),
            ..edit
        };
        self.write_schema(|stage| {
            let resource = super::resource(stage.schema(), ident)?.as_ref().clone();
            let bare = Resource { compat: Map::new(), ..resource };
            write(stage, bare, edit.clone(), "resource.replaced")
        })
        .await
    }

    /// Deletes a resource with its roles, relations, instances and all that is assigned on them.
    ///
    /// # Errors
    /// [`crate::Kind::NotFound`].
    pub async fn delete_resource(&self, ident: &Ident) -> Result<()> {
        self.write_schema(|stage| {
            let resource = Arc::clone(super::resource(stage.schema(), ident)?);
            stage.delete_resource(&resource);
            stage.note("resource.deleted", resource.key.to_string())
        })
        .await
    }
}

/// A resource that says nothing yet.
pub(super) fn blank(key: &Key, id: ResourceId, now: Timestamp) -> Resource {
    Resource {
        id,
        key: key.clone(),
        name: key.to_string(),
        urn: None,
        description: None,
        type_attributes: None,
        compat: Map::new(),
        actions: Vec::new(),
        attributes: Vec::new(),
        action_groups: Vec::new(),
        created_at: now,
        updated_at: now,
    }
}

fn write(
    stage: &mut Stage<'_>,
    mut resource: Resource,
    edit: ResourceEdit,
    code: &str,
) -> Result<ResourceView> {
    let (id, key, now) = (resource.id, resource.key.clone(), stage.now());
    resource.name = edit.name.unwrap_or(resource.name);
    resource.urn = edit.urn.over(resource.urn);
    resource.description = edit.description.over(resource.description);
    resource.type_attributes = edit.type_attributes.over(resource.type_attributes);
    merge_compat(&mut resource.compat, edit.compat);
    if let Some(block) = edit.actions {
        resource.actions = actions::replaced(stage, &resource.actions, block)?;
    }
    if let Some(block) = edit.attributes {
        resource.attributes = attributes::replaced(stage, &resource.attributes, block)?;
    }
    resource.updated_at = now;
    stage.put_resource(resource)?;
    if let Some(block) = edit.relations {
        write_relations(stage, &key, block)?;
    }
    if let Some(block) = edit.roles {
        write_roles(stage, &key, block)?;
    }
    stage.note(code, key.to_string())?;
    let schema = stage.schema();
    let written = schema.resource_by_id(id).ok_or_else(|| Error::not_found("resource", &key))?;
    Ok(resource_view(schema, written))
}

fn write_relations(stage: &mut Stage<'_>, object: &Key, block: BTreeMap<Key, Ident>) -> Result<()> {
    let gone: Vec<_> = stage
        .schema()
        .relations_of(object.as_str())
        .filter(|r| !block.contains_key(&r.key))
        .cloned()
        .collect();
    for relation in gone {
        stage.delete_relation(&relation);
    }
    for (key, subject) in block {
        let subject_resource = key_of(stage.schema().resource(&subject).map(|r| &r.key), &subject)?;
        let current = stage.schema().relation_by_key(object.as_str(), key.as_str()).cloned();
        if current.as_ref().is_some_and(|r| r.subject_resource == subject_resource) {
            continue;
        }
        if let Some(other) = current {
            // Tuples of the old subject's type can't stand in the new relation.
            stage.delete_relation(&other);
        }
        stage.put_relation(Relation {
            id: stage.fresh_id()?,
            name: key.to_string(),
            key,
            description: None,
            subject_resource,
            object_resource: object.clone(),
            created_at: stage.now(),
            updated_at: stage.now(),
        })?;
    }
    Ok(())
}

/// In two passes, since the roles of a block may name each other in any order.
fn write_roles(stage: &mut Stage<'_>, on: &Key, block: BTreeMap<Key, RoleEdit>) -> Result<()> {
    let gone: Vec<_> =
        stage.schema().roles_of(Some(on.as_str())).filter(|r| !block.contains_key(&r.key)).cloned().collect();
    for role in gone {
        stage.delete_role(&role);
    }
    for (key, edit) in &block {
        let current = stage.schema().role_by_key(Some(on.as_str()), key.as_str()).cloned();
        let bare = match current {
            Some(role) => Role { extends: Vec::new(), granted_to: None, ..Role::clone(&role) },
            None => super::roles::blank(stage, Some(on), key)?,
        };
        let name = edit.name.clone().unwrap_or_else(|| key.to_string());
        stage.put_role(Role { name, updated_at: stage.now(), ..bare })?;
    }
    for (key, edit) in block {
        let Some(role) = stage.schema().role_by_key(Some(on.as_str()), key.as_str()).cloned() else {
            continue;
        };
        let plain = Role {
            description: None,
            permissions: Vec::new(),
            attributes: None,
            compat: Map::new(),
            ..Role::clone(&role)
        };
        super::roles::apply(stage, plain, edit)?;
    }
    Ok(())
}
