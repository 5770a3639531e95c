//! Whether the server lives, whether it can answer, and what it is.

use crate::{App, State, error::Answer};
use axum::{Json, Router, routing::get};
use serde_json::{Value, json};
use std::sync::Arc;

pub(crate) fn router() -> Router<Arc<App>> {
    Router::new()
        .route("/health", get(healthy))
        .route("/healthy", get(healthy))
        .route("/ready", get(ready))
        .route("/version", get(version))
}

async fn healthy() -> Json<Value> {
    Json(json!({"status": "ok"}))
}

async fn ready(app: State) -> Answer<Json<Value>> {
    app.engine.ready().await?;
    Ok(Json(json!({"status": "ok"})))
}

async fn version() -> Json<Value> {
    Json(json!({"name": "askfirst", "version": env!("CARGO_PKG_VERSION")}))
}
