//! Whether the server lives, whether it can answer, and what it is.

use crate::{State, error::Answer, openapi::Routes};
use axum::Json;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::routes;

pub(crate) fn router() -> Routes {
    Routes::default()
        .routes(routes!(health))
        .routes(routes!(healthy))
        .routes(routes!(ready))
        .routes(routes!(version))
}

#[derive(Debug, Serialize, ToSchema)]
struct Health {
    status: &'static str,
}

const OK: Health = Health { status: "ok" };

/// The program that answers.
#[derive(Debug, Serialize, ToSchema)]
struct Version {
    name: &'static str,
    version: &'static str,
}

/// Whether the server lives
///
/// Says nothing about the database; see `/ready`.
#[utoipa::path(get, path = "/health", responses((status = OK, description = "It does.", body = Health)))]
async fn health() -> Json<Health> {
    Json(OK)
}

/// As `/health`, at the place where Permit's PDP has it
#[utoipa::path(get, path = "/healthy", responses((status = OK, description = "It lives.", body = Health)))]
async fn healthy() -> Json<Health> {
    Json(OK)
}

/// Whether the server can answer
///
/// Fails while the database does not answer, and while this replica is too far behind the others.
#[utoipa::path(get, path = "/ready", responses((status = OK, description = "It can.", body = Health)))]
async fn ready(app: State) -> Answer<Json<Health>> {
    app.engine.ready().await?;
    Ok(Json(OK))
}

/// The version of the server
#[utoipa::path(get, path = "/version", responses((status = OK, description = "The version.", body = Version)))]
async fn version() -> Json<Version> {
    Json(Version { name: "askfirst", version: env!("CARGO_PKG_VERSION") })
}
