//! What the audit log says of calls that write many facts.

use crate::support::World;
use askfirst_domain::audit::{AuditEvent, Field};
use askfirst_engine::{
    EnvScope,
    facts::{NewUser, UserEdit},
};
use askfirst_store::Page;
use serde_json::{Value, json};

async fn create(dev: &EnvScope, keys: impl Iterator<Item = String>) {
    let new = |key: String| NewUser {
        key: key.parse().expect("a key"),
        edit: UserEdit::default(),
        roles: Vec::new(),
    };
    dev.create_users(&keys.map(new).collect::<Vec<_>>()).await.expect("the users are created");
}

/// The events about users who were created, oldest first.
async fn events(dev: &EnvScope) -> Vec<AuditEvent> {
    let mut events = dev
        .audit_events(None, Some("user.created".to_owned()), Page::ALL)
        .await
        .expect("the log reads")
        .items;
    events.reverse();
    events
}

/// The users that an event tells about together.
fn together(event: &AuditEvent) -> Vec<&str> {
    let facts = event.details.get("facts").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    facts.iter().filter_map(|fact| fact["object"].as_str()).collect()
}

#[tokio::test]
async fn an_event_tells_about_fifty_facts_at_most_and_none_is_left_out() {
    let world = World::fresh().await;
    let dev = world.dev().await;
    let keys: Vec<_> = (0..120).map(|n| format!("user-{n}")).collect();
    create(&dev, keys.iter().cloned()).await;

    let events = events(&dev).await;
    let told: Vec<_> = events.iter().map(together).collect();
    assert_eq!(told.iter().map(Vec::len).collect::<Vec<_>>(), [50, 50, 20]);
    assert_eq!(told.concat(), keys);
    assert!(events.iter().all(|event| event.object.is_none()));
}

#[tokio::test]
async fn few_facts_have_an_event_each() {
    let world = World::fresh().await;
    let dev = world.dev().await;
    create(&dev, (0..9).map(|n| format!("user-{n}"))).await;

    let events = events(&dev).await;
    assert_eq!(events.len(), 9);
    assert_eq!(events[3].object.as_deref(), Some("user-3"));
    assert_eq!(json!(events[3].details), json!({}));
}

#[tokio::test]
async fn erasing_one_of_many_takes_what_stands_beside_them_and_leaves_the_chain() {
    let world = World::fresh().await;
    let dev = world.dev().await;
    create(&dev, (0..60).map(|n| format!("user-{n}"))).await;

    assert_eq!(dev.erase_from_audit("user-55").await.expect("it is erased"), 1);
    let events = events(&dev).await;
    assert_eq!(together(&events[0]).len(), 50);
    assert_eq!(events[0].erased, []);
    assert_eq!(events[1].erased, [Field::Details]);
    let chain = dev.audit_log().part(0, 100).await.expect("the chain reads");
    assert!(chain.entries.iter().all(|entry| entry.event().is_ok()), "what is left is what was written");
}
