//! `/api/v1/deliveries`: what webhooks are still to be told, and what was given up.

use crate::{
    auth::InEnv,
    error::Answer,
    listing::{PageQuery, Paginated},
    openapi::Routes,
    permit::wire::{Moment, Params},
};
use askfirst_engine::{Error, OutboxFilter, Page, Queued};
use axum::{Json, extract::Path, http::StatusCode};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::routes;
use uuid::Uuid;

const PER_PAGE: u32 = 100;

pub(super) fn router() -> Routes {
    Routes::default().routes(routes!(list)).routes(routes!(retry)).routes(routes!(remove))
}

/// How far a delivery is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = DeliveryState)]
enum State {
    Waiting,
    Dead,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Query {
    /// All of them unless said.
    state: Option<State>,
    page: Option<u32>,
    per_page: Option<u32>,
}

/// A delivery. Neither the message nor its address is shown: either may hold what its reader is not to see.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Delivery)]
struct DeliveryRead {
    /// The `webhook-id` of every attempt.
    id: Uuid,
    state: State,
    /// `webhook`, `element.webhook`, or `request.event` for the installation's webhook.
    topic: String,
    created_at: Moment,
    /// When it is to be tried; while an attempt runs, when another one may be made.
    due_at: Moment,
    /// How many attempts have failed.
    attempts: u32,
    /// Why the last one failed.
    failure: Option<String>,
    /// When it was given up.
    dead_at: Option<Moment>,
}

impl From<Queued> for DeliveryRead {
    fn from(queued: Queued) -> Self {
        Self {
            id: queued.item.id,
            state: if queued.dead_at.is_some() { State::Dead } else { State::Waiting },
            topic: queued.item.topic,
            created_at: Moment(queued.item.created_at),
            due_at: Moment(queued.due_at),
            attempts: queued.attempts,
            failure: queued.failure,
            dead_at: queued.dead_at.map(Moment),
        }
    }
}

/// List what webhooks are still to be told
///
/// In the order in which it was written. A delivery that was taken is gone.
#[utoipa::path(
    get, path = "/api/v1/deliveries", params(Query),
    responses((status = OK, description = "A page of them.", body = Paginated<DeliveryRead>))
)]
async fn list(InEnv(scope): InEnv, Params(query): Params<Query>) -> Answer<Json<Paginated<DeliveryRead>>> {
    let (offset, limit) = PageQuery { page: query.page, per_page: query.per_page }.window(PER_PAGE)?;
    let filter = match query.state {
        None => OutboxFilter::All,
        Some(State::Waiting) => OutboxFilter::Waiting,
        Some(State::Dead) => OutboxFilter::Dead,
    };
    let found = scope.deliveries(filter, Page { offset, limit }).await?;
    let data = found.items.into_iter().map(DeliveryRead::from).collect();
    Ok(Json(Paginated::new(data, found.total, limit)))
}

/// Try a delivery again that was given up
///
/// It is tried at once, and then as if it were new.
#[utoipa::path(
    post, path = "/api/v1/deliveries/{id}/retry",
    responses((status = NO_CONTENT, description = "It waits again."))
)]
async fn retry(InEnv(scope): InEnv, Path(id): Path<String>) -> Answer<StatusCode> {
    scope.retry_delivery(named(&id)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Drop a delivery that was given up
#[utoipa::path(
    delete, path = "/api/v1/deliveries/{id}",
    responses((status = NO_CONTENT, description = "It is gone."))
)]
async fn remove(InEnv(scope): InEnv, Path(id): Path<String>) -> Answer<StatusCode> {
    scope.drop_delivery(named(&id)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What is no id names nothing.
fn named(id: &str) -> Result<Uuid, Error> {
    id.parse().map_err(|_| Error::not_found("delivery that was given up", id))
}
