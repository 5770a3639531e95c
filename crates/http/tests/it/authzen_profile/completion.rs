//! What an end of a task brings.

use super::{World, ordering, reading};
use askfirst_engine::{
    Kind,
    requests::{Approve, Decide, Verdict},
};
use serde_json::{Value, json};

fn approve() -> Decide {
    Decide { approve: Verdict::Approve(Approve::default()), comment: None }
}

#[tokio::test]
async fn c067_an_approved_task_has_a_result() {
    let world = World::start().await;
    for question in [reading("pizza-palace"), ordering("pizza-palace_truffle-pizza")] {
        let task = world.asked(question).await;
        world.decide_all("joe", true).await;
        assert!(world.task(&task).await["result"].is_object());
    }
}

#[tokio::test]
async fn c068_the_result_says_to_evaluate_again_with_an_approval() {
    let world = World::start().await;
    let task = world.asked(reading("pizza-palace")).await;
    world.decide_all("joe", true).await;
    let result = world.task(&task).await["result"].clone();
    assert_eq!(result["mode"], "reevaluate");
    let approval = &result["approval"];
    assert!(approval["id"].is_string() && approval["approved_at"].is_string());
    assert!(approval["approved_until"].as_str() > approval["approved_at"].as_str());
    assert_eq!(world.task(&task).await["result"], result, "it is the same each time");
}

#[tokio::test]
async fn c069_an_approvals_id_can_not_be_guessed() {
    let world = World::start().await;
    let (one, two) =
        (world.approved(reading("pizza-palace")).await, world.approved(reading("sushi-spot")).await);
    let [one, two] = [&one, &two].map(|approval| approval["id"].as_str().unwrap().to_owned());
    // 16 random bytes and as many that stand under their mask.
    assert_eq!((one.len(), two.len()), (46, 46), "{one} {two}");
    for part in [3..11, 30..46] {
        assert_ne!(one.as_bytes()[part.clone()], two.as_bytes()[part]);
    }
    let mut guessed = one.into_bytes();
    guessed[5] = if guessed[5] == b'A' { b'B' } else { b'A' };
    let guessed = json!({"id": String::from_utf8(guessed).unwrap()});
    let denied = world.reevaluate(&reading("pizza-palace"), &guessed).await;
    assert_eq!(denied["context"]["reason"], "approval_unverifiable", "{denied}");
}

#[tokio::test]
async fn c070_nothing_is_approved_before_somebody_has_decided() {
    let world = World::start().await;
    let task = world.asked(reading("pizza-palace")).await;
    let read = world.task(&task).await;
    assert_eq!((&read["task"]["status"], read.get("result")), (&json!("pending"), None));
    assert_eq!(world.evaluate(&reading("pizza-palace")).await["decision"], false);
}

#[tokio::test]
async fn c071_nobody_approves_what_they_asked_for() {
    let world = World::start().await;
    // Henry becomes a reviewer of the dish while his request waits.
    let task = world.asked(ordering("pizza-palace_truffle-pizza")).await;
    let request = world.inbox("joe").await.remove(0);
    let role = json!({"user": "henry", "role": "_Reviewer_", "resource_instance": "restaurants:pizza-palace_truffle-pizza", "tenant": "default"});
    world.pep().post("/v2/facts/default/dev/role_assignments", role).await;
    let refused = world.acting("henry").await.decide(&request, approve()).await.unwrap_err();
    assert_eq!(refused.kind(), Kind::Forbidden);
    assert_eq!(world.task(&task).await["task"]["status"], "pending");
}

#[tokio::test]
async fn c072_whoever_is_no_reviewer_approves_nothing() {
    let world = World::start().await;
    let task = world.asked(reading("pizza-palace")).await;
    let request = world.inbox("joe").await.remove(0);
    let refused = world.acting("rose").await.decide(&request, approve()).await.unwrap_err();
    assert_eq!(refused.kind(), Kind::NotFound, "to her there is no such request");
    assert_eq!(world.task(&task).await["task"]["status"], "pending");
}

#[tokio::test]
async fn c073_whoever_was_a_reviewer_approves_nothing() {
    let world = World::start().await;
    let task = world.asked(reading("pizza-palace")).await;
    let request = world.inbox("joe").await.remove(0);
    let gone = json!({"user": "joe", "role": "parent", "resource_instance": "restaurants:pizza-palace", "tenant": "default"});
    world.pep().delete("/v2/facts/default/dev/role_assignments", gone).await;
    assert!(world.acting("joe").await.decide(&request, approve()).await.is_err());
    assert_eq!(world.task(&task).await["task"]["status"], "pending");
    world.decide("jane", &request, true).await;
    assert_eq!(world.task(&task).await["task"]["status"], "approved");
}

#[tokio::test]
async fn c074_what_a_rule_decides_has_ended_when_it_is_answered() {
    let world = World::start().await;
    let rules = json!({"rules": [{"name": "everybody", "then": "approve", "lasts": "10m"}]});
    world.terms("restaurant-requests", rules).await;
    let answer = world.submit(&world.denied(reading("pizza-palace")).await.submission()).await;
    assert_eq!((answer.status, &answer.body["task"]["status"]), (201, &json!("approved")), "{answer:?}");
    assert_eq!(answer.headers.get("retry-after"), None);
    assert_eq!(answer.headers["location"], answer.body["task"]["status_endpoint"].as_str().unwrap());
    let approval = &answer.body["result"]["approval"];
    assert_eq!(world.reevaluate(&reading("pizza-palace"), approval).await["decision"], true);
    assert!(world.inbox("joe").await.is_empty());

    let rules = json!({"rules": [{"name": "nobody", "then": "deny", "reason": "closed"}]});
    world.terms("restaurant-requests", rules).await;
    let answer = world.submit(&world.denied(reading("burger-barn")).await.submission()).await;
    assert_eq!((answer.status, &answer.body["task"]["status"]), (201, &json!("denied")), "{answer:?}");
    assert_eq!(answer.body.get("result"), None);
}

#[tokio::test]
async fn a_stand_in_approves_and_the_authority_is_the_others() {
    let world = World::start().await;
    let task = world.asked(reading("pizza-palace")).await;
    world.pep().put("/v2/facts/default/dev/users/berta", json!({"key": "berta"})).await;
    world.pep().post("/api/v1/stand-ins?user=joe", json!({"to": "berta", "lasts": "1d"})).await;
    world.decide_all("berta", true).await;
    assert_eq!(world.task(&task).await["task"]["status"], "approved");
}

#[tokio::test]
async fn c075_a_task_that_was_denied_or_expired_has_no_result() {
    let world = World::start().await;
    let denied = world.asked(reading("pizza-palace")).await;
    world.decide_all("joe", false).await;
    let expired = world.asked(reading("burger-barn")).await;
    world.server.clock.advance(std::time::Duration::from_hours(25));
    for (task, status) in [(denied, "denied"), (expired, "expired")] {
        let read = world.task(&task).await;
        assert_eq!((&read["task"]["status"], read.get("result")), (&json!(status), None), "{read}");
        assert_eq!(read["task"]["links"].get("cancel"), None::<&Value>);
    }
}
