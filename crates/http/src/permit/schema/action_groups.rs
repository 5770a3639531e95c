//! `resources/{resource}/action_groups`. A group is a name for some actions; permissions name actions.

use super::OnResource;
use crate::{
    auth::InEnv,
    body::Body,
    error::Answer,
    listing::PageQuery,
    openapi::{IdShape, KeyShape, Routes},
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
use utoipa::ToSchema;
use utoipa_axum::routes;

pub(super) fn router() -> Routes {
    Routes::default().routes(routes!(list, create)).routes(routes!(read, update, delete))
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ResourceActionGroupRead)]
pub(super) struct GroupRead {
    name: String,
    description: Option<String>,
    attributes: Option<Value>,
    #[schema(value_type = Vec<KeyShape>)]
    actions: Vec<Key>,
    #[schema(value_type = KeyShape)]
    key: Key,
    #[schema(value_type = IdShape)]
    id: ActionGroupId,
    #[serde(flatten)]
    home: Home,
    #[schema(value_type = IdShape)]
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

#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = ResourceActionGroupCreate)]
pub(super) struct CreateBody {
    #[schema(value_type = KeyShape)]
    key: Key,
    name: String,
    #[serde(flatten)]
    rest: GroupBody,
}

#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = ResourceActionGroupUpdate)]
pub(super) struct GroupBody {
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    description: Patch<String>,
    #[serde(default)]
    #[schema(value_type = Option<Value>)]
    attributes: Patch<Value>,
    #[serde(default)]
    #[schema(value_type = Option<Vec<Text>>)]
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

/// List the action groups of a resource
#[utoipa::path(
    get, path = "/resources/{resource}/action_groups", params(PageQuery),
    responses((status = OK, description = "A page of groups.", body = Vec<GroupRead>))
)]
async fn list(
    InEnv(scope): InEnv,
    Path(at): Path<OnResource>,
    Params(q): Params<PageQuery>,
) -> Answer<Json<Vec<GroupRead>>> {
    let (resource, found) = scope.list_action_groups(&at.resource.ident(), page(q.page, q.per_page)?)?;
    Ok(Json(found.items.into_iter().map(|group| GroupRead::new(&scope, &resource, group)).collect()))
}

/// Read an action group
#[utoipa::path(
    get, path = "/resources/{resource}/action_groups/{group}",
    responses((status = OK, description = "The group.", body = GroupRead))
)]
async fn read(InEnv(scope): InEnv, Path(at): Path<At>) -> Answer<Json<GroupRead>> {
    let (resource, group) = scope.action_group(&at.resource.ident(), &at.group.ident())?;
    Ok(Json(GroupRead::new(&scope, &resource, group)))
}

/// Make an action group
#[utoipa::path(
    post, path = "/resources/{resource}/action_groups", request_body = CreateBody,
    responses((status = OK, description = "The group.", body = GroupRead))
)]
async fn create(
    InEnv(scope): InEnv,
    Path(at): Path<OnResource>,
    Body(body): Body<CreateBody>,
) -> Answer<Json<GroupRead>> {
    let edit = GroupBody { name: Some(body.name), ..body.rest };
    let (resource, group) = scope.create_action_group(&at.resource.ident(), body.key, edit.into()).await?;
    Ok(Json(GroupRead::new(&scope, &resource, group)))
}

/// Change an action group
///
/// What is not sent stays; `null` takes away.
#[utoipa::path(
    patch, path = "/resources/{resource}/action_groups/{group}", request_body = GroupBody,
    responses((status = OK, description = "The group as it is now.", body = GroupRead))
)]
async fn update(
    InEnv(scope): InEnv,
    Path(at): Path<At>,
    Body(body): Body<GroupBody>,
) -> Answer<Json<GroupRead>> {
    let (resource, group) =
        scope.update_action_group(&at.resource.ident(), &at.group.ident(), body.into()).await?;
    Ok(Json(GroupRead::new(&scope, &resource, group)))
}

/// Delete an action group
///
/// Its actions stay.
#[utoipa::path(
    delete, path = "/resources/{resource}/action_groups/{group}",
    responses((status = NO_CONTENT, description = "It is gone."))
)]
async fn delete(InEnv(scope): InEnv, Path(at): Path<At>) -> Answer<StatusCode> {
    scope.delete_action_group(&at.resource.ident(), &at.group.ident()).await?;
    Ok(StatusCode::NO_CONTENT)
}
