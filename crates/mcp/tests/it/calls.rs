//! One call, asked for, approved, spent and told of, by the agent itself.

use crate::support::{Client, Family, call, object, refusal};
use askfirst_engine::requests::{Approve, Decide, Verdict};
use serde_json::{Value, json};

fn wish() -> Value {
    json!({"reason": "The customer was charged twice.", "resource_instance": "pizza-palace", "action": "refund",
        "arguments": {"order": "8812", "euros": 12.5}, "context": {"shop": "north"}})
}

/// The same call, as it is made.
fn made() -> Value {
    json!({"resource_instance": "pizza-palace", "action": "refund",
        "arguments": {"euros": 12.50, "order": "8812"}, "context": {"shop": "north"}})
}

fn with(mut value: Value, name: &str, member: Value) -> Value {
    value.as_object_mut().unwrap().insert(name.to_owned(), member);
    value
}

async fn asked(henry: &Client) -> String {
    let asked = object(call(henry, "create_operation_approval", wish()).await);
    assert_eq!(asked["status"], "pending");
    asked["id"].as_str().unwrap().to_owned()
}

async fn joe(family: &Family, id: &str, verdict: Verdict, comment: Option<&str>) {
    let comment = comment.map(str::to_owned);
    family.person("joe").await.decide(&id.into(), Decide { approve: verdict, comment }).await.unwrap();
}

fn yes() -> Verdict {
    Verdict::Approve(Approve::default())
}

#[tokio::test]
async fn an_agent_spends_its_approval_by_the_call_alone_and_once() {
    let family = Family::at_home().await;
    let henry = family.client(&family.agent_key("henry").await, &[]).await;
    let none = refusal(&call(&henry, "redeem_operation_approval", made()).await);
    assert_eq!(
        none,
        "There is no unused approval of exactly this call of `refund`, so it must not be made; ask for one first."
    );
    let id = asked(&henry).await;
    assert_eq!(refusal(&call(&henry, "redeem_operation_approval", made()).await), none, "nobody has decided");
    joe(&family, &id, yes(), None).await;

    for (name, other) in [
        ("arguments", json!({"order": "8812", "euros": 125})),
        ("action", json!("refund_all")),
        ("context", json!({})),
        ("resource_instance", json!("7")),
    ] {
        let refused = refusal(&call(&henry, "redeem_operation_approval", with(made(), name, other)).await);
        assert!(refused.contains("There is no unused approval"), "{name}: {refused}");
    }
    let spent = object(call(&henry, "redeem_operation_approval", made()).await);
    assert_eq!(
        (&spent["operation_approval_id"], &spent["number"], &spent["left"]),
        (&json!(id), &json!(1), &json!(0))
    );
    assert_eq!(spent["call"]["arguments"], json!({"order": "8812", "euros": 12.5}));
    assert_eq!(spent["call"]["context"], json!({"shop": "north"}));
    assert_eq!(spent["resource_instance"], "restaurants:pizza-palace");
    assert_eq!(refusal(&call(&henry, "redeem_operation_approval", made()).await), none, "it is spent");
    let again = with(made(), "operation_approval_id", json!(id));
    let again = refusal(&call(&henry, "redeem_operation_approval", again).await);
    assert!(again.starts_with("What this approval gave is spent"), "{again}");
}

#[tokio::test]
async fn another_agent_of_the_same_human_and_another_human_spend_nothing() {
    let family = Family::at_home().await;
    let henry = family.client(&family.agent_key("henry").await, &[]).await;
    let id = asked(&henry).await;
    joe(&family, &id, yes(), None).await;
    let other = family.client(&family.agent_key("henry").await, &[]).await;
    let rose = family.client(&family.agent_key("rose").await, &[]).await;
    for stranger in [&other, &rose] {
        let refused = refusal(&call(stranger, "redeem_operation_approval", made()).await);
        assert!(refused.contains("There is no unused approval"), "{refused}");
        let by_id = with(made(), "operation_approval_id", json!(id));
        refusal(&call(stranger, "redeem_operation_approval", by_id).await);
    }
    // Nor does the model's word help.
    let lying = with(made(), "user_id", json!("henry"));
    let refused = refusal(&call(&rose, "redeem_operation_approval", lying).await);
    assert!(refused.contains("acts for rose only"), "{refused}");
    object(call(&henry, "redeem_operation_approval", made()).await);
}

#[tokio::test]
async fn what_came_of_it_is_said_once() {
    let family = Family::at_home().await;
    let henry = family.client(&family.agent_key("henry").await, &[]).await;
    let told = with(made(), "outcome", json!("failed"));
    let early = refusal(&call(&henry, "record_outcome", told.clone()).await);
    assert!(early.contains("was used without an outcome"), "{early}");
    let id = asked(&henry).await;
    joe(&family, &id, yes(), None).await;
    object(call(&henry, "redeem_operation_approval", made()).await);
    let told = with(told, "note", json!("the bank was closed"));
    let recorded = object(call(&henry, "record_outcome", told.clone()).await);
    assert_eq!(recorded["grant"]["state"], "spent");
    let found = family.person("henry").await.request(&id.as_str().into()).await.unwrap().request;
    let used = &found.grant.unwrap().spent[0];
    assert_eq!((used.outcome.as_str(), used.note.as_deref()), ("failed", Some("the bank was closed")));
    refusal(&call(&henry, "record_outcome", told).await);
    let by_id = json!({"operation_approval_id": id, "outcome": "succeeded"});
    let other = refusal(&call(&henry, "record_outcome", by_id).await);
    assert_eq!(other, "The outcome of this use is known already: failed.");
}

#[tokio::test]
async fn an_approval_that_is_not_used_up_is_handed_out_instead_of_asking_for_another() {
    let family = Family::at_home().await;
    let henry = family.client(&family.agent_key("henry").await, &[]).await;
    let id = asked(&henry).await;
    let less = json!({"order": "8812", "euros": 5});
    let approve = Approve { arguments: Some(less.clone()), ..Approve::default() };
    joe(&family, &id, Verdict::Approve(approve), Some("half of it")).await;
    let again = object(call(&henry, "create_operation_approval", wish()).await);
    assert_eq!(
        (&again["id"], &again["existed"], &again["status"]),
        (&json!(id), &json!(true), &json!("approved"))
    );
    assert_eq!(again["call"]["arguments"], less, "what the reviewer made of it");
    let as_asked = refusal(&call(&henry, "redeem_operation_approval", made()).await);
    assert!(as_asked.contains("There is no unused approval of exactly this call"), "{as_asked}");
    object(call(&henry, "redeem_operation_approval", with(made(), "arguments", less)).await);
    let anew = object(call(&henry, "create_operation_approval", wish()).await);
    assert_eq!((&anew["existed"], &anew["status"]), (&json!(false), &json!("pending")), "it is used up");
}

/// The reviewers are asked once, however often the model tries.
#[tokio::test]
async fn f4_a_denied_call_is_not_put_before_the_reviewers_again() {
    let family = Family::at_home().await;
    let henry = family.client(&family.agent_key("henry").await, &[]).await;
    let id = asked(&henry).await;
    joe(&family, &id, Verdict::Deny, Some("Refunds go through the bank.")).await;
    for _ in 0..3 {
        let told = refusal(&call(&henry, "create_operation_approval", wish()).await);
        assert!(told.starts_with("Exactly this was asked before, and nothing new was made."), "{told}");
        assert!(
            told.contains("Refunds go through the bank.") && told.contains("do not ask for it again"),
            "{told}"
        );
    }
    let waiting = object(call(&henry, "list_operation_approvals", json!({"status": "pending"})).await);
    assert_eq!(waiting["total_count"], 0);
    let other = with(wish(), "arguments", json!({"order": "8812", "euros": 1}));
    assert_eq!(object(call(&henry, "create_operation_approval", other).await)["status"], "pending");
    let told_to = with(wish(), "ask_again", json!(true));
    assert_eq!(object(call(&henry, "create_operation_approval", told_to).await)["status"], "pending");
}
