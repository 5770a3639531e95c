//! Element sessions in browsers: tickets, the cookie, where calls come from, and logins by a front-end's own tokens.

use super::{ELEMENTS, family, family_with, session};
use crate::support::{FACTS, Server};
use askfirst_http::Options;
use axum::body::Body;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use http::{HeaderMap, Request, StatusCode};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256};
use serde_json::{Value, json};
use std::time::Duration;
use tower::ServiceExt as _;

/// The own origin of a server in tests.
const HOME: &str = "http://127.0.0.1:7766";
const APP: &str = "https://app.example";
const WRITE: &str = "/v2/elements/default/dev/config/dish-requests/operation_approval";

struct Said {
    status: StatusCode,
    headers: HeaderMap,
    body: Value,
}

/// A browser's call.
async fn browse(server: &Server, method: &str, path: &str, headers: &[(&str, &str)], body: &Value) -> Said {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let body = if body.is_null() { Body::empty() } else { Body::from(body.to_string()) };
    let response = server.router.clone().oneshot(request.body(body).unwrap()).await.unwrap();
    let (status, headers) = (response.status(), response.headers().clone());
    let bytes = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
    Said { status, headers, body: serde_json::from_slice(&bytes).unwrap_or_default() }
}

/// The path that a login sends a browser to.
async fn redirect(server: &Server, user: &str) -> String {
    let body = json!({"user_id": user, "tenant_id": "default"});
    let opened = server.dev().post("/v2/auth/elements_login_as", body).await;
    let url = opened["redirect_url"].as_str().unwrap();
    let token = opened["element_bearer_token"].as_str().unwrap();
    assert!(!url.contains(token), "the session is in the address");
    url.strip_prefix(HOME).unwrap().to_owned()
}

/// `permit_session=...` of a signed-in browser, and the attributes that it was set with.
async fn cookie(server: &Server, user: &str) -> (String, String) {
    let said = browse(server, "GET", &redirect(server, user).await, &[], &Value::Null).await;
    assert_eq!((said.status, &said.body), (StatusCode::OK, &json!({"success": true, "user_key": user})));
    assert_eq!(said.headers["referrer-policy"], "no-referrer");
    let set = said.headers["set-cookie"].to_str().unwrap();
    let (pair, attributes) = set.split_once("; ").unwrap();
    (pair.to_owned(), attributes.to_owned())
}

fn operation() -> Value {
    json!({"access_request_details": {"tenant": "default", "resource": "restaurants"}, "reason": "pizza"})
}

#[tokio::test]
async fn a_ticket_gives_the_cookie_once_and_soon() {
    let server = family().await;
    let path = redirect(&server, "henry").await;
    let first = browse(&server, "GET", &path, &[], &Value::Null).await;
    let set = first.headers["set-cookie"].to_str().unwrap();
    assert!(set.starts_with("permit_session=askfirst_element_"), "{set}");
    assert!(set.ends_with("; Path=/v2; Max-Age=1799; HttpOnly; SameSite=Lax"), "{set}");
    let again = browse(&server, "GET", &path, &[], &Value::Null).await;
    assert_eq!((again.status, again.headers.get("set-cookie")), (StatusCode::UNAUTHORIZED, None));

    let late = redirect(&server, "henry").await;
    server.clock.advance(Duration::from_secs(121));
    assert_eq!(browse(&server, "GET", &late, &[], &Value::Null).await.status, StatusCode::UNAUTHORIZED);
    for token in ["", "nonsense", "askfirst_ticket_x_1_y"] {
        let path = format!("/v2/auth/login_elements?token={token}");
        assert_eq!(browse(&server, "GET", &path, &[], &Value::Null).await.status, StatusCode::UNAUTHORIZED);
    }
}

#[tokio::test]
async fn a_ticket_is_no_sign_in_link_and_a_link_is_no_ticket() {
    let server = family().await;
    let path = redirect(&server, "henry").await;
    let ticket = path.split_once("token=").unwrap().1;
    let inbox = browse(&server, "POST", &format!("/login/{ticket}"), &[], &Value::Null).await;
    assert_eq!(inbox.status, StatusCode::UNAUTHORIZED);
    assert_eq!(browse(&server, "GET", &path, &[], &Value::Null).await.status, StatusCode::OK, "not used up");

    let link = server.dev().post("/api/v1/links", json!({"user": "henry"})).await;
    let link = link["url"].as_str().unwrap().rsplit_once('/').unwrap().1.to_owned();
    let path = format!("/v2/auth/login_elements?token={link}");
    assert_eq!(browse(&server, "GET", &path, &[], &Value::Null).await.status, StatusCode::UNAUTHORIZED);
    let used = browse(&server, "POST", &format!("/login/{link}"), &[], &Value::Null).await;
    assert_eq!(used.status, StatusCode::SEE_OTHER, "not used up");
}

#[tokio::test]
async fn a_ticket_can_not_be_made_for_another_tenant() {
    let server = family().await;
    let dev = server.dev();
    let acme = dev.post(&format!("{FACTS}/tenants"), json!({"key": "acme", "name": "Acme"})).await;
    let default = dev.get(&format!("{FACTS}/tenants/default")).await;
    let plain = |tenant: &Value| tenant["id"].as_str().unwrap().replace('-', "");
    let path = redirect(&server, "henry").await;
    let forged = path.replace(&plain(&default), &plain(&acme));
    assert_ne!(path, forged);
    assert_eq!(browse(&server, "GET", &forged, &[], &Value::Null).await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_cookie_is_a_session_and_counts_only_from_here() {
    let server = family().await;
    let (henry, _) = cookie(&server, "henry").await;
    let henry = henry.as_str();
    let me = browse(&server, "GET", "/v2/auth/me", &[("cookie", henry)], &Value::Null).await;
    assert_eq!((&me.body["key"], &me.body["tenant"]), (&json!("henry"), &json!("default")));

    let from = [
        (vec![("origin", HOME)], StatusCode::OK),
        (vec![("sec-fetch-site", "same-origin")], StatusCode::OK),
        (vec![("origin", APP)], StatusCode::FORBIDDEN),
        (vec![("origin", "null")], StatusCode::FORBIDDEN),
        (vec![("origin", "http://127.0.0.1:77660")], StatusCode::FORBIDDEN),
        (vec![("origin", APP), ("sec-fetch-site", "same-origin")], StatusCode::FORBIDDEN),
        (vec![("sec-fetch-site", "cross-site")], StatusCode::FORBIDDEN),
        (vec![("sec-fetch-site", "same-site")], StatusCode::FORBIDDEN),
        (vec![], StatusCode::FORBIDDEN),
    ];
    for (mut headers, wanted) in from {
        headers.push(("cookie", henry));
        let said = browse(&server, "POST", WRITE, &headers, &operation()).await;
        assert_eq!(said.status, wanted, "{headers:?}: {}", said.body);
    }
    // A bearer token says itself who calls, wherever it comes from, and goes before a cookie.
    let token = henry.split_once('=').unwrap().1;
    let bearer = format!("Bearer {token}");
    let headers = [("authorization", bearer.as_str()), ("origin", APP)];
    assert_eq!(browse(&server, "POST", WRITE, &headers, &operation()).await.status, StatusCode::OK);
    let headers = [("authorization", "Bearer wrong"), ("cookie", henry)];
    let said = browse(&server, "GET", "/v2/auth/me", &headers, &Value::Null).await;
    assert_eq!(said.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_cookie_opens_the_routes_of_sessions_and_no_others() {
    let server = family().await;
    let (henry, _) = cookie(&server, "henry").await;
    let key = format!("permit_session={}", "key-of-dev");
    let headers = [("cookie", key.as_str()), ("origin", HOME)];
    assert_eq!(
        browse(&server, "GET", "/v2/auth/me", &headers, &Value::Null).await.status,
        StatusCode::UNAUTHORIZED,
        "an API key is no session"
    );
    for path in [format!("{FACTS}/users"), ELEMENTS.to_owned(), "/api/v1/audit".to_owned()] {
        let headers = [("cookie", henry.as_str()), ("origin", HOME)];
        let said = browse(&server, "GET", &path, &headers, &Value::Null).await;
        assert_eq!(said.status, StatusCode::UNAUTHORIZED, "{path}");
    }
    let inbox = browse(&server, "GET", "/inbox", &[("cookie", &henry)], &Value::Null).await;
    assert_eq!(inbox.status, StatusCode::UNAUTHORIZED);
    let other = henry.replace("permit_session", "askfirst_session");
    let inbox = browse(&server, "GET", "/inbox", &[("cookie", &other)], &Value::Null).await;
    assert_eq!(inbox.status, StatusCode::UNAUTHORIZED, "an element session is no browser session");
}

#[tokio::test]
async fn logging_out_ends_the_session_and_takes_the_cookie() {
    let server = family().await;
    for method in ["GET", "POST"] {
        let (henry, _) = cookie(&server, "henry").await;
        let headers = [("cookie", henry.as_str()), ("origin", HOME)];
        let said = browse(&server, method, "/v2/auth/logout", &headers, &Value::Null).await;
        assert_eq!(said.status, StatusCode::NO_CONTENT);
        let set = said.headers["set-cookie"].to_str().unwrap();
        assert!(set.starts_with("permit_session=; Path=/v2; Max-Age=0;"), "{set}");
        let me = browse(&server, "GET", "/v2/auth/me", &headers, &Value::Null).await;
        assert_eq!(me.status, StatusCode::UNAUTHORIZED);
    }
    let (henry, _) = cookie(&server, "henry").await;
    let headers = [("cookie", henry.as_str()), ("origin", APP)];
    let said = browse(&server, "POST", "/v2/auth/logout", &headers, &Value::Null).await;
    assert_eq!(said.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn pages_of_allowed_origins_may_call_and_read() {
    let server = family_with(Options { element_origins: vec![APP.to_owned()], ..Options::default() }).await;
    let (henry, _) = cookie(&server, "henry").await;
    let headers = [("cookie", henry.as_str()), ("origin", APP), ("sec-fetch-site", "cross-site")];
    let said = browse(&server, "POST", WRITE, &headers, &operation()).await;
    assert_eq!(said.status, StatusCode::OK);
    assert_eq!(said.headers["access-control-allow-origin"], APP);
    assert_eq!(said.headers["access-control-allow-credentials"], "true");
    let ask = [("origin", APP), ("access-control-request-method", "PUT")];
    let asked = browse(&server, "OPTIONS", WRITE, &ask, &Value::Null).await;
    assert_eq!(asked.headers["access-control-allow-origin"], APP);

    let evil = "https://app.example.evil";
    let headers = [("cookie", henry.as_str()), ("origin", evil)];
    let said = browse(&server, "POST", WRITE, &headers, &operation()).await;
    assert_eq!((said.status, said.headers.get("access-control-allow-origin")), (StatusCode::FORBIDDEN, None));
    let said = browse(&server, "GET", "/v2/auth/me", &headers, &Value::Null).await;
    assert_eq!(said.headers.get("access-control-allow-origin"), None, "its pages can't read the answer");
    let facts = browse(&server, "GET", &format!("{FACTS}/users"), &[("origin", APP)], &Value::Null).await;
    assert_eq!(facts.headers.get("access-control-allow-origin"), None, "a server's routes are for servers");
}

#[tokio::test]
async fn calls_by_cookie_are_counted_like_others() {
    let options = Options { rate_limits: Some("all=2/1h".parse().unwrap()), ..Options::default() };
    let server = Server::start_with(options).await;
    let org = server.org();
    org.put(&format!("{FACTS}/users/henry"), json!({})).await;
    let (henry, _) = cookie(&server, "henry").await;
    let headers = [("cookie", henry.as_str())];
    for wanted in [StatusCode::OK, StatusCode::OK, StatusCode::TOO_MANY_REQUESTS] {
        let me = browse(&server, "GET", "/v2/auth/me", &headers, &Value::Null).await;
        assert_eq!(me.status, wanted, "{}", me.body);
    }
}

struct FrontEnd {
    key: KeyPair,
}

impl FrontEnd {
    fn new() -> Self {
        Self { key: KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap() }
    }

    fn settings(&self) -> Value {
        let (x, y) = self.key.public_key_raw()[1..].split_at(32);
        let (x, y) = (URL_SAFE_NO_PAD.encode(x), URL_SAFE_NO_PAD.encode(y));
        json!({"jwks": {"keys": [{"kty": "EC", "crv": "P-256", "kid": "k", "x": x, "y": y}]}})
    }

    fn token(&self, user: &str, until: i64) -> String {
        let header = Header { kid: Some("k".to_owned()), ..Header::new(Algorithm::ES256) };
        let key = EncodingKey::from_ec_der(&self.key.serialize_der());
        encode(&header, &json!({"sub": user, "exp": until}), &key).unwrap()
    }
}

#[tokio::test]
async fn a_users_own_token_opens_a_session() {
    let server = family().await;
    let front_end = FrontEnd::new();
    let env =
        server.org().patch("/v2/projects/default/envs/dev", json!({"jwks": front_end.settings()})).await;
    let path = format!("/v2/auth/{}/elements_fe_login_as", env["id"].as_str().unwrap().replace('-', ""));
    let now = 1_790_000_000;
    let nobody = server.client(None);
    let body = |token: String| json!({"tenant_id": "default", "user_jwt": token});
    let opened = nobody.post(&path, body(front_end.token("henry", now + 600))).await;
    assert_eq!(opened["element_bearer_token_expires_in"].as_u64().map(|s| s.div_ceil(10)), Some(60));
    let henry = server.client(opened["element_bearer_token"].as_str());
    assert_eq!(henry.get("/v2/auth/me").await["key"], "henry");
    let redirect = opened["redirect_url"].as_str().unwrap().strip_prefix(HOME).unwrap().to_owned();
    let browser = browse(&server, "GET", &redirect, &[], &Value::Null).await;
    let browser = browser.headers["set-cookie"].to_str().unwrap().split_once(';').unwrap().0.to_owned();
    let cookie = [("cookie", browser.as_str())];
    let me = browse(&server, "GET", "/v2/auth/me", &cookie, &Value::Null).await;
    assert_eq!(me.status, StatusCode::OK);
    server.clock.advance(Duration::from_mins(10));
    henry.refused(401, "UNAUTHORIZED", "GET", "/v2/auth/me", Value::Null).await;
    let me = browse(&server, "GET", "/v2/auth/me", &cookie, &Value::Null).await;
    assert_eq!(me.status, StatusCode::UNAUTHORIZED, "no session outlives the token");

    let later = now + 1200;
    let good = front_end.token("henry", later);
    let stranger = FrontEnd::new().token("henry", later);
    for token in ["", "nonsense", stranger.as_str(), front_end.token("henry", now).as_str()] {
        let said = nobody.refused(401, "UNAUTHORIZED", "POST", &path, body(token.to_owned())).await;
        assert!(said.starts_with("The token in `user_jwt` is not accepted"), "{said}");
    }
    nobody.refused(404, "NOT_FOUND", "POST", &path, body(front_end.token("nobody", later))).await;
    let acme = json!({"tenant_id": "acme", "user_jwt": good});
    nobody.refused(404, "NOT_FOUND", "POST", &path, acme).await;
    let claim = json!({"tenant_id": "default", "user_jwt": good, "user_key_claim": "nickname"});
    nobody.refused(400, "INVALID_INPUT", "POST", &path, claim).await;
    let id = server.dev().get(&format!("{FACTS}/users/joe")).await["id"].as_str().unwrap().to_owned();
    nobody.refused(404, "NOT_FOUND", "POST", &path, body(front_end.token(&id, later))).await;

    let production = server.org().get("/v2/projects/default/envs/production").await;
    for env in [production["id"].as_str().unwrap(), "018f0000-0000-7000-8000-000000000000", "dev"] {
        let path = format!("/v2/auth/{env}/elements_fe_login_as");
        nobody.refused(400, "INVALID_JWKS_CONFIGURATION", "POST", &path, body(good.clone())).await;
    }
}

#[tokio::test]
async fn a_deleted_user_has_no_session() {
    let server = family().await;
    let henry = session(&server, "henry").await;
    let (browser, _) = cookie(&server, "henry").await;
    let ticket = redirect(&server, "henry").await;
    server.dev().delete(&format!("{FACTS}/users/henry"), Value::Null).await;
    henry.refused(401, "UNAUTHORIZED", "GET", "/v2/auth/me", Value::Null).await;
    let headers = [("cookie", browser.as_str())];
    let me = browse(&server, "GET", "/v2/auth/me", &headers, &Value::Null).await;
    assert_eq!(me.status, StatusCode::UNAUTHORIZED);
    assert_eq!(browse(&server, "GET", &ticket, &[], &Value::Null).await.status, StatusCode::UNAUTHORIZED);
}
