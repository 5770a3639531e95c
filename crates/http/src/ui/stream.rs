//! `GET /inbox/stream`: what happens to the requests that the signed-in person may see, for their open pages.

use super::{
    page::{Page, Shown},
    session::{Presented, Reviewer},
};
use crate::{State, sse};
use askfirst_domain::id::RequestId;
use askfirst_engine::audit::Told;
use axum::{http::HeaderMap, response::sse::Event};
use serde::Serialize;

/// Where to look, and no more.
#[derive(Debug, Serialize)]
struct Notice {
    request: RequestId,
    /// Whether it waits for this person.
    waits: bool,
}

pub(super) async fn stream(
    axum::extract::State(app): State,
    Reviewer(_): Reviewer,
    Presented(session): Presented,
    headers: HeaderMap,
) -> Page {
    let after = sse::place(&headers, None).map_err(Shown::from)?;
    let follow = app.engine.follow_as_person(session, after).await?;
    Ok(sse::answer(&app, follow, notices))
}

fn notices(told: Told) -> Vec<Event> {
    let Told::Notices(notices) = told else { return Vec::new() };
    let event = |n, notice: &Notice| sse::event(n, "request", notice);
    notices
        .into_iter()
        .map(|told| event(told.n, &Notice { request: told.request.id, waits: told.waits }))
        .collect()
}
