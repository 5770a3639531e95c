//! Tasks and who may follow them.

use super::{BASE, World, assert_error, path, reading};
use serde_json::{Value, json};
use std::{collections::BTreeSet, time::Duration};

const DAY: Duration = Duration::from_hours(24);

#[tokio::test]
async fn c054_a_tasks_id_can_not_be_guessed() {
    let world = World::start().await;
    let mut ids = BTreeSet::new();
    for restaurant in ["pizza-palace", "burger-barn", "sushi-spot"] {
        let task = world.asked(reading(restaurant)).await;
        let id = task["task"]["id"].as_str().unwrap().strip_prefix("task_").unwrap().to_owned();
        // 256 bits in base64.
        assert_eq!(id.len(), 43, "{id}");
        ids.insert(id);
    }
    let heads: BTreeSet<&str> = ids.iter().filter_map(|id| id.get(..8)).collect();
    assert_eq!(heads.len(), 3, "nothing of it is counted or of the time");
}

#[tokio::test]
async fn c055_a_task_says_by_https_where_it_stands() {
    let world = World::start().await;
    let task = world.asked(reading("pizza-palace")).await;
    let endpoint = &task["task"]["status_endpoint"];
    assert!(endpoint.as_str().unwrap().starts_with(&format!("{BASE}/access/v1/requests/task_")));
    assert_eq!(world.pep().get(&path(endpoint)).await["task"], task["task"]);
}

#[tokio::test]
async fn c056_the_location_is_the_status_endpoint() {
    let world = World::start().await;
    let answer = world.submit(&world.denied(reading("pizza-palace")).await.submission()).await;
    assert_eq!(answer.headers["location"], answer.body["task"]["status_endpoint"].as_str().unwrap());
}

#[tokio::test]
async fn c057_a_task_of_another_environment_does_not_exist() {
    let world = World::start().await;
    let task = world.asked(reading("pizza-palace")).await;
    let endpoint = path(&task["task"]["status_endpoint"]);
    let elsewhere = world.server.holder("environment default/production");
    let foreign = elsewhere.send("GET", &endpoint, None).await;
    assert_error(&foreign, 404, "unknown_task");
    let nothing = elsewhere.send("GET", "/access/v1/requests/task_nothing", None).await;
    assert_eq!(foreign.body, nothing.body, "the two look the same");
    let cancel = elsewhere.send("POST", &format!("{endpoint}/cancel"), Some(&json!({}))).await;
    assert_error(&cancel, 404, "unknown_task");
}

#[tokio::test]
async fn c058_a_handle_without_a_credential_opens_nothing() {
    let world = World::start().await;
    let task = world.asked(reading("pizza-palace")).await;
    let endpoint = path(&task["task"]["status_endpoint"]);
    for key in [None, Some("not-a-key")] {
        let client = world.server.client(key);
        assert_eq!(client.send("GET", &endpoint, None).await.status, 401);
        assert_eq!(client.send("POST", &format!("{endpoint}/cancel"), Some(&json!({}))).await.status, 401);
    }
}

#[tokio::test]
async fn c059_another_instance_of_the_enforcement_point_may_follow_a_task() {
    let world = World::start().await;
    let task = world.asked(reading("pizza-palace")).await;
    let other = world.other_key().await;
    let read = world.server.client(Some(&other)).get(&path(&task["task"]["status_endpoint"])).await;
    assert_eq!((&read["task"]["id"], &read["task"]["status"]), (&task["task"]["id"], &json!("pending")));
}

#[tokio::test]
async fn c060_a_rotated_key_still_follows_a_task() {
    let world = World::start().await;
    let made = world.server.org().post("/api/v1/keys", json!({"project": "default", "env": "dev"})).await;
    let submission = world.denied(reading("pizza-palace")).await.submission();
    let first = world.server.client(made["secret"].as_str());
    let task = first.post("/access/v1/requests", submission).await;
    let rotate = format!("/v2/api-key/{}/rotate-secret", made["id"].as_str().unwrap());
    let rotated = world.server.org().post(&rotate, Value::Null).await;
    let endpoint = path(&task["task"]["status_endpoint"]);
    assert_eq!(first.send("GET", &endpoint, None).await.status, 401, "the old secret");
    let read = world.server.client(rotated["secret"].as_str()).get(&endpoint).await;
    assert_eq!(read["task"]["id"], task["task"]["id"]);
}

#[tokio::test]
async fn c061_whoever_may_follow_a_task_may_not_therefore_withdraw_it() {
    let world = World::start().await;
    let task = world.asked(reading("pizza-palace")).await;
    assert!(task["task"]["links"]["cancel"].is_string());
    let other = world.other_key().await;
    let other = world.server.client(Some(&other));
    let endpoint = path(&task["task"]["status_endpoint"]);
    let read = other.get(&endpoint).await;
    assert_eq!(read["task"]["links"], json!({}), "{read}");
    let refused = other.send("POST", &format!("{endpoint}/cancel"), Some(&json!({}))).await;
    assert_eq!(refused.status, 403, "{refused:?}");
    assert_eq!(world.task(&task).await["task"]["status"], "pending");
}

#[tokio::test]
async fn c062_a_task_says_nothing_of_who_decides() {
    let world = World::start().await;
    let task = world.asked(reading("pizza-palace")).await;
    world.decide_all("joe", true).await;
    for read in [task.clone(), world.task(&task).await] {
        let text = read.to_string();
        for hidden in ["joe", "jane", "restaurant-requests", "review", "inbox"] {
            assert!(!text.contains(hidden), "{hidden} stands in {text}");
        }
    }
}

#[tokio::test]
async fn c063_a_task_ends_once() {
    let world = World::start().await;
    let task = world.asked(reading("pizza-palace")).await;
    let request = world.inbox("joe").await.remove(0);
    world.decide("joe", &request, true).await;
    let acting = world.acting("jane").await;
    let deny = askfirst_engine::requests::Decide {
        approve: askfirst_engine::requests::Verdict::Deny,
        comment: None,
    };
    assert!(acting.decide(&request, deny).await.is_err());
    let cancel = format!("{}/cancel", path(&task["task"]["status_endpoint"]));
    let refused = world.pep().send("POST", &cancel, Some(&json!({}))).await;
    assert_error(&refused, 409, "invalid_task_state");
    world.server.clock.advance(10 * DAY);
    assert_eq!(world.task(&task).await["task"]["status"], "approved");
}

#[tokio::test]
async fn c064_a_task_expires_by_itself() {
    let world = World::start().await;
    let task = world.asked(reading("pizza-palace")).await;
    let ends = task["task"]["expires_at"].as_str().unwrap();
    world.server.clock.advance(DAY + Duration::from_secs(1));
    assert!(world.scope().await.op().now.to_string().as_str() > ends);
    // Nobody has looked: it is over for the reviewers all the same.
    assert!(world.inbox("joe").await.is_empty());
    assert_eq!(world.task(&task).await["task"]["status"], "expired");
}

#[tokio::test]
async fn c065_what_is_long_over_is_not_told_of_any_more() {
    let world = World::start().await;
    let task = world.asked(reading("pizza-palace")).await;
    let endpoint = path(&task["task"]["status_endpoint"]);
    world.server.clock.advance(63 * DAY);
    assert_error(&world.pep().send("GET", &endpoint, None).await, 410, "task_expired");
    world.server.engine.purge_expired().await.unwrap();
    assert_error(&world.pep().send("GET", &endpoint, None).await, 404, "unknown_task");
}

#[tokio::test]
async fn c066_whoever_polls_is_told_to_wait() {
    let world = World::start().await;
    let answer = world.submit(&world.denied(reading("pizza-palace")).await.submission()).await;
    assert_eq!(answer.headers["retry-after"], "5");
    let endpoint = path(&answer.body["task"]["status_endpoint"]);
    assert_eq!(world.pep().send("GET", &endpoint, None).await.headers["retry-after"], "5");
    world.decide_all("joe", true).await;
    assert_eq!(world.pep().send("GET", &endpoint, None).await.headers.get("retry-after"), None);
}
