//! What an operation approval needs on its resource: the roles `_Reviewer_` and `_Approved_` and their actions.

use crate::{EnvScope, error::Result};
use askfirst_domain::{
    Key,
    change::Change,
    element::{APPROVED_ROLE, OPERATE_ACTION, REVIEWER_ACTIONS, REVIEWER_ROLE},
    schema::{Action, Permission, Resource, Role},
};
use askfirst_policy::Schema;
use serde_json::Map;

/// The changes that give a resource what operation approvals on it need, as far as it is missing. Roles and actions
/// that are there stay as they are.
pub(crate) fn operation_roles(scope: &EnvScope, schema: &Schema, resource: &Resource) -> Result<Vec<Change>> {
    let mut changes = Vec::new();
    let mut wider = resource.clone();
    for action in REVIEWER_ACTIONS.iter().chain([&OPERATE_ACTION]) {
        if !wider.actions.iter().any(|a| a.key.as_str() == *action) {
            wider.actions.push(new_action(scope, action)?);
        }
    }
    if wider.actions.len() > resource.actions.len() {
        wider.actions.sort_by(|a, b| a.key.cmp(&b.key));
        wider.updated_at = scope.op.now;
        changes.push(Change::PutResource(wider));
    }
    let wanted = [
        (REVIEWER_ROLE, "Reviewer", "Decides operation approvals.", REVIEWER_ACTIONS.as_slice()),
        (APPROVED_ROLE, "Approved", "Given by an operation approval.", &[OPERATE_ACTION]),
    ];
    for (key, name, description, actions) in wanted {
        if schema.role_by_key(Some(resource.key.as_str()), key).is_none() {
            changes.push(Change::PutRole(new_role(scope, &resource.key, (key, name, description), actions)?));
        }
    }
    Ok(changes)
}

fn new_action(scope: &EnvScope, key: &str) -> Result<Action> {
    Ok(Action {
        id: scope.engine.fresh_id(&scope.op)?,
        key: key.parse()?,
        name: key.to_owned(),
        description: None,
        attributes: None,
        compat: Map::new(),
        created_at: scope.op.now,
        updated_at: scope.op.now,
    })
}

fn new_role(
    scope: &EnvScope,
    resource: &Key,
    (key, name, description): (&str, &str, &str),
    actions: &[&str],
) -> Result<Role> {
    let permissions: Result<Vec<Permission>> = actions
        .iter()
        .map(|action| Ok(Permission { resource: resource.clone(), action: action.parse()? }))
        .collect();
    Ok(Role {
        id: scope.engine.fresh_id(&scope.op)?,
        key: key.parse()?,
        resource: Some(resource.clone()),
        name: name.to_owned(),
        description: Some(description.to_owned()),
        permissions: permissions?,
        extends: Vec::new(),
        granted_to: None,
        attributes: None,
        compat: Map::new(),
        created_at: scope.op.now,
        updated_at: scope.op.now,
    })
}
