//! A decision in words: the same sentences in the API, the terminal and the MCP tools.

use super::{Ask, Requestable};
use askfirst_domain::{
    decision::{Allowance, Decision, Denial, DenialCause, Grant, RuleGrant, Step},
    request::RequestKind,
    schema::{RuleResources, RuleUsers},
};
use askfirst_policy::{RuleTrace, RulesTold, condition::LeafTrace};

/// How many things a sentence names before it says how many more there are.
const NAMED: usize = 4;

/// What of the attributes may be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sight {
    /// Their values, and what they were compared with.
    Values,
    /// Their names only.
    Names,
}

/// What a sentence is about.
#[derive(Debug, Clone, Copy)]
pub(super) struct Told<'a> {
    pub(super) ask: &'a Ask,
    pub(super) decision: &'a Decision,
    pub(super) rules: &'a RulesTold,
    pub(super) requestable: &'a [Requestable],
}

pub(super) fn sentence(told: Told<'_>, sight: Sight) -> String {
    let Told { ask, decision, rules, requestable } = told;
    let (user, action, object) = (&ask.user, &ask.action, ask.object());
    match decision {
        Decision::Allow(Allowance::Role(grant)) => by_role(ask, grant),
        Decision::Allow(Allowance::Rule(grant)) => {
            let role =
                rules.rules.iter().find(|rule| rule.rule == grant.rule).and_then(|rule| rule.role.as_ref());
            format!("{user} may {action} {object}: {}.", by_rule(user, &object, grant, role))
        }
        Decision::Deny(denial) => {
            let cause = cause(ask, denial);
            let rules = no_rule(user, rules, sight);
            let remedy = remedy(user, denial, requestable);
            format!("{user} may not {action} {object}: {cause}{rules}. {remedy}")
        }
    }
}

/// An Allow by a role: the question and the grant say all of it.
pub(crate) fn by_role(ask: &Ask, grant: &Grant) -> String {
    let Ask { user, action, .. } = ask;
    format!("{user} may {action} {}: {}.", ask.object(), way(user, grant))
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

/// The sets of the rule that allows, and for a rule about a role how the user has it.
fn by_rule(user: &str, object: &str, grant: &RuleGrant, role: Option<&Grant>) -> String {
    let users = match (&grant.users, role) {
        (RuleUsers::Set(key), _) => format!("{user} is in the user set {key}"),
        (RuleUsers::Role { .. }, Some(role)) => way(user, role),
        (role @ RuleUsers::Role { .. }, None) => format!("{user} has the role {role}"),
    };
    let resources = match &grant.resources {
        RuleResources::Set(key) => format!("{object} is in the resource set {key}"),
        RuleResources::Resource(_) => format!("it holds for all of {}", grant.permission.resource),
    };
    format!("{users} and {resources}, which a rule allows")
}

/// What the rules about it lack; nothing when there are none.
fn no_rule(user: &str, told: &RulesTold, sight: Sight) -> String {
    let each: Vec<String> = told
        .rules
        .iter()
        .take(NAMED)
        .map(|rule| {
            let users = match &rule.users {
                RuleUsers::Set(key) => format!("the user set {key}"),
                role @ RuleUsers::Role { .. } => format!("the role {role}"),
            };
            let resources = match &rule.resources {
                RuleResources::Set(key) => format!("the resource set {key}"),
                RuleResources::Resource(key) => format!("all of {key}"),
            };
            format!("for {users} on {resources} it would take {}", listed(&lacks(user, rule, sight), "and"))
        })
        .collect();
    let more = (told.rules.len() - each.len()).saturating_add(told.left_out);
    let more = if more > 0 { format!("; and so with {more} more") } else { String::new() };
    match told.rules.len() {
        0 => String::new(),
        1 => format!(", and the rule about it does not hold: {}", each.concat()),
        _ => format!(", and no rule about it holds: {}{more}", each.join("; ")),
    }
}

/// What would have to be otherwise for the rule to hold.
fn lacks(user: &str, rule: &RuleTrace, sight: Sight) -> Vec<String> {
    let role = match &rule.users {
        wanted @ RuleUsers::Role { .. } if rule.role.is_none() => {
            Some(format!("that {user} holds the role {wanted}"))
        }
        RuleUsers::Role { .. } | RuleUsers::Set(_) => None,
    };
    let mut lacks: Vec<String> = role.into_iter().collect();
    for set in rule.user_sets.iter().chain(&rule.resource_sets) {
        if set.explanation.truth.is_met() {
            continue;
        }
        let before = lacks.len();
        let lacking = set.explanation.leaves.iter().filter(|leaf| leaf.wanted.is_some());
        match sight {
            Sight::Values => {
                lacks.extend(lacking.filter_map(LeafTrace::lack).map(|lack| format!("that {lack}")));
            }
            Sight::Names => {
                let mut names: Vec<&str> = lacking.map(|leaf| leaf.attribute.as_str()).collect();
                names.dedup();
                lacks.extend(names.into_iter().map(|name| format!("another {name}")));
            }
        }
        if lacks.len() == before {
            lacks.push(format!("that the conditions of {} hold", set.set));
        }
    }
    lacks
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
        DenialCause::Agent { agent, .. } => format!("the agent {agent} may not"),
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
