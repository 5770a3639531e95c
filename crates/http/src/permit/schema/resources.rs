//! `resources`.

use super::{
    OnResource,
    actions::{ActionBlockBody, ActionBlockRead},
    attributes::{AttributeBlockBody, AttributeBlockRead},
    relations::RelationBlockRead,
    roles::{RoleBody, RoleRead},
};
use crate::{
    auth::InEnv,
    body::Body,
    error::Answer,
    listing::PageQuery,
    openapi::{IdShape, KeyShape, Routes},
    permit::wire::{Home, Moment, Params, Text, compat, page},
};
use askfirst_domain::{Key, id::ResourceId};
use askfirst_engine::{
    EnvScope, Patch,
    schema::{ResourceEdit, ResourceView},
};
use axum::{Json, extract::Path, http::StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use utoipa::ToSchema;
use utoipa_axum::routes;

pub(super) fn router() -> Routes {
    Routes::default().routes(routes!(list, create)).routes(routes!(read, update, replace, delete))
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ResourceRead {
    #[schema(value_type = KeyShape)]
    key: Key,
    #[schema(value_type = IdShape)]
    id: ResourceId,
    #[serde(flatten)]
    home: Home,
    created_at: Moment,
    updated_at: Moment,
    name: String,
    urn: Option<String>,
    description: Option<String>,
    #[schema(value_type = BTreeMap<KeyShape, ActionBlockRead>)]
    actions: BTreeMap<Key, ActionBlockRead>,
    type_attributes: Option<Value>,
    #[schema(value_type = BTreeMap<KeyShape, AttributeBlockRead>)]
    attributes: BTreeMap<Key, AttributeBlockRead>,
    #[schema(value_type = BTreeMap<KeyShape, RoleRead>)]
    roles: BTreeMap<Key, RoleRead>,
    #[schema(value_type = BTreeMap<KeyShape, RelationBlockRead>)]
    relations: BTreeMap<Key, RelationBlockRead>,
    #[schema(value_type = BTreeMap<KeyShape, Vec<KeyShape>>)]
    action_groups: BTreeMap<Key, Vec<Key>>,
    #[serde(flatten)]
    compat: Map<String, Value>,
}

impl ResourceRead {
    pub(super) fn new(scope: &EnvScope, view: &ResourceView) -> Self {
        let r = &view.resource;
        Self {
            key: r.key.clone(),
            id: r.id,
            home: scope.into(),
            created_at: Moment(r.created_at),
            updated_at: Moment(r.updated_at),
            name: r.name.clone(),
            urn: r.urn.clone(),
            description: r.description.clone(),
            actions: r.actions.iter().map(|a| (a.key.clone(), a.into())).collect(),
            type_attributes: r.type_attributes.clone(),
            attributes: r.attributes.iter().map(|a| (a.key.clone(), a.into())).collect(),
            roles: view.roles.iter().map(|v| (v.role.key.clone(), RoleRead::new(scope, v))).collect(),
            relations: view.relations.iter().map(|v| (v.relation.key.clone(), v.into())).collect(),
            action_groups: r.action_groups.iter().map(|g| (g.key.clone(), g.actions.clone())).collect(),
            compat: r.compat.clone(),
        }
    }
}

#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = ResourceCreate)]
pub(crate) struct CreateBody {
    #[schema(value_type = KeyShape)]
    key: Key,
    name: String,
    #[schema(value_type = BTreeMap<KeyShape, ActionBlockBody>)]
    actions: BTreeMap<Key, ActionBlockBody>,
    #[serde(flatten)]
    rest: ResourceBody,
}

#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = ResourceReplace)]
pub(crate) struct ReplaceBody {
    name: String,
    #[schema(value_type = BTreeMap<KeyShape, ActionBlockBody>)]
    actions: BTreeMap<Key, ActionBlockBody>,
    #[serde(flatten)]
    rest: ResourceBody,
}

#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = ResourceUpdate)]
pub(crate) struct ResourceBody {
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    urn: Patch<String>,
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    description: Patch<String>,
    #[serde(default)]
    #[schema(value_type = Option<Value>)]
    type_attributes: Patch<Value>,
    #[serde(default)]
    #[schema(value_type = Option<BTreeMap<KeyShape, ActionBlockBody>>)]
    actions: Patch<BTreeMap<Key, ActionBlockBody>>,
    #[serde(default)]
    #[schema(value_type = Option<BTreeMap<KeyShape, AttributeBlockBody>>)]
    attributes: Patch<BTreeMap<Key, AttributeBlockBody>>,
    #[serde(default)]
    #[schema(value_type = Option<BTreeMap<KeyShape, RoleBody>>)]
    roles: Patch<BTreeMap<Key, RoleBody>>,
    #[serde(default)]
    #[schema(value_type = Option<BTreeMap<KeyShape, Text>>)]
    relations: Patch<BTreeMap<Key, Text>>,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

impl From<ResourceBody> for ResourceEdit {
    fn from(body: ResourceBody) -> Self {
        Self {
            name: body.name,
            urn: body.urn,
            description: body.description,
            type_attributes: body.type_attributes,
            compat: compat(body.rest),
            actions: block(body.actions, Into::into),
            attributes: block(body.attributes, Into::into),
            roles: block(body.roles, Into::into),
            relations: block(body.relations, |subject| subject.ident()),
        }
    }
}

/// A block that is not mentioned is left; one that is `null` is empty.
fn block<A, B>(patch: Patch<BTreeMap<Key, A>>, f: impl Fn(A) -> B) -> Option<BTreeMap<Key, B>> {
    match patch {
        Patch::Keep => None,
        Patch::Clear => Some(BTreeMap::new()),
        Patch::Set(block) => Some(block.into_iter().map(|(key, item)| (key, f(item))).collect()),
    }
}

/// List resources
#[utoipa::path(
    get, path = "/resources", params(PageQuery),
    responses((status = OK, description = "A page of resources.", body = Vec<ResourceRead>))
)]
async fn list(InEnv(scope): InEnv, Params(q): Params<PageQuery>) -> Answer<Json<Vec<ResourceRead>>> {
    let found = scope.list_resources(page(q.page, q.per_page)?);
    Ok(Json(found.items.iter().map(|view| ResourceRead::new(&scope, view)).collect()))
}

/// Read a resource
#[utoipa::path(
    get, path = "/resources/{resource}",
    responses((status = OK, description = "The resource.", body = ResourceRead))
)]
async fn read(InEnv(scope): InEnv, Path(at): Path<OnResource>) -> Answer<Json<ResourceRead>> {
    let view = scope.resource(&at.resource.ident())?;
    Ok(Json(ResourceRead::new(&scope, &view)))
}

/// Make a resource
///
/// With its actions, attributes, roles and relations.
#[utoipa::path(
    post, path = "/resources", request_body = CreateBody,
    responses((status = OK, description = "The resource.", body = ResourceRead))
)]
async fn create(InEnv(scope): InEnv, Body(body): Body<CreateBody>) -> Answer<Json<ResourceRead>> {
    let rest = ResourceBody { name: Some(body.name), actions: Patch::Set(body.actions), ..body.rest };
    let view = scope.create_resource(body.key, rest.into()).await?;
    Ok(Json(ResourceRead::new(&scope, &view)))
}

/// Change a resource
///
/// What is not sent stays. A block that is sent (actions, attributes, roles, relations) becomes the whole of its
/// kind.
#[utoipa::path(
    patch, path = "/resources/{resource}", request_body = ResourceBody,
    responses((status = OK, description = "The resource as it is now.", body = ResourceRead))
)]
async fn update(
    InEnv(scope): InEnv,
    Path(at): Path<OnResource>,
    Body(body): Body<ResourceBody>,
) -> Answer<Json<ResourceRead>> {
    let view = scope.update_resource(&at.resource.ident(), body.into()).await?;
    Ok(Json(ResourceRead::new(&scope, &view)))
}

/// Replace a resource
///
/// What is not sent is emptied, but for roles and relations: those are deleted only when their block is sent
/// without them.
#[utoipa::path(
    put, path = "/resources/{resource}", request_body = ReplaceBody,
    responses((status = OK, description = "The resource as it is now.", body = ResourceRead))
)]
async fn replace(
    InEnv(scope): InEnv,
    Path(at): Path<OnResource>,
    Body(body): Body<ReplaceBody>,
) -> Answer<Json<ResourceRead>> {
    let rest = ResourceBody { name: Some(body.name), actions: Patch::Set(body.actions), ..body.rest };
    let view = scope.replace_resource(&at.resource.ident(), rest.into()).await?;
    Ok(Json(ResourceRead::new(&scope, &view)))
}

/// Delete a resource
///
/// With its roles, relations, instances and all that is assigned on them.
#[utoipa::path(
    delete, path = "/resources/{resource}",
    responses((status = NO_CONTENT, description = "It is gone."))
)]
async fn delete(InEnv(scope): InEnv, Path(at): Path<OnResource>) -> Answer<StatusCode> {
    scope.delete_resource(&at.resource.ident()).await?;
    Ok(StatusCode::NO_CONTENT)
}
