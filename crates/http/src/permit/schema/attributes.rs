//! `resources/{resource}/attributes`.

use super::OnResource;
use crate::{
    auth::InEnv,
    body::Body,
    error::Answer,
    listing::PageQuery,
    openapi::{AttributeTypeWord, IdShape, KeyShape, Routes},
    permit::wire::{Home, Moment, Params, Text, page},
};
use askfirst_domain::{
    Key,
    id::{AttributeId, ResourceId},
    schema::{Attribute, AttributeType, Resource, USER_RESOURCE},
};
use askfirst_engine::{
    EnvScope, Patch,
    schema::{AttributeBlock, AttributeEdit},
};
use axum::{Json, extract::Path, http::StatusCode};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::routes;

pub(super) fn router() -> Routes {
    Routes::default()
        .routes(routes!(list, create))
        .routes(routes!(read, update, delete))
        .routes(routes!(list_of_users, create_of_users))
        .routes(routes!(read_of_users, update_of_users, delete_of_users))
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ResourceAttributeRead)]
pub(crate) struct AttributeRead {
    #[serde(rename = "type")]
    #[schema(value_type = AttributeTypeWord)]
    kind: AttributeType,
    description: Option<String>,
    #[schema(value_type = KeyShape)]
    key: Key,
    #[schema(value_type = IdShape)]
    id: AttributeId,
    #[schema(value_type = IdShape)]
    resource_id: ResourceId,
    #[schema(value_type = KeyShape)]
    resource_key: Key,
    #[serde(flatten)]
    home: Home,
    created_at: Moment,
    updated_at: Moment,
    built_in: bool,
}

impl AttributeRead {
    fn new(scope: &EnvScope, resource: &Resource, attribute: &Attribute) -> Self {
        Self {
            kind: attribute.kind,
            description: attribute.description.clone(),
            key: attribute.key.clone(),
            id: attribute.id,
            resource_id: resource.id,
            resource_key: resource.key.clone(),
            home: scope.into(),
            created_at: Moment(attribute.created_at),
            updated_at: Moment(attribute.updated_at),
            built_in: false,
        }
    }
}

/// An attribute inside its resource.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AttributeBlockRead {
    #[serde(rename = "type")]
    #[schema(value_type = AttributeTypeWord)]
    kind: AttributeType,
    description: Option<String>,
    #[schema(value_type = IdShape)]
    id: AttributeId,
    #[schema(value_type = KeyShape)]
    key: Key,
}

impl From<&Attribute> for AttributeBlockRead {
    fn from(attribute: &Attribute) -> Self {
        Self {
            kind: attribute.kind,
            description: attribute.description.clone(),
            id: attribute.id,
            key: attribute.key.clone(),
        }
    }
}

#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = AttributeBlockEditable)]
pub(crate) struct AttributeBlockBody {
    #[serde(rename = "type")]
    #[schema(value_type = AttributeTypeWord)]
    kind: AttributeType,
    #[serde(default)]
    description: Option<String>,
}

impl From<AttributeBlockBody> for AttributeBlock {
    fn from(body: AttributeBlockBody) -> Self {
        Self { kind: body.kind, description: body.description }
    }
}

#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = ResourceAttributeCreate)]
pub(crate) struct CreateBody {
    #[schema(value_type = KeyShape)]
    key: Key,
    #[serde(flatten)]
    block: AttributeBlockBody,
}

#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = ResourceAttributeUpdate)]
pub(crate) struct AttributeBody {
    #[serde(rename = "type", default)]
    #[schema(value_type = Option<AttributeTypeWord>)]
    kind: Option<AttributeType>,
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    description: Patch<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct At {
    resource: Text,
    attribute: Text,
}

/// List the attributes of a resource
#[utoipa::path(
    get, path = "/resources/{resource}/attributes", params(PageQuery),
    responses((status = OK, description = "A page of attributes.", body = Vec<AttributeRead>))
)]
async fn list(
    InEnv(scope): InEnv,
    Path(at): Path<OnResource>,
    Params(q): Params<PageQuery>,
) -> Answer<Json<Vec<AttributeRead>>> {
    let (resource, found) = scope.list_attributes(&at.resource.ident(), page(q.page, q.per_page)?)?;
    Ok(Json(found.items.iter().map(|a| AttributeRead::new(&scope, &resource, a)).collect()))
}

/// Read an attribute
#[utoipa::path(
    get, path = "/resources/{resource}/attributes/{attribute}",
    responses((status = OK, description = "The attribute.", body = AttributeRead))
)]
async fn read(InEnv(scope): InEnv, Path(at): Path<At>) -> Answer<Json<AttributeRead>> {
    let (resource, attribute) = scope.attribute(&at.resource.ident(), &at.attribute.ident())?;
    Ok(Json(AttributeRead::new(&scope, &resource, &attribute)))
}

/// Declare an attribute
#[utoipa::path(
    post, path = "/resources/{resource}/attributes", request_body = CreateBody,
    responses((status = OK, description = "The attribute.", body = AttributeRead))
)]
async fn create(
    InEnv(scope): InEnv,
    Path(at): Path<OnResource>,
    Body(body): Body<CreateBody>,
) -> Answer<Json<AttributeRead>> {
    let (resource, attribute) =
        scope.create_attribute(&at.resource.ident(), body.key, body.block.into()).await?;
    Ok(Json(AttributeRead::new(&scope, &resource, &attribute)))
}

/// Change an attribute
///
/// What is not sent stays; `null` takes away.
#[utoipa::path(
    patch, path = "/resources/{resource}/attributes/{attribute}", request_body = AttributeBody,
    responses((status = OK, description = "The attribute as it is now.", body = AttributeRead))
)]
async fn update(
    InEnv(scope): InEnv,
    Path(at): Path<At>,
    Body(body): Body<AttributeBody>,
) -> Answer<Json<AttributeRead>> {
    let edit = AttributeEdit { kind: body.kind, description: body.description };
    let (resource, attribute) =
        scope.update_attribute(&at.resource.ident(), &at.attribute.ident(), edit).await?;
    Ok(Json(AttributeRead::new(&scope, &resource, &attribute)))
}

/// Delete an attribute
#[utoipa::path(
    delete, path = "/resources/{resource}/attributes/{attribute}",
    responses((status = NO_CONTENT, description = "It is gone."))
)]
async fn delete(InEnv(scope): InEnv, Path(at): Path<At>) -> Answer<StatusCode> {
    scope.delete_attribute(&at.resource.ident(), &at.attribute.ident()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// An attribute under `users/attributes`: those of users stand on a resource of their own.
#[derive(Debug, Deserialize)]
pub(super) struct OfUsers {
    attribute: Text,
}

impl OfUsers {
    fn at(self) -> Path<At> {
        Path(At { resource: Text(USER_RESOURCE.to_owned()), attribute: self.attribute })
    }
}

fn users() -> Path<OnResource> {
    Path(OnResource { resource: Text(USER_RESOURCE.to_owned()) })
}

/// List the attributes of users
#[utoipa::path(
    get, path = "/users/attributes", params(PageQuery),
    responses((status = OK, description = "A page of attributes.", body = Vec<AttributeRead>))
)]
async fn list_of_users(scope: InEnv, query: Params<PageQuery>) -> Answer<Json<Vec<AttributeRead>>> {
    list(scope, users(), query).await
}

/// Read an attribute of users
#[utoipa::path(
    get, path = "/users/attributes/{attribute}",
    responses((status = OK, description = "The attribute.", body = AttributeRead))
)]
async fn read_of_users(scope: InEnv, Path(at): Path<OfUsers>) -> Answer<Json<AttributeRead>> {
    read(scope, at.at()).await
}

/// Declare an attribute of users
#[utoipa::path(
    post, path = "/users/attributes", request_body = CreateBody,
    responses((status = OK, description = "The attribute.", body = AttributeRead))
)]
async fn create_of_users(scope: InEnv, body: Body<CreateBody>) -> Answer<Json<AttributeRead>> {
    create(scope, users(), body).await
}

/// Change an attribute of users
///
/// What is not sent stays; `null` takes away.
#[utoipa::path(
    patch, path = "/users/attributes/{attribute}", request_body = AttributeBody,
    responses((status = OK, description = "The attribute as it is now.", body = AttributeRead))
)]
async fn update_of_users(
    scope: InEnv,
    Path(at): Path<OfUsers>,
    body: Body<AttributeBody>,
) -> Answer<Json<AttributeRead>> {
    update(scope, at.at(), body).await
}

/// Delete an attribute of users
#[utoipa::path(
    delete, path = "/users/attributes/{attribute}",
    responses((status = NO_CONTENT, description = "It is gone."))
)]
async fn delete_of_users(scope: InEnv, Path(at): Path<OfUsers>) -> Answer<StatusCode> {
    delete(scope, at.at()).await
}
