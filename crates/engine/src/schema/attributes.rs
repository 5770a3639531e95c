//! Attributes that a resource declares.

use super::{
    missing, paged, resources,
    stage::{Stage, taken},
};
use crate::{EnvScope, Patch, error::Result};
use askfirst_domain::{
    Id, Ident, Key, Timestamp,
    schema::{Attribute, AttributeType, Resource, is_built_in},
};
use askfirst_policy::Schema;
use askfirst_store::{Listed, Page};
use std::{collections::BTreeMap, sync::Arc};
use uuid::Uuid;

/// An attribute as it is written, inside its resource or alone.
#[derive(Debug, Clone)]
pub struct AttributeBlock {
    pub kind: AttributeType,
    pub description: Option<String>,
}

/// What is said about an attribute.
#[derive(Debug, Clone, Default)]
pub struct AttributeEdit {
    pub kind: Option<AttributeType>,
    pub description: Patch<String>,
}

impl EnvScope {
    /// The attributes of a resource, in the order of their keys, with the resource.
    ///
    /// # Errors
    /// [`crate::Kind::NotFound`].
    pub fn list_attributes(
        &self,
        resource: &Ident,
        page: Page,
    ) -> Result<(Arc<Resource>, Listed<Attribute>)> {
        let state = self.state();
        let resource = home(state.snapshot.schema(), resource, unmade)?;
        let found = paged(resource.attributes.iter().cloned(), page);
        Ok((Arc::new(resource), found))
    }

    /// One attribute with its resource.
    ///
    /// # Errors
    /// [`crate::Kind::NotFound`].
    pub fn attribute(&self, resource: &Ident, attribute: &Ident) -> Result<(Arc<Resource>, Attribute)> {
        let state = self.state();
        let resource = home(state.snapshot.schema(), resource, unmade)?;
        let found = find(&resource, attribute)?.clone();
        Ok((Arc::new(resource), found))
    }

    /// Adds an attribute to a resource.
    ///
    /// # Errors
    /// [`crate::Kind::NotFound`], [`crate::Kind::Duplicate`].
    pub async fn create_attribute(
        &self,
        resource: &Ident,
        key: Key,
        block: AttributeBlock,
    ) -> Result<(Arc<Resource>, Attribute)> {
        self.write_schema(|stage| {
            let (id, now) = (stage.fresh_id()?, stage.now());
            let mut resource = home(stage.schema(), resource, |key| resources::blank(key, id, now))?;
            if resource.attributes.iter().any(|a| a.key == key) {
                return Err(taken("attribute", &key));
            }
            let attribute = fresh(stage, &key, block.clone())?;
            resource.attributes.push(attribute.clone());
            resource.attributes.sort_by(|a, b| a.key.cmp(&b.key));
            finish(stage, resource, attribute, "attribute.created")
        })
        .await
    }

    /// Changes what is said about an attribute.
    ///
    /// # Errors
    /// [`crate::Kind::NotFound`].
    pub async fn update_attribute(
        &self,
        resource: &Ident,
        attribute: &Ident,
        edit: AttributeEdit,
    ) -> Result<(Arc<Resource>, Attribute)> {
        self.write_schema(|stage| {
            let mut resource = home(stage.schema(), resource, unmade)?;
            let mut attribute = find(&resource, attribute)?.clone();
            attribute.kind = edit.kind.unwrap_or(attribute.kind);
            attribute.description = edit.description.clone().over(attribute.description);
            attribute.updated_at = stage.now();
            for slot in resource.attributes.iter_mut().filter(|a| a.id == attribute.id) {
                *slot = attribute.clone();
            }
            finish(stage, resource, attribute, "attribute.updated")
        })
        .await
    }

    /// Takes an attribute out of its resource.
    ///
    /// # Errors
    /// [`crate::Kind::NotFound`].
    pub async fn delete_attribute(&self, resource: &Ident, attribute: &Ident) -> Result<()> {
        self.write_schema(|stage| {
            let mut resource = home(stage.schema(), resource, unmade)?;
            let gone = find(&resource, attribute)?.clone();
            resource.attributes.retain(|a| a.id != gone.id);
            finish(stage, resource, gone, "attribute.deleted").map(|_| ())
        })
        .await
    }
}

/// The resource on which the attributes stand. Those of users and of tenants have one of their own, which is made along
/// with the first of them.
fn home(schema: &Schema, ident: &Ident, make: impl FnOnce(&Key) -> Resource) -> Result<Resource> {
    if let Some(found) = schema.resource(ident) {
        return Ok(Resource::clone(found));
    }
    match ident.as_str().parse() {
        Ok(key) if is_built_in(&key) => Ok(make(&key)),
        _ => super::resource(schema, ident).map(|found| Resource::clone(found)),
    }
}

/// A resource of the product's own that has no attribute yet.
fn unmade(key: &Key) -> Resource {
    resources::blank(key, Id::new(Uuid::nil()), Timestamp::from_micros(0))
}

fn finish(
    stage: &mut Stage<'_>,
    mut resource: Resource,
    attribute: Attribute,
    code: &str,
) -> Result<(Arc<Resource>, Attribute)> {
    resource.updated_at = stage.now();
    stage.put_resource(resource.clone())?;
    stage.note(code, format!("{}.{}", resource.key, attribute.key))?;
    Ok((Arc::new(resource), attribute))
}

fn find<'a>(resource: &'a Resource, ident: &Ident) -> Result<&'a Attribute> {
    let by_id = resource.attributes.iter().find(|a| ident.uuid() == Some(a.id.uuid()));
    let found = by_id.or_else(|| resource.attributes.iter().find(|a| a.key.as_str() == ident.as_str()));
    found.ok_or_else(|| {
        let lead = format!("the attributes of {} are", resource.key);
        missing("attribute", ident, &lead, resource.attributes.iter().map(|a| a.key.to_string()))
    })
}

fn fresh(stage: &Stage<'_>, key: &Key, block: AttributeBlock) -> Result<Attribute> {
    Ok(Attribute {
        id: stage.fresh_id()?,
        key: key.clone(),
        kind: block.kind,
        description: block.description,
        created_at: stage.now(),
        updated_at: stage.now(),
    })
}

/// The attributes after a whole block of them is written; those with a known key keep their id.
pub(crate) fn replaced(
    stage: &Stage<'_>,
    current: &[Attribute],
    block: BTreeMap<Key, AttributeBlock>,
) -> Result<Vec<Attribute>> {
    let mut attributes = Vec::with_capacity(block.len());
    for (key, block) in block {
        let known = current.iter().find(|a| a.key == key);
        attributes.push(match known {
            Some(same) if same.kind == block.kind && same.description == block.description => same.clone(),
            Some(same) => Attribute {
                kind: block.kind,
                description: block.description,
                updated_at: stage.now(),
                ..same.clone()
            },
            None => fresh(stage, &key, block)?,
        });
    }
    Ok(attributes)
}
