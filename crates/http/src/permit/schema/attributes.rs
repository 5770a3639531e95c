//! `resources/{resource}/attributes`.

use super::OnResource;
use crate::{
    auth::InEnv,
    body::Body,
    error::Answer,
    listing::PageQuery,
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

/// `ResourceAttributeRead`.
#[derive(Debug, Serialize)]
pub(crate) struct AttributeRead {
    #[serde(rename = "type")]
    kind: AttributeType,
    description: Option<String>,
    key: Key,
    id: AttributeId,
    resource_id: ResourceId,
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

/// `AttributeBlockRead`: an attribute inside its resource.
#[derive(Debug, Serialize)]
pub(crate) struct AttributeBlockRead {
    #[serde(rename = "type")]
    kind: AttributeType,
    description: Option<String>,
    id: AttributeId,
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

/// `AttributeBlockEditable`.
#[derive(Debug, Deserialize)]
pub(crate) struct AttributeBlockBody {
    #[serde(rename = "type")]
    kind: AttributeType,
    #[serde(default)]
    description: Option<String>,
}

impl From<AttributeBlockBody> for AttributeBlock {
    fn from(body: AttributeBlockBody) -> Self {
        Self { kind: body.kind, description: body.description }
    }
}

/// `ResourceAttributeCreate`.
#[derive(Debug, Deserialize)]
pub(crate) struct CreateBody {
    key: Key,
    #[serde(flatten)]
    block: AttributeBlockBody,
}

/// `ResourceAttributeUpdate`.
#[derive(Debug, Deserialize)]
pub(crate) struct AttributeBody {
    #[serde(rename = "type", default)]
    kind: Option<AttributeType>,
    #[serde(default)]
    description: Patch<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct At {
    resource: Text,
    attribute: Text,
}

pub(super) async fn list(
    InEnv(scope): InEnv,
    Path(at): Path<OnResource>,
    Params(q): Params<PageQuery>,
) -> Answer<Json<Vec<AttributeRead>>> {
    let (resource, found) = scope.list_attributes(&at.resource.ident(), page(q.page, q.per_page)?)?;
    Ok(Json(found.items.iter().map(|a| AttributeRead::new(&scope, &resource, a)).collect()))
}

pub(super) async fn read(InEnv(scope): InEnv, Path(at): Path<At>) -> Answer<Json<AttributeRead>> {
    let (resource, attribute) = scope.attribute(&at.resource.ident(), &at.attribute.ident())?;
    Ok(Json(AttributeRead::new(&scope, &resource, &attribute)))
}

pub(super) async fn create(
    InEnv(scope): InEnv,
    Path(at): Path<OnResource>,
    Body(body): Body<CreateBody>,
) -> Answer<Json<AttributeRead>> {
    let (resource, attribute) =
        scope.create_attribute(&at.resource.ident(), body.key, body.block.into()).await?;
    Ok(Json(AttributeRead::new(&scope, &resource, &attribute)))
}

pub(super) async fn update(
    InEnv(scope): InEnv,
    Path(at): Path<At>,
    Body(body): Body<AttributeBody>,
) -> Answer<Json<AttributeRead>> {
    let edit = AttributeEdit { kind: body.kind, description: body.description };
    let (resource, attribute) =
        scope.update_attribute(&at.resource.ident(), &at.attribute.ident(), edit).await?;
    Ok(Json(AttributeRead::new(&scope, &resource, &attribute)))
}

pub(super) async fn delete(InEnv(scope): InEnv, Path(at): Path<At>) -> Answer<StatusCode> {
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

pub(super) async fn list_of_users(
    scope: InEnv,
    query: Params<PageQuery>,
) -> Answer<Json<Vec<AttributeRead>>> {
    list(scope, users(), query).await
}

pub(super) async fn read_of_users(scope: InEnv, Path(at): Path<OfUsers>) -> Answer<Json<AttributeRead>> {
    read(scope, at.at()).await
}

pub(super) async fn create_of_users(scope: InEnv, body: Body<CreateBody>) -> Answer<Json<AttributeRead>> {
    create(scope, users(), body).await
}

pub(super) async fn update_of_users(
    scope: InEnv,
    Path(at): Path<OfUsers>,
    body: Body<AttributeBody>,
) -> Answer<Json<AttributeRead>> {
    update(scope, at.at(), body).await
}

pub(super) async fn delete_of_users(scope: InEnv, Path(at): Path<OfUsers>) -> Answer<StatusCode> {
    delete(scope, at.at()).await
}
