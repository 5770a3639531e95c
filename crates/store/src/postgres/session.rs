//! The connection that writes.

use super::exec::query;
use crate::{
    body::{News, Session, Touched},
    sql::{Dialect, Statement},
};
use askfirst_domain::Id;
use sqlx::{
    ConnectOptions as _, PgConnection,
    postgres::{PgConnectOptions, PgRow},
};
use tokio::sync::mpsc;

/// What an environment's writers hold until their transaction ends: they come one after the other, so that revisions
/// become visible in their order, and whatever an expectation has seen stays so until the commit. Sessions and keys of
/// the environment can still be made meanwhile.
const HOLD: &str = "SELECT id FROM environment WHERE id = ANY ($1) ORDER BY id FOR NO KEY UPDATE";
/// What is held by whoever deletes: nobody writes, and nobody puts anything below.
const HOLD_PROJECTS: &str = "SELECT id FROM project WHERE id = ANY ($1) ORDER BY id FOR UPDATE";
const HOLD_ALL: &str = "SELECT id FROM environment WHERE id = ANY ($1) OR id = ANY ($2) OR project = ANY ($2) \
     ORDER BY id FOR UPDATE";
/// A server that is told to forget what it has promised is told otherwise here; a stricter setting stays.
const KEEP_PROMISES: &str = "SELECT set_config('synchronous_commit', 'on', false) \
     WHERE current_setting('synchronous_commit') = 'off'";

/// The connection that writes, made anew when it was lost.
#[derive(Debug)]
pub(super) struct Writing {
    options: PgConnectOptions,
    connection: Option<PgConnection>,
    announcements: mpsc::UnboundedSender<News>,
}

impl Writing {
    pub(super) fn new(options: PgConnectOptions, announcements: mpsc::UnboundedSender<News>) -> Self {
        Self { options, connection: None, announcements }
    }

    /// Makes the connection, if there is none.
    pub(super) async fn connect(&mut self) -> Result<(), sqlx::Error> {
        if self.connection.is_none() {
            let mut connection = self.options.connect().await?;
            sqlx::query(KEEP_PROMISES).execute(&mut connection).await?;
            self.connection = Some(connection);
        }
        Ok(())
    }

    fn connection(&mut self) -> Result<&mut PgConnection, sqlx::Error> {
        self.connection
            .as_mut()
            .ok_or_else(|| sqlx::Error::Protocol("the connection to the database is lost".to_owned()))
    }

    async fn run(&mut self, sql: &'static str) -> Result<(), sqlx::Error> {
        sqlx::query(sql).execute(self.connection()?).await.map(drop)
    }

    /// Begins a transaction. A connection that was lost while nobody needed it is no reason to refuse anybody.
    async fn start(&mut self) -> Result<(), sqlx::Error> {
        const BEGIN: &str = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE";
        if self.connection.is_some() {
            match self.run(BEGIN).await {
                Ok(()) => return Ok(()),
                Err(error) => {
                    tracing::warn!(%error, "the connection to the database was lost; making another");
                }
            }
            self.connection = None;
        }
        self.connect().await?;
        self.run(BEGIN).await
    }
}

impl Session for Writing {
    const DIALECT: Dialect = Dialect::Postgres;
    type Row = PgRow;

    async fn begin(&mut self) -> Result<(), sqlx::Error> {
        self.start().await
    }

    /// Waits for everybody else who writes what this transaction touches. Everybody asks in the same order.
    async fn hold(&mut self, touched: &Touched) -> Result<(), sqlx::Error> {
        let written: Vec<_> = touched.written.iter().copied().map(Id::uuid).collect();
        if touched.deleted.is_empty() {
            if !written.is_empty() {
                sqlx::query(HOLD).bind(written).execute(self.connection()?).await?;
            }
            return Ok(());
        }
        sqlx::query(HOLD_PROJECTS).bind(&touched.deleted).execute(self.connection()?).await?;
        let all = sqlx::query(HOLD_ALL).bind(written).bind(&touched.deleted);
        all.execute(self.connection()?).await.map(drop)
    }

    async fn execute(&mut self, statement: Statement) -> Result<(), sqlx::Error> {
        query(statement)?.execute(self.connection()?).await.map(drop)
    }

    async fn rows(&mut self, statement: Statement) -> Result<Vec<PgRow>, sqlx::Error> {
        query(statement)?.fetch_all(self.connection()?).await
    }

    async fn commit(&mut self) -> Result<(), sqlx::Error> {
        self.run("COMMIT").await
    }

    async fn roll_back(&mut self) {
        if self.connection.is_some() && self.run("ROLLBACK").await.is_err() {
            // The server rolls back by itself when a connection ends.
            self.connection = None;
        }
    }

    fn announce(&mut self, news: News) {
        // Nobody takes it when the store is being closed; the others look for themselves, a little later.
        let _ = self.announcements.send(news);
    }

    async fn close(self) -> Result<(), sqlx::Error> {
        match self.connection {
            Some(connection) => sqlx::Connection::close(connection).await,
            None => Ok(()),
        }
    }
}
