//! `POST /allowed` has a short way and a long one, and what they answer is the same.

use crate::support::{Client, Server};
use askfirst_http::Front;
use axum::{
    Router,
    body::{Body, to_bytes},
    routing::get,
};
use http::{HeaderMap, Request, Response, StatusCode, header};
use serde_json::json;
use tokio::sync::mpsc;
use tower::ServiceExt as _;

/// A document that joe may read and ann may not.
async fn office() -> Server {
    let server = Server::start().await;
    server.log_decisions().await;
    let dev = server.dev();
    let schema = "/v2/schema/default/dev";
    dev.post(
        &format!("{schema}/resources"),
        json!({"key": "doc", "name": "Doc", "actions": {"read": {}}, "roles": {"reader": {"name": "R", "permissions": ["read"]}}}),
    )
    .await;
    dev.put("/facts/users/joe", json!({"email": "joe@example.com"})).await;
    dev.put("/facts/users/ann", json!({})).await;
    dev.post(
        "/facts/users/joe/roles",
        json!({"role": "reader", "tenant": "default", "resource_instance": "doc:7"}),
    )
    .await;
    server
}

async fn told(response: Response<Body>) -> (StatusCode, HeaderMap, String) {
    let (parts, body) = response.into_parts();
    let bytes = to_bytes(body, usize::MAX).await.unwrap();
    let mut headers = parts.headers;
    // The server of HTTP writes it where it is not said.
    headers.remove(header::CONTENT_LENGTH);
    (parts.status, headers, String::from_utf8(bytes.to_vec()).unwrap())
}

fn call(key: Option<&str>, more: &[(&str, &str)], body: &str) -> Request<Body> {
    let mut request = Request::post("/allowed").header(header::CONTENT_LENGTH, body.len());
    if let Some(key) = key {
        request = request.header(header::AUTHORIZATION, format!("Bearer {key}"));
    }
    for (name, value) in more {
        request = request.header(*name, *value);
    }
    request.body(Body::from(body.to_owned())).unwrap()
}

/// A key, headers besides, and a body.
type Asked<'a> = (Option<&'a str>, Vec<(&'a str, &'a str)>, &'a str);

async fn decisions(dev: &Client<'_>) -> usize {
    dev.get("/api/v1/decisions").await["decisions"].as_array().unwrap().len()
}

#[tokio::test]
async fn both_ways_answer_the_same_and_note_it_once() {
    let server = office().await;
    let dev = server.dev();
    let question = |user: &str, resource: &str| {
        format!(r#"{{"user": {{"key": "{user}"}}, "action": "read", "resource": {resource}}}"#)
    };
    let answered = [
        question("joe", r#"{"type": "doc", "key": "7"}"#),
        question("joe", r#"{"type": "doc", "key": 7, "tenant": "default", "attributes": {"a": [1]}}"#),
        question("ann", r#"{"type": "doc", "key": "7"}"#),
        question("ann", r#"{"type": "doc"}"#),
        question("nobody \\u00e9", r#"{"type": "nothing", "key": "x"}"#),
    ];
    let refused = [
        r#"{"user": "joe", "action": "read", "resource": {"type": "doc"}}"#.to_owned(),
        question("joe", r#"{"type": "doc", "key": []}"#),
        question("joe", r#"["doc"]"#),
        "[]".to_owned(),
        "{".to_owned(),
    ];
    let right = Some("key-of-dev");
    let token =
        told(server.front().answer(call(right, &[], &answered[0])).await).await.1["askfirst-revision"]
            .clone();
    let token = token.to_str().unwrap();
    let mut calls: Vec<Asked<'_>> = Vec::new();
    for body in answered.iter().chain(&refused) {
        calls.push((right, Vec::new(), body));
    }
    for key in [None, Some("wrong"), Some("wrong"), Some("")] {
        calls.push((key, Vec::new(), &answered[0]));
    }
    for at_least in [vec![token], vec![token, token], vec!["nonsense"]] {
        let named = at_least.into_iter().map(|value| ("askfirst-at-least", value)).collect();
        calls.push((right, named, &answered[0]));
    }
    let mut noted = decisions(&dev).await;
    for (key, more, body) in calls {
        let short = told(server.front().answer(call(key, &more, body)).await).await;
        let long = told(server.router.clone().oneshot(call(key, &more, body)).await.unwrap()).await;
        assert_eq!(short, long, "{key:?} {more:?} {body}");
        let now = decisions(&dev).await;
        assert_eq!(now - noted, if short.0 == StatusCode::OK { 2 } else { 0 }, "{key:?} {more:?} {body}");
        noted = now;
    }
}

#[tokio::test]
async fn a_body_that_is_larger_or_shorter_than_it_says_is_refused_on_both_ways() {
    let server = office().await;
    for sent in [70 * 1024, 40 * 1024] {
        let request = || {
            let body = Body::from_stream(futures::stream::iter([
                Ok::<_, std::io::Error>(vec![b' '; sent]),
                Err(std::io::Error::other("it broke off")),
            ]));
            let said = Request::post("/allowed").header(header::CONTENT_LENGTH, 60 * 1024);
            said.header(header::AUTHORIZATION, "Bearer key-of-dev").body(body).unwrap()
        };
        let short = told(server.front().answer(request()).await).await;
        let long = told(server.router.clone().oneshot(request()).await.unwrap()).await;
        assert_eq!(short, long);
        assert_eq!(short.0, StatusCode::BAD_REQUEST);
    }
}

#[tokio::test]
async fn a_body_in_pieces_is_read_whole() {
    let server = office().await;
    let body = r#"{"user": {"key": "joe"}, "action": "read", "resource": {"type": "doc", "key": "7"}}"#;
    let pieces: Vec<_> =
        body.as_bytes().chunks(9).map(|piece| Ok::<_, std::io::Error>(piece.to_vec())).collect();
    let request = Request::post("/allowed")
        .header(header::CONTENT_LENGTH, body.len())
        .header(header::AUTHORIZATION, "Bearer key-of-dev")
        .body(Body::from_stream(futures::stream::iter(pieces)))
        .unwrap();
    let (status, _, text) = told(server.front().answer(request).await).await;
    assert_eq!(status, StatusCode::OK);
    assert!(text.contains(r#""allow":true"#), "{text}");
}

/// Tells when it is dropped.
struct Leaving(mpsc::UnboundedSender<&'static str>);

impl Drop for Leaving {
    fn drop(&mut self) {
        self.0.send("left").ok();
    }
}

#[tokio::test]
async fn what_takes_longer_ends_with_its_caller() {
    let server = Server::start().await;
    let (say, mut said) = mpsc::unbounded_channel();
    let wait = move || async move {
        let _leaving = Leaving(say.clone());
        say.send("begun").ok();
        std::future::pending::<()>().await;
    };
    let front = Front::new(server.engine.clone(), Router::new().route("/wait", get(wait)));
    let caller = tokio::spawn(front.answer(Request::get("/wait").body(Body::empty()).unwrap()));
    assert_eq!(said.recv().await, Some("begun"));
    caller.abort();
    assert_eq!(said.recv().await, Some("left"));
}

async fn broken() -> &'static str {
    panic!("a handler breaks off")
}

#[tokio::test]
async fn what_breaks_off_is_an_error_of_the_server() {
    let server = Server::start().await;
    let front = Front::new(server.engine.clone(), Router::new().route("/broken", get(broken)));
    let answer = front.answer(Request::get("/broken").body(Body::empty()).unwrap()).await;
    assert_eq!(answer.status(), StatusCode::INTERNAL_SERVER_ERROR);
}
