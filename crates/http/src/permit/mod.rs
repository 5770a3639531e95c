//! Permit's REST API under `/v2`: one file a family of routes.

mod schema;
pub(crate) mod wire;

use crate::App;
use axum::Router;
use std::sync::Arc;

pub(crate) fn router() -> Router<Arc<App>> {
    Router::new().nest("/v2/schema/{project}/{env}", schema::routes())
}
