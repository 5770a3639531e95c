//! `tenants`.

use crate::{
    auth::InEnv,
    body::Body,
    error::Answer,
    openapi::{IdShape, KeyShape, NewKeyShape, Routes},
    permit::wire::{Done, Home, Idents, Moment, Operations, Params, Text, page},
};
use askfirst_domain::{
    Key,
    facts::{Attributes, Tenant},
    id::TenantId,
};
use askfirst_engine::{
    EnvScope, Patch,
    facts::{NewTenant, TenantEdit},
};
use axum::{Json, extract::Path, http::StatusCode};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::routes;

pub(super) fn router() -> Routes {
    Routes::default()
        .routes(routes!(list, create))
        .routes(routes!(read, update, delete))
        .routes(routes!(delete_user))
        .routes(routes!(create_many, delete_many))
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TenantRead {
    #[schema(value_type = KeyShape)]
    key: Key,
    #[schema(value_type = IdShape)]
    id: TenantId,
    #[serde(flatten)]
    home: Home,
    created_at: Moment,
    updated_at: Moment,
    last_action_at: Moment,
    name: String,
    description: Option<String>,
    #[schema(value_type = Map<String, Value>)]
    attributes: Attributes,
}

impl TenantRead {
    fn new(scope: &EnvScope, tenant: Tenant) -> Self {
        Self {
            key: tenant.key,
            id: tenant.id,
            home: scope.into(),
            created_at: Moment(tenant.created_at),
            updated_at: Moment(tenant.updated_at),
            last_action_at: Moment(tenant.last_action_at),
            name: tenant.name,
            description: tenant.description,
            attributes: tenant.attributes,
        }
    }
}

#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = TenantCreate)]
pub(crate) struct CreateBody {
    #[schema(value_type = NewKeyShape)]
    key: Text,
    name: String,
    #[serde(default)]
    description: Option<String>,
    #[serde(default)]
    #[schema(value_type = Option<Map<String, Value>>)]
    attributes: Option<Attributes>,
}

impl CreateBody {
    fn new_tenant(self) -> Answer<NewTenant> {
        Ok(NewTenant {
            key: self.key.key()?,
            name: self.name,
            description: self.description,
            attributes: self.attributes.unwrap_or_default(),
        })
    }
}

#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = TenantUpdate)]
pub(crate) struct UpdateBody {
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    description: Patch<String>,
    #[serde(default)]
    #[schema(value_type = Option<Map<String, Value>>)]
    attributes: Patch<Attributes>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct ListQuery {
    page: Option<u32>,
    per_page: Option<u32>,
    /// Part of a key or name.
    search: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct At {
    tenant: Text,
}

#[derive(Debug, Deserialize)]
pub(super) struct UserAt {
    tenant: Text,
    user: Text,
}

/// List tenants
#[utoipa::path(
    get, path = "/tenants", params(ListQuery),
    responses((status = OK, description = "A page of tenants.", body = Vec<TenantRead>))
)]
async fn list(InEnv(scope): InEnv, Params(q): Params<ListQuery>) -> Answer<Json<Vec<TenantRead>>> {
    let found = scope.list_tenants(q.search, page(q.page, q.per_page)?).await?;
    Ok(Json(found.items.into_iter().map(|tenant| TenantRead::new(&scope, tenant)).collect()))
}

/// Read a tenant
#[utoipa::path(
    get, path = "/tenants/{tenant}",
    responses((status = OK, description = "The tenant.", body = TenantRead))
)]
async fn read(InEnv(scope): InEnv, Path(at): Path<At>) -> Answer<Json<TenantRead>> {
    let tenant = scope.tenant(&at.tenant.ident()).await?;
    Ok(Json(TenantRead::new(&scope, tenant)))
}

/// Make a tenant
#[utoipa::path(
    post, path = "/tenants", request_body = CreateBody,
    responses((status = OK, description = "The tenant.", body = TenantRead))
)]
async fn create(InEnv(scope): InEnv, Body(body): Body<CreateBody>) -> Answer<Json<TenantRead>> {
    let tenant = scope.create_tenant(&body.new_tenant()?).await?;
    Ok(Json(TenantRead::new(&scope, tenant)))
}

/// Change a tenant
///
/// What is not sent stays; `null` takes away.
#[utoipa::path(
    patch, path = "/tenants/{tenant}", request_body = UpdateBody,
    responses((status = OK, description = "The tenant as it is now.", body = TenantRead))
)]
async fn update(
    InEnv(scope): InEnv,
    Path(at): Path<At>,
    Body(body): Body<UpdateBody>,
) -> Answer<Json<TenantRead>> {
    let edit = TenantEdit { name: body.name, description: body.description, attributes: body.attributes };
    let tenant = scope.update_tenant(&at.tenant.ident(), &edit).await?;
    Ok(Json(TenantRead::new(&scope, tenant)))
}

/// Delete a tenant
///
/// With its instances, and all that is assigned in it.
#[utoipa::path(
    delete, path = "/tenants/{tenant}",
    responses((status = NO_CONTENT, description = "It is gone."))
)]
async fn delete(InEnv(scope): InEnv, Path(at): Path<At>) -> Answer<StatusCode> {
    scope.delete_tenant(&at.tenant.ident()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Take a user out of a tenant
///
/// All roles of the user in the tenant and on its instances are taken away.
#[utoipa::path(
    delete, path = "/tenants/{tenant}/users/{user}",
    responses((status = NO_CONTENT, description = "The user holds nothing in it any more."))
)]
async fn delete_user(InEnv(scope): InEnv, Path(at): Path<UserAt>) -> Answer<StatusCode> {
    scope.remove_tenant_user(&at.tenant.ident(), &at.user.ident()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Make tenants
///
/// When one is there already, none is made.
#[utoipa::path(
    post, path = "/bulk/tenants", request_body = Operations<CreateBody>,
    responses((status = OK, description = "They are made.", body = Done))
)]
async fn create_many(InEnv(scope): InEnv, Body(body): Body<Operations<CreateBody>>) -> Answer<Json<Done>> {
    let new: Answer<Vec<_>> = body.operations.into_iter().map(CreateBody::new_tenant).collect();
    scope.create_tenants(&new?).await?;
    Ok(Json(Done {}))
}

/// Delete tenants
///
/// Those that are not there are passed over.
#[utoipa::path(
    delete, path = "/bulk/tenants", request_body = Idents<Text>,
    responses((status = OK, description = "They are gone.", body = Done))
)]
async fn delete_many(InEnv(scope): InEnv, Body(body): Body<Idents<Text>>) -> Answer<Json<Done>> {
    let idents: Vec<_> = body.idents.iter().map(Text::ident).collect();
    scope.delete_tenants(&idents).await?;
    Ok(Json(Done {}))
}
