//! The log in an SQLite file of its own, so that it never stands in the way of the store's writer.

use super::{
    Missed,
    packer::Segment,
    segments::{self, Header, Headers, Segments, Table, Terms, kept, table_in},
};
use crate::{StoreError, body::failed};
use askfirst_domain::id::EnvId;
use async_trait::async_trait;
use sqlx::{
    ConnectOptions as _, Connection as _, Executor as _, Sqlite, SqlitePool, Transaction,
    sqlite::{
        SqliteAutoVacuum, SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePoolOptions,
        SqliteSynchronous,
    },
};
use std::{path::Path, time::Duration};

const OPENING: &str = "opening the decision log";
const TABLES: &str = include_str!("../../migrations/sqlite-decisions/0001_start.sql");
/// The version of the tables.
const VERSION: i64 = 1;

/// The log in a file (with `-wal` and `-shm` beside it while it is open). One process writes at a time.
///
/// What was appended outlives the process at once, and the machine's stop a moment later.
#[derive(Debug)]
pub struct SqliteDecisions {
    writer: SqlitePool,
    readers: SqlitePool,
}

impl SqliteDecisions {
    /// Opens the file, and makes it if it is not there.
    ///
    /// # Errors
    /// When the file can't be opened or was written by a newer version.
    pub async fn open(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            // Pages that are no longer used are given back to the disk, some at a time.
            .auto_vacuum(SqliteAutoVacuum::Incremental)
            .page_size(16 * 1024)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Normal)
            .busy_timeout(Duration::from_secs(10))
            .pragma("journal_size_limit", "16777216")
            .disable_statement_logging();
        let mut connection = options.connect().await.map_err(failed(OPENING))?;
        let prepared = prepare(&mut connection).await;
        // It has done what it was for.
        let _ = connection.close().await;
        prepared?;
        let pool = |most: u32, options: SqliteConnectOptions| {
            SqlitePoolOptions::new()
                .max_connections(most)
                .idle_timeout(None)
                .max_lifetime(None)
                .test_before_acquire(false)
                .connect_lazy_with(options)
        };
        let readers = pool(2, options.clone().pragma("query_only", "ON"));
        Ok(Self { writer: pool(1, options), readers })
    }
}

async fn prepare(connection: &mut SqliteConnection) -> Result<(), StoreError> {
    let version: i64 = sqlx::query_scalar("PRAGMA user_version")
        .fetch_one(&mut *connection)
        .await
        .map_err(failed(OPENING))?;
    match version {
        VERSION => Ok(()),
        0 => {
            let mut making = connection.begin_with("BEGIN IMMEDIATE").await.map_err(failed(OPENING))?;
            making.execute(sqlx::raw_sql(TABLES)).await.map_err(failed(OPENING))?;
            making.commit().await.map_err(failed(OPENING))
        }
        newer => Err(StoreError::Corrupt {
            what: "decision log",
            detail: format!("it was written by a newer version of this program (step {newer})"),
        }),
    }
}

#[async_trait]
impl Segments for SqliteDecisions {
    type Table = Transaction<'static, Sqlite>;

    async fn look(&self) -> Result<Self::Table, sqlx::Error> {
        self.readers.begin().await
    }

    async fn begin(&self) -> Result<Self::Table, sqlx::Error> {
        self.writer.begin_with("BEGIN IMMEDIATE").await
    }

    async fn tidy(&self) -> Result<(), sqlx::Error> {
        sqlx::query("PRAGMA incremental_vacuum(256)").fetch_all(&self.writer).await.map(drop)
    }

    async fn disconnect(&self) {
        self.writer.close().await;
        self.readers.close().await;
    }
}

table_in!(Sqlite);
