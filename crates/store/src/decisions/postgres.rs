//! The log in PostgreSQL, in the database of the store, where several processes write it.

use super::{
    Missed,
    packer::Segment,
    segments::{self, Header, Headers, Segments, Table, Terms, kept, table_in},
};
use crate::{
    StoreError,
    body::failed,
    migrations::migrate,
    postgres::{base_options, place},
    sql::Dialect,
};
use askfirst_domain::id::EnvId;
use async_trait::async_trait;
use sqlx::{
    ConnectOptions as _, Connection as _, PgPool, Postgres, Transaction,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use std::{fmt, time::Duration};

const OPENING: &str = "opening the decision log";

/// The log in a database, with connections of its own: one that writes, two that read.
///
/// What was appended is on the disk a moment later: the database need not wait for it.
pub struct PostgresDecisions {
    place: String,
    writer: PgPool,
    readers: PgPool,
}

/// Where the database is, without what opens it.
impl fmt::Debug for PostgresDecisions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresDecisions").field("place", &self.place).finish_non_exhaustive()
    }
}

impl PostgresDecisions {
    /// Connects to the database of a URL, as [`crate::PostgresStore::connect`] does, and brings its tables up to date.
    /// `patience`: how long to wait for a connection.
    ///
    /// # Errors
    /// When the URL is not one, the database can't be reached, or it was written by a newer version.
    pub async fn connect(url: &str, patience: Duration) -> Result<Self, StoreError> {
        let base = base_options(url, patience)?;
        let mut connection = base.connect().await.map_err(failed(OPENING))?;
        let migrated = migrate(Dialect::Postgres, &mut connection).await;
        // It has done what it was for.
        let _ = connection.close().await;
        migrated?;
        let pool = |most: u32, connect: PgConnectOptions| {
            PgPoolOptions::new().max_connections(most).acquire_timeout(patience).connect_lazy_with(connect)
        };
        let readers = pool(2, base.clone().options([("default_transaction_read_only", "on")]));
        let writer = pool(1, base.clone().options([("synchronous_commit", "off")]));
        Ok(Self { place: place(&base), writer, readers })
    }
}

#[async_trait]
impl Segments for PostgresDecisions {
    type Table = Transaction<'static, Postgres>;

    async fn look(&self) -> Result<Self::Table, sqlx::Error> {
        self.readers.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await
    }

    async fn begin(&self) -> Result<Self::Table, sqlx::Error> {
        self.writer.begin().await
    }

    /// The database does that by itself.
    async fn tidy(&self) -> Result<(), sqlx::Error> {
        Ok(())
    }

    async fn disconnect(&self) {
        self.writer.close().await;
        self.readers.close().await;
    }
}

table_in!(Postgres);
