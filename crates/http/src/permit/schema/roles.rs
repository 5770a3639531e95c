//! `roles` (in tenants) and `resources/{resource}/roles` (on instances): the same operations on both.

use super::derivations::{DerivationBlockBody, DerivationBlockRead};
use crate::{
    auth::InEnv,
    body::Body,
    error::Answer,
    listing::PageQuery,
    permit::wire::{Home, Moment, Operations, Params, Text, compat, page},
};
use askfirst_domain::{
    Ident, Key,
    id::{ResourceId, RoleId},
};
use askfirst_engine::{
    EnvScope, Patch,
    schema::{BulkRole, RoleEdit, RoleView},
};
use axum::{Json, extract::Path, http::StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// `RoleRead`, `ResourceRoleRead`.
#[derive(Debug, Serialize)]
pub(crate) struct RoleRead {
    name: String,
    description: Option<String>,
    permissions: Vec<String>,
    attributes: Option<Value>,
    extends: Vec<Key>,
    granted_to: Option<DerivationBlockRead>,
    key: Key,
    id: RoleId,
    #[serde(flatten)]
    home: Home,
    #[serde(skip_serializing_if = "Option::is_none")]
    resource_id: Option<ResourceId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    resource: Option<Key>,
    created_at: Moment,
    updated_at: Moment,
    #[serde(flatten)]
    compat: Map<String, Value>,
}

impl RoleRead {
    pub(super) fn new(scope: &EnvScope, view: &RoleView) -> Self {
        let r = &view.role;
        let permissions = r.permissions.iter().map(|p| match &r.resource {
            Some(_) => p.action.to_string(),
            None => format!("{}:{}", p.resource, p.action),
        });
        Self {
            name: r.name.clone(),
            description: r.description.clone(),
            permissions: permissions.collect(),
            attributes: r.attributes.clone(),
            extends: r.extends.clone(),
            granted_to: r.granted_to.as_ref().map(|block| DerivationBlockRead::new(block, &view.rules)),
            key: r.key.clone(),
            id: r.id,
            home: scope.into(),
            resource_id: view.resource_id,
            resource: r.resource.clone(),
            created_at: Moment(r.created_at),
            updated_at: Moment(r.updated_at),
            compat: r.compat.clone(),
        }
    }
}

/// `RoleUpdate`, `ResourceRoleUpdate`, `RoleBlockEditable`.
#[derive(Debug, Deserialize)]
pub(crate) struct RoleBody {
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    description: Patch<String>,
    #[serde(default)]
    permissions: Patch<Vec<String>>,
    #[serde(default)]
    extends: Patch<Vec<Text>>,
    #[serde(default)]
    granted_to: Patch<DerivationBlockBody>,
    #[serde(default)]
    attributes: Patch<Value>,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

impl From<RoleBody> for RoleEdit {
    fn from(body: RoleBody) -> Self {
        Self {
            name: body.name,
            description: body.description,
            permissions: body.permissions,
            extends: body.extends.map(|names| names.iter().map(Text::ident).collect()),
            granted_to: body.granted_to.map(Into::into),
            attributes: body.attributes,
            compat: compat(body.rest),
        }
    }
}

/// `RoleCreate`, `ResourceRoleCreate`.
#[derive(Debug, Deserialize)]
pub(crate) struct CreateBody {
    key: Key,
    name: String,
    #[serde(flatten)]
    rest: RoleBody,
}

/// `RoleCreateBulk`.
#[derive(Debug, Deserialize)]
pub(crate) struct BulkBody {
    key: Key,
    name: String,
    /// None for a tenant role.
    #[serde(default)]
    resource: Option<Text>,
    #[serde(flatten)]
    rest: RoleBody,
}

/// `RoleCreateBulkOperationResult`.
#[derive(Debug, Serialize)]
pub(crate) struct BulkRead {
    created: Vec<String>,
    updated: Vec<String>,
}

/// `AddRolePermissions`, `RemoveRolePermissions`.
#[derive(Debug, Deserialize)]
pub(crate) struct PermissionsBody {
    permissions: Vec<String>,
}

/// Where a set of roles is; no resource means tenant roles.
#[derive(Debug, Deserialize)]
pub(super) struct Place {
    #[serde(default)]
    resource: Option<Text>,
}

impl Place {
    fn on(&self) -> Option<Ident> {
        self.resource.as_ref().map(Text::ident)
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct At {
    #[serde(default)]
    resource: Option<Text>,
    role: Text,
}

impl At {
    fn split(&self) -> (Option<Ident>, Ident) {
        (self.resource.as_ref().map(Text::ident), self.role.ident())
    }
}

pub(super) async fn list(
    InEnv(scope): InEnv,
    Path(place): Path<Place>,
    Params(q): Params<PageQuery>,
) -> Answer<Json<Vec<RoleRead>>> {
    let found = scope.list_roles(place.on().as_ref(), page(q.page, q.per_page)?)?;
    Ok(Json(found.items.iter().map(|view| RoleRead::new(&scope, view)).collect()))
}

pub(super) async fn read(InEnv(scope): InEnv, Path(at): Path<At>) -> Answer<Json<RoleRead>> {
    let (on, role) = at.split();
    let view = scope.role(on.as_ref(), &role)?;
    Ok(Json(RoleRead::new(&scope, &view)))
}

pub(super) async fn create(
    InEnv(scope): InEnv,
    Path(place): Path<Place>,
    Body(body): Body<CreateBody>,
) -> Answer<Json<RoleRead>> {
    let edit = RoleBody { name: Some(body.name), ..body.rest };
    let view = scope.create_role(place.on().as_ref(), body.key, edit.into()).await?;
    Ok(Json(RoleRead::new(&scope, &view)))
}

pub(super) async fn update(
    InEnv(scope): InEnv,
    Path(at): Path<At>,
    Body(body): Body<RoleBody>,
) -> Answer<Json<RoleRead>> {
    let (on, role) = at.split();
    let view = scope.update_role(on.as_ref(), &role, body.into()).await?;
    Ok(Json(RoleRead::new(&scope, &view)))
}

pub(super) async fn delete(InEnv(scope): InEnv, Path(at): Path<At>) -> Answer<StatusCode> {
    let (on, role) = at.split();
    scope.delete_role(on.as_ref(), &role).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn assign_permissions(
    InEnv(scope): InEnv,
    Path(at): Path<At>,
    Body(body): Body<PermissionsBody>,
) -> Answer<Json<RoleRead>> {
    let (on, role) = at.split();
    let view = scope.assign_permissions(on.as_ref(), &role, &body.permissions).await?;
    Ok(Json(RoleRead::new(&scope, &view)))
}

pub(super) async fn remove_permissions(
    InEnv(scope): InEnv,
    Path(at): Path<At>,
    Body(body): Body<PermissionsBody>,
) -> Answer<Json<RoleRead>> {
    let (on, role) = at.split();
    let view = scope.remove_permissions(on.as_ref(), &role, &body.permissions).await?;
    Ok(Json(RoleRead::new(&scope, &view)))
}

/// Makes roles, and makes those over that are there.
pub(super) async fn replace_many(
    InEnv(scope): InEnv,
    Body(body): Body<Operations<BulkBody>>,
) -> Answer<Json<BulkRead>> {
    let roles = body.operations.into_iter().map(|body| BulkRole {
        key: body.key,
        on: body.resource.as_ref().map(Text::ident),
        edit: RoleBody { name: Some(body.name), ..body.rest }.into(),
    });
    let written = scope.replace_roles(&roles.collect::<Vec<_>>()).await?;
    Ok(Json(BulkRead { created: written.created, updated: written.updated }))
}
