//! Webhooks that an environment sets by itself: who is told of what.

use crate::{
    delivery::{LONG, Receiver, ask, courier, listed, verify},
    support::{FAMILY, World, eventually},
};
use askfirst_domain::{Ident, webhook::Webhook};
use askfirst_engine::{
    OutboxFilter, Settings,
    delivery::{NewWebhook, Reach, WebhookPatch},
    requests::{Approve, AskOperation, Decide, Redeem, Times, Verdict},
};
use tokio::{net::TcpListener, time::timeout};

/// The family on a server that may call this machine.
async fn family() -> World {
    let dir = tempfile::tempdir().unwrap();
    let settings = Settings { reach: Reach::Anywhere, ..Settings::default() };
    let world = World::open_with(dir.path(), settings).await;
    world.dev().await.apply_policy(FAMILY).await.unwrap();
    World { dir: Some(dir), ..world }
}

async fn webhook(world: &World, url: &str, events: &[&str]) -> Webhook {
    let events = events.iter().map(|event| (*event).to_owned()).collect();
    let new = NewWebhook { url: url.to_owned(), description: None, events };
    world.dev().await.create_webhook(new).await.unwrap()
}

async fn approve(world: &World, id: &Ident) {
    let joe = world.dev().await.act_for(&Ident::from("joe")).await.unwrap();
    let decide = Decide { approve: Verdict::Approve(Approve::default()), comment: None };
    joe.decide(id, decide).await.unwrap();
}

/// Delivers everything that is due, and gives what came in.
async fn told(world: &World, receiver: &mut Receiver, secret: &str) -> Vec<String> {
    let made = world.engine.deliver_due(&courier(Reach::Anywhere)).await.unwrap();
    let mut types = Vec::new();
    for _ in 0..made {
        let call = receiver.next().await;
        verify(&call, secret);
        types.push(call.body()["type"].as_str().unwrap().to_owned());
    }
    assert!(receiver.is_quiet());
    types.sort();
    types
}

#[tokio::test]
async fn a_webhook_hears_of_what_it_wants_and_of_what_becomes_of_approvals() {
    let world = family().await;
    let mut receiver = Receiver::start(&[]).await;
    let hook = webhook(&world, &receiver.url, &["request.approved", "grant"]).await;
    let secret = hook.secret.reveal();
    let id = ask(&world, "pizza-palace").await;
    assert!(listed(&world, OutboxFilter::All).await.is_empty(), "it does not want to hear of that");
    approve(&world, &id).await;
    assert_eq!(told(&world, &mut receiver, secret).await, ["request.approved"]);
    let joe = world.dev().await.act_for(&Ident::from("joe")).await.unwrap();
    joe.revoke(&id, Some("too late for pizza".to_owned())).await.unwrap();
    let made = world.engine.deliver_due(&courier(Reach::Anywhere)).await.unwrap();
    assert_eq!(made, 1);
    let body = receiver.next().await.body();
    assert_eq!(
        (&body["type"], &body["data"]["grant"]["state"]),
        (&"grant.revoked".into(), &"revoked".into())
    );
    assert!(!body.to_string().contains("too late"), "what people wrote is not told: {body}");

    let henry = world.dev().await.act_for(&Ident::from("henry")).await.unwrap();
    let dish = AskOperation {
        element: "dish-requests".into(),
        tenant: "default".into(),
        resource: None,
        instance: None,
        reason: "hungry".to_owned(),
        suggested_reviewers: Vec::new(),
        times: Times::default(),
        uses: None,
        call: None,
    };
    let asked = henry.request_operation(dish).await.unwrap().view.request;
    let id = Ident::from(asked.id.uuid());
    let place = asked.instance.unwrap().reference().to_string();
    let role = askfirst_engine::facts::AssignmentSpec {
        user: "joe".into(),
        role: "_Reviewer_".into(),
        tenant: None,
        instance: Some(place),
        expires_at: None,
    };
    world.dev().await.assign_role(&role).await.unwrap();
    approve(&world, &id).await;
    let pass = henry.redeem(&id, &Redeem::default()).await.unwrap();
    pass.record(askfirst_domain::grant::Outcome::Succeeded, None).await.unwrap();
    let expected = ["grant.recorded", "grant.redeemed", "request.approved"];
    assert_eq!(told(&world, &mut receiver, secret).await, expected);
}

#[tokio::test]
async fn what_counts_is_the_webhook_at_the_time_of_the_delivery() {
    let world = family().await;
    let (mut first, mut second) = (Receiver::start(&[]).await, Receiver::start(&[]).await);
    let hook = webhook(&world, &first.url, &[]).await;
    let id = Ident::from(hook.id.uuid());
    ask(&world, "pizza-palace").await;
    let patch = WebhookPatch { url: Some(second.url.clone()), ..WebhookPatch::default() };
    world.dev().await.update_webhook(&id, patch).await.unwrap();
    let rotated = world.dev().await.rotate_webhook_secret(&id).await.unwrap();
    assert_eq!(told(&world, &mut second, rotated.secret.reveal()).await, ["request.created"]);
    world.dev().await.test_webhook(&id).await.unwrap();
    assert_eq!(told(&world, &mut second, rotated.secret.reveal()).await, ["test"]);
    ask(&world, "burger-barn").await;
    world.dev().await.delete_webhook(&id).await.unwrap();
    world.engine.deliver_due(&courier(Reach::Anywhere)).await.unwrap();
    assert!(listed(&world, OutboxFilter::All).await.is_empty());
    assert!(first.is_quiet() && second.is_quiet());
}

/// A receiver that takes calls and never answers holds some of the places, and the others are told all the same.
#[tokio::test]
async fn one_who_is_slow_is_in_nobodys_way() {
    let world = family().await;
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", silent.local_addr().unwrap());
    let mut receiver = Receiver::start(&[]).await;
    let slow = webhook(&world, &url, &[]).await;
    let quick = webhook(&world, &receiver.url, &["request.approved"]).await;
    for _ in 0..100 {
        world.dev().await.test_webhook(&Ident::from(slow.id.uuid())).await.unwrap();
    }
    world.dev().await.test_webhook(&Ident::from(quick.id.uuid())).await.unwrap();
    let round = tokio::spawn(world.engine.clone().keep_delivering(courier(Reach::Anywhere)));
    let mut calls = Vec::new();
    for _ in 0..8 {
        calls.push(timeout(LONG, silent.accept()).await.unwrap().unwrap());
    }
    assert_eq!(receiver.next().await.body()["type"], "test");
    let waiting = eventually(async || {
        let waiting = listed(&world, OutboxFilter::Waiting).await.len();
        (waiting == 100).then_some(waiting)
    });
    assert_eq!(waiting.await, 100, "the quick one has taken its own");
    assert!(
        timeout(std::time::Duration::from_millis(100), silent.accept()).await.is_err(),
        "no more than its places"
    );
    round.abort();
}
