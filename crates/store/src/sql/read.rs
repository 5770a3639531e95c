//! Look-ups of one thing, and the statements of the whole state.

use super::{
    Dialect, Statement, Value, number,
    statement::{rows_of_ids, texts},
    tables::{ASSIGNMENTS, INSTANCES, INVITES, REQUESTS, SCHEMA, TENANTS, TUPLES, Table, USERS},
};
use askfirst_domain::id::{EnvId, InstanceId, ProjectId, RelationId, UserId};
use std::{borrow::Cow, sync::LazyLock};
use uuid::Uuid;

macro_rules! lookups {
    ($($(#[$doc:meta])* $name:ident($($arg:ident: $ty:ty),*) = $table:ident where $condition:literal;)*) => {$(
        $(#[$doc])*
        pub(crate) fn $name(env: EnvId, $($arg: $ty),*) -> Statement {
            static SQL: LazyLock<String> = LazyLock::new(|| {
                format!("SELECT {} FROM {} WHERE env = $1{}", $table.columns(), $table.name, $condition)
            });
            Statement::new(SQL.as_str(), vec![env.into(), $($arg.into()),*])
        }
    )*};
}

lookups! {
    user_by_id(id: Uuid) = USERS where " AND id = $2";
    user_by_key(key: &str) = USERS where " AND key = $2";
    tenant_by_id(id: Uuid) = TENANTS where " AND id = $2";
    tenant_by_key(key: &str) = TENANTS where " AND key = $2";
    instance_by_id(id: Uuid) = INSTANCES where " AND id = $2";
    instance_by_key(resource: &str, key: &str) = INSTANCES where " AND resource = $2 AND key = $3";
    assignment_by_id(id: Uuid) = ASSIGNMENTS where " AND id = $2";
    tuple_by_id(id: Uuid) = TUPLES where " AND id = $2";
    request_by_id(id: Uuid) = REQUESTS where " AND id = $2";
    invite_by_id(id: Uuid) = INVITES where " AND id = $2";
    pending_request(wish: &str) = REQUESTS where " AND wish = $2 AND status = 'pending'";
    /// All of one kind of the schema, in the order of creation.
    all_schema(kind: &str) = SCHEMA where " AND kind = $2 ORDER BY pos";
}

pub(crate) fn users_by_key(dialect: Dialect, env: EnvId, keys: &[&str]) -> Statement {
    let (columns, among) = (USERS.columns(), dialect.one_of_texts("key", 2));
    let sql = format!("SELECT {columns} FROM user_ WHERE env = $1 AND {among}");
    Statement { sql: sql.into(), args: vec![env.into(), texts(keys.iter().copied())] }
}

pub(crate) fn instances_by_key(dialect: Dialect, env: EnvId, resource: &str, keys: &[&str]) -> Statement {
    let (columns, among) = (INSTANCES.columns(), dialect.one_of_texts("key", 3));
    let sql = format!("SELECT {columns} FROM instance WHERE env = $1 AND resource = $2 AND {among}");
    Statement { sql: sql.into(), args: vec![env.into(), resource.into(), texts(keys.iter().copied())] }
}

/// The tuples with these subjects, relations and objects.
pub(crate) fn tuples_between(
    dialect: Dialect,
    env: EnvId,
    ends: &[(InstanceId, RelationId, InstanceId)],
) -> Statement {
    let ids = ends.iter().map(|(subject, relation, object)| [subject.uuid(), relation.uuid(), object.uuid()]);
    let columns: Vec<_> = TUPLES.read.iter().map(|column| format!("t.{column}")).collect();
    let columns = columns.join(", ");
    match dialect {
        Dialect::Sqlite => {
            let sql = format!(
                "SELECT {columns} FROM json_each($2) CROSS JOIN relationship_tuple AS t WHERE t.env = $1 \
                 AND t.subject_id = unhex(json_each.value ->> 0) AND t.relation_id = unhex(json_each.value ->> 1) \
                 AND t.object_id = unhex(json_each.value ->> 2)"
            );
            let rows = rows_of_ids(ids.map(|ids| ids.map(Some)));
            Statement { sql: sql.into(), args: vec![env.into(), rows] }
        }
        Dialect::Postgres => {
            let sql = format!(
                "SELECT {columns} FROM unnest($2, $3, $4) AS e (s, r, o) JOIN relationship_tuple AS t \
                 ON t.env = $1 AND t.subject_id = e.s AND t.relation_id = e.r AND t.object_id = e.o"
            );
            let mut args = [const { Vec::new() }; 3];
            for ids in ids {
                args.iter_mut().zip(ids).for_each(|(column, id)| column.push(Some(id)));
            }
            let args = args.into_iter().map(Value::Uuids);
            Statement { sql: sql.into(), args: std::iter::once(env.into()).chain(args).collect() }
        }
    }
}

/// The tables of the facts, things before what refers to them.
pub(crate) fn all_facts(table: &'static Table, env: EnvId) -> Statement {
    let sql = format!("SELECT {} FROM {} WHERE env = $1 ORDER BY pos", table.columns(), table.name);
    Statement { sql: Cow::Owned(sql), args: vec![env.into()] }
}

pub(crate) fn head(env: EnvId) -> Statement {
    Statement::new("SELECT epoch, head_revision FROM environment WHERE id = $1", vec![env.into()])
}

/// `id, epoch, number, events`: the heads of all environments, and without an id the version of the directory.
pub(crate) fn position() -> Statement {
    const SQL: &str = "SELECT e.id, e.epoch, e.head_revision, coalesce(a.n, 0) FROM environment AS e \
         LEFT JOIN audit_head AS a ON a.env = e.id UNION ALL SELECT NULL, NULL, version, 0 FROM directory";
    Statement::new(SQL, Vec::new())
}

/// Takes the next version of the directory. Gives `version`.
pub(crate) fn next_directory() -> Statement {
    const SQL: &str = "UPDATE directory SET version = version + 1 WHERE id = 1 RETURNING version";
    Statement::new(SQL, Vec::new())
}

/// Writes how far an environment is.
pub(crate) fn head_written(env: EnvId, revision: u64) -> Statement {
    const SQL: &str = "UPDATE environment SET head_revision = $2 WHERE id = $1";
    Statement::new(SQL, vec![env.into(), number(revision).into()])
}

pub(crate) fn schema_written(env: EnvId, revision: u64) -> Statement {
    const SQL: &str = "UPDATE environment SET schema_revision = $2 WHERE id = $1";
    Statement::new(SQL, vec![env.into(), number(revision).into()])
}

/// Whole revisions after one, up to that in which the `limit`-th change stands.
pub(crate) fn changes_after(env: EnvId, revision: u64, limit: usize) -> Statement {
    const SQL: &str = "SELECT revision, seq, at, actor, kind, payload FROM change \
         WHERE env = $1 AND revision > $2 AND revision <= coalesce( \
             (SELECT revision FROM change WHERE env = $1 AND revision > $2 \
              ORDER BY env, revision, seq LIMIT 1 OFFSET $3), 9223372036854775807) \
         ORDER BY env, revision, seq";
    let before_last = u64::try_from(limit).unwrap_or(u64::MAX).saturating_sub(1);
    Statement::new(SQL, vec![env.into(), number(revision).into(), number(before_last).into()])
}

pub(crate) fn organization() -> Statement {
    Statement::new("SELECT body FROM organization ORDER BY pos LIMIT 1", Vec::new())
}

pub(crate) fn projects() -> Statement {
    Statement::new("SELECT body FROM project ORDER BY pos", Vec::new())
}

pub(crate) fn environments(project: Option<ProjectId>) -> Statement {
    match project {
        Some(project) => Statement::new(
            "SELECT body FROM environment WHERE project = $1 ORDER BY pos",
            vec![project.into()],
        ),
        None => Statement::new("SELECT body FROM environment ORDER BY pos", Vec::new()),
    }
}

macro_rules! api_key_sql {
    ($rest:literal) => {
        concat!(
            "SELECT id, org, scope, name, secret_hash, created_at, expires_at, revoked_at FROM api_key ",
            $rest
        )
    };
}

pub(crate) fn api_key_by_hash(hash: &str) -> Statement {
    Statement::new(api_key_sql!("WHERE secret_hash = $1"), vec![hash.into()])
}

pub(crate) fn api_key(id: Uuid) -> Statement {
    Statement::new(api_key_sql!("WHERE id = $1"), vec![id.into()])
}

pub(crate) fn api_keys() -> Statement {
    Statement::new(api_key_sql!("ORDER BY pos"), Vec::new())
}

/// Gives `body, secret`.
pub(crate) fn webhooks() -> Statement {
    Statement::new("SELECT body, secret FROM webhook ORDER BY pos", Vec::new())
}

pub(crate) fn session_by_hash(hash: &str) -> Statement {
    const SQL: &str = "SELECT id, env, kind, user_id, tenant_id, token_hash, opened_with, created_at, expires_at \
         FROM session WHERE token_hash = $1";
    Statement::new(SQL, vec![hash.into()])
}

pub(crate) fn browser_sessions(env: EnvId, user: UserId) -> Statement {
    const SQL: &str = "SELECT id, env, kind, user_id, tenant_id, token_hash, opened_with, created_at, expires_at \
         FROM session WHERE env = $1 AND user_id = $2 AND kind = 'browser' ORDER BY pos DESC LIMIT 100";
    Statement::new(SQL, vec![env.into(), user.into()])
}

pub(crate) fn password(env: EnvId, user: UserId) -> Statement {
    const SQL: &str = "SELECT env, user_id, hash, changed_at FROM password WHERE env = $1 AND user_id = $2";
    Statement::new(SQL, vec![env.into(), user.into()])
}
