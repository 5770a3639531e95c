//! `resource_instances`.

use crate::{
    auth::InEnv,
    body::Body,
    error::Answer,
    listing::Paginated,
    openapi::{IdShape, KeyShape, NewKeyShape, Routes},
    permit::wire::{Done, Home, Idents, Moment, Operations, Params, Switch, Text, page},
};
use askfirst_domain::{
    Key,
    facts::{Attributes, Instance, RelationshipTuple},
    id::{InstanceId, ResourceId, TenantId},
};
use askfirst_engine::{
    EnvScope, Page, Patch,
    facts::{InstanceQuery, NewInstance},
};
use axum::{Json, extract::Path, http::StatusCode};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::routes;

pub(super) fn router() -> Routes {
    Routes::default()
        .routes(routes!(list_detailed))
        .routes(routes!(list, create))
        .routes(routes!(read, update, delete))
        .routes(routes!(replace_many, delete_many))
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ResourceInstanceRead)]
pub(crate) struct InstanceRead {
    #[schema(value_type = KeyShape)]
    key: Key,
    #[schema(value_type = KeyShape)]
    tenant: Key,
    #[schema(value_type = KeyShape)]
    resource: Key,
    #[schema(value_type = IdShape)]
    id: InstanceId,
    #[serde(flatten)]
    home: Home,
    created_at: Moment,
    updated_at: Moment,
    #[schema(value_type = IdShape)]
    resource_id: ResourceId,
    #[schema(value_type = IdShape)]
    tenant_id: TenantId,
    #[schema(value_type = Map<String, Value>)]
    attributes: Attributes,
    /// In detailed lists only.
    relationships: Option<Vec<TupleBlockRead>>,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RelationshipTupleBlockRead)]
struct TupleBlockRead {
    subject: String,
    #[schema(value_type = KeyShape)]
    relation: Key,
    object: String,
}

impl InstanceRead {
    fn new(scope: &EnvScope, instance: Instance) -> Self {
        Self {
            key: instance.key,
            tenant: instance.tenant,
            resource: instance.resource,
            id: instance.id,
            home: scope.into(),
            created_at: Moment(instance.created_at),
            updated_at: Moment(instance.updated_at),
            resource_id: instance.resource_id,
            tenant_id: instance.tenant_id,
            attributes: instance.attributes,
            relationships: None,
        }
    }
}

impl From<RelationshipTuple> for TupleBlockRead {
    fn from(tuple: RelationshipTuple) -> Self {
        Self {
            subject: tuple.subject.reference().to_string(),
            relation: tuple.relation,
            object: tuple.object.reference().to_string(),
        }
    }
}

/// An instance inside something else.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ResourceInstanceBlockRead)]
pub(super) struct InstanceBlockRead {
    #[schema(value_type = KeyShape)]
    key: Key,
    #[schema(value_type = KeyShape)]
    tenant: Key,
    #[schema(value_type = KeyShape)]
    resource: Key,
    #[schema(value_type = Map<String, Value>)]
    attributes: Attributes,
}

impl From<Instance> for InstanceBlockRead {
    fn from(instance: Instance) -> Self {
        Self {
            key: instance.key,
            tenant: instance.tenant,
            resource: instance.resource,
            attributes: instance.attributes,
        }
    }
}

#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = ResourceInstanceCreate)]
pub(crate) struct CreateBody {
    #[schema(value_type = NewKeyShape)]
    key: Text,
    tenant: Text,
    resource: Text,
    #[serde(default)]
    #[schema(value_type = Option<Map<String, Value>>)]
    attributes: Option<Attributes>,
}

impl CreateBody {
    fn new_instance(self) -> Answer<NewInstance> {
        Ok(NewInstance {
            key: self.key.key()?,
            tenant: self.tenant.ident(),
            resource: self.resource.ident(),
            attributes: self.attributes.unwrap_or_default(),
        })
    }
}

#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = ResourceInstanceUpdate)]
pub(crate) struct UpdateBody {
    #[serde(default)]
    #[schema(value_type = Option<Map<String, Value>>)]
    attributes: Patch<Attributes>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct ListQuery {
    page: Option<u32>,
    per_page: Option<u32>,
    /// Those of this tenant.
    #[param(value_type = Option<String>)]
    tenant: Option<Text>,
    /// Those of this resource.
    #[param(value_type = Option<String>)]
    resource: Option<Text>,
    /// Part of a key.
    search: Option<String>,
    /// With their relationships.
    #[serde(default)]
    #[param(value_type = bool)]
    detailed: Switch,
}

#[derive(Debug, Deserialize)]
pub(super) struct At {
    instance: Text,
}

impl ListQuery {
    fn split(self) -> Answer<(InstanceQuery, Page)> {
        let query = InstanceQuery {
            tenant: self.tenant.as_ref().map(Text::ident),
            resource: self.resource.as_ref().map(Text::ident),
            search: self.search,
        };
        Ok((query, page(self.page, self.per_page)?))
    }
}

/// With their relationships.
async fn detailed(scope: &EnvScope, found: Vec<Instance>) -> Answer<Vec<InstanceRead>> {
    let views = scope.instance_details(found).await?.into_iter();
    let detailed = views.map(|view| InstanceRead {
        relationships: Some(view.relationships.into_iter().map(Into::into).collect()),
        ..InstanceRead::new(scope, view.instance)
    });
    Ok(detailed.collect())
}

/// List resource instances
#[utoipa::path(
    get, path = "/resource_instances", params(ListQuery),
    responses((status = OK, description = "A page of instances.", body = Vec<InstanceRead>))
)]
async fn list(InEnv(scope): InEnv, Params(q): Params<ListQuery>) -> Answer<Json<Vec<InstanceRead>>> {
    let with_details = q.detailed.is_on();
    let (query, page) = q.split()?;
    let found = scope.list_instances(&query, page).await?.items;
    Ok(Json(if with_details {
        detailed(&scope, found).await?
    } else {
        found.into_iter().map(|instance| InstanceRead::new(&scope, instance)).collect()
    }))
}

/// List resource instances with their relationships
#[utoipa::path(
    get, path = "/resource_instances/detailed", params(ListQuery),
    responses((status = OK, description = "A page of instances.", body = Paginated<InstanceRead>))
)]
async fn list_detailed(
    InEnv(scope): InEnv,
    Params(q): Params<ListQuery>,
) -> Answer<Json<Paginated<InstanceRead>>> {
    let (query, page) = q.split()?;
    let found = scope.list_instances(&query, page).await?;
    Ok(Json(Paginated::new(detailed(&scope, found.items).await?, found.total, page.limit)))
}

/// Read a resource instance
#[utoipa::path(
    get, path = "/resource_instances/{instance}",
    responses((status = OK, description = "The instance.", body = InstanceRead))
)]
async fn read(InEnv(scope): InEnv, Path(at): Path<At>) -> Answer<Json<InstanceRead>> {
    let instance = scope.instance(&at.instance.0).await?;
    Ok(Json(InstanceRead::new(&scope, instance)))
}

/// Make a resource instance
#[utoipa::path(
    post, path = "/resource_instances", request_body = CreateBody,
    responses((status = OK, description = "The instance.", body = InstanceRead))
)]
async fn create(InEnv(scope): InEnv, Body(body): Body<CreateBody>) -> Answer<Json<InstanceRead>> {
    let instance = scope.create_instance(&body.new_instance()?).await?;
    Ok(Json(InstanceRead::new(&scope, instance)))
}

/// Change a resource instance
///
/// What is not sent stays; `null` takes away.
#[utoipa::path(
    patch, path = "/resource_instances/{instance}", request_body = UpdateBody,
    responses((status = OK, description = "The instance as it is now.", body = InstanceRead))
)]
async fn update(
    InEnv(scope): InEnv,
    Path(at): Path<At>,
    Body(body): Body<UpdateBody>,
) -> Answer<Json<InstanceRead>> {
    let instance = scope.update_instance(&at.instance.0, &body.attributes).await?;
    Ok(Json(InstanceRead::new(&scope, instance)))
}

/// Delete a resource instance
///
/// With its role assignments and tuples.
#[utoipa::path(
    delete, path = "/resource_instances/{instance}",
    responses((status = NO_CONTENT, description = "It is gone."))
)]
async fn delete(InEnv(scope): InEnv, Path(at): Path<At>) -> Answer<StatusCode> {
    scope.delete_instance(&at.instance.0).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Make resource instances, and make those over that are there
///
/// All of them or none.
#[utoipa::path(
    put, path = "/bulk/resource_instances", request_body = Operations<CreateBody>,
    responses((status = OK, description = "They are as sent.", body = Done))
)]
async fn replace_many(InEnv(scope): InEnv, Body(body): Body<Operations<CreateBody>>) -> Answer<Json<Done>> {
    let new: Answer<Vec<_>> = body.operations.into_iter().map(CreateBody::new_instance).collect();
    scope.replace_instances(&new?).await?;
    Ok(Json(Done {}))
}

/// Delete resource instances
///
/// Those that are not there are passed over.
#[utoipa::path(
    delete, path = "/bulk/resource_instances", request_body = Idents<Text>,
    responses((status = OK, description = "They are gone.", body = Done))
)]
async fn delete_many(InEnv(scope): InEnv, Body(body): Body<Idents<Text>>) -> Answer<Json<Done>> {
    let texts: Vec<_> = body.idents.into_iter().map(|text| text.0).collect();
    scope.delete_instances(&texts).await?;
    Ok(Json(Done {}))
}
