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

#[derive(Debug, Serialize)]
pub(crate) struct ResourceRead {
    key: Key,
    id: ResourceId,
    #[serde(flatten)]
    home: Home,
    created_at: Moment,
    updated_at: Moment,
    name: String,
    urn: Option<String>,
    description: Option<String>,
    actions: BTreeMap<Key, ActionBlockRead>,
    type_attributes: Option<Value>,
    attributes: BTreeMap<Key, AttributeBlockRead>,
    roles: BTreeMap<Key, RoleRead>,
    relations: BTreeMap<Key, RelationBlockRead>,
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

/// `ResourceCreate`.
#[derive(Debug, Deserialize)]
pub(crate) struct CreateBody {
    key: Key,
    name: String,
    actions: BTreeMap<Key, ActionBlockBody>,
    #[serde(flatten)]
    rest: ResourceBody,
}

/// `ResourceReplace`.
#[derive(Debug, Deserialize)]
pub(crate) struct ReplaceBody {
    name: String,
    actions: BTreeMap<Key, ActionBlockBody>,
    #[serde(flatten)]
    rest: ResourceBody,
}

/// `ResourceUpdate`.
#[derive(Debug, Deserialize)]
pub(crate) struct ResourceBody {
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    urn: Patch<String>,
    #[serde(default)]
    description: Patch<String>,
    #[serde(default)]
    type_attributes: Patch<Value>,
    #[serde(default)]
    actions: Patch<BTreeMap<Key, ActionBlockBody>>,
    #[serde(default)]
    attributes: Patch<BTreeMap<Key, AttributeBlockBody>>,
    #[serde(default)]
    roles: Patch<BTreeMap<Key, RoleBody>>,
    #[serde(default)]
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

pub(super) async fn list(
    InEnv(scope): InEnv,
    Params(q): Params<PageQuery>,
) -> Answer<Json<Vec<ResourceRead>>> {
    let found = scope.list_resources(page(q.page, q.per_page)?);
    Ok(Json(found.items.iter().map(|view| ResourceRead::new(&scope, view)).collect()))
}

pub(super) async fn read(InEnv(scope): InEnv, Path(at): Path<OnResource>) -> Answer<Json<ResourceRead>> {
    let view = scope.resource(&at.resource.ident())?;
    Ok(Json(ResourceRead::new(&scope, &view)))
}

pub(super) async fn create(InEnv(scope): InEnv, Body(body): Body<CreateBody>) -> Answer<Json<ResourceRead>> {
    let rest = ResourceBody { name: Some(body.name), actions: Patch::Set(body.actions), ..body.rest };
    let view = scope.create_resource(body.key, rest.into()).await?;
    Ok(Json(ResourceRead::new(&scope, &view)))
}

pub(super) async fn update(
    InEnv(scope): InEnv,
    Path(at): Path<OnResource>,
    Body(body): Body<ResourceBody>,
) -> Answer<Json<ResourceRead>> {
    let view = scope.update_resource(&at.resource.ident(), body.into()).await?;
    Ok(Json(ResourceRead::new(&scope, &view)))
}

pub(super) async fn replace(
    InEnv(scope): InEnv,
    Path(at): Path<OnResource>,
    Body(body): Body<ReplaceBody>,
) -> Answer<Json<ResourceRead>> {
    let rest = ResourceBody { name: Some(body.name), actions: Patch::Set(body.actions), ..body.rest };
    let view = scope.replace_resource(&at.resource.ident(), rest.into()).await?;
    Ok(Json(ResourceRead::new(&scope, &view)))
}

pub(super) async fn delete(InEnv(scope): InEnv, Path(at): Path<OnResource>) -> Answer<StatusCode> {
    scope.delete_resource(&at.resource.ident()).await?;
    Ok(StatusCode::NO_CONTENT)
}
