//! The policy as a file, over HTTP.

use crate::support::{FACTS, Server};
use axum::body::Body;
use http::{Request, header};
use serde_json::{Value, json};
use tower::ServiceExt as _;

const FAMILY: &str = include_str!("../../../../examples/family/policy.yaml");
const POLICY: &str = "/api/v1/policy";

/// The file as it is given to a server, with the type of the answer.
async fn written(server: &Server, query: &str) -> (u16, String, String) {
    let request = Request::get(format!("{POLICY}{query}")).header(header::AUTHORIZATION, "Bearer key-of-dev");
    let request = request.body(Body::empty()).unwrap();
    let response = server.router.clone().oneshot(request).await.unwrap();
    let kind = response.headers()[header::CONTENT_TYPE].to_str().unwrap().to_owned();
    let status = response.status().as_u16();
    let bytes = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
    (status, kind, String::from_utf8(bytes.to_vec()).unwrap())
}

/// What is answered to a body of this type.
async fn sent_as(server: &Server, kind: &str, method: &str, path: &str, body: String) -> (u16, Value) {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header(header::AUTHORIZATION, "Bearer key-of-dev")
        .header(header::CONTENT_TYPE, kind);
    let request = request.body(Body::from(body)).unwrap();
    let response = server.router.clone().oneshot(request).await.unwrap();
    let status = response.status().as_u16();
    let bytes = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
    (status, serde_json::from_slice(&bytes).unwrap())
}

/// A file as a bare text, what is to be done with it in the query.
async fn sent(server: &Server, method: &str, path: &str, text: &str) -> (u16, Value) {
    sent_as(server, "application/yaml", method, path, text.to_owned()).await
}

/// A file in a JSON object.
async fn wrapped(server: &Server, method: &str, path: &str, body: Value) -> (u16, Value) {
    sent_as(server, "application/json", method, path, body.to_string()).await
}

async fn ok(server: &Server, method: &str, path: &str, body: Value) -> Value {
    let (status, answer) = wrapped(server, method, path, body).await;
    assert_eq!(status, 200, "{method} {path}: {answer}");
    answer
}

#[tokio::test]
async fn a_file_is_planned_applied_and_written_again() {
    let server = Server::start().await;
    let plan = ok(&server, "POST", "/api/v1/policy/plan", json!({"file": FAMILY})).await;
    let added = plan["differences"].as_array().unwrap();
    assert!(added.iter().any(|d| d["what"] == "roles" && d["name"] == "restaurants#parent"), "{plan}");
    assert_eq!(plan["impact"]["asked"], plan["impact"]["of"]);
    assert_eq!(plan["recorded"], Value::Null, "there is no decision log");
    let applied = ok(&server, "PUT", POLICY, json!({"file": FAMILY, "plan": plan["token"]})).await;
    assert_eq!(applied["created"]["roles"], 4);
    let stale = json!({"file": FAMILY, "plan": plan["token"]});
    let (status, refused) = wrapped(&server, "PUT", POLICY, stale).await;
    assert_eq!((status, &refused["error_code"]), (409, &json!("CONCURRENT_OPERATION_DISALLOWED")));

    let (status, kind, bare) = written(&server, "").await;
    assert_eq!((status, kind.as_str()), (200, "application/yaml"));
    assert!(bare.contains("dish-approval:") && !bare.contains("henry"), "{bare}");
    let (_, _, whole) = written(&server, "?facts=true").await;
    assert!(
        whole.contains("- {user: rose, role: child-can-order, on: \"restaurants:salad-bowl\"}"),
        "{whole}"
    );
    let (status, plan) = sent(&server, "POST", "/api/v1/policy/plan?prune=all", &whole).await;
    assert_eq!((status, &plan["differences"]), (200, &json!([])), "{plan}");
    let (status, wrong) = sent(&server, "POST", "/api/v1/policy/plan?prune=everything", &whole).await;
    assert_eq!((status, &wrong["error_code"]), (400, &json!("INVALID_INPUT")), "{wrong}");
}

#[tokio::test]
async fn pruning_over_http_removes_and_says_so() {
    let server = Server::start().await;
    let dev = server.dev();
    ok(&server, "PUT", POLICY, json!({"file": FAMILY})).await;
    dev.post("/v2/schema/default/dev/roles", json!({"key": "auditor", "name": "Auditor"})).await;
    let file = format!("{FAMILY}roles: {{}}\n");
    let (_, plan) = sent(&server, "POST", "/api/v1/policy/plan", &file).await;
    assert_eq!(plan["differences"], json!([]));
    let left = plan["left_over"].as_array().unwrap();
    assert!(left.contains(&json!({"what": "roles", "name": "auditor"})), "{plan}");
    let (status, applied) = sent(&server, "PUT", "/api/v1/policy?prune=policy", &file).await;
    assert_eq!((status, &applied["removed"]["roles"]), (200, &json!(left.len())), "{applied}");
    dev.refused(404, "NOT_FOUND", "GET", "/v2/schema/default/dev/roles/auditor", Value::Null).await;
}

#[tokio::test]
async fn every_place_that_is_wrong_is_told() {
    let server = Server::start().await;
    let file = "askfirst: 1\nroles:\n  admin: {permissions: ['doc:read'], extend: [x]}\nguards: {}\n";
    for path in ["/api/v1/policy/plan", "/api/v1/policy/replay"] {
        let (status, answer) = wrapped(&server, "POST", path, json!({"file": file})).await;
        assert_eq!(status, 400, "{answer}");
        let places = answer["additional_info"]["diagnostics"].as_array().unwrap();
        let lines: Vec<u64> = places.iter().map(|place| place["line"].as_u64().unwrap()).collect();
        assert_eq!(lines, [3, 3, 4], "{places:?}");
        assert_eq!(places[1]["hint"], "did you mean `extends`?");
    }
    let (status, answer) = wrapped(&server, "PUT", POLICY, json!({"text": file})).await;
    assert_eq!(status, 422, "{answer}");
}

#[tokio::test]
async fn recorded_questions_are_asked_again() {
    let server = Server::start().await;
    let dev = server.dev();
    ok(&server, "PUT", POLICY, json!({"file": FAMILY})).await;
    let (status, answer) = wrapped(&server, "POST", "/api/v1/policy/replay", json!({"file": FAMILY})).await;
    assert_eq!(status, 404, "{answer}");
    server.log_decisions().await;
    let ask = async |user: &str, action: &str| {
        let on = json!({"type": "restaurants", "key": "salad-bowl", "tenant": "default"});
        let allowed =
            dev.post("/allowed", json!({"user": {"key": user}, "action": action, "resource": on})).await;
        allowed["allow"].as_bool().unwrap()
    };
    assert!(ask("rose", "read").await);
    assert!(!ask("rose", "update").await && !ask("rose", "update").await);
    assert!(ask("joe", "update").await);
    let file = FAMILY.replace("permissions: [read]\n", "permissions: [update]\n");
    let replay = ok(&server, "POST", "/api/v1/policy/replay", json!({"file": file})).await;
    assert_eq!(
        (&replay["asked"], &replay["changed"], &replay["not_as_logged"]),
        (&json!(4), &json!(3), &json!(0))
    );
    let changes = replay["changes"].as_array().unwrap();
    let told: Vec<_> = changes.iter().map(|c| (&c["user"], &c["action"], &c["after"], &c["times"])).collect();
    assert_eq!(
        told,
        [
            (&json!("rose"), &json!("update"), &json!("allow"), &json!(2)),
            (&json!("rose"), &json!("read"), &json!("deny"), &json!(1)),
        ]
    );
    assert_eq!(changes[0]["by"], "restaurants:salad-bowl#child-can-order");
    // What changed since is told apart from what the file changes.
    dev.delete(&format!("{FACTS}/users/rose"), Value::Null).await;
    let replay = ok(&server, "POST", "/api/v1/policy/replay", json!({"file": FAMILY, "limit": 3})).await;
    assert_eq!((&replay["asked"], &replay["more"]), (&json!(3), &json!(true)));
    let plan = ok(&server, "POST", "/api/v1/policy/plan", json!({"file": file})).await;
    assert_eq!(plan["recorded"]["asked"], 4, "{plan}");
}
