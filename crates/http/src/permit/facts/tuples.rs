//! `relationship_tuples`.

use super::instances::InstanceBlockRead;
use crate::{
    auth::InEnv,
    body::Body,
    error::Answer,
    listing::Paginated,
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

#[derive(Debug, Serialize)]
pub(crate) struct TupleRead {
    subject: String,
    relation: Key,
    object: String,
    id: TupleId,
    tenant: Key,
    subject_id: InstanceId,
    relation_id: RelationId,
    object_id: InstanceId,
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

/// `StrippedRelationBlockRead`.
#[derive(Debug, Serialize)]
struct RelationBlock {
    key: Key,
    name: String,
    description: Option<String>,
}

/// `TenantBlockRead`.
#[derive(Debug, Serialize)]
struct TenantBlock {
    key: Key,
    name: String,
    description: Option<String>,
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
#[derive(Debug, Deserialize)]
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

#[derive(Debug, Deserialize)]
pub(super) struct ListQuery {
    page: Option<u32>,
    per_page: Option<u32>,
    tenant: Option<Text>,
    subject: Option<Text>,
    relation: Option<Text>,
    object: Option<Text>,
    subject_type: Option<Text>,
    object_type: Option<Text>,
    #[serde(default)]
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

pub(super) async fn list(InEnv(scope): InEnv, Params(q): Params<ListQuery>) -> Answer<Json<Vec<TupleRead>>> {
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

pub(super) async fn list_detailed(
    InEnv(scope): InEnv,
    Params(q): Params<ListQuery>,
) -> Answer<Json<Paginated<TupleRead>>> {
    let (query, page) = q.split()?;
    let found = scope.list_tuples(&query, page).await?;
    let details = scope.tuple_details(found.items).await?.into_iter();
    let data = details.map(|d| TupleRead::detailed(&scope, d)).collect();
    Ok(Json(Paginated::new(data, found.total, page.limit)))
}

pub(super) async fn create(InEnv(scope): InEnv, Body(body): Body<TupleBody>) -> Answer<Json<TupleRead>> {
    let tuple = scope.create_tuple(&body.into()).await?;
    Ok(Json(TupleRead::new(&scope, tuple)))
}

pub(super) async fn delete(InEnv(scope): InEnv, Body(body): Body<TupleBody>) -> Answer<StatusCode> {
    scope.delete_tuple(&body.into()).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn create_many(
    InEnv(scope): InEnv,
    Body(body): Body<Operations<TupleBody>>,
) -> Answer<Json<Done>> {
    let specs: Vec<_> = body.operations.into_iter().map(Into::into).collect();
    scope.create_tuples(&specs).await?;
    Ok(Json(Done {}))
}

pub(super) async fn delete_many(
    InEnv(scope): InEnv,
    Body(body): Body<Idents<TupleBody>>,
) -> Answer<Json<Done>> {
    let specs: Vec<_> = body.idents.into_iter().map(Into::into).collect();
    scope.delete_tuples(&specs).await?;
    Ok(Json(Done {}))
}
