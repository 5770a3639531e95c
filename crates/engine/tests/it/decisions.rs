//! What was decided is in the log, with the reason that it had then, and nothing waits for it.

use crate::support::World;
use askfirst_domain::{Timestamp, facts::Attributes, id::EnvId};
use askfirst_engine::{
    EnvScope, Kind,
    check::{Ask, Given},
    decisions::{
        Answer, AskedBy, CallWords, DecisionFilter, DecisionId, DecisionLog, Door, LeftOut, LogSettings,
        LoggedDecision, LoggedThing, Mark, Missed, Said, mark_text, read_mark,
    },
};
use askfirst_store::{
    Found, StoreError,
    decisions::{DecisionRecord, Keep, Packed, SqliteDecisions, Step},
};
use async_trait::async_trait;
use serde_json::json;
use std::{
    collections::BTreeSet,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

const EVERYTHING: u32 = 5000;

fn ask(user: &str, action: &str, instance: &str) -> Ask {
    Ask {
        user: user.to_owned(),
        action: action.to_owned(),
        resource: "restaurants".to_owned(),
        instance: Some(instance.to_owned()),
        tenant: None,
    }
}

fn attributes(value: &serde_json::Value) -> Attributes {
    value.as_object().cloned().unwrap_or_default()
}

fn file(world: &World) -> PathBuf {
    world.dir.as_ref().expect("the folder is the test's own").path().join("decisions.db")
}

async fn logging(world: &World, settings: LogSettings) -> EnvScope {
    let log = SqliteDecisions::open(file(world)).await.expect("the log opens");
    world.engine.log_decisions(Arc::new(log), settings).expect("there is randomness");
    world.dev().await
}

async fn logged(scope: &EnvScope) -> Vec<LoggedDecision> {
    scope.decisions(&DecisionFilter::default(), None, EVERYTHING).await.expect("the log reads").decisions
}

#[tokio::test]
async fn a_decision_is_logged_as_it_was_answered() {
    let world = World::family().await;
    let dev = logging(&world, LogSettings::default()).await;
    assert_eq!(
        dev.decide(ask("joe", "update", "pizza-palace"), Given::default(), Door::Pdp),
        Answer::Allowed
    );
    let given = Given { context: attributes(&json!({"ip": "10.0.0.1"})), ..Given::default() };
    let Answer::Denied(told) = dev.decide(ask("henry", "update", "pizza-palace"), given.clone(), Door::Proxy)
    else {
        panic!("henry may not");
    };
    let explained = dev.decide_explained(ask("joe", "read", "pizza-palace"), Given::default(), Door::Api);

    let entries = logged(&dev).await;
    let [third, second, first] = entries.as_slice() else { panic!("three decisions: {entries:?}") };
    assert_eq!((first.allow, second.allow, third.allow), (true, false, true));
    assert_eq!([&first.door, &second.door, &third.door], ["pdp", "proxy", "api"]);
    assert_eq!(second.ask, ask("henry", "update", "pizza-palace"));
    assert_eq!((second.given.clone(), second.given()), (Said::All(Box::new(given.clone())), Some(given)));
    assert_eq!((first.given.clone(), first.given()), (Said::Nothing, Some(Given::default())));
    assert_eq!(second.reason.as_deref(), Some(told.sentence.as_str()));
    assert_eq!(second.trace, serde_json::to_value(&told.decision).ok());
    assert_eq!(third.reason.as_deref(), Some(explained.sentence.as_str()));
    // The reason of what was only allowed is worked out afterwards.
    let again = dev.explain(&first.ask);
    assert_eq!(first.reason.as_deref(), Some(again.sentence.as_str()));
    assert_eq!(first.trace, serde_json::to_value(&again.decision).ok());
    let state = dev.state();
    assert!(entries.iter().all(|e| (e.epoch, e.revision) == (state.epoch, state.revision)));
    assert!(
        entries.iter().all(|e| e.tenant == "default" && matches!(e.asked_by, Some(AskedBy::ApiKey { .. })))
    );
    for entry in &entries {
        assert_eq!(dev.decision(entry.id).await.expect("it is found by its id"), *entry);
    }
}

#[tokio::test]
async fn the_reason_is_that_of_its_moment() {
    let world = World::family().await;
    let dev = logging(&world, LogSettings::default()).await;
    let before = dev.explain(&ask("joe", "update", "pizza-palace")).sentence;
    let revision = dev.state().revision;
    assert_eq!(
        dev.decide(ask("joe", "update", "pizza-palace"), Given::default(), Door::Pdp),
        Answer::Allowed
    );
    // Before anything is written, joe is gone.
    dev.delete_user(&"joe".into()).await.expect("joe is deleted");
    let entries = logged(&dev).await;
    assert_eq!((entries[0].reason.as_deref(), entries[0].revision), (Some(before.as_str()), revision));
}

#[tokio::test]
async fn lists_are_narrowed_and_paged_and_end_at_the_environment() {
    let world = World::family().await;
    let dev = logging(&world, LogSettings::default()).await;
    for n in 0..50 {
        let (user, instance) = if n % 2 == 0 { ("joe", "pizza-palace") } else { ("henry", "sushi-bar") };
        // Each call has its own time.
        world.dev().await.decide(
            ask(user, if n % 5 == 0 { "read" } else { "update" }, instance),
            Given::default(),
            Door::Pdp,
        );
        world.clock.advance(Duration::from_secs(1));
    }
    let things =
        vec![LoggedThing { resource: "restaurants".to_owned(), instance: Some("sushi-bar".to_owned()) }];
    let filter = DecisionFilter {
        users: Some(vec!["henry".to_owned()]),
        action: Some("read".to_owned()),
        things: Some(things),
        allow: Some(false),
        ..DecisionFilter::default()
    };
    assert_eq!(dev.count_decisions(&filter, 1000).await.expect("it counts"), 5);
    let (mut seen, mut before) = (Vec::new(), None);
    loop {
        let page = dev.decisions(&filter, before, 2).await.expect("a page");
        seen.extend(page.decisions);
        let Some(next) = page.next else { break };
        before = Some(read_mark(&mark_text(next)).expect("a cursor reads back"));
    }
    assert!(seen.len() == 5 && seen.is_sorted_by(|a, b| a.at > b.at), "{seen:?}");
    assert!(seen.iter().all(|e| e.ask == ask("henry", "read", "sushi-bar")));

    let mut walk = dev.walk_decisions(DecisionFilter::default());
    let mut all = Vec::new();
    while let Some(some) = walk.next().await.expect("the walk goes on") {
        all.extend(some);
    }
    assert_eq!(all.len(), 50);

    let op = world.engine.system("test").expect("there is randomness");
    let production =
        world.engine.enter(op, &"default".into(), &"production".into()).await.expect("it is there");
    assert_eq!(logged(&production).await, []);
    assert_eq!(production.decision(all[0].id).await.expect_err("not there").kind(), Kind::NotFound);
}

#[tokio::test]
async fn what_is_too_large_or_unwanted_is_left_out() {
    let world = World::family().await;
    let dev = logging(&world, LogSettings::default()).await;
    let large = Given { context: attributes(&json!({"text": "x".repeat(10_000)})), ..Given::default() };
    dev.decide(ask("joe", "update", "pizza-palace"), large, Door::Pdp);
    dev.decide(ask(&"u".repeat(100_000), "update", "pizza-palace"), Given::default(), Door::Pdp);
    let entries = logged(&dev).await;
    assert_eq!((&entries[1].given, entries[1].given()), (&Said::LeftOut(LeftOut::TooLarge), None));
    assert!(entries[0].ask.user.len() < 300 && entries[0].ask.user.ends_with('…'));

    let world = World::family().await;
    let settings = LogSettings { attributes: CallWords::Redacted, ..LogSettings::default() };
    let dev = logging(&world, settings).await;
    let secret = Given { user: attributes(&json!({"salary": "s3cret"})), ..Given::default() };
    dev.decide(ask("joe", "update", "pizza-palace"), secret.clone(), Door::Pdp);
    dev.decide(ask("henry", "update", "pizza-palace"), secret, Door::Pdp);
    let entries = logged(&dev).await;
    assert!(entries.iter().all(|e| e.given == Said::LeftOut(LeftOut::Redacted)), "{entries:?}");
    world.engine.close_decisions().await;
    let written = std::fs::read(file(&world)).expect("the file is there");
    assert!(!written.windows(6).any(|bytes| bytes == b"s3cret"), "redacted words are not on the disk");
}

#[tokio::test]
async fn a_server_without_a_log_says_so() {
    let world = World::family().await;
    let dev = world.dev().await;
    assert_eq!(
        dev.decide(ask("joe", "update", "pizza-palace"), Given::default(), Door::Pdp),
        Answer::Allowed
    );
    let refused = dev.decisions(&DecisionFilter::default(), None, 1).await.expect_err("there is none");
    assert_eq!(refused.kind(), Kind::NotFound);
    world.engine.close_decisions().await;
}

#[tokio::test]
async fn closing_writes_what_was_decided_until_then() {
    let world = World::family().await;
    let dev = logging(&world, LogSettings::default()).await;
    for _ in 0..1000 {
        dev.decide(ask("joe", "update", "pizza-palace"), Given::default(), Door::Pdp);
    }
    world.engine.close_decisions().await;
    dev.decide(ask("joe", "update", "pizza-palace"), Given::default(), Door::Pdp);
    world.engine.close_decisions().await;
    let log = SqliteDecisions::open(file(&world)).await.expect("the log opens again");
    let count = log.count(dev.environment().id, &DecisionFilter::default(), u64::MAX).await;
    assert_eq!(count.expect("it counts"), 1000);
}

/// On one thread nothing is written while this test decides.
#[tokio::test]
async fn what_does_not_fit_is_counted_and_told() {
    let world = World::family().await;
    let dev = logging(&world, LogSettings::default()).await;
    let given = Given { context: attributes(&json!({"text": "x".repeat(4000)})), ..Given::default() };
    let at = dev.op().now;
    let made = 10_000;
    for _ in 0..made {
        dev.decide(ask("joe", "update", "pizza-palace"), given.clone(), Door::Pdp);
    }
    // So many take longer to be written than a list waits.
    let written = async {
        loop {
            let page = dev.decisions(&DecisionFilter::default(), None, 1).await.expect("the log reads");
            if let [missed] = page.missed.as_slice() {
                return *missed;
            }
        }
    };
    let missed = tokio::time::timeout(Duration::from_mins(1), written).await.expect("it is written");
    let logged = dev.count_decisions(&DecisionFilter::default(), u64::MAX).await.expect("it counts");
    assert!(logged > 1000 && missed.decisions > 1000, "{logged} and {}", missed.decisions);
    assert_eq!((logged + missed.decisions, missed.from, missed.to), (made, at, at));
    // There is room again.
    dev.decide(ask("joe", "read", "pizza-palace"), Given::default(), Door::Pdp);
    assert_eq!(
        dev.count_decisions(&DecisionFilter::default(), u64::MAX).await.expect("it counts"),
        logged + 1
    );
}

/// A log whose disk is full for a while.
#[derive(Debug)]
struct Full {
    log: SqliteDecisions,
    is_full: AtomicBool,
}

#[async_trait]
impl DecisionLog for Full {
    async fn append(&self, packed: &Packed) -> Result<(), StoreError> {
        if self.is_full.load(Ordering::SeqCst) {
            return Err(StoreError::Corrupt { what: "disk", detail: "it is full".to_owned() });
        }
        self.log.append(packed).await
    }
    async fn page(
        &self,
        env: EnvId,
        filter: &DecisionFilter,
        before: Option<Mark>,
        limit: u32,
    ) -> Result<askfirst_store::decisions::DecisionPage, StoreError> {
        self.log.page(env, filter, before, limit).await
    }
    async fn find(&self, env: EnvId, id: DecisionId) -> Found<DecisionRecord> {
        self.log.find(env, id).await
    }
    async fn count(&self, env: EnvId, filter: &DecisionFilter, at_most: u64) -> Result<u64, StoreError> {
        self.log.count(env, filter, at_most).await
    }
    async fn users(&self, env: EnvId, since: Timestamp) -> Result<BTreeSet<String>, StoreError> {
        self.log.users(env, since).await
    }
    async fn missed(
        &self,
        env: EnvId,
        from: Option<Timestamp>,
        to: Option<Timestamp>,
    ) -> Result<Vec<Missed>, StoreError> {
        self.log.missed(env, from, to).await
    }
    async fn size(&self) -> Result<u64, StoreError> {
        self.log.size().await
    }
    async fn merge(&self, now: Timestamp) -> Result<Step, StoreError> {
        self.log.merge(now).await
    }
    async fn purge(&self, keep: &Keep) -> Result<Step, StoreError> {
        self.log.purge(keep).await
    }
    async fn close(&self) {
        self.log.close().await;
    }
}

#[tokio::test]
async fn decisions_wait_while_the_log_cannot_be_written() {
    let world = World::family().await;
    let log = SqliteDecisions::open(file(&world)).await.expect("the log opens");
    let log = Arc::new(Full { log, is_full: AtomicBool::new(true) });
    let shared: Arc<dyn DecisionLog> = Arc::clone(&log) as _;
    world.engine.log_decisions(shared, LogSettings::default()).expect("there is randomness");
    let dev = world.dev().await;
    for action in ["read", "update"] {
        dev.decide(ask("joe", action, "pizza-palace"), Given::default(), Door::Pdp);
        assert_eq!(logged(&dev).await, [], "nothing can be written, and nobody waits for it");
    }
    log.is_full.store(false, Ordering::SeqCst);
    let actions: Vec<String> = logged(&dev).await.into_iter().map(|entry| entry.ask.action).collect();
    assert_eq!(actions, ["update", "read"]);
}

#[tokio::test]
async fn what_is_old_is_purged() {
    let world = World::family().await;
    let settings = LogSettings { age: Some(Duration::from_hours(24)), ..LogSettings::default() };
    let dev = logging(&world, settings.clone()).await;
    dev.decide(ask("joe", "read", "pizza-palace"), Given::default(), Door::Pdp);
    world.engine.close_decisions().await;

    // Another server starts on the same log two days later, and one more decision is made.
    world.clock.advance(Duration::from_hours(48));
    let later = World::open(world.dir.as_ref().expect("a folder").path()).await;
    later.clock.advance(Duration::from_hours(48));
    let log = SqliteDecisions::open(file(&world)).await.expect("the log opens");
    later.engine.log_decisions(Arc::new(log), settings).expect("there is randomness");
    let dev = later.dev().await;
    dev.decide(ask("joe", "update", "pizza-palace"), Given::default(), Door::Pdp);
    // The start looks for what is old.
    let purged = async {
        while dev.count_decisions(&DecisionFilter::default(), 10).await.expect("it counts") != 1 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), purged).await.expect("what is old goes");
    assert_eq!(logged(&dev).await[0].ask.action, "update");
}
