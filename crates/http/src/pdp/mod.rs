//! The decision point as Permit's SDKs ask it: `POST /allowed`, and the questions around it.

mod lists;
mod person;
mod query;
mod urls;

pub use urls::KongRoutes;

use crate::{
    State,
    auth::Deciding,
    body::{self, Body},
    error::{Answer, Failure},
    openapi::{RequestableShape, Routes},
};
use askfirst_domain::{decision::Decision, facts::Attributes};
use askfirst_engine::{
    EnvScope, Error, Kind,
    check::{Ask, Explanation, Given, Requestable, Thing},
    decisions::{self, Door},
};
use axum::{
    Json,
    body::Bytes,
    http::{HeaderMap, StatusCode},
    response::IntoResponse,
};
use person::{Person, User};
use query::Resource;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::routes;

/// The most questions in one bulk call.
const MAX_BULK: usize = 10_000;

pub(crate) fn router() -> Routes {
    Routes::default()
        .routes(routes!(allowed))
        .routes(routes!(bulk))
        .routes(routes!(lists::all_tenants))
        .routes(routes!(urls::allowed_url))
        .routes(routes!(nginx))
        .routes(routes!(urls::kong))
        .routes(routes!(lists::user_permissions))
        .routes(routes!(lists::user_tenants))
        .routes(routes!(lists::authorized_users))
        .routes(routes!(lists::role_assignments))
}

/// May this user do this to that? Attributes that are given go before stored ones in conditions.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = AuthorizationQuery)]
struct Query {
    #[schema(value_type = Person)]
    user: User,
    /// The key of an action of the resource.
    action: String,
    resource: Resource,
    /// What conditions see as `context`.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    context: Option<Attributes>,
}

/// The answer; `result` repeats `allow` for old clients.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AuthorizationResult)]
struct Allowed {
    allow: bool,
    #[schema(inline)]
    query: Nothing,
    #[schema(inline)]
    debug: Debug,
    result: bool,
}

/// An object without members.
#[derive(Debug, Serialize, ToSchema)]
#[schema(max_properties = 0)]
struct Nothing {}

/// The answers to many questions, in their order.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = BulkAuthorizationResult)]
struct AllowedEach {
    allow: Vec<Allowed>,
}

/// Empty for an Allow. For a Deny, why, and which roles would do; whoever holds the key may know.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
#[schema(as = AuthorizationDebug)]
enum Debug {
    Denied {
        /// One or two sentences.
        reason: String,
        /// Roles, as `type:key#role` or `role in tenant key`.
        would_allow: Vec<String>,
        /// Which of them may be asked for, where and from whom.
        #[schema(value_type = Vec<RequestableShape>)]
        requestable: Vec<Requestable>,
    },
    Nothing(Nothing),
}

/// Permit's PDP answers so to the first version of its API, and its SDKs know it.
#[derive(Debug, Serialize, ToSchema)]
struct Misdirected {
    detail: &'static str,
}

const MISDIRECTED: Misdirected =
    Misdirected { detail: "Write the user as an object with a `key`, as in {\"user\": {\"key\": \"joe\"}}." };

/// A question that can't be answered.
enum Misasked {
    FirstVersion,
    Failure(Failure),
}

impl IntoResponse for Misasked {
    fn into_response(self) -> axum::response::Response {
        match self {
            Self::FirstVersion => (StatusCode::MISDIRECTED_REQUEST, Json(MISDIRECTED)).into_response(),
            Self::Failure(failure) => failure.into_response(),
        }
    }
}

/// May this user do this?
///
/// A denial says why, which roles would allow it, and which of them may be asked for.
#[utoipa::path(
    post, path = "/allowed", request_body = Query,
    responses(
        (status = OK, description = "The answer, be it yes or no.", body = Allowed),
        (status = MISDIRECTED_REQUEST, description = "The user is a bare text.", body = Misdirected)
    )
)]
async fn allowed(Deciding(scope): Deciding, Body(query): Body<Query>) -> Result<Json<Allowed>, Misasked> {
    decide(&scope, query).map(Json)
}

/// Many questions at once
///
/// At most 10,000; the answers have their order.
#[utoipa::path(
    post, path = "/allowed/bulk", request_body = Vec<Query>,
    responses(
        (status = OK, description = "An answer for each.", body = AllowedEach),
        (status = MISDIRECTED_REQUEST, description = "A user is a bare text.", body = Misdirected)
    )
)]
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

/// The question of an nginx location, in headers
#[utoipa::path(
    post, path = "/nginx_allowed",
    params(
        ("permit-user-key" = String, Header, description = "The key of the user."),
        ("permit-action" = String, Header, description = "The key of the action."),
        ("permit-resource-type" = String, Header, description = "The key of the resource."),
        ("permit-tenant-id" = Option<String>, Header, description = "The key of the tenant; `default` unless said.")
    ),
    responses((status = OK, description = "The answer, be it yes or no.", body = Allowed))
)]
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

/// An Allow as it is written; what a test holds against [`Allowed`].
const ALLOWED: &str = r#"{"allow":true,"query":{},"debug":{},"result":true}"#;

/// The answer to the question in a body, as it is written; none for one that does not read or can't be answered.
pub(crate) fn answered(scope: &EnvScope, question: &[u8]) -> Option<Bytes> {
    let answer = decide(scope, body::parse(question).ok()?).ok()?;
    if answer.allow {
        return Some(Bytes::from_static(ALLOWED.as_bytes()));
    }
    serde_json::to_vec(&answer).ok().map(Bytes::from)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_allow_is_written_as_it_would_be() {
        let allowed =
            Allowed { allow: true, query: Nothing {}, debug: Debug::Nothing(Nothing {}), result: true };
        assert_eq!(serde_json::to_string(&allowed).unwrap(), ALLOWED);
    }
}
