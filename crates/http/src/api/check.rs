//! `POST /api/v1/check`: a decision with its explanation.

use crate::{
    auth::Deciding,
    body::Body,
    openapi::{ExplanationShape, Routes},
    permit::wire::Text,
};
use askfirst_domain::{RevisionToken, facts::Attributes};
use askfirst_engine::{
    check::{Ask, Explanation, Given},
    decisions::Door,
};
use axum::Json;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::routes;

pub(super) fn router() -> Routes {
    Routes::default().routes(routes!(check))
}

/// May this user do this?
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CheckQuestion)]
struct Question {
    /// The key of the user.
    user: String,
    /// The agent that is to do it for them, as you have authenticated it: key or id. It is allowed when both may.
    #[serde(default)]
    agent: Option<Text>,
    action: String,
    /// `type:key`, or `type` for the resource as a whole.
    resource: String,
    /// The instance's own, or `default`, unless said.
    tenant: Option<String>,
    /// Attributes that conditions see before the stored ones.
    #[serde(default)]
    #[schema(value_type = Object)]
    user_attributes: Attributes,
    #[serde(default)]
    #[schema(value_type = Object)]
    resource_attributes: Attributes,
    #[serde(default)]
    #[schema(value_type = Object)]
    context: Attributes,
}

/// The decision, and the revision that it was made at, once more in the form that a later call may demand.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CheckAnswer)]
struct Told {
    #[serde(flatten)]
    #[schema(value_type = ExplanationShape)]
    explanation: Explanation,
    #[schema(value_type = String)]
    revision_token: RevisionToken,
}

/// May this user do this, and why?
///
/// The whole explanation: the chain of roles that allows it, or what is missing, which roles may be asked for, and every
/// rule over condition sets that was asked, with the values that it saw.
#[utoipa::path(
    post, path = "/api/v1/check", request_body = Question,
    responses((status = OK, description = "The decision, be it yes or no.", body = Told))
)]
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
        agent: question.agent.map(|agent| agent.0),
        ..Given::default()
    };
    let explanation = scope.decide_explained(ask, given, Door::Api);
    Json(Told { explanation, revision_token: scope.trail().decided() })
}
