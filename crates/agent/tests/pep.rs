//! The enforcement point against servers that say what they should not. In doubt nothing may be done.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use askfirst_agent::pep::{Outcome, Pep, PepError, Question, Surroundings};
use axum::{
    Json, Router,
    extract::State,
    http::{HeaderMap, StatusCode, Uri},
    response::{IntoResponse as _, Response},
    routing::any,
};
use serde_json::{Value, json};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::net::TcpListener;

/// What a server answers at a path: each answer once, and the last one again and again.
type Answers = HashMap<String, Vec<(StatusCode, Value)>>;

#[derive(Clone)]
struct Stub {
    answers: Arc<Mutex<Answers>>,
    calls: Arc<Mutex<Vec<(String, HeaderMap, Value)>>>,
}

struct Running {
    url: String,
    stub: Stub,
}

async fn answer(State(stub): State<Stub>, uri: Uri, headers: HeaderMap, body: String) -> Response {
    let body = serde_json::from_str(&body).unwrap_or_default();
    stub.calls.lock().unwrap().push((uri.path().to_owned(), headers, body));
    let mut all = stub.answers.lock().unwrap();
    let Some(left) = all.get_mut(uri.path()) else { return StatusCode::NOT_FOUND.into_response() };
    let (status, value) = if left.len() > 1 { left.remove(0) } else { left.first().unwrap().clone() };
    match value {
        Value::String(text) if status.is_redirection() => (status, [("location", text)]).into_response(),
        Value::String(text) => (status, text).into_response(),
        value => (status, Json(value)).into_response(),
    }
}

impl Running {
    /// A server whose addresses are its own; `BASE` in an answer stands for where it is.
    async fn with(answers: &[(&str, Value)]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let stub = Stub { answers: Arc::default(), calls: Arc::default() };
        let metadata = json!({
            "access_evaluation_endpoint": "BASE/evaluate", "access_request_endpoint": "BASE/requests",
        });
        let metadata = ("/.well-known/authzen-configuration", metadata);
        for (path, value) in [metadata].iter().chain(answers) {
            let value = serde_json::from_str(&value.to_string().replace("BASE", &url)).unwrap();
            let mut all = stub.answers.lock().unwrap();
            all.entry((*path).to_owned()).or_default().push((StatusCode::OK, value));
        }
        let router = Router::new().fallback(any(answer)).with_state(stub.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, stub }
    }

    fn instead(&self, path: &str, status: StatusCode, value: Value) {
        self.stub.answers.lock().unwrap().insert(path.to_owned(), vec![(status, value)]);
    }

    fn calls(&self, path: &str) -> Vec<(HeaderMap, Value)> {
        let calls = self.stub.calls.lock().unwrap();
        calls
            .iter()
            .filter(|(at, ..)| at == path)
            .map(|(_, headers, body)| (headers.clone(), body.clone()))
            .collect()
    }

    async fn may(&self) -> Result<Outcome, PepError> {
        self.may_within(Duration::from_secs(20)).await
    }

    async fn may_within(&self, wait: Duration) -> Result<Outcome, PepError> {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let pep = Pep::discover(&self.url, "the-key".to_owned(), []).await?;
        pep.may(&question(), Some("we are hungry"), wait, &Around, Box::pin(std::future::pending())).await
    }
}

struct Around;

impl Surroundings for Around {
    fn now(&self) -> String {
        "2026-11-24T03:10:00.000000Z".to_owned()
    }
    fn chance(&self) -> u8 {
        0
    }
    fn fresh(&self) -> String {
        "fresh".to_owned()
    }
}

fn question() -> Question {
    Question {
        subject: json!({"type": "user", "id": "henry"}),
        action: json!({"name": "order"}),
        resource: json!({"type": "dish", "id": "pizza"}),
        context: json!({"amount": 12}),
    }
}

fn denial() -> Value {
    json!({"decision": false, "context": {
        "reason": "no_role", "explanation": "henry may not.", "evaluation_id": "ev_1",
        "access_request": {"expires_at": "2026-11-24T03:20:00Z", "binding_token": "a.b.c"},
    }})
}

fn task(status: &str, result: &Value) -> Value {
    json!({"task": {"id": "t", "status": status, "status_endpoint": "BASE/tasks/t",
        "links": {"cancel": "BASE/tasks/t/cancel"}}, "result": result})
}

fn approval() -> Value {
    json!({"mode": "reevaluate", "approval": {"id": "ap_1", "approved_until": "2026-11-24T04:00:00Z", "x": [1, null]}})
}

#[tokio::test]
async fn p10_what_is_approved_is_evaluated_again_with_the_approval_as_it_is() {
    let server = Running::with(&[
        ("/evaluate", denial()),
        ("/evaluate", json!({"decision": true})),
        ("/requests", task("pending", &Value::Null)),
        ("/tasks/t", task("approved", &approval())),
    ])
    .await;
    assert_eq!(server.may().await.unwrap(), Outcome::Permit);
    let evaluated = server.calls("/evaluate");
    assert_eq!(evaluated[0].1["context"], json!({"amount": 12}));
    assert_eq!(evaluated[1].1["context"], json!({"amount": 12, "approval": approval()["approval"]}));
    let (headers, submitted) = server.calls("/requests").remove(0);
    assert_eq!(headers["idempotency-key"], "fresh");
    assert_eq!(headers["authorization"], "Bearer the-key");
    assert_eq!(submitted["context"], json!({"amount": 12, "justification": "we are hungry"}));
    let echoed = json!({"evaluation_id": "ev_1", "reason": "no_role", "expires_at": "2026-11-24T03:20:00Z",
        "binding_token": "a.b.c"});
    assert_eq!(submitted["denial"], echoed);
}

#[tokio::test]
async fn p11_an_approval_alone_opens_nothing() {
    let server = Running::with(&[
        ("/evaluate", denial()),
        (
            "/evaluate",
            json!({"decision": false, "context": {"next_action": "none", "explanation": "No more."}}),
        ),
        ("/requests", task("approved", &approval())),
    ])
    .await;
    assert_eq!(server.may().await.unwrap(), Outcome::Deny(Some("No more.".to_owned())));
}

#[tokio::test]
async fn p12_a_status_or_mode_that_is_not_known_is_no_approval() {
    let other = json!({"mode": "token", "approval": {"id": "ap_1"}});
    for (status, result) in [("granted", approval()), ("approved", other), ("failed", approval())] {
        let server = Running::with(&[("/evaluate", denial()), ("/requests", task(status, &result))]).await;
        assert!(matches!(server.may().await.unwrap(), Outcome::Deny(_)), "{status}");
        assert_eq!(server.calls("/evaluate").len(), 1, "{status}");
    }
}

#[tokio::test]
async fn p13_addresses_elsewhere_are_not_called() {
    let trap = Running::with(&[("/evaluate", json!({"decision": true})), ("/tasks/t", json!({}))]).await;
    let elsewhere = json!({"access_evaluation_endpoint": format!("{}/evaluate", trap.url)});
    let server = Running::with(&[]).await;
    server.instead("/.well-known/authzen-configuration", StatusCode::OK, elsewhere);
    assert!(matches!(server.may().await, Err(PepError::Elsewhere(_))));

    let mut ask = denial();
    ask["context"]["access_request"]["endpoint"] = json!(format!("{}/requests", trap.url));
    let server = Running::with(&[("/evaluate", ask)]).await;
    assert!(matches!(server.may().await, Err(PepError::Elsewhere(_))));

    let mut pending = task("pending", &Value::Null);
    pending["task"]["status_endpoint"] = json!(format!("{}/tasks/t", trap.url));
    let server = Running::with(&[("/evaluate", denial()), ("/requests", pending)]).await;
    assert!(matches!(server.may().await, Err(PepError::Elsewhere(_))));

    let server = Running::with(&[]).await;
    server.instead("/evaluate", StatusCode::TEMPORARY_REDIRECT, json!(format!("{}/evaluate", trap.url)));
    assert!(matches!(server.may().await, Err(PepError::Refused { status, .. }) if status == 307));
    assert!(trap.stub.calls.lock().unwrap().is_empty());
}

#[tokio::test]
async fn p14_what_cannot_be_read_or_reached_is_no_permit() {
    for (status, value) in [
        (StatusCode::OK, json!("{\"decision\": true")),
        (StatusCode::OK, json!("")),
        (StatusCode::INTERNAL_SERVER_ERROR, json!({"decision": true})),
        (StatusCode::UNAUTHORIZED, json!({"decision": true})),
    ] {
        let server = Running::with(&[]).await;
        server.instead("/evaluate", status, value.clone());
        assert!(server.may().await.is_err(), "{status} {value}");
    }
    for answer in
        [json!({"decision": "true"}), json!({"decision": 1}), json!([true]), json!(true), json!(null)]
    {
        let server = Running::with(&[("/evaluate", answer.clone())]).await;
        assert!(matches!(server.may().await.unwrap(), Outcome::Deny(_)), "{answer}");
    }
    let nobody = Running { url: "http://127.0.0.1:1".to_owned(), stub: Running::with(&[]).await.stub };
    assert!(matches!(nobody.may().await, Err(PepError::Unreachable(_))));
}

#[tokio::test]
async fn p15_what_nobody_decides_in_time_is_withdrawn() {
    let server = Running::with(&[
        ("/evaluate", denial()),
        ("/requests", task("pending", &Value::Null)),
        ("/tasks/t", task("pending", &Value::Null)),
        ("/tasks/t/cancel", json!({})),
    ])
    .await;
    let outcome = server.may_within(Duration::from_millis(50)).await.unwrap();
    assert!(matches!(outcome, Outcome::Deny(_)));
    assert_eq!(server.calls("/tasks/t/cancel").len(), 1);
    assert_eq!(server.calls("/evaluate").len(), 1);
}

#[tokio::test]
async fn p16_nobody_is_asked_without_a_word_of_why() {
    let server = Running::with(&[("/evaluate", denial())]).await;
    let _ = rustls::crypto::ring::default_provider().install_default();
    let pep = Pep::discover(&server.url, "the-key".to_owned(), []).await.unwrap();
    let never = Box::pin(std::future::pending());
    let outcome = pep.may(&question(), None, Duration::from_secs(5), &Around, never).await.unwrap();
    assert_eq!(outcome, Outcome::CouldAsk(Some("henry may not.".to_owned())));
    assert!(server.calls("/requests").is_empty());
    assert!(!format!("{pep:?}").contains("the-key"));
}
