//! Many roles written at once: made, or made over to what is said of them and nothing else.

use super::{
    roles::{self, RoleEdit},
    stage::Stage,
};
use crate::{
    EnvScope,
    error::{Error, Result},
    facts::bounded,
};
use askfirst_domain::{Ident, Key, schema::Role};
use askfirst_policy::RoleName;
use serde_json::Map;
use std::collections::BTreeSet;

/// How many roles one call may write.
pub const MAX_ROLES: usize = 2000;

/// A role of a bulk call.
#[derive(Debug, Clone)]
pub struct BulkRole {
    pub key: Key,
    /// The resource; none for a tenant role.
    pub on: Option<Ident>,
    /// What it does not mention is cleared.
    pub edit: RoleEdit,
}

/// What became of the roles, each as `resource#key` or, in tenants, `key`.
#[derive(Debug, Clone, Default)]
pub struct WrittenRoles {
    pub created: Vec<String>,
    pub updated: Vec<String>,
}

impl EnvScope {
    /// Writes many roles; they may name each other in any order.
    ///
    /// # Errors
    /// As [`EnvScope::create_role`], then nothing is written; [`crate::Kind::Invalid`] for a role that comes twice,
    /// [`crate::Kind::TooLarge`].
    pub async fn replace_roles(&self, roles: &[BulkRole]) -> Result<WrittenRoles> {
        bounded("roles", roles.len(), MAX_ROLES)?;
        self.write_schema(|stage| write(stage, roles)).await
    }
}

fn write(stage: &mut Stage<'_>, wanted: &[BulkRole]) -> Result<WrittenRoles> {
    let mut written = WrittenRoles::default();
    let mut seen = BTreeSet::new();
    for entry in wanted {
        let on = roles::place(stage.schema(), entry.on.as_ref())?;
        let known = stage.schema().role_by_key(on.as_ref().map(Key::as_str), entry.key.as_str()).cloned();
        let name = RoleName { resource: on.clone(), key: entry.key.clone() };
        let list = if known.is_some() { &mut written.updated } else { &mut written.created };
        list.push(name.to_string());
        let bare = match known {
            Some(role) => Role {
                name: role.key.to_string(),
                description: None,
                permissions: Vec::new(),
                extends: Vec::new(),
                granted_to: None,
                attributes: None,
                compat: Map::new(),
                ..Role::clone(&role)
            },
            None => roles::blank(stage, on.as_ref(), &entry.key)?,
        };
        if !seen.insert(name.clone()) {
            return Err(Error::invalid(format!("The role {name} comes twice in this call; send it once.")));
        }
        stage.put_role(bare)?;
    }
    for entry in wanted {
        let on = roles::place(stage.schema(), entry.on.as_ref())?;
        let role = roles::find(stage.schema(), on.as_ref(), &Ident::from(entry.key.as_str()))?;
        roles::finish(stage, Role::clone(role), entry.edit.clone(), "role.replaced")?;
    }
    Ok(written)
}
