//! The schema: resources with their actions and attributes, roles, relations, role derivations, condition sets and the
//! rules over those.
//!
//! Reads come from the live snapshot. A write is planned against a copy of the schema as it is (see [`stage`]), checked
//! there, and committed only if nobody else has written the schema since; else it is planned anew. What refers to a
//! deleted thing is rewritten in the same commit.

mod action_groups;
mod actions;
mod attributes;
mod bulk_roles;
mod condition_sets;
mod derivations;
mod proxy_configs;
mod refuse;
mod relations;
mod resources;
mod roles;
mod set_rules;
mod stage;
mod view;

pub use action_groups::ActionGroupEdit;
pub use actions::{ActionBlock, ActionEdit};
pub use attributes::{AttributeBlock, AttributeEdit};
pub use bulk_roles::{BulkRole, MAX_ROLES, WrittenRoles};
pub use condition_sets::{ConditionSetEdit, ConditionSetView, NewConditionSet};
pub use derivations::{DerivationBlock, RuleSpec};
pub use proxy_configs::{NewProxyConfig, ProxyConfigEdit, RuleEdit};
pub use relations::NewRelation;
pub use resources::ResourceEdit;
pub use roles::RoleEdit;
pub(crate) use roles::find as find_role;
pub use set_rules::{RuleFilter, RuleSide, RuleSpec as SetRuleSpec};
pub(crate) use stage::Stage;
pub use view::{RelationView, ResourceView, RoleView, RuleView};

use askfirst_domain::{
    Ident, Key,
    schema::{Resource, is_built_in},
};
use askfirst_policy::Schema;
use askfirst_store::{Listed, Page};
use serde_json::{Map, Value};
use std::sync::Arc;

use crate::error::{Error, Kind, Result};

/// The part of a short list that a page asks for.
pub(crate) fn paged<T>(items: impl IntoIterator<Item = T>, page: Page) -> Listed<T> {
    let mut total = 0;
    let (offset, limit) = (page.offset, u64::from(page.limit));
    let mut kept = Vec::new();
    for item in items {
        if total >= offset && total - offset < limit {
            kept.push(item);
        }
        total += 1;
    }
    Listed { items: kept, total }
}

/// The resource with this key or id; none of the product's own.
///
/// # Errors
/// [`Kind::NotFound`] with the resources that there are.
pub(crate) fn resource<'a>(schema: &'a Schema, ident: &Ident) -> Result<&'a Arc<Resource>> {
    schema.resource(ident).filter(|found| !is_built_in(&found.key)).ok_or_else(|| {
        missing("resource", ident, "the resources are", plain_resources(schema).map(|r| r.key.to_string()))
    })
}

/// All resources but the product's own.
pub(crate) fn plain_resources(schema: &Schema) -> impl Iterator<Item = &Arc<Resource>> {
    schema.resources().filter(|resource| !is_built_in(&resource.key))
}

/// `There is no WHAT `IDENT`; the WHATs are: a, b.`
pub(crate) fn missing(what: &str, ident: &Ident, lead: &str, names: impl Iterator<Item = String>) -> Error {
    let mut names: Vec<_> = names.collect();
    names.sort_unstable();
    let known = if names.is_empty() { "none yet".to_owned() } else { names.join(", ") };
    Error::new(Kind::NotFound, format!("There is no {what} `{ident}`; {lead}: {known}."))
}

/// The key that an identifier in a body means: of the thing that it names, else the text itself, which the checks of
/// the schema then refuse with a list of what there is.
pub(crate) fn key_of(found: Option<&Key>, ident: &Ident) -> Result<Key> {
    match found {
        Some(key) => Ok(key.clone()),
        None => Ok(ident.as_str().parse()?),
    }
}

/// Lays the members of Permit's old clients over those that were there; `null` takes one away.
pub(crate) fn merge_compat(current: &mut Map<String, Value>, edit: Map<String, Value>) {
    for (name, value) in edit {
        if value.is_null() {
            current.remove(&name);
        } else {
            current.insert(name, value);
        }
    }
}
