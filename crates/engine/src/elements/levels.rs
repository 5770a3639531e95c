//! Which resource an element is about, and which roles its levels name.

use super::RESOURCE_SETTINGS;
use crate::error::{Error, Kind, Result};
use askfirst_domain::{
    Ident, Key,
    element::{ElementType, Level},
    id::RoleId,
    schema::Role,
};
use askfirst_policy::Schema;
use serde_json::{Map, Value};
use std::{collections::BTreeMap, sync::Arc};

/// The resource that an element is about.
pub(super) fn resource(
    schema: &Schema,
    kind: ElementType,
    settings: &Map<String, Value>,
    levels: &BTreeMap<Level, Vec<String>>,
) -> Result<Option<Key>> {
    let named = RESOURCE_SETTINGS.iter().find_map(|name| settings.get(*name)).and_then(Value::as_str);
    if let Some(text) = named.filter(|text| !text.is_empty()) {
        let found = schema.resource(&Ident::new(text)).ok_or_else(|| Error::not_found("resource", text))?;
        return Ok(Some(found.key.clone()));
    }
    let by_id = levels.values().flatten().find_map(|text| {
        let id = RoleId::new(Ident::new(text.as_str()).uuid()?);
        schema.role_by_id(id)?.resource.clone()
    });
    if by_id.is_some() || kind != ElementType::ApprovalManagement {
        return Ok(by_id);
    }
    let mut about =
        schema.elements().filter(|e| e.kind == ElementType::OperationApproval).map(|e| &e.resource);
    let first = about.next().cloned().flatten();
    Ok(if about.all(|other| *other == first) { first } else { None })
}

/// The levels with every role found.
pub(super) fn resolve(
    schema: &Schema,
    resource: Option<&Key>,
    levels: &BTreeMap<Level, Vec<String>>,
) -> Result<BTreeMap<Level, Vec<RoleId>>> {
    let mut resolved = BTreeMap::new();
    for (level, roles) in levels {
        let ids: Result<Vec<RoleId>> =
            roles.iter().map(|text| role(schema, resource, text).map(|role| role.id)).collect();
        resolved.insert(*level, ids?);
    }
    Ok(resolved)
}

fn role<'s>(schema: &'s Schema, resource: Option<&Key>, text: &str) -> Result<&'s Arc<Role>> {
    let ident = Ident::new(text);
    let own = resource.map(Key::as_str);
    let by_id = ident.uuid().and_then(|uuid| schema.role_by_id(RoleId::new(uuid)));
    by_id.or_else(|| schema.role(own, &ident)).or_else(|| schema.role(None, &ident)).ok_or_else(|| {
        let mut keys: Vec<&str> = schema.roles_of(own).map(|r| r.key.as_str()).collect();
        keys.sort_unstable();
        let known = if keys.is_empty() { "none".to_owned() } else { keys.join(", ") };
        let (on, hint) = match own {
            Some(resource) => (format!("on `{resource}` or in tenants"), ""),
            None => ("in tenants".to_owned(), " For roles on a resource name it in `settings.resource`."),
        };
        Error::new(Kind::NotFound, format!("There is no role `{text}` {on}; there are: {known}.{hint}"))
    })
}
