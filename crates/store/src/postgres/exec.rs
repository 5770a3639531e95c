//! Running statements, and reading PostgreSQL's rows.

use crate::{
    body::Look,
    sql::{Row, Statement, Value},
};
use async_trait::async_trait;
use futures::{StreamExt as _, stream::BoxStream};
use sqlx::{
    Arguments as _, AssertSqlSafe, Postgres, Row as _, Transaction,
    postgres::{PgArguments, PgRow},
    query::Query,
};
use std::borrow::Cow;
use uuid::Uuid;

/// A statement as sqlx wants it.
pub(crate) fn query(statement: Statement) -> Result<Query<'static, Postgres, PgArguments>, sqlx::Error> {
    let mut args = PgArguments::default();
    args.reserve(statement.args.len(), 0);
    for value in statement.args {
        match value {
            Value::Uuid(uuid) => args.add(uuid),
            Value::Text(text) => args.add(text),
            Value::Int(int) => args.add(int),
            Value::Bytes(bytes) => args.add(bytes),
            Value::Uuids(uuids) => args.add(uuids),
            Value::Texts(texts) => args.add(texts),
            Value::Ints(ints) => args.add(ints),
            Value::Blobs(blobs) => args.add(blobs),
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
impl Look for Transaction<'static, Postgres> {
    type Row = PgRow;

    async fn rows(&mut self, statement: Statement) -> Result<Vec<PgRow>, sqlx::Error> {
        query(statement)?.fetch_all(&mut **self).await
    }

    fn stream(
        &mut self,
        statement: Statement,
    ) -> Result<BoxStream<'_, Result<PgRow, sqlx::Error>>, sqlx::Error> {
        Ok(query(statement)?.fetch(&mut **self).boxed())
    }

    async fn end(self) -> Result<(), sqlx::Error> {
        self.commit().await
    }
}

impl Row for PgRow {
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
