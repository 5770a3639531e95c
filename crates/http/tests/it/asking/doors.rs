//! Every route without a credential, with a wrong one, with another environment's, and with one of the wrong kind.

use super::{family, session};
use crate::support::Server;
use serde_json::{Value, json};

const ID: &str = "018f0000-0000-7000-8000-000000000000";

/// Routes that an API key opens and that name the environment.
fn by_key() -> Vec<(&'static str, String)> {
    let server = "/v2/facts/default/dev/access_requests/e/user/u/tenant/t";
    let config = "/v2/elements/default/dev/config";
    let mut routes = request_routes(server);
    routes.extend([
        ("GET", config.to_owned()),
        ("POST", config.to_owned()),
        ("GET", format!("{config}/e")),
        ("PATCH", format!("{config}/e")),
        ("DELETE", format!("{config}/e")),
        ("DELETE", "/v2/elements/default/dev/e".to_owned()),
    ]);
    routes
}

/// Routes of element sessions that name the environment.
fn by_session() -> Vec<(&'static str, String)> {
    let config = "/v2/elements/default/dev/config/restaurant-requests";
    let mut routes = request_routes(&format!("{config}/access_requests"));
    routes.extend(request_routes(&format!("{config}/operation_approval")));
    routes.push(("GET", format!("{config}/runtime")));
    routes
}

fn request_routes(base: &str) -> Vec<(&'static str, String)> {
    let mut routes =
        vec![("GET", base.to_owned()), ("POST", base.to_owned()), ("GET", format!("{base}/{ID}"))];
    routes.push(("PATCH", format!("{base}/{ID}/reviewer")));
    routes.extend(["approve", "deny", "cancel"].map(|verb| ("PUT", format!("{base}/{ID}/{verb}"))));
    routes
}

/// Routes whose environment is the key's own.
fn of_own_environment() -> Vec<(&'static str, String)> {
    let mut routes = vec![
        ("POST", "/v2/auth/elements_login_as".to_owned()),
        ("POST", "/api/v1/links".to_owned()),
        ("POST", "/api/v1/agents".to_owned()),
        ("POST", "/api/v1/agents/bot/freeze".to_owned()),
        ("POST", "/api/v1/agents/bot/keys".to_owned()),
        ("GET", "/api/v1/audit".to_owned()),
        ("GET", "/api/v1/inbox?user=joe".to_owned()),
        ("GET", "/api/v1/requests?user=joe".to_owned()),
        ("GET", format!("/api/v1/requests/{ID}?user=joe")),
    ];
    routes.push(("POST", "/api/v1/requests".to_owned()));
    routes.push(("POST", format!("/api/v1/requests/{ID}/revoke")));
    routes.push(("POST", format!("/api/v1/operation_approvals/{ID}/redeem")));
    routes.push(("POST", format!("/api/v1/operation_approvals/{ID}/uses/1")));
    let verbs = ["approve", "deny", "cancel"];
    routes.extend(verbs.map(|verb| ("POST", format!("/api/v1/requests/{ID}/{verb}?user=joe"))));
    routes
}

fn everything() -> Vec<(&'static str, String)> {
    let mut routes = by_key();
    routes.extend(by_session());
    routes.extend(of_own_environment());
    routes.push(("GET", "/v2/auth/me".to_owned()));
    routes.push(("POST", "/v2/auth/logout".to_owned()));
    routes
}

#[tokio::test]
async fn without_a_credential_or_with_a_wrong_one_nothing_opens() {
    let server = Server::start().await;
    assert!(everything().len() > 35);
    for (method, path) in everything() {
        for key in [None, Some("wrong")] {
            server.client(key).refused(401, "UNAUTHORIZED", method, &path, Value::Null).await;
        }
    }
}

#[tokio::test]
async fn a_credential_of_another_environment_finds_nothing() {
    let server = family().await;
    let foreign = server.holder("environment default/production");
    for (method, path) in by_key() {
        foreign.refused(404, "NOT_FOUND", method, &path, Value::Null).await;
    }
    let henry = session(&server, "henry").await;
    for (method, path) in by_session() {
        let elsewhere = path.replace("/default/dev/", "/default/production/");
        henry.refused(404, "NOT_FOUND", method, &elsewhere, Value::Null).await;
    }
}

#[tokio::test]
async fn a_session_is_no_key_and_a_key_is_no_session() {
    let server = family().await;
    let (henry, dev) = (session(&server, "henry").await, server.dev());
    for (method, path) in by_key().into_iter().chain(of_own_environment()) {
        henry.refused(403, "FORBIDDEN_ACCESS", method, &path, Value::Null).await;
    }
    for (method, path) in by_session() {
        dev.refused(403, "FORBIDDEN_ACCESS", method, &path, Value::Null).await;
    }
}

#[tokio::test]
async fn a_session_ends_when_it_is_ended_and_when_its_time_is_over() {
    let server = family().await;
    let henry = session(&server, "henry").await;
    assert_eq!(henry.get("/v2/auth/me").await["key"], "henry");
    henry.post("/v2/auth/logout", Value::Null).await;
    henry.refused(401, "UNAUTHORIZED", "GET", "/v2/auth/me", Value::Null).await;

    let henry = session(&server, "henry").await;
    server.clock.advance(std::time::Duration::from_mins(31));
    henry.refused(401, "UNAUTHORIZED", "GET", "/v2/auth/me", Value::Null).await;
}

#[tokio::test]
async fn logging_in_says_who_or_what_is_missing() {
    let server = family().await;
    let login = "/v2/auth/elements_login_as";
    let dev = server.dev();
    dev.post(&format!("{}/tenants", crate::support::FACTS), json!({"key": "acme", "name": "Acme"})).await;
    for (user, tenant, says) in [
        ("nobody", "default", "There is no user `nobody` in this environment."),
        ("henry", "nowhere", "There is no tenant `nowhere` in this environment."),
        ("henry", "acme", "The user `henry` does not belong to the tenant `acme`."),
    ] {
        let body = json!({"user_id": user, "tenant_id": tenant});
        assert_eq!(dev.refused(404, "NOT_FOUND", "POST", login, body).await, says);
    }
}
