//! The rules over condition sets: what is asked when no role allows.

use super::{
    check::Target,
    view::{Person, Thing, View},
    walk::{End, Walk, with_scratch},
};
use crate::{
    compiled::{
        roleset::RoleSet,
        sets::{CompiledRule, Reads, Test, Users},
        slots::TENANT,
    },
    graph::Counting,
    question::{CallAttributes, Question},
};
use askfirst_domain::decision::RuleGrant;
use std::ops::ControlFlow;

/// What conditions see of a question whose user is there; `roles` are filled in where they are read.
pub(super) fn view<'a>(
    walk: &Walk<'a>,
    target: &Target<'a>,
    q: &Question<'a>,
    call: &'a CallAttributes<'a>,
) -> Option<View<'a>> {
    let user = Person::of(walk.graph, walk.subject?.number)?;
    Some(View {
        walk: *walk,
        call,
        action: q.action,
        resource: q.resource,
        user: Some(user),
        tenant: Some(target.tenant),
        roles: &[],
        thing: thing(walk, target, q),
    })
}

/// What the question is about.
pub(super) fn thing<'a>(walk: &Walk<'a>, target: &Target<'a>, q: &Question<'a>) -> Thing<'a> {
    match (target.instance.and_then(|number| walk.graph.node(number)), q.instance) {
        (Some(node), _) => Thing::Known(node),
        (None, Some(key)) => Thing::Named(key),
        (None, None) => Thing::Whole,
    }
}

/// The first rule, in the order of creation, that allows what is asked.
pub(super) fn allowing<'g>(
    walk: &Walk<'g>,
    target: &Target<'g>,
    q: &Question<'_>,
    call: &CallAttributes<'_>,
) -> Option<&'g CompiledRule> {
    let view = view(walk, target, q, call)?;
    let rules = target.need.rules.as_slice();
    let roles = roles_read(walk, target.tenant, rules.iter().flat_map(CompiledRule::tests));
    let view = View { roles: &roles, ..view };
    rules.iter().find(|rule| {
        met(rule.tests(), &view) && has_role_of(rule, walk, Some(target.tenant), target.instance)
    })
}

/// The roles, and where, with which rules about roles would allow what is asked: those whose conditions hold.
pub(super) fn roles_that_would_do<'g>(
    walk: &Walk<'g>,
    target: &Target<'g>,
    q: &Question<'_>,
    call: &CallAttributes<'_>,
) -> Vec<(u32, &'g RoleSet)> {
    let about_roles = |rule: &&'g CompiledRule| !matches!(rule.users, Users::Set(_));
    let rules: Vec<&CompiledRule> = target.need.rules.iter().filter(about_roles).collect();
    if rules.is_empty() {
        return Vec::new();
    }
    let Some(view) = view(walk, target, q, call) else { return Vec::new() };
    let roles = roles_read(walk, target.tenant, rules.iter().flat_map(|rule| rule.tests()));
    let view = View { roles: &roles, ..view };
    let place = |rule: &'g CompiledRule| match &rule.users {
        Users::Set(_) => None,
        Users::InTenant(role) => Some((target.tenant, &role.sufficient)),
        Users::OnInstance(role) => Some((target.instance?, &role.sufficient)),
    };
    rules.into_iter().filter(|rule| met(rule.tests(), &view)).filter_map(place).collect()
}

/// Whether all of the conditions hold.
pub(super) fn met<'t>(tests: impl IntoIterator<Item = &'t Test>, view: &View<'_>) -> bool {
    tests.into_iter().all(|test| test.condition.evaluate(view).is_met())
}

/// Whether the walk's user has the role that the rule is about, if it is about one.
pub(super) fn has_role_of(
    rule: &CompiledRule,
    walk: &Walk<'_>,
    tenant: Option<u32>,
    instance: Option<u32>,
) -> bool {
    match &rule.users {
        Users::Set(_) => true,
        Users::InTenant(role) => tenant.is_some_and(|node| has(walk, node, &role.sufficient)),
        Users::OnInstance(role) => instance.is_some_and(|node| has(walk, node, &role.sufficient)),
    }
}

/// What the decision says of the rule.
pub(super) fn grant(rule: &CompiledRule) -> RuleGrant {
    let rule = &rule.rule;
    RuleGrant {
        rule: rule.id,
        users: rule.users.clone(),
        permission: rule.permission.clone(),
        resources: rule.resources.clone(),
    }
}

/// Whether the user effectively has one of the roles on the node.
pub(super) fn has(walk: &Walk<'_>, node: u32, roles: &RoleSet) -> bool {
    with_scratch(|scratch| {
        scratch.start(node, roles);
        let end = walk.run(scratch, |item| match walk.given(item, Counting::Live(walk.now)) {
            0 => ControlFlow::Continue(()),
            _ => ControlFlow::Break(()),
        });
        matches!(end, End::Stopped(_))
    })
}

/// The keys of the roles that the user has in the tenant, given or extended; empty when none of the tests reads them.
pub(super) fn roles_read<'g, 't>(
    walk: &Walk<'g>,
    tenant: u32,
    tests: impl IntoIterator<Item = &'t Test>,
) -> Vec<&'g str> {
    if !tests.into_iter().any(|test| test.reads.any(Reads::ROLES)) {
        return Vec::new();
    }
    roles_held(walk, tenant)
}

/// The keys of the roles that the user has in the tenant, given or extended.
pub(super) fn roles_held<'g>(walk: &Walk<'g>, tenant: u32) -> Vec<&'g str> {
    let roles = walk.graph.compiled.ty(TENANT).map(|ty| ty.roles.as_slice()).unwrap_or_default();
    roles
        .iter()
        .flatten()
        .filter(|role| has(walk, tenant, &role.sufficient))
        .map(|role| role.key.as_str())
        .collect()
}
