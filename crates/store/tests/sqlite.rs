//! The SQLite body keeps the contract.

#![expect(clippy::unwrap_used, reason = "helpers of a test fail as the test does")]

use askfirst_store::{SqliteStore, Store};
use std::sync::Arc;

async fn make() -> Option<Arc<dyn Store>> {
    Some(Arc::new(SqliteStore::open_in_memory().await.unwrap()))
}

askfirst_store::contract_tests!(make);

mod files {
    use super::*;
    use askfirst_domain::change::Change;
    use askfirst_store::Page;
    use askfirst_store::{
        CommitError, Options, StoreError, UserFilter,
        contract::{Things, World},
    };

    async fn open(path: &std::path::Path) -> Arc<SqliteStore> {
        Arc::new(SqliteStore::open(path, Options::default()).await.unwrap())
    }

    #[tokio::test]
    async fn reopening_gives_all() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("store.db");
        let store = open(&path).await;
        let world = World::start(Arc::clone(&store) as _).await.unwrap();
        let (user, tenant) = (Things::user("joe").unwrap(), Things::tenant("acme").unwrap());
        let role = Things::role(None, "member").unwrap();
        let assignment = Things::assignment(&user, &role, &tenant, None);
        world
            .commit(vec![
                Change::PutRole(role),
                Change::PutUser(user),
                Change::PutTenant(tenant),
                Change::PutAssignment(assignment),
            ])
            .await
            .unwrap();
        let (before, log) = (world.loaded().await.unwrap(), world.log().await.unwrap());
        store.close().await;

        let again = World { store: open(&path).await, ..world };
        assert_eq!(again.loaded().await.unwrap(), before);
        assert_eq!(again.log().await.unwrap(), log);
        assert_eq!(
            again.commit(vec![Change::PutUser(Things::user("jane").unwrap())]).await.unwrap().revision,
            2
        );
    }

    #[tokio::test]
    async fn closing_writes_what_was_handed_in() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("store.db");
        let store = open(&path).await;
        let world = World::start(Arc::clone(&store) as _).await.unwrap();
        let mut handed_in = Vec::new();
        for n in 0..200 {
            let user = Change::PutUser(Things::user(&format!("user-{n}")).unwrap());
            let world = world.clone();
            // Otherwise tokio's budget would end before the queue does.
            let commit = tokio::task::unconstrained(async move { world.commit(vec![user]).await });
            handed_in.push(Box::pin(commit));
        }
        // Polled once, each commit stands in the queue; then nobody waits for them any more.
        for commit in &mut handed_in {
            assert!(futures::poll!(commit.as_mut()).is_pending());
        }
        drop(handed_in);
        store.close().await;
        store.close().await;
        let refused = world.commit(vec![Change::PutUser(Things::user("late").unwrap())]).await;
        assert!(matches!(refused, Err(CommitError::Store(StoreError::Closed))), "{refused:?}");
        assert!(matches!(world.store.ping().await, Err(StoreError::Closed)));

        let again = open(&path).await;
        let users = again.users(world.env, &UserFilter::default(), Page::ALL).await.unwrap();
        assert_eq!(users.total, 200);
    }

    #[tokio::test]
    async fn a_foreign_or_newer_file_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("notes.txt");
        std::fs::write(
            &path,
            "dear diary, this is not a database, and it is long enough to be sure of it".repeat(20),
        )
        .unwrap();
        let refused = SqliteStore::open(&path, Options::default()).await;
        assert!(matches!(refused, Err(StoreError::Database { .. })), "{refused:?}");

        let path = directory.path().join("newer.db");
        open(&path).await.close().await;
        let mut conn = connect(&path).await;
        sqlx::query(
            "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
             VALUES (9999, 'from the future', TRUE, x'00', 0)",
        )
        .execute(&mut conn)
        .await
        .unwrap();
        drop(conn);
        let refused = SqliteStore::open(&path, Options::default()).await;
        assert!(
            matches!(&refused, Err(StoreError::Corrupt { detail, .. }) if detail.contains("newer")),
            "{refused:?}"
        );
    }

    async fn connect(path: &std::path::Path) -> sqlx::SqliteConnection {
        use sqlx::ConnectOptions as _;
        sqlx::sqlite::SqliteConnectOptions::new().filename(path).connect().await.unwrap()
    }

    #[tokio::test]
    async fn the_tables_are_these() {
        let store = SqliteStore::open_in_memory().await.unwrap();
        let mut conn = connect(store.path()).await;
        let objects: Vec<(String,)> = sqlx::query_as(
            "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE '\\_sqlx%' ESCAPE '\\' \
             AND name NOT LIKE 'sqlite%' ORDER BY tbl_name, type DESC, name",
        )
        .fetch_all(&mut conn)
        .await
        .unwrap();
        let dump: Vec<_> = objects.into_iter().map(|(sql,)| sql + ";").collect();
        insta::assert_snapshot!("schema", dump.join("\n"));
        for (pragma, expected) in [("PRAGMA integrity_check", "ok"), ("PRAGMA journal_mode", "wal")] {
            let (answer,): (String,) = sqlx::query_as(pragma).fetch_one(&mut conn).await.unwrap();
            assert_eq!(answer, expected);
        }
    }

    /// What is thrown away leaves nothing on the disk.
    #[tokio::test]
    async fn a_temporary_store_leaves_nothing() {
        let store = SqliteStore::open_in_memory().await.unwrap();
        let path = store.path().to_owned();
        assert!(path.exists());
        store.close().await;
        drop(store);
        assert!(!path.exists() && !path.parent().unwrap().exists());
    }
}
