//! An engine on a real database in a temporary folder, with a clock that a test moves.

use askfirst_domain::{Ident, Timestamp};
use askfirst_engine::{Clock, Engine, EnvScope, Parts, Secret, Settings, SystemEntropy};
use askfirst_store::{Options, SqliteStore, Store};
use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};
use tempfile::TempDir;

/// The family's policy.
pub(crate) const FAMILY: &str = include_str!("../../../../examples/family/policy.yaml");
/// The key of `default`/`dev` in every test installation.
pub(crate) const DEV_KEY: &str = "test-key-of-dev";

/// A clock that stands until it is moved.
#[derive(Debug)]
pub(crate) struct TestClock(pub(crate) AtomicI64);

impl TestClock {
    pub(crate) fn advance(&self, by: Duration) {
        self.0.fetch_add(i64::try_from(by.as_micros()).expect("a short time"), Ordering::SeqCst);
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        // Each look is a microsecond later, as on a real machine.
        Timestamp::from_micros(self.0.fetch_add(1, Ordering::SeqCst))
    }
}

/// An installation after its first start.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) engine: Engine,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) clock: Arc<TestClock>,
    /// None when the folder is the test's own.
    pub(crate) dir: Option<TempDir>,
}

impl World {
    /// On a fresh folder.
    pub(crate) async fn fresh() -> Self {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let world = Self::open(dir.path()).await;
        Self { dir: Some(dir), ..world }
    }

    /// On a fresh folder, with the family's policy.
    pub(crate) async fn family() -> Self {
        let world = Self::fresh().await;
        world.dev().await.apply_policy(FAMILY).await.expect("the family's policy applies");
        world
    }

    /// On a folder that may have been used before.
    pub(crate) async fn open(dir: &Path) -> Self {
        Self::open_with(dir, Settings::default()).await
    }

    /// As [`World::open`], as an operator has set it.
    pub(crate) async fn open_with(dir: &Path, settings: Settings) -> Self {
        let store =
            SqliteStore::open(dir.join("askfirst.db"), Options::default()).await.expect("the store opens");
        let store: Arc<dyn Store> = Arc::new(store);
        let clock = Arc::new(TestClock(AtomicI64::new(1_790_000_000_000_000)));
        let engine = Engine::start(Parts {
            store: Arc::clone(&store),
            clock: Arc::clone(&clock) as Arc<dyn Clock>,
            entropy: Arc::new(SystemEntropy),
            settings,
        })
        .await
        .expect("the engine starts");
        engine.first_start(Some(Secret::presented(DEV_KEY))).await.expect("the first start");
        Self { engine, store, clock, dir: None }
    }

    /// The environment `default`/`dev`, opened with its key.
    pub(crate) async fn dev(&self) -> EnvScope {
        let op = self.engine.authenticate(&Secret::presented(DEV_KEY)).await.expect("the key is good");
        self.engine.enter(op, &Ident::from("default"), &Ident::from("dev")).await.expect("the key opens dev")
    }
}

/// Asks again and again until there is an answer: for what comes about by itself and tells nobody.
pub(crate) async fn eventually<T>(mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let asking = async {
        loop {
            if let Some(answer) = ask().await {
                return answer;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), asking).await.expect("it comes about in time")
}
