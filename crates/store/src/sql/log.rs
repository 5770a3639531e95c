//! The change log, the audit events and the outbox of a commit.

use super::{
    Statement, Value, payload,
    put::json,
    tables::{MANY, Places, insert},
};
use crate::{Commit, StoreError, sql::number};
use askfirst_domain::{
    audit::{AuditEvent, OutboxItem},
    id::EnvId,
};
use std::sync::LazyLock;

const CHANGE: [&str; 8] = ["env", "revision", "seq", "at", "actor", "call", "kind", "payload"];
static CHANGE_ONE: LazyLock<String> = LazyLock::new(|| insert("change", &CHANGE, 1, Places::Numbered));
static CHANGE_MANY: LazyLock<String> = LazyLock::new(|| insert("change", &CHANGE, MANY, Places::Counted));

/// The statements that write the commit's changes to the log as `revision`.
pub(crate) fn change_rows(commit: &Commit, revision: u64) -> Result<Vec<Statement>, StoreError> {
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
    let mut statements = Vec::new();
    let mut rows = rows.into_iter().peekable();
    while rows.len() >= MANY {
        let args = rows.by_ref().take(MANY).flatten().collect();
        statements.push(Statement::new(CHANGE_MANY.as_str(), args));
    }
    statements.extend(rows.map(|row| Statement::new(CHANGE_ONE.as_str(), row)));
    Ok(statements)
}

/// The statement that writes an audit event; `env` none for the installation's.
pub(crate) fn audit_row(env: Option<EnvId>, event: &AuditEvent) -> Result<Statement, StoreError> {
    Ok(Statement::new(
        "INSERT INTO audit_event (id, env, at, topic, code, request, body) VALUES ($1, $2, $3, $4, $5, $6, $7)",
        vec![
            event.id.into(),
            env.into(),
            event.at.into(),
            event.code.split_once('.').map_or(event.code.as_str(), |(topic, _)| topic).into(),
            event.code.as_str().into(),
            event.request.into(),
            json(event)?.into(),
        ],
    ))
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
