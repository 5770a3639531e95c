//! `POST /api/v1/check`: a decision with its explanation.

use crate::{App, auth::InEnv, body::Body};
use askfirst_engine::check::{Ask, Explanation};
use axum::{Json, Router, routing::post};
use serde::Deserialize;
use std::sync::Arc;

pub(super) fn router() -> Router<Arc<App>> {
    Router::new().route("/api/v1/check", post(check))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Question {
    user: String,
    action: String,
    /// `type:key`, or `type` for the resource as a whole.
    resource: String,
    tenant: Option<String>,
}

async fn check(InEnv(scope): InEnv, Body(question): Body<Question>) -> Json<Explanation> {
    let (resource, instance) = match question.resource.split_once(':') {
        Some((resource, key)) => (resource.to_owned(), Some(key.to_owned())),
        None => (question.resource, None),
    };
    let ask =
        Ask { user: question.user, action: question.action, resource, instance, tenant: question.tenant };
    Json(scope.explain(&ask))
}
