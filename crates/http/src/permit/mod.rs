//! Permit's REST API under `/v2`: one file a family of routes.

mod access_requests;
mod audit_logs;
mod element_auth;
mod elements;
mod facts;
mod operation_approvals;
mod request_wire;
mod schema;
mod scope;
pub(crate) mod wire;

use crate::App;
use axum::Router;
use std::sync::Arc;

pub(crate) fn router() -> Router<Arc<App>> {
    Router::new()
        .merge(scope::router())
        .nest("/v2/schema/{project}/{env}", schema::routes())
        .nest("/v2/facts/{project}/{env}", facts::routes())
        .nest("/facts", facts::routes())
        .merge(elements::router())
        .merge(element_auth::router())
        .merge(access_requests::router())
        .merge(operation_approvals::router())
        .merge(audit_logs::router())
}
