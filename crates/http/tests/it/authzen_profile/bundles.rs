//! Several things, asked for together.

use super::{Denied, World, assert_error, ordering, path, reading};
use serde_json::{Value, json};

/// Denials of the same subject and context, as one submission.
fn bundle(denials: &[Denied]) -> Value {
    let first = &denials[0];
    let items: Vec<Value> = denials
        .iter()
        .map(|denied| {
            json!({
                "resource": denied.question["resource"], "action": denied.question["action"],
                "denial": denied.denial(),
            })
        })
        .collect();
    let mut context = first.question["context"].clone();
    context["justification"] = json!("Dinner for all of us.");
    json!({"subject": first.question["subject"], "context": context, "items": items})
}

async fn denials(world: &World, restaurants: &[&str]) -> Vec<Denied> {
    let mut all = Vec::new();
    for restaurant in restaurants {
        all.push(world.denied(reading(restaurant)).await);
    }
    all
}

/// A bundle of as many things as there are decisions, decided one after the other; none stays pending.
async fn ended(decisions: &[Option<bool>]) -> (World, Value) {
    let world = World::start().await;
    let restaurants = ["pizza-palace", "burger-barn", "sushi-spot"];
    let denied = denials(&world, &restaurants[..decisions.len()]).await;
    let task = world.submitted(&bundle(&denied)).await;
    // Newest first.
    let requests = world.inbox("joe").await;
    for (request, decision) in requests.iter().rev().zip(decisions) {
        if let Some(approve) = decision {
            world.decide("joe", request, *approve).await;
        }
    }
    let read = world.task(&task).await;
    (world, read)
}

fn statuses(read: &Value) -> Vec<&str> {
    read["task"]["items"].as_array().unwrap().iter().map(|item| item["status"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn c093_items_stand_in_their_order_with_a_status_each() {
    let (_world, read) = ended(&[Some(true), Some(false), None]).await;
    assert_eq!(statuses(&read), ["approved", "denied", "pending"]);
    for (item, restaurant) in
        read["task"]["items"].as_array().unwrap().iter().zip(["pizza-palace", "burger-barn", "sushi-spot"])
    {
        assert_eq!((&item["resource"]["id"], &item["action"]["name"]), (&json!(restaurant), &json!("read")));
    }
}

#[tokio::test]
async fn c094_a_bundle_stands_where_its_items_do() {
    for (decisions, whole) in [
        (&[Some(true), Some(true)][..], "approved"),
        (&[Some(false), Some(false)], "denied"),
        (&[Some(true), Some(false)], "partial"),
        (&[Some(true), None], "pending"),
        (&[Some(false), None], "pending"),
        (&[None, None], "pending"),
    ] {
        let (_world, read) = ended(decisions).await;
        assert_eq!(read["task"]["status"], whole, "{decisions:?}");
    }
    let (world, read) = ended(&[Some(true), None]).await;
    world.server.clock.advance(std::time::Duration::from_hours(25));
    let read = world.task(&read).await;
    assert_eq!((&read["task"]["status"], statuses(&read)), (&json!("partial"), vec!["approved", "expired"]));
}

#[tokio::test]
async fn c095_only_a_bundle_is_partial_and_has_items() {
    let world = World::start().await;
    let single = world.asked(reading("pizza-palace")).await;
    assert_eq!(single["task"].get("items"), None);
    let (_world, one) = ended(&[Some(true)]).await;
    assert_eq!((&one["task"]["status"], statuses(&one)), (&json!("approved"), vec!["approved"]));
}

#[tokio::test]
async fn c096_each_approved_item_has_a_result_of_its_own() {
    let (_world, read) = ended(&[Some(true), Some(true), Some(false)]).await;
    let id = |n: usize| &read["task"]["items"][n]["result"]["approval"]["id"];
    assert!(id(0).is_string() && id(1).is_string());
    assert_ne!(id(0), id(1));
    assert_eq!(read["task"]["items"][2].get("result"), None);
}

#[tokio::test]
async fn c097_a_bundle_has_no_result_as_a_whole() {
    let (_world, read) = ended(&[Some(true), Some(true)]).await;
    assert_eq!(read.get("result"), None, "{read}");
}

#[tokio::test]
async fn c098_one_denial_for_a_bundle_has_to_cover_all_of_it() {
    let world = World::start().await;
    let denied = denials(&world, &["pizza-palace", "burger-barn"]).await;
    let mut all = bundle(&denied);
    for item in all["items"].as_array_mut().unwrap() {
        item.as_object_mut().unwrap().remove("denial");
    }
    assert_error(&world.submit(&all).await, 400, "invalid_denial_binding");
    all["denial"] = denied[0].denial();
    assert_error(&world.submit(&all).await, 400, "invalid_denial_binding");
    assert!(world.inbox("joe").await.is_empty());
    all["items"].as_array_mut().unwrap().truncate(1);
    world.submitted(&all).await;
}

#[tokio::test]
async fn c099_one_bad_item_refuses_the_whole() {
    let world = World::start().await;
    let denied = denials(&world, &["pizza-palace", "burger-barn", "sushi-spot"]).await;
    let mut all = bundle(&denied);
    all["items"][1]["denial"] = denied[2].denial();
    assert_error(&world.submit(&all).await, 400, "invalid_denial_binding");
    let mut twice = bundle(&denied[..1]);
    let item = twice["items"][0].clone();
    twice["items"].as_array_mut().unwrap().push(item);
    assert_error(&world.submit(&twice).await, 400, "invalid_denial_binding");
    let mut empty = bundle(&denied);
    empty["items"] = json!([]);
    assert_eq!(world.submit(&empty).await.status, 400);
    assert!(world.inbox("joe").await.is_empty(), "nobody was asked");
    world.submitted(&bundle(&denied)).await;
}

#[tokio::test]
async fn c100_the_approval_of_an_item_allows_no_other() {
    let (world, read) = ended(&[Some(true), Some(false)]).await;
    let approval = &read["task"]["items"][0]["result"]["approval"];
    assert_eq!(world.reevaluate(&reading("pizza-palace"), approval).await["decision"], true);
    let other = world.reevaluate(&reading("burger-barn"), approval).await;
    assert_eq!((&other["decision"], &other["context"]["reason"]), (&json!(false), &json!("out_of_scope")));
}

#[tokio::test]
async fn c104_withdrawing_a_bundle_leaves_what_has_ended() {
    let (world, read) = ended(&[Some(true), Some(false), None]).await;
    let cancel = path(&read["task"]["links"]["cancel"]);
    let cancelled = world.pep().post(&cancel, json!({})).await;
    assert_eq!(statuses(&cancelled), ["approved", "denied", "cancelled"]);
    assert_eq!(cancelled["task"]["status"], "partial");
    assert_eq!(cancelled["task"]["items"][0]["result"], read["task"]["items"][0]["result"]);
    assert_error(&world.pep().send("POST", &cancel, Some(&json!({}))).await, 409, "invalid_task_state");
}

#[tokio::test]
async fn a_bundle_shares_no_request_with_another_task() {
    let world = World::start().await;
    let single = world.asked(reading("pizza-palace")).await;
    let all = world.submitted(&bundle(&denials(&world, &["pizza-palace", "burger-barn"]).await)).await;
    assert_ne!(single["task"]["id"], all["task"]["id"]);
    assert_eq!(world.inbox("joe").await.len(), 3);
    world.pep().post(&path(&all["task"]["links"]["cancel"]), json!({})).await;
    assert_eq!(world.task(&single).await["task"]["status"], "pending");
    world.denied(ordering("pizza-palace_truffle-pizza")).await;
}
