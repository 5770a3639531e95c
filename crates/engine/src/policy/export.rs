//! A policy file of what is there.

use crate::{EnvScope, error::Result};
use askfirst_domain::{
    change::Change,
    facts::{DEFAULT_TENANT, Instance, RelationshipTuple, RoleAssignment, Tenant, User},
};
use askfirst_policy::{
    Loader,
    file::{AssignmentEntry, InstanceEntry, PolicyFile, Section, TenantEntry, TupleEntry, UserEntry},
};
use serde::Serialize;

/// A policy file of an environment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Exported {
    pub text: String,
    /// The revision that it shows.
    pub revision: u64,
}

impl EnvScope {
    /// The environment's policy as a file: resources, roles, sets, rules and elements in the order of their creation.
    /// Tokens of webhooks are not in it, only names for them.
    pub fn export_policy(&self) -> Exported {
        let state = self.state();
        let file = PolicyFile::of_schema(state.snapshot.schema());
        Exported { text: file.to_yaml(), revision: state.revision }
    }

    /// As [`EnvScope::export_policy`], with all facts, in the order of their names. Applied to an empty environment it gives
    /// the same environment, but for tokens.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn export_policy_with_facts(&self) -> Result<Exported> {
        let mut loader = Loader::new();
        let mut file = PolicyFile::default();
        let head = self
            .engine
            .store()
            .load(self.env.id, &mut |changes| {
                let schema: Vec<Change> =
                    changes.iter().filter(|change| change.is_schema()).cloned().collect();
                loader.load(&schema);
                for change in changes {
                    note(&mut file, change);
                }
            })
            .await?;
        let policy = PolicyFile::of_schema(loader.finish().schema());
        file.tenants.sort_by(|a, b| a.key.cmp(&b.key));
        file.users.sort_by(|a, b| a.key.cmp(&b.key));
        file.instances.sort_by(|a, b| a.at.cmp(&b.at));
        file.tuples
            .sort_by(|a, b| (&a.object, &a.relation, &a.subject).cmp(&(&b.object, &b.relation, &b.subject)));
        file.assignments
            .sort_by(|a, b| (&a.user, &a.on, &a.tenant, &a.role).cmp(&(&b.user, &b.on, &b.tenant, &b.role)));
        let facts = Section::ALL.into_iter().filter(|section| section.is_fact());
        let file = PolicyFile {
            sections: policy.sections.iter().copied().chain(facts).collect(),
            tenants: file.tenants,
            users: file.users,
            instances: file.instances,
            tuples: file.tuples,
            assignments: file.assignments,
            ..policy
        };
        Ok(Exported { text: file.to_yaml(), revision: head.revision })
    }
}

fn note(file: &mut PolicyFile, change: Change) {
    match change {
        Change::PutTenant(it) => file.tenants.push(tenant(&it)),
        Change::PutUser(it) => file.users.push(user(&it)),
        Change::PutInstance(it) => file.instances.push(instance(&it)),
        Change::PutTuple(it) => file.tuples.push(tuple(&it)),
        Change::PutAssignment(it) => file.assignments.push(assignment(&it)),
        _ => {}
    }
}

pub(super) fn tenant(tenant: &Tenant) -> TenantEntry {
    TenantEntry {
        key: tenant.key.clone(),
        name: tenant.name.clone(),
        description: tenant.description.clone(),
        attributes: tenant.attributes.clone(),
    }
}

pub(super) fn user(user: &User) -> UserEntry {
    UserEntry {
        key: user.key.clone(),
        email: user.email.clone(),
        first_name: user.first_name.clone(),
        last_name: user.last_name.clone(),
        attributes: user.attributes.clone(),
    }
}

pub(super) fn instance(instance: &Instance) -> InstanceEntry {
    InstanceEntry {
        at: askfirst_domain::facts::InstanceRef {
            resource: instance.resource.clone(),
            key: instance.key.clone(),
        },
        tenant: instance.tenant.clone(),
        attributes: instance.attributes.clone(),
    }
}

pub(super) fn tuple(tuple: &RelationshipTuple) -> TupleEntry {
    TupleEntry {
        subject: tuple.subject.reference(),
        relation: tuple.relation.clone(),
        object: tuple.object.reference(),
    }
}

/// The tenant of an instance is the instance's, and `default` goes without saying.
pub(super) fn assignment(assignment: &RoleAssignment) -> AssignmentEntry {
    let on = assignment.instance.as_ref().map(askfirst_domain::facts::InstanceLink::reference);
    let said = on.is_none() && assignment.tenant.as_str() != DEFAULT_TENANT;
    AssignmentEntry {
        user: assignment.user.clone(),
        role: assignment.role.clone(),
        tenant: said.then(|| assignment.tenant.clone()),
        expires_at: assignment.expires_at,
        on,
    }
}
