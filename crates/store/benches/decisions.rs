//! What logging decisions costs, and what looking for some of them does; and why they are packed: the same decisions as
//! plain rows with the indexes that lists would need.
//!
//! `cargo bench -p askfirst-store --bench decisions`; on a disk (`TMPDIR`). A fresh user and instance in each decision is
//! the worst that can come; real questions repeat themselves.

#![expect(clippy::expect_used, reason = "a benchmark that can't go on has nothing to measure")]
#![expect(clippy::print_stdout, reason = "a size is no time, so criterion can't tell it")]

use askfirst_domain::{Id, Timestamp, id::EnvId};
use askfirst_store::decisions::{
    DecisionFilter, DecisionLog, DecisionRecord, Packed, Packer, SqliteDecisions, Stamp,
};
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use sqlx::{
    ConnectOptions as _, Connection as _, SqliteConnection,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
};
use std::{
    path::Path,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};
use tokio::runtime::Runtime;
use uuid::Uuid;

/// What a busy server decides between two writes of its log.
const BATCH: u64 = 3000;

/// How much decisions differ.
#[derive(Debug, Clone, Copy)]
enum Kind {
    /// A thousand users and a thousand instances.
    Usual,
    /// Each has a user and an instance of its own.
    Distinct,
}

fn env() -> EnvId {
    Id::new(Uuid::from_u128(1))
}

fn records(kind: Kind, first: u64, count: u64) -> Vec<DecisionRecord> {
    let record = |n: u64| {
        let (user, instance) = match kind {
            Kind::Usual => (n.wrapping_mul(7919) % 1000, n.wrapping_mul(104_729) % 1000),
            Kind::Distinct => (n, n),
        };
        let (user, key) = (format!("user-{user}@example.com"), format!("document-{instance}"));
        DecisionRecord {
            stamp: Stamp::new(7, n),
            at: Timestamp::from_micros(
                1_790_000_000_000_000 + i64::try_from(n).expect("a small number") * 33,
            ),
            epoch: Uuid::from_u128(2),
            revision: 1000 + n / 5000,
            allow: !n.is_multiple_of(8),
            reason: Some(format!("{user} may read document:{key}: {user} holds document:{key}#editor.")),
            trace: Some(format!(
                "{{\"verdict\":\"allow\",\"held\":{{\"role\":\"editor\",\"at\":{{\"instance\":{{\"resource\":\"document\",\
                 \"key\":\"{key}\"}}}}}},\"expires_at\":null,\"steps\":[]}}"
            )),
            user,
            action: "read".to_owned(),
            resource: "document".to_owned(),
            instance: Some(key),
            tenant: None,
            in_tenant: "default".to_owned(),
            door: "pdp".to_owned(),
            asker: "{\"kind\":\"api_key\",\"key\":\"0193d0e2-8b7c-7e31-9f0a-3f6d8f0f7c11\"}".to_owned(),
            given: None,
            left_out: None,
        }
    };
    (first..first + count).map(record).collect()
}

fn packed(records: &[DecisionRecord]) -> Packed {
    let mut packer = Packer::default();
    for record in records {
        packer.push(env(), record);
    }
    Packed { segments: packer.finish(), missed: Vec::new() }
}

/// The same as rows.
async fn rows(path: &Path) -> SqliteConnection {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Normal)
        .disable_statement_logging();
    let mut connection = options.connect().await.expect("a database");
    let tables = "CREATE TABLE decision (id BLOB PRIMARY KEY, env BLOB, at INTEGER, revision INTEGER, allow INTEGER, user TEXT, \
        action TEXT, resource TEXT, instance TEXT, tenant TEXT, door TEXT, asker TEXT, reason TEXT, trace TEXT) WITHOUT ROWID; \
        CREATE INDEX by_time ON decision (env, at); \
        CREATE INDEX by_user ON decision (env, user, at); \
        CREATE INDEX by_thing ON decision (env, resource, instance, at);";
    sqlx::raw_sql(tables).execute(&mut connection).await.expect("tables");
    connection
}

async fn insert(connection: &mut SqliteConnection, records: &[DecisionRecord]) {
    let row = format!("({})", ["?"; 14].join(","));
    let mut transaction = connection.begin().await.expect("a transaction");
    for chunk in records.chunks(50) {
        let sql = format!("INSERT INTO decision VALUES {}", vec![row.as_str(); chunk.len()].join(","));
        let mut query = sqlx::query(sqlx::AssertSqlSafe(sql));
        for record in chunk {
            query = query
                .bind(record.id().uuid())
                .bind(env().uuid())
                .bind(record.at.micros())
                .bind(i64::try_from(record.revision).expect("a small number"))
                .bind(record.allow)
                .bind(&record.user)
                .bind(&record.action)
                .bind(&record.resource)
                .bind(record.instance.as_deref())
                .bind(&record.in_tenant)
                .bind(&record.door)
                .bind(&record.asker)
                .bind(record.reason.as_deref())
                .bind(record.trace.as_deref());
        }
        query.execute(&mut *transaction).await.expect("rows");
    }
    transaction.commit().await.expect("a commit");
}

fn write(c: &mut Criterion) {
    let runtime = Runtime::new().expect("a runtime");
    let next = AtomicU64::new(0);
    for kind in [Kind::Usual, Kind::Distinct] {
        let directory = tempfile::tempdir().expect("a directory");
        let mut group = c.benchmark_group(format!("3000 decisions, {kind:?}"));
        group
            .throughput(Throughput::Elements(BATCH))
            .measurement_time(Duration::from_secs(8))
            .sample_size(20);
        let fresh = || records(kind, next.fetch_add(BATCH, Ordering::Relaxed), BATCH);
        group.bench_function("packed", |b| b.iter_batched_ref(fresh, |r| packed(r), BatchSize::LargeInput));
        let log =
            runtime.block_on(SqliteDecisions::open(directory.path().join("decisions.db"))).expect("a log");
        group.bench_function("packed and written", |b| {
            b.iter_batched_ref(
                fresh,
                |r| runtime.block_on(log.append(&packed(r))).expect("it is written"),
                BatchSize::LargeInput,
            );
        });
        let mut connection = runtime.block_on(rows(&directory.path().join("rows.db")));
        group.bench_function("as rows", |b| {
            b.iter_batched_ref(
                fresh,
                |r| runtime.block_on(insert(&mut connection, r)),
                BatchSize::LargeInput,
            );
        });
        group.finish();
    }
}

fn read(c: &mut Criterion) {
    let runtime = Runtime::new().expect("a runtime");
    let mut group = c.benchmark_group("among a million decisions");
    group.sample_size(20);
    let directory = tempfile::tempdir().expect("a directory");
    let log = runtime.block_on(SqliteDecisions::open(directory.path().join("decisions.db"))).expect("a log");
    for first in (0..1_000_000).step_by(4000) {
        let records = records(Kind::Distinct, first, 4000);
        runtime.block_on(log.append(&packed(&records))).expect("it is written");
    }
    let bytes = runtime.block_on(log.size()).expect("a size");
    println!("a decision takes {} bytes when all are different", bytes / 1_000_000);
    let of = |user: u64| DecisionFilter {
        users: Some(vec![format!("user-{user}@example.com")]),
        ..DecisionFilter::default()
    };
    let filters = [
        ("the newest 50", DecisionFilter::default()),
        ("the newest 50 denied", DecisionFilter { allow: Some(false), ..DecisionFilter::default() }),
        ("the only one of a user, half way", of(500_000)),
        ("none of an unknown user", of(5_000_000)),
    ];
    for (name, filter) in filters {
        group.bench_function(name, |b| {
            b.iter(|| runtime.block_on(log.page(env(), &filter, None, 50)).expect("a page"));
        });
    }
    group.finish();
}

criterion_group!(benches, write, read);
criterion_main!(benches);
