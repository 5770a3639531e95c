//! How decisions and their reasons look on the wire. The types that are written are the domain's, the policy's and the
//! engine's, which know nothing of this description; a test holds it against real answers.

use super::{IdShape, KeyShape, RequestKindWord, UserKeyShape};
use serde_json::Value;
use utoipa::ToSchema;

/// A decision in full.
#[derive(ToSchema)]
#[schema(as = Explanation)]
pub(crate) struct ExplanationShape {
    allow: bool,
    decision: DecisionShape,
    /// One or two sentences for a person or a model.
    sentence: String,
    /// For a denial, what may be asked for; those with a reviewer first, then least privilege.
    requestable: Vec<RequestableShape>,
    /// The rules over condition sets that were asked.
    rules: Vec<RuleTraceShape>,
    /// How many more rules were asked than are told; absent when there are none.
    #[schema(nullable = false)]
    more_rules: Option<u64>,
    /// Who of the two may, where the question names an agent.
    #[schema(nullable = false)]
    halves: Option<HalvesShape>,
    revision: u64,
}

/// A verdict with what it rests on.
#[derive(ToSchema)]
#[schema(as = Decision)]
#[serde(tag = "verdict", rename_all = "snake_case")]
pub(crate) enum DecisionShape {
    Allow(AllowanceShape),
    Deny(DenialShape),
}

/// What an Allow rests on: a role that the user holds, or a rule over condition sets.
#[derive(ToSchema)]
#[schema(as = Allowance)]
#[serde(untagged)]
pub(crate) enum AllowanceShape {
    Role(GrantShape),
    Rule(RuleGrantShape),
}

/// The chain from a role that the user was given to the role that permits the action.
#[derive(ToSchema)]
#[schema(as = Grant)]
pub(crate) struct GrantShape {
    held: RoleAtShape,
    /// When the assignment of `held` ends, in microseconds since 1970.
    #[schema(required)]
    expires_at: Option<i64>,
    /// From `held` to the role that permits; empty when `held` itself does.
    steps: Vec<StepShape>,
}

/// One step of a chain.
#[derive(ToSchema)]
#[schema(as = Step)]
#[serde(tag = "by", rename_all = "snake_case")]
pub(crate) enum StepShape {
    /// The role so far extends this one, in the same place.
    Extends { role: RoleAtShape },
    /// The place so far stands in `relation` to the next place, and the role there is derived from it.
    Derived { relation: KeyShape, role: RoleAtShape },
}

/// A role somewhere.
#[derive(ToSchema)]
#[schema(as = RoleAt)]
pub(crate) struct RoleAtShape {
    role: KeyShape,
    at: PlaceShape,
}

/// A tenant or an instance: where a role is held.
#[derive(ToSchema)]
#[schema(as = Place)]
#[serde(rename_all = "snake_case")]
pub(crate) enum PlaceShape {
    Tenant(KeyShape),
    Instance(InstanceRefShape),
}

/// An instance, by its type and its key.
#[derive(ToSchema)]
#[schema(as = InstanceRef)]
pub(crate) struct InstanceRefShape {
    resource: KeyShape,
    key: KeyShape,
}

/// The rule over condition sets that allows.
#[derive(ToSchema)]
#[schema(as = RuleGrant)]
pub(crate) struct RuleGrantShape {
    rule: IdShape,
    users: RuleUsersShape,
    permission: PermissionShape,
    resources: RuleResourcesShape,
}

/// Whom a rule allows: a user set, or whoever has a role.
#[derive(ToSchema)]
#[schema(as = RuleUsers)]
#[serde(rename_all = "snake_case")]
pub(crate) enum RuleUsersShape {
    Set(KeyShape),
    Role {
        #[schema(required)]
        resource: Option<KeyShape>,
        key: KeyShape,
    },
}

/// On what a rule allows: a resource set, or all of a resource.
#[derive(ToSchema)]
#[schema(as = RuleResources)]
#[serde(rename_all = "snake_case")]
pub(crate) enum RuleResourcesShape {
    Set(KeyShape),
    Resource(KeyShape),
}

/// An action on a resource.
#[derive(ToSchema)]
#[schema(as = Permission)]
pub(crate) struct PermissionShape {
    resource: KeyShape,
    action: KeyShape,
}

/// Why something is denied, and which roles would allow it.
#[derive(ToSchema)]
#[schema(as = Denial)]
pub(crate) struct DenialShape {
    cause: DenialCauseShape,
    /// Least privilege first; empty when no role would.
    would_allow: Vec<RoleAtShape>,
}

/// The kind of a denial.
#[derive(ToSchema)]
#[schema(as = DenialCause)]
#[serde(tag = "cause", rename_all = "snake_case")]
pub(crate) enum DenialCauseShape {
    UnknownUser,
    UnknownResource,
    UnknownAction,
    UnknownTenant,
    /// The instance belongs to another tenant than the question says.
    TenantMismatch,
    /// No role that the user holds allows it.
    NoRole,
    /// A role would have allowed it, but its assignment has ended, at this microsecond since 1970.
    Expired {
        role: RoleAtShape,
        at: i64,
    },
    /// The user may, and the agent that would do it for them may not.
    Agent {
        agent: String,
        lack: AgentLackShape,
    },
    /// The walk over relations went past its limit before it found a grant.
    TooDeep {
        limit: u32,
    },
}

/// Why an agent may not do what its human may: there is no such agent, it is frozen, or its ceiling does not permit it.
#[derive(ToSchema)]
#[schema(as = AgentLack)]
#[serde(rename_all = "snake_case")]
pub(crate) enum AgentLackShape {
    Unknown,
    Frozen,
    Ceiling,
}

/// Who may: what an agent does for its human takes the right of both.
#[derive(ToSchema)]
#[schema(as = Halves)]
pub(crate) struct HalvesShape {
    /// The agent's key.
    agent: String,
    user_may: bool,
    agent_may: bool,
    /// Why the agent may not; absent when it may.
    #[schema(nullable = false)]
    why: Option<String>,
}

/// A role that would allow what was denied and that may be asked for.
#[derive(ToSchema)]
#[schema(as = Requestable)]
pub(crate) struct RequestableShape {
    kind: RequestKindWord,
    role: RoleAtShape,
    /// The key of the element through which it is asked for.
    element: KeyShape,
    /// Who could decide it now. Never the asker.
    reviewers: Vec<UserKeyShape>,
}

/// A rule over condition sets that was asked, and what became of it.
#[derive(ToSchema)]
#[schema(as = RuleTrace)]
pub(crate) struct RuleTraceShape {
    rule: IdShape,
    users: RuleUsersShape,
    permission: PermissionShape,
    resources: RuleResourcesShape,
    /// Whether it allows what was asked.
    holds: bool,
    /// For a rule about a role: how the user has it; absent when the user has not.
    #[schema(nullable = false)]
    role: Option<GrantShape>,
    /// The user set and its ancestors; empty for a rule about a role.
    user_sets: Vec<SetTraceShape>,
    /// The resource set and its ancestors; empty for a rule about all of the resource.
    resource_sets: Vec<SetTraceShape>,
}

/// The condition of a set and what it came to.
#[derive(ToSchema)]
#[schema(as = SetTrace)]
pub(crate) struct SetTraceShape {
    set: KeyShape,
    truth: TruthShape,
    /// Every comparison, also those that no longer mattered, in the order of the condition.
    leaves: Vec<LeafTraceShape>,
    /// How many more comparisons there were.
    left_out: u64,
}

/// What a condition comes to; `undefined` when an attribute is absent or of a kind that can't be compared so.
#[derive(ToSchema)]
#[schema(as = Truth)]
#[serde(rename_all = "snake_case")]
pub(crate) enum TruthShape {
    True,
    False,
    Undefined,
}

/// One comparison and what it saw.
#[derive(ToSchema)]
#[schema(as = LeafTrace)]
pub(crate) struct LeafTraceShape {
    /// What was read, such as `user.age`.
    attribute: String,
    /// An operator of conditions, such as `greater-than-equals`.
    operator: String,
    /// What was asked, in words.
    asked: String,
    /// What the attribute was; null when it is absent. Long texts and lists are cut, and say so.
    #[schema(required)]
    actual: Option<Value>,
    /// What it was compared with, references resolved.
    expected: Value,
    truth: TruthShape,
    /// Why it can't be told.
    #[schema(nullable = false)]
    gap: Option<GapShape>,
    /// What it would have to come to, where the whole condition is not met for want of it.
    #[schema(nullable = false)]
    wanted: Option<bool>,
    /// All of it in words.
    words: String,
}

/// Why a comparison can't be told.
#[derive(ToSchema)]
#[schema(as = Gap)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(crate) enum GapShape {
    Absent {
        attribute: String,
    },
    WrongKind,
    /// What the value names is not a stored instance.
    NoInstance {
        resource: String,
    },
    /// A comparison inside `match` can't be told.
    Inside,
    /// The bound on the work of one evaluation was reached.
    TooMuch,
}
