//! `/api/v1/policy`: the policy as a file. `GET` writes one, `PUT` applies one, `POST .../plan` says what that would change,
//! `POST .../replay` asks recorded questions of what it would come to.
//!
//! A file comes as a text, with what is to be done with it in the query; or in the member `file` of a JSON object, the only
//! way to give tokens of webhooks along.

use crate::{
    App,
    auth::InEnv,
    body::Body,
    error::{Answer, Failure},
    openapi::{AppliedShape, PlanShape, ReplayShape, Routes},
    permit::wire::{Moment, Params},
};
use askfirst_engine::{
    Error, Kind,
    decisions::DecisionFilter,
    policy::{Applied, ApplyError, Diagnostic, PolicyPlan, PolicyText, Prune, Replay},
};
use axum::{
    Json,
    extract::{DefaultBodyLimit, FromRequest, FromRequestParts as _, Request},
    http::header::{CONTENT_TYPE, HeaderName},
    response::IntoResponse,
};
use serde::Deserialize;
use serde_json::{Value, json};
use std::{collections::BTreeMap, sync::Arc};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::routes;

/// How many recorded decisions are asked again, unless it is said, and at most.
const REPLAYED: u64 = 100_000;
const MOST_REPLAYED: u64 = 10_000_000;
/// The longest file, in bytes: it may hold all facts of an environment.
const MAX_FILE: usize = 64 * 1024 * 1024;

pub(super) fn router() -> Routes {
    Routes::default()
        .routes(routes!(export, apply))
        .routes(routes!(plan))
        .routes(routes!(replay))
        .layer(DefaultBodyLimit::max(MAX_FILE))
}

/// What is taken away that the file does not name: nothing, what the policy has, or that and facts.
#[derive(Debug, Clone, Copy, Default, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = PolicyPrune)]
enum Pruned {
    #[default]
    Nothing,
    Policy,
    All,
}

impl From<Pruned> for Prune {
    fn from(pruned: Pruned) -> Self {
        match pruned {
            Pruned::Nothing => Self::Nothing,
            Pruned::Policy => Self::Policy,
            Pruned::All => Self::All,
        }
    }
}

/// What is to be done with a file.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Wish {
    /// `nothing` unless said.
    #[serde(default)]
    prune: Pruned,
    /// The token of the plan that is to be carried out.
    plan: Option<String>,
    /// Of recorded decisions: not before this moment.
    from: Option<Moment>,
    /// Of recorded decisions: not after this moment.
    to: Option<Moment>,
    /// Of recorded decisions: how many, the newest; 100,000 unless said.
    limit: Option<u64>,
}

/// A file and what is to be done with it.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PolicyFile)]
struct Wrapped {
    /// The file's text.
    file: String,
    /// `nothing` unless said.
    #[serde(default)]
    prune: Pruned,
    /// The token of the plan that is to be carried out.
    plan: Option<String>,
    /// Of recorded decisions: not before this moment.
    from: Option<Moment>,
    /// Of recorded decisions: not after this moment.
    to: Option<Moment>,
    /// Of recorded decisions: how many, the newest.
    limit: Option<u64>,
    /// Tokens of webhooks, by the names under which the file asks for them.
    #[serde(default)]
    secrets: BTreeMap<String, String>,
}

/// A file and what is to be done with it, in either way of writing it.
struct Sent {
    text: PolicyText,
    wish: Wish,
}

impl FromRequest<Arc<App>> for Sent {
    type Rejection = axum::response::Response;
    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, Self::Rejection> {
        let is_json = request
            .headers()
            .get(CONTENT_TYPE)
            .and_then(|kind| kind.to_str().ok())
            .is_some_and(|kind| kind.starts_with("application/json"));
        if is_json {
            let Body(Wrapped { file, prune, plan, from, to, limit, secrets }) =
                Body::<Wrapped>::from_request(request, app).await.map_err(IntoResponse::into_response)?;
            let text = PolicyText { text: file, prune: prune.into(), secrets, plan: plan.clone() };
            return Ok(Self { text, wish: Wish { prune, plan, from, to, limit } });
        }
        let (mut parts, body) = request.into_parts();
        let Params(wish): Params<Wish> =
            Params::from_request_parts(&mut parts, app).await.map_err(IntoResponse::into_response)?;
        let request = Request::from_parts(parts, body);
        let text = String::from_request(request, app).await.map_err(|rejection| {
            if rejection.status() == axum::http::StatusCode::PAYLOAD_TOO_LARGE {
                let message = format!("A policy file may have {} MB at most.", MAX_FILE / (1024 * 1024));
                Failure::from(Error::new(Kind::TooLarge, message)).into_response()
            } else {
                let message = "A policy file is a text in UTF-8; send it as the body.";
                Failure::from(Error::invalid(message)).into_response()
            }
        })?;
        let text =
            PolicyText { text, prune: wish.prune.into(), secrets: BTreeMap::new(), plan: wish.plan.clone() };
        Ok(Self { text, wish })
    }
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Wanted {
    /// Whether users, tenants, instances, tuples and assignments are wanted as well.
    #[serde(default)]
    facts: bool,
}

/// The policy as a file
#[utoipa::path(
    get, path = "/api/v1/policy", params(Wanted),
    responses((status = OK, description = "The file.", body = Object, content_type = "application/yaml"))
)]
async fn export(InEnv(scope): InEnv, Params(wanted): Params<Wanted>) -> Answer<impl IntoResponse> {
    let exported = if wanted.facts { scope.export_policy_with_facts().await? } else { scope.export_policy() };
    let headers: [(HeaderName, &str); 1] = [(CONTENT_TYPE, "application/yaml")];
    Ok((headers, exported.text))
}

/// Apply a policy file
///
/// All of it or nothing. With the token of a plan, exactly what the plan says or nothing. In a JSON body, what is to be done
/// with the file stands beside it and the query does not count.
#[utoipa::path(
    put, path = "/api/v1/policy", params(Wish),
    request_body(content((Object = "application/yaml"), (Wrapped = "application/json"))),
    responses((status = OK, description = "What was done.", body = AppliedShape))
)]
async fn apply(InEnv(scope): InEnv, Sent { text, .. }: Sent) -> Answer<Json<Applied>> {
    scope.apply_policy_file(&text).await.map(Json).map_err(refused)
}

/// What applying a policy file would change, and which decisions
#[utoipa::path(
    post, path = "/api/v1/policy/plan", params(Wish),
    request_body(content((Object = "application/yaml"), (Wrapped = "application/json"))),
    responses((status = OK, description = "The plan.", body = PlanShape))
)]
async fn plan(InEnv(scope): InEnv, Sent { text, .. }: Sent) -> Answer<Json<PolicyPlan>> {
    scope.plan_policy(&text).await.map(Json).map_err(refused)
}

/// What a policy file would have answered to recorded questions
///
/// Writes nothing. At most 10,000,000 decisions.
#[utoipa::path(
    post, path = "/api/v1/policy/replay", params(Wish),
    request_body(content((Object = "application/yaml"), (Wrapped = "application/json"))),
    responses((status = OK, description = "What came of it.", body = ReplayShape))
)]
async fn replay(InEnv(scope): InEnv, Sent { text, wish }: Sent) -> Answer<Json<Replay>> {
    let filter = DecisionFilter {
        from: wish.from.map(|moment| moment.0),
        to: wish.to.map(|moment| moment.0),
        ..DecisionFilter::default()
    };
    let limit = wish.limit.unwrap_or(REPLAYED).min(MOST_REPLAYED);
    scope.replay_policy(&text, filter, limit).await.map(Json).map_err(refused)
}

fn refused(error: ApplyError) -> Failure {
    match error {
        ApplyError::Failed(error) => error.into(),
        ApplyError::File(diagnostics) => wrong(&diagnostics),
    }
}

/// Every place that is wrong, in `additional_info.diagnostics`; the first of them in the sentence.
fn wrong(diagnostics: &[Diagnostic]) -> Failure {
    let places: Vec<Value> = diagnostics
        .iter()
        .map(|d| json!({"line": d.line, "column": d.column, "message": d.message, "hint": d.hint}))
        .collect();
    let first = diagnostics.first().map(ToString::to_string).unwrap_or_default();
    let message = match diagnostics.len() {
        1 => format!("The policy file is wrong at {first}"),
        n => format!("The policy file is wrong in {n} places, first at {first}"),
    };
    Failure::with_info(Error::invalid(message), json!({"diagnostics": places}))
}
