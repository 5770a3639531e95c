//! `resources/{resource}/action_groups`. A group is a name for some actions; permissions name actions.

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
    id::{ActionGroupId, ResourceId},
    schema::{ActionGroup, Resource},
};
use askfirst_engine::{EnvScope, Patch, schema::ActionGroupEdit};
use axum::{Json, extract::Path, http::StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// `ResourceActionGroupRead`.
#[derive(Debug, Serialize)]
pub(super) struct GroupRead {
    name: String,
    description: Option<String>,
    attributes: Option<Value>,
    actions: Vec<Key>,
    key: Key,
    id: ActionGroupId,
    #[serde(flatten)]
    home: Home,
    resource_id: ResourceId,
    created_at: Moment,
    updated_at: Moment,
}

impl GroupRead {
    fn new(scope: &EnvScope, resource: &Resource, group: ActionGroup) -> Self {
        Self {
            name: group.name,
            description: group.description,
            attributes: group.attributes,
            actions: group.actions,
            key: group.key,
            id: group.id,
            home: scope.into(),
            resource_id: resource.id,
            created_at: Moment(group.created_at),
            updated_at: Moment(group.updated_at),
        }
    }
}

/// `ResourceActionGroupCreate`.
#[derive(Debug, Deserialize)]
pub(super) struct CreateBody {
    key: Key,
    name: String,
    #[serde(flatten)]
    rest: GroupBody,
}

/// `ResourceActionGroupUpdate`.
#[derive(Debug, Deserialize)]
pub(super) struct GroupBody {
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    description: Patch<String>,
    #[serde(default)]
    attributes: Patch<Value>,
    #[serde(default)]
    actions: Patch<Vec<Text>>,
}

impl From<GroupBody> for ActionGroupEdit {
    fn from(body: GroupBody) -> Self {
        Self {
            name: body.name,
            description: body.description,
            attributes: body.attributes,
            actions: body.actions.map(|names| names.iter().map(Text::ident).collect()),
        }
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct At {
    resource: Text,
    group: Text,
}

pub(super) async fn list(
    InEnv(scope): InEnv,
    Path(at): Path<OnResource>,
    Params(q): Params<PageQuery>,
) -> Answer<Json<Vec<GroupRead>>> {
    let (resource, found) = scope.list_action_groups(&at.resource.ident(), page(q.page, q.per_page)?)?;
    Ok(Json(found.items.into_iter().map(|group| GroupRead::new(&scope, &resource, group)).collect()))
}

pub(super) async fn read(InEnv(scope): InEnv, Path(at): Path<At>) -> Answer<Json<GroupRead>> {
    let (resource, group) = scope.action_group(&at.resource.ident(), &at.group.ident())?;
    Ok(Json(GroupRead::new(&scope, &resource, group)))
}

pub(super) async fn create(
    InEnv(scope): InEnv,
    Path(at): Path<OnResource>,
    Body(body): Body<CreateBody>,
) -> Answer<Json<GroupRead>> {
    let edit = GroupBody { name: Some(body.name), ..body.rest };
    let (resource, group) = scope.create_action_group(&at.resource.ident(), body.key, edit.into()).await?;
    Ok(Json(GroupRead::new(&scope, &resource, group)))
}

pub(super) async fn update(
    InEnv(scope): InEnv,
    Path(at): Path<At>,
    Body(body): Body<GroupBody>,
) -> Answer<Json<GroupRead>> {
    let (resource, group) =
        scope.update_action_group(&at.resource.ident(), &at.group.ident(), body.into()).await?;
    Ok(Json(GroupRead::new(&scope, &resource, group)))
}

pub(super) async fn delete(InEnv(scope): InEnv, Path(at): Path<At>) -> Answer<StatusCode> {
    scope.delete_action_group(&at.resource.ident(), &at.group.ident()).await?;
    Ok(StatusCode::NO_CONTENT)
}
