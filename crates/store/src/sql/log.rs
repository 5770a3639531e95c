//! The change log, the audit events and the outbox of a commit.

use super::{
    Dialect, Pace, Statement, Value, payload,
    put::json,
    tables::{Broken, Inserts},
};
use crate::{Commit, StoreError, sql::number};
use askfirst_domain::{
    audit::{AuditEvent, OutboxItem},
    id::EnvId,
};
use std::sync::LazyLock;

const CHANGE: [&str; 8] = ["env", "revision", "seq", "at", "actor", "call", "kind", "payload"];
static CHANGES: LazyLock<Inserts> = LazyLock::new(|| Inserts::of("change", &CHANGE, "", Broken::Stops));
const AUDIT_EVENT: [&str; 7] = ["id", "env", "at", "topic", "code", "request", "body"];
static AUDIT_EVENTS: LazyLock<Inserts> =
    LazyLock::new(|| Inserts::of("audit_event", &AUDIT_EVENT, "", Broken::Stops));

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

fn inserts(dialect: Dialect, into: &'static Inserts, rows: Vec<Vec<Value>>) -> Vec<Statement> {
    let mut statements = Vec::new();
    let mut rows = rows.into_iter();
    while rows.len() > 0 {
        let length = dialect.at_once(Pace::Many, rows.len());
        let these = rows.by_ref().take(length).collect();
        statements.push(into.statement(dialect, these));
    }
    statements
}

/// The statement that writes an audit event; `env` none for the installation's.
pub(crate) fn audit_row(env: Option<EnvId>, event: &AuditEvent) -> Result<Statement, StoreError> {
    Ok(AUDIT_EVENTS.statement(Dialect::Sqlite, vec![audit_cells(env, event)?]))
}

/// The statements that write the audit events of an environment.
pub(crate) fn audit_rows(
    dialect: Dialect,
    env: EnvId,
    events: &[AuditEvent],
) -> Result<Vec<Statement>, StoreError> {
    let rows = events.iter().map(|event| audit_cells(Some(env), event)).collect::<Result<_, _>>()?;
    Ok(inserts(dialect, &AUDIT_EVENTS, rows))
}

fn audit_cells(env: Option<EnvId>, event: &AuditEvent) -> Result<Vec<Value>, StoreError> {
    Ok(vec![
        event.id.into(),
        env.into(),
        event.at.into(),
        event.code.split_once('.').map_or(event.code.as_str(), |(topic, _)| topic).into(),
        event.code.as_str().into(),
        event.request.into(),
        json(event)?.into(),
    ])
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
