//! What a commit costs, alone and in company, and how long a start takes.
//!
//! On a disk (`TMPDIR`), with full durability: these numbers are mostly the disk's. PostgreSQL is measured where it is
//! installed, over a socket, as it comes.

#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a benchmark that can't go on has nothing to measure"
)]

#[cfg(unix)]
#[path = "../tests/support/mod.rs"]
mod support;

use askfirst_domain::{
    Id,
    change::Change,
    facts::{Instance, RoleAssignment, User},
};
use askfirst_store::{
    Options, SqliteStore,
    contract::{Failure, Things, World},
};
#[cfg(unix)]
use askfirst_store::{PostgresOptions, PostgresStore};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use std::{
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::runtime::Runtime;
use uuid::Uuid;

/// Ids in the order of their making, as those of version 7 are: the indexes grow at their ends.
fn ordered<K>() -> Id<K> {
    static LAST: AtomicU64 = AtomicU64::new(1);
    Id::new(Uuid::from_u128(u128::from(LAST.fetch_add(1, Ordering::Relaxed)) << 64))
}

/// A store of its own; the directory lives as long as the world.
struct Place {
    database: &'static str,
    world: World,
    _directory: Option<tempfile::TempDir>,
}

/// One on each database that is there.
async fn places() -> Result<Vec<Place>, Failure> {
    let directory = tempfile::tempdir()?;
    let store = SqliteStore::open(directory.path().join("store.db"), Options::default()).await?;
    let world = World::start(Arc::new(store)).await?;
    let mut places = vec![Place { database: "SQLite", world, _directory: Some(directory) }];
    #[cfg(unix)]
    if let Some(store) = postgres().await? {
        let world = World::start(Arc::new(store)).await?;
        places.push(Place { database: "PostgreSQL", world, _directory: None });
    }
    Ok(places)
}

#[cfg(unix)]
async fn postgres() -> Result<Option<PostgresStore>, Failure> {
    static SERVER: OnceLock<Option<support::Server>> = OnceLock::new();
    let Some(server) = SERVER.get_or_init(|| support::Server::start("on")) else { return Ok(None) };
    let url = server.database().await;
    Ok(Some(PostgresStore::connect(&url, PostgresOptions::default()).await?))
}

fn users(n: usize) -> Result<Vec<Change>, Failure> {
    let one = || {
        let mut user = Things::user("placeholder")?;
        user.id = ordered();
        user.key = format!("user-{}", user.id).parse()?;
        Ok(Change::PutUser(user))
    };
    (0..n).map(|_| one()).collect()
}

/// `n` assignments of different users on different instances.
fn assignments(n: usize) -> Result<Vec<Change>, Failure> {
    let (tenant, resource) = (Things::tenant("acme")?, Things::resource("file")?);
    let role = Things::role(Some(&resource), "owner")?;
    let one = |n: usize| {
        let user = User { id: ordered(), ..Things::user(&format!("user-{n}"))? };
        let file = Instance { id: ordered(), ..Things::instance(&resource, &format!("file-{n}"), &tenant)? };
        let made = Things::assignment(&user, &role, &tenant, Some(&file));
        Ok(Change::PutAssignment(RoleAssignment { id: ordered(), ..made }))
    };
    (0..n).map(one).collect()
}

async fn write_each(world: &World, tasks: usize, total: usize) -> Result<(), Failure> {
    let mut set = tokio::task::JoinSet::new();
    for _ in 0..tasks {
        let world = world.clone();
        set.spawn(async move {
            for _ in 0..total / tasks {
                world.commit(users(1)?).await?;
            }
            Ok::<_, Failure>(())
        });
    }
    while let Some(ended) = set.join_next().await {
        ended??;
    }
    Ok(())
}

fn single_commits(c: &mut Criterion) {
    const TOTAL: usize = 256;
    let runtime = Runtime::new().expect("a runtime");
    let places = runtime.block_on(places()).expect("stores");
    let mut group = c.benchmark_group("commit of one user");
    group
        .sample_size(10)
        .measurement_time(Duration::from_secs(5))
        .throughput(Throughput::Elements(TOTAL as u64));
    for place in &places {
        for tasks in [1, 64] {
            group.bench_function(BenchmarkId::new(place.database, tasks), |b| {
                b.iter(|| runtime.block_on(write_each(&place.world, tasks, TOTAL)).expect("written"));
            });
        }
    }
    group.finish();
}

fn bulk_commits(c: &mut Criterion) {
    const FACTS: usize = 1000;
    let runtime = Runtime::new().expect("a runtime");
    let places = runtime.block_on(places()).expect("stores");
    let mut group = c.benchmark_group("commit of 1000 assignments");
    group
        .sample_size(10)
        .measurement_time(Duration::from_secs(5))
        .throughput(Throughput::Elements(FACTS as u64));
    for place in &places {
        group.bench_function(place.database, |b| {
            b.iter_batched(
                || assignments(FACTS).expect("made"),
                |changes| runtime.block_on(place.world.commit(changes)).expect("written"),
                criterion::BatchSize::PerIteration,
            );
        });
    }
    group.finish();
}

fn load(c: &mut Criterion) {
    const FACTS: usize = 100_000;
    let runtime = Runtime::new().expect("a runtime");
    let places = runtime.block_on(places()).expect("stores");
    let mut group = c.benchmark_group("load of 100000 assignments");
    group.sample_size(10).throughput(Throughput::Elements(FACTS as u64));
    for place in &places {
        for chunk in assignments(FACTS).expect("made").chunks(5_000) {
            runtime.block_on(place.world.commit(chunk.to_vec())).expect("written");
        }
        group.bench_function(place.database, |b| {
            b.iter(|| {
                let mut given = 0;
                let mut count = |chunk: Vec<Change>| given += chunk.len();
                runtime.block_on(place.world.store.load(place.world.env, &mut count)).expect("loaded");
                given
            });
        });
    }
    group.finish();
}

criterion_group!(benches, single_commits, bulk_commits, load);
criterion_main!(benches);
