//! The decision point as Permit's SDKs ask it: `POST /allowed`, and the questions around it.

mod lists;
mod person;
mod query;
mod urls;

pub use urls::KongRoutes;

use crate::{
    App, State,
    auth::Deciding,
    body::Body,
    error::{Answer, Failure},
};
use askfirst_domain::{decision::Decision, facts::Attributes};
use askfirst_engine::{
    EnvScope, Error, Kind,
    check::{Ask, Explanation, Given, Requestable, Thing},
    decisions::{self, Door},
};
use axum::{
    Json, Router,
    http::{HeaderMap, StatusCode},
    response::IntoResponse,
    routing::{get, post},
};
use person::User;
use query::Resource;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::sync::Arc;

/// The most questions in one bulk call.
const MAX_BULK: usize = 10_000;

pub(crate) fn router() -> Router<Arc<App>> {
    Router::new()
        .route("/allowed", post(allowed))
        .route("/allowed/bulk", post(bulk))
        .route("/allowed/all-tenants", post(lists::all_tenants))
        .route("/allowed_url", post(urls::allowed_url))
        .route("/nginx_allowed", post(nginx))
        .route("/kong", post(urls::kong))
        .route("/user-permissions", post(lists::user_permissions))
        .route("/user-tenants", post(lists::user_tenants))
        .route("/authorized_users", post(lists::authorized_users))
        .route("/local/role_assignments", get(lists::role_assignments))
}

/// `AuthorizationQuery`. Attributes go before stored ones in conditions.
#[derive(Debug, Deserialize)]
struct Query {
    user: User,
    action: String,
    resource: Resource,
    #[serde(default)]
    context: Option<Attributes>,
}

/// `{allow, query, debug, result}`; `result` repeats `allow` for old clients.
#[derive(Debug, Serialize)]
struct Allowed {
    allow: bool,
    query: Nothing,
    debug: Debug,
    result: bool,
}

/// An object without members.
#[derive(Debug, Serialize)]
struct Nothing {}

/// The answers to many questions, in their order.
#[derive(Debug, Serialize)]
struct AllowedEach {
    allow: Vec<Allowed>,
}

/// Empty for an Allow. For a Deny, why, and which roles would do; whoever holds the key may know.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Debug {
    Nothing(Nothing),
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

async fn allowed(Deciding(scope): Deciding, Body(query): Body<Query>) -> Result<Json<Allowed>, Misasked> {
    decide(&scope, query).map(Json)
}

async fn bulk(
    _: State,
    Deciding(scope): Deciding,
    Body(queries): Body<Vec<Query>>,
) -> Result<Json<AllowedEach>, Misasked> {
    if queries.len() > MAX_BULK {
        let message = format!("A bulk check takes {MAX_BULK} questions at most; this has {}.", queries.len());
        return Err(Misasked::Failure(Error::new(Kind::TooLarge, message).into()));
    }
    let allow: Result<Vec<Allowed>, Misasked> = queries.into_iter().map(|q| decide(&scope, q)).collect();
    Ok(Json(AllowedEach { allow: allow? }))
}

/// The question of an nginx location, in headers.
async fn nginx(Deciding(scope): Deciding, headers: HeaderMap) -> Answer<Json<Allowed>> {
    let said = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let needed = |name: &str| {
        said(name).ok_or_else(|| Error::invalid(format!("Send the header `{name}`, as readable text.")))
    };
    let on =
        Thing { resource: needed("permit-resource-type")?, instance: None, tenant: said("permit-tenant-id") };
    let ask = on.asked(needed("permit-user-key")?, needed("permit-action")?);
    Ok(Json(answer(&scope, ask, Given::default(), Door::Proxy)))
}

fn decide(scope: &EnvScope, query: Query) -> Result<Allowed, Misasked> {
    let User::Known(person) = query.user else { return Err(Misasked::FirstVersion) };
    let (user, attributes) = person.into_parts();
    let mut resource = query.resource;
    let given = Given {
        user: attributes,
        resource: resource.attributes.take().unwrap_or_default(),
        context: query.context.unwrap_or_default(),
        ..Given::default()
    };
    let on = resource.thing().map_err(Misasked::Failure)?;
    Ok(answer(scope, on.asked(user, query.action), given, Door::Pdp))
}

fn answer(scope: &EnvScope, ask: Ask, given: Given, door: Door) -> Allowed {
    match scope.decide(ask, given, door) {
        decisions::Answer::Allowed => {
            Allowed { allow: true, query: Nothing {}, debug: Debug::Nothing(Nothing {}), result: true }
        }
        decisions::Answer::Denied(explained) => {
            Allowed { allow: false, query: Nothing {}, debug: denied(*explained), result: false }
        }
    }
}

fn denied(explained: Explanation) -> Debug {
    let would_allow = match &explained.decision {
        Decision::Deny(denial) => denial.would_allow.iter().map(ToString::to_string).collect(),
        Decision::Allow(_) => Vec::new(),
    };
    Debug::Denied { reason: explained.sentence, would_allow, requestable: explained.requestable }
}
