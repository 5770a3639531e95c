//! Expectations: each is one look at the state.

use super::{Statement, number};
use askfirst_domain::{
    change::{Expect, ObjectRef},
    id::EnvId,
};
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
const SCHEMA: &str = "SELECT schema_revision FROM environment WHERE id = $1";

/// The statement that looks: one number, or no row.
pub(crate) fn probe(env: EnvId, expect: &Expect) -> Statement {
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
    }
}

/// Whether what the look found is what was expected.
pub(crate) fn holds(expect: &Expect, found: Option<i64>) -> bool {
    match expect {
        Expect::Exists(_) => found.is_some(),
        Expect::AtRevision(_, revision) => found == Some(number(*revision)),
        Expect::NoPendingRequest { .. } | Expect::NoAssignment { .. } => found.is_none(),
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
