//! `GET /api/v1/audit`: what happened in the environment, newest first.

use crate::{
    App,
    auth::InEnv,
    error::Answer,
    listing::{PageQuery, Paginated},
    permit::wire::{Moment, Params},
};
use askfirst_domain::{
    audit::AuditEvent,
    id::{AuditEventId, RequestId},
    principal::Principal,
};
use askfirst_engine::Page;
use axum::{Json, Router, routing::get};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::sync::Arc;

const PER_PAGE: u32 = 100;

pub(super) fn router() -> Router<Arc<App>> {
    Router::new().route("/api/v1/audit", get(list))
}

#[derive(Debug, Deserialize)]
struct Query {
    request: Option<RequestId>,
    /// A code such as `request.approved`, or the part before the dot.
    code: Option<String>,
    page: Option<u32>,
    per_page: Option<u32>,
}

#[derive(Debug, Serialize)]
struct EventRead {
    id: AuditEventId,
    at: Moment,
    code: String,
    actor: Principal,
    on_behalf_of: Option<String>,
    model_named_user: bool,
    request: Option<RequestId>,
    object: Option<String>,
    details: Map<String, Value>,
}

impl From<AuditEvent> for EventRead {
    fn from(event: AuditEvent) -> Self {
        Self {
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

async fn list(InEnv(scope): InEnv, Params(query): Params<Query>) -> Answer<Json<Paginated<EventRead>>> {
    let (offset, limit) = PageQuery { page: query.page, per_page: query.per_page }.window(PER_PAGE)?;
    let found = scope.audit_events(query.request, query.code, Page { offset, limit }).await?;
    let data = found.items.into_iter().map(EventRead::from).collect();
    Ok(Json(Paginated::new(data, found.total, limit)))
}
