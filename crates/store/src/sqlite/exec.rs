//! Running statements, and reading SQLite's rows.

use crate::{
    StoreError,
    sql::{Row, Statement, Value},
};
use sqlx::{
    Arguments as _, AssertSqlSafe, Row as _, Sqlite, SqliteConnection,
    query::Query,
    sqlite::{SqliteArguments, SqliteRow},
};
use std::borrow::Cow;
use uuid::Uuid;

/// Names what failed, for [`Result::map_err`].
pub(super) fn failed(doing: &'static str) -> impl Fn(sqlx::Error) -> StoreError {
    move |source| match source {
        sqlx::Error::PoolClosed => StoreError::Closed,
        source => StoreError::Database { doing, source },
    }
}

/// A statement as sqlx wants it.
pub(super) fn query(statement: Statement) -> Result<Query<'static, Sqlite, SqliteArguments>, sqlx::Error> {
    let mut args = SqliteArguments::default();
    args.reserve(statement.args.len(), 0);
    for value in statement.args {
        match value {
            Value::Uuid(uuid) => args.add(uuid),
            Value::Text(text) => args.add(text),
            Value::Int(int) => args.add(int),
        }
        .map_err(sqlx::Error::Encode)?;
    }
    Ok(match statement.sql {
        Cow::Borrowed(sql) => sqlx::query_with(sql, args),
        // INVARIANT: statements are put together from constant pieces; see `Statement`.
        Cow::Owned(sql) => sqlx::query_with(AssertSqlSafe(sql), args),
    })
}

pub(super) async fn execute(conn: &mut SqliteConnection, statement: Statement) -> Result<(), sqlx::Error> {
    query(statement)?.execute(conn).await.map(drop)
}

/// All rows, even where one is wanted: a statement that writes has run to its end then.
pub(super) async fn rows(
    conn: &mut SqliteConnection,
    statement: Statement,
) -> Result<Vec<SqliteRow>, sqlx::Error> {
    query(statement)?.fetch_all(conn).await
}

impl Row for SqliteRow {
    fn uuid(&self, column: usize) -> Result<Option<Uuid>, sqlx::Error> {
        self.try_get_unchecked(column)
    }
    fn text(&self, column: usize) -> Result<Option<&str>, sqlx::Error> {
        self.try_get_unchecked(column)
    }
    fn int(&self, column: usize) -> Result<Option<i64>, sqlx::Error> {
        self.try_get_unchecked(column)
    }
}
