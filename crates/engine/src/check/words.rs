//! A decision in words: the same sentences in the API, the terminal and the MCP tools.

use super::{Ask, Requestable};
use askfirst_domain::{
    decision::{Allowance, Decision, Denial, DenialCause, Grant, RuleGrant, Step},
    request::RequestKind,
    schema::{RuleResources, RuleUsers},
};

/// How many things a sentence names before it says how many more there are.
const NAMED: usize = 4;

pub(super) fn sentence(ask: &Ask, decision: &Decision, requestable: &[Requestable]) -> String {
    let (user, action, object) = (&ask.user, &ask.action, ask.object());
    match decision {
        Decision::Allow(Allowance::Role(grant)) => {
            format!("{user} may {action} {object}: {}.", way(user, grant))
        }
        Decision::Allow(Allowance::Rule(grant)) => {
            format!("{user} may {action} {object}: {}.", by_rule(user, &object, grant))
        }
        Decision::Deny(denial) => {
            let cause = cause(ask, denial);
            let remedy = remedy(user, denial, requestable);
            format!("{user} may not {action} {object}: {cause}. {remedy}")
        }
    }
}

/// The chain from the held role to the one that permits.
fn way(user: &str, grant: &Grant) -> String {
    let until = grant.expires_at.map(|at| format!(" until {at}")).unwrap_or_default();
    let steps: Vec<String> = grant
        .steps
        .iter()
        .map(|step| match step {
            Step::Extends { role } => format!(", which includes {}", role.role),
            Step::Derived { relation, role } => format!(", which by the relation {relation} gives {role}"),
        })
        .collect();
    format!("{user} holds {}{until}{}", grant.held, steps.concat())
}

/// The sets of the rule that allows.
fn by_rule(user: &str, object: &str, grant: &RuleGrant) -> String {
    let users = match &grant.users {
        RuleUsers::Set(key) => format!("{user} is in the user set {key}"),
        role @ RuleUsers::Role { .. } => format!("{user} has the role {role}"),
    };
    let resources = match &grant.resources {
        RuleResources::Set(key) => format!("{object} is in the resource set {key}"),
        RuleResources::Resource(_) => format!("it holds for all of {}", grant.permission.resource),
    };
    format!("{users} and {resources}, which a rule allows")
}

fn cause(ask: &Ask, denial: &Denial) -> String {
    let Ask { user, action, resource, .. } = ask;
    match &denial.cause {
        DenialCause::UnknownUser => format!("there is no user {user} in this environment"),
        DenialCause::UnknownResource => format!("the policy has no resource {resource}"),
        DenialCause::UnknownAction => format!("{resource} has no action {action}"),
        DenialCause::UnknownTenant => {
            format!("there is no tenant {}", ask.tenant.as_deref().unwrap_or("default"))
        }
        DenialCause::TenantMismatch => {
            format!("it does not belong to the tenant {}", ask.tenant.as_deref().unwrap_or("default"))
        }
        DenialCause::NoRole => format!("{user} holds no role that allows it"),
        DenialCause::Expired { role, at } => format!("the role {role} allowed it until {at} and has ended"),
        DenialCause::TooDeep { limit } => {
            format!("the chain of relations is longer than the limit of {limit}")
        }
    }
}

fn remedy(user: &str, denial: &Denial, requestable: &[Requestable]) -> String {
    let open: Vec<_> = requestable.iter().filter(|r| !r.reviewers.is_empty()).collect();
    if !open.is_empty() && denial.cause != DenialCause::UnknownUser {
        let offers: Vec<String> = open.iter().map(|r| offer(r)).collect();
        return format!("{user} could ask for {}.", listed(&offers, "or for"));
    }
    if denial.would_allow.is_empty() {
        return "No role would allow it.".to_owned();
    }
    let roles: Vec<String> = denial.would_allow.iter().map(ToString::to_string).collect();
    let roles = listed(&roles, "or");
    if requestable.is_empty() || denial.cause == DenialCause::UnknownUser {
        format!("It would take {roles}, which can't be asked for here.")
    } else {
        format!("It would take {roles}, but there is nobody who could decide a request.")
    }
}

fn offer(r: &Requestable) -> String {
    let reviewers: Vec<String> = r.reviewers.iter().map(ToString::to_string).collect();
    let deciders = listed(&reviewers, "or");
    match r.kind {
        RequestKind::AccessRequest => {
            format!(
                "the role {} by an access request through {} ({deciders} can decide it)",
                r.role, r.element
            )
        }
        RequestKind::OperationApproval => {
            format!("an operation approval on {} through {} ({deciders} can decide it)", r.role.at, r.element)
        }
    }
}

/// `a, b or c`; past [`NAMED`], how many more.
fn listed(items: &[String], last: &str) -> String {
    let more = items.len().saturating_sub(NAMED);
    let mut shown: Vec<String> = items.iter().take(NAMED).cloned().collect();
    if more > 0 {
        shown.push(format!("{more} more"));
    }
    match shown.split_last() {
        None => String::new(),
        Some((only, [])) => only.clone(),
        Some((end, rest)) => format!("{} {last} {end}", rest.join(", ")),
    }
}
