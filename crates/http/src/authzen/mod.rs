//! AuthZEN Authorization API 1.0: `/access/v1` and its metadata. A subject of the type `user` is a user of the environment
//! whose key is the credential; `properties.tenant` of a resource is its tenant. See `docs/authzen.md`.

mod evaluate;
mod metadata;
mod page;
mod problem;
mod read;
mod search;

use crate::App;
use axum::{
    Router,
    extract::Request,
    http::HeaderName,
    middleware::{Next, from_fn},
    response::Response,
    routing::{get, post},
};
use std::sync::Arc;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

pub(crate) fn router() -> Router<Arc<App>> {
    Router::new()
        .route(metadata::PATH, get(metadata::read))
        .route(metadata::EVALUATION, post(evaluate::evaluation))
        .route(metadata::EVALUATIONS, post(evaluate::evaluations))
        .route(metadata::SEARCH_SUBJECT, post(search::subjects))
        .route(metadata::SEARCH_RESOURCE, post(search::resources))
        .route(metadata::SEARCH_ACTION, post(search::actions))
        .layer(from_fn(echo_request_id))
}

/// Answers with the identifier that the caller gave to the request, also when the call is refused.
async fn echo_request_id(request: Request, next: Next) -> Response {
    let id = request.headers().get(&REQUEST_ID).cloned();
    let mut response = next.run(request).await;
    if let Some(id) = id {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    response
}
