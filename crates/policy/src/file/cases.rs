//! The tests in a policy file: questions with the answers that they are to have, asked of what the file itself says.

use super::{PolicyFile, alone};
use crate::{CallAttributes, Question, RoleName, Snapshot};
use askfirst_domain::{
    Key, Timestamp,
    decision::{Allowance, Decision, Place, RoleAt},
    facts::Attributes,
    schema::{RuleResources, RuleUsers},
};
use serde_json::Value;
use std::fmt::Write as _;

/// A question and what it is to be answered.
#[derive(Debug, Clone, PartialEq)]
pub struct Case {
    pub name: Option<String>,
    /// Where it stands in the file, counted from 1.
    pub line: u64,
    pub user: String,
    pub action: Key,
    pub resource: Key,
    pub instance: Option<Key>,
    pub tenant: Option<Key>,
    pub user_attributes: Attributes,
    pub resource_attributes: Attributes,
    pub tenant_attributes: Attributes,
    pub action_attributes: Attributes,
    pub context: Attributes,
    /// When it is asked; none means when the tests run.
    pub at: Option<Timestamp>,
    pub expected: Expected,
}

/// The answer that a case is to have.
#[derive(Debug, Clone, PartialEq)]
pub enum Expected {
    /// Allowed; over this role, and by this rule, where they are named.
    Allow { by_role: Option<RoleName>, by_rule: Option<NamedRule> },
    /// Denied; for this cause, as a decision spells it, where it is named.
    Deny { cause: Option<String> },
}

/// A rule over sets, as far as a case says which.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedRule {
    pub users: Option<RuleUsers>,
    pub resource_set: Option<Key>,
}

/// What came of a case.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// The case's name, or the question in words.
    pub name: String,
    pub line: u64,
    /// What is wrong, when it is; none for a case that has its answer.
    pub failure: Option<String>,
    pub decision: Decision,
}

impl Case {
    /// The question in words: `joe read restaurants:pizza-palace`.
    pub fn question(&self) -> String {
        let mut text = format!("{} {} {}", self.user, self.action, self.resource);
        if let Some(key) = &self.instance {
            let _ = write!(text, ":{key}");
        }
        if let Some(tenant) = &self.tenant {
            let _ = write!(text, " in {tenant}");
        }
        text
    }

    /// Whether it is about something that the policy does not know.
    pub(super) fn expects_unknown(&self) -> bool {
        matches!(&self.expected, Expected::Deny { cause: Some(cause) }
            if matches!(cause.as_str(), "unknown_resource" | "unknown_action"))
    }

    fn run(&self, snapshot: &Snapshot, now: Timestamp) -> Outcome {
        let question = Question {
            user: &self.user,
            action: self.action.as_str(),
            resource: self.resource.as_str(),
            instance: self.instance.as_ref().map(Key::as_str),
            tenant: self.tenant.as_ref().map(Key::as_str),
        };
        let call = CallAttributes {
            user: Some(&self.user_attributes),
            resource: Some(&self.resource_attributes),
            tenant: Some(&self.tenant_attributes),
            context: Some(&self.context),
            action: Some(&self.action_attributes),
        };
        let decision = snapshot.check_with(&question, &call, self.at.unwrap_or(now));
        let failure = self.judge(snapshot, &decision);
        let name = self.name.clone().unwrap_or_else(|| self.question());
        Outcome { name, line: self.line, failure, decision }
    }

    fn judge(&self, snapshot: &Snapshot, decision: &Decision) -> Option<String> {
        let unknown_user = |cause: Option<&str>| {
            (!snapshot.has_user(&self.user) && cause != Some("unknown_user"))
                .then(|| format!("the file has no user `{}`; list it under `users`", self.user))
        };
        match (&self.expected, decision) {
            (Expected::Allow { by_role, by_rule }, Decision::Allow(allowance)) => {
                let wrong_role = by_role.as_ref().filter(|role| !goes_over(allowance, role));
                let wrong_rule = by_rule.as_ref().filter(|rule| !is_by(allowance, rule));
                (wrong_role.is_some() || wrong_rule.is_some())
                    .then(|| format!("it is allowed, but by {}", told(allowance)))
            }
            (Expected::Deny { cause }, Decision::Deny(denial)) => {
                let actual = cause_of(&denial.cause);
                unknown_user(cause.as_deref()).or_else(|| {
                    let other = cause.as_deref().filter(|cause| *cause != actual);
                    other.map(|_| format!("it is denied, but for the cause {actual}"))
                })
            }
            (Expected::Allow { .. }, Decision::Deny(denial)) => {
                let mut text = format!("it is denied ({})", cause_of(&denial.cause));
                if let Some(role) = denial.would_allow.first() {
                    let _ = write!(text, "; the role {role} would allow it");
                }
                unknown_user(None).or(Some(text))
            }
            (Expected::Deny { .. }, Decision::Allow(allowance)) => {
                Some(format!("it is allowed, by {}", told(allowance)))
            }
        }
    }
}

impl PolicyFile {
    /// The world that the file alone describes: an environment with nothing else in it, and the tenant that every one has.
    pub fn alone(&self) -> Snapshot {
        alone::snapshot(self)
    }

    /// Asks every case of what the file says, and of nothing else. An environment always has the tenant `default`.
    pub fn run_tests(&self, now: Timestamp) -> Vec<Outcome> {
        let snapshot = self.alone();
        self.tests.iter().map(|case| case.run(&snapshot, now)).collect()
    }
}

/// The word of a denial's cause.
fn cause_of(cause: &askfirst_domain::decision::DenialCause) -> String {
    let value = serde_json::to_value(cause).unwrap_or_default();
    value.get("cause").and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn goes_over(allowance: &Allowance, wanted: &RoleName) -> bool {
    let is = |at: &RoleAt| {
        let resource = match &at.at {
            Place::Tenant(_) => None,
            Place::Instance(instance) => Some(&instance.resource),
        };
        at.role == wanted.key && resource == wanted.resource.as_ref()
    };
    match allowance {
        Allowance::Role(grant) => is(&grant.held) || grant.steps.iter().any(|step| is(step.role())),
        Allowance::Rule(_) => false,
    }
}

fn is_by(allowance: &Allowance, wanted: &NamedRule) -> bool {
    match allowance {
        Allowance::Role(_) => false,
        Allowance::Rule(rule) => {
            let users = wanted.users.as_ref().is_none_or(|users| *users == rule.users);
            let set = |key: &Key| rule.resources == RuleResources::Set(key.clone());
            users && wanted.resource_set.as_ref().is_none_or(set)
        }
    }
}

fn told(allowance: &Allowance) -> String {
    match allowance {
        Allowance::Role(grant) if grant.steps.is_empty() => format!("the role {}", grant.held),
        Allowance::Role(grant) => format!("the role {}, from {}", grant.permitting(), grant.held),
        Allowance::Rule(rule) => format!("the rule of {} on {}", rule.users, rule.resources.key()),
    }
}
