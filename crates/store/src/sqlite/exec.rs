//! Running statements, and reading SQLite's rows.

use crate::{
    body::{Look, News, Session, Touched},
    sql::{Dialect, Row, Statement, Value},
};
use async_trait::async_trait;
use futures::{StreamExt as _, stream::BoxStream};
use sqlx::{
    Arguments as _, AssertSqlSafe, Row as _, Sqlite, SqliteConnection, Transaction,
    query::Query,
    sqlite::{SqliteArguments, SqliteRow},
};
use std::borrow::Cow;
use uuid::Uuid;

/// A statement as sqlx wants it.
pub(crate) fn query(statement: Statement) -> Result<Query<'static, Sqlite, SqliteArguments>, sqlx::Error> {
    let mut args = SqliteArguments::default();
    args.reserve(statement.args.len(), 0);
    for value in statement.args {
        match value {
            Value::Uuid(uuid) => args.add(uuid),
            Value::Text(text) => args.add(text),
            Value::Int(int) => args.add(int),
            Value::Bytes(bytes) => args.add(bytes),
            Value::Uuids(_) | Value::Texts(_) | Value::Ints(_) | Value::Blobs(_) => {
                Err("SQLite knows no arrays".into())
            }
        }
        .map_err(sqlx::Error::Encode)?;
    }
    Ok(match statement.sql {
        Cow::Borrowed(sql) => sqlx::query_with(sql, args),
        // INVARIANT: statements are put together from constant pieces; see `Statement`.
        Cow::Owned(sql) => sqlx::query_with(AssertSqlSafe(sql), args),
    })
}

#[async_trait]
impl Look for Transaction<'static, Sqlite> {
    type Row = SqliteRow;

    async fn rows(&mut self, statement: Statement) -> Result<Vec<SqliteRow>, sqlx::Error> {
        query(statement)?.fetch_all(&mut **self).await
    }

    fn stream(
        &mut self,
        statement: Statement,
    ) -> Result<BoxStream<'_, Result<SqliteRow, sqlx::Error>>, sqlx::Error> {
        Ok(query(statement)?.fetch(&mut **self).boxed())
    }

    async fn end(self) -> Result<(), sqlx::Error> {
        self.commit().await
    }
}

/// SQLite has one lock for all, so nothing need be set aside by itself.
impl Session for SqliteConnection {
    const DIALECT: Dialect = Dialect::Sqlite;
    type Row = SqliteRow;

    async fn begin(&mut self) -> Result<(), sqlx::Error> {
        sqlx::query("BEGIN IMMEDIATE").execute(self).await.map(drop)
    }

    async fn hold(&mut self, _: &Touched) -> Result<(), sqlx::Error> {
        Ok(())
    }

    async fn execute(&mut self, statement: Statement) -> Result<(), sqlx::Error> {
        query(statement)?.execute(self).await.map(drop)
    }

    async fn rows(&mut self, statement: Statement) -> Result<Vec<SqliteRow>, sqlx::Error> {
        query(statement)?.fetch_all(self).await
    }

    async fn commit(&mut self) -> Result<(), sqlx::Error> {
        sqlx::query("COMMIT").execute(self).await.map(drop)
    }

    async fn roll_back(&mut self) {
        // Fails when the database has rolled back by itself, and then all is well too.
        let _ = sqlx::query("ROLLBACK").execute(self).await;
    }

    /// Nobody else writes, so nobody else waits.
    fn announce(&mut self, _: News) {}

    async fn close(self) -> Result<(), sqlx::Error> {
        sqlx::Connection::close(self).await
    }
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
    fn bytes(&self, column: usize) -> Result<Option<&[u8]>, sqlx::Error> {
        self.try_get_unchecked(column)
    }
}
