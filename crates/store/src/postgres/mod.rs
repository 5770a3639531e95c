//! The PostgreSQL body: one database, any number of processes, in each one writer that batches and several readers.
//!
//! A transaction first takes the rows of the environments that it writes. Whoever else writes them waits until it ends,
//! so each environment has one order and no gaps, however many processes write; batches share the price.

pub(crate) mod exec;
mod session;
mod signals;

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
use session::Writing;
use sqlx::{
    ConnectOptions as _, Connection as _, PgConnection, Postgres, Transaction,
    postgres::{PgConnectOptions, PgPool, PgPoolOptions, PgRow},
};
use std::{fmt, str::FromStr as _, sync::Arc, time::Duration};
use tokio::{sync::mpsc, task::JoinHandle};

const OPENING: &str = "opening the database";

/// How a store on PostgreSQL works. The defaults are right for nearly everybody.
#[derive(Debug, Clone)]
pub struct PostgresOptions {
    /// Connections that read, at least 1. Besides them a store has three more: one that writes, two for signals.
    pub readers: u32,
    /// How many commits may wait before the writer; a caller beyond it waits to be let in.
    pub queue: usize,
    /// How long to wait for a connection, or for another process that writes to the same environment, before whatever
    /// needs it fails. A process that stops in the middle of a transaction is cut off after the same time.
    pub patience: Duration,
    /// When images are made, from which a start reads.
    pub images: ImagePolicy,
}

impl Default for PostgresOptions {
    fn default() -> Self {
        Self { readers: 8, queue: 1024, patience: Duration::from_secs(10), images: ImagePolicy::default() }
    }
}

/// Durable state in a PostgreSQL database, which several processes may share.
///
/// Has to be made and used within a tokio runtime. [`PostgresStore::close`] waits until all that was handed in is
/// written; a store that is only dropped writes it as well, as long as the runtime lives.
///
/// A commit that fails because the connection was lost may have been written all the same, as with every database over a
/// wire: read again before writing again.
pub struct PostgresStore {
    place: String,
    readers: PgPool,
    signals: PgPool,
    queue: Queue,
    sender: tokio::sync::Mutex<Option<JoinHandle<()>>>,
    tasks: [JoinHandle<()>; 3],
}

/// Where the database is, without what opens it.
impl fmt::Debug for PostgresStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresStore").field("place", &self.place).finish_non_exhaustive()
    }
}

impl PostgresStore {
    /// Connects to the database of a URL such as `postgres://user:password@host:5432/database?sslmode=verify-full` and
    /// brings its tables up to date. What the URL leaves out is taken from the variables and files that `psql` reads
    /// (`PGHOST`, `~/.pgpass`). A socket is given as `postgres:///database?host=/var/run/postgresql`.
    ///
    /// # Errors
    /// When the URL is not one, the database can't be reached, or it was written by a newer version. None of them says
    /// the password.
    pub async fn connect(url: &str, options: PostgresOptions) -> Result<Self, StoreError> {
        let base = base_options(url, options.patience)?;
        let mut connection = base.connect().await.map_err(failed(OPENING))?;
        let migrated = async {
            migrate(Dialect::Postgres, &mut connection).await?;
            refuse_unfinished(&mut connection).await
        };
        let migrated = migrated.await;
        // It has done what it was for.
        let _ = connection.close().await;
        migrated?;

        let pool = |most: u32, connect: PgConnectOptions| {
            PgPoolOptions::new()
                .max_connections(most)
                .acquire_timeout(options.patience)
                .connect_lazy_with(connect)
        };
        // Filters come in many shapes and sizes: a plan for one is not a plan for all.
        let reading = [("default_transaction_read_only", "on"), ("plan_cache_mode", "force_custom_plan")];
        let readers = pool(options.readers.max(1), base.clone().options(reading));
        // A signal that is lost with the server is missed by nobody.
        let signals = pool(2, base.clone().options([("synchronous_commit", "off")]));

        let (announce, announced) = mpsc::unbounded_channel();
        // Each statement that writes finds its rows by an index. A plan that was made while a table was small must not
        // outlive that.
        let patience = milliseconds(options.patience);
        let writing = [("enable_seqscan", "off"), ("idle_in_transaction_session_timeout", patience.as_str())];
        let mut session = Writing::new(base.clone().options(writing), announce);
        session.connect().await.map_err(failed(OPENING))?;
        chain_old(&mut session).await?;
        let moves = Arc::new(Moves::new());
        let (meter, suggested) = Meter::new(options.images);
        let queue = Queue::start(session, options.queue, Arc::clone(&moves), Arc::new(meter), ());
        let images = image::keep(readers.clone(), queue.sender()?.downgrade(), options.images, suggested);
        let sender = tokio::spawn(signals::send(signals.clone(), announced));
        let tasks = [
            tokio::spawn(signals::hear(signals.clone(), Arc::clone(&moves))),
            tokio::spawn(signals::look(readers.clone(), moves)),
            tokio::spawn(images),
        ];
        let sender = tokio::sync::Mutex::new(Some(sender));
        Ok(Self { place: place(&base), readers, signals, queue, sender, tasks })
    }

    /// Takes no more commits, waits until those that were handed in are written and answered, and disconnects. Whatever
    /// is asked afterwards is answered with [`StoreError::Closed`]. Closing twice is fine.
    pub async fn close(&self) {
        self.queue.close().await;
        if let Some(sender) = self.sender.lock().await.take() {
            // It ends with the writer.
            let _ = sender.await;
        }
        self.stop();
        self.signals.close().await;
        self.readers.close().await;
    }

    fn stop(&self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

impl Drop for PostgresStore {
    fn drop(&mut self) {
        self.stop();
    }
}

/// How a connection to the database of a URL is made; it waits so long for locks.
pub(crate) fn base_options(url: &str, patience: Duration) -> Result<PgConnectOptions, StoreError> {
    // What the parser says about a URL that is none could quote a part of it.
    let options = PgConnectOptions::from_str(url).map_err(|_| {
        let why = "the URL has to look like postgres://user:password@host:5432/database";
        failed(OPENING)(sqlx::Error::Configuration(why.into()))
    })?;
    Ok(options
        .application_name("askfirst")
        .statement_cache_capacity(256)
        .options([("jit", "off"), ("lock_timeout", milliseconds(patience).as_str())])
        .disable_statement_logging())
}

/// A database into which somebody began to copy is nobody's yet.
async fn refuse_unfinished(connection: &mut PgConnection) -> Result<(), StoreError> {
    let unfinished: i64 = sqlx::query_scalar("SELECT count(*) FROM unfinished")
        .fetch_one(connection)
        .await
        .map_err(failed(OPENING))?;
    if unfinished == 0 { Ok(()) } else { Err(StoreError::Unfinished) }
}

fn milliseconds(duration: Duration) -> String {
    format!("{}ms", duration.as_millis().max(1))
}

/// Where a database is, for operators.
pub(crate) fn place(options: &PgConnectOptions) -> String {
    let host = match options.get_socket() {
        Some(socket) => socket.display().to_string(),
        None => options.get_host().to_owned(),
    };
    let database = options.get_database().unwrap_or(options.get_username());
    format!("postgres://{}@{host}:{}/{database}", options.get_username(), options.get_port())
}

#[async_trait]
impl Body for PostgresStore {
    const DIALECT: Dialect = Dialect::Postgres;
    type Row = PgRow;
    type Look = Transaction<'static, Postgres>;
    type Readers = PgPool;

    async fn rows(&self, statement: Statement) -> Result<Vec<PgRow>, sqlx::Error> {
        exec::query(statement)?.fetch_all(&self.readers).await
    }

    fn readers(&self) -> &PgPool {
        &self.readers
    }

    fn queue(&self) -> &Queue {
        &self.queue
    }
}

#[async_trait]
impl Readers for PgPool {
    const DIALECT: Dialect = Dialect::Postgres;
    type Look = Transaction<'static, Postgres>;

    async fn look(&self) -> Result<Self::Look, sqlx::Error> {
        self.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await
    }
}
