//! Why something may not be written into the schema. Each prints as one sentence that says what would be right.

use super::terms::TermsError;
use crate::condition::ConditionError;
use askfirst_domain::{Key, KeyError, element::ElementType, id::RoleId, schema::Role};
use std::fmt;
use thiserror::Error;

/// A role as people name it: `restaurants#parent`, or `admin` for a tenant role.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RoleName {
    pub resource: Option<Key>,
    pub key: Key,
}

impl From<&Role> for RoleName {
    fn from(role: &Role) -> Self {
        Self { resource: role.resource.clone(), key: role.key.clone() }
    }
}

impl fmt::Display for RoleName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.resource {
            Some(resource) => write!(f, "{resource}#{}", self.key),
            None => self.key.fmt(f),
        }
    }
}

/// Names in a sentence: `a, b, c`, or `none` when there are none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Names(pub Vec<String>);

impl fmt::Display for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() { f.write_str("none") } else { f.write_str(&self.0.join(", ")) }
    }
}

/// Why something may not be written into the schema.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SchemaError {
    /// Terms that can't be kept.
    #[error("the terms of the element `{element}` {cause}")]
    Terms { element: Key, cause: TermsError },
    /// A role names actions that its resource (or the named one) does not have.
    #[error("the role {role} permits what does not exist: {missing}; what exists is: {available}")]
    MissingPermissions { role: RoleName, missing: Names, available: Names },
    /// A resource role's permission has a prefix.
    #[error(
        "the role {role} is held on instances of {resource}, so write its permission `{permission}` as `{bare}`, \
         an action of {resource} without a prefix"
    )]
    PrefixedPermission { role: RoleName, permission: String, bare: String, resource: Key },
    /// A tenant role's permission has no prefix.
    #[error(
        "the role {role} is held in tenants, so write its permission `{permission}` with its resource, as \
         `resource:{permission}`"
    )]
    BarePermission { role: RoleName, permission: String },
    /// A permission whose parts are not keys.
    #[error("`{permission}` is not a permission: {cause}")]
    MalformedPermission { permission: String, cause: KeyError },
    /// A resource role permits an action of another resource.
    #[error(
        "the role {role} is held on instances of its own resource and can't permit actions of {resource}"
    )]
    ForeignPermission { role: RoleName, resource: Key },
    /// There is no such resource.
    #[error("there is no resource `{resource}`; the resources are: {available}")]
    UnknownResource { resource: Key, available: Names },
    /// An extended role is not there.
    #[error(
        "the role {role} extends `{extended}`, which does not exist; roles of the same scope are: {available}"
    )]
    UnknownExtendedRole { role: RoleName, extended: Key, available: Names },
    /// Extending would lead back.
    #[error("the role {role} can't extend `{extended}`, since `{extended}` already extends {role}")]
    ExtendsCycle { role: RoleName, extended: Key },
    /// A tenant role has a derivation.
    #[error("the role {role} is held in tenants and can't be derived; only roles on a resource can")]
    DerivedTenantRole { role: RoleName },
    /// A derivation's source role is not there.
    #[error(
        "the role {role} is derived from `{source_role}` on {on_resource}, which does not exist; the roles of \
         {on_resource} are: {available}"
    )]
    UnknownSourceRole { role: RoleName, source_role: Key, on_resource: Key, available: Names },
    /// A derivation's relation is not there.
    #[error(
        "the role {role} is derived over the relation `{relation}`, which {object_resource} does not have; its \
         relations are: {available}"
    )]
    UnknownRelation { role: RoleName, relation: Key, object_resource: Key, available: Names },
    /// A derivation's relation comes from another resource.
    #[error(
        "the role {role} is derived from a role on {on_resource} over the relation `{relation}`, but the subject of \
         `{relation}` is {subject_resource}; name a role on {subject_resource}"
    )]
    ForeignRelation { role: RoleName, relation: Key, on_resource: Key, subject_resource: Key },
    /// A relation's subject resource is not there.
    #[error(
        "the relation `{relation}` of {object_resource} needs a subject resource that exists, and `{subject_resource}` \
         does not; the resources are: {available}"
    )]
    UnknownSubject { relation: Key, object_resource: Key, subject_resource: Key, available: Names },
    /// `parent` of itself.
    #[error("{resource} can't be `parent` of itself; give the relation another key")]
    ParentOfItself { resource: Key },
    /// Two actions or attributes with one key.
    #[error("{resource} has `{key}` twice; keys of actions and of attributes are unique in a resource")]
    DuplicateKey { resource: Key, key: Key },
    /// An element lacks its resource.
    #[error("the element `{element}` is about one resource: name it in `resource`")]
    ElementWithoutResource { element: Key, kind: ElementType },
    /// An element's level names a role that is not there.
    #[error("the element `{element}` gives a level to the role {role}, which does not exist")]
    UnknownLevelRole { element: Key, role: RoleId },
    /// An element's level names a role of another scope.
    #[error("the element `{element}` is about {scope}, and so can't give a level to the role {role}")]
    ForeignLevelRole { element: Key, role: RoleName, scope: String },
    /// An element gives two levels to one role.
    #[error("the element `{element}` gives two levels to the role {role}; a role has one")]
    TwoLevels { element: Key, role: RoleName },
    /// A user set has a resource.
    #[error("`{set}` is a user set and has no resource; leave `resource_id` out or make it a resource set")]
    UserSetWithResource { set: Key },
    /// A resource set has no resource.
    #[error("the resource set `{set}` is of one resource: name it in `resource_id`")]
    SetWithoutResource { set: Key },
    /// A set's parent is not there.
    #[error(
        "the parent `{parent}` of the set `{set}` does not exist; sets that could be its parent are: {available}"
    )]
    UnknownParentSet { set: Key, parent: Key, available: Names },
    /// A set's parent holds something else.
    #[error(
        "`{parent}` can't be the parent of `{set}`: a set and its parent are both user sets, or both resource sets of \
         one resource"
    )]
    ForeignParentSet { set: Key, parent: Key },
    /// Parents would lead back.
    #[error("`{parent}` can't be the parent of `{set}`, since `{set}` is among its own parents")]
    ParentCycle { set: Key, parent: Key },
    /// Too many parents.
    #[error("the set `{set}` would have more than {limit} sets in its chain of parents, itself included")]
    LongSetChain { set: Key, limit: usize },
    /// A set's conditions do not compile.
    #[error("the conditions of the set `{set}` can't be read: {cause}")]
    WrongConditions { set: Key, cause: ConditionError },
    /// A rule's action is not there.
    #[error("{resource} has no action `{action}` that a rule could allow; its actions are: {available}")]
    UnknownRuleAction { resource: Key, action: Key, available: Names },
    /// A rule's set is not there.
    #[error("there is no {what} `{key}`; there are: {available}")]
    UnknownRuleSet { what: &'static str, key: Key, available: Names },
    /// A rule's role is not there.
    #[error("there is no role `{role}` that could stand for a user set here; there are: {available}")]
    UnknownRuleRole { role: String, available: Names },
    /// A rule allows an action of one resource on another.
    #[error(
        "the rule allows an action of {resource}, and so can't be about `{resources}`; name {resource} or one of its resource sets"
    )]
    ForeignRuleResource { resources: Key, resource: Key },
    /// A proxy config has too many mapping rules.
    #[error("`{config}` may have {limit} mapping rules at most; put the others into another one")]
    TooManyMappingRules { config: Key, limit: usize },
    /// A mapping rule can't be matched.
    #[error("the mapping rule {number} of `{config}` is wrong: {cause}")]
    WrongMappingRule { config: Key, number: usize, cause: String },
    /// An action group names what is no action.
    #[error(
        "the action group `{group}` names the action `{action}`, which {resource} does not have; its actions are: {available}"
    )]
    UnknownGroupAction { resource: Key, group: Key, action: Key, available: Names },
}
