//! Roles, on a resource and in tenants: one set of operations; `on` is the resource, or none for tenant roles.

use super::{
    derivations::{self, DerivationBlock},
    key_of, merge_compat, missing, paged,
    stage::{Stage, taken},
    view::{RoleView, role_view},
};
use crate::{
    EnvScope, Patch,
    error::{Error, Result},
};
use askfirst_domain::{Ident, Key, schema::Role};
use askfirst_policy::{RoleName, Schema, parse_permissions};
use askfirst_store::{Listed, Page};
use serde_json::{Map, Value};
use std::sync::Arc;

/// What is said about a role. Permissions are bare actions on a resource role, `resource:action` on a tenant role.
#[derive(Debug, Clone, Default)]
pub struct RoleEdit {
    pub name: Option<String>,
    pub description: Patch<String>,
    pub permissions: Patch<Vec<String>>,
    pub extends: Patch<Vec<Ident>>,
    pub granted_to: Patch<DerivationBlock>,
    pub attributes: Patch<Value>,
    pub compat: Map<String, Value>,
}

impl EnvScope {
    /// The roles on a resource, or the tenant roles, in the order of their creation.
    ///
    /// # Errors
    /// [`crate::Kind::NotFound`] for the resource.
    pub fn list_roles(&self, on: Option<&Ident>, page: Page) -> Result<Listed<RoleView>> {
        let state = self.state();
        let schema = state.snapshot.schema();
        let on = place(schema, on)?;
        let found = paged(schema.roles_of(on.as_ref().map(Key::as_str)), page);
        Ok(Listed {
            items: found.items.into_iter().map(|r| role_view(schema, r)).collect(),
            total: found.total,
        })
    }

    /// One role.
    ///
    /// # Errors
    /// [`crate::Kind::NotFound`].
    pub fn role(&self, on: Option<&Ident>, role: &Ident) -> Result<RoleView> {
        let state = self.state();
        let schema = state.snapshot.schema();
        let on = place(schema, on)?;
        Ok(role_view(schema, find(schema, on.as_ref(), role)?))
    }

    /// Creates a role.
    ///
    /// # Errors
    /// [`crate::Kind::Duplicate`]; [`crate::Kind::MissingPermissions`], [`crate::Kind::PermissionFormat`]; what it
    /// extends or is derived from is not there.
    pub async fn create_role(&self, on: Option<&Ident>, key: Key, edit: RoleEdit) -> Result<RoleView> {
        self.write_schema(|stage| {
            let on = place(stage.schema(), on)?;
            if stage.schema().role_by_key(on.as_ref().map(Key::as_str), key.as_str()).is_some() {
                return Err(taken("role", &key));
            }
            let blank = blank(stage, on.as_ref(), &key)?;
            finish(stage, blank, edit.clone(), "role.created")
        })
        .await
    }

    /// Changes what is said about a role.
    ///
    /// # Errors
    /// As [`EnvScope::create_role`], and [`crate::Kind::NotFound`].
    pub async fn update_role(&self, on: Option<&Ident>, role: &Ident, edit: RoleEdit) -> Result<RoleView> {
        self.write_schema(|stage| {
            let on = place(stage.schema(), on)?;
            let role = find(stage.schema(), on.as_ref(), role)?.as_ref().clone();
            finish(stage, role, edit.clone(), "role.updated")
        })
        .await
    }

    /// Deletes a role and its assignments, and takes it out of what extends it, is derived from it or gives it a level.
    ///
    /// # Errors
    /// [`crate::Kind::NotFound`].
    pub async fn delete_role(&self, on: Option<&Ident>, role: &Ident) -> Result<()> {
        self.write_schema(|stage| {
            let on = place(stage.schema(), on)?;
            let role = Arc::clone(find(stage.schema(), on.as_ref(), role)?);
            stage.delete_role(&role);
            stage.note("role.deleted", RoleName::from(role.as_ref()).to_string())
        })
        .await
    }

    /// Adds permissions to a role; those that it has already are left.
    ///
    /// # Errors
    /// As [`EnvScope::update_role`].
    pub async fn assign_permissions(
        &self,
        on: Option<&Ident>,
        role: &Ident,
        permissions: &[String],
    ) -> Result<RoleView> {
        self.change_permissions(on, role, |role| {
            for permission in parse_permissions(&RoleName::from(&*role), permissions)? {
                if !role.permissions.contains(&permission) {
                    role.permissions.push(permission);
                }
            }
            Ok(())
        })
        .await
    }

    /// Takes permissions from a role; those that it does not have are passed over.
    ///
    /// # Errors
    /// As [`EnvScope::update_role`].
    pub async fn remove_permissions(
        &self,
        on: Option<&Ident>,
        role: &Ident,
        permissions: &[String],
    ) -> Result<RoleView> {
        self.change_permissions(on, role, |role| {
            let gone = parse_permissions(&RoleName::from(&*role), permissions)?;
            role.permissions.retain(|p| !gone.contains(p));
            Ok(())
        })
        .await
    }

    async fn change_permissions(
        &self,
        on: Option<&Ident>,
        role: &Ident,
        change: impl Fn(&mut Role) -> Result<()> + Send + Sync,
    ) -> Result<RoleView> {
        self.write_schema(|stage| {
            let on = place(stage.schema(), on)?;
            let mut role = find(stage.schema(), on.as_ref(), role)?.as_ref().clone();
            change(&mut role)?;
            finish(stage, role, RoleEdit::default(), "role.updated")
        })
        .await
    }
}

/// The key of the resource that roles are on.
pub(crate) fn place(schema: &Schema, on: Option<&Ident>) -> Result<Option<Key>> {
    on.map(|ident| super::resource(schema, ident).map(|r| r.key.clone())).transpose()
}

/// The role with this key or id.
pub(crate) fn find<'a>(schema: &'a Schema, on: Option<&Key>, ident: &Ident) -> Result<&'a Arc<Role>> {
    let scope = on.map(Key::as_str);
    schema.role(scope, ident).ok_or_else(|| no_such(schema, scope, ident))
}

/// The answer when there is no such role.
pub(crate) fn no_such(schema: &Schema, scope: Option<&str>, ident: &Ident) -> Error {
    let (what, lead) = match scope {
        Some(resource) => (format!("role of {resource}"), format!("the roles of {resource} are")),
        None => ("tenant role".to_owned(), "the tenant roles are".to_owned()),
    };
    missing(&what, ident, &lead, schema.roles_of(scope).map(|r| r.key.to_string()))
}

/// A role that says nothing yet.
pub(crate) fn blank(stage: &Stage<'_>, on: Option<&Key>, key: &Key) -> Result<Role> {
    Ok(Role {
        id: stage.fresh_id()?,
        key: key.clone(),
        resource: on.cloned(),
        name: key.to_string(),
        description: None,
        permissions: Vec::new(),
        extends: Vec::new(),
        granted_to: None,
        attributes: None,
        compat: Map::new(),
        created_at: stage.now(),
        updated_at: stage.now(),
    })
}

/// Lays the edit over the role and writes it.
pub(crate) fn apply(stage: &mut Stage<'_>, mut role: Role, edit: RoleEdit) -> Result<Role> {
    let name = RoleName::from(&role);
    role.name = edit.name.unwrap_or(role.name);
    role.description = edit.description.over(role.description);
    role.attributes = edit.attributes.over(role.attributes);
    merge_compat(&mut role.compat, edit.compat);
    let permissions = edit.permissions.try_map(|texts| parse_permissions(&name, &texts))?;
    role.permissions = permissions.over(Some(role.permissions)).unwrap_or_default();
    let extends = edit.extends.try_map(|idents| extended(stage.schema(), &role, &idents))?;
    role.extends = extends.over(Some(role.extends)).unwrap_or_default();
    let granted_to = edit.granted_to.try_map(|block| derivations::built(stage, &role, &block))?;
    role.granted_to = granted_to.over(role.granted_to);
    role.updated_at = stage.now();
    stage.put_role(role.clone())?;
    Ok(role)
}

fn extended(schema: &Schema, role: &Role, idents: &[Ident]) -> Result<Vec<Key>> {
    let scope = role.resource.as_ref().map(Key::as_str);
    let mut keys = Vec::with_capacity(idents.len());
    for ident in idents {
        let key = key_of(schema.role(scope, ident).map(|r| &r.key), ident)?;
        if !keys.contains(&key) {
            keys.push(key);
        }
    }
    Ok(keys)
}

pub(super) fn finish(stage: &mut Stage<'_>, role: Role, edit: RoleEdit, code: &str) -> Result<RoleView> {
    let role = apply(stage, role, edit)?;
    let permissions = role.permissions.iter().map(|p| Value::from(format!("{}:{}", p.resource, p.action)));
    let details = Map::from_iter([("permissions".to_owned(), permissions.collect())]);
    stage.note_with(code, RoleName::from(&role).to_string(), details)?;
    Ok(role_view(stage.schema(), &Arc::new(role)))
}
