//! The plainest store there can be: maps in memory. What it comes to is what a body has to come to.

use askfirst_domain::{
    agent::Agent,
    change::Change,
    delegation::Delegation,
    element::Element,
    facts::{Instance, RelationshipTuple, RoleAssignment, Tenant, User},
    id::{
        AgentId, AssignmentId, ConditionSetId, DelegationId, ElementId, InstanceId, InviteId, ProxyConfigId,
        RelationId, RequestId, ResourceId, RoleId, SetRuleId, TenantId, TupleId, UserId,
    },
    invite::{Invite, InviteStatus},
    request::{Request, Status},
    schema::{ConditionSet, Relation, Resource, Role, SetRule},
    url_mapping::ProxyConfig,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    hash::Hash,
};

/// A uniqueness was broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Twice;

/// The state of an environment.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Model {
    pub resources: BTreeMap<ResourceId, Resource>,
    pub roles: BTreeMap<RoleId, Role>,
    pub relations: BTreeMap<RelationId, Relation>,
    pub elements: BTreeMap<ElementId, Element>,
    pub condition_sets: BTreeMap<ConditionSetId, ConditionSet>,
    pub set_rules: BTreeMap<SetRuleId, SetRule>,
    pub users: BTreeMap<UserId, User>,
    pub tenants: BTreeMap<TenantId, Tenant>,
    pub instances: BTreeMap<InstanceId, Instance>,
    pub assignments: BTreeMap<AssignmentId, RoleAssignment>,
    pub tuples: BTreeMap<TupleId, RelationshipTuple>,
    pub requests: BTreeMap<RequestId, Request>,
    pub proxy_configs: BTreeMap<ProxyConfigId, ProxyConfig>,
    pub agents: BTreeMap<AgentId, Agent>,
    pub delegations: BTreeMap<DelegationId, Delegation>,
    pub invites: BTreeMap<InviteId, Invite>,
}

impl Model {
    /// Applies one change with all that it takes along. A model that says [`Twice`] is of no further use.
    pub fn apply(&mut self, change: &Change) -> Result<(), Twice> {
        self.put_or_delete(change);
        self.check()
    }

    /// As [`Model::apply`], for changes that are known to break no uniqueness.
    pub fn put_or_delete(&mut self, change: &Change) {
        match change {
            Change::PutResource(x) => drop(self.resources.insert(x.id, x.clone())),
            Change::PutRole(x) => drop(self.roles.insert(x.id, x.clone())),
            Change::PutRelation(x) => drop(self.relations.insert(x.id, x.clone())),
            Change::PutElement(x) => drop(self.elements.insert(x.id, x.clone())),
            Change::PutConditionSet(x) => drop(self.condition_sets.insert(x.id, x.clone())),
            Change::PutSetRule(x) => drop(self.set_rules.insert(x.id, x.clone())),
            Change::PutProxyConfig(x) => drop(self.proxy_configs.insert(x.id, x.clone())),
            Change::PutAgent(x) => drop(self.agents.insert(x.id, x.clone())),
            Change::PutDelegation(x) => drop(self.delegations.insert(x.id, x.clone())),
            Change::DeleteDelegation { id } => drop(self.delegations.remove(id)),
            Change::PutInvite(x) => drop(self.invites.insert(x.id, x.clone())),
            Change::PutUser(x) => drop(self.users.insert(x.id, x.clone())),
            Change::PutTenant(x) => drop(self.tenants.insert(x.id, x.clone())),
            Change::PutInstance(x) => drop(self.instances.insert(x.id, x.clone())),
            Change::PutAssignment(x) => drop(self.assignments.insert(x.id, x.clone())),
            Change::PutTuple(x) => drop(self.tuples.insert(x.id, x.clone())),
            Change::PutRequest(x) => drop(self.requests.insert(x.id, Request::clone(x))),
            delete => self.delete(delete),
        }
    }

    fn delete(&mut self, change: &Change) {
        match change {
            Change::DeleteResource { id, key } => {
                self.resources.remove(id);
                let roles: BTreeSet<_> =
                    self.roles.values().filter(|r| r.resource.as_ref() == Some(key)).map(|r| r.id).collect();
                self.assignments.retain(|_, a| {
                    !roles.contains(&a.role_id) && a.instance.as_ref().is_none_or(|i| i.resource != *key)
                });
                self.roles.retain(|id, _| !roles.contains(id));
                self.relations.retain(|_, r| r.object_resource != *key && r.subject_resource != *key);
                self.instances.retain(|_, i| i.resource != *key);
                self.tuples.retain(|_, t| t.subject.resource != *key && t.object.resource != *key);
            }
            Change::DeleteRole { id, .. } => {
                self.roles.remove(id);
                self.assignments.retain(|_, a| a.role_id != *id);
            }
            Change::DeleteRelation { id, .. } => {
                self.relations.remove(id);
                self.tuples.retain(|_, t| t.relation_id != *id);
            }
            Change::DeleteElement { id } => drop(self.elements.remove(id)),
            Change::DeleteConditionSet { id, .. } => drop(self.condition_sets.remove(id)),
            Change::DeleteSetRule { id } => drop(self.set_rules.remove(id)),
            Change::DeleteProxyConfig { id } => drop(self.proxy_configs.remove(id)),
            Change::DeleteInvite { id } => drop(self.invites.remove(id)),
            Change::DeleteUser { id, .. } => {
                self.users.remove(id);
                self.assignments.retain(|_, a| a.user_id != *id);
            }
            Change::DeleteTenant { id, .. } => {
                self.tenants.remove(id);
                let gone: BTreeSet<_> =
                    self.instances.values().filter(|i| i.tenant_id == *id).map(|i| i.id).collect();
                self.assignments.retain(|_, a| a.tenant_id != *id);
                self.tuples.retain(|_, t| t.tenant_id != *id);
                self.drop_instances(&gone);
            }
            Change::DeleteInstance { id, .. } => self.drop_instances(&BTreeSet::from([*id])),
            Change::DeleteAssignment(x) => drop(self.assignments.remove(&x.id)),
            Change::DeleteTuple(x) => drop(self.tuples.remove(&x.id)),
            _ => {}
        }
    }

    fn drop_instances(&mut self, gone: &BTreeSet<InstanceId>) {
        self.instances.retain(|id, _| !gone.contains(id));
        self.assignments.retain(|_, a| a.instance.as_ref().is_none_or(|i| !gone.contains(&i.id)));
        self.tuples.retain(|_, t| !gone.contains(&t.subject.id) && !gone.contains(&t.object.id));
    }

    fn check(&self) -> Result<(), Twice> {
        let pending = self.requests.values().filter(|r| r.status == Status::Pending);
        let invited = self.invites.values().filter(|i| i.status == InviteStatus::Pending);
        let all = once(self.resources.values().map(|r| &r.key))
            && once(self.roles.values().map(|r| (&r.resource, &r.key)))
            && once(self.relations.values().map(|r| (&r.object_resource, &r.key)))
            && once(self.elements.values().map(|e| &e.key))
            && once(self.condition_sets.values().map(|s| &s.key))
            && once(self.set_rules.values().map(SetRule::name))
            && once(self.users.values().map(|u| &u.key))
            && once(self.tenants.values().map(|t| &t.key))
            && once(self.instances.values().map(|i| (&i.resource, &i.key)))
            && once(
                self.assignments
                    .values()
                    .map(|a| (a.user_id, a.role_id, a.tenant_id, a.instance.as_ref().map(|i| i.id))),
            )
            && once(self.tuples.values().map(|t| (t.subject.id, t.relation_id, t.object.id)))
            && once(pending.map(|r| &r.wish))
            && once(self.proxy_configs.values().map(|c| &c.key))
            && once(self.agents.values().map(|a| &a.key))
            && once(invited.map(Invite::wish));
        if all { Ok(()) } else { Err(Twice) }
    }
}

fn once<T: Eq + Hash>(things: impl Iterator<Item = T>) -> bool {
    let mut seen = std::collections::HashSet::new();
    let mut things = things;
    things.all(|thing| seen.insert(thing))
}
