//! `GET /api/v1/stream`: what happens, while it happens.

use super::audit::EventRead;
use crate::{
    State,
    auth::{InEnv, Presented},
    error::Answer,
    openapi::{IdShape, Routes},
    permit::wire::Params,
    sse,
};
use askfirst_domain::id::RequestId;
use askfirst_engine::audit::{EventFilter, Told};
use axum::{
    http::HeaderMap,
    response::{Response, sse::Event},
};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::routes;

pub(super) fn router() -> Routes {
    Routes::default().routes(routes!(stream))
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Query {
    /// The id of a request: what happens to it and nothing else.
    #[param(value_type = Option<IdShape>)]
    request: Option<RequestId>,
    /// A code such as `request.approved`, or the part before the dot.
    code: Option<String>,
    /// Begins after this event of the audit log; without it, and without `Last-Event-ID`, with what happens from now on.
    after: Option<u64>,
}

/// What happens in the environment, while it happens
///
/// Server-sent events: the audit log from a place in it, and then for as long as the connection holds. The name of an event is its
/// code, its `id` its number in the log; whoever comes back with `Last-Event-ID` misses nothing. While nothing happens, a comment
/// comes every 15 seconds. The last event is named `end` and says why.
#[utoipa::path(
    get, path = "/api/v1/stream", params(Query),
    responses((status = OK, description = "The events; the data of each is as described.", content_type = "text/event-stream", body = EventRead))
)]
async fn stream(
    axum::extract::State(app): State,
    InEnv(_): InEnv,
    Presented(key): Presented,
    Params(query): Params<Query>,
    headers: HeaderMap,
) -> Answer<Response> {
    let after = sse::place(&headers, query.after)?;
    let filter = EventFilter { request: query.request, code: query.code };
    let follow = app.engine.follow(key, after, filter).await?;
    Ok(sse::answer(&app, follow, events))
}

fn events(told: Told) -> Vec<Event> {
    let Told::Events(news) = told else { return Vec::new() };
    news.into_iter()
        .map(|news| {
            let told = EventRead::from(news);
            sse::event(told.n(), told.code(), &told)
        })
        .collect()
}
