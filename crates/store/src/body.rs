//! What a database has to give so that the rest of a store is the same for all.

use crate::{
    StoreError,
    sql::{Dialect, Row, Statement},
    writer::Queue,
};
use askfirst_domain::{audit::ChainId, id::EnvId};
use async_trait::async_trait;
use futures::stream::BoxStream;
use std::{collections::BTreeMap, fmt::Debug, future::Future};

/// Names what failed, for [`Result::map_err`].
pub(crate) fn failed(doing: &'static str) -> impl Fn(sqlx::Error) -> StoreError {
    move |source| match source {
        sqlx::Error::PoolClosed => StoreError::Closed,
        source => StoreError::Database { doing, source },
    }
}

/// A database that is read by many and written by way of a queue.
#[async_trait]
pub(crate) trait Body: Send + Sync + Debug {
    const DIALECT: Dialect;
    type Row: Row + Send + Sync + 'static;
    type Look: Look<Row = Self::Row>;
    type Readers: Readers<Look = Self::Look>;

    /// The rows of one statement that reads.
    async fn rows(&self, statement: Statement) -> Result<Vec<Self::Row>, sqlx::Error>;
    /// The connections that read.
    fn readers(&self) -> &Self::Readers;
    /// The way to the writer.
    fn queue(&self) -> &Queue;
}

/// Connections that read. All clones are one.
#[async_trait]
pub(crate) trait Readers: Clone + Send + Sync + 'static {
    const DIALECT: Dialect;
    type Look: Look;

    /// A look at one moment, for as many statements as it takes.
    async fn look(&self) -> Result<Self::Look, sqlx::Error>;
}

/// A transaction that reads: whatever is written meanwhile, it sees one moment, that of its first statement.
#[async_trait]
pub(crate) trait Look: Send {
    type Row: Row + Send + Sync + 'static;

    async fn rows(&mut self, statement: Statement) -> Result<Vec<Self::Row>, sqlx::Error>;
    /// The rows one after the other, for those that are too many to be held.
    fn stream(
        &mut self,
        statement: Statement,
    ) -> Result<BoxStream<'_, Result<Self::Row, sqlx::Error>>, sqlx::Error>;
    async fn end(self) -> Result<(), sqlx::Error>;
}

/// The environments that a transaction writes.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Touched {
    /// Whose rows are written, sorted, each once.
    pub(crate) written: Vec<EnvId>,
    /// What is deleted with all that is in it: environments and projects, sorted, each once.
    pub(crate) deleted: Vec<uuid::Uuid>,
    /// The chains of audit events that grow, sorted, each once.
    pub(crate) chains: Vec<ChainId>,
    /// What of the directory is written.
    pub(crate) directory: Directory,
}

/// Whether a transaction writes what stands in the directory: organisation, projects, environments, keys.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Directory {
    #[default]
    Untouched,
    Written,
}

/// What a transaction has moved.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct News {
    /// The new heads of environments.
    pub(crate) heads: BTreeMap<EnvId, u64>,
    /// The new version of the directory, if it has one.
    pub(crate) directory: Option<u64>,
}

impl News {
    pub(crate) fn is_empty(&self) -> bool {
        self.heads.is_empty() && self.directory.is_none()
    }

    /// Takes what was said later.
    pub(crate) fn extend(&mut self, later: Self) {
        self.heads.extend(later.heads);
        self.directory = later.directory.or(self.directory);
    }
}

/// The connection that writes.
pub(crate) trait Session: Send + 'static {
    const DIALECT: Dialect;
    type Row: Row + Send + Sync + 'static;

    /// Begins a transaction.
    fn begin(&mut self) -> impl Future<Output = Result<(), sqlx::Error>> + Send;
    /// Until the end of the transaction nobody else writes to the environments that it touches.
    fn hold(&mut self, touched: &Touched) -> impl Future<Output = Result<(), sqlx::Error>> + Send;
    fn execute(&mut self, statement: Statement) -> impl Future<Output = Result<(), sqlx::Error>> + Send;
    /// All rows, even where one is wanted: a statement that writes has run to its end then.
    fn rows(
        &mut self,
        statement: Statement,
    ) -> impl Future<Output = Result<Vec<Self::Row>, sqlx::Error>> + Send;
    /// Ends the transaction; what it wrote is on the disk.
    fn commit(&mut self) -> impl Future<Output = Result<(), sqlx::Error>> + Send;
    /// Gives the transaction up, whatever is left of it.
    fn roll_back(&mut self) -> impl Future<Output = ()> + Send;
    /// Tells the other processes what has moved, soon and without being waited for.
    fn announce(&mut self, news: News);
    fn close(self) -> impl Future<Output = Result<(), sqlx::Error>> + Send;
}
