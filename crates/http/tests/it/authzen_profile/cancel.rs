//! Withdrawing, and how errors look.

use super::{REQUESTS, World, assert_error, path, reading};
use http::Request;
use serde_json::json;
use tower::ServiceExt as _;

#[tokio::test]
async fn c101_a_pending_task_is_withdrawn_once() {
    let world = World::start().await;
    let task = world.asked(reading("pizza-palace")).await;
    let cancel = path(&task["task"]["links"]["cancel"]);
    let answer = world.pep().send("POST", &cancel, Some(&json!({"reason": "Not hungry any more."}))).await;
    assert_eq!((answer.status, &answer.body["task"]["status"]), (200, &json!("cancelled")), "{answer:?}");
    assert_eq!(answer.body["task"]["links"], json!({}));
    assert_error(&world.pep().send("POST", &cancel, Some(&json!({}))).await, 409, "invalid_task_state");
    assert!(world.inbox("joe").await.is_empty());
}

#[tokio::test]
async fn c102_whoever_may_submit_may_not_therefore_withdraw() {
    let world = World::start().await;
    let task = world.asked(reading("pizza-palace")).await;
    let other = world.other_key().await;
    let other = world.server.client(Some(&other));
    let submission = world.denied(reading("burger-barn")).await.submission();
    assert_eq!(other.send("POST", REQUESTS, Some(&submission)).await.status, 202);
    let cancel = path(&task["task"]["links"]["cancel"]);
    assert_eq!(other.send("POST", &cancel, Some(&json!({}))).await.status, 403);
    assert_eq!(world.task(&task).await["task"]["status"], "pending");
}

#[tokio::test]
async fn c103_where_nothing_can_be_withdrawn_there_is_no_link_and_no_delete() {
    let world = World::start().await;
    let task = world.asked(reading("pizza-palace")).await;
    let endpoint = path(&task["task"]["status_endpoint"]);
    let request = Request::delete(&endpoint).header("authorization", "Bearer key-of-dev");
    let request = request.body(axum::body::Body::empty()).unwrap();
    assert_eq!(world.server.router.clone().oneshot(request).await.unwrap().status(), 405);
    world.decide_all("joe", true).await;
    assert_eq!(world.task(&task).await["task"]["links"], json!({}));
}

#[tokio::test]
async fn c107_each_error_has_its_type_and_status() {
    let world = World::start().await;
    let denied = world.denied(reading("pizza-palace")).await;
    let bad = denied.but(|all| all["subject"]["id"] = json!("rose"));
    assert_error(&world.submit(&bad).await, 400, "invalid_denial_binding");
    let task = world.submit_under("k", &denied.submission()).await.body;
    let other = denied.but(|all| all["context"]["justification"] = json!("Else."));
    assert_error(&world.submit_under("k", &other).await, 409, "duplicate_request");
    let cancel = path(&task["task"]["links"]["cancel"]);
    world.pep().post(&cancel, json!({})).await;
    assert_error(&world.pep().send("POST", &cancel, Some(&json!({}))).await, 409, "invalid_task_state");
    let unknown = world.pep().send("GET", "/access/v1/requests/task_unknown", None).await;
    assert_error(&unknown, 404, "unknown_task");
    let old = world.denied(reading("burger-barn")).await;
    world.server.clock.advance(super::ASKABLE);
    assert_error(&world.submit(&old.submission()).await, 410, "expired_denial");
    let lost = world.denied(reading("sushi-spot")).await;
    world.pep().delete("/v2/elements/default/dev/config/restaurant-requests", serde_json::Value::Null).await;
    assert_error(&world.submit(&lost.submission()).await, 400, "not_requestable");
    world.server.clock.advance(std::time::Duration::from_hours(63 * 24));
    let over = world.pep().send("GET", &path(&task["task"]["status_endpoint"]), None).await;
    assert_error(&over, 410, "task_expired");
}
