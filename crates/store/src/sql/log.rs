//! The change log and the outbox of a commit.

use super::{
    Dialect, Pace, Statement, Value, payload,
    put::json,
    tables::{Broken, Inserts},
};
use crate::{Commit, StoreError, sql::number};
use askfirst_domain::{audit::OutboxItem, id::EnvId};
use std::{iter, sync::LazyLock};

const CHANGE: [&str; 8] = ["env", "revision", "seq", "at", "actor", "call", "kind", "payload"];
static CHANGES: LazyLock<Inserts> = LazyLock::new(|| Inserts::of("change", &CHANGE, "", Broken::Stops));

/// The statements that write the commit's changes to the log as `revision`, each put together when it is asked for.
pub(crate) fn change_rows(
    dialect: Dialect,
    commit: &Commit,
    revision: u64,
) -> Result<impl Iterator<Item = Result<Statement, StoreError>>, StoreError> {
    let actor = json(&commit.actor)?;
    let mut places = 0_i64..;
    Ok(in_turn(dialect, &CHANGES, &commit.changes, move |change| {
        let (kind, payload) = payload::encode(change)?;
        Ok(vec![
            Value::from(commit.env),
            number(revision).into(),
            places.next().into(),
            commit.at.into(),
            actor.as_str().into(),
            commit.call.as_deref().into(),
            kind.into(),
            payload.into(),
        ])
    }))
}

/// As many statements as the things take, a row each; each is put together when it is asked for.
pub(super) fn in_turn<T>(
    dialect: Dialect,
    into: &'static Inserts,
    mut things: &[T],
    mut row: impl FnMut(&T) -> Result<Vec<Value>, StoreError>,
) -> impl Iterator<Item = Result<Statement, StoreError>> {
    iter::from_fn(move || {
        let length = dialect.at_once(Pace::Many, things.len().min(dialect.most()));
        let (these, behind) = things.split_at_checked(length).filter(|(these, _)| !these.is_empty())?;
        things = behind;
        let rows: Result<_, _> = these.iter().map(&mut row).collect();
        Some(rows.map(|rows| into.statement(dialect, rows)))
    })
}

/// As many statements as the rows take.
pub(super) fn inserts(dialect: Dialect, into: &'static Inserts, rows: Vec<Vec<Value>>) -> Vec<Statement> {
    let mut statements = Vec::new();
    let mut rows = rows.into_iter();
    while rows.len() > 0 {
        let length = dialect.at_once(Pace::Many, rows.len());
        let these = rows.by_ref().take(length).collect();
        statements.push(into.statement(dialect, these));
    }
    statements
}

/// The statement that writes an outbox row.
pub(crate) fn outbox_row(env: EnvId, item: &OutboxItem) -> Result<Statement, StoreError> {
    Ok(Statement::new(
        "INSERT INTO outbox (id, env, topic, payload, created_at, receiver) VALUES ($1, $2, $3, $4, $5, $6)",
        vec![
            item.id.into(),
            env.into(),
            item.topic.as_str().into(),
            json(&item.payload)?.into(),
            item.created_at.into(),
            item.receiver.into(),
        ],
    ))
}
