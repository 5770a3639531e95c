//! `resources/{resource}/actions`.

use super::OnResource;
use crate::{
    auth::InEnv,
    body::Body,
    error::Answer,
    listing::PageQuery,
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

/// `ResourceActionRead`.
#[derive(Debug, Serialize)]
pub(crate) struct ActionRead {
    name: String,
    description: Option<String>,
    attributes: Option<Value>,
    key: Key,
    id: ActionId,
    permission_name: String,
    #[serde(flatten)]
    home: Home,
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

/// `ActionBlockRead`: an action inside its resource.
#[derive(Debug, Serialize)]
pub(crate) struct ActionBlockRead {
    id: ActionId,
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

/// `ActionBlockEditable`.
#[derive(Debug, Deserialize)]
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

/// `ResourceActionCreate`.
#[derive(Debug, Deserialize)]
pub(crate) struct CreateBody {
    key: Key,
    name: String,
    #[serde(flatten)]
    rest: ActionBody,
}

/// `ResourceActionUpdate`.
#[derive(Debug, Deserialize)]
pub(crate) struct ActionBody {
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    description: Patch<String>,
    #[serde(default)]
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

pub(super) async fn list(
    InEnv(scope): InEnv,
    Path(at): Path<OnResource>,
    Params(q): Params<PageQuery>,
) -> Answer<Json<Vec<ActionRead>>> {
    let (resource, found) = scope.list_actions(&at.resource.ident(), page(q.page, q.per_page)?)?;
    Ok(Json(found.items.iter().map(|action| ActionRead::new(&scope, &resource, action)).collect()))
}

pub(super) async fn read(InEnv(scope): InEnv, Path(at): Path<At>) -> Answer<Json<ActionRead>> {
    let (resource, action) = scope.action(&at.resource.ident(), &at.action.ident())?;
    Ok(Json(ActionRead::new(&scope, &resource, &action)))
}

pub(super) async fn create(
    InEnv(scope): InEnv,
    Path(at): Path<OnResource>,
    Body(body): Body<CreateBody>,
) -> Answer<Json<ActionRead>> {
    let edit = ActionBody { name: Some(body.name), ..body.rest };
    let (resource, action) = scope.create_action(&at.resource.ident(), body.key, edit.into()).await?;
    Ok(Json(ActionRead::new(&scope, &resource, &action)))
}

pub(super) async fn update(
    InEnv(scope): InEnv,
    Path(at): Path<At>,
    Body(body): Body<ActionBody>,
) -> Answer<Json<ActionRead>> {
    let (resource, action) =
        scope.update_action(&at.resource.ident(), &at.action.ident(), body.into()).await?;
    Ok(Json(ActionRead::new(&scope, &resource, &action)))
}

pub(super) async fn delete(InEnv(scope): InEnv, Path(at): Path<At>) -> Answer<StatusCode> {
    scope.delete_action(&at.resource.ident(), &at.action.ident()).await?;
    Ok(StatusCode::NO_CONTENT)
}
