//! `GET /.well-known/authzen-configuration`: where the decision point is and what it serves. Open to everybody.

use crate::State;
use askfirst_engine::authzen::REQUESTS;
use axum::Json;
use serde::Serialize;
use utoipa::ToSchema;

pub(super) const PATH: &str = "/.well-known/authzen-configuration";
pub(super) const EVALUATION: &str = "/access/v1/evaluation";
pub(super) const EVALUATIONS: &str = "/access/v1/evaluations";
pub(super) const SEARCH_SUBJECT: &str = "/access/v1/search/subject";
pub(super) const SEARCH_RESOURCE: &str = "/access/v1/search/resource";
pub(super) const JWKS: &str = "/.well-known/jwks.json";
pub(super) const SEARCH_ACTION: &str = "/access/v1/search/action";

/// What a client of the Access Request and Approval Profile looks for.
const ACCESS_REQUEST: &str = "urn:openid:authzen:capability:access-request";

/// The decision point and its endpoints, as URLs.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AuthZenMetadata)]
pub(super) struct Metadata {
    policy_decision_point: String,
    access_evaluation_endpoint: String,
    access_evaluations_endpoint: String,
    search_subject_endpoint: String,
    search_resource_endpoint: String,
    search_action_endpoint: String,
    access_request_endpoint: String,
    /// The keys of the tokens that are signed here.
    jwks_uri: String,
    capabilities: [&'static str; 1],
}

/// Where the decision point is and what it serves
#[utoipa::path(
    get, path = PATH, responses((status = OK, description = "The endpoints.", body = Metadata))
)]
pub(super) async fn read(axum::extract::State(app): State) -> Json<Metadata> {
    let base = app.engine.settings().public_url.as_str();
    let at = |path: &str| format!("{base}{path}");
    Json(Metadata {
        policy_decision_point: base.to_owned(),
        access_evaluation_endpoint: at(EVALUATION),
        access_evaluations_endpoint: at(EVALUATIONS),
        search_subject_endpoint: at(SEARCH_SUBJECT),
        search_resource_endpoint: at(SEARCH_RESOURCE),
        search_action_endpoint: at(SEARCH_ACTION),
        access_request_endpoint: at(REQUESTS),
        jwks_uri: at(JWKS),
        capabilities: [ACCESS_REQUEST],
    })
}
