//! The same submission, sent again.

use super::{REQUESTS, World, assert_error, path, reading};
use axum::body::Body;
use http::Request;
use serde_json::{Value, json};
use std::{collections::BTreeSet, time::Duration};
use tower::ServiceExt as _;

const HOUR: Duration = Duration::from_hours(1);

#[tokio::test]
async fn c048_the_same_body_under_the_same_key_is_the_same_task() {
    let world = World::start().await;
    let submission = world.denied(reading("pizza-palace")).await.submission();
    let first = world.submit_under("k-1", &submission).await;
    // Written with other white space and another order of the members.
    let text = serde_json::to_string_pretty(&submission).unwrap();
    let (head, tail) = text.split_at(1);
    let text = format!("{head}\n\n  \"zzz\": 1,{tail}");
    let mut reordered: Value = serde_json::from_str(&text).unwrap();
    reordered.as_object_mut().unwrap().remove("zzz");
    let request = Request::post(REQUESTS)
        .header("authorization", "Bearer key-of-dev")
        .header("idempotency-key", "k-1")
        .body(Body::from(serde_json::to_string_pretty(&reordered).unwrap()))
        .unwrap();
    let again = world.server.router.clone().oneshot(request).await.unwrap();
    assert_eq!(again.status(), 202);
    let bytes = axum::body::to_bytes(again.into_body(), usize::MAX).await.unwrap();
    let again: Value = serde_json::from_slice(&bytes).unwrap();
    assert_eq!(again["task"]["id"], first.body["task"]["id"]);
    assert_eq!(world.inbox("joe").await.len(), 1);
}

#[tokio::test]
async fn c049_another_body_under_the_same_key_is_a_conflict() {
    let world = World::start().await;
    let denied = world.denied(reading("pizza-palace")).await;
    world.submit_under("k-1", &denied.submission()).await;
    let other = denied.but(|all| all["context"]["justification"] = json!("Something else."));
    assert_error(&world.submit_under("k-1", &other).await, 409, "duplicate_request");
}

#[tokio::test]
async fn c050_each_caller_has_its_own_keys() {
    let world = World::start().await;
    let first = world.submit_under("k-1", &world.denied(reading("pizza-palace")).await.submission()).await;
    let other = world.other_key().await;
    let submission = world.denied(reading("burger-barn")).await.submission();
    let key = [("idempotency-key", "k-1")];
    let second = world.server.client(Some(&other)).send_with("POST", REQUESTS, Some(&submission), &key).await;
    assert_eq!(second.status, 202, "{second:?}");
    assert_ne!(second.body["task"]["id"], first.body["task"]["id"]);
}

#[tokio::test]
async fn c051_a_key_is_kept_a_day_beyond_the_end() {
    let world = World::start().await;
    let submission = world.denied(reading("pizza-palace")).await.submission();
    let first = world.submit_under("k-1", &submission).await;
    world.decide_all("joe", false).await;
    world.server.clock.advance(24 * HOUR);
    world.server.engine.purge_expired().await.unwrap();
    let again = world.submit_under("k-1", &submission).await;
    assert_eq!(again.status, 201, "{again:?}");
    assert_eq!(
        (&again.body["task"]["id"], &again.body["task"]["status"]),
        (&first.body["task"]["id"], &json!("denied"))
    );
}

#[tokio::test]
async fn c052_without_a_key_each_evaluation_is_submitted_once_and_what_is_pending_is_not_asked_twice() {
    let world = World::start().await;
    // By its id, the same denial again is the same task; by its token it is refused (41).
    let denied = world.denied(reading("pizza-palace")).await;
    let first = world.submitted(&denied.by_id()).await;
    let again = world.submitted(&denied.by_id()).await;
    assert_eq!(again["task"]["id"], first["task"]["id"]);
    // Another denial of the same, while somebody is asked about it.
    let fresh = world.asked(reading("pizza-palace")).await;
    assert_eq!(fresh["task"]["id"], first["task"]["id"]);
    assert_eq!(world.inbox("joe").await.len(), 1);
    // Something else is another task, and so is the same once it was decided.
    let other = world.asked(reading("burger-barn")).await;
    assert_ne!(other["task"]["id"], first["task"]["id"]);
    world.decide_all("joe", false).await;
    let later = world.asked(reading("pizza-palace")).await;
    assert_ne!(later["task"]["id"], first["task"]["id"]);
}

#[tokio::test]
async fn c053_of_fifty_at_once_one_opens_a_task() {
    let world = World::start().await;
    let submission = world.denied(reading("pizza-palace")).await.submission();
    let answers = futures::future::join_all((0..50).map(|_| world.submit_under("k-1", &submission))).await;
    let ids: BTreeSet<String> = answers
        .iter()
        .map(|answer| {
            assert_eq!(answer.status, 202, "{answer:?}");
            path(&answer.body["task"]["status_endpoint"])
        })
        .collect();
    assert_eq!(ids.len(), 1);
    assert_eq!(world.inbox("joe").await.len(), 1);
}

#[tokio::test]
async fn a_key_that_is_none_is_refused() {
    let world = World::start().await;
    let submission = world.denied(reading("pizza-palace")).await.submission();
    for key in [" ", &"k".repeat(256)] {
        assert_eq!(world.submit_under(key, &submission).await.status, 400, "{key}");
    }
    assert_eq!(world.submit_under(&"k".repeat(255), &submission).await.status, 202);
}
