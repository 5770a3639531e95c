//! What a requester may say besides what was denied, and what there is to choose from.

use super::Rejection;
use crate::{EnvScope, LiveState, error::Result, requests::MAX_TEXT};
use askfirst_domain::{
    Ident, Key,
    element::{APPROVED_ROLE, Element, ElementType, Level},
    schema::Role,
};
use serde_json::{Value, json};
use std::sync::Arc;

/// The form of an element, as a JSON Schema of what a submission adds.
#[derive(Debug, Clone, PartialEq)]
pub struct RequestForm {
    pub schema: Value,
}

/// A role that may be asked for through an element.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestableRole {
    pub key: Key,
    pub name: String,
    pub description: Option<String>,
}

impl EnvScope {
    /// What a submission through an element may say besides what was denied.
    ///
    /// # Errors
    /// When there is no such element.
    pub fn request_form(&self, element: &str) -> Result<RequestForm, Rejection> {
        let state = self.state();
        let element = asked_through(&state, element)?;
        let roles: Vec<Key> = roles(&state, &element).iter().map(|role| role.key.clone()).collect();
        let schema = json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "title": element.name,
            "type": "object",
            "required": ["context"],
            "properties": {
                "context": {
                    "type": "object",
                    "required": ["justification"],
                    "properties": {"justification": {
                        "type": "string", "minLength": 1, "maxLength": MAX_TEXT,
                        "title": "Why", "description": "What the reviewer reads.",
                    }},
                },
                "requested_access": {
                    "type": "object",
                    "properties": {
                        "requested_until": {"type": "string", "format": "date-time", "title": "Until when"},
                        "role": {"type": "string", "enum": roles, "title": "The role that would allow it"},
                    },
                },
            },
        });
        Ok(RequestForm { schema })
    }

    /// The roles that may be asked for through an element whose key or name holds `part`, sorted by key.
    ///
    /// # Errors
    /// When there is no such element.
    pub fn requestable_roles(&self, element: &str, part: &str) -> Result<Vec<RequestableRole>, Rejection> {
        let state = self.state();
        let element = asked_through(&state, element)?;
        let part = part.to_lowercase();
        let fits = |role: &&Arc<Role>| {
            role.key.as_str().to_lowercase().contains(&part) || role.name.to_lowercase().contains(&part)
        };
        let found = roles(&state, &element);
        let mut found: Vec<_> = found.iter().filter(fits).map(|role| read(role)).collect();
        found.sort_by(|left, right| left.key.cmp(&right.key));
        Ok(found)
    }
}

fn read(role: &Role) -> RequestableRole {
    RequestableRole { key: role.key.clone(), name: role.name.clone(), description: role.description.clone() }
}

/// An element through which something can be asked for.
fn asked_through(state: &LiveState, element: &str) -> Result<Arc<Element>, Rejection> {
    let ident = Ident::new(element);
    let found = state.snapshot.schema().element(&ident).filter(|element| {
        element.is_active
            && matches!(element.kind, ElementType::UserManagement | ElementType::OperationApproval)
    });
    let found = found.cloned();
    found.ok_or_else(|| Rejection::from(crate::Error::not_found("element to ask through", element)))
}

fn roles(state: &LiveState, element: &Element) -> Vec<Arc<Role>> {
    let schema = state.snapshot.schema();
    if element.kind == ElementType::OperationApproval {
        let resource = element.resource.as_ref().map(Key::as_str);
        return schema.role_by_key(resource, APPROVED_ROLE).cloned().into_iter().collect();
    }
    let offered = element.roles_to_levels.get(&Level::Assignable).into_iter().flatten();
    offered.filter_map(|id| schema.role_by_id(*id)).cloned().collect()
}
