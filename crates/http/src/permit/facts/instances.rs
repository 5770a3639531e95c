//! `resource_instances`.

use crate::{
    auth::InEnv,
    body::Body,
    error::Answer,
    listing::Paginated,
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

#[derive(Debug, Serialize)]
pub(crate) struct InstanceRead {
    key: Key,
    tenant: Key,
    resource: Key,
    id: InstanceId,
    #[serde(flatten)]
    home: Home,
    created_at: Moment,
    updated_at: Moment,
    resource_id: ResourceId,
    tenant_id: TenantId,
    attributes: Attributes,
    /// In detailed lists only.
    relationships: Option<Vec<TupleBlockRead>>,
}

/// `RelationshipTupleBlockRead`.
#[derive(Debug, Serialize)]
struct TupleBlockRead {
    subject: String,
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

/// `ResourceInstanceBlockRead`: an instance inside something else.
#[derive(Debug, Serialize)]
pub(super) struct InstanceBlockRead {
    key: Key,
    tenant: Key,
    resource: Key,
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

/// `ResourceInstanceCreate`.
#[derive(Debug, Deserialize)]
pub(crate) struct CreateBody {
    key: Text,
    tenant: Text,
    resource: Text,
    #[serde(default)]
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

/// `ResourceInstanceUpdate`.
#[derive(Debug, Deserialize)]
pub(crate) struct UpdateBody {
    #[serde(default)]
    attributes: Patch<Attributes>,
}

#[derive(Debug, Deserialize)]
pub(super) struct ListQuery {
    page: Option<u32>,
    per_page: Option<u32>,
    tenant: Option<Text>,
    resource: Option<Text>,
    search: Option<String>,
    #[serde(default)]
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

pub(super) async fn list(
    InEnv(scope): InEnv,
    Params(q): Params<ListQuery>,
) -> Answer<Json<Vec<InstanceRead>>> {
    let with_details = q.detailed.is_on();
    let (query, page) = q.split()?;
    let found = scope.list_instances(&query, page).await?.items;
    Ok(Json(if with_details {
        detailed(&scope, found).await?
    } else {
        found.into_iter().map(|instance| InstanceRead::new(&scope, instance)).collect()
    }))
}

pub(super) async fn list_detailed(
    InEnv(scope): InEnv,
    Params(q): Params<ListQuery>,
) -> Answer<Json<Paginated<InstanceRead>>> {
    let (query, page) = q.split()?;
    let found = scope.list_instances(&query, page).await?;
    Ok(Json(Paginated::new(detailed(&scope, found.items).await?, found.total, page.limit)))
}

pub(super) async fn read(InEnv(scope): InEnv, Path(at): Path<At>) -> Answer<Json<InstanceRead>> {
    let instance = scope.instance(&at.instance.0).await?;
    Ok(Json(InstanceRead::new(&scope, instance)))
}

pub(super) async fn create(InEnv(scope): InEnv, Body(body): Body<CreateBody>) -> Answer<Json<InstanceRead>> {
    let instance = scope.create_instance(&body.new_instance()?).await?;
    Ok(Json(InstanceRead::new(&scope, instance)))
}

pub(super) async fn update(
    InEnv(scope): InEnv,
    Path(at): Path<At>,
    Body(body): Body<UpdateBody>,
) -> Answer<Json<InstanceRead>> {
    let instance = scope.update_instance(&at.instance.0, &body.attributes).await?;
    Ok(Json(InstanceRead::new(&scope, instance)))
}

pub(super) async fn delete(InEnv(scope): InEnv, Path(at): Path<At>) -> Answer<StatusCode> {
    scope.delete_instance(&at.instance.0).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn replace_many(
    InEnv(scope): InEnv,
    Body(body): Body<Operations<CreateBody>>,
) -> Answer<Json<Done>> {
    let new: Answer<Vec<_>> = body.operations.into_iter().map(CreateBody::new_instance).collect();
    scope.replace_instances(&new?).await?;
    Ok(Json(Done {}))
}

pub(super) async fn delete_many(InEnv(scope): InEnv, Body(body): Body<Idents<Text>>) -> Answer<Json<Done>> {
    let texts: Vec<_> = body.idents.into_iter().map(|text| text.0).collect();
    scope.delete_instances(&texts).await?;
    Ok(Json(Done {}))
}
