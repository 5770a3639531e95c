//! Schema objects with the ids of what they name by key, as the API shows them.

use askfirst_domain::{
    id::{RelationId, ResourceId, RoleId},
    schema::{DerivationRule, Relation, Resource, Role},
};
use askfirst_policy::Schema;
use std::sync::Arc;

/// A resource with its roles and relations.
#[derive(Debug, Clone)]
pub struct ResourceView {
    pub resource: Arc<Resource>,
    pub roles: Vec<RoleView>,
    pub relations: Vec<RelationView>,
}

/// A role.
#[derive(Debug, Clone)]
pub struct RoleView {
    pub role: Arc<Role>,
    /// None for a tenant role.
    pub resource_id: Option<ResourceId>,
    /// What it is derived from, in the order of [`askfirst_domain::schema::Derivation::users_with_role`].
    pub rules: Vec<RuleView>,
}

/// One source of a derived role.
#[derive(Debug, Clone)]
pub struct RuleView {
    pub rule: DerivationRule,
    pub role_id: RoleId,
    pub resource_id: ResourceId,
    pub relation_id: RelationId,
}

/// A relation.
#[derive(Debug, Clone)]
pub struct RelationView {
    pub relation: Arc<Relation>,
    pub subject_id: ResourceId,
    pub object_id: ResourceId,
}

pub(crate) fn resource_view(schema: &Schema, resource: &Arc<Resource>) -> ResourceView {
    let key = resource.key.as_str();
    ResourceView {
        resource: Arc::clone(resource),
        roles: schema.roles_of(Some(key)).map(|r| role_view(schema, r)).collect(),
        relations: schema.relations_of(key).filter_map(|r| relation_view(schema, r)).collect(),
    }
}

pub(crate) fn role_view(schema: &Schema, role: &Arc<Role>) -> RoleView {
    let resource_id =
        role.resource.as_ref().and_then(|key| schema.resource_by_key(key.as_str())).map(|r| r.id);
    let rules = role.granted_to.iter().flat_map(|block| &block.users_with_role);
    RoleView {
        role: Arc::clone(role),
        resource_id,
        rules: rules.filter_map(|rule| rule_view(schema, role, rule)).collect(),
    }
}

/// None when the rule names something that is not there.
pub(crate) fn rule_view(schema: &Schema, role: &Role, rule: &DerivationRule) -> Option<RuleView> {
    let source = schema.role_by_key(Some(rule.on_resource.as_str()), rule.role.as_str())?;
    let resource = schema.resource_by_key(rule.on_resource.as_str())?;
    let relation =
        schema.relation_by_key(role.resource.as_ref()?.as_str(), rule.linked_by_relation.as_str())?;
    Some(RuleView {
        rule: rule.clone(),
        role_id: source.id,
        resource_id: resource.id,
        relation_id: relation.id,
    })
}

/// None when the relation names a resource that is not there.
pub(crate) fn relation_view(schema: &Schema, relation: &Arc<Relation>) -> Option<RelationView> {
    Some(RelationView {
        relation: Arc::clone(relation),
        subject_id: schema.resource_by_key(relation.subject_resource.as_str())?.id,
        object_id: schema.resource_by_key(relation.object_resource.as_str())?.id,
    })
}
