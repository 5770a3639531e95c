//! What a policy file says, once it has been read and checked. Names of its own only; nothing has an id yet.

use super::cases::Case;
use crate::RoleName;
use askfirst_domain::{
    Key, Timestamp, UserKey,
    element::{ElementType, Level, Terms},
    facts::{Attributes, InstanceRef},
    schema::{
        AttributeType, DerivationRule, DerivationSettings, Permission, RuleResources, RuleUsers, SetKind,
    },
    url_mapping::{AuthMechanism, MappingRule},
};
use serde_json::{Map, Value};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

/// A part of the file, by the name under which it stands there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Section {
    UserAttributes,
    TenantAttributes,
    Resources,
    Roles,
    UserSets,
    ResourceSets,
    SetRules,
    Elements,
    ProxyConfigs,
    Tenants,
    Users,
    Instances,
    Tuples,
    Assignments,
    Tests,
}

impl Section {
    /// All of them, in the order in which a file is written.
    pub const ALL: [Self; 15] = [
        Self::UserAttributes,
        Self::TenantAttributes,
        Self::Resources,
        Self::Roles,
        Self::UserSets,
        Self::ResourceSets,
        Self::SetRules,
        Self::Elements,
        Self::ProxyConfigs,
        Self::Tenants,
        Self::Users,
        Self::Instances,
        Self::Tuples,
        Self::Assignments,
        Self::Tests,
    ];

    /// As it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::UserAttributes => "user_attributes",
            Self::TenantAttributes => "tenant_attributes",
            Self::Resources => "resources",
            Self::Roles => "roles",
            Self::UserSets => "user_sets",
            Self::ResourceSets => "resource_sets",
            Self::SetRules => "set_rules",
            Self::Elements => "elements",
            Self::ProxyConfigs => "proxy_configs",
            Self::Tenants => "tenants",
            Self::Users => "users",
            Self::Instances => "instances",
            Self::Tuples => "tuples",
            Self::Assignments => "assignments",
            Self::Tests => "tests",
        }
    }

    /// Whether it is of the facts: who and what there is, and who holds what.
    pub fn is_fact(self) -> bool {
        matches!(self, Self::Tenants | Self::Users | Self::Instances | Self::Tuples | Self::Assignments)
    }

    /// Whether it is of the policy: neither facts nor tests.
    pub fn is_policy(self) -> bool {
        !self.is_fact() && self != Self::Tests
    }
}

/// What becomes of things that the environment has and the file does not name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Prune {
    /// They stay.
    #[default]
    Nothing,
    /// Those of the policy go, as far as the file has their section. Facts stay.
    Policy,
    /// Those of the policy and of the facts go, as far as the file has their section.
    All,
}

/// A whole policy file; lists are in the order in which they were written.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct PolicyFile {
    /// What stands in the file, be it empty.
    pub sections: BTreeSet<Section>,
    pub user_attributes: Vec<AttributeEntry>,
    pub tenant_attributes: Vec<AttributeEntry>,
    pub resources: Vec<ResourceEntry>,
    pub tenant_roles: Vec<RoleEntry>,
    /// User sets, then resource sets.
    pub sets: Vec<SetEntry>,
    pub rules: Vec<RuleEntry>,
    pub elements: Vec<ElementEntry>,
    pub proxy_configs: Vec<ProxyConfigEntry>,
    pub tenants: Vec<TenantEntry>,
    pub users: Vec<UserEntry>,
    pub instances: Vec<InstanceEntry>,
    pub tuples: Vec<TupleEntry>,
    pub assignments: Vec<AssignmentEntry>,
    pub tests: Vec<Case>,
}

impl PolicyFile {
    /// Whether the section is the whole of what it is about.
    pub fn is_whole(&self, section: Section, prune: Prune) -> bool {
        let wanted = match prune {
            Prune::Nothing => false,
            Prune::Policy => section.is_policy(),
            Prune::All => section.is_policy() || section.is_fact(),
        };
        wanted && self.sections.contains(&section)
    }

    /// The names under which webhooks' tokens are to be had, in order, without repeats.
    pub fn token_names(&self) -> BTreeSet<&str> {
        let hooks = self.elements.iter().filter_map(|element| element.webhook.as_ref());
        hooks
            .filter_map(|hook| match &hook.token {
                Token::Named(name) => Some(name.as_str()),
                Token::None | Token::Written(_) => None,
            })
            .collect()
    }
}

/// A resource with its actions, attributes, relations and roles.
#[derive(Debug, Clone, PartialEq)]
pub struct ResourceEntry {
    pub key: Key,
    /// The key when the file gives none; so for every `name` here.
    pub name: String,
    pub description: Option<String>,
    pub urn: Option<String>,
    pub type_attributes: Option<Value>,
    pub compat: Map<String, Value>,
    pub actions: Vec<ActionEntry>,
    pub attributes: Vec<AttributeEntry>,
    pub action_groups: Vec<GroupEntry>,
    pub relations: Vec<RelationEntry>,
    pub roles: Vec<RoleEntry>,
}

/// An action of a resource.
#[derive(Debug, Clone, PartialEq)]
pub struct ActionEntry {
    pub key: Key,
    pub name: String,
    pub description: Option<String>,
    pub attributes: Option<Value>,
    pub compat: Map<String, Value>,
}

/// Some actions of a resource under one name.
#[derive(Debug, Clone, PartialEq)]
pub struct GroupEntry {
    pub key: Key,
    pub name: String,
    pub description: Option<String>,
    pub attributes: Option<Value>,
    pub actions: Vec<Key>,
}

/// An attribute of a resource, of users or of tenants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttributeEntry {
    pub key: Key,
    pub kind: AttributeType,
    pub description: Option<String>,
}

/// A relation in which the resource that it stands under is the object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RelationEntry {
    pub key: Key,
    pub subject_resource: Key,
    pub name: String,
    pub description: Option<String>,
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
    pub attributes: Option<Value>,
    pub compat: Map<String, Value>,
}

/// How a role is derived.
#[derive(Debug, Clone, PartialEq)]
pub struct DerivationEntry {
    pub when: DerivationSettings,
    pub users_with_role: Vec<DerivationRule>,
}

/// A user set or a resource set.
#[derive(Debug, Clone, PartialEq)]
pub struct SetEntry {
    pub key: Key,
    pub kind: SetKind,
    /// Of a resource set.
    pub resource: Option<Key>,
    pub parent: Option<Key>,
    pub name: String,
    pub description: Option<String>,
    pub conditions: Value,
    pub autogenerated: bool,
}

/// A rule over condition sets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleEntry {
    pub users: RuleUsers,
    pub permission: Permission,
    pub resources: RuleResources,
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
    /// Without what says the resource.
    pub settings: Map<String, Value>,
    pub email_notifications: bool,
    pub active: bool,
    pub webhook: Option<WebhookEntry>,
    pub terms: Terms,
}

/// A webhook of an element.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookEntry {
    pub url: String,
    pub token: Token,
}

/// The bearer token that a webhook is called with.
#[derive(Clone, PartialEq, Eq)]
pub enum Token {
    /// Without one.
    None,
    /// As it stands in the file. Better not: a file is read by many.
    Written(String),
    /// By the name under which whoever applies the file has it: an environment variable.
    Named(String),
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("None"),
            Self::Written(_) => f.write_str("Written(..)"),
            Self::Named(name) => f.debug_tuple("Named").field(name).finish(),
        }
    }
}

/// Mapping rules of URLs under one name. That a rule's resource is there is not asked: what is not there is denied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProxyConfigEntry {
    pub key: Key,
    pub name: String,
    pub auth_mechanism: AuthMechanism,
    pub rules: Vec<MappingRule>,
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
