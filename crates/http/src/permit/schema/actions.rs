//! `resources/{resource}/actions`.

use super::OnResource;
use crate::{
    auth::InEnv,
    body::Body,
    error::Answer,
    listing::PageQuery,
    openapi::{IdShape, KeyShape, Routes},
    permit::wire::{Home, Moment, Params, Text, compat, page},
};
use askfirst_domain::{
    Key,
    id::{ActionId, ResourceId},
    schema::{Action, Resource},
};
use askfirst_engine::{
    EnvScope, Patch,
    schema::{ActionBlock, ActionEdit},
};
use axum::{Json, extract::Path, http::StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;
use utoipa_axum::routes;

pub(super) fn router() -> Routes {
    Routes::default().routes(routes!(list, create)).routes(routes!(read, update, delete))
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ResourceActionRead)]
pub(crate) struct ActionRead {
    name: String,
    description: Option<String>,
    attributes: Option<Value>,
    #[schema(value_type = KeyShape)]
    key: Key,
    #[schema(value_type = IdShape)]
    id: ActionId,
    permission_name: String,
    #[serde(flatten)]
    home: Home,
    #[schema(value_type = IdShape)]
    resource_id: ResourceId,
    created_at: Moment,
    updated_at: Moment,
    #[serde(flatten)]
    compat: Map<String, Value>,
}

impl ActionRead {
    fn new(scope: &EnvScope, resource: &Resource, action: &Action) -> Self {
        Self {
            name: action.name.clone(),
            description: action.description.clone(),
            attributes: action.attributes.clone(),
            key: action.key.clone(),
            id: action.id,
            permission_name: format!("{}:{}", resource.key, action.key),
            home: scope.into(),
            resource_id: resource.id,
            created_at: Moment(action.created_at),
            updated_at: Moment(action.updated_at),
            compat: action.compat.clone(),
        }
    }
}

/// An action inside its resource.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ActionBlockRead {
    #[schema(value_type = IdShape)]
    id: ActionId,
    #[schema(value_type = KeyShape)]
    key: Key,
    name: String,
    description: Option<String>,
    attributes: Option<Value>,
    #[serde(flatten)]
    compat: Map<String, Value>,
}

impl From<&Action> for ActionBlockRead {
    fn from(action: &Action) -> Self {
        Self {
            id: action.id,
            key: action.key.clone(),
            name: action.name.clone(),
            description: action.description.clone(),
            attributes: action.attributes.clone(),
            compat: action.compat.clone(),
        }
    }
}

#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = ActionBlockEditable)]
pub(crate) struct ActionBlockBody {
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    description: Option<String>,
    #[serde(default)]
    attributes: Option<Value>,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

impl From<ActionBlockBody> for ActionBlock {
    fn from(body: ActionBlockBody) -> Self {
        Self {
            name: body.name,
            description: body.description,
            attributes: body.attributes,
            compat: compat(body.rest).into_iter().filter(|(_, value)| !value.is_null()).collect(),
        }
    }
}

#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = ResourceActionCreate)]
pub(crate) struct CreateBody {
    #[schema(value_type = KeyShape)]
    key: Key,
    name: String,
    #[serde(flatten)]
    rest: ActionBody,
}

#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = ResourceActionUpdate)]
pub(crate) struct ActionBody {
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    description: Patch<String>,
    #[serde(default)]
    #[schema(value_type = Option<Value>)]
    attributes: Patch<Value>,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

impl From<ActionBody> for ActionEdit {
    fn from(body: ActionBody) -> Self {
        Self {
            name: body.name,
            description: body.description,
            attributes: body.attributes,
            compat: compat(body.rest),
        }
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct At {
    resource: Text,
    action: Text,
}

/// List the actions of a resource
#[utoipa::path(
    get, path = "/resources/{resource}/actions", params(PageQuery),
    responses((status = OK, description = "A page of actions.", body = Vec<ActionRead>))
)]
async fn list(
    InEnv(scope): InEnv,
    Path(at): Path<OnResource>,
    Params(q): Params<PageQuery>,
) -> Answer<Json<Vec<ActionRead>>> {
    let (resource, found) = scope.list_actions(&at.resource.ident(), page(q.page, q.per_page)?)?;
    Ok(Json(found.items.iter().map(|action| ActionRead::new(&scope, &resource, action)).collect()))
}

/// Read an action
#[utoipa::path(
    get, path = "/resources/{resource}/actions/{action}",
    responses((status = OK, description = "The action.", body = ActionRead))
)]
async fn read(InEnv(scope): InEnv, Path(at): Path<At>) -> Answer<Json<ActionRead>> {
    let (resource, action) = scope.action(&at.resource.ident(), &at.action.ident())?;
    Ok(Json(ActionRead::new(&scope, &resource, &action)))
}

/// Make an action
#[utoipa::path(
    post, path = "/resources/{resource}/actions", request_body = CreateBody,
    responses((status = OK, description = "The action.", body = ActionRead))
)]
async fn create(
    InEnv(scope): InEnv,
    Path(at): Path<OnResource>,
    Body(body): Body<CreateBody>,
) -> Answer<Json<ActionRead>> {
    let edit = ActionBody { name: Some(body.name), ..body.rest };
    let (resource, action) = scope.create_action(&at.resource.ident(), body.key, edit.into()).await?;
    Ok(Json(ActionRead::new(&scope, &resource, &action)))
}

/// Change an action
///
/// What is not sent stays; `null` takes away.
#[utoipa::path(
    patch, path = "/resources/{resource}/actions/{action}", request_body = ActionBody,
    responses((status = OK, description = "The action as it is now.", body = ActionRead))
)]
async fn update(
    InEnv(scope): InEnv,
    Path(at): Path<At>,
    Body(body): Body<ActionBody>,
) -> Answer<Json<ActionRead>> {
    let (resource, action) =
        scope.update_action(&at.resource.ident(), &at.action.ident(), body.into()).await?;
    Ok(Json(ActionRead::new(&scope, &resource, &action)))
}

/// Delete an action
///
/// No role permits it any more.
#[utoipa::path(
    delete, path = "/resources/{resource}/actions/{action}",
    responses((status = NO_CONTENT, description = "It is gone."))
)]
async fn delete(InEnv(scope): InEnv, Path(at): Path<At>) -> Answer<StatusCode> {
    scope.delete_action(&at.resource.ident(), &at.action.ident()).await?;
    Ok(StatusCode::NO_CONTENT)
}
