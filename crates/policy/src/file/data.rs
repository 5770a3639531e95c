//! What a policy file says, once it has been read and checked. Names of its own only; nothing has an id yet.

use askfirst_domain::{
    Key, Timestamp, UserKey,
    element::{ElementType, Level},
    facts::{Attributes, InstanceRef},
    schema::{AttributeType, DerivationRule, DerivationSettings, Permission},
};
use serde_json::{Map, Value};
use std::{collections::BTreeMap, fmt};

use crate::RoleName;

/// A whole policy file; lists are in the order in which they were written.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct PolicyFile {
    pub resources: Vec<ResourceEntry>,
    pub tenant_roles: Vec<RoleEntry>,
    pub elements: Vec<ElementEntry>,
    pub tenants: Vec<TenantEntry>,
    pub users: Vec<UserEntry>,
    pub instances: Vec<InstanceEntry>,
    pub tuples: Vec<TupleEntry>,
    pub assignments: Vec<AssignmentEntry>,
}

/// A resource with its actions, attributes, relations and roles.
#[derive(Debug, Clone, PartialEq)]
pub struct ResourceEntry {
    pub key: Key,
    /// The key when the file gives none; so for every `name` here.
    pub name: String,
    pub description: Option<String>,
    pub actions: Vec<ActionEntry>,
    pub attributes: Vec<AttributeEntry>,
    pub relations: Vec<RelationEntry>,
    pub roles: Vec<RoleEntry>,
}

/// An action of a resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActionEntry {
    pub key: Key,
    pub name: String,
    pub description: Option<String>,
}

/// An attribute of a resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttributeEntry {
    pub key: Key,
    pub kind: AttributeType,
}

/// A relation in which the resource that it stands under is the object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RelationEntry {
    pub key: Key,
    pub subject_resource: Key,
}

/// A role: on the resource that it stands under, or in tenants.
#[derive(Debug, Clone, PartialEq)]
pub struct RoleEntry {
    pub key: Key,
    pub name: String,
    pub description: Option<String>,
    pub permissions: Vec<Permission>,
    pub extends: Vec<Key>,
    pub granted_to: Option<DerivationEntry>,
}

/// How a role is derived.
#[derive(Debug, Clone, PartialEq)]
pub struct DerivationEntry {
    pub when: DerivationSettings,
    pub users_with_role: Vec<DerivationRule>,
}

/// An element's configuration.
#[derive(Debug, Clone, PartialEq)]
pub struct ElementEntry {
    pub key: Key,
    pub name: String,
    pub kind: ElementType,
    pub resource: Option<Key>,
    /// Roles on the element's resource, or tenant roles.
    pub levels: BTreeMap<Level, Vec<RoleName>>,
    pub settings: Map<String, Value>,
    pub email_notifications: bool,
    pub webhook: Option<WebhookEntry>,
}

/// A webhook of an element.
#[derive(Clone, PartialEq, Eq)]
pub struct WebhookEntry {
    pub url: String,
    pub bearer_token: Option<String>,
}

impl fmt::Debug for WebhookEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebhookEntry").field("url", &self.url).finish_non_exhaustive()
    }
}

/// A tenant.
#[derive(Debug, Clone, PartialEq)]
pub struct TenantEntry {
    pub key: Key,
    pub name: String,
    pub description: Option<String>,
    pub attributes: Attributes,
}

/// A user.
#[derive(Debug, Clone, PartialEq)]
pub struct UserEntry {
    pub key: UserKey,
    pub email: Option<String>,
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    pub attributes: Attributes,
}

/// An instance of a resource.
#[derive(Debug, Clone, PartialEq)]
pub struct InstanceEntry {
    pub at: InstanceRef,
    /// `default` when the file names none.
    pub tenant: Key,
    pub attributes: Attributes,
}

/// `subject` stands in `relation` to `object`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TupleEntry {
    pub subject: InstanceRef,
    pub relation: Key,
    pub object: InstanceRef,
}

/// A user holds a role: on an instance, or in a tenant when `on` is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AssignmentEntry {
    pub user: UserKey,
    pub role: Key,
    pub on: Option<InstanceRef>,
    /// None means the instance's tenant, or `default` for a tenant role.
    pub tenant: Option<Key>,
    pub expires_at: Option<Timestamp>,
}
