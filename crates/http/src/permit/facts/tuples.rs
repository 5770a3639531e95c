//! `relationship_tuples`.

use super::instances::InstanceBlockRead;
use crate::{
    auth::InEnv,
    body::Body,
    error::Answer,
    listing::Paginated,
    openapi::{IdShape, KeyShape, Routes},
    permit::wire::{Done, Home, Idents, Moment, Operations, Params, Switch, Text, page},
};
use askfirst_domain::{
    Key,
    facts::{Attributes, RelationshipTuple},
    id::{InstanceId, RelationId, TenantId, TupleId},
};
use askfirst_engine::{
    EnvScope, Page,
    facts::{TupleDetails, TupleQuery, TupleSpec},
};
use axum::{Json, http::StatusCode};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::routes;

pub(super) fn router() -> Routes {
    Routes::default()
        .routes(routes!(list_detailed))
        .routes(routes!(list, create, delete))
        .routes(routes!(create_many, delete_many))
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RelationshipTupleRead)]
pub(crate) struct TupleRead {
    subject: String,
    #[schema(value_type = KeyShape)]
    relation: Key,
    object: String,
    #[schema(value_type = IdShape)]
    id: TupleId,
    #[schema(value_type = KeyShape)]
    tenant: Key,
    #[schema(value_type = IdShape)]
    subject_id: InstanceId,
    #[schema(value_type = IdShape)]
    relation_id: RelationId,
    #[schema(value_type = IdShape)]
    object_id: InstanceId,
    #[schema(value_type = IdShape)]
    tenant_id: TenantId,
    #[serde(flatten)]
    home: Home,
    created_at: Moment,
    updated_at: Moment,
    subject_details: Option<InstanceBlockRead>,
    relation_details: Option<RelationBlock>,
    object_details: Option<InstanceBlockRead>,
    tenant_details: Option<TenantBlock>,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = StrippedRelationBlockRead)]
struct RelationBlock {
    #[schema(value_type = KeyShape)]
    key: Key,
    name: String,
    description: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TenantBlockRead)]
struct TenantBlock {
    #[schema(value_type = KeyShape)]
    key: Key,
    name: String,
    description: Option<String>,
    #[schema(value_type = Map<String, Value>)]
    attributes: Attributes,
}

impl TupleRead {
    fn new(scope: &EnvScope, tuple: RelationshipTuple) -> Self {
        Self {
            subject: tuple.subject.reference().to_string(),
            relation: tuple.relation,
            object: tuple.object.reference().to_string(),
            id: tuple.id,
            tenant: tuple.tenant,
            subject_id: tuple.subject.id,
            relation_id: tuple.relation_id,
            object_id: tuple.object.id,
            tenant_id: tuple.tenant_id,
            home: scope.into(),
            created_at: Moment(tuple.created_at),
            updated_at: Moment(tuple.updated_at),
            subject_details: None,
            relation_details: None,
            object_details: None,
            tenant_details: None,
        }
    }

    fn detailed(scope: &EnvScope, details: TupleDetails) -> Self {
        let (relation, tenant) = (details.relation, details.tenant);
        Self {
            subject_details: Some(details.subject.into()),
            relation_details: Some(RelationBlock {
                key: relation.key.clone(),
                name: relation.name.clone(),
                description: relation.description.clone(),
            }),
            object_details: Some(details.object.into()),
            tenant_details: Some(TenantBlock {
                key: tenant.key,
                name: tenant.name,
                description: tenant.description,
                attributes: tenant.attributes,
            }),
            ..Self::new(scope, details.tuple)
        }
    }
}

/// `RelationshipTupleCreate`, `RelationshipTupleDelete`.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = RelationshipTupleCreate)]
pub(crate) struct TupleBody {
    subject: Text,
    relation: Text,
    object: Text,
    #[serde(default)]
    tenant: Option<Text>,
}

impl From<TupleBody> for TupleSpec {
    fn from(body: TupleBody) -> Self {
        Self {
            subject: body.subject.0,
            relation: body.relation.ident(),
            object: body.object.0,
            tenant: body.tenant.as_ref().map(Text::ident),
        }
    }
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct ListQuery {
    page: Option<u32>,
    per_page: Option<u32>,
    /// Those in this tenant.
    #[param(value_type = Option<String>)]
    tenant: Option<Text>,
    /// Those from this instance: `type:key`, or an id.
    #[param(value_type = Option<String>)]
    subject: Option<Text>,
    /// Those of this relation.
    #[param(value_type = Option<String>)]
    relation: Option<Text>,
    /// Those to this instance: `type:key`, or an id.
    #[param(value_type = Option<String>)]
    object: Option<Text>,
    /// Those from instances of this resource.
    #[param(value_type = Option<String>)]
    subject_type: Option<Text>,
    /// Those to instances of this resource.
    #[param(value_type = Option<String>)]
    object_type: Option<Text>,
    /// With what they are about.
    #[serde(default)]
    #[param(value_type = bool)]
    detailed: Switch,
}

impl ListQuery {
    fn split(self) -> Answer<(TupleQuery, Page)> {
        let query = TupleQuery {
            tenant: self.tenant.as_ref().map(Text::ident),
            subject: self.subject.map(|text| text.0),
            relation: self.relation.as_ref().map(Text::ident),
            object: self.object.map(|text| text.0),
            subject_resource: self.subject_type.as_ref().map(Text::ident),
            object_resource: self.object_type.as_ref().map(Text::ident),
        };
        Ok((query, page(self.page, self.per_page)?))
    }
}

/// List relationship tuples
#[utoipa::path(
    get, path = "/relationship_tuples", params(ListQuery),
    responses((status = OK, description = "A page of tuples.", body = Vec<TupleRead>))
)]
async fn list(InEnv(scope): InEnv, Params(q): Params<ListQuery>) -> Answer<Json<Vec<TupleRead>>> {
    let detailed = q.detailed.is_on();
    let (query, page) = q.split()?;
    let found = scope.list_tuples(&query, page).await?.items;
    Ok(Json(if detailed {
        let details = scope.tuple_details(found).await?;
        details.into_iter().map(|d| TupleRead::detailed(&scope, d)).collect()
    } else {
        found.into_iter().map(|tuple| TupleRead::new(&scope, tuple)).collect()
    }))
}

/// List relationship tuples with what they are about
#[utoipa::path(
    get, path = "/relationship_tuples/detailed", params(ListQuery),
    responses((status = OK, description = "A page of tuples.", body = Paginated<TupleRead>))
)]
async fn list_detailed(
    InEnv(scope): InEnv,
    Params(q): Params<ListQuery>,
) -> Answer<Json<Paginated<TupleRead>>> {
    let (query, page) = q.split()?;
    let found = scope.list_tuples(&query, page).await?;
    let details = scope.tuple_details(found.items).await?.into_iter();
    let data = details.map(|d| TupleRead::detailed(&scope, d)).collect();
    Ok(Json(Paginated::new(data, found.total, page.limit)))
}

/// Relate two instances
#[utoipa::path(
    post, path = "/relationship_tuples", request_body = TupleBody,
    responses((status = OK, description = "The tuple.", body = TupleRead))
)]
async fn create(InEnv(scope): InEnv, Body(body): Body<TupleBody>) -> Answer<Json<TupleRead>> {
    let tuple = scope.create_tuple(&body.into()).await?;
    Ok(Json(TupleRead::new(&scope, tuple)))
}

/// Take a tuple away
#[utoipa::path(
    delete, path = "/relationship_tuples", request_body = TupleBody,
    responses((status = NO_CONTENT, description = "It is gone."))
)]
async fn delete(InEnv(scope): InEnv, Body(body): Body<TupleBody>) -> Answer<StatusCode> {
    scope.delete_tuple(&body.into()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Make relationship tuples
///
/// Those that are there already are passed over. All of them or none.
#[utoipa::path(
    post, path = "/relationship_tuples/bulk", request_body = Operations<TupleBody>,
    responses((status = OK, description = "They are made.", body = Done))
)]
async fn create_many(InEnv(scope): InEnv, Body(body): Body<Operations<TupleBody>>) -> Answer<Json<Done>> {
    let specs: Vec<_> = body.operations.into_iter().map(Into::into).collect();
    scope.create_tuples(&specs).await?;
    Ok(Json(Done {}))
}

/// Delete relationship tuples
///
/// Those that are not there are passed over. All of them or none.
#[utoipa::path(
    delete, path = "/relationship_tuples/bulk", request_body = Idents<TupleBody>,
    responses((status = OK, description = "They are gone.", body = Done))
)]
async fn delete_many(InEnv(scope): InEnv, Body(body): Body<Idents<TupleBody>>) -> Answer<Json<Done>> {
    let specs: Vec<_> = body.idents.into_iter().map(Into::into).collect();
    scope.delete_tuples(&specs).await?;
    Ok(Json(Done {}))
}
