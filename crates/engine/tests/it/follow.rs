//! Following the audit log while it grows.

use crate::support::{DEV_KEY, World};
use askfirst_domain::{
    Ident, Timestamp,
    audit::{AuditEvent, Salt},
    id::RequestId,
    principal::Principal,
};
use askfirst_engine::{
    Engine, Kind, Page, Parts, Secret, Settings, SystemEntropy,
    admin::keys::NewKey,
    audit::{Ended, EventFilter, Follow, News, Notice, Told},
    requests::{AskAccess, Decide, Times, Verdict},
};
use askfirst_store::Commit;
use std::{sync::Arc, time::Duration};
use tokio::time::timeout;
use uuid::Uuid;

const LONG: Duration = Duration::from_secs(30);

async fn ask(world: &World, role: &str) -> RequestId {
    let henry = world.dev().await.act_for(&Ident::from("henry")).await.unwrap();
    let wish = AskAccess {
        element: "restaurant-requests".into(),
        tenant: "default".into(),
        resource: None,
        instance: Some("pizza-palace".to_owned()),
        role: role.into(),
        reason: "hungry".to_owned(),
        suggested_reviewers: Vec::new(),
        times: Times::default(),
    };
    henry.request_access(wish).await.unwrap().view.request.id
}

async fn deny(world: &World, id: RequestId) {
    let joe = world.dev().await.act_for(&Ident::from("joe")).await.unwrap();
    let decide = Decide { approve: Verdict::Deny, comment: Some("no".to_owned()) };
    joe.decide(&Ident::from(id.uuid()), decide).await.unwrap();
}

async fn follow(engine: &Engine, after: Option<u64>, filter: EventFilter) -> Follow {
    engine.follow(Secret::presented(DEV_KEY), after, filter).await.unwrap()
}

async fn next(follow: &mut Follow) -> Told {
    timeout(LONG, follow.next()).await.expect("something is told in time").unwrap()
}

/// So many events, as they come.
async fn events(follow: &mut Follow, number: usize) -> Vec<News> {
    let mut all = Vec::new();
    while all.len() < number {
        match next(follow).await {
            Told::Events(news) => all.extend(news),
            other => panic!("{other:?} after {} events", all.len()),
        }
    }
    all
}

/// So many notices, as they come.
async fn notices(follow: &mut Follow, number: usize) -> Vec<Notice> {
    let mut all = Vec::new();
    while all.len() < number {
        match next(follow).await {
            Told::Notices(notices) => all.extend(notices),
            other => panic!("{other:?} after {} notices", all.len()),
        }
    }
    all
}

async fn end_of_log(world: &World) -> u64 {
    world.dev().await.audit_log().part(0, 1).await.unwrap().head.n
}

/// Events that no revision goes with, in one commit.
async fn write_events(world: &World, number: u32) {
    let dev = world.dev().await;
    let actor = Principal::System { name: "test".to_owned() };
    let event = |n: u32| AuditEvent {
        id: askfirst_domain::Id::new(Uuid::from_u128(u128::from(n) + (1 << 100))),
        at: Timestamp::from_micros(i64::from(n)),
        code: "test.happened".to_owned(),
        actor: actor.clone(),
        on_behalf_of: None,
        model_named_user: false,
        request: None,
        object: None,
        details: serde_json::Map::new(),
        salt: Salt::new([7; 32]),
        erased: Vec::new(),
    };
    let commit = Commit {
        env: dev.environment().id,
        at: Timestamp::from_micros(0),
        actor: actor.clone(),
        call: None,
        expects: Vec::new(),
        changes: Vec::new(),
        audit: (0..number).map(event).collect(),
        outbox: Vec::new(),
    };
    world.store.commit(commit).await.unwrap();
}

#[tokio::test]
async fn whoever_follows_gets_the_whole_log_without_a_gap() {
    let world = World::family().await;
    let before = end_of_log(&world).await;
    let mut from_the_start = follow(&world.engine, Some(0), EventFilter::default()).await;
    let mut from_now = follow(&world.engine, None, EventFilter::default()).await;
    let writing = async {
        for _ in 0..10 {
            let id = ask(&world, "child-can-order").await;
            deny(&world, id).await;
        }
    };
    let told = usize::try_from(before).unwrap() + 20;
    let (all, new, ()) = tokio::join!(events(&mut from_the_start, told), events(&mut from_now, 20), writing);
    assert!(all.iter().map(|news| news.n).eq(1..=before + 20), "each once, in order");
    assert_eq!(new, all[usize::try_from(before).unwrap()..]);
    // Somebody who comes back says where they were.
    let mut again = follow(&world.engine, Some(before + 13), EventFilter::default()).await;
    assert_eq!(events(&mut again, 7).await, all[told - 7..]);
}

#[tokio::test]
async fn one_request_or_one_kind_of_event_is_followed() {
    let world = World::family().await;
    let first = ask(&world, "child-can-order").await;
    deny(&world, first).await;
    let second = ask(&world, "child-can-order").await;
    deny(&world, second).await;
    let codes = async |filter: EventFilter, number| {
        let mut follow = follow(&world.engine, Some(0), filter).await;
        let events = events(&mut follow, number).await;
        events.into_iter().map(|news| (news.event.request, news.event.code)).collect::<Vec<_>>()
    };
    let one = |request, code: &str| (Some(request), code.to_owned());
    let of_request = EventFilter { request: Some(second), code: None };
    assert_eq!(codes(of_request, 2).await, [one(second, "request.created"), one(second, "request.denied")]);
    let of_code = EventFilter { request: None, code: Some("request.denied".to_owned()) };
    assert_eq!(codes(of_code, 2).await, [one(first, "request.denied"), one(second, "request.denied")]);
    let of_topic = EventFilter { request: Some(first), code: Some("request".to_owned()) };
    assert_eq!(codes(of_topic, 2).await, [one(first, "request.created"), one(first, "request.denied")]);
}

#[tokio::test]
async fn a_key_that_is_revoked_hears_nothing_more() {
    let world = World::family().await;
    let op = world.engine.authenticate(&Secret::presented(DEV_KEY)).await.unwrap();
    let org = world.engine.open(op).unwrap();
    let new = NewKey::Environment { project: "default".into(), env: "dev".into() };
    let (key, secret) = org.create_key(new, None).await.unwrap();
    let mut follow = world.engine.follow(secret, None, EventFilter::default()).await.unwrap();
    let revoking = async { org.revoke_key(&Ident::from(key.id.uuid())).await.unwrap() };
    let (told, _) = tokio::join!(timeout(LONG, follow.next()), revoking);
    // The event that revokes it is not told to it either.
    assert_eq!(told.unwrap().unwrap_err().kind(), Kind::Unauthenticated);
}

#[tokio::test]
async fn a_person_hears_of_what_they_may_see_and_nothing_else() {
    let world = World::family().await;
    let mut followers = Vec::new();
    for user in ["joe", "henry", "rose"] {
        let link = world.dev().await.create_link(&Ident::from(user)).await.unwrap();
        let opened = world.engine.redeem_link(&link.token).await.unwrap();
        followers.push(world.engine.follow_as_person(opened.token, None).await.unwrap());
    }
    let id = ask(&world, "child-can-order").await;
    let told = |notices: &[Notice]| -> Vec<(String, RequestId, bool)> {
        notices.iter().map(|told| (told.code.clone(), told.request.id, told.waits)).collect()
    };
    let [joe, henry, rose] = followers.as_mut_slice() else { panic!("three follow") };
    let created = "request.created".to_owned();
    assert_eq!(told(&notices(joe, 1).await), [(created.clone(), id, true)]);
    assert_eq!(told(&notices(henry, 1).await), [(created, id, false)]);
    deny(&world, id).await;
    assert_eq!(told(&notices(joe, 1).await), [("request.denied".to_owned(), id, false)]);
    let quiet = timeout(Duration::from_millis(50), rose.next()).await;
    assert!(quiet.is_err(), "it is not rose's to see: {quiet:?}");
}

#[tokio::test]
async fn what_another_process_writes_is_told_here() {
    let world = World::family().await;
    let parts = Parts {
        store: Arc::clone(&world.store),
        clock: Arc::clone(&world.clock) as _,
        entropy: Arc::new(SystemEntropy),
        settings: Settings::default(),
    };
    let other = Engine::start(parts).await.unwrap();
    let mut there = follow(&other, None, EventFilter::default()).await;
    let id = ask(&world, "child-can-order").await;
    let told = events(&mut there, 1).await;
    assert_eq!((told[0].event.code.as_str(), told[0].event.request), ("request.created", Some(id)));
    // Also what has no revision.
    world.dev().await.create_link(&Ident::from("joe")).await.unwrap();
    assert_eq!(events(&mut there, 1).await[0].n, told[0].n + 1);
}

#[tokio::test]
async fn a_burst_is_not_lost_on_whoever_follows() {
    let world = World::family().await;
    let mut level = follow(&world.engine, None, EventFilter::default()).await;
    let first = ask(&world, "child-can-order").await;
    let start = events(&mut level, 1).await[0].n;
    write_events(&world, 3000).await;
    deny(&world, first).await;
    let told = events(&mut level, 3001).await;
    assert!(told.iter().map(|news| news.n).eq(start + 1..=start + 3001));
}

#[tokio::test]
async fn who_leaves_what_there_is_is_told_so() {
    let world = World::family().await;
    let slow = follow(&world.engine, Some(0), EventFilter::default()).await;
    let mut slow = slow.with_patience(Duration::ZERO);
    assert!(matches!(next(&mut slow).await, Told::Events(_)));
    assert_eq!(next(&mut slow).await, Told::Ended(Ended::Slow));
    let end = end_of_log(&world).await;
    let mut elsewhere = follow(&world.engine, Some(end + 1), EventFilter::default()).await;
    assert_eq!(next(&mut elsewhere).await, Told::Ended(Ended::Elsewhere(end)));
    let page = Page { offset: 0, limit: 1 };
    assert_eq!(world.dev().await.audit_events(None, None, page).await.unwrap().total, end);
}
