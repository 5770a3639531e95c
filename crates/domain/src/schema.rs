//! What a policy is made of: resources with actions, roles, relations and role derivations.
//!
//! Names inside a policy refer to each other by key. Keys never change; deleting a thing removes what refers to it.

use crate::{
    Key, Timestamp,
    id::{ActionId, AttributeId, RelationId, ResourceId, RoleId},
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

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
