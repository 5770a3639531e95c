//! The rules over condition sets in an explanation: what each asks, what it saw, what it lacks.

use super::{
    check::Target,
    explain,
    sets::{has_role_of, met, roles_read, view},
    view::View,
    walk::{End, Walk, with_scratch},
};
use crate::{
    compiled::sets::{CompiledRule, RuleRole, Test, Users},
    graph::Counting,
    question::{CallAttributes, Question, RuleTrace, RulesTold, SetTrace},
};
use askfirst_domain::{decision::Grant, id::SetRuleId};
use std::ops::ControlFlow;

/// The most rules that one explanation tells; the others are counted.
pub const MAX_RULES_TOLD: usize = 16;

/// The rules for what is asked, in the order of creation; with `only`, that one. The user has to be there.
pub(super) fn rules(
    walk: &Walk<'_>,
    target: &Target<'_>,
    q: &Question<'_>,
    call: &CallAttributes<'_>,
    only: Option<SetRuleId>,
) -> RulesTold {
    let Some(view) = view(walk, target, q, call) else { return RulesTold::default() };
    let wanted: Vec<&CompiledRule> =
        target.need.rules.iter().filter(|rule| only.is_none_or(|id| rule.rule.id == id)).collect();
    let roles = roles_read(walk, target.tenant, wanted.iter().flat_map(|rule| rule.tests()));
    let view = View { roles: &roles, ..view };
    let told = wanted.iter().take(MAX_RULES_TOLD).map(|rule| told(walk, target, rule, &view));
    RulesTold { rules: told.collect(), left_out: wanted.len().saturating_sub(MAX_RULES_TOLD) }
}

fn told(walk: &Walk<'_>, target: &Target<'_>, rule: &CompiledRule, view: &View<'_>) -> RuleTrace {
    let sets = |tests: &[Test]| -> Vec<SetTrace> {
        tests
            .iter()
            .map(|test| SetTrace { set: test.set.clone(), explanation: test.condition.explain(view) })
            .collect()
    };
    let (role, user_sets) = match &rule.users {
        Users::Set(tests) => (None, sets(tests)),
        Users::InTenant(role) => (chain(walk, target.tenant, role), Vec::new()),
        Users::OnInstance(role) => (target.instance.and_then(|node| chain(walk, node, role)), Vec::new()),
    };
    let holds = met(rule.tests(), view) && has_role_of(rule, walk, Some(target.tenant), target.instance);
    RuleTrace {
        rule: rule.rule.id,
        users: rule.rule.users.clone(),
        permission: rule.rule.permission.clone(),
        resources: rule.rule.resources.clone(),
        holds,
        role,
        user_sets,
        resource_sets: sets(&rule.things),
    }
}

/// How the user has the role on the node.
fn chain(walk: &Walk<'_>, node: u32, role: &RuleRole) -> Option<Grant> {
    with_scratch(|scratch| {
        scratch.start(node, &role.sufficient);
        let counting = Counting::Live(walk.now);
        let end = walk.run(scratch, |item| match walk.given(item, counting) {
            0 => ControlFlow::Continue(()),
            _ => ControlFlow::Break(()),
        });
        let End::Stopped(number) = end else { return None };
        let mask = walk.given(scratch.items.get(number as usize)?, counting);
        explain::grant(walk, scratch, number, mask, |_| std::iter::once(role.role).collect())
    })
}
