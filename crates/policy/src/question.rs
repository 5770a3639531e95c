//! What can be asked of a snapshot, and the parts of an answer that the domain does not have already.

use crate::condition::Explanation;
use askfirst_domain::{
    Key,
    decision::{Decision, Grant, Place, RoleAt},
    facts::{Attributes, InstanceRef},
    id::{RoleId, SetRuleId},
    schema::{Permission, RuleResources, RuleUsers},
};
use serde::Serialize;
use std::{fmt, sync::Arc};

/// "May this user do this to that?" Every name is a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Question<'a> {
    pub user: &'a str,
    pub action: &'a str,
    pub resource: &'a str,
    /// None asks about the resource as a whole: only roles in the tenant can allow it.
    pub instance: Option<&'a str>,
    /// None means the instance's tenant, or `default` when there is no such instance.
    pub tenant: Option<&'a str>,
}

/// What the caller says about the question besides its names. It goes before what is stored; a null hides that.
#[derive(Debug, Clone, Copy, Default)]
pub struct CallAttributes<'a> {
    pub user: Option<&'a Attributes>,
    pub resource: Option<&'a Attributes>,
    pub tenant: Option<&'a Attributes>,
    pub context: Option<&'a Attributes>,
    pub action: Option<&'a Attributes>,
}

/// "To which instances, in which tenants, may this user do this?" Every name is a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reaching<'a> {
    pub user: &'a str,
    pub action: &'a str,
    pub resource: &'a str,
}

/// A part of a list that is sorted by key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part<'a> {
    /// The last key of the part before; none for the first part.
    pub after: Option<&'a str>,
    pub limit: usize,
}

/// An instance on which something may be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReachedInstance {
    pub key: Key,
    pub tenant: Key,
}

/// Part of a list of instances.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstancePage {
    pub items: Vec<ReachedInstance>,
    /// Whether there are more behind these.
    pub more: bool,
    /// How long the whole list is; none when it would take asking a rule about every instance to tell.
    pub total: Option<usize>,
}

/// A tenant, for reading.
#[derive(Debug, Clone, PartialEq)]
pub struct TenantView {
    pub key: Key,
    pub attributes: Arc<Attributes>,
}

/// The type under which tenants stand among resources.
pub use askfirst_domain::schema::TENANT_RESOURCE as TENANT_TYPE;

/// Narrows what a user has. None means any; an empty list matches nothing. A tenant counts as an instance of
/// [`TENANT_TYPE`].
#[derive(Debug, Clone, Copy, Default)]
pub struct HoldingFilter<'a> {
    /// Keys of tenants: those tenants, and what is in them.
    pub tenants: Option<&'a [String]>,
    /// As `type:key`.
    pub places: Option<&'a [String]>,
    /// Keys of resources.
    pub types: Option<&'a [String]>,
}

/// What a user has in one place.
#[derive(Debug, Clone, PartialEq)]
pub struct Holding {
    pub place: Place,
    /// The place itself, or the tenant of the instance.
    pub tenant: TenantView,
    /// Of the instance; none for a tenant.
    pub attributes: Option<Arc<Attributes>>,
    /// The roles that are effective here: given, extended and derived; sorted.
    pub roles: Arc<[Key]>,
    /// What those roles allow, and what rules do when they are asked; sorted. What is allowed on an instance by a role
    /// in its tenant stands with the tenant; what rules allow on a resource as a whole does, too.
    pub permissions: Arc<[Permission]>,
}

/// A tenant or an instance, by key: [`Place`] without owning anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PlaceRef<'a> {
    Tenant(&'a str),
    Instance { resource: &'a str, key: &'a str },
}

impl<'a> From<&'a Place> for PlaceRef<'a> {
    fn from(place: &'a Place) -> Self {
        match place {
            Place::Tenant(key) => Self::Tenant(key.as_str()),
            Place::Instance(InstanceRef { resource, key }) => {
                Self::Instance { resource: resource.as_str(), key: key.as_str() }
            }
        }
    }
}

impl fmt::Display for PlaceRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tenant(key) => write!(f, "tenant {key}"),
            Self::Instance { resource, key } => write!(f, "{resource}:{key}"),
        }
    }
}

/// How near to a place somebody was given what counts there. The nearest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Nearness {
    /// In the place itself.
    Here,
    /// In a related place, from which it is derived.
    Related,
    /// In the tenant of the instance, and so everywhere in it.
    Tenant,
}

/// A role that a user has in a place, and why.
#[derive(Debug, Clone, PartialEq)]
pub struct EffectiveRole {
    pub id: RoleId,
    /// The role and the place where it is effective: for an instance its own, or its tenant.
    pub at: RoleAt,
    /// From the role that the user was given to this one; [`Grant::permitting`] is `at`.
    pub grant: Grant,
}

impl EffectiveRole {
    /// The role's key.
    pub fn role(&self) -> &Key {
        &self.at.role
    }

    /// Whether the user was given exactly this role in exactly this place.
    pub fn is_direct(&self) -> bool {
        self.grant.steps.is_empty()
    }
}

/// A decision, and the rules over condition sets that were asked for it.
#[derive(Debug, Clone, PartialEq)]
pub struct Explained {
    pub decision: Decision,
    pub told: RulesTold,
}

/// Rules over condition sets and what each saw: for an Allow by a rule that one, for a denial for want of a role all
/// that are about the permission, else none.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct RulesTold {
    pub rules: Vec<RuleTrace>,
    /// How many more there are.
    pub left_out: usize,
}

/// A rule and what became of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RuleTrace {
    pub rule: SetRuleId,
    pub users: RuleUsers,
    pub permission: Permission,
    pub resources: RuleResources,
    /// Whether it allows what was asked.
    pub holds: bool,
    /// For a rule about a role: how the user has it. None when the user has not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<Grant>,
    /// The user set and its ancestors; empty for a rule about a role.
    pub user_sets: Vec<SetTrace>,
    /// The resource set and its ancestors; empty for a rule about all of the resource.
    pub resource_sets: Vec<SetTrace>,
}

/// The condition of a set and what it came to.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SetTrace {
    pub set: Key,
    #[serde(flatten)]
    pub explanation: Explanation,
}

/// How much a snapshot holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Stats {
    pub users: usize,
    pub tenants: usize,
    pub instances: usize,
    pub assignments: usize,
    pub tuples: usize,
    /// Changes that referred to something that was not there and so changed nothing; 0 with a sound store.
    pub ignored: u64,
    /// An estimate of the memory that the facts take, keys included, in bytes.
    pub approx_bytes: usize,
}
