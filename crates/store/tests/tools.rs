//! What operators do with an installation as a whole.

#![cfg(unix)]
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of a test fail as the test does"
)]

mod support;

use askfirst_domain::{Id, audit::AuditEvent, change::Change, id::EnvId};
use askfirst_store::{
    AdminCommit, AuditFilter, Options, Page, PostgresOptions, PostgresStore, SqliteStore, Store, StoreError,
    contract::{Things, World, everything},
    tools::{self, Place, Progress, ToolError},
};
use std::{
    fs,
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
};
use support::Server;
use tempfile::TempDir;
use uuid::Uuid;

fn server() -> Option<&'static Server> {
    static SERVER: OnceLock<Option<Server>> = OnceLock::new();
    SERVER.get_or_init(|| Server::start("off")).as_ref()
}

async fn open(path: &Path) -> Result<Arc<SqliteStore>, StoreError> {
    SqliteStore::open(path, Options::default()).await.map(Arc::new)
}

async fn connect(url: &str) -> Arc<PostgresStore> {
    Arc::new(PostgresStore::connect(url, PostgresOptions::default()).await.unwrap())
}

fn file(path: &Path) -> Place {
    Place::Sqlite(path.to_owned())
}

fn quietly() -> impl FnMut(Progress) + Send {
    |_| {}
}

/// A file with something of everything in it, closed.
async fn filled() -> (TempDir, PathBuf, EnvId) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("store.db");
    let store = open(&path).await.unwrap();
    let world = World::start(Arc::clone(&store) as _).await.unwrap();
    everything(&world, 40).await.unwrap();
    store.close().await;
    (directory, path, world.env)
}

async fn execute(path: &Path, sql: &'static str) {
    use sqlx::ConnectOptions as _;
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(path);
    let mut connection = options.connect().await.unwrap();
    sqlx::raw_sql(sql).execute(&mut connection).await.unwrap();
    sqlx::Connection::close(connection).await.unwrap();
}

/// All that can be seen of an environment.
async fn seen(store: &dyn Store, env: EnvId) -> (Vec<Change>, Vec<impl PartialEq + std::fmt::Debug>, String) {
    let mut state = Vec::new();
    store.load(env, &mut |chunk| state.extend(chunk)).await.unwrap();
    let log = store.changes_after(env, 0, usize::MAX).await.unwrap();
    let events = store.audit_events(Some(env), &AuditFilter::default(), Page::ALL).await.unwrap();
    let of_all = store.audit_events(None, &AuditFilter::default(), Page::ALL).await.unwrap();
    let keys = store.api_keys().await.unwrap();
    let session = store.session_by_hash("session").await.unwrap().unwrap();
    (state, log, format!("{:?} {:?} {keys:?} {session:?}", events.items, of_all.items))
}

async fn assert_sound(place: &Place) {
    assert_eq!(tools::check(place, &mut quietly()).await.unwrap(), []);
}

#[tokio::test]
async fn an_installation_goes_to_the_other_database_and_back() {
    let Some(server) = server() else { return };
    let (directory, path, env) = filled().await;
    let url = server.database().await;
    let there = Place::Postgres(url.clone());
    let mut told = Vec::new();
    let copied = tools::copy(&file(&path), &there, &mut |progress| told.push(progress)).await.unwrap();
    assert!(copied.tables.contains(&("role_assignment".to_owned(), 80)), "{copied:?}");
    assert!(told.iter().any(|p| p.doing == "copying" && p.what == "change" && p.done == p.of && p.of > 200));
    assert_sound(&there).await;

    let (old, new) = (open(&path).await.unwrap(), connect(&url).await);
    assert_eq!(seen(&*old, env).await, seen(&*new, env).await);
    let (old_head, new_head) = (old.head(env).await.unwrap().unwrap(), new.head(env).await.unwrap().unwrap());
    assert_eq!(old_head.revision, new_head.revision);
    assert_ne!(old_head.epoch, new_head.epoch, "each goes its own way from here on");
    // It goes on where the source ended.
    let world = World { store: Arc::clone(&new) as _, env, ..World::start(new_world().await).await.unwrap() };
    let after = world.commit(vec![Change::PutUser(Things::user("after").unwrap())]).await.unwrap();
    assert_eq!(after.revision, old_head.revision + 1);
    old.close().await;

    let back = directory.path().join("back").join("store.db");
    fs::create_dir(back.parent().unwrap()).unwrap();
    tools::copy(&there, &file(&back), &mut quietly()).await.unwrap();
    let again = open(&back).await.unwrap();
    assert_eq!(seen(&*again, env).await, seen(&*new, env).await);
    new.close().await;
    again.close().await;
    assert_sound(&file(&back)).await;
}

/// A store that is only needed to make a [`World`].
async fn new_world() -> Arc<dyn Store> {
    Arc::new(SqliteStore::open_in_memory().await.unwrap())
}

#[tokio::test]
async fn a_copy_goes_into_an_empty_database_only() {
    let (directory, path, _) = filled().await;
    let target = directory.path().join("target").join("store.db");
    fs::create_dir(target.parent().unwrap()).unwrap();
    let same = tools::copy(&file(&path), &file(&path), &mut quietly()).await;
    assert!(matches!(same, Err(ToolError::NotEmpty(..))), "{same:?}");
    tools::copy(&file(&path), &file(&target), &mut quietly()).await.unwrap();
    let twice = tools::copy(&file(&path), &file(&target), &mut quietly()).await.unwrap_err().to_string();
    assert!(twice.contains("is not empty: there are rows in its table `organization`"), "{twice}");
    open(&target).await.unwrap().close().await;

    // As one that was cut off leaves it.
    execute(&target, "INSERT INTO unfinished (id) VALUES (1)").await;
    assert!(matches!(open(&target).await, Err(StoreError::Unfinished)));
    let again = tools::copy(&file(&path), &file(&target), &mut quietly()).await;
    assert!(matches!(again, Err(ToolError::Store(StoreError::Unfinished))), "{again:?}");
    let nothing = tools::copy(&file(&directory.path().join("none.db")), &file(&target), &mut quietly()).await;
    assert!(matches!(nothing, Err(ToolError::Nothing(_))), "{nothing:?}");
}

#[tokio::test]
async fn a_backup_is_taken_while_others_write_and_comes_back_as_another_history() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("store.db");
    let backup = directory.path().join("backup.db");
    let store = open(&path).await.unwrap();
    let world = World::start(Arc::clone(&store) as _).await.unwrap();
    everything(&world, 40).await.unwrap();
    let writing = tokio::spawn({
        let world = world.clone();
        async move {
            for n in 0..100 {
                world
                    .commit(vec![Change::PutUser(Things::user(&format!("more-{n}")).unwrap())])
                    .await
                    .unwrap();
            }
        }
    });
    tools::backup(&path, &backup).await.unwrap();
    let refused = tools::backup(&path, &backup).await;
    assert!(matches!(refused, Err(ToolError::NotEmpty(..))), "{refused:?}");
    writing.await.unwrap();
    let newest = world.store.head(world.env).await.unwrap().unwrap();
    store.close().await;
    assert_sound(&file(&backup)).await;

    let aside = tools::restore(&backup, &path).await.unwrap().unwrap();
    assert_sound(&file(&path)).await;
    let restored = open(&path).await.unwrap();
    let head = restored.head(world.env).await.unwrap().unwrap();
    assert!(head.revision <= newest.revision);
    assert_ne!(head.epoch, newest.epoch);
    restored.close().await;
    // A second start finds nothing strange.
    let restored = open(&path).await.unwrap();
    assert_eq!(restored.head(world.env).await.unwrap().unwrap(), head);
    restored.close().await;
    let put_aside = open(&aside).await.unwrap();
    assert_eq!(put_aside.head(world.env).await.unwrap().unwrap().revision, newest.revision);
    put_aside.close().await;

    fs::write(&backup, "no database").unwrap();
    assert!(tools::restore(&backup, &path).await.is_err());
    assert_eq!(open(&path).await.unwrap().head(world.env).await.unwrap().unwrap(), head, "it is as it was");
}

/// Whoever puts an older file in the place of the one that was served is found out.
#[tokio::test]
async fn an_older_database_in_its_place_gets_new_epochs() {
    let (directory, path, env) = filled().await;
    let witness = directory.path().join("store.db-witness");
    let older = directory.path().join("older.db");
    let epoch = async || {
        let store = open(&path).await.unwrap();
        let head = store.head(env).await.unwrap().unwrap();
        store.close().await;
        head.epoch
    };
    let first = epoch().await;
    fs::copy(&path, &older).unwrap();
    assert_eq!(epoch().await, first, "a start by itself changes nothing");
    fs::copy(&older, &path).unwrap();
    let second = epoch().await;
    assert_ne!(second, first, "the file of an earlier run");
    assert_eq!(epoch().await, second);

    let backup = directory.path().join("backup.db");
    tools::backup(&path, &backup).await.unwrap();
    fs::copy(&backup, &path).unwrap();
    let third = epoch().await;
    assert_ne!(third, second, "a backup that was put there by hand");

    fs::remove_file(&witness).unwrap();
    let fourth = epoch().await;
    assert_ne!(fourth, third, "the file alone");
    assert_eq!(epoch().await, fourth);
}

/// A file of this very run, older than what was acknowledged.
#[tokio::test]
async fn what_was_acknowledged_is_remembered_beside_the_database() {
    let (directory, path, env) = filled().await;
    let older = directory.path().join("older.db");
    let store = open(&path).await.unwrap();
    let head = store.head(env).await.unwrap().unwrap();
    // With the mark of this run.
    execute_into(&path, &older).await;
    let world = World { env, ..World::start(new_world().await).await.unwrap() };
    let world = World { store: Arc::clone(&store) as _, ..world };
    world.commit(vec![Change::PutUser(Things::user("late").unwrap())]).await.unwrap();
    store.close().await;
    fs::copy(&older, &path).unwrap();
    let store = open(&path).await.unwrap();
    let after = store.head(env).await.unwrap().unwrap();
    assert_eq!(after.revision, head.revision);
    assert_ne!(after.epoch, head.epoch);
}

async fn execute_into(path: &Path, to: &Path) {
    use sqlx::ConnectOptions as _;
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(path);
    let mut connection = options.connect().await.unwrap();
    let to = to.display().to_string();
    sqlx::query("VACUUM INTO $1").bind(to).execute(&mut connection).await.unwrap();
}

#[tokio::test]
async fn a_check_finds_what_is_not_as_it_has_to_be() {
    for (sql, expected) in [
        (
            "DELETE FROM role_assignment WHERE pos = 3",
            "`role_assignment` has 79 rows, and the log comes to 80",
        ),
        (
            "UPDATE user_ SET email = 'x' WHERE key = 'user-1'",
            "`user_` has other values than the log comes to",
        ),
        ("UPDATE environment SET head_revision = 9", "the newest revision is 9, and the log ends at 3"),
        ("DELETE FROM change WHERE seq = 7", "changes of revision 1 are missing in the log"),
        ("DELETE FROM change WHERE revision = 2", "the log has 2 revisions between 1 and 3"),
        ("UPDATE change SET payload = '{}' WHERE seq = 9", "at revision 1 a stored change can't be read"),
        ("DELETE FROM audit_event WHERE n = 2 AND env IS NOT NULL", "event 2: event 2 is missing"),
        (
            "UPDATE audit_event SET code = 'nothing.happened' WHERE n = 1",
            "event 1: it is listed as something else",
        ),
        (
            "UPDATE audit_event SET body = replace(body, 'created', 'deleted') WHERE n = 1 AND env IS NOT NULL",
            "event 1: it is not what was written",
        ),
        (
            "UPDATE audit_event SET private = replace(private, 'contract', 'somebody') WHERE n = 1",
            "event 1: its `actor` is not what was written",
        ),
        (
            "UPDATE audit_head SET n = n + 1 WHERE env IN (SELECT env FROM audit_event)",
            "the log ends with event",
        ),
        ("UPDATE audit_event SET n = NULL WHERE n = 1", "audit events stand in no chain"),
        (
            "INSERT INTO user_ SELECT 999, x'0102030405060708090a0b0c0d0e0f10', id, key, email, first_name, last_name, \
             attributes, created_at, updated_at, search, revision FROM user_ LIMIT 1",
            "`user_` has rows of an environment that is not there",
        ),
    ] {
        let (_directory, path, _) = filled().await;
        assert_sound(&file(&path)).await;
        execute(&path, sql).await;
        let findings = tools::check(&file(&path), &mut quietly()).await.unwrap();
        let sentences: Vec<_> = findings.iter().map(|finding| finding.what.clone()).collect();
        assert!(sentences.iter().any(|what| what.contains(expected)), "{sql}: {sentences:#?}");
    }
}

#[tokio::test]
async fn what_there_is_can_be_seen_and_epochs_can_be_changed() {
    let (_directory, path, env) = filled().await;
    let info = tools::info(&file(&path)).await.unwrap();
    let [environment] = info.environments.as_slice() else { panic!("{info:?}") };
    assert_eq!(
        (environment.name.as_str(), environment.head.revision, environment.image),
        ("project/env", 3, None)
    );
    assert_eq!(Id::new(environment.id), env);
    assert!(info.bytes > 10_000 && info.tables.iter().any(|t| t.name == "user_" && t.rows == 41), "{info:?}");
    assert_eq!(tools::new_epochs(&file(&path)).await.unwrap(), 1);
    let changed = tools::info(&file(&path)).await.unwrap().environments.remove(0).head;
    assert_ne!(changed.epoch, environment.head.epoch);
    // It was done on purpose, so the next start leaves it.
    let store = open(&path).await.unwrap();
    assert_eq!(store.head(env).await.unwrap().unwrap(), changed);

    let Some(server) = server() else { return };
    let url = server.database().await;
    let refused = tools::info(&Place::Postgres(url.clone())).await;
    assert!(matches!(refused, Err(ToolError::Nothing(_))), "{refused:?}");
    let world = World::start(connect(&url).await).await.unwrap();
    assert_eq!(tools::new_epochs(&Place::Postgres(url)).await.unwrap(), 1);
    let head = world.store.head(world.env).await.unwrap().unwrap();
    assert!(head.epoch != world.epoch && head.epoch != Uuid::nil());
}

/// Writes the events as a program wrote them that knew no chains.
const FORGET: [&str; 2] =
    ["UPDATE audit_event SET n = NULL, hash = NULL, private = NULL", "DELETE FROM audit_head"];

async fn with_old_events(store: &Arc<dyn Store>) -> (EnvId, Vec<AuditEvent>) {
    let world = World::start(Arc::clone(store)).await.unwrap();
    for n in 0..1100 {
        let mut draft = world.draft(Vec::new(), Vec::new());
        let mut event = World::event("user.seen");
        event.details.insert("n".to_owned(), n.into());
        draft.audit.push(event);
        store.commit(draft).await.unwrap();
    }
    let audit = vec![(None, World::event("key.created"))];
    store.commit_admin(AdminCommit { ops: Vec::new(), audit }).await.unwrap();
    let mut events =
        store.audit_events(Some(world.env), &AuditFilter::default(), Page::ALL).await.unwrap().items;
    events.extend(store.audit_events(None, &AuditFilter::default(), Page::ALL).await.unwrap().items);
    (world.env, events)
}

async fn assert_chained(store: &dyn Store, env: EnvId, events: &[AuditEvent]) {
    let all = store.audit_events(Some(env), &AuditFilter::default(), Page::ALL).await.unwrap().items;
    assert_eq!(all, events[..1100]);
    let chain = store.audit_chain(Some(env), 0, u32::MAX).await.unwrap();
    let order: Vec<_> = chain.iter().rev().map(|entry| entry.event().unwrap().id).collect();
    assert_eq!(order, all.iter().map(|event| event.id).collect::<Vec<_>>());
    let salts: std::collections::BTreeSet<_> =
        chain.iter().flat_map(|entry| entry.private.values()).map(|opened| &opened.salt).collect();
    assert_eq!(salts.len(), 4400, "each part has a salt of its own");
    assert_eq!(store.audit_chain(None, 0, 9).await.unwrap().len(), 1);
}

#[tokio::test]
async fn events_from_before_there_were_chains_get_their_places() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("store.db");
    let store = open(&path).await.unwrap();
    let (env, events) = with_old_events(&(Arc::clone(&store) as _)).await;
    store.close().await;
    let connect = async || {
        use sqlx::ConnectOptions as _;
        sqlx::sqlite::SqliteConnectOptions::new().filename(&path).connect().await.unwrap()
    };
    let mut sql = connect().await;
    for text in FORGET {
        sqlx::query(text).execute(&mut sql).await.unwrap();
    }
    for event in &events {
        let update = sqlx::query("UPDATE audit_event SET body = $1 WHERE id = $2");
        let update = update.bind(serde_json::to_string(event).unwrap()).bind(event.id.uuid());
        update.execute(&mut sql).await.unwrap();
    }
    sqlx::Connection::close(sql).await.unwrap();
    let found = tools::check(&file(&path), &mut quietly()).await.unwrap();
    assert!(found.iter().any(|f| f.what.starts_with("1101 audit events stand in no chain")), "{found:?}");
    let store = open(&path).await.unwrap();
    assert_chained(&*store, env, &events).await;
    store.close().await;
    assert_sound(&file(&path)).await;
}

#[tokio::test]
async fn of_several_servers_that_start_at_once_one_chains_what_is_old() {
    let Some(server) = server() else { return };
    let url = server.database().await;
    let store = connect(&url).await;
    let (env, events) = with_old_events(&(Arc::clone(&store) as _)).await;
    store.close().await;
    let mut sql = support::connect(&url).await;
    for text in FORGET {
        sqlx::query(text).execute(&mut sql).await.unwrap();
    }
    for event in &events {
        let update = sqlx::query("UPDATE audit_event SET body = $1 WHERE id = $2");
        let update = update.bind(serde_json::to_string(event).unwrap()).bind(event.id.uuid());
        update.execute(&mut sql).await.unwrap();
    }
    let (one, other) = futures::join!(connect(&url), connect(&url));
    assert_chained(&*one, env, &events).await;
    assert_chained(&*other, env, &events).await;
    one.close().await;
    other.close().await;
    assert_sound(&Place::Postgres(url)).await;
}
