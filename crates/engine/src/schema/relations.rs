//! Relations, declared on the object's resource.

use super::{
    key_of, missing, paged, resource,
    stage::taken,
    view::{RelationView, relation_view},
};
use crate::{
    EnvScope,
    error::{Error, Result},
};
use askfirst_domain::{Ident, Key, schema::Relation};
use askfirst_policy::Schema;
use askfirst_store::{Listed, Page};
use std::sync::Arc;

/// A relation to be made.
#[derive(Debug, Clone)]
pub struct NewRelation {
    pub key: Key,
    pub name: String,
    pub description: Option<String>,
    pub subject_resource: Ident,
}

impl EnvScope {
    /// The relations of a resource, in the order of their creation.
    ///
    /// # Errors
    /// [`crate::Kind::NotFound`].
    pub fn list_relations(&self, on: &Ident, page: Page) -> Result<Listed<RelationView>> {
        let state = self.state();
        let schema = state.snapshot.schema();
        let on = resource(schema, on)?;
        Ok(paged(schema.relations_of(on.key.as_str()).filter_map(|r| relation_view(schema, r)), page))
    }

    /// One relation.
    ///
    /// # Errors
    /// [`crate::Kind::NotFound`].
    pub fn relation(&self, on: &Ident, relation: &Ident) -> Result<RelationView> {
        let state = self.state();
        let schema = state.snapshot.schema();
        let found = find(schema, on, relation)?;
        relation_view(schema, found).ok_or_else(|| Error::not_found("relation", relation))
    }

    /// Creates a relation.
    ///
    /// # Errors
    /// [`crate::Kind::NotFound`] for a resource, [`crate::Kind::Duplicate`], [`crate::Kind::Invalid`] for a `parent` of
    /// itself.
    pub async fn create_relation(&self, on: &Ident, new: &NewRelation) -> Result<RelationView> {
        self.write_schema(|stage| {
            let object = resource(stage.schema(), on)?.key.clone();
            if stage.schema().relation_by_key(object.as_str(), new.key.as_str()).is_some() {
                return Err(taken("relation", &new.key));
            }
            let subject = stage.schema().resource(&new.subject_resource).map(|r| &r.key);
            let relation = Relation {
                id: stage.fresh_id()?,
                key: new.key.clone(),
                name: new.name.clone(),
                description: new.description.clone(),
                subject_resource: key_of(subject, &new.subject_resource)?,
                object_resource: object,
                created_at: stage.now(),
                updated_at: stage.now(),
            };
            stage.put_relation(relation.clone())?;
            stage.note("relation.created", named(&relation))?;
            relation_view(stage.schema(), &Arc::new(relation))
                .ok_or_else(|| Error::not_found("relation", &new.key))
        })
        .await
    }

    /// Deletes a relation, its tuples, and the derivations over it.
    ///
    /// # Errors
    /// [`crate::Kind::NotFound`].
    pub async fn delete_relation(&self, on: &Ident, relation: &Ident) -> Result<()> {
        self.write_schema(|stage| {
            let relation = Arc::clone(find(stage.schema(), on, relation)?);
            stage.delete_relation(&relation);
            stage.note("relation.deleted", named(&relation))
        })
        .await
    }
}

fn named(relation: &Relation) -> String {
    format!("{} of {}", relation.key, relation.object_resource)
}

fn find<'a>(schema: &'a Schema, on: &Ident, ident: &Ident) -> Result<&'a Arc<Relation>> {
    let on = &resource(schema, on)?.key;
    schema.relation(on.as_str(), ident).ok_or_else(|| {
        let lead = format!("the relations of {on} are");
        missing("relation", ident, &lead, schema.relations_of(on.as_str()).map(|r| r.key.to_string()))
    })
}
