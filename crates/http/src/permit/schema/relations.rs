//! `resources/{resource}/relations`. The list comes in an envelope, unlike its siblings.

use super::OnResource;
use crate::{
    auth::InEnv,
    body::Body,
    error::Answer,
    listing::{PageQuery, Paginated},
    permit::wire::{Home, Moment, Params, Text, page},
};
use askfirst_domain::{
    Key,
    id::{RelationId, ResourceId},
};
use askfirst_engine::{
    EnvScope,
    schema::{NewRelation, RelationView},
};
use axum::{Json, extract::Path, http::StatusCode};
use serde::{Deserialize, Serialize};

#[derive(Debug, Serialize)]
pub(crate) struct RelationRead {
    description: Option<String>,
    subject_resource: Key,
    key: Key,
    name: String,
    id: RelationId,
    #[serde(flatten)]
    home: Home,
    created_at: Moment,
    updated_at: Moment,
    object_resource_id: ResourceId,
    object_resource: Key,
    subject_resource_id: ResourceId,
}

impl RelationRead {
    fn new(scope: &EnvScope, view: &RelationView) -> Self {
        let r = &view.relation;
        Self {
            description: r.description.clone(),
            subject_resource: r.subject_resource.clone(),
            key: r.key.clone(),
            name: r.name.clone(),
            id: r.id,
            home: scope.into(),
            created_at: Moment(r.created_at),
            updated_at: Moment(r.updated_at),
            object_resource_id: view.object_id,
            object_resource: r.object_resource.clone(),
            subject_resource_id: view.subject_id,
        }
    }
}

/// `RelationBlockRead`: a relation inside its resource; `resource` is the subject's.
#[derive(Debug, Serialize)]
pub(crate) struct RelationBlockRead {
    description: Option<String>,
    resource_id: ResourceId,
    relation_name: String,
    resource: Key,
}

impl From<&RelationView> for RelationBlockRead {
    fn from(view: &RelationView) -> Self {
        Self {
            description: view.relation.description.clone(),
            resource_id: view.subject_id,
            relation_name: view.relation.name.clone(),
            resource: view.relation.subject_resource.clone(),
        }
    }
}

/// `RelationCreate`.
#[derive(Debug, Deserialize)]
pub(crate) struct CreateBody {
    key: Key,
    name: String,
    #[serde(default)]
    description: Option<String>,
    subject_resource: Text,
}

#[derive(Debug, Deserialize)]
pub(super) struct At {
    resource: Text,
    relation: Text,
}

pub(super) async fn list(
    InEnv(scope): InEnv,
    Path(at): Path<OnResource>,
    Params(q): Params<PageQuery>,
) -> Answer<Json<Paginated<RelationRead>>> {
    let page = page(q.page, q.per_page)?;
    let found = scope.list_relations(&at.resource.ident(), page)?;
    let data = found.items.iter().map(|view| RelationRead::new(&scope, view)).collect();
    Ok(Json(Paginated::new(data, found.total, page.limit)))
}

pub(super) async fn read(InEnv(scope): InEnv, Path(at): Path<At>) -> Answer<Json<RelationRead>> {
    let view = scope.relation(&at.resource.ident(), &at.relation.ident())?;
    Ok(Json(RelationRead::new(&scope, &view)))
}

pub(super) async fn create(
    InEnv(scope): InEnv,
    Path(at): Path<OnResource>,
    Body(body): Body<CreateBody>,
) -> Answer<Json<RelationRead>> {
    let new = NewRelation {
        key: body.key,
        name: body.name,
        description: body.description,
        subject_resource: body.subject_resource.ident(),
    };
    let view = scope.create_relation(&at.resource.ident(), &new).await?;
    Ok(Json(RelationRead::new(&scope, &view)))
}

pub(super) async fn delete(InEnv(scope): InEnv, Path(at): Path<At>) -> Answer<StatusCode> {
    scope.delete_relation(&at.resource.ident(), &at.relation.ident()).await?;
    Ok(StatusCode::NO_CONTENT)
}
