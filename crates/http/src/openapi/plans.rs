//! How plans of policy files, and what applying one did, look on the wire. The types that are written are the engine's.

use super::IdShape;
use serde_json::Value;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// What applying a file did: how many of each kind, by the section of the file.
#[derive(ToSchema)]
#[schema(as = PolicyApplied)]
pub(crate) struct AppliedShape {
    created: BTreeMap<String, u64>,
    changed: BTreeMap<String, u64>,
    removed: BTreeMap<String, u64>,
    /// How many things were as the file says already.
    unchanged: u64,
    /// The revision at which it holds.
    revision: u64,
}

/// What applying a file would do.
#[derive(ToSchema)]
#[schema(as = PolicyPlan)]
pub(crate) struct PlanShape {
    differences: Vec<DifferenceShape>,
    /// How many things are as the file says already.
    unchanged: u64,
    /// Things in sections that the file has that are not in the file and stay; pruning takes them away.
    left_over: Vec<LeftOverShape>,
    /// The names under which tokens of webhooks are wanted and were not given.
    missing_secrets: Vec<String>,
    impact: ImpactShape,
    /// Which of the newest recorded decisions change; null without a decision log, or when nothing changes.
    #[schema(required)]
    recorded: Option<ReplayShape>,
    /// Names this plan: applying with it does exactly this or nothing.
    token: String,
    /// The revision that it was made at.
    revision: u64,
}

/// A thing that is not in both, or not the same in both.
#[derive(ToSchema)]
#[schema(as = PolicyDifference)]
pub(crate) struct DifferenceShape {
    kind: DifferenceKindShape,
    /// The name of a section, or `relations`.
    what: String,
    /// Which it is, as the file names it: `restaurants#parent`.
    name: String,
    fields: Vec<FieldChangeShape>,
}

/// What becomes of a thing.
#[derive(ToSchema)]
#[schema(as = PolicyDifferenceKind)]
#[serde(rename_all = "snake_case")]
pub(crate) enum DifferenceKindShape {
    Added,
    Changed,
    Removed,
}

/// A member of a thing, before and after; null where it says nothing.
#[derive(ToSchema)]
#[schema(as = PolicyFieldChange)]
pub(crate) struct FieldChangeShape {
    /// Names of members, joined by dots.
    field: String,
    before: Value,
    after: Value,
}

/// A thing that the environment has, that the file does not name, and that stays.
#[derive(ToSchema)]
#[schema(as = PolicyLeftOver)]
pub(crate) struct LeftOverShape {
    what: String,
    name: String,
}

/// Which decisions change, for calls that give no attributes.
#[derive(ToSchema)]
#[schema(as = PolicyImpact)]
pub(crate) struct ImpactShape {
    /// How many questions of the form "who may do this to that?" were asked.
    asked: u64,
    /// How many there are; when it is more than were asked, the rest is a sample.
    of: u64,
    permissions: Vec<ShiftedShape>,
    examples: Vec<FlippedShape>,
}

/// How many users gain and lose a permission (`resource:action`), place by place.
#[derive(ToSchema)]
#[schema(as = PermissionShift)]
pub(crate) struct ShiftedShape {
    permission: String,
    gained: u64,
    lost: u64,
}

/// An answer.
#[derive(ToSchema)]
#[schema(as = AllowOrDeny)]
#[serde(rename_all = "snake_case")]
pub(crate) enum VerdictShape {
    Allow,
    Deny,
}

/// A decision that changes.
#[derive(ToSchema)]
#[schema(as = DecisionFlip)]
pub(crate) struct FlippedShape {
    user: String,
    action: String,
    /// `type:key`, or `type` for the resource as a whole.
    resource: String,
    tenant: String,
    before: VerdictShape,
    after: VerdictShape,
    /// What the allow rests on, be it before or after.
    by: String,
}

/// What came of asking recorded questions again, of the state as it is and of that state with the file.
#[derive(ToSchema)]
#[schema(as = PolicyReplay)]
pub(crate) struct ReplayShape {
    /// How many recorded decisions were asked again.
    asked: u64,
    /// How many could not be, since what their calls said is not in the log.
    left_out: u64,
    /// How many were made in that time and are not in the log at all.
    not_logged: u64,
    /// Whether there are more, before those that were looked at.
    more: bool,
    /// How many are answered otherwise today, without the file.
    not_as_logged: u64,
    /// How many the file gives another answer.
    changed: u64,
    /// Those, the same questions together, the most frequent first.
    #[schema(max_items = 1000)]
    changes: Vec<ReplayChangeShape>,
}

/// A question to which the file gives another answer.
#[derive(ToSchema)]
#[schema(as = ReplayChange)]
pub(crate) struct ReplayChangeShape {
    user: String,
    action: String,
    /// `type:key`, or `type` for the resource as a whole.
    resource: String,
    tenant: String,
    /// The answer as things are.
    before: VerdictShape,
    /// The answer with the file.
    after: VerdictShape,
    /// What the allow rests on, be it before or after.
    by: String,
    /// How often it was asked.
    times: u64,
    /// The newest of these decisions in the log.
    last: IdShape,
}
