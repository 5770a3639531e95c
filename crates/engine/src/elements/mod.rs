//! Element configurations: who may ask for what, and who decides.
//!
//! An element is about the roles of one resource, or about tenant roles. Which resource is said in `settings`
//! (`resource`, or one of its other spellings), or follows from the roles that the element names by id; an
//! `approval_management` that says nothing is about the resource of the environment's operation approvals, when they
//! are all about one.

mod front_end;
mod levels;
mod manage;
mod operation_roles;
mod read;
mod terms;
mod token;
#[cfg(test)]
mod token_tests;
mod types;
mod write;

pub use front_end::FrontEndLogin;
pub use manage::{Added, ManagedPlace, NewPerson};
pub(crate) use operation_roles::operation_roles;
pub use read::RoleLevel;
pub use token::MAX_TOKEN;

use crate::{
    Patch,
    error::{Error, Result},
};
use askfirst_domain::element::{ElementType, Level};
use askfirst_policy::SchemaError;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// The spellings under which `settings` may name the resource, the first that is there counts.
pub(crate) const RESOURCE_SETTINGS: [&str; 6] =
    ["resource", "resource_key", "resource_id", "resource_type", "resourceType", "resourceId"];

/// A new element.
#[derive(Debug, Clone)]
pub struct NewElement {
    pub key: String,
    pub name: String,
    pub kind: ElementType,
    pub settings: Map<String, Value>,
    pub email_notifications: bool,
    /// Role ids or keys.
    pub roles_to_levels: BTreeMap<Level, Vec<String>>,
    pub webhook: Option<Hook>,
}

/// A webhook, as a caller gives it.
#[derive(Debug, Clone)]
pub struct Hook {
    pub url: String,
    /// None, in a change: the old one stays.
    pub bearer_token: Option<String>,
}

/// Changes to an element; none leaves a member as it is.
#[derive(Debug, Clone, Default)]
pub struct ElementPatch {
    pub name: Option<String>,
    /// Must be what it is.
    pub kind: Option<ElementType>,
    pub settings: Option<Map<String, Value>>,
    pub email_notifications: Option<bool>,
    pub roles_to_levels: Option<BTreeMap<Level, Vec<String>>>,
    pub webhook: Patch<Hook>,
}

/// Whether an element is to be in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InUse {
    Yes,
    No,
}

fn refused(error: &SchemaError) -> Error {
    Error::invalid(crate::error::sentence(&error.to_string()))
}

/// Whether settings hold what the API allows: texts, whole numbers, and truth values.
fn check_settings(settings: &Map<String, Value>) -> Result<()> {
    let flat = |value: &Value| value.is_string() || value.is_boolean() || value.is_i64() || value.is_u64();
    match settings.iter().find(|(_, value)| !flat(value)) {
        None => Ok(()),
        Some((name, _)) => Err(Error::invalid(format!(
            "The setting `{name}` must be a text, a whole number, true or false."
        ))),
    }
}

/// Whether a webhook can be called.
fn check_hook(hook: &Hook) -> Result<()> {
    let rest = hook.url.strip_prefix("https://").or_else(|| hook.url.strip_prefix("http://"));
    let sound = rest.is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/'));
    if sound && !hook.url.contains(|c: char| c.is_whitespace() || c.is_control()) {
        Ok(())
    } else {
        Err(Error::invalid("The webhook's `url` must begin with http:// or https:// and a host."))
    }
}
