//! `roles` (in tenants) and `resources/{resource}/roles` (on instances): the same operations on both.

use super::derivations::{DerivationBlockBody, DerivationBlockRead};
use crate::{
    auth::InEnv,
    body::Body,
    error::Answer,
    listing::PageQuery,
    openapi::{IdShape, KeyShape, Routes},
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
use utoipa::ToSchema;
use utoipa_axum::routes;

/// Under `/roles` and under `/resources/{resource}/roles`.
pub(super) fn router() -> Routes {
    Routes::default()
        .routes(routes!(list, create))
        .routes(routes!(read, update, delete))
        .routes(routes!(assign_permissions, remove_permissions))
}

pub(super) fn bulk() -> Routes {
    Routes::default().routes(routes!(replace_many))
}

/// `RoleRead`, `ResourceRoleRead`.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RoleRead {
    name: String,
    description: Option<String>,
    permissions: Vec<String>,
    attributes: Option<Value>,
    #[schema(value_type = Vec<KeyShape>)]
    extends: Vec<Key>,
    granted_to: Option<DerivationBlockRead>,
    #[schema(value_type = KeyShape)]
    key: Key,
    #[schema(value_type = IdShape)]
    id: RoleId,
    #[serde(flatten)]
    home: Home,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = IdShape, required = false)]
    resource_id: Option<ResourceId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = KeyShape, required = false)]
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
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = RoleUpdate)]
pub(crate) struct RoleBody {
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    description: Patch<String>,
    #[serde(default)]
    #[schema(value_type = Option<Vec<String>>)]
    permissions: Patch<Vec<String>>,
    #[serde(default)]
    #[schema(value_type = Option<Vec<Text>>)]
    extends: Patch<Vec<Text>>,
    #[serde(default)]
    #[schema(value_type = Option<DerivationBlockBody>)]
    granted_to: Patch<DerivationBlockBody>,
    #[serde(default)]
    #[schema(value_type = Option<Value>)]
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
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = RoleCreate)]
pub(crate) struct CreateBody {
    #[schema(value_type = KeyShape)]
    key: Key,
    name: String,
    #[serde(flatten)]
    rest: RoleBody,
}

#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = RoleCreateBulk)]
pub(crate) struct BulkBody {
    #[schema(value_type = KeyShape)]
    key: Key,
    name: String,
    /// None for a tenant role.
    #[serde(default)]
    resource: Option<Text>,
    #[serde(flatten)]
    rest: RoleBody,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RoleCreateBulkOperationResult)]
pub(crate) struct BulkRead {
    created: Vec<String>,
    updated: Vec<String>,
}

/// `AddRolePermissions`, `RemoveRolePermissions`.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = AddRolePermissions)]
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

/// List roles
#[utoipa::path(
    get, path = "/", params(PageQuery),
    responses((status = OK, description = "A page of roles.", body = Vec<RoleRead>))
)]
async fn list(
    InEnv(scope): InEnv,
    Path(place): Path<Place>,
    Params(q): Params<PageQuery>,
) -> Answer<Json<Vec<RoleRead>>> {
    let found = scope.list_roles(place.on().as_ref(), page(q.page, q.per_page)?)?;
    Ok(Json(found.items.iter().map(|view| RoleRead::new(&scope, view)).collect()))
}

/// Read a role
#[utoipa::path(get, path = "/{role}", responses((status = OK, description = "The role.", body = RoleRead)))]
async fn read(InEnv(scope): InEnv, Path(at): Path<At>) -> Answer<Json<RoleRead>> {
    let (on, role) = at.split();
    let view = scope.role(on.as_ref(), &role)?;
    Ok(Json(RoleRead::new(&scope, &view)))
}

/// Make a role
#[utoipa::path(
    post, path = "/", request_body = CreateBody,
    responses((status = OK, description = "The role.", body = RoleRead))
)]
async fn create(
    InEnv(scope): InEnv,
    Path(place): Path<Place>,
    Body(body): Body<CreateBody>,
) -> Answer<Json<RoleRead>> {
    let edit = RoleBody { name: Some(body.name), ..body.rest };
    let view = scope.create_role(place.on().as_ref(), body.key, edit.into()).await?;
    Ok(Json(RoleRead::new(&scope, &view)))
}

/// Change a role
///
/// What is not sent stays; `null` takes away.
#[utoipa::path(
    patch, path = "/{role}", request_body = RoleBody,
    responses((status = OK, description = "The role as it is now.", body = RoleRead))
)]
async fn update(
    InEnv(scope): InEnv,
    Path(at): Path<At>,
    Body(body): Body<RoleBody>,
) -> Answer<Json<RoleRead>> {
    let (on, role) = at.split();
    let view = scope.update_role(on.as_ref(), &role, body.into()).await?;
    Ok(Json(RoleRead::new(&scope, &view)))
}

/// Delete a role
///
/// With its assignments. Nothing extends it, is derived from it or has a level by it any more.
#[utoipa::path(delete, path = "/{role}", responses((status = NO_CONTENT, description = "It is gone.")))]
async fn delete(InEnv(scope): InEnv, Path(at): Path<At>) -> Answer<StatusCode> {
    let (on, role) = at.split();
    scope.delete_role(on.as_ref(), &role).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Give permissions to a role
#[utoipa::path(
    post, path = "/{role}/permissions", request_body = PermissionsBody,
    responses((status = OK, description = "The role as it is now.", body = RoleRead))
)]
async fn assign_permissions(
    InEnv(scope): InEnv,
    Path(at): Path<At>,
    Body(body): Body<PermissionsBody>,
) -> Answer<Json<RoleRead>> {
    let (on, role) = at.split();
    let view = scope.assign_permissions(on.as_ref(), &role, &body.permissions).await?;
    Ok(Json(RoleRead::new(&scope, &view)))
}

/// Take permissions from a role
#[utoipa::path(
    delete, path = "/{role}/permissions", request_body = PermissionsBody,
    responses((status = OK, description = "The role as it is now.", body = RoleRead))
)]
async fn remove_permissions(
    InEnv(scope): InEnv,
    Path(at): Path<At>,
    Body(body): Body<PermissionsBody>,
) -> Answer<Json<RoleRead>> {
    let (on, role) = at.split();
    let view = scope.remove_permissions(on.as_ref(), &role, &body.permissions).await?;
    Ok(Json(RoleRead::new(&scope, &view)))
}

/// Make roles, and make those over that are there
///
/// All of them or none.
#[utoipa::path(
    put, path = "/bulk/roles", request_body = Operations<BulkBody>,
    responses((
        status = OK, description = "The keys of what was made and of what was changed.",
        body = BulkRead
    ))
)]
async fn replace_many(InEnv(scope): InEnv, Body(body): Body<Operations<BulkBody>>) -> Answer<Json<BulkRead>> {
    let roles = body.operations.into_iter().map(|body| BulkRole {
        key: body.key,
        on: body.resource.as_ref().map(Text::ident),
        edit: RoleBody { name: Some(body.name), ..body.rest }.into(),
    });
    let written = scope.replace_roles(&roles.collect::<Vec<_>>()).await?;
    Ok(Json(BulkRead { created: written.created, updated: written.updated }))
}
