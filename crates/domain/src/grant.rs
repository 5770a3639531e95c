//! What an approval gives, for how long and how often, and what became of it.

use crate::{Span, Timestamp, principal::Principal, request::Person};
use serde::{Deserialize, Serialize};
use std::fmt;

/// What an approval gives at most; fixed when the request is opened. A reviewer may give less.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Offer {
    /// How long it lasts from the decision on; none: until somebody takes it away.
    pub lasts: Option<Span>,
    /// How often it may be spent; none: a role, which is not counted.
    pub uses: Option<u32>,
}

/// What an approval gave.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Grant {
    /// From then on it gives nothing, whether or not anything has been written; none: no end.
    pub ends_at: Option<Timestamp>,
    /// How often it may be spent; none: it is a role, and is not counted.
    pub uses: Option<u32>,
    /// How it was spent, oldest first.
    pub spent: Vec<Spending>,
    pub revoked: Option<Revocation>,
    /// Its end was written down. It stays ended, also where a clock is set back.
    pub ended: Option<Timestamp>,
}

/// One use of a grant.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Spending {
    pub at: Timestamp,
    /// Who spent it, from the credential.
    pub by: Principal,
    pub outcome: Outcome,
    pub outcome_at: Option<Timestamp>,
    /// What the outcome was, in the words of whoever did it.
    pub note: Option<String>,
}

/// What came of what was done with a use of a grant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Nobody has said. It may have been done and may not; nothing does it again by itself.
    Unknown,
    Succeeded,
    Failed,
}

impl Outcome {
    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Who took a grant away, when and why.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Revocation {
    pub by: Person,
    pub at: Timestamp,
    pub reason: Option<String>,
}

/// Where a grant stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GrantState {
    Active,
    /// All uses are spent.
    Spent,
    Revoked,
    /// Its time is over.
    Ended,
}

impl GrantState {
    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Spent => "spent",
            Self::Revoked => "revoked",
            Self::Ended => "ended",
        }
    }
}

impl Grant {
    /// A fresh one.
    pub fn new(offer: Offer, at: Timestamp) -> Self {
        let ends_at = offer.lasts.map(|lasts| at.plus(lasts.duration()));
        Self { ends_at, uses: offer.uses, spent: Vec::new(), revoked: None, ended: None }
    }

    /// Where it stands at a moment. What was revoked or spent stays so after its time.
    pub fn state(&self, now: Timestamp) -> GrantState {
        if self.revoked.is_some() {
            GrantState::Revoked
        } else if self.left() == Some(0) {
            GrantState::Spent
        } else if self.ended.is_some() || self.ends_at.is_some_and(|at| at <= now) {
            GrantState::Ended
        } else {
            GrantState::Active
        }
    }

    /// How many uses are left; none: they are not counted.
    pub fn left(&self) -> Option<u32> {
        let spent = u32::try_from(self.spent.len()).unwrap_or(u32::MAX);
        self.uses.map(|uses| uses.saturating_sub(spent))
    }
}
