//! The SQLite body: one file, one writer that batches, several readers.
//!
//! Readers and the writer don't wait for each other (write-ahead log). Commits queue up before the writer, which takes
//! all that are there into one transaction, so that the price of getting them on the disk is shared; a lone commit
//! waits for nobody.

pub(crate) mod exec;
#[cfg(test)]
mod plans;
pub(crate) mod witness;

use crate::{
    StoreError,
    body::{Body, Readers, failed},
    chains::chain_old,
    image::{self, ImagePolicy, Meter},
    migrations::migrate,
    moves::Moves,
    sql::{Dialect, Statement},
    writer::Queue,
};
use async_trait::async_trait;
use sqlx::{
    ConnectOptions, Connection, Sqlite, SqliteConnection, Transaction,
    sqlite::{
        SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteRow, SqliteSynchronous,
    },
};
use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};
use tempfile::TempDir;
use tokio::{sync::Mutex, task::JoinHandle, time::MissedTickBehavior};
use witness::Witness;

/// How often the witness beside the database is brought up to date.
const NOTED: Duration = Duration::from_secs(1);

/// How a store on SQLite works. The defaults are right for nearly everybody.
#[derive(Debug, Clone)]
pub struct Options {
    /// Connections that read, at least 1.
    pub readers: u32,
    /// How many commits may wait before the writer; a caller beyond it waits to be let in.
    pub queue: usize,
    /// When an answered commit may be lost.
    pub durability: Durability,
    /// How long to wait for somebody else who holds the file's lock (a backup), before a commit fails.
    pub busy_timeout: Duration,
    /// When images are made, from which a start reads.
    pub images: ImagePolicy,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            readers: 4,
            queue: 1024,
            durability: Durability::Full,
            busy_timeout: Duration::from_secs(10),
            images: ImagePolicy::default(),
        }
    }
}

/// When an answered commit may be lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// Never: it is on the disk before the answer.
    Full,
    /// When the machine stops; a killed process loses nothing. For tests and throw-away stores.
    ProcessOnly,
}

/// Durable state in one SQLite file (with `-wal` and `-shm` beside it while it is open).
///
/// Has to be made and used within a tokio runtime. One process writes at a time; others may read the file.
/// [`SqliteStore::close`] waits until all that was handed in is written; a store that is only dropped writes it as
/// well, as long as the runtime lives.
#[derive(Debug)]
pub struct SqliteStore {
    path: PathBuf,
    readers: SqlitePool,
    queue: Queue,
    /// None for one that nobody opens again.
    witness: Option<Arc<Mutex<Witness>>>,
    tasks: Vec<JoinHandle<()>>,
    /// Removed from the disk when the last holder, this or the writer, lets go.
    _temporary: Option<Arc<TempDir>>,
}

impl SqliteStore {
    /// Opens the file, makes it if it is not there, and brings its tables up to date.
    ///
    /// # Errors
    /// When the file can't be opened or was written by a newer version.
    pub async fn open(path: impl AsRef<Path>, options: Options) -> Result<Self, StoreError> {
        Self::start(path.as_ref().to_owned(), options, None).await
    }

    /// A store that is gone when it is dropped, for tests and trials. It behaves as [`SqliteStore::open`] does because
    /// it is the same: SQLite's own memory databases have no write-ahead log, so that readers would wait for the
    /// writer. The file lies in a temporary directory and is never waited for (see [`Durability::ProcessOnly`]).
    ///
    /// # Errors
    /// When no temporary directory can be made.
    pub async fn open_in_memory() -> Result<Self, StoreError> {
        let directory = TempDir::with_prefix("askfirst-")
            .map_err(|e| failed("making a temporary directory")(e.into()))?;
        let path = directory.path().join("store.db");
        let options = Options { durability: Durability::ProcessOnly, ..Options::default() };
        Self::start(path, options, Some(Arc::new(directory))).await
    }

    async fn start(
        path: PathBuf,
        options: Options,
        temporary: Option<Arc<TempDir>>,
    ) -> Result<Self, StoreError> {
        let connect = connect_options(&path, &options);
        let mut connection = connect.connect().await.map_err(failed("opening the database"))?;
        let prepared = async {
            migrate(Dialect::Sqlite, &mut connection).await?;
            refuse_unfinished(&mut connection).await?;
            chain_old(&mut connection).await?;
            match temporary {
                Some(_) => Ok(None),
                None => Witness::call(&path, &mut connection).await.map(Some),
            }
        };
        let witness = match prepared.await {
            Ok(witness) => witness.map(Mutex::new).map(Arc::new),
            Err(error) => {
                let _ = connection.close().await;
                return Err(error);
            }
        };

        let read = connect.clone().pragma("query_only", "ON").row_buffer_size(1024);
        let readers = SqlitePoolOptions::new()
            .max_connections(options.readers.max(1))
            .idle_timeout(None)
            .max_lifetime(None)
            .test_before_acquire(false)
            .connect_with(read)
            .await;
        let readers = match readers {
            Ok(readers) => readers,
            Err(e) => {
                let _ = connection.close().await;
                return Err(failed("opening the database")(e));
            }
        };

        let held = temporary.clone();
        let (meter, suggested) = Meter::new(options.images);
        let queue = Queue::start(connection, options.queue, Arc::new(Moves::new()), Arc::new(meter), held);
        let images = image::keep(readers.clone(), queue.sender()?.downgrade(), options.images, suggested);
        let mut tasks = vec![tokio::spawn(images)];
        if let Some(witness) = &witness {
            tasks.push(tokio::spawn(watch(Arc::clone(witness), readers.clone())));
        }
        Ok(Self { path, readers, queue, witness, tasks, _temporary: temporary })
    }

    /// Where the file is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Takes no more commits, waits until those that were handed in are written and answered, and closes the file.
    /// Whatever is asked afterwards is answered with [`StoreError::Closed`]. Closing twice is fine.
    pub async fn close(&self) {
        self.stop();
        self.queue.close().await;
        if let Some(witness) = &self.witness {
            note(witness, &self.readers).await;
        }
        self.readers.close().await;
    }

    fn stop(&self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

impl Drop for SqliteStore {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Keeps the witness near what there is. Never ends by itself.
async fn watch(witness: Arc<Mutex<Witness>>, readers: SqlitePool) {
    let mut ticks = tokio::time::interval(NOTED);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        note(&witness, &readers).await;
    }
}

async fn note(witness: &Mutex<Witness>, readers: &SqlitePool) {
    match witness.lock().await.note(readers).await {
        Ok(()) | Err(StoreError::Closed) => {}
        Err(error) => tracing::warn!(%error, "the witness beside the database could not be written"),
    }
}

/// A database into which somebody began to copy is nobody's yet.
async fn refuse_unfinished(connection: &mut SqliteConnection) -> Result<(), StoreError> {
    let unfinished: i64 = sqlx::query_scalar("SELECT count(*) FROM unfinished")
        .fetch_one(connection)
        .await
        .map_err(failed("opening the database"))?;
    if unfinished == 0 { Ok(()) } else { Err(StoreError::Unfinished) }
}

#[async_trait]
impl Body for SqliteStore {
    const DIALECT: Dialect = Dialect::Sqlite;
    type Row = SqliteRow;
    type Look = Transaction<'static, Sqlite>;
    type Readers = SqlitePool;

    async fn rows(&self, statement: Statement) -> Result<Vec<SqliteRow>, sqlx::Error> {
        exec::query(statement)?.fetch_all(&self.readers).await
    }

    fn readers(&self) -> &SqlitePool {
        &self.readers
    }

    fn queue(&self) -> &Queue {
        &self.queue
    }
}

#[async_trait]
impl Readers for SqlitePool {
    const DIALECT: Dialect = Dialect::Sqlite;
    type Look = Transaction<'static, Sqlite>;

    async fn look(&self) -> Result<Self::Look, sqlx::Error> {
        self.begin().await
    }
}

pub(crate) fn connect_options(path: &Path, options: &Options) -> SqliteConnectOptions {
    let synchronous = match options.durability {
        Durability::Full => SqliteSynchronous::Full,
        Durability::ProcessOnly => SqliteSynchronous::Off,
    };
    SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(synchronous)
        .busy_timeout(options.busy_timeout)
        .foreign_keys(true)
        .pragma("cache_size", "-32768")
        .pragma("temp_store", "MEMORY")
        .pragma("journal_size_limit", "67108864")
        .statement_cache_capacity(256)
        .disable_statement_logging()
}
