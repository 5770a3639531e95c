//! How long a start takes with a million facts: reading the state, and building the snapshot from it.
//!
//! `cargo bench -p askfirst-store --bench load`; a smaller world with `ASKFIRST_BENCH_FACTS=100000`. PostgreSQL is
//! measured where it is installed.

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
    facts::{Instance, RelationshipTuple, RoleAssignment, User},
};
use askfirst_policy::Loader;
use askfirst_store::{
    ImagePolicy, Options, SqliteStore,
    contract::{Failure, Things, World},
};
#[cfg(unix)]
use askfirst_store::{PostgresOptions, PostgresStore};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use std::sync::Arc;
use tokio::runtime::Runtime;
use uuid::Uuid;

/// How many facts are written with one commit.
const CHUNK: usize = 4_000;

/// Ids as those of version 7 are: in the order of their making, and different in their last bits.
fn id<K>(kind: u64, number: usize) -> Id<K> {
    let number = number as u64;
    Id::new(Uuid::from_u64_pair(
        0x0190_0000_0000_7000 | number << 16,
        (kind << 56) ^ number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 8,
    ))
}

/// Of ten facts six are assignments, two tuples and two instances; the users come on top, one for twelve assignments.
fn facts(count: usize) -> Result<Vec<Change>, Failure> {
    let (folder, file) = (Things::resource("folder")?, Things::resource("file")?);
    let holds = Things::relation(&folder, "parent", &file)?;
    let (viewer, editor) = (Things::role(Some(&file), "viewer")?, Things::role(Some(&file), "editor")?);
    let tenants = ["acme", "bolt", "crane", "delta"].map(Things::tenant);
    let tenants = tenants.into_iter().collect::<Result<Vec<_>, _>>()?;
    let tenant = |n: usize| tenants.get(n % tenants.len()).expect("there are some");
    let users =
        (0..count / 20).map(|n| Ok(User { id: id(1, n), ..Things::user(&format!("user-{n}@example.com"))? }));
    let users = users.collect::<Result<Vec<_>, Failure>>()?;
    let instances = (0..count / 5).map(|n| {
        let of = if n.is_multiple_of(10) { &folder } else { &file };
        Ok(Instance { id: id(2, n), ..Things::instance(of, &format!("instance-{n}"), tenant(n))? })
    });
    let instances = instances.collect::<Result<Vec<_>, Failure>>()?;
    let user = |n: usize| users.get(n % users.len()).expect("there are some");
    // Everything but the tenth.
    let file_at = |n: usize| {
        let at = n % instances.len();
        instances.get(if at.is_multiple_of(10) { at + 1 } else { at }).expect("there are some")
    };
    let mut all = vec![
        Change::PutResource(folder),
        Change::PutResource(file),
        Change::PutRole(viewer.clone()),
        Change::PutRole(editor.clone()),
        Change::PutRelation(holds.clone()),
    ];
    all.extend(tenants.iter().cloned().map(Change::PutTenant));
    all.extend(users.iter().cloned().map(Change::PutUser));
    all.extend(instances.iter().cloned().map(Change::PutInstance));
    for n in 0..count / 5 * 3 {
        let role = if n.is_multiple_of(3) { &editor } else { &viewer };
        // Far apart, as after years of use.
        let (user, on) = (user(n), file_at(n.wrapping_mul(7_919)));
        let made = Things::assignment(user, role, tenant(n), Some(on));
        all.push(Change::PutAssignment(RoleAssignment { id: id(3, n), ..made }));
    }
    for n in 0..count / 5 {
        let (folder, file) = (instances.get(n / 10 * 10).expect("there are some"), file_at(n));
        let made = Things::tuple(folder, &holds, file);
        all.push(Change::PutTuple(RelationshipTuple { id: id(4, n), ..made }));
    }
    Ok(all)
}

/// Writes what has no double yet: some of the far apart meet.
async fn fill(world: &World, facts: Vec<Change>) -> Result<(), Failure> {
    let mut seen = std::collections::HashSet::new();
    let facts: Vec<_> = facts
        .into_iter()
        .filter(|fact| match fact {
            Change::PutAssignment(a) => {
                seen.insert((a.user_id.uuid(), a.role_id.uuid(), a.instance.as_ref().map(|i| i.id.uuid())))
            }
            Change::PutTuple(t) => seen.insert((t.subject.id.uuid(), t.object.id.uuid(), None)),
            _ => true,
        })
        .collect();
    for chunk in facts.chunks(CHUNK) {
        world.commit(chunk.to_vec()).await?;
    }
    Ok(())
}

struct Place {
    database: &'static str,
    world: World,
    _directory: Option<tempfile::TempDir>,
}

async fn places() -> Result<Vec<Place>, Failure> {
    // They come when they are to be measured.
    let images = ImagePolicy::Never;
    let directory = tempfile::tempdir()?;
    let store =
        SqliteStore::open(directory.path().join("store.db"), Options { images, ..Options::default() })
            .await?;
    let world = World::start(Arc::new(store)).await?;
    let mut places = vec![Place { database: "SQLite", world, _directory: Some(directory) }];
    #[cfg(unix)]
    if let Some(server) = server() {
        let url = server.database().await;
        let store =
            PostgresStore::connect(&url, PostgresOptions { images, ..PostgresOptions::default() }).await?;
        places.push(Place {
            database: "PostgreSQL",
            world: World::start(Arc::new(store)).await?,
            _directory: None,
        });
    }
    Ok(places)
}

#[cfg(unix)]
fn server() -> Option<&'static support::Server> {
    static SERVER: std::sync::OnceLock<Option<support::Server>> = std::sync::OnceLock::new();
    SERVER.get_or_init(|| support::Server::start("on")).as_ref()
}

fn start(c: &mut Criterion) {
    let count = std::env::var_os("ASKFIRST_BENCH_FACTS").and_then(|n| n.to_str()?.parse().ok());
    let count = count.unwrap_or(1_000_000);
    let runtime = Runtime::new().expect("a runtime");
    let places = runtime.block_on(places()).expect("stores");
    let facts = facts(count).expect("made");
    let mut group = c.benchmark_group(format!("{count} facts"));
    group.sample_size(10).throughput(Throughput::Elements(count as u64));
    group.bench_function("build", |b| {
        b.iter(|| {
            let mut loader = Loader::new();
            facts.chunks(CHUNK).for_each(|chunk| loader.load(chunk));
            loader.finish()
        });
    });
    for place in &places {
        runtime.block_on(fill(&place.world, facts.clone())).expect("written");
        for from in ["the tables", "an image"] {
            if from == "an image" {
                runtime.block_on(place.world.store.write_image(place.world.env)).expect("written");
            }
            let name = |what: &str| BenchmarkId::new(format!("{what} {from}"), place.database);
            group.bench_function(name("read"), |b| {
                b.iter(|| {
                    let mut given = 0;
                    load(&runtime, &place.world, &mut |chunk: Vec<Change>| given += chunk.len());
                    given
                });
            });
            group.bench_function(name("read and build from"), |b| {
                b.iter(|| {
                    let mut loader = Loader::new();
                    load(&runtime, &place.world, &mut |chunk: Vec<Change>| loader.load(&chunk));
                    loader.finish()
                });
            });
        }
    }
    group.finish();
}

fn load(runtime: &Runtime, world: &World, sink: &mut (dyn FnMut(Vec<Change>) + Send)) {
    runtime.block_on(world.store.load(world.env, sink)).expect("loaded");
}

criterion_group!(benches, start);
criterion_main!(benches);
