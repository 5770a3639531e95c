//! What the bulk calls write in a second, on a disk and with full durability: each is one write of as many facts as one
//! call takes, with all that it has to look up first and an audit event for each.
//!
//! `cargo bench -p askfirst-engine --bench bulk`. The disk is that of `TMPDIR`.

#![expect(clippy::expect_used, reason = "a benchmark that can't go on has nothing to measure")]

use askfirst_domain::Ident;
use askfirst_engine::{
    Engine, EnvScope, Parts, Patch, Secret, Settings, SystemClock, SystemEntropy,
    facts::{AssignmentSpec, NewInstance, NewUser, TupleSpec, UserEdit},
};
use askfirst_store::{Options, SqliteStore};
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use serde_json::Map;
use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};
use tokio::runtime::Runtime;

const POLICY: &str = r"askfirst: 1
resources:
  folder:
    actions: [read]
  file:
    actions: [read, write]
    relations: {parent: folder}
    roles:
      viewer: {permissions: [read]}
";
const KEY: &str = "the-key-of-the-benchmark";
/// What is there to be named.
const THINGS: usize = 30_000;

async fn open(dir: &Path) -> EnvScope {
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
    scope
}

fn user(n: usize) -> NewUser {
    NewUser {
        key: format!("user-{n}").parse().expect("a key"),
        edit: UserEdit {
            email: Patch::Set(format!("user-{n}@example.com")),
            first_name: Patch::Keep,
            last_name: Patch::Keep,
            attributes: Patch::Keep,
        },
        roles: Vec::new(),
    }
}

fn instance(resource: &str, n: usize) -> NewInstance {
    NewInstance {
        key: format!("{resource}-{n}").parse().expect("a key"),
        resource: Ident::from(resource),
        tenant: Ident::from("default"),
        attributes: Map::new(),
    }
}

/// Of different users on different files.
fn assignment(n: usize) -> AssignmentSpec {
    AssignmentSpec {
        user: Ident::new(format!("user-{}", n % THINGS)),
        role: Ident::from("viewer"),
        tenant: None,
        instance: Some(format!("file:file-{}", (n * 7 + n / THINGS) % THINGS)),
        expires_at: None,
    }
}

fn tuple(n: usize) -> TupleSpec {
    TupleSpec {
        subject: format!("folder:folder-{}", (n * 7 + n / THINGS) % THINGS),
        relation: Ident::from("parent"),
        object: format!("file:file-{}", n % THINGS),
        tenant: None,
    }
}

fn bulk(c: &mut Criterion) {
    let runtime = Runtime::new().expect("a runtime");
    let dir = tempfile::tempdir().expect("a directory");
    let scope = runtime.block_on(open(dir.path()));
    runtime.block_on(async {
        for from in (0..THINGS).step_by(3000) {
            let numbers = from..from + 3000;
            scope.create_users(&numbers.clone().map(user).collect::<Vec<_>>()).await.expect("written");
            for resource in ["folder", "file"] {
                let new: Vec<_> = numbers.clone().map(|n| instance(resource, n)).collect();
                scope.replace_instances(&new).await.expect("written");
            }
        }
    });
    let last = AtomicUsize::new(THINGS);
    let next = |count: usize| {
        let from = last.fetch_add(count, Ordering::Relaxed);
        from..from + count
    };
    let mut group = c.benchmark_group("bulk");
    group.sample_size(10);
    macro_rules! measure {
        ($name:literal, $count:literal, $call:ident, $spec:expr) => {
            group.throughput(Throughput::Elements($count));
            group.bench_function($name, |b| {
                b.iter_batched(
                    || next($count).map($spec).collect::<Vec<_>>(),
                    |specs| runtime.block_on(scope.$call(&specs)).expect("written"),
                    BatchSize::PerIteration,
                );
            });
        };
    }
    measure!("create 3000 users", 3000, create_users, user);
    measure!("replace 3000 instances", 3000, replace_instances, |n| instance("file", n));
    measure!("assign 2000 roles", 2000, assign_roles, assignment);
    measure!("create 1000 tuples", 1000, create_tuples, tuple);
    group.finish();
}

criterion_group!(benches, bulk);
criterion_main!(benches);
