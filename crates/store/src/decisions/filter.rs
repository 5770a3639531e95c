//! What lists of decisions can be narrowed by.

use super::terms::{self, Term};
use askfirst_domain::Timestamp;
use std::ops::RangeInclusive;

/// Narrows decisions. Each list means "one of these"; an empty list matches nothing. An empty filter lists everything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecisionFilter {
    pub users: Option<Vec<String>>,
    pub action: Option<String>,
    pub things: Option<Vec<Thing>>,
    /// The tenant that it was decided in.
    pub tenant: Option<String>,
    pub allow: Option<bool>,
    /// Not before.
    pub from: Option<Timestamp>,
    /// Not after.
    pub to: Option<Timestamp>,
    pub revisions: RangeInclusive<u64>,
}

impl Default for DecisionFilter {
    fn default() -> Self {
        Self {
            users: None,
            action: None,
            things: None,
            tenant: None,
            allow: None,
            from: None,
            to: None,
            revisions: 0..=u64::MAX,
        }
    }
}

/// A resource, or one of its instances.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Thing {
    pub resource: String,
    pub instance: Option<String>,
}

impl DecisionFilter {
    /// Whether anything is looked for by name.
    pub(super) fn names_something(&self) -> bool {
        self.users.is_some() || self.action.is_some() || self.things.is_some() || self.tenant.is_some()
    }

    /// Whether a segment with this filter of names may hold what is looked for.
    pub(super) fn may_be_in(&self, names: &[u8]) -> bool {
        let holds = |term, name: &str| terms::may_hold(names, term, name);
        let thing = |thing: &Thing| {
            holds(Term::Resource, &thing.resource)
                && thing.instance.as_deref().is_none_or(|key| holds(Term::Instance, key))
        };
        self.users.as_ref().is_none_or(|users| users.iter().any(|user| holds(Term::User, user)))
            && self.action.as_deref().is_none_or(|action| holds(Term::Action, action))
            && self.things.as_ref().is_none_or(|things| things.iter().any(thing))
            && self.tenant.as_deref().is_none_or(|tenant| holds(Term::Tenant, tenant))
    }

    /// Whether a segment of so many decisions, so many of them allowed, may hold what is looked for.
    pub(super) fn may_be_among(&self, decisions: i64, allowed: i64) -> bool {
        match self.allow {
            None => true,
            Some(true) => allowed > 0,
            Some(false) => allowed < decisions,
        }
    }
}
