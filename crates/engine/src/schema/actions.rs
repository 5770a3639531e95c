//! Actions of a resource.

use super::{
    merge_compat, missing, paged,
    stage::{Stage, taken},
};
use crate::{
    EnvScope, Patch,
    error::{Error, Result},
};
use askfirst_domain::{
    Ident, Key,
    schema::{Action, Resource},
};
use askfirst_store::{Listed, Page};
use serde_json::{Map, Value};
use std::{collections::BTreeMap, sync::Arc};

/// An action as it is written inside its resource. The name is the key unless given.
#[derive(Debug, Clone, Default)]
pub struct ActionBlock {
    pub name: Option<String>,
    pub description: Option<String>,
    pub attributes: Option<Value>,
    pub compat: Map<String, Value>,
}

/// What is said about an action.
#[derive(Debug, Clone, Default)]
pub struct ActionEdit {
    pub name: Option<String>,
    pub description: Patch<String>,
    pub attributes: Patch<Value>,
    pub compat: Map<String, Value>,
}

impl EnvScope {
    /// The actions of a resource, in the order of their keys, with the resource.
    ///
    /// # Errors
    /// [`crate::Kind::NotFound`].
    pub fn list_actions(&self, resource: &Ident, page: Page) -> Result<(Arc<Resource>, Listed<Action>)> {
        let state = self.state();
        let resource = super::resource(state.snapshot.schema(), resource)?;
        Ok((Arc::clone(resource), paged(resource.actions.iter().cloned(), page)))
    }

    /// One action with its resource.
    ///
    /// # Errors
    /// [`crate::Kind::NotFound`].
    pub fn action(&self, resource: &Ident, action: &Ident) -> Result<(Arc<Resource>, Action)> {
        let state = self.state();
        let resource = super::resource(state.snapshot.schema(), resource)?;
        Ok((Arc::clone(resource), find(resource, action)?.clone()))
    }

    /// Adds an action to a resource.
    ///
    /// # Errors
    /// [`crate::Kind::NotFound`], [`crate::Kind::Duplicate`].
    pub async fn create_action(
        &self,
        resource: &Ident,
        key: Key,
        edit: ActionEdit,
    ) -> Result<(Arc<Resource>, Action)> {
        self.write_schema(|stage| {
            let mut resource = super::resource(stage.schema(), resource)?.as_ref().clone();
            if resource.actions.iter().any(|a| a.key == key) {
                return Err(taken("action", &key));
            }
            let action = edited(blank(stage, &key)?, edit.clone());
            resource.actions.push(action.clone());
            resource.actions.sort_by(|a, b| a.key.cmp(&b.key));
            finish(stage, resource, action, "action.created")
        })
        .await
    }

    /// Changes what is said about an action.
    ///
    /// # Errors
    /// [`crate::Kind::NotFound`].
    pub async fn update_action(
        &self,
        resource: &Ident,
        action: &Ident,
        edit: ActionEdit,
    ) -> Result<(Arc<Resource>, Action)> {
        self.write_schema(|stage| {
            let mut resource = super::resource(stage.schema(), resource)?.as_ref().clone();
            let mut action = edited(find(&resource, action)?.clone(), edit.clone());
            action.updated_at = stage.now();
            for slot in resource.actions.iter_mut().filter(|a| a.id == action.id) {
                *slot = action.clone();
            }
            finish(stage, resource, action, "action.updated")
        })
        .await
    }

    /// Takes an action out of its resource and out of every role that permits it.
    ///
    /// # Errors
    /// [`crate::Kind::NotFound`].
    pub async fn delete_action(&self, resource: &Ident, action: &Ident) -> Result<()> {
        self.write_schema(|stage| {
            let mut resource = super::resource(stage.schema(), resource)?.as_ref().clone();
            let gone = find(&resource, action)?.clone();
            resource.actions.retain(|a| a.id != gone.id);
            finish(stage, resource, gone, "action.deleted").map(|_| ())
        })
        .await
    }
}

fn finish(
    stage: &mut Stage<'_>,
    mut resource: Resource,
    action: Action,
    code: &str,
) -> Result<(Arc<Resource>, Action)> {
    resource.updated_at = stage.now();
    stage.put_resource(resource.clone())?;
    stage.note(code, format!("{}:{}", resource.key, action.key))?;
    Ok((Arc::new(resource), action))
}

pub(super) fn find<'a>(resource: &'a Resource, ident: &Ident) -> Result<&'a Action> {
    let by_id = resource.actions.iter().find(|a| ident.uuid() == Some(a.id.uuid()));
    let found = by_id.or_else(|| resource.actions.iter().find(|a| a.key.as_str() == ident.as_str()));
    found.ok_or_else(|| no_such(resource, ident))
}

fn no_such(resource: &Resource, ident: &Ident) -> Error {
    let lead = format!("the actions of {} are", resource.key);
    missing("action", ident, &lead, resource.actions.iter().map(|a| a.key.to_string()))
}

fn blank(stage: &Stage<'_>, key: &Key) -> Result<Action> {
    Ok(Action {
        id: stage.fresh_id()?,
        key: key.clone(),
        name: key.to_string(),
        description: None,
        attributes: None,
        compat: Map::new(),
        created_at: stage.now(),
        updated_at: stage.now(),
    })
}

fn edited(mut action: Action, edit: ActionEdit) -> Action {
    action.name = edit.name.unwrap_or(action.name);
    action.description = edit.description.over(action.description);
    action.attributes = edit.attributes.over(action.attributes);
    merge_compat(&mut action.compat, edit.compat);
    action
}

/// The actions after a whole block of them is written; those with a known key keep their id.
pub(crate) fn replaced(
    stage: &Stage<'_>,
    current: &[Action],
    block: BTreeMap<Key, ActionBlock>,
) -> Result<Vec<Action>> {
    let mut actions = Vec::with_capacity(block.len());
    for (key, block) in block {
        let fresh = blank(stage, &key)?;
        let known = current.iter().find(|a| a.key == key);
        let action = Action {
            id: known.map_or(fresh.id, |a| a.id),
            name: block.name.unwrap_or(fresh.name),
            description: block.description,
            attributes: block.attributes,
            compat: block.compat,
            created_at: known.map_or(fresh.created_at, |a| a.created_at),
            ..fresh
        };
        actions.push(match known {
            Some(same) if (Action { updated_at: same.updated_at, ..action.clone() }) == *same => same.clone(),
            _ => action,
        });
    }
    Ok(actions)
}
