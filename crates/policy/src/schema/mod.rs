//! The schema of an environment: an immutable, indexed directory of resources, roles, relations and elements.
//!
//! It has no revision of its own: two schemas with the same content are the same. Iteration is in the order of
//! creation. What is written is checked first ([`Schema::check_role`] and its siblings), so what stands here holds
//! together, except for names that a later deletion left behind; those mean nothing (see [`Schema::detach_role`]).

mod closure;
mod detach;
mod directory;
mod error;
mod permission;
mod sets;
mod terms;
mod validate;

use crate::{condition::ConditionLimits, url_mapping::UrlRules};
use askfirst_domain::{
    Ident, Timestamp,
    agent::Agent,
    delegation::Delegation,
    element::Element,
    id::{
        AgentId, ConditionSetId, DelegationId, ElementId, ProxyConfigId, RelationId, ResourceId, RoleId,
        SetRuleId, UserId,
    },
    schema::{ConditionSet, Relation, Resource, Role, SetRule},
    url_mapping::ProxyConfig,
};
use directory::Directory;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};
use uuid::Uuid;

pub use error::{RoleName, SchemaError};
pub use permission::{parse_permission, parse_permissions};
pub use terms::{TermsError, condition_of_terms, is_within};

/// Resources, roles, relations, elements, condition sets and the rules over those of one environment.
#[derive(Debug, Clone, Default)]
pub struct Schema {
    resources: Directory<Resource>,
    roles: Directory<Role>,
    relations: Directory<Relation>,
    elements: Directory<Element>,
    condition_sets: Directory<ConditionSet>,
    set_rules: BTreeMap<SetRuleId, Arc<SetRule>>,
    /// The rules as they were created.
    rule_order: BTreeSet<(Timestamp, SetRuleId)>,
    proxy_configs: Directory<ProxyConfig>,
    agents: Directory<Agent>,
    delegations: BTreeMap<DelegationId, Arc<Delegation>>,
    /// Those of each stand-in.
    stand_ins: BTreeSet<(UserId, DelegationId)>,
    pub(crate) url_rules: UrlRules,
    /// How large a condition may be that is written.
    pub(crate) condition_limits: ConditionLimits,
}

impl Schema {
    /// The resource that `ident` names, by id or key.
    pub fn resource(&self, ident: &Ident) -> Option<&Arc<Resource>> {
        self.resources.resolve("", ident)
    }

    /// The resource with this key.
    pub fn resource_by_key(&self, key: &str) -> Option<&Arc<Resource>> {
        self.resources.find("", key)
    }

    /// The resource with this id.
    pub fn resource_by_id(&self, id: ResourceId) -> Option<&Arc<Resource>> {
        self.resources.get(id)
    }

    /// All resources.
    pub fn resources(&self) -> impl Iterator<Item = &Arc<Resource>> {
        self.resources.iter()
    }

    /// The role that `ident` names, by id or key: on `resource` (its key), or in tenants when that is none.
    pub fn role(&self, resource: Option<&str>, ident: &Ident) -> Option<&Arc<Role>> {
        self.roles.resolve(resource.unwrap_or_default(), ident)
    }

    /// The role with this key on `resource` (its key), or in tenants when that is none.
    pub fn role_by_key(&self, resource: Option<&str>, key: &str) -> Option<&Arc<Role>> {
        self.roles.find(resource.unwrap_or_default(), key)
    }

    /// The role with this id, wherever it is held.
    pub fn role_by_id(&self, id: RoleId) -> Option<&Arc<Role>> {
        self.roles.get(id)
    }

    /// All roles, on resources and in tenants.
    pub fn roles(&self) -> impl Iterator<Item = &Arc<Role>> {
        self.roles.iter()
    }

    /// The roles on `resource` (its key), or the tenant roles when that is none.
    pub fn roles_of<'s>(&'s self, resource: Option<&str>) -> impl Iterator<Item = &'s Arc<Role>> {
        self.roles.in_scope(resource.unwrap_or_default())
    }

    /// The relation of `object_resource` (its key) that `ident` names, by id or key.
    pub fn relation(&self, object_resource: &str, ident: &Ident) -> Option<&Arc<Relation>> {
        self.relations.resolve(object_resource, ident)
    }

    /// The relation of `object_resource` (its key) with this key.
    pub fn relation_by_key(&self, object_resource: &str, key: &str) -> Option<&Arc<Relation>> {
        self.relations.find(object_resource, key)
    }

    /// The relation with this id.
    pub fn relation_by_id(&self, id: RelationId) -> Option<&Arc<Relation>> {
        self.relations.get(id)
    }

    /// All relations.
    pub fn relations(&self) -> impl Iterator<Item = &Arc<Relation>> {
        self.relations.iter()
    }

    /// The relations that are declared on this resource (its key), that is, those in which it is the object.
    pub fn relations_of<'s>(&'s self, object_resource: &str) -> impl Iterator<Item = &'s Arc<Relation>> {
        self.relations.in_scope(object_resource)
    }

    /// The element that `ident` names, by id or key.
    pub fn element(&self, ident: &Ident) -> Option<&Arc<Element>> {
        self.elements.resolve("", ident)
    }

    /// The element with this key.
    pub fn element_by_key(&self, key: &str) -> Option<&Arc<Element>> {
        self.elements.find("", key)
    }

    /// The element with this id.
    pub fn element_by_id(&self, id: ElementId) -> Option<&Arc<Element>> {
        self.elements.get(id)
    }

    /// All elements.
    pub fn elements(&self) -> impl Iterator<Item = &Arc<Element>> {
        self.elements.iter()
    }

    /// The condition set, of either kind, that `ident` names, by id or key.
    pub fn condition_set(&self, ident: &Ident) -> Option<&Arc<ConditionSet>> {
        self.condition_sets.resolve("", ident)
    }

    /// The condition set with this key.
    pub fn condition_set_by_key(&self, key: &str) -> Option<&Arc<ConditionSet>> {
        self.condition_sets.find("", key)
    }

    /// The condition set with this id.
    pub fn condition_set_by_id(&self, id: ConditionSetId) -> Option<&Arc<ConditionSet>> {
        self.condition_sets.get(id)
    }

    /// All condition sets.
    pub fn condition_sets(&self) -> impl Iterator<Item = &Arc<ConditionSet>> {
        self.condition_sets.iter()
    }

    /// The rule over condition sets with this id.
    pub fn set_rule_by_id(&self, id: SetRuleId) -> Option<&Arc<SetRule>> {
        self.set_rules.get(&id)
    }

    /// All rules over condition sets.
    pub fn set_rules(&self) -> impl Iterator<Item = &Arc<SetRule>> {
        self.rule_order.iter().filter_map(|(_, id)| self.set_rules.get(id))
    }

    /// The proxy config that `ident` names, by id or key.
    pub fn proxy_config(&self, ident: &Ident) -> Option<&Arc<ProxyConfig>> {
        self.proxy_configs.resolve("", ident)
    }

    /// The proxy config with this key.
    pub fn proxy_config_by_key(&self, key: &str) -> Option<&Arc<ProxyConfig>> {
        self.proxy_configs.find("", key)
    }

    /// The proxy config with this id.
    pub fn proxy_config_by_id(&self, id: ProxyConfigId) -> Option<&Arc<ProxyConfig>> {
        self.proxy_configs.get(id)
    }

    /// All proxy configs.
    pub fn proxy_configs(&self) -> impl Iterator<Item = &Arc<ProxyConfig>> {
        self.proxy_configs.iter()
    }

    /// The registered agent that `ident` names, by id or key.
    pub fn agent(&self, ident: &Ident) -> Option<&Arc<Agent>> {
        self.agents.resolve("", ident)
    }

    /// The registered agent with this key.
    pub fn agent_by_key(&self, key: &str) -> Option<&Arc<Agent>> {
        self.agents.find("", key)
    }

    /// The registered agent with this id.
    pub fn agent_by_id(&self, id: AgentId) -> Option<&Arc<Agent>> {
        self.agents.get(id)
    }

    /// All registered agents.
    pub fn agents(&self) -> impl Iterator<Item = &Arc<Agent>> {
        self.agents.iter()
    }

    /// All stand-ins, those whose time is over or has not come among them.
    pub fn delegations(&self) -> impl Iterator<Item = &Arc<Delegation>> {
        self.delegations.values()
    }

    /// For whom this person stands in at a moment.
    pub fn stood_for(&self, by: UserId, at: Timestamp) -> impl Iterator<Item = &Arc<Delegation>> {
        let (first, last) = (DelegationId::new(Uuid::nil()), DelegationId::new(Uuid::max()));
        let own = self.stand_ins.range((by, first)..=(by, last));
        own.filter_map(|(_, id)| self.delegations.get(id)).filter(move |one| one.holds(at))
    }

    pub(crate) fn put_delegation(&mut self, delegation: Delegation) {
        self.remove_delegation(delegation.id);
        self.stand_ins.insert((delegation.to.id, delegation.id));
        self.delegations.insert(delegation.id, Arc::new(delegation));
    }

    pub(crate) fn remove_delegation(&mut self, id: DelegationId) {
        if let Some(gone) = self.delegations.remove(&id) {
            self.stand_ins.remove(&(gone.to.id, id));
        }
    }

    pub(crate) fn put_agent(&mut self, agent: Agent) {
        self.agents.put(agent);
    }

    pub(crate) fn put_proxy_config(&mut self, config: ProxyConfig) {
        self.url_rules.put(&config);
        self.proxy_configs.put(config);
    }

    pub(crate) fn remove_proxy_config(&mut self, id: ProxyConfigId) {
        self.url_rules.remove(id);
        self.proxy_configs.remove(id);
    }

    pub(crate) fn put_condition_set(&mut self, set: ConditionSet) {
        self.condition_sets.put(set);
    }

    pub(crate) fn remove_condition_set(&mut self, id: ConditionSetId) {
        self.condition_sets.remove(id);
    }

    pub(crate) fn put_set_rule(&mut self, rule: SetRule) {
        self.remove_set_rule(rule.id);
        self.rule_order.insert((rule.created_at, rule.id));
        self.set_rules.insert(rule.id, Arc::new(rule));
    }

    pub(crate) fn remove_set_rule(&mut self, id: SetRuleId) {
        if let Some(gone) = self.set_rules.remove(&id) {
            self.rule_order.remove(&(gone.created_at, id));
        }
    }

    pub(crate) fn put_resource(&mut self, resource: Resource) {
        self.resources.put(resource);
    }

    pub(crate) fn put_role(&mut self, role: Role) {
        self.roles.put(role);
    }

    pub(crate) fn put_relation(&mut self, relation: Relation) {
        self.relations.put(relation);
    }

    pub(crate) fn put_element(&mut self, element: Element) {
        self.elements.put(element);
    }

    pub(crate) fn remove_resource(&mut self, id: ResourceId) {
        self.resources.remove(id);
    }

    pub(crate) fn remove_role(&mut self, id: RoleId) {
        self.roles.remove(id);
    }

    pub(crate) fn remove_relation(&mut self, id: RelationId) {
        self.relations.remove(id);
    }

    pub(crate) fn remove_element(&mut self, id: ElementId) {
        self.elements.remove(id);
    }
}

#[cfg(test)]
mod tests;
