//! What holds for the requests of an element: how long they wait, who has to agree, what is decided without anybody.

use crate::{Key, KeyError, Span};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::{fmt, str::FromStr};
use thiserror::Error;

/// The most thresholds, rules or roles that one list of an element's terms may have.
pub const MAX_ENTRIES: usize = 32;
/// The longest name of a threshold or rule, in characters.
pub const MAX_NAME: usize = 100;
/// What a resource is called in the spelling of a role that means tenants.
const TENANT: &str = "tenant";

/// What holds for the requests of an element. What is not said is the server's to say.
///
/// An unknown member is refused when this is read: whoever drops a threshold that they do not understand would let pass
/// what it is there to stop.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Terms {
    /// How long a request waits for a decision when it does not say itself.
    #[serde(with = "crate::span::written::option")]
    pub decide_within: Option<Span>,
    /// How long what an approval gives lasts: when the request does not say, and at most.
    #[serde(with = "crate::span::written::option")]
    pub grant_lasts: Option<Span>,
    /// How often an operation approval may be spent at most; a request that says nothing gets one use.
    pub most_uses: Option<u32>,
    /// Who has to agree; empty: one reviewer decides.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub thresholds: Vec<Threshold>,
    /// How long the same wish is refused after it was denied; none: ten minutes for agents, not at all for people.
    #[serde(with = "crate::span::written::option", skip_serializing_if = "Option::is_none")]
    pub ask_again_after: Option<Span>,
}

impl Terms {
    /// Every role that is named in them.
    pub fn roles_mut(&mut self) -> impl Iterator<Item = &mut RoleRef> {
        self.thresholds.iter_mut().filter_map(|threshold| threshold.role.as_mut())
    }
}

/// So many approvals are needed, and so many denials end it. A review counts for every threshold that it fits.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Threshold {
    /// What it is called, for whoever waits for it.
    pub name: String,
    /// How many approvals it takes, one at least.
    #[serde(default = "one")]
    pub approve: u32,
    /// How many denials end the request, one at least.
    #[serde(default = "one")]
    pub deny: u32,
    /// Only reviews of people who effectively hold this role there, or in the tenant, count; none: of all who may decide.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<RoleRef>,
    /// A condition over the request; where it is known not to hold the threshold asks for nothing. None: it always does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<Value>,
}

fn one() -> u32 {
    1
}

impl Threshold {
    /// What holds where an element names no threshold: one approval, or one denial.
    pub fn usual() -> Self {
        Self { name: "reviewer".to_owned(), approve: 1, deny: 1, role: None, when: None }
    }
}

/// A role as the terms of an element name it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RoleRef {
    pub scope: RoleScope,
    pub key: Key,
}

/// Where a role is held.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RoleScope {
    /// `parent`: a role on the element's resource, or else of the tenant. Settled when the terms are written.
    Near,
    /// `tenant#admin`.
    Tenant,
    /// `restaurants#parent`.
    On(Key),
}

/// Not a role.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{text}` is not a role; write `parent`, `tenant#admin` or `restaurants#parent`: {cause}")]
pub struct RoleRefError {
    text: String,
    cause: KeyError,
}

impl FromStr for RoleRef {
    type Err = RoleRefError;
    fn from_str(text: &str) -> Result<Self, RoleRefError> {
        let key = |part: &str| part.parse().map_err(|cause| RoleRefError { text: text.to_owned(), cause });
        match text.split_once('#') {
            Some((TENANT, role)) => Ok(Self { scope: RoleScope::Tenant, key: key(role)? }),
            Some((resource, role)) => Ok(Self { scope: RoleScope::On(key(resource)?), key: key(role)? }),
            None => Ok(Self { scope: RoleScope::Near, key: key(text)? }),
        }
    }
}

impl TryFrom<String> for RoleRef {
    type Error = RoleRefError;
    fn try_from(text: String) -> Result<Self, RoleRefError> {
        text.parse()
    }
}

impl From<RoleRef> for String {
    fn from(role: RoleRef) -> Self {
        role.to_string()
    }
}

impl fmt::Display for RoleRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.scope {
            RoleScope::Near => self.key.fmt(f),
            RoleScope::Tenant => write!(f, "{TENANT}#{}", self.key),
            RoleScope::On(resource) => write!(f, "{resource}#{}", self.key),
        }
    }
}
