//! The bodies of the decision log keep the contract.

#![expect(clippy::unwrap_used, reason = "helpers of a test fail as the test does")]
#![cfg_attr(
    unix,
    expect(clippy::expect_used, clippy::panic, reason = "helpers of a test fail as the test does")
)]

mod sqlite {
    use askfirst_store::{
        StoreError,
        decisions::{DecisionLog, SqliteDecisions},
    };
    use std::sync::{Arc, Mutex};
    use tempfile::TempDir;

    /// The folders of the logs, which are gone when the process is.
    static FOLDERS: Mutex<Vec<TempDir>> = Mutex::new(Vec::new());

    fn folder() -> std::path::PathBuf {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("decisions.db");
        FOLDERS.lock().unwrap().push(folder);
        path
    }

    async fn make() -> Option<Arc<dyn DecisionLog>> {
        Some(Arc::new(SqliteDecisions::open(folder()).await.unwrap()))
    }

    askfirst_store::decision_log_tests!(make);

    #[tokio::test]
    async fn a_file_of_a_newer_version_is_refused() {
        use sqlx::{ConnectOptions as _, Connection as _};
        let path = folder();
        SqliteDecisions::open(&path).await.unwrap().close().await;
        SqliteDecisions::open(&path).await.unwrap().close().await;
        let options = sqlx::sqlite::SqliteConnectOptions::new().filename(&path);
        let mut connection = options.connect().await.unwrap();
        sqlx::query("PRAGMA user_version = 2").execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
        let refused = SqliteDecisions::open(&path).await;
        assert!(matches!(refused, Err(StoreError::Corrupt { .. })), "{refused:?}");
    }
}

#[cfg(unix)]
#[path = "support/mod.rs"]
mod support;

#[cfg(unix)]
mod postgres {
    use super::support::Server;
    use askfirst_store::decisions::{DecisionLog, PostgresDecisions};
    use std::{
        sync::{Arc, OnceLock},
        time::Duration,
    };

    /// The server that the tests share, or none where PostgreSQL is not installed.
    fn server() -> Option<&'static Server> {
        static SERVER: OnceLock<Option<Server>> = OnceLock::new();
        SERVER.get_or_init(|| Server::start("off")).as_ref()
    }

    async fn make() -> Option<Arc<dyn DecisionLog>> {
        let url = server()?.database().await;
        Some(Arc::new(PostgresDecisions::connect(&url, Duration::from_secs(10)).await.unwrap()))
    }

    askfirst_store::decision_log_tests!(in_one_test: make);
}
