//! The statements of tasks, their names, and the keys of tokens. Each that writes gives a row if it wrote.

use super::{Statement, Value};
use crate::{StoreError, TaskName};
use askfirst_domain::{Timestamp, audit::PublicKey, id::EnvId, task::Task};

pub(crate) fn put(env: EnvId, task: &Task) -> Result<Statement, StoreError> {
    const SQL: &str = "INSERT INTO access_task (env, id, body, kept_until) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (env, id) DO NOTHING RETURNING 1";
    let body = serde_json::to_string(task)
        .map_err(|e| StoreError::Corrupt { what: "value to be written", detail: e.to_string() })?;
    if super::put::spells_nul(&body) {
        return Err(StoreError::Nul);
    }
    let args = vec![env.into(), task.id.as_str().into(), body.into(), task.kept_until.into()];
    Ok(Statement::new(SQL, args))
}

/// Gives `body`.
pub(crate) fn one(env: EnvId, id: &str) -> Statement {
    const SQL: &str = "SELECT body FROM access_task WHERE env = $1 AND id = $2";
    Statement::new(SQL, vec![env.into(), id.into()])
}

pub(crate) fn take_name(env: EnvId, name: &TaskName) -> Statement {
    const SQL: &str = "INSERT INTO access_task_name (env, name, task, digest, kept_until) \
         VALUES ($1, $2, $3, $4, $5) ON CONFLICT (env, name) DO NOTHING RETURNING 1";
    let texts = [&name.name, &name.task, &name.digest].map(|text| Value::from(text.as_str()));
    let args = std::iter::once(env.into()).chain(texts).chain([name.kept_until.into()]);
    Statement::new(SQL, args.collect())
}

/// Gives `name, task, digest, kept_until`.
pub(crate) fn name(env: EnvId, name: &str) -> Statement {
    const SQL: &str =
        "SELECT name, task, digest, kept_until FROM access_task_name WHERE env = $1 AND name = $2";
    Statement::new(SQL, vec![env.into(), name.into()])
}

pub(crate) fn rename(env: EnvId, from: &str, to: &str) -> Statement {
    const SQL: &str = "UPDATE access_task_name SET task = $3 WHERE env = $1 AND task = $2 RETURNING 1";
    Statement::new(SQL, vec![env.into(), from.into(), to.into()])
}

pub(crate) fn put_key(key: &PublicKey, kept_until: Timestamp) -> Statement {
    const SQL: &str = "INSERT INTO token_key (id, public, kept_until) VALUES ($1, $2, $3) \
         ON CONFLICT (id) DO UPDATE SET kept_until = excluded.kept_until RETURNING 1";
    let public = Value::Bytes(Some(key.bytes().to_vec()));
    Statement::new(SQL, vec![key.id().as_str().into(), public, kept_until.into()])
}

/// Gives `public`.
pub(crate) fn keys(now: Timestamp) -> Statement {
    const SQL: &str = "SELECT public FROM token_key WHERE kept_until > $1 ORDER BY kept_until, id";
    Statement::new(SQL, vec![now.into()])
}
