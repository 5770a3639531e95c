//! What noting a decision for the log costs: the same question decided without a log, and with one.
//!
//! `cargo bench -p askfirst-engine --bench decide`. The log is written between the measurements and not during them, so that
//! the difference is what a decision waits for; what writing costs is in the store's benchmark `decisions`.

#![expect(clippy::expect_used, reason = "a benchmark that can't go on has nothing to measure")]

use askfirst_domain::Ident;
use askfirst_engine::{
    Engine, EnvScope, Parts, Secret, Settings, SystemClock, SystemEntropy,
    check::{Ask, Given},
    decisions::{DecisionFilter, Door, LogSettings},
};
use askfirst_store::{Options, SqliteStore, decisions::SqliteDecisions};
use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use std::{hint::black_box, path::Path, sync::Arc};
use tokio::runtime::{Builder, Runtime};

const POLICY: &str = include_str!("../../../examples/family/policy.yaml");
const KEY: &str = "the-key-of-the-benchmark";

async fn open(dir: &Path) -> (Engine, EnvScope) {
    let store = SqliteStore::open(dir.join("askfirst.db"), Options::default()).await.expect("a store");
    let engine = Engine::start(Parts {
        store: Arc::new(store),
        clock: Arc::new(SystemClock),
        entropy: Arc::new(SystemEntropy),
        settings: Settings::default(),
    })
    .await
    .expect("an engine");
    engine.first_start(Some(Secret::presented(KEY))).await.expect("a first start");
    let op = engine.authenticate(&Secret::presented(KEY)).await.expect("the key is good");
    let scope =
        engine.enter(op, &Ident::from("default"), &Ident::from("dev")).await.expect("the key opens dev");
    scope.apply_policy(POLICY).await.expect("the policy applies");
    (engine, scope)
}

fn ask(user: &str) -> Ask {
    Ask {
        user: user.to_owned(),
        action: "update".to_owned(),
        resource: "restaurants".to_owned(),
        instance: Some("pizza-palace".to_owned()),
        tenant: None,
    }
}

/// How many decisions are made before the log is written: fewer than the queue has room for.
const BATCH: u64 = 10_000;

/// One round of measurements.
fn measure(c: &mut Criterion, runtime: &Runtime, scope: &EnvScope, log: &str) {
    let mut group = c.benchmark_group("decide");
    for (answer, user) in [("allowed", "joe"), ("denied", "henry")] {
        let mut asked = 0;
        let mut next = || {
            if asked % BATCH == 0 {
                // Has the log written first, if there is one. Nothing runs on this runtime but within this call.
                drop(runtime.block_on(scope.decisions(&DecisionFilter::default(), None, 1)));
            }
            asked += 1;
            ask(user)
        };
        group.bench_function(format!("{answer}, {log}"), |b| {
            let decide = |ask| black_box(scope.decide(ask, Given::default(), Door::Pdp));
            b.iter_batched(&mut next, decide, BatchSize::NumIterations(BATCH));
        });
    }
    group.finish();
}

fn decide(c: &mut Criterion) {
    let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
    let dir = tempfile::tempdir().expect("a directory");
    let (engine, scope) = runtime.block_on(open(dir.path()));
    measure(c, &runtime, &scope, "without a log");
    runtime.block_on(async {
        let log = SqliteDecisions::open(dir.path().join("decisions.db")).await.expect("a log");
        engine.log_decisions(Arc::new(log), LogSettings::default()).expect("there is randomness");
    });
    measure(c, &runtime, &scope, "with a log");
    runtime.block_on(engine.close_decisions());
}

criterion_group!(benches, decide);
criterion_main!(benches);
