//! What can be asked of a snapshot, and the parts of an answer that the domain does not have already.

use askfirst_domain::{
    Key,
    decision::{Grant, Place, RoleAt},
    facts::{Attributes, InstanceRef},
    id::RoleId,
};
use std::fmt;

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
