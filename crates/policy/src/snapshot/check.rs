//! One question, answered.

use super::{
    explain, sets, told,
    walk::{End, Item, Order, Scratch, Subject, Walk, with_scratch},
};
use crate::{
    compiled::{Need, roleset::roles_in, slots::TENANT},
    graph::{Counting, Graph},
    question::{CallAttributes, Explained, Question, RulesTold},
};
use askfirst_domain::{
    Timestamp,
    decision::{Allowance, Decision, Denial, DenialCause, Grant, Place, RoleAt},
    facts::{DEFAULT_TENANT, InstanceRef},
};
use std::ops::ControlFlow;

/// The most roles that a denial names.
pub const MAX_SUGGESTIONS: usize = 64;

/// What a question is about, once its names are looked up.
#[derive(Debug, Clone, Copy)]
pub(super) struct Target<'g> {
    pub(super) need: &'g Need,
    pub(super) instance: Option<u32>,
    pub(super) tenant: u32,
    /// None when there is no such user.
    pub(super) user: Option<u32>,
}

impl Target<'_> {
    fn start(&self, scratch: &mut Scratch) {
        if let Some(node) = self.instance {
            scratch.start(node, &self.need.on_instance.sufficient);
        }
        scratch.start(self.tenant, &self.need.in_tenant.sufficient);
    }
}

#[inline]
pub(super) fn target<'g>(graph: &'g Graph, q: &Question<'_>) -> Result<Target<'g>, DenialCause> {
    let ty = graph.compiled.type_of(q.resource).ok_or(DenialCause::UnknownResource)?;
    let compiled = graph.compiled.ty(ty).ok_or(DenialCause::UnknownResource)?;
    let need = compiled.actions.get(q.action).ok_or(DenialCause::UnknownAction)?;
    let (user, instance) = match q.instance {
        Some(key) => graph.user_and_node(q.user, ty, key),
        None => (graph.user_number(q.user), None),
    };
    let tenant = match instance.and_then(|number| graph.node(number)) {
        Some(node) => {
            let named_another =
                |named: &str| graph.node(node.tenant).is_none_or(|tenant| !tenant.name.is(named));
            if q.tenant.is_some_and(named_another) {
                return Err(DenialCause::TenantMismatch);
            }
            node.tenant
        }
        None => graph.tenant_number(q.tenant.unwrap_or(DEFAULT_TENANT)).ok_or(DenialCause::UnknownTenant)?,
    };
    Ok(Target { need, instance, tenant, user })
}

/// The verdict alone: the same walk as [`check`], with nothing kept.
pub(super) fn is_allowed(
    graph: &Graph,
    q: &Question<'_>,
    call: &CallAttributes<'_>,
    now: Timestamp,
    max_depth: u32,
) -> bool {
    let Ok(target) = target(graph, q) else { return false };
    let Some(number) = target.user else { return false };
    let Some(user) = graph.user(number) else { return false };
    let subject = Subject { number, held: &user.held };
    let walk = Walk { graph, subject: Some(subject), now, max_depth, order: Order::Any };
    has_role(&walk, subject, &target)
        || (!target.need.rules.is_empty() && sets::allowing(&walk, &target, q, call).is_some())
}

#[inline]
fn has_role(walk: &Walk<'_>, Subject { number, held }: Subject<'_>, target: &Target<'_>) -> bool {
    if held.is_empty() {
        return false;
    }
    let counting = Counting::Live(walk.now);
    let has = |node: u32, need: &crate::compiled::Allowing| {
        need.sufficient.words().any(|word| walk.graph.given(number, held, node, word, counting) != 0)
    };
    // The two places that most answers come from, before anything is set up for a walk.
    if target.instance.is_some_and(|node| has(node, &target.need.on_instance))
        || has(target.tenant, &target.need.in_tenant)
    {
        return true;
    }
    let Some(instance) = target.instance else { return false };
    with_scratch(|scratch| {
        scratch.start(instance, &target.need.on_instance.sufficient);
        let end = walk.run(scratch, |item| match walk.given(item, counting) {
            0 => ControlFlow::Continue(()),
            _ => ControlFlow::Break(()),
        });
        matches!(end, End::Stopped(_))
    })
}

/// The decision with what it rests on.
pub(super) fn check(
    graph: &Graph,
    q: &Question<'_>,
    call: &CallAttributes<'_>,
    now: Timestamp,
    max_depth: u32,
) -> Decision {
    let target = match target(graph, q) {
        Ok(target) => target,
        Err(cause) => return Decision::Deny(Denial { cause, would_allow: Vec::new() }),
    };
    let subject = target.user.and_then(|number| Some(Subject { number, held: &graph.user(number)?.held }));
    let walk = Walk { graph, subject, now, max_depth, order: Order::ByName };
    with_scratch(|scratch| {
        let cut = match search(&walk, &target, scratch, Counting::Live(now)) {
            Ok(grant) => return Decision::Allow(Allowance::Role(grant)),
            Err(cut) => cut,
        };
        if !target.need.rules.is_empty()
            && let Some(rule) = sets::allowing(&walk, &target, q, call)
        {
            return Decision::Allow(Allowance::Rule(sets::grant(rule)));
        }
        let would_do = sets::roles_that_would_do(&walk, &target, q, call);
        if !would_do.is_empty() {
            for (node, roles) in would_do {
                scratch.start(node, roles);
            }
            walk.run(scratch, |_| ControlFlow::Continue(()));
        }
        let would_allow = suggestions(graph, q, &target, scratch);
        let cause = if subject.is_none() {
            DenialCause::UnknownUser
        } else if let Some(cause) = ended(&walk, &target) {
            cause
        } else if cut {
            DenialCause::TooDeep { limit: max_depth }
        } else {
            DenialCause::NoRole
        };
        Decision::Deny(Denial { cause, would_allow })
    })
}

/// The decision with the rules that were asked for it.
pub(super) fn explain(
    graph: &Graph,
    q: &Question<'_>,
    call: &CallAttributes<'_>,
    now: Timestamp,
    max_depth: u32,
) -> Explained {
    let decision = check(graph, q, call, now, max_depth);
    let only = match &decision {
        Decision::Allow(Allowance::Role(_)) => return Explained { decision, told: RulesTold::default() },
        Decision::Allow(Allowance::Rule(grant)) => Some(grant.rule),
        Decision::Deny(_) => None,
    };
    let user = graph.user_number(q.user);
    let subject = user.and_then(|number| Some(Subject { number, held: &graph.user(number)?.held }));
    let walk = Walk { graph, subject, now, max_depth, order: Order::ByName };
    let told = target(graph, q).map(|target| told::rules(&walk, &target, q, call, only)).unwrap_or_default();
    Explained { decision, told }
}

/// A grant, or whether the limit cut the search off.
fn search(
    walk: &Walk<'_>,
    target: &Target<'_>,
    scratch: &mut Scratch,
    counting: Counting,
) -> Result<Grant, bool> {
    target.start(scratch);
    let end = walk.run(scratch, |item| match walk.given(item, counting) {
        0 => ControlFlow::Continue(()),
        _ => ControlFlow::Break(()),
    });
    let number = match end {
        End::Stopped(number) => number,
        End::Exhausted { cut } => return Err(cut),
    };
    let mask = scratch.items.get(number as usize).map_or(0, |item| walk.given(item, counting));
    let goal = |item: &Item| {
        let allowing =
            if item.node == target.tenant { &target.need.in_tenant } else { &target.need.on_instance };
        allowing.permitting.clone()
    };
    explain::grant(walk, scratch, number, mask, goal).ok_or(false)
}

/// The assignment that would allow it, had it not ended.
fn ended(walk: &Walk<'_>, target: &Target<'_>) -> Option<DenialCause> {
    let mut scratch = Scratch::default();
    let grant = search(walk, target, &mut scratch, Counting::Ended).ok()?;
    Some(DenialCause::Expired { role: grant.held, at: grant.expires_at? })
}

/// The roles that would allow it: on the instance, then on what it is related to, nearest first, then in the tenant;
/// of those equally near, fewest permissions first.
fn suggestions(graph: &Graph, q: &Question<'_>, target: &Target<'_>, scratch: &Scratch) -> Vec<RoleAt> {
    let mut found: Vec<(bool, u32, usize, RoleAt)> = Vec::new();
    for item in &scratch.items {
        let Some(node) = graph.node(item.node) else { continue };
        for role in roles_in(item.word, item.mask) {
            let weight =
                graph.compiled.ty(node.ty).and_then(|ty| ty.role(role)).map_or(0, |role| role.weight);
            if let Some(at) = graph.role_at(item.node, role) {
                found.push((node.ty == TENANT, item.depth, weight, at));
            }
        }
    }
    if target.instance.is_none()
        && let (Some(ty), Some(Ok(key)), Ok(resource)) = (
            graph.compiled.type_of(q.resource).and_then(|ty| graph.compiled.ty(ty)),
            q.instance.map(str::parse),
            q.resource.parse(),
        )
    {
        // The instance may come to be with its first assignment.
        let place = Place::Instance(InstanceRef { resource, key });
        for role in target.need.on_instance.sufficient.roles().filter_map(|role| ty.role(role)) {
            let at = RoleAt { role: role.key.clone(), at: place.clone() };
            found.push((false, 0, role.weight, at));
        }
    }
    found.sort();
    found.truncate(MAX_SUGGESTIONS);
    found.into_iter().map(|(_, _, _, at)| at).collect()
}
