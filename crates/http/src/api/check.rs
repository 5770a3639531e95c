//! `POST /api/v1/check`: a decision with its explanation.

use crate::{App, auth::Deciding, body::Body};
use askfirst_domain::{RevisionToken, facts::Attributes};
use askfirst_engine::{
    check::{Ask, Explanation, Given},
    decisions::Door,
};
use axum::{Json, Router, routing::post};
use serde::{Deserialize, Serialize};
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

/// The decision, and the revision that it was made at, once more in the form that a later call may demand.
#[derive(Debug, Serialize)]
struct Told {
    #[serde(flatten)]
    explanation: Explanation,
    revision_token: RevisionToken,
}

async fn check(Deciding(scope): Deciding, Body(question): Body<Question>) -> Json<Told> {
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
    let explanation = scope.decide_explained(ask, given, Door::Api);
    Json(Told { explanation, revision_token: scope.trail().decided() })
}
