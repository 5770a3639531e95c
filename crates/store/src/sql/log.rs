//! The change log and the outbox of a commit.

use super::{
    Dialect, Pace, Statement, Value, payload,
    put::json,
    tables::{Broken, Inserts},
};
use crate::{Commit, StoreError, sql::number};
use askfirst_domain::{audit::OutboxItem, change::Change, id::EnvId};
use std::{iter, sync::LazyLock};

const CHANGE: [&str; 8] = ["env", "revision", "seq", "at", "actor", "call", "kind", "payload"];
static CHANGES: LazyLock<Inserts> = LazyLock::new(|| Inserts::of("change", &CHANGE, "", Broken::Stops));

const LETTER: [&str; 6] = ["id", "env", "topic", "payload", "created_at", "receiver"];
static LETTERS: LazyLock<Inserts> = LazyLock::new(|| Inserts::of("outbox", &LETTER, "", Broken::Undone));

/// The statements that write the commit's changes to the log as `revision`, each put together when it is asked for.
pub(crate) fn change_statements(
    dialect: Dialect,
    commit: &Commit,
    revision: u64,
) -> Result<impl Iterator<Item = Result<Statement, StoreError>>, StoreError> {
    Ok(in_turn(dialect, &CHANGES, &commit.changes, change_row(commit, revision)?))
}

/// The rows of the log for the commit's changes, as `revision`.
pub(crate) fn change_rows(commit: &Commit, revision: u64) -> Result<Vec<Vec<Value>>, StoreError> {
    commit.changes.iter().map(change_row(commit, revision)?).collect()
}

/// Makes the rows of the changes of a commit, one after the other.
fn change_row(
    commit: &Commit,
    revision: u64,
) -> Result<impl FnMut(&Change) -> Result<Vec<Value>, StoreError>, StoreError> {
    let actor = json(&commit.actor)?;
    let mut places = 0_i64..;
    Ok(move |change: &Change| {
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
    })
}

/// The statements that write rows of the log.
pub(crate) fn write_changes(dialect: Dialect, rows: Vec<Vec<Value>>) -> Vec<Statement> {
    inserts(dialect, &CHANGES, rows)
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

/// A row of the outbox.
pub(crate) fn outbox_row(env: EnvId, item: &OutboxItem) -> Result<Vec<Value>, StoreError> {
    Ok(vec![
        item.id.into(),
        env.into(),
        item.topic.as_str().into(),
        json(&item.payload)?.into(),
        item.created_at.into(),
        item.receiver.into(),
    ])
}

/// The statements that write rows of the outbox.
pub(crate) fn write_outbox(dialect: Dialect, rows: Vec<Vec<Value>>) -> Vec<Statement> {
    inserts(dialect, &LETTERS, rows)
}
