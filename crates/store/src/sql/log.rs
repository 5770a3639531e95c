//! The change log and the outbox of a commit.

use super::{
    Dialect, Pace, Statement, Value, payload,
    put::json,
    tables::{Broken, Inserts},
};
use crate::{Commit, StoreError, sql::number};
use askfirst_domain::{audit::OutboxItem, id::EnvId};
use std::sync::LazyLock;

const CHANGE: [&str; 8] = ["env", "revision", "seq", "at", "actor", "call", "kind", "payload"];
static CHANGES: LazyLock<Inserts> = LazyLock::new(|| Inserts::of("change", &CHANGE, "", Broken::Stops));

/// The statements that write the commit's changes to the log as `revision`.
pub(crate) fn change_rows(
    dialect: Dialect,
    commit: &Commit,
    revision: u64,
) -> Result<Vec<Statement>, StoreError> {
    let actor = json(&commit.actor)?;
    let mut rows = Vec::with_capacity(commit.changes.len());
    for (seq, change) in (0_i64..).zip(&commit.changes) {
        let (kind, payload) = payload::encode(change)?;
        rows.push(vec![
            Value::from(commit.env),
            number(revision).into(),
            seq.into(),
            commit.at.into(),
            actor.as_str().into(),
            commit.call.as_deref().into(),
            kind.into(),
            payload.into(),
        ]);
    }
    Ok(inserts(dialect, &CHANGES, rows))
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
        "INSERT INTO outbox (id, env, topic, payload, created_at) VALUES ($1, $2, $3, $4, $5)",
        vec![
            item.id.into(),
            env.into(),
            item.topic.as_str().into(),
            json(&item.payload)?.into(),
            item.created_at.into(),
        ],
    ))
}
