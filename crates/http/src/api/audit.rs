//! `GET /api/v1/audit`: what happened, newest first.

use crate::{
    auth::InLog,
    error::Answer,
    listing::{PageQuery, Paginated},
    openapi::{IdShape, PrincipalShape, Routes},
    permit::wire::{Moment, Params},
};
use askfirst_domain::{
    audit::Hash,
    id::{AuditEventId, RequestId},
    principal::Principal,
};
use askfirst_engine::{Page, audit::News};
use axum::Json;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::routes;

const PER_PAGE: u32 = 100;

pub(super) fn router() -> Routes {
    Routes::default().routes(routes!(list))
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Query {
    /// The id of a request.
    #[param(value_type = Option<IdShape>)]
    request: Option<RequestId>,
    /// A code such as `request.approved`, or the part before the dot.
    code: Option<String>,
    page: Option<u32>,
    per_page: Option<u32>,
}

/// Something that happened.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AuditEvent)]
pub(super) struct EventRead {
    /// Its number in the log, from 1, without gaps.
    n: u64,
    /// The hash of the log up to this event.
    #[schema(value_type = String)]
    hash: Hash,
    #[schema(value_type = IdShape)]
    id: AuditEventId,
    at: Moment,
    /// Such as `request.approved`.
    code: String,
    #[schema(value_type = PrincipalShape)]
    actor: Principal,
    /// The key of the user for whom it was done.
    #[schema(required)]
    on_behalf_of: Option<String>,
    /// Whether a model named that user, and nothing else did.
    model_named_user: bool,
    #[schema(value_type = Option<IdShape>, required)]
    request: Option<RequestId>,
    /// What it was about, such as `restaurants:pizza-palace`.
    #[schema(required)]
    object: Option<String>,
    #[schema(value_type = Object)]
    details: Map<String, Value>,
}

impl EventRead {
    pub(super) fn n(&self) -> u64 {
        self.n
    }

    pub(super) fn code(&self) -> &str {
        &self.code
    }
}

impl From<News> for EventRead {
    fn from(News { n, hash, event }: News) -> Self {
        Self {
            n,
            hash,
            id: event.id,
            at: Moment(event.at),
            code: event.code,
            actor: event.actor,
            on_behalf_of: event.on_behalf_of,
            model_named_user: event.model_named_user,
            request: event.request,
            object: event.object,
            details: event.details,
        }
    }
}

/// What happened in the environment, newest first
///
/// 100 a page unless said. With a key of the organisation it is the installation's own log.
#[utoipa::path(
    get, path = "/api/v1/audit", params(Query),
    responses((status = OK, description = "A page of events.", body = Paginated<EventRead>))
)]
async fn list(InLog(log): InLog, Params(query): Params<Query>) -> Answer<Json<Paginated<EventRead>>> {
    let (offset, limit) = PageQuery { page: query.page, per_page: query.per_page }.window(PER_PAGE)?;
    let found = log.events(query.request, query.code, Page { offset, limit }).await?;
    let data = found.items.into_iter().map(EventRead::from).collect();
    Ok(Json(Paginated::new(data, found.total, limit)))
}
