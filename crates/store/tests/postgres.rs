//! The PostgreSQL body keeps the contract, and keeps it when several processes share a database.

#![cfg(unix)]
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of a test fail as the test does"
)]

mod support;

use askfirst_store::{PostgresOptions, PostgresStore, Store};
use std::sync::{Arc, OnceLock};
use support::Server;

/// The server that the tests share, or none where PostgreSQL is not installed.
fn server() -> Option<&'static Server> {
    static SERVER: OnceLock<Option<Server>> = OnceLock::new();
    SERVER.get_or_init(|| Server::start("off")).as_ref()
}

async fn open(url: &str) -> Arc<PostgresStore> {
    let options = PostgresOptions { readers: 3, ..PostgresOptions::default() };
    Arc::new(PostgresStore::connect(url, options).await.unwrap())
}

async fn make() -> Option<Arc<dyn Store>> {
    let url = server()?.database().await;
    Some(open(&url).await)
}

askfirst_store::contract_tests!(make);

mod shared {
    use super::*;
    use askfirst_domain::{
        Ident,
        change::{Change, Expect, ObjectRef},
    };
    use askfirst_store::{
        AdminOp, CommitError, Page, StoreError, UserFilter,
        contract::{Failure, Things, World},
    };
    use futures::future::join_all;
    use sqlx::postgres::PgListener;
    use std::{collections::BTreeSet, time::Duration};
    use tokio::time::timeout;

    /// Two processes on one database, as far as the database can tell.
    struct Two {
        url: String,
        one: World,
        other: World,
    }

    impl Two {
        async fn start() -> Option<Self> {
            let url = server()?.database().await;
            // Both find the database empty.
            let (one, other) = futures::join!(open(&url), open(&url));
            let one = World::start(one).await.unwrap();
            let other = World { store: other, ..one.clone() };
            Some(Self { url, one, other })
        }

        async fn sql(&self, sql: &'static str) -> Vec<sqlx::postgres::PgRow> {
            sqlx::query(sql).fetch_all(&mut support::connect(&self.url).await).await.unwrap()
        }
    }

    fn user(key: &str) -> Change {
        Change::PutUser(Things::user(key).unwrap())
    }

    /// Reads the log as the engine does, until it has seen `last`.
    async fn follow(world: World, last: u64) -> Result<Vec<(u64, u32)>, Failure> {
        let (mut seen, mut at) = (Vec::new(), 0);
        while at < last {
            world.store.moved(world.env, at).await?;
            for record in world.store.changes_after(world.env, at, 7).await? {
                seen.push((record.revision, record.seq));
                at = record.revision;
            }
        }
        Ok(seen)
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn two_who_write_at_once_make_one_order() {
        const TASKS: u64 = 6;
        const EACH: u64 = 25;
        let Some(two) = Two::start().await else { return };
        let followers = [&two.one, &two.other].map(|world| tokio::spawn(follow(world.clone(), TASKS * EACH)));
        let mut writers = Vec::new();
        for task in 0..TASKS {
            let world = if task % 2 == 0 { two.one.clone() } else { two.other.clone() };
            writers.push(tokio::spawn(async move {
                let mut got = Vec::new();
                for n in 0..EACH {
                    let changes = (0..=n % 3).map(|m| user(&format!("user-{task}-{n}-{m}"))).collect();
                    got.push((world.commit(changes).await.unwrap().revision, n % 3));
                }
                assert!(got.is_sorted());
                got
            }));
        }
        let mut written = BTreeSet::new();
        for writer in writers {
            for (revision, last) in writer.await.unwrap() {
                for seq in 0..=last {
                    assert!(
                        written.insert((revision, u32::try_from(seq).unwrap())),
                        "{revision} given twice"
                    );
                }
            }
        }
        let written: Vec<_> = written.into_iter().collect();
        let revisions: BTreeSet<_> = written.iter().map(|(revision, _)| *revision).collect();
        assert_eq!(revisions, (1..=TASKS * EACH).collect(), "no gaps");
        for follower in followers {
            let seen = timeout(Duration::from_mins(1), follower).await.unwrap().unwrap().unwrap();
            assert_eq!(seen, written, "a follower sees all of it, in its order");
        }
        assert_eq!(two.one.log().await.unwrap(), two.other.log().await.unwrap());
        assert_eq!(two.one.loaded().await.unwrap(), two.other.loaded().await.unwrap());
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn of_two_who_expect_the_same_one_wins() {
        let Some(two) = Two::start().await else { return };
        let joe = Things::user("joe").unwrap();
        two.one.commit(vec![Change::PutUser(joe.clone())]).await.unwrap();
        for round in 1..=20 {
            let attempts = (0..8).map(|n| {
                let world = if n % 2 == 0 { &two.one } else { &two.other };
                let mut changed = joe.clone();
                changed.first_name = Some(format!("{round}-{n}"));
                let expect = Expect::AtRevision(ObjectRef::User(joe.id), round);
                world.commit_if(expect, vec![Change::PutUser(changed)])
            });
            let outcomes = join_all(attempts).await;
            let won = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
            let lost = outcomes.iter().filter(|o| matches!(o, Err(CommitError::Conflict(_)))).count();
            assert_eq!((won, lost), (1, 7), "{outcomes:?}");
        }
        assert_eq!(two.other.revision().await.unwrap(), 21);
    }

    /// Batches take the environments in one order, so those that share several do not block each other.
    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn writers_of_many_environments_do_not_block_each_other() {
        let Some(two) = Two::start().await else { return };
        let mut environments = vec![two.one.environment.clone()];
        for n in 0..4 {
            let mut environment = two.one.environment.clone();
            environment.id = askfirst_domain::Id::new(uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_OID, &[n]));
            environment.key = format!("env-{n}").parse().unwrap();
            let epoch = uuid::Uuid::from_u128(1);
            let put = AdminOp::PutEnvironment { environment: environment.clone(), epoch };
            two.one.admin(vec![put]).await.unwrap();
            environments.push(environment);
        }
        let (mut commits, mut rewrites) = (Vec::new(), Vec::new());
        for n in 0..200_usize {
            let (world, back) = if n % 2 == 0 { (&two.one, false) } else { (&two.other, true) };
            let mut order = environments.clone();
            if back {
                order.reverse();
            }
            for environment in order {
                let mut draft = world.draft(Vec::new(), vec![user(&format!("user-{n}"))]);
                draft.env = environment.id;
                commits.push(world.store.commit(draft));
            }
            let environment = environments[n % environments.len()].clone();
            let epoch = uuid::Uuid::from_u128(1);
            rewrites.push(world.admin(vec![AdminOp::PutEnvironment { environment, epoch }]));
        }
        let (commits, rewrites) = futures::join!(join_all(commits), join_all(rewrites));
        for outcome in commits {
            outcome.unwrap();
        }
        for outcome in rewrites {
            outcome.unwrap();
        }
        for environment in environments {
            let head = two.other.store.head(environment.id).await.unwrap().unwrap();
            assert_eq!(head.revision, 200);
        }
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn deleting_while_another_writes_leaves_nothing() {
        let Some(two) = Two::start().await else { return };
        let writers = (0..40).map(|n| {
            let world = &two.other;
            async move { world.commit(vec![user(&format!("user-{n}"))]).await }
        });
        let delete = async {
            two.one.store.moved(two.one.env, 0).await.unwrap();
            two.one.admin(vec![AdminOp::DeleteProject(two.one.project.id)]).await.unwrap();
        };
        let (outcomes, ()) = futures::join!(join_all(writers), delete);
        for outcome in outcomes {
            assert!(matches!(outcome, Ok(_) | Err(CommitError::NoSuchEnvironment(_))), "{outcome:?}");
        }
        for left in ["SELECT env FROM change", "SELECT env FROM user_", "SELECT id FROM environment"] {
            assert_eq!(two.sql(left).await.len(), 0, "{left}");
        }
    }

    #[tokio::test]
    async fn a_commit_is_announced_once_it_is_there() {
        let Some(two) = Two::start().await else { return };
        let mut listener = PgListener::connect(&two.url).await.unwrap();
        listener.listen("askfirst_moved").await.unwrap();
        two.one.commit(vec![user("joe"), user("jane")]).await.unwrap();
        let mut heard = async || {
            loop {
                let heard = timeout(Duration::from_secs(20), listener.recv()).await.unwrap().unwrap();
                // The directory's own, from the start of this test, may come late.
                if !heard.payload().starts_with("directory=") {
                    return heard.payload().to_owned();
                }
            }
        };
        assert_eq!(heard().await, format!("{}=1", two.one.env.uuid().simple()));
        // A commit that changes nothing moves nothing, but says how far it is; a refused one says nothing.
        two.one.commit(vec![user("joe")]).await.unwrap_err();
        two.one.commit(vec![user("jim")]).await.unwrap();
        assert_eq!(heard().await, format!("{}=2", two.one.env.uuid().simple()));
    }

    #[tokio::test]
    async fn what_was_not_announced_is_seen_too() {
        let Some(two) = Two::start().await else { return };
        let waiting = two.one.store.moved(two.one.env, 0);
        let unheard = two.sql("UPDATE environment SET head_revision = 1");
        let (moved, _) = futures::join!(timeout(Duration::from_secs(20), waiting), unheard);
        moved.unwrap().unwrap();
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn lost_connections_are_made_anew() {
        let Some(two) = Two::start().await else { return };
        for n in 0..3 {
            two.sql(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                 WHERE datname = current_database() AND pid <> pg_backend_pid()",
            )
            .await;
            // Nobody was writing, so nobody is refused.
            assert_eq!(two.one.commit(vec![user(&format!("user-{n}"))]).await.unwrap().revision, n + 1);
            let found = two.other.store.user(two.one.env, &Ident::from(format!("user-{n}").as_str())).await;
            assert!(found.unwrap().is_some());
            timeout(Duration::from_secs(20), two.other.store.moved(two.one.env, n)).await.unwrap().unwrap();
        }
    }

    /// A process that stands still in the middle of a transaction holds the others up for a while, and no longer.
    #[tokio::test]
    async fn who_waits_too_long_for_an_environment_is_told() {
        use sqlx::Connection as _;
        let Some(server) = server() else { return };
        let url = server.database().await;
        let options = PostgresOptions { patience: Duration::from_millis(100), ..PostgresOptions::default() };
        let store = PostgresStore::connect(&url, options).await.unwrap();
        let world = World::start(Arc::new(store)).await.unwrap();
        let mut holder = support::connect(&url).await;
        let mut held = holder.begin().await.unwrap();
        sqlx::query("SELECT FROM environment FOR UPDATE").execute(&mut *held).await.unwrap();
        let refused = world.commit(vec![user("joe")]).await;
        assert!(matches!(refused, Err(CommitError::Store(StoreError::Database { .. }))), "{refused:?}");
        held.rollback().await.unwrap();
        assert_eq!(world.commit(vec![user("joe")]).await.unwrap().revision, 1);
    }

    #[tokio::test]
    async fn closing_writes_what_was_handed_in() {
        let Some(server) = server() else { return };
        let url = server.database().await;
        let store = open(&url).await;
        let world = World::start(Arc::clone(&store) as _).await.unwrap();
        let mut handed_in = Vec::new();
        for n in 0..200 {
            let world = world.clone();
            // Otherwise tokio's budget would end before the queue does.
            let commit =
                tokio::task::unconstrained(
                    async move { world.commit(vec![user(&format!("user-{n}"))]).await },
                );
            handed_in.push(Box::pin(commit));
        }
        // Polled once, each commit stands in the queue; then nobody waits for them any more.
        for commit in &mut handed_in {
            assert!(futures::poll!(commit.as_mut()).is_pending());
        }
        drop(handed_in);
        let waiting = world.store.moved(world.env, 1000);
        let (waited, ()) = futures::join!(waiting, store.close());
        assert!(matches!(waited, Ok(()) | Err(StoreError::Closed)), "{waited:?}");
        store.close().await;
        let refused = world.commit(vec![user("late")]).await;
        assert!(matches!(refused, Err(CommitError::Store(StoreError::Closed))), "{refused:?}");
        assert!(matches!(world.store.ping().await, Err(StoreError::Closed)));
        assert!(matches!(world.store.moved(world.env, 1000).await, Err(StoreError::Closed)));

        let again = World { store: open(&url).await, ..world };
        let users = again.store.users(again.env, &UserFilter::default(), Page::ALL).await.unwrap();
        assert_eq!(users.total, 200);
        assert_eq!(again.loaded().await.unwrap().users.len(), 200);
        assert_eq!(again.commit(vec![user("jane")]).await.unwrap().revision, 201);
    }

    #[tokio::test]
    async fn a_foreign_or_newer_database_is_refused() {
        let Some(two) = Two::start().await else { return };
        two.sql(
            "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
             VALUES (9999, 'from the future', TRUE, '', 0)",
        )
        .await;
        let refused = PostgresStore::connect(&two.url, PostgresOptions::default()).await;
        assert!(
            matches!(&refused, Err(StoreError::Corrupt { detail, .. }) if detail.contains("newer")),
            "{refused:?}"
        );
    }

    /// No password in what is printed, whatever goes wrong.
    #[tokio::test]
    async fn the_password_is_never_said() {
        const PASSWORD: &str = "Gehe1mer!";
        let said = |outcome: Result<PostgresStore, StoreError>| match outcome {
            Ok(store) => format!("{store:?} {store:#?}"),
            Err(error) => {
                let mut text = format!("{error:?} {error}");
                let mut source = std::error::Error::source(&error);
                while let Some(error) = source {
                    text = format!("{text} {error:?} {error}");
                    source = error.source();
                }
                text
            }
        };
        let options = PostgresOptions { patience: Duration::from_millis(200), ..PostgresOptions::default() };
        for url in [
            format!("postgres://joe:{PASSWORD}@127.0.0.1:1/db"),
            format!("postgres://joe:{PASSWORD}@/db"),
            format!("postgres://joe:{PASSWORD}@host:port/db"),
            format!("postgres://joe:{PASSWORD}@127.0.0.1/db?sslmode={PASSWORD}"),
            PASSWORD.to_owned(),
        ] {
            let text = said(PostgresStore::connect(&url, options.clone()).await);
            assert!(!text.contains(PASSWORD), "{text}");
        }
        let Some(server) = server() else { return };
        let url = server.database().await + "&password=" + PASSWORD;
        let text = said(PostgresStore::connect(&url, options).await);
        assert!(!text.contains(PASSWORD) && text.contains("place: \"postgres://askfirst@"), "{text}");
    }

    #[tokio::test]
    async fn the_tables_are_these() {
        use sqlx::Row as _;
        let Some(two) = Two::start().await else { return };
        let columns = two
            .sql(
                "SELECT table_name || '.' || column_name || ' ' || data_type || CASE is_nullable WHEN 'NO' \
                 THEN ' NOT NULL' ELSE '' END FROM information_schema.columns \
                 WHERE table_schema = 'public' AND table_name NOT LIKE '\\_sqlx%' \
                 ORDER BY table_name COLLATE \"C\", ordinal_position",
            )
            .await;
        let rules = two
            .sql(
                "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename NOT LIKE '\\_sqlx%' \
                 ORDER BY tablename COLLATE \"C\", indexname COLLATE \"C\"",
            )
            .await;
        let dump: Vec<String> = columns.iter().chain(&rules).map(|row| row.get(0)).collect();
        insta::assert_snapshot!("schema", dump.join("\n"));
    }
}
