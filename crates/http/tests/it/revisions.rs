//! The revision that an answer names, and the one that a call demands.

use crate::support::{FACTS, SCHEMA, Server};
use askfirst_domain::RevisionToken;
use http::{Request, header};
use serde_json::{Value, json};
use tower::ServiceExt as _;
use uuid::Uuid;

const KEY: &str = "key-of-dev";

/// What was answered, as far as these tests look.
#[derive(Debug)]
struct Answer {
    status: u16,
    body: Value,
}

/// A call with headers; its answer and the revision that this names.
async fn call(
    server: &Server,
    key: &str,
    (method, path): (&str, &str),
    body: &Value,
    demands: &[&str],
) -> (Answer, Option<RevisionToken>) {
    let mut request = Request::builder().method(method).uri(path);
    request = request.header(header::AUTHORIZATION, format!("Bearer {key}"));
    for demand in demands {
        request = request.header("askfirst-at-least", *demand);
    }
    let body = if body.is_null() { Vec::new() } else { serde_json::to_vec(body).unwrap() };
    let response =
        server.router.clone().oneshot(request.body(axum::body::Body::from(body)).unwrap()).await.unwrap();
    let named = response.headers().get("askfirst-revision");
    let named = named.map(|value| value.to_str().unwrap().parse().unwrap());
    let status = response.status().as_u16();
    let bytes = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
    (Answer { status, body: serde_json::from_slice(&bytes).unwrap_or(Value::Null) }, named)
}

#[tokio::test]
async fn each_answer_about_an_environment_names_its_revision() {
    let server = Server::start().await;
    let users = format!("{FACTS}/users");
    let (made, first) = call(&server, KEY, ("POST", &users), &json!({"key": "joe"}), &[]).await;
    assert_eq!(made.status, 200, "{made:?}");
    let first = first.unwrap();
    let (_, second) = call(&server, KEY, ("POST", &users), &json!({"key": "jane"}), &[]).await;
    assert_eq!(second, Some(RevisionToken { revision: first.revision + 1, ..first }));

    let joe = json!({"user": {"key": "joe"}, "action": "read", "resource": {"type": "x"}});
    let asked = json!({"subject": {"type": "user", "id": "joe"}, "action": {"name": "read"},
        "resource": {"type": "x", "id": "1"}});
    let gone = format!("{users}/nobody");
    let resources = format!("{SCHEMA}/resources");
    for (route, body, status) in [
        (("GET", users.as_str()), &Value::Null, 200),
        (("GET", gone.as_str()), &Value::Null, 404),
        (("POST", users.as_str()), &json!({"key": "joe"}), 409),
        (("GET", resources.as_str()), &Value::Null, 200),
        (("POST", "/allowed"), &joe, 200),
        (("POST", "/allowed"), &json!({}), 422),
        (("POST", "/allowed/bulk"), &json!([joe]), 200),
        (("POST", "/access/v1/evaluation"), &asked, 200),
        (("POST", "/access/v1/search/action"), &asked, 200),
        (("GET", "/api/v1/audit"), &Value::Null, 200),
    ] {
        let (answer, named) = call(&server, KEY, route, body, &[]).await;
        assert_eq!((answer.status, named), (status, second), "{route:?} {body} {answer:?}");
    }

    let question = json!({"user": "joe", "action": "read", "resource": "x"});
    let (told, named) = call(&server, KEY, ("POST", "/api/v1/check"), &question, &[]).await;
    assert_eq!(told.body["revision"], second.unwrap().revision);
    assert_eq!((told.body["revision_token"].as_str(), named), (Some(&*second.unwrap().to_string()), second));

    // What is about no environment, or got into none, has none.
    for (key, path) in [(KEY, "/v2/projects"), (KEY, "/nowhere"), ("wrong", users.as_str()), (KEY, "/health")]
    {
        assert_eq!(call(&server, key, ("GET", path), &Value::Null, &[]).await.1, None, "{path}");
    }
}

#[tokio::test]
async fn a_call_may_demand_a_revision_and_is_refused_when_it_can_not_be() {
    let server = Server::start().await;
    let users = format!("{FACTS}/users");
    let (_, token) = call(&server, KEY, ("POST", &users), &json!({"key": "joe"}), &[]).await;
    let token = token.unwrap();
    let text = token.to_string();
    let joe = json!({"user": {"key": "joe"}, "action": "read", "resource": {"type": "x"}});
    let asked = json!({"subject": {"type": "user", "id": "joe"}, "action": {"name": "read"},
        "resource": {"type": "x", "id": "1"}});
    let routes = [
        (("GET", users.as_str()), &Value::Null),
        (("POST", "/allowed"), &joe),
        (("POST", "/access/v1/evaluation"), &asked),
    ];
    let next = RevisionToken { revision: token.revision + 1, ..token }.to_string();
    let restored = RevisionToken { epoch: Uuid::from_u128(1), ..token }.to_string();
    let elsewhere = RevisionToken { env: askfirst_domain::Id::new(Uuid::from_u128(1)), ..token }.to_string();
    for (route, body) in routes {
        for (demands, status, sentence) in [
            (vec![text.as_str()], 200, ""),
            (vec![next.as_str()], 409, "has not happened"),
            (vec![restored.as_str()], 409, "before this environment was restored from a backup"),
            (vec![elsewhere.as_str()], 400, "of another environment"),
            (vec!["7"], 400, "can't be read"),
            (vec![""], 400, "can't be read"),
            (vec![text.as_str(), text.as_str()], 400, "more than once"),
        ] {
            let (answer, named) = call(&server, KEY, route, body, &demands).await;
            assert_eq!(answer.status, status, "{route:?} {demands:?} {answer:?}");
            // In the shape of the caller's protocol.
            let member = if route.1.starts_with("/access") { "detail" } else { "message" };
            let said = answer.body[member].as_str().unwrap_or_default();
            assert!(said.contains(sentence), "{said}");
            assert_eq!(named, (status == 200).then_some(token));
        }
    }
    // Nobody learns from a demand what only a credential opens.
    assert_eq!(call(&server, "wrong", ("POST", "/allowed"), &joe, &["7"]).await.0.status, 401);
}
