//! Permit's REST API under `/v2`: one file a family of routes.

use crate::App;
use axum::Router;
use std::sync::Arc;

pub(crate) fn router() -> Router<Arc<App>> {
    Router::new()
}
