//! Expectations: each is one look at the state.

use super::{Dialect, Statement, Value, number};
use askfirst_domain::{
    change::{Expect, ObjectRef},
    id::EnvId,
};
use std::fmt::Write as _;
use uuid::Uuid;

const USER: &str = "SELECT revision FROM user_ WHERE env = $1 AND id = $2";
const TENANT: &str = "SELECT revision FROM tenant WHERE env = $1 AND id = $2";
const INSTANCE: &str = "SELECT revision FROM instance WHERE env = $1 AND id = $2";
const ASSIGNMENT: &str = "SELECT revision FROM role_assignment WHERE env = $1 AND id = $2";
const TUPLE: &str = "SELECT revision FROM relationship_tuple WHERE env = $1 AND id = $2";
const REQUEST: &str = "SELECT revision FROM request WHERE env = $1 AND id = $2";
const INVITE: &str = "SELECT revision FROM user_invite WHERE env = $1 AND id = $2";
const ROLE: &str = "SELECT revision FROM schema_object WHERE env = $1 AND kind = 'role' AND id = $2";
const ELEMENT: &str = "SELECT revision FROM schema_object WHERE env = $1 AND kind = 'element' AND id = $2";
const PENDING: &str = "SELECT revision FROM request WHERE env = $1 AND wish = $2 AND status = 'pending'";
const ASSIGNED_IN_TENANT: &str = "SELECT revision FROM role_assignment \
     WHERE env = $1 AND user_id = $2 AND role_id = $3 AND tenant_id = $4 AND instance_id IS NULL";
const ASSIGNED_ON_INSTANCE: &str = "SELECT revision FROM role_assignment \
     WHERE env = $1 AND user_id = $2 AND role_id = $3 AND tenant_id = $4 AND instance_id = $5";
/// Whatever a user's rights may rest on and that was taken away, and each write of an assignment of theirs.
const TAKEN_FROM: &str = "SELECT revision FROM change WHERE env = $1 AND revision > $2 AND (kind IN \
     ('delete_tuple', 'delete_instance', 'delete_tenant', 'delete_resource', 'delete_user') \
     OR (kind IN ('delete_assignment', 'put_assignment') AND strpos(payload, $3) > 0)) LIMIT 1";
const TAKEN_FROM_IN_SQLITE: &str = "SELECT revision FROM change WHERE env = $1 AND revision > $2 AND (kind IN \
     ('delete_tuple', 'delete_instance', 'delete_tenant', 'delete_resource', 'delete_user') \
     OR (kind IN ('delete_assignment', 'put_assignment') AND instr(payload, $3) > 0)) LIMIT 1";
const SCHEMA: &str = "SELECT schema_revision FROM environment WHERE id = $1";

/// The statement that looks: one number, or no row.
fn probe(dialect: Dialect, env: EnvId, expect: &Expect) -> Statement {
    match expect {
        Expect::Exists(object) | Expect::AtRevision(object, _) => {
            let (sql, id) = revision_of(*object);
            Statement::new(sql, vec![env.into(), id.into()])
        }
        Expect::NoPendingRequest { wish } => Statement::new(PENDING, vec![env.into(), wish.as_str().into()]),
        Expect::NoAssignment { user, role, tenant, instance } => {
            let mut args = vec![env.into(), (*user).into(), (*role).into(), (*tenant).into()];
            if let Some(instance) = instance {
                args.push((*instance).into());
                Statement::new(ASSIGNED_ON_INSTANCE, args)
            } else {
                Statement::new(ASSIGNED_IN_TENANT, args)
            }
        }
        Expect::SchemaAt(_) => Statement::new(SCHEMA, vec![env.into()]),
        Expect::NothingTakenSince { user, revision } => {
            let sql = match dialect {
                Dialect::Sqlite => TAKEN_FROM_IN_SQLITE,
                Dialect::Postgres => TAKEN_FROM,
            };
            let user = user.uuid().to_string();
            Statement::new(sql, vec![env.into(), number(*revision).into(), user.into()])
        }
    }
}

/// One statement that looks at all of these, in their order: one row, with a number or null for each.
pub(crate) fn probes(dialect: Dialect, env: EnvId, expects: &[&Expect]) -> Statement {
    let mut args = vec![Value::from(env)];
    let looks: Vec<String> = expects
        .iter()
        .map(|expect| {
            let look = probe(dialect, env, expect);
            // Each look has the environment first; what it has besides stands behind what the others have.
            let text = renumbered(&look.sql, args.len());
            args.extend(look.args.into_iter().skip(1));
            format!("({text})")
        })
        .collect();
    Statement { sql: format!("SELECT {}", looks.join(", ")).into(), args }
}

/// A statement's text with its parameters from `$2` on moved behind the `before` that are bound already, the first of which
/// is `$1` still.
fn renumbered(sql: &str, before: usize) -> String {
    let mut parts = sql.split('$');
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let digits = part.len() - part.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let (number, rest) = part.split_at(digits);
        let number: usize = number.parse().unwrap_or_default();
        let number = if number > 1 { number + before - 1 } else { number };
        let _ = write!(text, "${number}{rest}");
    }
    text
}

/// Whether what the look found is what was expected.
pub(crate) fn holds(expect: &Expect, found: Option<i64>) -> bool {
    match expect {
        Expect::Exists(_) => found.is_some(),
        Expect::AtRevision(_, revision) => found == Some(number(*revision)),
        Expect::NoPendingRequest { .. } | Expect::NoAssignment { .. } | Expect::NothingTakenSince { .. } => {
            found.is_none()
        }
        Expect::SchemaAt(revision) => found.is_some_and(|at| at <= number(*revision)),
    }
}

fn revision_of(object: ObjectRef) -> (&'static str, Uuid) {
    match object {
        ObjectRef::User(id) => (USER, id.uuid()),
        ObjectRef::Tenant(id) => (TENANT, id.uuid()),
        ObjectRef::Instance(id) => (INSTANCE, id.uuid()),
        ObjectRef::Assignment(id) => (ASSIGNMENT, id.uuid()),
        ObjectRef::Tuple(id) => (TUPLE, id.uuid()),
        ObjectRef::Role(id) => (ROLE, id.uuid()),
        ObjectRef::Element(id) => (ELEMENT, id.uuid()),
        ObjectRef::Request(id) => (REQUEST, id.uuid()),
        ObjectRef::Invite(id) => (INVITE, id.uuid()),
    }
}

/// The table and id of the thing that is expected to be there, of the kinds of which a commit may expect many.
pub(crate) fn thing_of(expect: &Expect) -> Option<(&'static str, Uuid)> {
    let (Expect::Exists(object) | Expect::AtRevision(object, _)) = expect else { return None };
    match *object {
        ObjectRef::User(id) => Some(("user_", id.uuid())),
        ObjectRef::Tenant(id) => Some(("tenant", id.uuid())),
        ObjectRef::Instance(id) => Some(("instance", id.uuid())),
        ObjectRef::Assignment(id) => Some(("role_assignment", id.uuid())),
        ObjectRef::Tuple(id) => Some(("relationship_tuple", id.uuid())),
        _ => None,
    }
}

/// `id, revision` of those things that are there.
pub(crate) fn revisions_of(
    dialect: Dialect,
    env: EnvId,
    table: &'static str,
    ids: impl IntoIterator<Item = Uuid>,
) -> Statement {
    let sql = format!("SELECT id, revision FROM {table} WHERE env = $1 AND {}", dialect.one_of("id", 2));
    Statement { sql: sql.into(), args: vec![env.into(), dialect.ids(ids)] }
}

/// The place, from 0, of one of these expectations of no assignment that does not hold.
pub(crate) fn first_taken(dialect: Dialect, env: EnvId, vacancies: &[&Expect]) -> Statement {
    const SQLITE: &str = "SELECT json_each.key FROM json_each($2) CROSS JOIN role_assignment AS a WHERE a.env = $1 \
         AND a.user_id = unhex(json_each.value ->> 0) AND a.role_id = unhex(json_each.value ->> 1) \
         AND a.tenant_id = unhex(json_each.value ->> 2) AND coalesce(a.instance_id, x'') = unhex(json_each.value ->> 3) LIMIT 1";
    const POSTGRES: &str = "SELECT e.n - 1 FROM unnest($2, $3, $4, $5) WITH ORDINALITY AS e (u, r, t, i, n) \
         JOIN role_assignment AS a ON a.env = $1 AND a.user_id = e.u AND a.role_id = e.r AND a.tenant_id = e.t \
         AND coalesce(a.instance_id, '00000000-0000-0000-0000-000000000000') = e.i LIMIT 1";
    let slots = vacancies.iter().filter_map(|expect| match expect {
        Expect::NoAssignment { user, role, tenant, instance } => Some([
            Some(user.uuid()),
            Some(role.uuid()),
            Some(tenant.uuid()),
            instance.map(askfirst_domain::Id::uuid),
        ]),
        _ => None,
    });
    match dialect {
        Dialect::Sqlite => Statement::new(SQLITE, vec![env.into(), super::statement::rows_of_ids(slots)]),
        Dialect::Postgres => {
            let mut columns = [const { Vec::new() }; 4];
            for slot in slots {
                for (column, id) in columns.iter_mut().zip(slot) {
                    column.push(Some(id.unwrap_or_default()));
                }
            }
            let columns = columns.into_iter().map(Value::Uuids);
            Statement::new(POSTGRES, std::iter::once(env.into()).chain(columns).collect())
        }
    }
}
