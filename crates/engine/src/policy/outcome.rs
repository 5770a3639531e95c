//! What goes into planning and applying, and what comes out.

use super::{Diagnostic, Difference, Impact, Prune, Replay};
use crate::error::Error;
use serde::Serialize;
use std::collections::BTreeMap;

/// A policy file and what is to be done with it.
#[derive(Clone, Default)]
pub struct PolicyText {
    pub text: String,
    pub prune: Prune,
    /// Tokens of webhooks, by the names under which the file asks for them.
    pub secrets: BTreeMap<String, String>,
    /// The token of the plan that is to be carried out; none carries out whatever it comes to now.
    pub plan: Option<String>,
}

impl std::fmt::Debug for PolicyText {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PolicyText")
            .field("prune", &self.prune)
            .field("secrets", &self.secrets.keys())
            .field("plan", &self.plan)
            .finish_non_exhaustive()
    }
}

/// What applying a file did: how many of each kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Default)]
pub struct Applied {
    pub created: BTreeMap<String, usize>,
    pub changed: BTreeMap<String, usize>,
    pub removed: BTreeMap<String, usize>,
    /// How many things were as the file says already.
    pub unchanged: usize,
    /// The revision at which it holds.
    pub revision: u64,
}

/// A thing that the environment has, that the file does not name, and that stays.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LeftOver {
    pub what: String,
    pub name: String,
}

/// What applying a file would do.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PolicyPlan {
    pub differences: Vec<Difference>,
    /// How many things are as the file says already.
    pub unchanged: usize,
    /// Things of the policy, in sections that the file has, that are not in the file and stay; pruning takes them away.
    pub left_over: Vec<LeftOver>,
    /// The names under which tokens of webhooks are wanted and were not given.
    pub missing_secrets: Vec<String>,
    /// Which decisions change.
    pub impact: Impact,
    /// Which of the newest recorded decisions change; none without a decision log, or when nothing changes.
    pub recorded: Option<Replay>,
    /// Names this plan: applying with it does exactly this or nothing.
    pub token: String,
    /// The revision that it was made at.
    pub revision: u64,
}

/// Why a file was not applied. Nothing of it was.
#[derive(Debug)]
pub enum ApplyError {
    /// The file is wrong in these places.
    File(Vec<Diagnostic>),
    /// It could not be written.
    Failed(Error),
}

impl From<Error> for ApplyError {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}
