//! Action groups of a resource: some of its actions under one name. A group allows nothing; permissions name actions.

use super::{
    missing, paged,
    stage::{Stage, taken},
};
use crate::{EnvScope, Patch, error::Result};
use askfirst_domain::{
    Ident, Key,
    schema::{ActionGroup, Resource},
};
use askfirst_store::{Listed, Page};
use serde_json::Value;
use std::sync::Arc;

/// What is said about an action group.
#[derive(Debug, Clone, Default)]
pub struct ActionGroupEdit {
    pub name: Option<String>,
    pub description: Patch<String>,
    pub attributes: Patch<Value>,
    /// The whole list, by keys or ids of actions.
    pub actions: Patch<Vec<Ident>>,
}

impl EnvScope {
    /// The action groups of a resource, in the order of their keys, with the resource.
    ///
    /// # Errors
    /// [`crate::Kind::NotFound`].
    pub fn list_action_groups(
        &self,
        resource: &Ident,
        page: Page,
    ) -> Result<(Arc<Resource>, Listed<ActionGroup>)> {
        let state = self.state();
        let resource = super::resource(state.snapshot.schema(), resource)?;
        Ok((Arc::clone(resource), paged(resource.action_groups.iter().cloned(), page)))
    }

    /// One action group with its resource.
    ///
    /// # Errors
    /// [`crate::Kind::NotFound`].
    pub fn action_group(&self, resource: &Ident, group: &Ident) -> Result<(Arc<Resource>, ActionGroup)> {
        let state = self.state();
        let resource = super::resource(state.snapshot.schema(), resource)?;
        Ok((Arc::clone(resource), find(resource, group)?.clone()))
    }

    /// Adds an action group to a resource.
    ///
    /// # Errors
    /// [`crate::Kind::NotFound`], also for an action that it names; [`crate::Kind::Duplicate`].
    pub async fn create_action_group(
        &self,
        resource: &Ident,
        key: Key,
        edit: ActionGroupEdit,
    ) -> Result<(Arc<Resource>, ActionGroup)> {
        self.write_schema(|stage| {
            let mut resource = super::resource(stage.schema(), resource)?.as_ref().clone();
            if resource.action_groups.iter().any(|g| g.key == key) {
                return Err(taken("action group", &key));
            }
            let blank = ActionGroup {
                id: stage.fresh_id()?,
                key: key.clone(),
                name: key.to_string(),
                description: None,
                attributes: None,
                actions: Vec::new(),
                created_at: stage.now(),
                updated_at: stage.now(),
            };
            let group = edited(&resource, blank, edit.clone())?;
            resource.action_groups.push(group.clone());
            resource.action_groups.sort_by(|a, b| a.key.cmp(&b.key));
            finish(stage, resource, group, "action_group.created")
        })
        .await
    }

    /// Changes what is said about an action group.
    ///
    /// # Errors
    /// [`crate::Kind::NotFound`], also for an action that it names.
    pub async fn update_action_group(
        &self,
        resource: &Ident,
        group: &Ident,
        edit: ActionGroupEdit,
    ) -> Result<(Arc<Resource>, ActionGroup)> {
        self.write_schema(|stage| {
            let mut resource = super::resource(stage.schema(), resource)?.as_ref().clone();
            let mut group = edited(&resource, find(&resource, group)?.clone(), edit.clone())?;
            group.updated_at = stage.now();
            for slot in resource.action_groups.iter_mut().filter(|g| g.id == group.id) {
                *slot = group.clone();
            }
            finish(stage, resource, group, "action_group.updated")
        })
        .await
    }

    /// Takes an action group from its resource.
    ///
    /// # Errors
    /// [`crate::Kind::NotFound`].
    pub async fn delete_action_group(&self, resource: &Ident, group: &Ident) -> Result<()> {
        self.write_schema(|stage| {
            let mut resource = super::resource(stage.schema(), resource)?.as_ref().clone();
            let gone = find(&resource, group)?.clone();
            resource.action_groups.retain(|g| g.id != gone.id);
            finish(stage, resource, gone, "action_group.deleted").map(|_| ())
        })
        .await
    }
}

fn finish(
    stage: &mut Stage<'_>,
    mut resource: Resource,
    group: ActionGroup,
    code: &str,
) -> Result<(Arc<Resource>, ActionGroup)> {
    resource.updated_at = stage.now();
    stage.put_resource(resource.clone())?;
    stage.note(code, format!("{}:{}", resource.key, group.key))?;
    Ok((Arc::new(resource), group))
}

fn find<'a>(resource: &'a Resource, ident: &Ident) -> Result<&'a ActionGroup> {
    let by_id = resource.action_groups.iter().find(|g| ident.uuid() == Some(g.id.uuid()));
    let found = by_id.or_else(|| resource.action_groups.iter().find(|g| g.key.as_str() == ident.as_str()));
    found.ok_or_else(|| {
        let lead = format!("the action groups of {} are", resource.key);
        missing("action group", ident, &lead, resource.action_groups.iter().map(|g| g.key.to_string()))
    })
}

fn edited(resource: &Resource, mut group: ActionGroup, edit: ActionGroupEdit) -> Result<ActionGroup> {
    group.name = edit.name.unwrap_or(group.name);
    group.description = edit.description.over(group.description);
    group.attributes = edit.attributes.over(group.attributes);
    let actions = edit.actions.try_map(|idents| named(resource, &idents))?;
    group.actions = actions.over(Some(group.actions)).unwrap_or_default();
    Ok(group)
}

/// The keys of the actions, without repeats.
fn named(resource: &Resource, idents: &[Ident]) -> Result<Vec<Key>> {
    let mut keys = Vec::with_capacity(idents.len());
    for ident in idents {
        let key = super::actions::find(resource, ident)?.key.clone();
        if !keys.contains(&key) {
            keys.push(key);
        }
    }
    Ok(keys)
}
