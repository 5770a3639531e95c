//! One connection to a database of either kind, with rows as plain cells.

use super::{Place, ToolError, decisions_beside};
use crate::{
    StoreError,
    body::failed,
    decisions::{DecisionLog, SqliteDecisions},
    migrations::{self, migrate},
    postgres, sql,
    sql::{Dialect, Row, Statement, Value},
    sqlite,
};
use sqlx::{ConnectOptions as _, Connection as _, PgConnection, SqliteConnection};
use std::{path::Path, time::Duration};
use uuid::Uuid;

const DOING: &str = "working on the database";
/// How long to wait for whoever holds what is needed.
const PATIENCE: Duration = Duration::from_secs(10);

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Int,
    Text,
    Uuid,
    Bytes,
}

/// What stands in a cell; a UUID is its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Cell {
    Null,
    Int(i64),
    Text(String),
    Bytes(Vec<u8>),
}

impl Cell {
    /// As it is bound in a column of this kind.
    pub(super) fn into_value(self, kind: Kind) -> Result<Value, StoreError> {
        let other = |what: &str| StoreError::Corrupt {
            what: "cell",
            detail: format!("{what} in a column of {kind:?}"),
        };
        Ok(match (kind, self) {
            (Kind::Int, Self::Int(int)) => Value::Int(Some(int)),
            (Kind::Int, Self::Null) => Value::Int(None),
            (Kind::Text, Self::Text(text)) => Value::Text(Some(text)),
            (Kind::Text, Self::Null) => Value::Text(None),
            (Kind::Bytes, Self::Bytes(bytes)) => Value::Bytes(Some(bytes)),
            (Kind::Bytes, Self::Null) => Value::Bytes(None),
            (Kind::Uuid, Self::Null) => Value::Uuid(None),
            (Kind::Uuid, Self::Bytes(bytes)) => {
                let uuid = Uuid::from_slice(&bytes);
                Value::Uuid(Some(uuid.map_err(|_| other("bytes that are no UUID"))?))
            }
            (_, Self::Int(_)) => return Err(other("a number")),
            (_, Self::Text(_)) => return Err(other("a text")),
            (_, Self::Bytes(_)) => return Err(other("bytes")),
        })
    }

    fn of<R: Row>(row: &R, column: usize, kind: Kind) -> Result<Self, sqlx::Error> {
        Ok(match kind {
            Kind::Int => row.int(column)?.map(Self::Int),
            Kind::Text => row.text(column)?.map(|text| Self::Text(text.to_owned())),
            Kind::Uuid => row.uuid(column)?.map(|uuid| Self::Bytes(uuid.as_bytes().to_vec())),
            Kind::Bytes => row.bytes(column)?.map(|bytes| Self::Bytes(bytes.to_vec())),
        }
        .unwrap_or(Self::Null))
    }
}

/// What a connection is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    /// The database is there and is left as it is.
    Read,
    /// The database is there.
    Write,
    /// It is made when it is not there, and gets its tables.
    Make,
}

/// A connection. The decision log of an SQLite installation is attached when it is there, so that all tables are in one.
#[derive(Debug)]
pub(super) struct Connection {
    place: Place,
    of: Of,
}

#[derive(Debug)]
enum Of {
    Sqlite(Box<SqliteConnection>),
    Postgres(Box<PgConnection>),
}

impl Connection {
    pub(super) async fn open(place: &Place, access: Access) -> Result<Self, ToolError> {
        let of = match place {
            Place::Sqlite(path) => Of::Sqlite(Box::new(open_sqlite(path, access).await?)),
            Place::Postgres(url) => {
                let options = postgres::base_options(url, PATIENCE)?;
                Of::Postgres(Box::new(options.connect().await.map_err(failed(DOING))?))
            }
        };
        let mut connection = Self { place: place.clone(), of };
        if access == Access::Make {
            match &mut connection.of {
                Of::Sqlite(sqlite) => migrate(Dialect::Sqlite, &mut **sqlite).await?,
                Of::Postgres(postgres) => migrate(Dialect::Postgres, &mut **postgres).await?,
            }
        }
        Ok(connection)
    }

    pub(super) fn place(&self) -> &Place {
        &self.place
    }

    pub(super) fn dialect(&self) -> Dialect {
        match &self.of {
            Of::Sqlite(_) => Dialect::Sqlite,
            Of::Postgres(_) => Dialect::Postgres,
        }
    }

    /// The connection to a file.
    pub(super) fn sqlite(&mut self) -> Result<&mut SqliteConnection, ToolError> {
        match &mut self.of {
            Of::Sqlite(sqlite) => Ok(sqlite),
            Of::Postgres(_) => Err(ToolError::NotHere("this is for SQLite only".to_owned())),
        }
    }

    /// The rows of a statement, with cells of these kinds.
    pub(super) async fn rows(
        &mut self,
        statement: Statement,
        kinds: &[Kind],
    ) -> Result<Vec<Vec<Cell>>, StoreError> {
        fn cells<R: Row>(rows: &[R], kinds: &[Kind]) -> Result<Vec<Vec<Cell>>, sqlx::Error> {
            let line = |row: &R| {
                kinds.iter().enumerate().map(|(column, kind)| Cell::of(row, column, *kind)).collect()
            };
            rows.iter().map(line).collect()
        }
        let found = match &mut self.of {
            Of::Sqlite(sqlite) => {
                let query = sqlite::exec::query(statement).map_err(failed(DOING))?;
                let rows = query.fetch_all(&mut **sqlite).await.map_err(failed(DOING))?;
                cells(&rows, kinds)
            }
            Of::Postgres(postgres) => {
                let query = postgres::exec::query(statement).map_err(failed(DOING))?;
                let rows = query.fetch_all(&mut **postgres).await.map_err(failed(DOING))?;
                cells(&rows, kinds)
            }
        };
        found.map_err(failed(DOING))
    }

    /// Runs a statement that gives no rows.
    pub(super) async fn execute(&mut self, statement: Statement) -> Result<(), StoreError> {
        self.rows(statement, &[]).await.map(drop)
    }

    /// Runs a constant text.
    pub(super) async fn run(&mut self, text: &'static str) -> Result<(), StoreError> {
        let run = match &mut self.of {
            Of::Sqlite(sqlite) => sqlx::raw_sql(text).execute(&mut **sqlite).await.map(drop),
            Of::Postgres(postgres) => sqlx::raw_sql(text).execute(&mut **postgres).await.map(drop),
        };
        run.map_err(failed(DOING))
    }

    /// The one number that a statement gives.
    pub(super) async fn number(&mut self, sql: String) -> Result<u64, StoreError> {
        let rows = self.rows(Statement { sql: sql.into(), args: Vec::new() }, &[Kind::Int]).await?;
        match rows.first().and_then(|row| row.first()) {
            Some(Cell::Int(number)) => sql::whole("number", *number),
            _ => Ok(0),
        }
    }

    /// How many rows a table has. The name comes from the catalogue.
    pub(super) async fn count(&mut self, table: &str) -> Result<u64, StoreError> {
        self.number(format!("SELECT count(*) FROM {table}")).await
    }

    /// Begins a look at one moment.
    pub(super) async fn begin_look(&mut self) -> Result<(), StoreError> {
        match self.dialect() {
            // The moment is that of the first statement that reads.
            Dialect::Sqlite => {
                self.run("BEGIN").await?;
                self.count("environment").await.map(drop)
            }
            Dialect::Postgres => self.run("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await,
        }
    }

    /// Refuses a database whose tables are not those of this version, or that nobody has finished.
    pub(super) async fn require_current(&mut self) -> Result<(), ToolError> {
        let name = self.place.to_string();
        let known = match self.dialect() {
            Dialect::Sqlite => "SELECT count(*) FROM sqlite_schema WHERE name = '_sqlx_migrations'",
            Dialect::Postgres => "SELECT count(*) FROM pg_class WHERE oid = to_regclass('_sqlx_migrations')",
        };
        if self.number(known.to_owned()).await? == 0 {
            return Err(ToolError::Nothing(name));
        }
        let steps = self.number("SELECT count(*) FROM _sqlx_migrations WHERE success".to_owned()).await?;
        let newest = self.number("SELECT max(version) FROM _sqlx_migrations".to_owned()).await?;
        if newest > migrations::newest() {
            let detail = format!("it was written by a newer version of this program (step {newest})");
            return Err(StoreError::Corrupt { what: "database", detail }.into());
        }
        if steps != migrations::count() {
            return Err(ToolError::Older(name));
        }
        if self.count("unfinished").await? > 0 {
            return Err(StoreError::Unfinished.into());
        }
        Ok(())
    }

    pub(super) async fn close(self) {
        // All that was to be written was committed.
        let _ = match self.of {
            Of::Sqlite(sqlite) => sqlite.close().await,
            Of::Postgres(postgres) => postgres.close().await,
        };
    }
}

async fn open_sqlite(path: &Path, access: Access) -> Result<SqliteConnection, ToolError> {
    let decisions = decisions_beside(path);
    if access == Access::Make {
        // The tables of the decision log come with it.
        DecisionLog::close(&SqliteDecisions::open(&decisions).await?).await;
    } else if !path.is_file() {
        return Err(ToolError::Nothing(path.display().to_string()));
    }
    let options = sqlite::connect_options(path, &sqlite::Options::default())
        .create_if_missing(access == Access::Make)
        .foreign_keys(access != Access::Read);
    let mut connection = options.connect().await.map_err(failed(DOING))?;
    if decisions.is_file() {
        let attached = sqlx::query("ATTACH DATABASE $1 AS decisions").bind(decisions.display().to_string());
        attached.execute(&mut connection).await.map_err(failed(DOING))?;
    }
    if access == Access::Read {
        sqlx::query("PRAGMA query_only = ON").execute(&mut connection).await.map_err(failed(DOING))?;
    }
    Ok(connection)
}

/// A statement whose text comes from the catalogue.
pub(super) fn assembled(sql: String, args: Vec<Value>) -> Statement {
    Statement { sql: sql.into(), args }
}
