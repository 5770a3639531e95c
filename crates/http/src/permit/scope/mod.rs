//! What environments stand in: `/v2/projects` and `/v2/api-key`.

mod api_keys;
mod environments;
mod projects;

use crate::App;
use axum::{
    Router,
    routing::{get, post},
};
use std::sync::Arc;

pub(crate) fn router() -> Router<Arc<App>> {
    Router::new()
        .route("/v2/projects", get(projects::list).post(projects::create))
        .route("/v2/projects/{project}", get(projects::read).patch(projects::update).delete(projects::delete))
        .route("/v2/projects/{project}/envs", get(environments::list).post(environments::create))
        .route(
            "/v2/projects/{project}/envs/{env}",
            get(environments::read).patch(environments::update).delete(environments::delete),
        )
        .route("/v2/projects/{project}/envs/{env}/stats", get(environments::stats))
        .route("/v2/projects/{project}/envs/{env}/copy", post(environments::copy))
        .route("/v2/api-key", get(api_keys::list).post(api_keys::create))
        .route("/v2/api-key/scope", get(api_keys::scope))
        .route("/v2/api-key/{key}", get(api_keys::read).delete(api_keys::delete))
        .route("/v2/api-key/{key}/rotate-secret", post(api_keys::rotate))
        .route("/v2/api-key/{project}/{env}", get(api_keys::of_environment))
}
