//! What a policy is made of: resources with actions, roles, relations and role derivations, sets of users and of
//! resources by condition, and rules over those.
//!
//! Names inside a policy refer to each other by key. Keys never change; deleting a thing removes what refers to it.

use crate::{
    Key, Timestamp,
    id::{ActionGroupId, ActionId, AttributeId, ConditionSetId, RelationId, ResourceId, RoleId, SetRuleId},
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::fmt;

/// The resource on which declared attributes of users stand. It has nothing else, and lists of resources leave it out.
pub const USER_RESOURCE: &str = "__user";
/// The resource on which declared attributes of tenants stand, as [`USER_RESOURCE`].
pub const TENANT_RESOURCE: &str = "__tenant";

/// Whether a resource is one of the product's own, for attributes alone.
pub fn is_built_in(resource: &Key) -> bool {
    matches!(resource.as_str(), USER_RESOURCE | TENANT_RESOURCE)
}

/// A resource: a type of thing that can be acted on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Resource {
    pub id: ResourceId,
    pub key: Key,
    pub name: String,
    pub urn: Option<String>,
    pub description: Option<String>,
    pub type_attributes: Option<Value>,
    /// Members of Permit's model that only old clients read (`v1compat_*`), given back as they came.
    #[serde(default)]
    pub compat: Map<String, Value>,
    /// In the order of their keys.
    pub actions: Vec<Action>,
    /// In the order of their keys.
    pub attributes: Vec<Attribute>,
    /// In the order of their keys.
    #[serde(default)]
    pub action_groups: Vec<ActionGroup>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// Some actions of a resource under one name, for whoever shows them. It allows nothing: permissions name actions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ActionGroup {
    pub id: ActionGroupId,
    pub key: Key,
    pub name: String,
    pub description: Option<String>,
    pub attributes: Option<Value>,
    /// Without repeats; each is an action of the resource.
    pub actions: Vec<Key>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// Something that can be done to a resource.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Action {
    pub id: ActionId,
    pub key: Key,
    pub name: String,
    pub description: Option<String>,
    pub attributes: Option<Value>,
    #[serde(default)]
    pub compat: Map<String, Value>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// The type of an attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AttributeType {
    Bool,
    Number,
    String,
    Time,
    Array,
    Json,
    Object,
    ObjectArray,
}

/// A declared attribute of a resource.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Attribute {
    pub id: AttributeId,
    pub key: Key,
    pub kind: AttributeType,
    pub description: Option<String>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// A role: on a resource (held on its instances) or in a tenant.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Role {
    pub id: RoleId,
    pub key: Key,
    /// The resource whose instances it is held on; none for a tenant role.
    pub resource: Option<Key>,
    pub name: String,
    pub description: Option<String>,
    /// What it allows. A resource role permits actions of its own resource, a tenant role any `resource:action`.
    pub permissions: Vec<Permission>,
    /// Roles of the same scope whose permissions it has as well.
    pub extends: Vec<Key>,
    /// Roles on related things that bring this one along.
    pub granted_to: Option<Derivation>,
    pub attributes: Option<Value>,
    #[serde(default)]
    pub compat: Map<String, Value>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// An action on a resource.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Permission {
    pub resource: Key,
    pub action: Key,
}

/// How a resource role is derived from roles on related instances.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Derivation {
    pub id: uuid::Uuid,
    pub when: DerivationSettings,
    pub users_with_role: Vec<DerivationRule>,
}

/// When a derivation counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct DerivationSettings {
    /// Derive only for users who hold no role directly on the object.
    pub no_direct_roles_on_object: bool,
}

/// One source: whoever holds `role` on an instance of `on_resource` that stands in `linked_by_relation` to the object.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DerivationRule {
    pub role: Key,
    pub on_resource: Key,
    pub linked_by_relation: Key,
    /// Of this rule alone; the block's settings hold besides.
    pub when: Option<DerivationSettings>,
}

/// A relation, declared on the object's resource: an instance of `subject_resource` may stand in it to an instance of
/// `object_resource`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Relation {
    pub id: RelationId,
    pub key: Key,
    pub name: String,
    pub description: Option<String>,
    pub subject_resource: Key,
    pub object_resource: Key,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// What a condition set is a set of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SetKind {
    Userset,
    Resourceset,
}

/// Users, or instances of a resource, by a condition on their attributes. Keys are unique in an environment, whichever
/// the kind.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ConditionSet {
    pub id: ConditionSetId,
    pub key: Key,
    pub kind: SetKind,
    /// The resource whose instances a resource set holds; none for a user set.
    pub resource: Option<Key>,
    /// A set of the same kind (and resource) that whatever is in this one is in as well.
    pub parent: Option<Key>,
    pub name: String,
    pub description: Option<String>,
    /// As it was written; `{}` is met by everything.
    pub conditions: Value,
    /// As the writer said; it means nothing here.
    pub autogenerated: bool,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// Whom a [`SetRule`] allows.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RuleUsers {
    /// Who is in this user set.
    Set(Key),
    /// Who has this role: in the tenant, or, when it is one of the resource's, on the instance.
    Role { resource: Option<Key>, key: Key },
}

impl fmt::Display for RuleUsers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Set(key) | Self::Role { resource: None, key } => key.fmt(f),
            Self::Role { resource: Some(resource), key } => write!(f, "{resource}#{key}"),
        }
    }
}

/// On what a [`SetRule`] allows.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RuleResources {
    /// What is in this resource set.
    Set(Key),
    /// All of this resource.
    Resource(Key),
}

impl RuleResources {
    /// The key of the set or of the resource.
    pub fn key(&self) -> &Key {
        match self {
            Self::Set(key) | Self::Resource(key) => key,
        }
    }
}

/// Whoever is one of `users` may do `permission` to what is one of `resources`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetRule {
    pub id: SetRuleId,
    pub users: RuleUsers,
    pub permission: Permission,
    pub resources: RuleResources,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

impl SetRule {
    /// What no two rules share: a text of all that it says.
    pub fn name(&self) -> String {
        let (users, resources) = (
            match self.users {
                RuleUsers::Set(_) => "set",
                RuleUsers::Role { .. } => "role",
            },
            match self.resources {
                RuleResources::Set(_) => "set",
                RuleResources::Resource(_) => "resource",
            },
        );
        let Permission { resource, action } = &self.permission;
        format!("{users}:{} {resource}:{action} {resources}:{}", self.users, self.resources.key())
    }
}
