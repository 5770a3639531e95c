//! Lists: which roles, which people, which places.

use super::{
    explain,
    walk::{End, Item, Order, Subject, Walk, with_scratch},
};
use crate::{
    compiled::{
        Rule,
        roleset::{RoleSet, roles_in},
        slots::{RoleSlot, TENANT, TypeIndex},
    },
    graph::{Counting, Graph},
    question::{EffectiveRole, Nearness, PlaceRef},
};
use askfirst_domain::{Timestamp, UserKey, decision::Place, id::RoleId};
use rustc_hash::FxHashSet;
use std::ops::ControlFlow;

/// The node of a place, and for an instance its tenant's.
fn nodes(graph: &Graph, place: &PlaceRef<'_>) -> Vec<u32> {
    let Some(number) = graph.place_number(place) else { return Vec::new() };
    match graph.node(number) {
        Some(node) if node.ty != TENANT => vec![number, node.tenant],
        _ => vec![number],
    }
}

pub(super) fn roles_on(
    graph: &Graph,
    user: &str,
    place: &PlaceRef<'_>,
    now: Timestamp,
    max_depth: u32,
) -> Vec<EffectiveRole> {
    let Some(number) = graph.user_number(user) else { return Vec::new() };
    let Some(user) = graph.user(number) else { return Vec::new() };
    let subject = Some(Subject { number, held: &user.held });
    let walk = Walk { graph, subject, now, max_depth, order: Order::ByName };
    let mut found = Vec::new();
    for node in nodes(graph, place) {
        let Some(ty) = graph.node(node).and_then(|node| graph.compiled.ty(node.ty)) else { continue };
        for (index, role) in (0..).zip(&ty.roles) {
            let Some(role) = role else { continue };
            let grant = with_scratch(|scratch| {
                scratch.start(node, &role.sufficient);
                let end = walk.run(scratch, |item| stop_if(walk.given(item, Counting::Live(now)) != 0));
                let End::Stopped(number) = end else { return None };
                let mask = walk.given(scratch.items.get(number as usize)?, Counting::Live(now));
                explain::grant(&walk, scratch, number, mask, |_| std::iter::once(index).collect())
            });
            if let (Some(grant), Some(at)) = (grant, graph.role_at(node, index)) {
                found.push(EffectiveRole { id: role.id, at, grant });
            }
        }
    }
    found.sort_by(|a, b| a.at.at.cmp(&b.at.at).then_with(|| a.at.role.cmp(&b.at.role)));
    found
}

pub(super) fn holders(
    graph: &Graph,
    place: &PlaceRef<'_>,
    roles: &[RoleId],
    now: Timestamp,
    max_depth: u32,
) -> Vec<UserKey> {
    let mut users: Vec<u32> = Vec::new();
    for node in nodes(graph, place) {
        let Some(ty) = graph.node(node).and_then(|node| graph.compiled.ty(node.ty)) else { continue };
        let mut wanted = RoleSet::default();
        for role in ty.roles.iter().flatten().filter(|role| roles.contains(&role.id)) {
            wanted.union(&role.sufficient);
        }
        holders_at(graph, node, &wanted, now, max_depth, &mut users);
    }
    users.sort_unstable();
    users.dedup();
    let mut keys: Vec<UserKey> = users.into_iter().filter_map(|user| graph.user_key(user)).collect();
    keys.sort_unstable();
    keys
}

/// Up to `most` holders in the place, and as many in its tenant, with how near they hold it: the nearest first.
pub(super) fn nearest_holders(
    graph: &Graph,
    place: &PlaceRef<'_>,
    roles: &[RoleId],
    (now, max_depth): (Timestamp, u32),
    most: usize,
) -> Vec<(Nearness, UserKey)> {
    let mut found: Vec<(Nearness, UserKey)> = Vec::new();
    for (number, node) in nodes(graph, place).into_iter().enumerate() {
        let Some(ty) = graph.node(node).and_then(|node| graph.compiled.ty(node.ty)) else { continue };
        let mut wanted = RoleSet::default();
        for role in ty.roles.iter().flatten().filter(|role| roles.contains(&role.id)) {
            wanted.union(&role.sufficient);
        }
        let everybody = Walk { graph, subject: None, now, max_depth, order: Order::ByName };
        let (mut users, mut gated) = (Vec::new(), false);
        with_scratch(|scratch| {
            scratch.start(node, &wanted);
            // The walk goes from near to far, so whoever was found first is nearest.
            everybody.run(scratch, |item| {
                let near = match (number, item.depth) {
                    (0, 0) => Nearness::Here,
                    (0, _) => Nearness::Related,
                    _ => Nearness::Tenant,
                };
                let mut here = Vec::new();
                collect_given(graph, item, now, &mut here);
                here.truncate(most.saturating_sub(users.len()));
                users.extend(here.into_iter().map(|user| (user, near)));
                gated |= has_gate(graph, item);
                stop_if(users.len() >= most)
            });
        });
        users.sort_unstable();
        users.dedup_by_key(|(user, _)| *user);
        users.retain(|(user, _)| !gated || effectively_has(graph, *user, node, &wanted, now, max_depth));
        found.extend(users.into_iter().filter_map(|(user, near)| Some((near, graph.user_key(user)?))));
    }
    found.sort_unstable();
    let mut seen = FxHashSet::default();
    found.retain(|(_, key)| seen.insert(key.clone()));
    found
}

/// Adds who effectively has one of the roles on the node.
pub(super) fn holders_at(
    graph: &Graph,
    node: u32,
    wanted: &RoleSet,
    now: Timestamp,
    max_depth: u32,
    users: &mut Vec<u32>,
) {
    let everybody = Walk { graph, subject: None, now, max_depth, order: Order::Any };
    let mut found = Vec::new();
    let mut gated = false;
    with_scratch(|scratch| {
        scratch.start(node, wanted);
        everybody.run(scratch, |item| {
            collect_given(graph, item, now, &mut found);
            gated |= has_gate(graph, item);
            ControlFlow::Continue(())
        });
    });
    if gated {
        // Gates stood open in that walk; who came through one may have been stopped by it.
        found.sort_unstable();
        found.dedup();
        found.retain(|user| effectively_has(graph, *user, node, wanted, now, max_depth));
    }
    users.append(&mut found);
}

fn collect_given(graph: &Graph, item: &Item, now: Timestamp, found: &mut Vec<u32>) {
    let Some(node) = graph.node(item.node) else { return };
    for role in roles_in(item.word, item.mask) {
        node.holders.for_group(role, |link| {
            if graph.is_live(link.other(), item.node, role, now) {
                found.push(link.other());
            }
        });
    }
}

fn has_gate(graph: &Graph, item: &Item) -> bool {
    let ty = graph.node(item.node).and_then(|node| graph.compiled.ty(node.ty));
    ty.is_some_and(|ty| super::walk::applicable(ty, item).any(|(_, rule)| rule.gated))
}

fn effectively_has(
    graph: &Graph,
    number: u32,
    node: u32,
    wanted: &RoleSet,
    now: Timestamp,
    max_depth: u32,
) -> bool {
    let Some(user) = graph.user(number) else { return false };
    let subject = Some(Subject { number, held: &user.held });
    let walk = Walk { graph, subject, now, max_depth, order: Order::Any };
    with_scratch(|scratch| {
        scratch.start(node, wanted);
        let end = walk.run(scratch, |item| stop_if(walk.given(item, Counting::Live(now)) != 0));
        matches!(end, End::Stopped(_))
    })
}

fn stop_if(found: bool) -> ControlFlow<()> {
    if found { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
}

pub(super) fn places(
    graph: &Graph,
    user: &str,
    roles: &[RoleId],
    now: Timestamp,
    max_depth: u32,
) -> Vec<Place> {
    let Some(number) = graph.user_number(user) else { return Vec::new() };
    let Some(user) = graph.user(number) else { return Vec::new() };
    let subject = Some(Subject { number, held: &user.held });
    let walk = Walk { graph, subject, now, max_depth, order: Order::Any };
    let wanted = wanted_by_type(graph, roles);
    let wanted: Vec<(TypeIndex, &RoleSet)> = (0..).zip(&wanted).collect();
    let mut found = Vec::new();
    forward(&walk, &wanted, |item, _| found.push(item.node));
    found.sort_unstable();
    found.dedup();
    let mut places: Vec<Place> = found.into_iter().filter_map(|node| graph.place(node)).collect();
    places.sort_unstable();
    places
}

/// Visits where the walk's user effectively has one of the wanted roles (by type, whatever extends them included), and
/// which of them these are: one word of roles at a time, in no order, a node once for every way to more of its roles.
/// The cost grows with what the user was given and what follows from that.
pub(super) fn forward(walk: &Walk<'_>, wanted: &[(TypeIndex, &RoleSet)], mut visit: impl FnMut(&Item, u64)) {
    let Walk { graph, now, max_depth, .. } = *walk;
    let Some(Subject { number, held }) = walk.subject else { return };
    let mut by_type = vec![RoleSet::default(); graph.compiled.types.len()];
    for (ty, roles) in wanted {
        if let Some(set) = by_type.get_mut(usize::from(*ty)) {
            set.union(roles);
        }
    }
    let wanted = by_type;
    let useful = useful_by_type(graph, &wanted);
    with_scratch(|scratch| {
        held.for_each(|entry| {
            let Some(node) = graph.node(entry.node) else { return };
            let mask = entry.mask & in_type(&useful, node.ty, entry.word);
            let mask = graph.counting_of(number, entry, mask, Counting::Live(now));
            scratch.push(Item { node: entry.node, word: entry.word, mask, depth: 0, from: None });
        });
        let mut next = 0;
        while let Some(item) = scratch.items.get(next).copied() {
            next += 1;
            let Some(node) = graph.node(item.node) else { continue };
            let here = item.mask & in_type(&wanted, node.ty, item.word);
            if here != 0 {
                visit(&item, here);
            }
            if item.depth >= max_depth || node.children.is_empty() {
                continue;
            }
            let rules = graph.compiled.ty(node.ty).map(|ty| ty.from.as_slice()).unwrap_or_default();
            for rule in rules.iter().filter_map(|rule| graph.compiled.rule(*rule)) {
                if rule.sources.in_word(item.word) & item.mask == 0 || !is_useful(&useful, rule) {
                    continue;
                }
                node.children.for_group(rule.relation, |link| {
                    if !rule.gated || !graph.has_any(number, held, link.other(), now) {
                        let (word, mask) = (rule.word, rule.bit);
                        let depth = item.depth + 1;
                        scratch.push(Item { node: link.other(), word, mask, depth, from: None });
                    }
                });
            }
        }
    });
}

/// By type: the roles asked for and whatever extends them.
fn wanted_by_type(graph: &Graph, roles: &[RoleId]) -> Vec<RoleSet> {
    let sufficient = |ty: &crate::compiled::CompiledType| {
        let mut set = RoleSet::default();
        for role in ty.roles.iter().flatten().filter(|role| roles.contains(&role.id)) {
            set.union(&role.sufficient);
        }
        set
    };
    graph.compiled.types.iter().map(sufficient).collect()
}

/// By type: the roles from which a wanted one can come.
fn useful_by_type(graph: &Graph, wanted: &[RoleSet]) -> Vec<RoleSet> {
    let mut useful = wanted.to_vec();
    loop {
        let mut changed = false;
        for rule in graph.compiled.types.iter().flat_map(|ty| &ty.into) {
            if is_useful(&useful, rule)
                && let Some(set) = useful.get_mut(usize::from(rule.source.ty))
            {
                changed |= set.union(&rule.sources);
            }
        }
        if !changed {
            return useful;
        }
    }
}

fn is_useful(useful: &[RoleSet], rule: &Rule) -> bool {
    let RoleSlot { ty, role } = rule.target;
    useful.get(usize::from(ty)).is_some_and(|set| set.contains(role))
}

fn in_type(sets: &[RoleSet], ty: u16, word: u16) -> u64 {
    sets.get(usize::from(ty)).map_or(0, |set| set.in_word(word))
}
