//! What a delete takes along: whatever can't stand without the deleted thing, as the change says.

use super::{Statement, Value};
use askfirst_domain::{change::Change, id::EnvId};

const ASSIGNMENTS_OF_USER: &str = "DELETE FROM role_assignment WHERE env = $1 AND user_id = $2";
const ASSIGNMENTS_OF_ROLE: &str = "DELETE FROM role_assignment WHERE env = $1 AND role_id = $2";
const ASSIGNMENTS_IN_TENANT: &str = "DELETE FROM role_assignment WHERE env = $1 AND tenant_id = $2";
const ASSIGNMENTS_ON_INSTANCES_IN_TENANT: &str = "DELETE FROM role_assignment WHERE env = $1 AND instance_id IN \
     (SELECT id FROM instance WHERE env = $1 AND tenant_id = $2)";
const ASSIGNMENTS_ON_INSTANCE: &str = "DELETE FROM role_assignment WHERE env = $1 AND instance_id = $2";
const ASSIGNMENTS_OF_ROLES_OF_RESOURCE: &str = "DELETE FROM role_assignment WHERE env = $1 AND role_id IN \
     (SELECT id FROM schema_object WHERE env = $1 AND kind = 'role' AND scope = $2)";
const ASSIGNMENTS_ON_RESOURCE: &str = "DELETE FROM role_assignment WHERE env = $1 AND instance_resource = $2";

const TUPLES_IN_TENANT: &str = "DELETE FROM relationship_tuple WHERE env = $1 AND tenant_id = $2";
const TUPLES_FROM_TENANT: &str = "DELETE FROM relationship_tuple WHERE env = $1 AND subject_id IN \
     (SELECT id FROM instance WHERE env = $1 AND tenant_id = $2)";
const TUPLES_TO_TENANT: &str = "DELETE FROM relationship_tuple WHERE env = $1 AND object_id IN \
     (SELECT id FROM instance WHERE env = $1 AND tenant_id = $2)";
const TUPLES_FROM_INSTANCE: &str = "DELETE FROM relationship_tuple WHERE env = $1 AND subject_id = $2";
const TUPLES_TO_INSTANCE: &str = "DELETE FROM relationship_tuple WHERE env = $1 AND object_id = $2";
const TUPLES_FROM_RESOURCE: &str = "DELETE FROM relationship_tuple WHERE env = $1 AND subject_resource = $2";
const TUPLES_TO_RESOURCE: &str = "DELETE FROM relationship_tuple WHERE env = $1 AND object_resource = $2";
const TUPLES_OF_RELATION: &str =
    "DELETE FROM relationship_tuple WHERE env = $1 AND relation = $2 AND relation_id = $3";

const INSTANCES_IN_TENANT: &str = "DELETE FROM instance WHERE env = $1 AND tenant_id = $2";
const INSTANCES_OF_RESOURCE: &str = "DELETE FROM instance WHERE env = $1 AND resource = $2";

const SCHEMA_OF_RESOURCE: &str =
    "DELETE FROM schema_object WHERE env = $1 AND kind IN ('role', 'relation') AND scope = $2";
const RELATIONS_FROM_RESOURCE: &str = "DELETE FROM schema_object WHERE env = $1 AND subject = $2";
const SCHEMA_OBJECT: &str = "DELETE FROM schema_object WHERE env = $1 AND kind = $2 AND id = $3";

const PASSWORD_OF_USER: &str = "DELETE FROM password WHERE env = $1 AND user_id = $2";
const IDENTITIES_OF_USER: &str = "DELETE FROM identity WHERE env = $1 AND user_id = $2";
const USER: &str = "DELETE FROM user_ WHERE env = $1 AND id = $2";
const TENANT: &str = "DELETE FROM tenant WHERE env = $1 AND id = $2";
const INSTANCE: &str = "DELETE FROM instance WHERE env = $1 AND id = $2";
const ASSIGNMENT: &str = "DELETE FROM role_assignment WHERE env = $1 AND id = $2";
const INVITE: &str = "DELETE FROM user_invite WHERE env = $1 AND id = $2";
const TUPLE: &str = "DELETE FROM relationship_tuple WHERE env = $1 AND id = $2";

/// The statements of a delete; of a put there are none.
pub(super) fn statements(env: EnvId, change: &Change) -> Vec<Statement> {
    let each = |by: Value, texts: &[&'static str]| -> Vec<Statement> {
        texts.iter().map(|sql| Statement::new(sql, vec![env.into(), by.clone()])).collect()
    };
    let object = |kind: &str, id: Value| Statement::new(SCHEMA_OBJECT, vec![env.into(), kind.into(), id]);
    match change {
        Change::DeleteResource { id, key } => {
            let mut all = each(
                key.as_str().into(),
                &[
                    ASSIGNMENTS_OF_ROLES_OF_RESOURCE,
                    ASSIGNMENTS_ON_RESOURCE,
                    TUPLES_FROM_RESOURCE,
                    TUPLES_TO_RESOURCE,
                    INSTANCES_OF_RESOURCE,
                    SCHEMA_OF_RESOURCE,
                    RELATIONS_FROM_RESOURCE,
                ],
            );
            all.push(object("resource", (*id).into()));
            all
        }
        Change::DeleteRole { id, .. } => {
            let mut all = each((*id).into(), &[ASSIGNMENTS_OF_ROLE]);
            all.push(object("role", (*id).into()));
            all
        }
        Change::DeleteRelation { id, key, .. } => vec![
            Statement::new(TUPLES_OF_RELATION, vec![env.into(), key.as_str().into(), (*id).into()]),
            object("relation", (*id).into()),
        ],
        Change::DeleteElement { id } => vec![object("element", (*id).into())],
        Change::DeleteConditionSet { id, .. } => vec![object("condition_set", (*id).into())],
        Change::DeleteSetRule { id } => vec![object("set_rule", (*id).into())],
        Change::DeleteProxyConfig { id } => vec![object("proxy_config", (*id).into())],
        Change::DeleteDelegation { id } => vec![object("delegation", (*id).into())],
        Change::DeleteInvite { id } => each((*id).into(), &[INVITE]),
        Change::DeleteUser { id, .. } => {
            each((*id).into(), &[ASSIGNMENTS_OF_USER, PASSWORD_OF_USER, IDENTITIES_OF_USER, USER])
        }
        Change::DeleteTenant { id, .. } => each(
            (*id).into(),
            &[
                ASSIGNMENTS_IN_TENANT,
                ASSIGNMENTS_ON_INSTANCES_IN_TENANT,
                TUPLES_IN_TENANT,
                TUPLES_FROM_TENANT,
                TUPLES_TO_TENANT,
                INSTANCES_IN_TENANT,
                TENANT,
            ],
        ),
        Change::DeleteInstance { id, .. } => {
            each((*id).into(), &[ASSIGNMENTS_ON_INSTANCE, TUPLES_FROM_INSTANCE, TUPLES_TO_INSTANCE, INSTANCE])
        }
        Change::DeleteAssignment(assignment) => each(assignment.id.into(), &[ASSIGNMENT]),
        Change::DeleteTuple(tuple) => each(tuple.id.into(), &[TUPLE]),
        Change::PutResource(_)
        | Change::PutRole(_)
        | Change::PutRelation(_)
        | Change::PutElement(_)
        | Change::PutConditionSet(_)
        | Change::PutSetRule(_)
        | Change::PutProxyConfig(_)
        | Change::PutAgent(_)
        | Change::PutDelegation(_)
        | Change::PutUser(_)
        | Change::PutTenant(_)
        | Change::PutInstance(_)
        | Change::PutAssignment(_)
        | Change::PutTuple(_)
        | Change::PutRequest(_)
        | Change::PutInvite(_) => Vec::new(),
    }
}
