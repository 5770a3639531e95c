//! An approval that is presented with an evaluation.

use super::{World, ordering, path, reading};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::time::Duration;

/// The question with an approval must be denied like this.
async fn denied(world: &World, question: &Value, approval: &Value, reason: &str, next: &str) -> Value {
    let answer = world.reevaluate(question, approval).await;
    assert_eq!(answer["decision"], false, "{answer}");
    let context = &answer["context"];
    assert_eq!((&context["reason"], &context["next_action"]), (&json!(reason), &json!(next)), "{answer}");
    assert_eq!(context["access_request"].is_object(), next == "request", "{answer}");
    answer
}

/// A change of the question must put it out of the approval's scope.
async fn is_out_of_scope(change: impl Fn(&mut Value)) {
    let world = World::start().await;
    let approval = world.approved(reading("pizza-palace")).await;
    let mut other = reading("pizza-palace");
    change(&mut other);
    let answer = world.reevaluate(&other, &approval).await;
    assert_eq!(
        (&answer["decision"], &answer["context"]["reason"]),
        (&json!(false), &json!("out_of_scope")),
        "{answer}"
    );
}

#[tokio::test]
async fn c076_an_approval_that_is_presented_as_it_is_allows() {
    let world = World::start().await;
    for question in [reading("pizza-palace"), ordering("pizza-palace_truffle-pizza")] {
        let approval = world.approved(question.clone()).await;
        for _ in 0..2 {
            let allowed = world.reevaluate(&question, &approval).await;
            assert_eq!(
                (&allowed["decision"], &allowed["context"]["reason"]),
                (&json!(true), &json!("approval")),
                "{allowed}"
            );
        }
        // The state may be left out: the id is looked up.
        let bare = json!({"id": approval["id"]});
        assert_eq!(world.reevaluate(&question, &bare).await["decision"], true);
        // The time of the call is not what was approved.
        let mut later = question.clone();
        later["context"]["time"] = json!("2026-09-21T10:30:00Z");
        assert_eq!(world.reevaluate(&later, &approval).await["decision"], true);
    }
}

#[tokio::test]
async fn c077_an_approval_that_is_not_presented_allows_nothing() {
    let world = World::start().await;
    world.approved(reading("pizza-palace")).await;
    assert_eq!(world.evaluate(&reading("pizza-palace")).await["decision"], false);
    let plain = json!({
        "user": {"key": "henry"}, "action": "read", "resource": {"type": "restaurants", "key": "pizza-palace"},
    });
    assert_eq!(world.pep().post("/allowed", plain).await["allow"], false, "it gave no role");
}

#[tokio::test]
async fn c078_an_approval_is_for_its_subject_alone() {
    is_out_of_scope(|all| all["subject"]["id"] = json!("rose")).await;
    is_out_of_scope(|all| all["subject"]["properties"]["age"] = json!(18)).await;
}

#[tokio::test]
async fn c078_somebody_who_got_the_subjects_name_has_not_its_approval() {
    let world = World::start().await;
    let approval = world.approved(reading("pizza-palace")).await;
    world.pep().delete("/v2/facts/default/dev/users/henry", Value::Null).await;
    world.pep().post("/v2/facts/default/dev/users", json!({"key": "henry"})).await;
    denied(&world, &reading("pizza-palace"), &approval, "out_of_scope", "request").await;
}

#[tokio::test]
async fn c079_an_approval_is_for_its_resource_alone() {
    is_out_of_scope(|all| all["resource"]["id"] = json!("burger-barn")).await;
    is_out_of_scope(|all| all["resource"]["properties"]["stars"] = json!(5)).await;
}

#[tokio::test]
async fn c080_an_approval_is_for_its_action_alone() {
    let world = World::start().await;
    let approval = world.approved(ordering("pizza-palace_truffle-pizza")).await;
    let mut other = ordering("pizza-palace_truffle-pizza");
    other["action"]["properties"]["amount"] = json!(25);
    denied(&world, &other, &approval, "out_of_scope", "request").await;
    other["action"] = json!({"name": "read", "properties": {"amount": 24.5}});
    denied(&world, &other, &approval, "out_of_scope", "request").await;
    // Nobody can give him this, so there is nothing to ask for.
    other["action"] = json!({"name": "update"});
    denied(&world, &other, &approval, "policy_denied", "none").await;
}

#[tokio::test]
async fn c081_an_approval_is_for_its_context_alone() {
    is_out_of_scope(|all| all["context"]["ip"] = json!("203.0.113.10")).await;
    is_out_of_scope(|all| drop(all["context"].as_object_mut().unwrap().remove("device"))).await;
    is_out_of_scope(|all| all["context"]["device"]["trusted"] = json!(false)).await;
    is_out_of_scope(|all| all["context"]["device"]["version"] = json!(1)).await;
    is_out_of_scope(|all| all["context"]["ip"] = Value::Null).await;
}

#[tokio::test]
async fn c082_an_approval_that_has_ended_is_asked_for_anew() {
    let world = World::start().await;
    let approval = world.approved(reading("pizza-palace")).await;
    world.server.clock.advance(Duration::from_secs(3601));
    let answer = denied(&world, &reading("pizza-palace"), &approval, "approval_expired", "request").await;
    // The new denial can be asked about.
    let fresh = super::Denied { question: reading("pizza-palace"), context: answer["context"].clone() };
    world.submitted(&fresh.submission()).await;
}

#[tokio::test]
async fn c083_an_approval_that_was_taken_back_allows_nothing() {
    let world = World::start().await;
    let task = world.asked(reading("pizza-palace")).await;
    let request = world.inbox("joe").await.remove(0);
    world.decide("joe", &request, true).await;
    let approval = world.task(&task).await["result"]["approval"].clone();
    assert_eq!(world.reevaluate(&reading("pizza-palace"), &approval).await["decision"], true);
    world.acting("jane").await.revoke(&request, None).await.unwrap();
    denied(&world, &reading("pizza-palace"), &approval, "policy_denied", "none").await;
}

#[tokio::test]
async fn c084_an_approval_does_not_outlive_the_policy_that_it_rests_on() {
    let family = include_str!("../../../../../examples/family/policy.yaml");
    let world = World::start().await;
    let approval = world.approved(reading("pizza-palace")).await;
    // Nobody can be given this role any more.
    world.apply(&family.replace("LEVEL_4: [child-can-order]", "HIDDEN: [child-can-order]")).await;
    denied(&world, &reading("pizza-palace"), &approval, "policy_denied", "none").await;
    world.apply(family).await;
    assert_eq!(world.reevaluate(&reading("pizza-palace"), &approval).await["decision"], true);
    // The role does not allow it any more.
    world.apply(&family.replace("permissions: [read]", "permissions: []")).await;
    denied(&world, &reading("pizza-palace"), &approval, "policy_denied", "none").await;
    world.apply(family).await;
    // The element is gone.
    world.pep().delete("/v2/elements/default/dev/config/restaurant-requests", Value::Null).await;
    denied(&world, &reading("pizza-palace"), &approval, "policy_denied", "none").await;
}

#[tokio::test]
async fn c084_a_subject_that_is_gone_is_allowed_nothing() {
    let world = World::start().await;
    let approval = world.approved(reading("pizza-palace")).await;
    world.pep().delete("/v2/facts/default/dev/users/henry", Value::Null).await;
    denied(&world, &reading("pizza-palace"), &approval, "policy_denied", "none").await;
}

#[tokio::test]
async fn c085_a_state_that_was_changed_is_not_believed() {
    let world = World::start().await;
    let approval = world.approved(reading("pizza-palace")).await;
    let state = approval["state"].as_str().unwrap();
    let dots: Vec<usize> = state.match_indices('.').map(|(at, _)| at).collect();
    for at in [3, dots[0] + 12, dots[1] + 7] {
        let mut bytes = state.as_bytes().to_vec();
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        let mut changed = approval.clone();
        changed["state"] = json!(String::from_utf8(bytes).unwrap());
        denied(&world, &reading("pizza-palace"), &changed, "approval_unverifiable", "none").await;
    }
    for state in [json!({"id": approval["id"]}), json!(1), json!("")] {
        let mut changed = approval.clone();
        changed["state"] = state;
        denied(&world, &reading("pizza-palace"), &changed, "approval_unverifiable", "none").await;
    }
}

#[tokio::test]
async fn c086_an_id_that_is_not_that_of_the_state_is_refused() {
    let world = World::start().await;
    let mut approval = world.approved(reading("pizza-palace")).await;
    approval["id"] = world.approved(reading("sushi-spot")).await["id"].clone();
    denied(&world, &reading("pizza-palace"), &approval, "approval_unverifiable", "none").await;
}

#[tokio::test]
async fn c087_a_state_for_somebody_else_is_refused() {
    let (world, other) = (World::start().await, World::start().await);
    let mut approval = world.approved(reading("pizza-palace")).await;
    approval["state"] = other.approved(reading("pizza-palace")).await["state"].clone();
    denied(&world, &reading("pizza-palace"), &approval, "approval_unverifiable", "none").await;
    // A binding token is one of ours, too, and no approval.
    approval["state"] =
        world.denied(reading("sushi-spot")).await.context["access_request"]["binding_token"].clone();
    denied(&world, &reading("pizza-palace"), &approval, "approval_unverifiable", "none").await;
}

#[tokio::test]
async fn c087_a_state_of_our_own_key_for_another_audience_is_refused() {
    let world = World::start().await;
    let approval = world.approved(reading("pizza-palace")).await;
    let moved = world.moved_to("https://elsewhere.example").await;
    denied(&moved, &reading("pizza-palace"), &approval, "approval_unverifiable", "none").await;
    // The id alone is looked up, and counts at the new address as well.
    let by_id = json!({"id": approval["id"]});
    assert_eq!(moved.reevaluate(&reading("pizza-palace"), &by_id).await["decision"], true);
}

#[tokio::test]
async fn an_approval_that_is_under_way_is_presented_again_later() {
    let world = World::start().await;
    world.asked(reading("pizza-palace")).await;
    let request = world.inbox("joe").await.remove(0);
    let link = world.acting("joe").await.request(&request).await.unwrap().request.task.unwrap();
    // As another server would know it, which has heard of the approval before this one.
    let random: [u8; 16] = URL_SAFE_NO_PAD.decode(&link.approval).unwrap().try_into().unwrap();
    let mut masked = *request.uuid().unwrap().as_bytes();
    for (byte, mask) in masked.iter_mut().zip(Sha256::digest(random)) {
        *byte ^= mask;
    }
    let early = json!({"id": format!("ap_{}", URL_SAFE_NO_PAD.encode([random, masked].concat()))});
    let answer = denied(&world, &reading("pizza-palace"), &early, "grant_pending", "retry").await;
    assert_eq!(answer["context"]["retry_after"], 5);
    world.decide("joe", &request, true).await;
    assert_eq!(world.reevaluate(&reading("pizza-palace"), &early).await["decision"], true);
}

#[tokio::test]
async fn c088_a_known_id_opens_nothing_to_another_environment() {
    let world = World::start().await;
    let approval = world.approved(reading("pizza-palace")).await;
    let elsewhere = world.server.holder("environment default/production");
    let mut question = reading("pizza-palace");
    question["context"]["approval"] = json!({"id": approval["id"]});
    let answer = elsewhere.post(super::EVALUATION, question).await;
    assert_eq!(
        (&answer["decision"], &answer["context"]["reason"]),
        (&json!(false), &json!("approval_unverifiable")),
        "{answer}"
    );
}

#[tokio::test]
async fn c089_whoever_presents_an_approval_in_vain_is_told_what_to_do() {
    let world = World::start().await;
    for nonsense in
        [json!("ap_1"), json!(7), json!({}), json!({"id": 7}), json!({"id": "ap_"}), json!([]), Value::Null]
    {
        denied(&world, &reading("pizza-palace"), &nonsense, "approval_unverifiable", "none").await;
    }
    let plain = world.evaluate(&reading("pizza-palace")).await;
    assert_eq!(plain["context"].get("next_action"), None, "nothing was presented");
}

#[tokio::test]
async fn c090_who_is_told_to_ask_is_told_where() {
    let world = World::start().await;
    let approval = world.approved(reading("pizza-palace")).await;
    let answer = denied(&world, &reading("burger-barn"), &approval, "out_of_scope", "request").await;
    let fresh = super::Denied { question: reading("burger-barn"), context: answer["context"].clone() };
    let task = world.submitted(&fresh.submission()).await;
    assert!(path(&task["task"]["status_endpoint"]).starts_with("/access/v1/requests/"));
}

#[tokio::test]
async fn c091_a_permit_says_until_when_it_counts() {
    let world = World::start().await;
    let approval = world.approved(reading("pizza-palace")).await;
    let allowed = world.reevaluate(&reading("pizza-palace"), &approval).await;
    assert_eq!(
        allowed["context"]["approval"],
        json!({"id": approval["id"], "approved_until": approval["approved_until"]})
    );
    let denied = world.denied(reading("sushi-spot")).await;
    let now = world.scope().await.op().now;
    let until = now.plus(Duration::from_mins(2)).to_string();
    let task =
        world.submitted(&denied.but(|all| all["requested_access"] = json!({"requested_until": until}))).await;
    world.decide_all("joe", true).await;
    let approval = world.task(&task).await["result"]["approval"].clone();
    assert!(approval["approved_until"].as_str().unwrap() <= until.as_str(), "{approval} {until}");
}

#[tokio::test]
async fn c092_objects_with_all_their_properties_are_compared_exactly() {
    let world = World::start().await;
    let mut question = reading("pizza-palace");
    question["subject"]["properties"]["deep"] = json!({"a": [1, {"b": null}], "c": "\u{e9}", "d": 1e3});
    question["resource"]["properties"]["more"] = json!([[], {}, "", 0, false]);
    let approval = world.approved(question.clone()).await;
    assert_eq!(world.reevaluate(&question, &approval).await["decision"], true);
    question["subject"]["properties"]["deep"]["d"] = json!(1000);
    assert_eq!(world.reevaluate(&question, &approval).await["decision"], true, "the same number");
    question["subject"]["properties"]["deep"]["a"][1]["b"] = json!(0);
    assert_eq!(world.reevaluate(&question, &approval).await["decision"], false);
}

#[tokio::test]
async fn an_approval_is_presented_among_many_evaluations_too() {
    let world = World::start().await;
    let approval = world.approved(reading("pizza-palace")).await;
    let mut approved = reading("pizza-palace");
    approved["context"]["approval"] = approval;
    let many = json!({"evaluations": [approved, reading("pizza-palace")]});
    let answers = world.pep().post("/access/v1/evaluations", many).await;
    assert_eq!(
        (&answers["evaluations"][0]["decision"], &answers["evaluations"][1]["decision"]),
        (&json!(true), &json!(false))
    );
    assert!(answers["evaluations"][1]["context"]["access_request"].is_object());
}
