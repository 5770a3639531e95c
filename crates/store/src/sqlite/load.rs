//! Reading the whole state of an environment, as it stood at one moment.

use super::exec::{failed, query};
use crate::{
    Head, StoreError,
    sql::{
        Statement, read,
        rows::{self, schema_object},
        tables::{ASSIGNMENTS, INSTANCES, TENANTS, TUPLES, USERS},
    },
};
use askfirst_domain::{change::Change, id::EnvId};
use futures::TryStreamExt as _;
use sqlx::{
    SqliteConnection,
    sqlite::{SqlitePool, SqliteRow},
};

/// How many changes are given at a time.
const CHUNK: usize = 2048;
const DOING: &str = "loading an environment";

type Sink<'a> = &'a mut (dyn FnMut(Vec<Change>) + Send);
type ToChange = fn(&SqliteRow) -> Result<Change, StoreError>;

/// Gives the state to `sink`; see `Store::load`.
pub(super) async fn load(readers: &SqlitePool, env: EnvId, sink: Sink<'_>) -> Result<Head, StoreError> {
    // The first look fixes the moment for the whole transaction.
    let mut tx = readers.begin().await.map_err(failed(DOING))?;
    let found = super::exec::rows(&mut tx, read::head(env)).await.map_err(failed(DOING))?;
    let row = found.first().ok_or(StoreError::NoSuchEnvironment(env))?;
    let head = rows::head(row)?;

    for kind in ["resource", "role", "relation", "element"] {
        give(&mut tx, read::all_schema(env, kind), schema_object, sink).await?;
    }
    let facts: [(_, ToChange); 5] = [
        (&USERS, |row| Ok(Change::PutUser(rows::user(row)?.value))),
        (&TENANTS, |row| Ok(Change::PutTenant(rows::tenant(row)?.value))),
        (&INSTANCES, |row| Ok(Change::PutInstance(rows::instance(row)?.value))),
        (&ASSIGNMENTS, |row| Ok(Change::PutAssignment(rows::assignment(row)?.value))),
        (&TUPLES, |row| Ok(Change::PutTuple(rows::tuple(row)?.value))),
    ];
    for (table, to_change) in facts {
        give(&mut tx, read::all_facts(table, env), to_change, sink).await?;
    }
    tx.commit().await.map_err(failed(DOING))?;
    Ok(head)
}

async fn give(
    conn: &mut SqliteConnection,
    statement: Statement,
    to_change: ToChange,
    sink: Sink<'_>,
) -> Result<(), StoreError> {
    let query = query(statement).map_err(failed(DOING))?;
    let mut stream = query.fetch(conn);
    let mut chunk = Vec::new();
    while let Some(row) = stream.try_next().await.map_err(failed(DOING))? {
        chunk.push(to_change(&row)?);
        if chunk.len() == CHUNK {
            sink(std::mem::take(&mut chunk));
        }
    }
    if !chunk.is_empty() {
        sink(chunk);
    }
    Ok(())
}
