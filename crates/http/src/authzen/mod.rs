//! AuthZEN Authorization API 1.0 and its Access Request and Approval Profile: `/access/v1` and its metadata. A subject of the type `user` is a user of the environment
//! whose key is the credential; `properties.tenant` of a resource is its tenant. See `docs/authzen.md`.

#[expect(dead_code, reason = "these types say how calls look and are never made")]
mod described;
mod evaluate;
mod forms;
mod keys;
mod metadata;
mod offer;
mod page;
mod problem;
mod read;
mod requests;
mod search;
mod submission;

use crate::openapi::Routes;
use axum::{
    extract::Request,
    http::HeaderName,
    middleware::{Next, from_fn},
    response::Response,
};
use utoipa_axum::routes;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

pub(crate) fn router() -> Routes {
    Routes::default()
        .routes(routes!(metadata::read))
        .routes(routes!(evaluate::evaluation))
        .routes(routes!(evaluate::evaluations))
        .routes(routes!(search::subjects))
        .routes(routes!(search::resources))
        .routes(routes!(search::actions))
        .routes(routes!(keys::read))
        .routes(routes!(requests::submit))
        .routes(routes!(requests::read))
        .routes(routes!(requests::cancel))
        .routes(routes!(forms::schema))
        .routes(routes!(forms::catalogs))
        .routes(routes!(forms::roles))
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
