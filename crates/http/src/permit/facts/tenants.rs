//! `tenants`.

use crate::{
    auth::InEnv,
    body::Body,
    error::Answer,
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

#[derive(Debug, Serialize)]
pub(crate) struct TenantRead {
    key: Key,
    id: TenantId,
    #[serde(flatten)]
    home: Home,
    created_at: Moment,
    updated_at: Moment,
    last_action_at: Moment,
    name: String,
    description: Option<String>,
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

/// `TenantCreate`.
#[derive(Debug, Deserialize)]
pub(crate) struct CreateBody {
    key: Text,
    name: String,
    #[serde(default)]
    description: Option<String>,
    #[serde(default)]
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

/// `TenantUpdate`.
#[derive(Debug, Deserialize)]
pub(crate) struct UpdateBody {
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    description: Patch<String>,
    #[serde(default)]
    attributes: Patch<Attributes>,
}

#[derive(Debug, Deserialize)]
pub(super) struct ListQuery {
    page: Option<u32>,
    per_page: Option<u32>,
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

pub(super) async fn list(InEnv(scope): InEnv, Params(q): Params<ListQuery>) -> Answer<Json<Vec<TenantRead>>> {
    let found = scope.list_tenants(q.search, page(q.page, q.per_page)?).await?;
    Ok(Json(found.items.into_iter().map(|tenant| TenantRead::new(&scope, tenant)).collect()))
}

pub(super) async fn read(InEnv(scope): InEnv, Path(at): Path<At>) -> Answer<Json<TenantRead>> {
    let tenant = scope.tenant(&at.tenant.ident()).await?;
    Ok(Json(TenantRead::new(&scope, tenant)))
}

pub(super) async fn create(InEnv(scope): InEnv, Body(body): Body<CreateBody>) -> Answer<Json<TenantRead>> {
    let tenant = scope.create_tenant(&body.new_tenant()?).await?;
    Ok(Json(TenantRead::new(&scope, tenant)))
}

pub(super) async fn update(
    InEnv(scope): InEnv,
    Path(at): Path<At>,
    Body(body): Body<UpdateBody>,
) -> Answer<Json<TenantRead>> {
    let edit = TenantEdit { name: body.name, description: body.description, attributes: body.attributes };
    let tenant = scope.update_tenant(&at.tenant.ident(), &edit).await?;
    Ok(Json(TenantRead::new(&scope, tenant)))
}

pub(super) async fn delete(InEnv(scope): InEnv, Path(at): Path<At>) -> Answer<StatusCode> {
    scope.delete_tenant(&at.tenant.ident()).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn delete_user(InEnv(scope): InEnv, Path(at): Path<UserAt>) -> Answer<StatusCode> {
    scope.remove_tenant_user(&at.tenant.ident(), &at.user.ident()).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn create_many(
    InEnv(scope): InEnv,
    Body(body): Body<Operations<CreateBody>>,
) -> Answer<Json<Done>> {
    let new: Answer<Vec<_>> = body.operations.into_iter().map(CreateBody::new_tenant).collect();
    scope.create_tenants(&new?).await?;
    Ok(Json(Done {}))
}

pub(super) async fn delete_many(InEnv(scope): InEnv, Body(body): Body<Idents<Text>>) -> Answer<Json<Done>> {
    let idents: Vec<_> = body.idents.iter().map(Text::ident).collect();
    scope.delete_tenants(&idents).await?;
    Ok(Json(Done {}))
}
