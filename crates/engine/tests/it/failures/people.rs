//! Who people are, what their clocks say, and what may be guessed.

use super::{Ground, call, ident, wish, with, yes};
use crate::support::{DEV_KEY, TestClock};
use askfirst_domain::{Ident, grant::GrantState, request::Status};
use askfirst_engine::{
    Acting, Clock, Engine, Kind, Op, Parts, Secret, Settings, SystemEntropy, admin::keys::NewKey,
    facts::UnassignmentSpec,
};
use std::{
    collections::BTreeSet,
    sync::{Arc, atomic::AtomicI64},
    time::Duration,
};

/// Another server on the same database, whose clock differs by so many seconds.
async fn another(ground: &Ground, seconds: i64) -> (Engine, Arc<TestClock>) {
    let clock = Arc::new(TestClock(AtomicI64::new(1_790_000_000_000_000 + seconds * 1_000_000)));
    let parts = Parts {
        store: Arc::clone(&ground.store),
        clock: Arc::clone(&clock) as Arc<dyn Clock>,
        entropy: Arc::new(SystemEntropy),
        settings: Settings::default(),
    };
    (Engine::start(parts).await.unwrap(), clock)
}

async fn op(engine: &Engine) -> Op {
    engine.authenticate(&Secret::presented(DEV_KEY)).await.unwrap()
}

async fn acting(engine: &Engine, user: &str) -> Acting {
    let dev = engine.enter(op(engine).await, &Ident::from("default"), &Ident::from("dev")).await.unwrap();
    dev.act_for(&Ident::from(user)).await.unwrap()
}

#[tokio::test]
async fn clocks_that_differ_spend_nothing_twice_and_bring_nothing_back() {
    let ground = Ground::new().await;
    let (ahead, _) = another(&ground, 7200).await;
    let (behind, _) = another(&ground, -7200).await;
    // Asked where the clock is behind, decided where it is ahead, and the other way round.
    for (number, (asks, decides)) in [(1, (&behind, &ahead)), (2, (&ahead, &behind))] {
        let asked = acting(asks, "henry").await.request_operation(wish(call(number))).await.unwrap();
        let id = asked.view.request.id;
        acting(decides, "joe").await.decide(&ident(id), yes()).await.unwrap();
        let mut passes = 0;
        for engine in [&behind, &ground.engine, &ahead, &behind] {
            match acting(engine, "henry").await.redeem(&ident(id), &with(call(number))).await {
                Ok(_) => passes += 1,
                Err(error) => assert_eq!(error.kind(), Kind::Conflict, "{error}"),
            }
        }
        assert_eq!(passes, 1, "call {number}");
    }
    // What was written down as over where the clock is ahead is over everywhere.
    let id = ground.user("henry").await.request_operation(wish(call(3))).await.unwrap().view.request.id;
    ground.user("joe").await.decide(&ident(id), yes()).await.unwrap();
    ahead.write_down_ends().await.unwrap();
    for engine in [&behind, &ground.engine] {
        let refused = acting(engine, "henry").await.redeem(&ident(id), &with(call(3))).await.unwrap_err();
        assert_eq!(refused.kind(), Kind::Conflict, "{refused}");
    }
    let stored = ground.stored(id).await;
    assert_eq!(stored.grant.unwrap().state(stored.created_at), GrantState::Ended);
    ground.is_sound().await;
}

#[tokio::test]
async fn a_reviewer_who_is_none_any_more_decides_nothing_that_was_asked_before() {
    let ground = Ground::new().await;
    let id = ground.user("henry").await.request_operation(wish(call(1))).await.unwrap().view.request.id;
    let joe = ground.user("joe").await;
    let spec = UnassignmentSpec {
        user: "joe".into(),
        role: "parent".into(),
        tenant: None,
        instance: Some("restaurants:pizza-palace".to_owned()),
    };
    ground.dev().await.unassign_role(&spec).await.unwrap();
    // Also with what he had opened before he lost the role.
    for joe in [joe, ground.user("joe").await] {
        let refused = joe.decide(&ident(id), yes()).await.unwrap_err();
        assert!(matches!(refused.kind(), Kind::Forbidden | Kind::NotFound), "{refused}");
    }
    assert_eq!(ground.stored(id).await.status, Status::Pending);
    ground.user("jane").await.decide(&ident(id), yes()).await.unwrap();
}

#[tokio::test]
async fn two_humans_with_one_agent_share_nothing() {
    let ground = Ground::new().await;
    let dev = ground.dev().await;
    let agent_of = async |user: &str| dev.bind_agent(&Ident::from(user)).await.unwrap();
    let asked = ground.agent().await.request_operation(wish(call(1))).await.unwrap().view.request;
    let roses = agent_of("rose").await.request_operation(wish(call(1))).await.unwrap().view.request;
    assert_ne!(asked.id, roses.id, "each human has their own wish");
    ground.user("joe").await.decide(&ident(asked.id), yes()).await.unwrap();
    let rose = agent_of("rose").await;
    assert_eq!(rose.redeem(&ident(asked.id), &with(call(1))).await.unwrap_err().kind(), Kind::NotFound);
    assert_eq!(rose.redeem(&ident(roses.id), &with(call(1))).await.unwrap_err().kind(), Kind::Conflict);
    assert_eq!(ground.agent().await.redeem(&ident(asked.id), &with(call(1))).await.unwrap().number(), 1);
    // Neither can decide for the other's human: an agent is no reviewer.
    let joes = agent_of("joe").await;
    assert_eq!(joes.decide(&ident(roses.id), yes()).await.unwrap_err().kind(), Kind::Forbidden);
}

/// F9: nothing that opens anything can be guessed or read from the disk, and an id opens nothing.
#[tokio::test]
async fn f9_what_opens_something_is_256_random_bits_and_not_on_the_disk() {
    let ground = Ground::new().await;
    let mut secrets = BTreeSet::new();
    for _ in 0..20 {
        let org = ground.engine.open(ground.engine.system("test").unwrap()).unwrap();
        let new = NewKey::Agent { project: "default".into(), env: "dev".into(), user: "henry".into() };
        let (_, secret) = org.create_key(new, None).await.unwrap();
        secrets.insert(secret.reveal().to_owned());
    }
    assert_eq!(secrets.len(), 20);
    // 32 bytes in Base64 are 43 characters, and all of them differ from one secret to another.
    let random: Vec<&str> = secrets.iter().filter_map(|secret| secret.get(secret.len() - 43..)).collect();
    for place in 0..43 {
        let there: BTreeSet<_> = random.iter().map(|secret| secret.as_bytes()[place]).collect();
        assert!(there.len() > 4, "character {place} is hardly random: {there:?}");
    }
    let mut disk = Vec::new();
    for file in std::fs::read_dir(ground.folder.path()).unwrap() {
        disk.extend(std::fs::read(file.unwrap().path()).unwrap());
    }
    assert!(disk.len() > 4096);
    for secret in &random {
        assert!(
            !disk.windows(secret.len()).any(|window| window == secret.as_bytes()),
            "a secret is on the disk"
        );
    }
}

#[tokio::test]
async fn what_ends_ends_while_nobody_looks() {
    let ground = Ground::new().await;
    let id = ground.user("henry").await.request_operation(wish(call(1))).await.unwrap().view.request.id;
    ground.user("joe").await.decide(&ident(id), yes()).await.unwrap();
    ground.clock.advance(Duration::from_hours(1));
    let late = ground.user("henry").await.redeem(&ident(id), &with(call(1))).await.unwrap_err();
    assert_eq!(late.kind(), Kind::Conflict, "no timer has fired: {late}");
}
