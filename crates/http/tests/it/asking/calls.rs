//! Leave for one call, from the wish to its outcome, on the wire.

use super::{ELEMENTS, family, session};
use crate::support::Server;
use serde_json::{Value, json};

const DISH: &str = "pizza-palace";

fn wish(arguments: Value) -> Value {
    let mut wish = json!({
        "user": "henry", "kind": "operation_approval", "element": "dish-requests", "resource_instance": DISH,
        "reason": "hungry", "action": "order_dish", "decide_within": "2h", "lasts": "10m",
    });
    wish["arguments"] = arguments;
    wish
}

fn call(arguments: Value) -> Value {
    let mut call = json!({"user": "henry", "action": "order_dish"});
    call["arguments"] = arguments;
    call
}

async fn asked(server: &Server, arguments: Value) -> Value {
    server.dev().post("/api/v1/requests", wish(arguments)).await
}

fn redeem(request: &Value) -> String {
    format!("/api/v1/operation_approvals/{}/redeem", request["id"].as_str().unwrap())
}

#[tokio::test]
async fn what_was_shown_is_what_runs_once() {
    let server = family().await;
    let dev = server.dev();
    let asked = asked(&server, json!({"count": 1, "note": "no\u{202E}inos"})).await;
    assert_eq!(asked["call"]["arguments"]["count"], 1);
    let digest = asked["call"]["digest"].as_str().unwrap().to_owned();
    assert_eq!(digest.len(), 64);
    assert_eq!(asked["offer"], json!({"lasts": 600, "uses": 1}));
    assert_eq!(asked["grant"], Value::Null);

    let right = json!({"note": "no\u{202E}inos", "count": 1.0});
    let id = asked["id"].as_str().unwrap();
    let approve = format!("/api/v1/requests/{id}/approve?user=joe");
    let unseen = dev.refused(400, "INVALID_INPUT", "POST", &approve, json!({})).await;
    assert!(unseen.contains("send `shown`"), "{unseen}");
    let listed = dev.get("/api/v1/inbox?user=joe").await;
    assert_eq!(listed["data"][0]["call"]["digest"], digest.as_str(), "the reviewer sees it");
    let early = dev
        .refused(409, "CONCURRENT_OPERATION_DISALLOWED", "POST", &redeem(&asked), call(right.clone()))
        .await;
    assert!(!early.is_empty());
    let approved = dev.post(&approve, json!({"shown": listed["data"][0]["shown"], "lasts": "5m"})).await;
    assert_eq!((&approved["grant"]["state"], &approved["grant"]["left"]), (&json!("active"), &json!(1)));

    let swapped = call(json!({"count": 2, "note": "no\u{202E}inos"}));
    let refused = dev.refused(403, "FORBIDDEN_ACCESS", "POST", &redeem(&asked), swapped).await;
    assert!(refused.starts_with("This call differs in its arguments"), "{refused}");
    let spent = dev.post(&redeem(&asked), call(right.clone())).await;
    assert_eq!((&spent["number"], &spent["left"], &spent["digest"]), (&json!(1), &json!(0), &json!(digest)));
    dev.refused(409, "CONCURRENT_OPERATION_DISALLOWED", "POST", &redeem(&asked), call(right)).await;

    let outcome = format!("/api/v1/operation_approvals/{id}/uses/1");
    let said =
        dev.post(&outcome, json!({"user": "henry", "outcome": "succeeded", "note": "on its way"})).await;
    assert_eq!(said["grant"]["state"], "spent");
    let used = &said["grant"]["uses"][0];
    assert_eq!((&used["outcome"], &used["note"]), (&json!("succeeded"), &json!("on its way")));
    let other = json!({"user": "henry", "outcome": "failed"});
    dev.refused(409, "CONCURRENT_OPERATION_DISALLOWED", "POST", &outcome, other).await;
    let unknown = json!({"user": "henry", "outcome": "unknown"});
    assert_eq!(dev.send("POST", &outcome, Some(&unknown)).await.status, 422);
}

#[tokio::test]
async fn a_reviewer_changes_the_arguments_and_the_agent_sees_it() {
    let server = family().await;
    let dev = server.dev();
    let asked = asked(&server, json!({"count": 9})).await;
    let id = asked["id"].as_str().unwrap();
    let body = json!({"shown": asked["shown"], "arguments": {"count": 1}});
    let approved = dev.post(&format!("/api/v1/requests/{id}/approve?user=joe"), body).await;
    assert_ne!(approved["call"]["digest"], asked["call"]["digest"]);
    dev.refused(403, "FORBIDDEN_ACCESS", "POST", &redeem(&asked), call(json!({"count": 9}))).await;
    dev.post(&redeem(&asked), call(json!({"count": 1}))).await;
    let henry = session(&server, "henry").await;
    let shown = henry.get(&format!("{ELEMENTS}/dish-requests/operation_approval/{id}")).await;
    assert_eq!(shown["call"]["arguments"], json!({"count": 1}));
}

#[tokio::test]
async fn what_was_given_is_taken_back() {
    let server = family().await;
    let dev = server.dev();
    let asked = asked(&server, json!({})).await;
    let id = asked["id"].as_str().unwrap();
    let body = json!({"shown": asked["shown"]});
    dev.post(&format!("/api/v1/requests/{id}/approve?user=joe"), body).await;
    let revoke = format!("/api/v1/requests/{id}/revoke");
    dev.refused(404, "NOT_FOUND", "POST", &revoke, json!({"user": "rose"})).await;
    let gone = dev.post(&revoke, json!({"user": "joe", "reason": "too late"})).await;
    assert_eq!((&gone["grant"]["state"], &gone["grant"]["revoked_by"]), (&json!("revoked"), &json!("joe")));
    dev.refused(409, "CONCURRENT_OPERATION_DISALLOWED", "POST", &redeem(&asked), call(json!({}))).await;
}
