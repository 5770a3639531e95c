//! Reading the whole state of an environment, as it stood at one moment.

use crate::{
    Head, StoreError,
    body::{Body, Look, failed},
    sql::{
        Statement, read,
        rows::{self, schema_object},
        tables::{ASSIGNMENTS, INSTANCES, TENANTS, TUPLES, USERS},
    },
};
use askfirst_domain::{change::Change, id::EnvId};
use futures::TryStreamExt as _;

/// How many changes are given at a time.
const CHUNK: usize = 2048;
const DOING: &str = "loading an environment";

type Sink<'a> = &'a mut (dyn FnMut(Vec<Change>) + Send);
type ToChange<R> = fn(&R) -> Result<Change, StoreError>;

/// Gives the state to `sink`; see `Store::load`.
pub(crate) async fn load<B: Body>(body: &B, env: EnvId, sink: Sink<'_>) -> Result<Head, StoreError> {
    // The first look fixes the moment for the whole transaction.
    let mut look = body.look().await.map_err(failed(DOING))?;
    let found = look.rows(read::head(env)).await.map_err(failed(DOING))?;
    let row = found.first().ok_or(StoreError::NoSuchEnvironment(env))?;
    let head = rows::head(row)?;

    for kind in ["resource", "role", "relation", "element", "condition_set", "set_rule"] {
        give(&mut look, read::all_schema(env, kind), schema_object, sink).await?;
    }
    let facts: [(_, ToChange<B::Row>); 5] = [
        (&USERS, |row| Ok(Change::PutUser(rows::user(row)?.value))),
        (&TENANTS, |row| Ok(Change::PutTenant(rows::tenant(row)?.value))),
        (&INSTANCES, |row| Ok(Change::PutInstance(rows::instance(row)?.value))),
        (&ASSIGNMENTS, |row| Ok(Change::PutAssignment(rows::assignment(row)?.value))),
        (&TUPLES, |row| Ok(Change::PutTuple(rows::tuple(row)?.value))),
    ];
    for (table, to_change) in facts {
        give(&mut look, read::all_facts(table, env), to_change, sink).await?;
    }
    look.end().await.map_err(failed(DOING))?;
    Ok(head)
}

async fn give<L: Look>(
    look: &mut L,
    statement: Statement,
    to_change: ToChange<L::Row>,
    sink: Sink<'_>,
) -> Result<(), StoreError> {
    let mut stream = look.stream(statement).map_err(failed(DOING))?;
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
