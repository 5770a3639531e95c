//! Which decisions a plan changes.

use crate::error::{Error, Result};
use askfirst_domain::{
    Timestamp,
    decision::{Allowance, Grant},
    schema::Permission,
};
use askfirst_policy::{Bounds, Comparison, Flip, Snapshot, Turn};
use serde::Serialize;

/// How much a plan looks at: questions of the form "who may do this to that?", users that these go through, and
/// decisions that are told one by one.
const BOUNDS: Bounds = Bounds { questions: 20_000, users: 5_000_000, examples: 100 };

/// Which decisions change, for calls that give no attributes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Default)]
pub struct Impact {
    /// How many questions of the form "who may do this to that?" were asked.
    pub asked: u64,
    /// How many there are; when it is more than were asked, the rest is a sample.
    pub of: u64,
    pub permissions: Vec<Shifted>,
    pub examples: Vec<Flipped>,
}

/// How many users gain and lose a permission, place by place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Shifted {
    /// `resource:action`.
    pub permission: String,
    pub gained: u64,
    pub lost: u64,
}

/// A decision that changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Flipped {
    pub user: String,
    pub action: String,
    /// `type:key`, or `type` for the resource as a whole.
    pub resource: String,
    pub tenant: String,
    /// The answer before and after: `allow` or `deny`.
    pub before: &'static str,
    pub after: &'static str,
    /// What the allow rests on, be it before or after.
    pub by: String,
}

/// Compares two states, beside the calls.
pub(super) async fn of(before: &Snapshot, after: &Snapshot, now: Timestamp) -> Result<Impact> {
    let (before, after) = (before.clone(), after.clone());
    let compared = tokio::task::spawn_blocking(move || before.compare(&after, now, BOUNDS)).await;
    let Comparison { asked, of, permissions, examples } =
        compared.map_err(|_| Error::new(crate::Kind::Unavailable, "The server is being shut down."))?;
    let shifted = |(permission, shift): (Permission, askfirst_policy::Shift)| Shifted {
        permission: format!("{}:{}", permission.resource, permission.action),
        gained: shift.gained,
        lost: shift.lost,
    };
    Ok(Impact {
        asked,
        of,
        permissions: permissions.into_iter().map(shifted).collect(),
        examples: examples.iter().map(flipped).collect(),
    })
}

fn flipped(flip: &Flip) -> Flipped {
    let Permission { resource, action } = &flip.permission;
    let (before, after) = match flip.turn {
        Turn::Gained => ("deny", "allow"),
        Turn::Lost => ("allow", "deny"),
    };
    Flipped {
        user: flip.user.to_string(),
        action: action.to_string(),
        resource: match &flip.instance {
            Some(key) => format!("{resource}:{key}"),
            None => resource.to_string(),
        },
        tenant: flip.tenant.to_string(),
        before,
        after,
        by: by(&flip.by),
    }
}

/// What an Allow rests on, in a few words.
pub(super) fn by(allowance: &Allowance) -> String {
    match allowance {
        Allowance::Role(grant) => role(grant),
        Allowance::Rule(rule) => format!("the rule of {} on {}", rule.users, rule.resources.key()),
    }
}

fn role(grant: &Grant) -> String {
    if grant.steps.is_empty() {
        format!("{}", grant.held)
    } else {
        format!("{}, from {}", grant.permitting(), grant.held)
    }
}
