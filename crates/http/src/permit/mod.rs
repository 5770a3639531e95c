//! Permit's REST API under `/v2`: one file a family of routes.

mod access_requests;
mod element_auth;
mod elements;
mod operation_approvals;
mod request_wire;
mod schema;
pub(crate) mod wire;

use crate::App;
use axum::Router;
use std::sync::Arc;

pub(crate) fn router() -> Router<Arc<App>> {
    Router::new()
        .nest("/v2/schema/{project}/{env}", schema::routes())
        .merge(elements::router())
        .merge(element_auth::router())
        .merge(access_requests::router())
        .merge(operation_approvals::router())
}
