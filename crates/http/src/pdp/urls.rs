//! Questions about calls of an HTTP API: `/allowed_url`, by stored mapping rules, and `/kong`, by the server's table of
//! routes.

use super::{Allowed, Debug, Misasked, Misdirected, Nothing, User, answer, person::Person};
use crate::{State, auth::Deciding, body::Body, error::Answer};
use askfirst_domain::{facts::Attributes, url_mapping::Method};
use askfirst_engine::{
    Error, Kind,
    check::{Given, Thing},
    decisions::{self, Door},
};
use axum::Json;
use regex::Regex;
use serde::{Deserialize, Serialize};
use std::{str::FromStr, sync::Arc};
use utoipa::ToSchema;

/// May this user make this call of an HTTP API?
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = UrlAuthorizationQuery)]
pub(super) struct Query {
    #[schema(value_type = Person)]
    user: User,
    /// In upper or lower case.
    http_method: String,
    /// The whole URL, as a mapping rule has it.
    url: String,
    #[serde(default)]
    tenant: Option<String>,
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    context: Option<Attributes>,
}

/// May this user make this call?
///
/// The mapping rules of the environment's proxy configurations say which action on which resource the call is. A call that
/// no rule matches is denied.
#[utoipa::path(
    post, path = "/allowed_url", request_body = Query,
    responses(
        (status = OK, description = "The answer, be it yes or no.", body = Allowed),
        (status = MISDIRECTED_REQUEST, description = "The user is a bare text.", body = Misdirected)
    )
)]
pub(super) async fn allowed_url(
    Deciding(scope): Deciding,
    Body(query): Body<Query>,
) -> Result<Json<Allowed>, Misasked> {
    let User::Known(person) = query.user else { return Err(Misasked::FirstVersion) };
    let (user, attributes) = person.into_parts();
    let method = method(&query.http_method);
    let Some(mapped) = method.and_then(|method| scope.map_url(method, &query.url)) else {
        let reason = "No mapping rule matches this URL and HTTP method.".to_owned();
        let debug = Debug::Denied { reason, would_allow: Vec::new(), requestable: Vec::new() };
        return Ok(Json(Allowed { allow: false, query: Nothing {}, debug, result: false }));
    };
    let on = Thing { resource: mapped.resource.to_string(), instance: None, tenant: query.tenant };
    let given = Given {
        user: attributes,
        resource: mapped.attributes,
        context: query.context.unwrap_or_default(),
        ..Given::default()
    };
    Ok(Json(answer(&scope, on.asked(user, mapped.action), given, Door::Proxy)))
}

fn method(name: &str) -> Option<Method> {
    serde_json::from_value(name.to_ascii_lowercase().into()).ok()
}

/// Which resource a path that Kong asks about is: the first expression that matches from the start of the path says.
///
/// Written as JSON: `[["^/orders", "orders"], ["^/(\\w+)/", 0]]`. A text names the resource, a number the group of the
/// expression that does, counted from 0.
#[derive(Debug, Clone)]
pub struct KongRoutes(Arc<[(Regex, Named)]>);

#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
enum Named {
    Resource(String),
    Group(usize),
}

impl FromStr for KongRoutes {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let rows: Vec<(String, Named)> =
            serde_json::from_str(text).map_err(|e| format!("the table of routes does not read: {e}"))?;
        let compiled = rows.into_iter().map(|(expression, named)| {
            let read = Regex::new(&expression).map_err(|e| format!("`{expression}` does not read: {e}"))?;
            match named {
                Named::Group(group) if group + 1 >= read.captures_len() => {
                    Err(format!("`{expression}` has no group {group}"))
                }
                named => Ok((read, named)),
            }
        });
        compiled.collect::<Result<Vec<_>, _>>().map(|rows| Self(rows.into()))
    }
}

impl KongRoutes {
    fn resource(&self, path: &str) -> Option<String> {
        self.0.iter().find_map(|(expression, named)| {
            let found = expression.captures(path).filter(|c| c.get(0).is_some_and(|all| all.start() == 0))?;
            Some(match named {
                Named::Resource(name) => Some(name.clone()),
                Named::Group(group) => found.get(group + 1).map(|text| text.as_str().to_owned()),
            })
        })?
    }
}

/// What Kong's OPA plugin sends; more than this, and only this counts.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = KongAuthorizationQuery)]
pub(super) struct KongQuery {
    input: KongInput,
}

#[derive(Debug, Deserialize, ToSchema)]
struct KongInput {
    request: KongRequest,
    #[serde(default)]
    consumer: Option<Consumer>,
}

#[derive(Debug, Deserialize, ToSchema)]
struct KongRequest {
    http: KongHttp,
}

#[derive(Debug, Deserialize, ToSchema)]
struct KongHttp {
    method: String,
    path: String,
}

#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = KongConsumer)]
struct Consumer {
    username: String,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = KongAuthorizationResult)]
pub(super) struct KongAnswer {
    result: bool,
}

/// The question of Kong's OPA plugin
///
/// The consumer's name is the user, the method in lower case the action, the tenant `default`; the server's table of routes
/// says which resource the path is. A server without a table (`--kong-routes`) answers 503.
#[utoipa::path(
    post, path = "/kong", request_body = KongQuery,
    responses((status = OK, description = "The answer, be it yes or no.", body = KongAnswer))
)]
pub(super) async fn kong(
    app: State,
    Deciding(scope): Deciding,
    Body(query): Body<KongQuery>,
) -> Answer<Json<KongAnswer>> {
    let Some(routes) = &app.options.kong_routes else {
        let message = "This server answers no questions of Kong; start it with `--kong-routes FILE`.";
        return Err(Error::new(Kind::Unavailable, message).into());
    };
    let input = query.input;
    let http = input.request.http;
    let (Some(consumer), Some(resource)) = (input.consumer, routes.resource(&http.path)) else {
        return Ok(Json(KongAnswer { result: false }));
    };
    let ask = Thing { resource, instance: None, tenant: None }
        .asked(consumer.username, http.method.to_ascii_lowercase());
    let allowed = matches!(scope.decide(ask, Given::default(), Door::Proxy), decisions::Answer::Allowed);
    Ok(Json(KongAnswer { result: allowed }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_route_names_the_resource_or_the_group_that_does() {
        let routes: KongRoutes = r#"[["^/v1/orders", "order"], ["/v1/(\\w+)/(\\w+)", 1]]"#.parse().unwrap();
        assert_eq!(routes.resource("/v1/orders/7").as_deref(), Some("order"));
        assert_eq!(routes.resource("/v1/shop/cart").as_deref(), Some("cart"));
        assert_eq!(routes.resource("/x/v1/shop/cart"), None, "it has to match from the start");
    }

    #[test]
    fn a_table_that_can_not_be_meant_is_refused() {
        let refused = |text: &str| text.parse::<KongRoutes>().unwrap_err();
        assert!(refused(r#"[["^/", 0]]"#).contains("has no group 0"));
        assert!(refused(r#"[["(", "x"]]"#).contains("does not read"));
        assert!(refused(r#"{"/": "x"}"#).contains("does not read"));
    }
}
