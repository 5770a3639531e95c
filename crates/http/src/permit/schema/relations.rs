//! `resources/{resource}/relations`. The list comes in an envelope, unlike its siblings.

use super::OnResource;
use crate::{
    auth::InEnv,
    body::Body,
    error::Answer,
    listing::{PageQuery, Paginated},
    openapi::{IdShape, KeyShape, Routes},
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
use utoipa::ToSchema;
use utoipa_axum::routes;

pub(super) fn router() -> Routes {
    Routes::default().routes(routes!(list, create)).routes(routes!(read, delete))
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RelationRead {
    description: Option<String>,
    #[schema(value_type = KeyShape)]
    subject_resource: Key,
    #[schema(value_type = KeyShape)]
    key: Key,
    name: String,
    #[schema(value_type = IdShape)]
    id: RelationId,
    #[serde(flatten)]
    home: Home,
    created_at: Moment,
    updated_at: Moment,
    #[schema(value_type = IdShape)]
    object_resource_id: ResourceId,
    #[schema(value_type = KeyShape)]
    object_resource: Key,
    #[schema(value_type = IdShape)]
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

/// A relation inside its resource; `resource` is the subject's.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RelationBlockRead {
    description: Option<String>,
    #[schema(value_type = IdShape)]
    resource_id: ResourceId,
    relation_name: String,
    #[schema(value_type = KeyShape)]
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

#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = RelationCreate)]
pub(crate) struct CreateBody {
    #[schema(value_type = KeyShape)]
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

/// List the relations of a resource
#[utoipa::path(
    get, path = "/resources/{resource}/relations", params(PageQuery),
    responses((
        status = OK, description = "A page of the relations whose object the resource is.",
        body = Paginated<RelationRead>
    ))
)]
async fn list(
    InEnv(scope): InEnv,
    Path(at): Path<OnResource>,
    Params(q): Params<PageQuery>,
) -> Answer<Json<Paginated<RelationRead>>> {
    let page = page(q.page, q.per_page)?;
    let found = scope.list_relations(&at.resource.ident(), page)?;
    let data = found.items.iter().map(|view| RelationRead::new(&scope, view)).collect();
    Ok(Json(Paginated::new(data, found.total, page.limit)))
}

/// Read a relation
#[utoipa::path(
    get, path = "/resources/{resource}/relations/{relation}",
    responses((status = OK, description = "The relation.", body = RelationRead))
)]
async fn read(InEnv(scope): InEnv, Path(at): Path<At>) -> Answer<Json<RelationRead>> {
    let view = scope.relation(&at.resource.ident(), &at.relation.ident())?;
    Ok(Json(RelationRead::new(&scope, &view)))
}

/// Make a relation
///
/// From a subject resource to the resource of the path, the object.
#[utoipa::path(
    post, path = "/resources/{resource}/relations", request_body = CreateBody,
    responses((status = OK, description = "The relation.", body = RelationRead))
)]
async fn create(
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

/// Delete a relation
///
/// With its tuples and what is derived from it.
#[utoipa::path(
    delete, path = "/resources/{resource}/relations/{relation}",
    responses((status = NO_CONTENT, description = "It is gone."))
)]
async fn delete(InEnv(scope): InEnv, Path(at): Path<At>) -> Answer<StatusCode> {
    scope.delete_relation(&at.resource.ident(), &at.relation.ident()).await?;
    Ok(StatusCode::NO_CONTENT)
}
