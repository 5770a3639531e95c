//! Facts: who and what there is, who holds which role, what is related to what.
//!
//! Facts refer to each other by id, so that a key that is used again never inherits what the old one had; the keys
//! stand beside the ids for reading.

use crate::{
    Key, Timestamp, UserKey,
    id::{AssignmentId, InstanceId, RelationId, RequestId, ResourceId, RoleId, TenantId, TupleId, UserId},
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::fmt;

/// The tenant that every environment has and every user belongs to.
pub const DEFAULT_TENANT: &str = "default";

/// Attribute values by name.
pub type Attributes = Map<String, Value>;

/// A user: whoever may hold a role and make a request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct User {
    pub id: UserId,
    pub key: UserKey,
    pub email: Option<String>,
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    pub attributes: Attributes,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// A tenant: a customer, a family, a department.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Tenant {
    pub id: TenantId,
    pub key: Key,
    pub name: String,
    pub description: Option<String>,
    pub attributes: Attributes,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub last_action_at: Timestamp,
}

/// An instance of a resource, in exactly one tenant.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Instance {
    pub id: InstanceId,
    pub key: Key,
    pub resource: Key,
    pub resource_id: ResourceId,
    pub tenant: Key,
    pub tenant_id: TenantId,
    pub attributes: Attributes,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// `type:key`, how an instance is written.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct InstanceRef {
    pub resource: Key,
    pub key: Key,
}

impl fmt::Display for InstanceRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.resource, self.key)
    }
}

/// The instance that a fact is about: ids and keys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstanceLink {
    pub id: InstanceId,
    pub resource: Key,
    pub key: Key,
}

impl InstanceLink {
    /// As `type:key`.
    pub fn reference(&self) -> InstanceRef {
        InstanceRef { resource: self.resource.clone(), key: self.key.clone() }
    }
}

/// A user holds a role: in a tenant, or on one instance.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RoleAssignment {
    pub id: AssignmentId,
    pub user: UserKey,
    pub user_id: UserId,
    pub role: Key,
    pub role_id: RoleId,
    pub tenant: Key,
    pub tenant_id: TenantId,
    /// Set when the role is a resource role.
    pub instance: Option<InstanceLink>,
    /// From then on it counts for nothing, whether or not anything has removed it.
    pub expires_at: Option<Timestamp>,
    /// The request whose approval made it.
    pub origin: Option<RequestId>,
    pub created_at: Timestamp,
}

/// `subject` stands in `relation` to `object`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RelationshipTuple {
    pub id: TupleId,
    pub subject: InstanceLink,
    pub relation: Key,
    pub relation_id: RelationId,
    pub object: InstanceLink,
    pub tenant: Key,
    pub tenant_id: TenantId,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}
