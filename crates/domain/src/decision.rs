//! Decisions: three values, always with the reason.

use crate::{
    Key, Timestamp,
    facts::InstanceRef,
    id::SetRuleId,
    schema::{Permission, RuleResources, RuleUsers},
};
use serde::{Deserialize, Serialize};
use std::fmt;

/// The answer to "may this be done?".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    Allow,
    Deny,
    /// Not without a human's approval of exactly this call.
    NeedsApproval,
}

/// A verdict with what it rests on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "verdict", rename_all = "snake_case")]
pub enum Decision {
    Allow(Allowance),
    Deny(Denial),
}

impl Decision {
    /// The bare verdict.
    pub fn verdict(&self) -> Verdict {
        match self {
            Self::Allow(_) => Verdict::Allow,
            Self::Deny(_) => Verdict::Deny,
        }
    }

    /// Whether the answer is Allow.
    pub fn is_allow(&self) -> bool {
        matches!(self, Self::Allow(_))
    }
}

/// What an Allow rests on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Allowance {
    Role(Grant),
    Rule(RuleGrant),
}

/// The rule over condition sets that allows: the user is one of its users, the thing one of its resources.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleGrant {
    pub rule: SetRuleId,
    pub users: RuleUsers,
    pub permission: Permission,
    pub resources: RuleResources,
}

/// A tenant or an instance: where a role is held.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    Tenant(Key),
    Instance(InstanceRef),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tenant(key) => write!(f, "tenant {key}"),
            Self::Instance(instance) => instance.fmt(f),
        }
    }
}

/// A role somewhere: `restaurants:pizza-palace#parent`, or `admin in tenant default`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RoleAt {
    pub role: Key,
    pub at: Place,
}

impl fmt::Display for RoleAt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.at {
            Place::Tenant(key) => write!(f, "{} in tenant {key}", self.role),
            Place::Instance(instance) => write!(f, "{instance}#{}", self.role),
        }
    }
}

/// Why something is allowed: a chain from a role that the user holds to the role that permits the action.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Grant {
    /// The role that the user was given.
    pub held: RoleAt,
    /// When the assignment of `held` ends.
    pub expires_at: Option<Timestamp>,
    /// From `held` to the role that permits; empty when `held` itself does.
    pub steps: Vec<Step>,
}

impl Grant {
    /// The role that permits the action in the end.
    pub fn permitting(&self) -> &RoleAt {
        self.steps.last().map_or(&self.held, Step::role)
    }
}

/// One step of a chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "by", rename_all = "snake_case")]
pub enum Step {
    /// The role so far extends this one, in the same place.
    Extends { role: RoleAt },
    /// The place so far stands in `relation` to the next place, and the role there is derived from it.
    Derived { relation: Key, role: RoleAt },
}

impl Step {
    /// The role that the step arrives at.
    pub fn role(&self) -> &RoleAt {
        match self {
            Self::Extends { role } | Self::Derived { role, .. } => role,
        }
    }
}

/// Why something is denied, and which roles would allow it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Denial {
    pub cause: DenialCause,
    /// The roles that would allow it, least privilege first: on the thing itself, on what it is related to, in its
    /// tenant. Empty when no role would.
    pub would_allow: Vec<RoleAt>,
}

/// Why an agent may not do what its human may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AgentLack {
    /// The environment has no such agent.
    Unknown,
    /// It may do nothing until it is thawed.
    Frozen,
    /// Its ceiling does not permit it.
    Ceiling,
}

/// The kind of a denial.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "cause", rename_all = "snake_case")]
pub enum DenialCause {
    /// The environment has no such user.
    UnknownUser,
    /// The policy has no such resource.
    UnknownResource,
    /// The resource has no such action.
    UnknownAction,
    /// The environment has no such tenant.
    UnknownTenant,
    /// The instance belongs to another tenant than the question says.
    TenantMismatch,
    /// No role that the user holds allows it.
    NoRole,
    /// A role would have allowed it, but its assignment has ended.
    Expired { role: RoleAt, at: Timestamp },
    /// The user may, and the agent that would do it for them may not.
    Agent { agent: String, lack: AgentLack },
    /// The walk over relations went past its limit before it found a grant.
    TooDeep { limit: u32 },
}
