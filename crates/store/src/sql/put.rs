//! From changes to statements on the tables.

use super::{
    Dialect, Pace, Statement, Value, delete, number,
    tables::{ASSIGNMENTS, INSTANCES, INVITES, REQUESTS, SCHEMA, TENANTS, TUPLES, Table, USERS},
};
use crate::StoreError;
use askfirst_domain::{
    Key,
    change::Change,
    facts::{Attributes, Instance, RelationshipTuple, RoleAssignment, Tenant, User},
    id::EnvId,
    invite::Invite,
    request::{Request, RequestKind},
};
use serde::Serialize;
use std::collections::HashSet;
use uuid::Uuid;

/// A statement that writes (a part of) some changes.
#[derive(Debug)]
pub(crate) struct Step<'c> {
    pub(crate) statement: Statement,
    /// The changes that it writes: one, or a run of puts of one kind.
    pub(crate) changes: &'c [Change],
}

/// The statements that write `changes`, in their order: runs of puts of one kind many at a time; who needs to know which
/// of them failed asks again for [`Pace::OneByOne`]. They are put together when they are asked for.
pub(crate) fn steps(
    dialect: Dialect,
    env: EnvId,
    revision: u64,
    changes: &[Change],
    pace: Pace,
) -> impl Iterator<Item = Result<Step<'_>, StoreError>> {
    let mut rest = changes;
    let runs = std::iter::from_fn(move || {
        let most = match pace {
            Pace::New | Pace::Many => dialect.at_once(pace, run(rest, dialect.most())),
            Pace::OneByOne => 1,
        };
        let (these, behind) = rest.split_at_checked(most.max(1))?;
        rest = behind;
        Some(these)
    });
    runs.flat_map(move |these| match written(dialect, env, revision, these, pace) {
        Ok(steps) => steps.into_iter().map(Ok).collect(),
        Err(error) => vec![Err(error)],
    })
}

/// The statements that write a run of changes.
fn written(
    dialect: Dialect,
    env: EnvId,
    revision: u64,
    these: &[Change],
    pace: Pace,
) -> Result<Vec<Step<'_>>, StoreError> {
    let Some(first) = these.first() else { return Ok(Vec::new()) };
    if let Some(table) = table_of(first) {
        let rows: Result<Vec<_>, _> = these.iter().map(|change| row(env, revision, change)).collect();
        return Ok(vec![Step { statement: table.put(dialect, pace, rows?), changes: these }]);
    }
    let deletes = delete::statements(env, first).into_iter();
    Ok(deletes.map(|statement| Step { statement, changes: these }).collect())
}

/// How many of the first `most` changes, one at least, are puts into one table that write no row twice.
fn run(changes: &[Change], most: usize) -> usize {
    let Some(table) = changes.first().and_then(table_of) else { return 1 };
    let mut seen = HashSet::new();
    changes
        .iter()
        .take(most)
        .take_while(|change| {
            table_of(change).is_some_and(|t| t.name == table.name)
                && fact_id(change).is_some_and(|id| seen.insert(id))
        })
        .count()
        .max(1)
}

fn table_of(change: &Change) -> Option<&'static Table> {
    match change {
        Change::PutResource(_)
        | Change::PutRole(_)
        | Change::PutRelation(_)
        | Change::PutElement(_)
        | Change::PutConditionSet(_)
        | Change::PutSetRule(_)
        | Change::PutProxyConfig(_)
        | Change::PutAgent(_)
        | Change::PutDelegation(_) => Some(&SCHEMA),
        Change::PutUser(_) => Some(&USERS),
        Change::PutTenant(_) => Some(&TENANTS),
        Change::PutInstance(_) => Some(&INSTANCES),
        Change::PutAssignment(_) => Some(&ASSIGNMENTS),
        Change::PutTuple(_) => Some(&TUPLES),
        Change::PutRequest(_) => Some(&REQUESTS),
        Change::PutInvite(_) => Some(&INVITES),
        _ => None,
    }
}

fn fact_id(change: &Change) -> Option<Uuid> {
    match change {
        Change::PutUser(user) => Some(user.id.uuid()),
        Change::PutInstance(instance) => Some(instance.id.uuid()),
        Change::PutAssignment(assignment) => Some(assignment.id.uuid()),
        Change::PutTuple(tuple) => Some(tuple.id.uuid()),
        _ => None,
    }
}

/// The row of a put, in the order of its table's columns.
fn row(env: EnvId, revision: u64, change: &Change) -> Result<Vec<Value>, StoreError> {
    let at = number(revision);
    let schema = |kind: &str,
                  id: Uuid,
                  scope: Option<&Key>,
                  key: &str,
                  subject: Option<&Key>,
                  body: String| {
        let scope = scope.map_or("", Key::as_str);
        let subject = Value::from(subject.map(Key::as_str));
        vec![env.into(), kind.into(), body.into(), at.into(), id.into(), scope.into(), key.into(), subject]
    };
    Ok(match change {
        Change::PutResource(r) => schema("resource", r.id.uuid(), None, r.key.as_str(), None, json(r)?),
        Change::PutRole(r) => {
            schema("role", r.id.uuid(), r.resource.as_ref(), r.key.as_str(), None, json(r)?)
        }
        Change::PutRelation(r) => {
            let (object, subject) = (Some(&r.object_resource), Some(&r.subject_resource));
            schema("relation", r.id.uuid(), object, r.key.as_str(), subject, json(r)?)
        }
        Change::PutElement(e) => schema("element", e.id.uuid(), None, e.key.as_str(), None, json(e)?),
        Change::PutConditionSet(x) => {
            schema("condition_set", x.id.uuid(), None, x.key.as_str(), None, json(x)?)
        }
        Change::PutSetRule(x) => schema("set_rule", x.id.uuid(), None, &x.name(), None, json(x)?),
        Change::PutProxyConfig(x) => {
            schema("proxy_config", x.id.uuid(), None, x.key.as_str(), None, json(x)?)
        }
        Change::PutAgent(a) => schema("agent", a.id.uuid(), None, a.key.as_str(), None, json(a)?),
        Change::PutDelegation(d) => {
            schema("delegation", d.id.uuid(), None, &d.id.to_string(), None, json(d)?)
        }
        Change::PutUser(user) => user_row(env, at, user)?,
        Change::PutTenant(tenant) => tenant_row(env, at, tenant)?,
        Change::PutInstance(instance) => instance_row(env, at, instance)?,
        Change::PutAssignment(assignment) => assignment_row(env, at, assignment),
        Change::PutTuple(tuple) => tuple_row(env, at, tuple),
        Change::PutRequest(request) => request_row(env, at, request)?,
        Change::PutInvite(invite) => invite_row(env, at, invite)?,
        _ => Vec::new(),
    })
}

fn user_row(env: EnvId, revision: i64, user: &User) -> Result<Vec<Value>, StoreError> {
    let names: Vec<_> =
        [user.first_name.as_deref(), user.last_name.as_deref()].into_iter().flatten().collect();
    let search =
        searchable(&[user.key.as_str(), user.email.as_deref().unwrap_or_default(), &names.join(" ")]);
    Ok(vec![
        env.into(),
        user.id.into(),
        user.key.as_str().into(),
        user.email.as_deref().into(),
        user.first_name.as_deref().into(),
        user.last_name.as_deref().into(),
        attributes(&user.attributes)?,
        user.created_at.into(),
        user.updated_at.into(),
        revision.into(),
        search,
    ])
}

fn tenant_row(env: EnvId, revision: i64, tenant: &Tenant) -> Result<Vec<Value>, StoreError> {
    Ok(vec![
        env.into(),
        tenant.id.into(),
        tenant.key.as_str().into(),
        tenant.name.as_str().into(),
        tenant.description.as_deref().into(),
        attributes(&tenant.attributes)?,
        tenant.created_at.into(),
        tenant.updated_at.into(),
        tenant.last_action_at.into(),
        revision.into(),
        searchable(&[tenant.key.as_str(), &tenant.name]),
    ])
}

fn instance_row(env: EnvId, revision: i64, instance: &Instance) -> Result<Vec<Value>, StoreError> {
    Ok(vec![
        env.into(),
        instance.id.into(),
        instance.key.as_str().into(),
        instance.resource.as_str().into(),
        instance.resource_id.into(),
        instance.tenant.as_str().into(),
        instance.tenant_id.into(),
        attributes(&instance.attributes)?,
        instance.created_at.into(),
        instance.updated_at.into(),
        revision.into(),
        searchable(&[instance.key.as_str()]),
    ])
}

fn assignment_row(env: EnvId, revision: i64, assignment: &RoleAssignment) -> Vec<Value> {
    let on = assignment.instance.as_ref();
    vec![
        env.into(),
        assignment.id.into(),
        assignment.user.as_str().into(),
        assignment.user_id.into(),
        assignment.role.as_str().into(),
        assignment.role_id.into(),
        assignment.tenant.as_str().into(),
        assignment.tenant_id.into(),
        on.map(|link| link.id).into(),
        on.map(|link| link.resource.as_str()).into(),
        on.map(|link| link.key.as_str()).into(),
        assignment.expires_at.into(),
        assignment.origin.into(),
        assignment.created_at.into(),
        revision.into(),
    ]
}

fn tuple_row(env: EnvId, revision: i64, tuple: &RelationshipTuple) -> Vec<Value> {
    vec![
        env.into(),
        tuple.id.into(),
        tuple.subject.id.into(),
        tuple.subject.resource.as_str().into(),
        tuple.subject.key.as_str().into(),
        tuple.relation.as_str().into(),
        tuple.relation_id.into(),
        tuple.object.id.into(),
        tuple.object.resource.as_str().into(),
        tuple.object.key.as_str().into(),
        tuple.tenant.as_str().into(),
        tuple.tenant_id.into(),
        tuple.created_at.into(),
        tuple.updated_at.into(),
        revision.into(),
    ]
}

fn request_row(env: EnvId, revision: i64, request: &Request) -> Result<Vec<Value>, StoreError> {
    Ok(vec![
        env.into(),
        json(request)?.into(),
        revision.into(),
        request.id.into(),
        kind_word(request.kind).into(),
        request.element.into(),
        request.requester.id.into(),
        request.tenant_id.into(),
        request.role.id.into(),
        request.resource.as_ref().map(Key::as_str).into(),
        request.instance.as_ref().map(|link| link.id).into(),
        request.status.as_str().into(),
        request.wish.as_str().into(),
        request.created_at.into(),
        request.ends_at().into(),
        request.course.is_unlooked().then_some(1).into(),
        request.escalates_at().into(),
    ])
}

fn invite_row(env: EnvId, revision: i64, invite: &Invite) -> Result<Vec<Value>, StoreError> {
    Ok(vec![
        env.into(),
        json(invite)?.into(),
        revision.into(),
        invite.id.into(),
        invite.status.as_str().into(),
        invite.role_id.into(),
        invite.tenant_id.into(),
        invite.wish().as_str().into(),
        invite.created_at.into(),
    ])
}

/// The kind of a request as it stands in its column.
pub(crate) fn kind_word(kind: RequestKind) -> &'static str {
    match kind {
        RequestKind::AccessRequest => "access_request",
        RequestKind::OperationApproval => "operation_approval",
    }
}

/// What a search looks through: the parts in lower case, so that a search in any case and alphabet finds them.
fn searchable(parts: &[&str]) -> Value {
    Value::from(parts.join("\n").to_lowercase())
}

fn attributes(attributes: &Attributes) -> Result<Value, StoreError> {
    if attributes.is_empty() { Ok("{}".into()) } else { json(attributes).map(Value::from) }
}

/// As JSON text.
///
/// # Errors
/// [`StoreError::Nul`]: all that anybody writes passes by here, so this is where it is refused, for both databases alike.
pub(crate) fn json<T: Serialize>(value: &T) -> Result<String, StoreError> {
    let json = serde_json::to_string(value)
        .map_err(|e| StoreError::Corrupt { what: "value to be written", detail: e.to_string() })?;
    if spells_nul(&json) { Err(StoreError::Nul) } else { Ok(json) }
}

/// Whether a text in the JSON holds NUL, which is always spelled so there. After an even number of backslashes it is only
/// these letters.
pub(crate) fn spells_nul(json: &str) -> bool {
    json.match_indices("u0000").any(|(at, _)| {
        let before = json.get(..at).unwrap_or_default();
        !(before.len() - before.trim_end_matches('\\').len()).is_multiple_of(2)
    })
}

/// Whether a change is one of the schema.
pub(crate) fn touches_schema(change: &Change) -> bool {
    change.is_schema()
}

/// What stands in the way when a put breaks a uniqueness, as a person calls it.
pub(crate) fn name_of(change: &Change) -> String {
    let keyed = |what: &str, key: &dyn std::fmt::Display| format!("{what} with the key `{key}`");
    match change {
        Change::PutResource(r) => keyed("a resource", &r.key),
        Change::PutRole(r) => match &r.resource {
            Some(resource) => keyed(&format!("a role of `{resource}`"), &r.key),
            None => keyed("a role", &r.key),
        },
        Change::PutRelation(r) => keyed(&format!("a relation of `{}`", r.object_resource), &r.key),
        Change::PutElement(e) => keyed("an element", &e.key),
        Change::PutConditionSet(x) => keyed("a condition set", &x.key),
        Change::PutSetRule(_) => "this rule over condition sets".to_owned(),
        Change::PutProxyConfig(x) => keyed("a proxy config", &x.key),
        Change::PutAgent(a) => keyed("an agent", &a.key),
        Change::PutUser(u) => keyed("a user", &u.key),
        Change::PutTenant(t) => keyed("a tenant", &t.key),
        Change::PutInstance(i) => keyed(&format!("an instance of `{}`", i.resource), &i.key),
        Change::PutAssignment(_) => "this role assignment".to_owned(),
        Change::PutTuple(_) => "this relationship tuple".to_owned(),
        Change::PutRequest(_) => "a pending request for the same".to_owned(),
        Change::PutInvite(_) => "a pending invitation to the same".to_owned(),
        _ => "the thing".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nul_is_told_from_letters_that_look_like_it() {
        for (text, holds) in
            [("\0", true), ("a\\\0", true), ("u0000", false), ("\\u0000", false), ("\\\\u0000", false)]
        {
            assert_eq!(json(&text).is_err(), holds, "{text:?}");
            assert_eq!(json(&serde_json::json!({ text: [1] })).is_err(), holds, "a name: {text:?}");
        }
    }
}
