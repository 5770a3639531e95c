//! The decision point as Permit's SDKs ask it: `POST /allowed` and `POST /allowed/bulk`.

use crate::{
    App, State,
    auth::InEnv,
    body::Body,
    error::{Answer, Failure},
};
use askfirst_domain::decision::Decision;
use askfirst_engine::{
    EnvScope, Error, Kind,
    check::{Ask, Requestable},
};
use axum::{Json, Router, http::StatusCode, response::IntoResponse, routing::post};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// The most questions in one bulk call.
const MAX_BULK: usize = 10_000;

pub(crate) fn router() -> Router<Arc<App>> {
    Router::new().route("/allowed", post(allowed)).route("/allowed/bulk", post(bulk))
}

/// `AuthorizationQuery`. Attributes and context take part once the policy has conditions.
#[derive(Debug, Deserialize)]
struct Query {
    user: User,
    action: String,
    resource: Resource,
}

/// The user, or, in the API's first version, just a key: told apart to answer as Permit does.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum User {
    Known { key: String },
    FirstVersion(#[expect(dead_code, reason = "only its shape matters")] String),
}

#[derive(Debug, Deserialize)]
struct Resource {
    #[serde(rename = "type")]
    kind: String,
    key: Option<Value>,
    tenant: Option<String>,
    #[serde(default)]
    context: Option<Map<String, Value>>,
}

/// `{allow, query, debug, result}`; `result` repeats `allow` for old clients.
#[derive(Debug, Serialize)]
struct Allowed {
    allow: bool,
    query: Map<String, Value>,
    debug: Debug,
    result: bool,
}

/// Empty for an Allow. For a Deny, why, and which roles would do; whoever holds the key may know.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Debug {
    Nothing(Map<String, Value>),
    Denied { reason: String, would_allow: Vec<String>, requestable: Vec<Requestable> },
}

/// A question that can't be answered.
enum Misasked {
    FirstVersion,
    Failure(Failure),
}

impl IntoResponse for Misasked {
    fn into_response(self) -> axum::response::Response {
        match self {
            // Permit's PDP answers so, and its SDKs know it.
            Self::FirstVersion => (
                StatusCode::MISDIRECTED_REQUEST,
                Json(json!({"detail": "Write the user as an object with a `key`, as in {\"user\": {\"key\": \"joe\"}}."})),
            )
                .into_response(),
            Self::Failure(failure) => failure.into_response(),
        }
    }
}

async fn allowed(InEnv(scope): InEnv, Body(query): Body<Query>) -> Result<Json<Allowed>, Misasked> {
    decide(&scope, query).map(Json)
}

async fn bulk(
    _: State,
    InEnv(scope): InEnv,
    Body(queries): Body<Vec<Query>>,
) -> Result<Json<Value>, Misasked> {
    if queries.len() > MAX_BULK {
        let message = format!("A bulk check takes {MAX_BULK} questions at most; this has {}.", queries.len());
        return Err(Misasked::Failure(Error::new(Kind::TooLarge, message).into()));
    }
    let answers: Result<Vec<Allowed>, Misasked> = queries.into_iter().map(|q| decide(&scope, q)).collect();
    Ok(Json(json!({"allow": answers?})))
}

fn decide(scope: &EnvScope, query: Query) -> Result<Allowed, Misasked> {
    let User::Known { key: user } = query.user else { return Err(Misasked::FirstVersion) };
    let ask = ask(user, query.action, query.resource).map_err(Misasked::Failure)?;
    let allow = scope.is_allowed(&ask);
    let debug = if allow { Debug::Nothing(Map::new()) } else { denied(scope, &ask) };
    Ok(Allowed { allow, query: Map::new(), debug, result: allow })
}

fn denied(scope: &EnvScope, ask: &Ask) -> Debug {
    let explained = scope.explain(ask);
    let would_allow = match &explained.decision {
        Decision::Deny(denial) => denial.would_allow.iter().map(ToString::to_string).collect(),
        // Written meanwhile: the answer stands as it was given.
        Decision::Allow(_) => return Debug::Nothing(Map::new()),
    };
    Debug::Denied { reason: explained.sentence, would_allow, requestable: explained.requestable }
}

fn ask(user: String, action: String, resource: Resource) -> Answer<Ask> {
    let instance = match resource.key {
        None | Some(Value::Null) => None,
        Some(Value::String(key)) => Some(key),
        Some(Value::Number(key)) => Some(key.to_string()),
        Some(_) => return Err(Error::invalid("`resource.key` is a text, the key of the instance.").into()),
    };
    // The SDKs put the tenant into the context as well; the member itself comes first.
    let in_context = || Some(resource.context.as_ref()?.get("tenant")?.as_str()?.to_owned());
    let tenant = resource.tenant.clone().or_else(in_context);
    Ok(Ask { user, action, resource: resource.kind, instance, tenant })
}
