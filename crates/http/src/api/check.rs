//! `POST /api/v1/check`: a decision with its explanation.

use crate::{App, auth::InEnv, body::Body};
use askfirst_domain::facts::Attributes;
use askfirst_engine::check::{Ask, Explanation, Given};
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
    /// Attributes that conditions see before the stored ones.
    #[serde(default)]
    user_attributes: Attributes,
    #[serde(default)]
    resource_attributes: Attributes,
    #[serde(default)]
    context: Attributes,
}

async fn check(InEnv(scope): InEnv, Body(question): Body<Question>) -> Json<Explanation> {
    let (resource, instance) = match question.resource.split_once(':') {
        Some((resource, key)) => (resource.to_owned(), Some(key.to_owned())),
        None => (question.resource, None),
    };
    let ask =
        Ask { user: question.user, action: question.action, resource, instance, tenant: question.tenant };
    let given = Given {
        user: question.user_attributes,
        resource: question.resource_attributes,
        context: question.context,
        ..Given::default()
    };
    Json(scope.explain_with(&ask, &given))
}
