//! The statements of the outbox. Each that writes gives a row if it found what it was about.

use super::{Dialect, Statement, Value};
use crate::Attempt;
use askfirst_domain::{Timestamp, id::EnvId};
use uuid::Uuid;

/// In the order in which an item is read.
pub(crate) const COLUMNS: &str =
    "id, topic, receiver, payload, created_at, env, due_at, attempts, failure, dead_at";

pub(crate) fn due(dialect: Dialect, now: Timestamp, most: u32, busy: &[Uuid]) -> Statement {
    let (free, busy) = free(dialect, busy, 3);
    let sql = format!(
        "SELECT {COLUMNS} FROM outbox WHERE dead_at IS NULL AND due_at <= $1{free} ORDER BY due_at, pos LIMIT $2"
    );
    Statement {
        sql: sql.into(),
        args: [now.into(), i64::from(most).into()].into_iter().chain(busy).collect(),
    }
}

pub(crate) fn next(dialect: Dialect, busy: &[Uuid]) -> Statement {
    let (free, busy) = free(dialect, busy, 1);
    let sql = format!("SELECT due_at FROM outbox WHERE dead_at IS NULL{free} ORDER BY due_at LIMIT 1");
    Statement { sql: sql.into(), args: busy.into_iter().collect() }
}

/// The condition that an item is for nobody who is busy, with its parameter, which is the `n`th.
fn free(dialect: Dialect, busy: &[Uuid], n: usize) -> (String, Option<Value>) {
    if busy.is_empty() {
        return (String::new(), None);
    }
    let among = dialect.one_of("receiver", n);
    (format!(" AND (receiver IS NULL OR NOT ({among}))"), Some(dialect.ids(busy.iter().copied())))
}

pub(crate) fn item(env: EnvId, id: Uuid) -> Statement {
    let sql = format!("SELECT {COLUMNS} FROM outbox WHERE id = $2 AND env = $1");
    Statement { sql: sql.into(), args: vec![env.into(), id.into()] }
}

pub(crate) fn claim(id: Uuid, seen: Timestamp, until: Timestamp) -> Statement {
    const SQL: &str =
        "UPDATE outbox SET due_at = $3 WHERE id = $1 AND due_at = $2 AND dead_at IS NULL RETURNING 1";
    Statement::new(SQL, vec![id.into(), seen.into(), until.into()])
}

pub(crate) fn settle(id: Uuid, claimed: Timestamp, attempt: &Attempt) -> Statement {
    const DELIVERED: &str =
        "DELETE FROM outbox WHERE id = $1 AND due_at = $2 AND dead_at IS NULL RETURNING 1";
    const FAILED: &str = "UPDATE outbox SET attempts = attempts + 1, failure = $3, due_at = $4 \
         WHERE id = $1 AND due_at = $2 AND dead_at IS NULL RETURNING 1";
    const GIVEN_UP: &str = "UPDATE outbox SET attempts = attempts + 1, failure = $3, dead_at = $4 \
         WHERE id = $1 AND due_at = $2 AND dead_at IS NULL RETURNING 1";
    let (sql, told) = match attempt {
        Attempt::Delivered => (DELIVERED, None),
        Attempt::Failed { failure, due_at } => (FAILED, Some((failure, due_at))),
        Attempt::GivenUp { failure, at } => (GIVEN_UP, Some((failure, at))),
    };
    let told = told.into_iter().flat_map(|(failure, at)| [kept(failure), (*at).into()]);
    Statement::new(sql, [id.into(), claimed.into()].into_iter().chain(told).collect())
}

/// What a server answered may hold anything; a text in a database holds no NUL.
fn kept(failure: &str) -> Value {
    failure.replace('\0', "\u{fffd}").into()
}

pub(crate) fn revive(env: EnvId, id: Uuid, now: Timestamp) -> Statement {
    const SQL: &str = "UPDATE outbox SET dead_at = NULL, attempts = 0, due_at = $3 \
         WHERE env = $1 AND id = $2 AND dead_at IS NOT NULL RETURNING 1";
    Statement::new(SQL, vec![env.into(), id.into(), now.into()])
}

pub(crate) fn drop_dead(env: EnvId, id: Uuid) -> Statement {
    const SQL: &str = "DELETE FROM outbox WHERE env = $1 AND id = $2 AND dead_at IS NOT NULL RETURNING 1";
    Statement::new(SQL, vec![env.into(), id.into()])
}
