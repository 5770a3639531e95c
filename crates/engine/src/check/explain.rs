//! The explanation of a decision: the way to an Allow, or what a Deny lacks and how it could be had.

use super::{
    Ask, Given,
    agent::Halves,
    words::{self, Sight, Told},
};
use crate::{EnvScope, LiveState};
use askfirst_domain::{
    Key, Timestamp, UserKey,
    decision::{Decision, Place, RoleAt},
    element::{APPROVED_ROLE, Element, ElementType, Level, REVIEWER_ROLE},
    id::RoleId,
    request::RequestKind,
};
use askfirst_policy::{Explained, PlaceRef, RuleTrace, RulesTold, Schema};
use serde::Serialize;

/// A role that would allow what was denied and that may be asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Requestable {
    /// An access request gives the role until it is taken away; an operation approval gives leave to do it.
    pub kind: RequestKind,
    pub role: RoleAt,
    /// The element through which it is asked for.
    pub element: Key,
    /// Who could decide it now. Never the asker.
    pub reviewers: Vec<UserKey>,
}

/// A decision in full.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Explanation {
    pub allow: bool,
    pub decision: Decision,
    /// One or two sentences for a person or a model.
    pub sentence: String,
    /// For a denial, what may be asked for; those with a reviewer first, then least privilege.
    pub requestable: Vec<Requestable>,
    /// The rules over condition sets that were asked, with every comparison and the values that it saw.
    pub rules: Vec<RuleTrace>,
    /// How many more rules were asked than are told.
    #[serde(skip_serializing_if = "is_zero")]
    pub more_rules: usize,
    /// Who of the two may, where an agent is to do it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub halves: Option<Halves>,
    pub revision: u64,
}

impl EnvScope {
    /// Decides, and says why, and for a denial what could be asked for, where and from whom.
    pub fn explain(&self, ask: &Ask) -> Explanation {
        self.explain_with(ask, &Given::default())
    }

    /// As [`EnvScope::explain`], with what the call says besides.
    pub fn explain_with(&self, ask: &Ask, given: &Given) -> Explanation {
        Explanation::at(&self.state(), ask, given, self.op.now)
    }
}

impl Explanation {
    /// The explanation at one state and moment.
    pub(crate) fn at(state: &LiveState, ask: &Ask, given: &Given, now: Timestamp) -> Self {
        let Explained { decision, told } = state.snapshot.explain(&ask.question(), &given.attributes(), now);
        let requestable = match &decision {
            Decision::Allow(_) => Vec::new(),
            Decision::Deny(denial) => requestable(state, &ask.user, &denial.would_allow, now),
        };
        let about = Told { ask, decision: &decision, rules: &told, requestable: &requestable };
        let sentence = words::sentence(about, Sight::Values);
        let halves = Halves::of(state.snapshot.schema(), ask, given, &decision);
        let (decision, sentence) = match &halves {
            Some(halves) => (halves.decided(decision), halves.sentence(ask, &sentence)),
            None => (decision, sentence),
        };
        Self {
            allow: decision.is_allow(),
            decision,
            sentence,
            requestable,
            rules: told.rules,
            more_rules: told.left_out,
            halves,
            revision: state.revision,
        }
    }

    /// The same without the values of attributes and what they were compared with: for an agent, and whoever else may
    /// ask and not see them. `ask` is the question.
    #[must_use]
    pub fn without_values(mut self, ask: &Ask) -> Self {
        let told = RulesTold { rules: std::mem::take(&mut self.rules), left_out: self.more_rules };
        let about = Told { ask, decision: &self.decision, rules: &told, requestable: &self.requestable };
        let sentence = words::sentence(about, Sight::Names);
        self.sentence = match &self.halves {
            Some(halves) => halves.sentence(ask, &sentence),
            None => sentence,
        };
        self
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes fields so")]
fn is_zero(count: &usize) -> bool {
    *count == 0
}

fn requestable(state: &LiveState, user: &str, would_allow: &[RoleAt], now: Timestamp) -> Vec<Requestable> {
    let schema = state.snapshot.schema();
    let mut found: Vec<Requestable> = would_allow
        .iter()
        .flat_map(|role| schema.elements().filter_map(move |element| offer(schema, element, role)))
        .map(|(kind, role, element, reviewing)| {
            let mut reviewers = state.snapshot.holders(&PlaceRef::from(&role.at), &reviewing, now);
            reviewers.retain(|reviewer| reviewer.as_str() != user);
            Requestable { kind, role, element, reviewers }
        })
        .collect();
    // Stable: among those that somebody could decide, the order of least privilege stays.
    found.sort_by_key(|r| r.reviewers.is_empty());
    found
}

/// Whether an element takes requests for a role in a place, and which roles decide them.
fn offer(
    schema: &Schema,
    element: &Element,
    wanted: &RoleAt,
) -> Option<(RequestKind, RoleAt, Key, Vec<RoleId>)> {
    let resource = match &wanted.at {
        Place::Instance(instance) => Some(instance.resource.as_str()),
        Place::Tenant(_) => None,
    };
    let role = schema.role_by_key(resource, wanted.role.as_str())?;
    let (kind, reviewing) = match element.kind {
        ElementType::UserManagement if element.level_of(role.id) == Level::Assignable => {
            let owners = element.roles_to_levels.get(&Level::Owner).cloned().unwrap_or_default();
            (RequestKind::AccessRequest, owners)
        }
        ElementType::OperationApproval
            if role.key.as_str() == APPROVED_ROLE
                && resource.is_some()
                && element.resource.as_ref().map(Key::as_str) == resource =>
        {
            let reviewer = schema.role_by_key(resource, REVIEWER_ROLE)?;
            (RequestKind::OperationApproval, vec![reviewer.id])
        }
        _ => return None,
    };
    element.is_active.then(|| (kind, wanted.clone(), element.key.clone(), reviewing))
}
