//! Reading the whole state of an environment, as it stood at one moment.

use crate::{
    Head, StoreError,
    body::{Body, Look, failed},
    sql::{
        Cells, Dialect, Row, Statement,
        packed::{self, Line},
        read,
        rows::{self, schema_object},
        tables::{ASSIGNMENTS, INSTANCES, TENANTS, TUPLES, Table, USERS},
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

    for kind in ["resource", "role", "relation", "element", "condition_set", "set_rule", "proxy_config"] {
        give(&mut look, read::all_schema(env, kind), schema_object, sink).await?;
    }
    give(&mut look, read::all_facts(&USERS, env), user, sink).await?;
    give(&mut look, read::all_facts(&TENANTS, env), tenant, sink).await?;
    match B::DIALECT {
        Dialect::Sqlite => {
            give_packed(&mut look, env, &INSTANCES, |line| instance(line), sink).await?;
            give_packed(&mut look, env, &ASSIGNMENTS, |line| assignment(line), sink).await?;
            give_packed(&mut look, env, &TUPLES, |line| tuple(line), sink).await?;
        }
        Dialect::Postgres => {
            give(&mut look, read::all_facts(&INSTANCES, env), instance, sink).await?;
            give(&mut look, read::all_facts(&ASSIGNMENTS, env), assignment, sink).await?;
            give(&mut look, read::all_facts(&TUPLES, env), tuple, sink).await?;
        }
    }
    look.end().await.map_err(failed(DOING))?;
    Ok(head)
}

fn user<R: Row>(row: &R) -> Result<Change, StoreError> {
    Ok(Change::PutUser(rows::user(row)?.value))
}
fn tenant<R: Row>(row: &R) -> Result<Change, StoreError> {
    Ok(Change::PutTenant(rows::tenant(row)?.value))
}
fn instance<R: Row>(row: &R) -> Result<Change, StoreError> {
    Ok(Change::PutInstance(rows::instance(row)?.value))
}
fn assignment<R: Row>(row: &R) -> Result<Change, StoreError> {
    Ok(Change::PutAssignment(rows::assignment(row)?.value))
}
fn tuple<R: Row>(row: &R) -> Result<Change, StoreError> {
    Ok(Change::PutTuple(rows::tuple(row)?.value))
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

/// As [`give`], by pages; one is read while the one before it is taken apart.
async fn give_packed<L: Look>(
    look: &mut L,
    env: EnvId,
    table: &'static Table,
    to_change: for<'p> fn(&Line<'p>) -> Result<Change, StoreError>,
    sink: Sink<'_>,
) -> Result<(), StoreError> {
    let mut page = next_page(look, packed::page(table, env, 0)).await?;
    while let Some((last, text)) = page {
        let mut chunk = Vec::new();
        let unpacked = async {
            packed::unpack(&text, |line| {
                chunk.push(to_change(line)?);
                Ok(())
            })
        };
        let (next, unpacked) = futures::join!(next_page(look, packed::page(table, env, last)), unpacked);
        unpacked?;
        sink(chunk);
        page = next?;
    }
    Ok(())
}

/// The position of a page's last row, and the page; none after the last one.
async fn next_page<L: Look>(look: &mut L, statement: Statement) -> Result<Option<(i64, String)>, StoreError> {
    let found = look.rows(statement).await.map_err(failed(DOING))?;
    let Some(row) = found.first() else { return Ok(None) };
    let mut cells = Cells::of("page", row);
    Ok(cells.opt_int()?.zip(cells.opt_text()?))
}
