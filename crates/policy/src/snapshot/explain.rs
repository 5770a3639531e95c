//! From the end of a walk to the chain of roles that a person can follow.

use super::walk::{Item, Scratch, Walk};
use crate::{
    compiled::{
        CompiledType,
        roleset::{RoleIndex, RoleSet, roles_in},
    },
    graph::Graph,
};
use askfirst_domain::decision::{Grant, Step};
use std::collections::VecDeque;

/// The chain from a role that was given (one of `mask`, at the item with this number) to one of `goal` where the walk
/// began. None only when the graph contradicts itself.
pub(super) fn grant(
    walk: &Walk<'_>,
    scratch: &Scratch,
    number: u32,
    mask: u64,
    goal: impl Fn(&Item) -> RoleSet,
) -> Option<Grant> {
    let graph = walk.graph;
    let mut item = *scratch.items.get(number as usize)?;
    let ty = type_of(graph, item.node)?;
    let first_goal = match item.from {
        Some((from, at)) => source(graph, scratch, from, at)?,
        None => goal(&item),
    };
    // Of several given roles the one that is nearest to what is wanted, then the first by name.
    let mut path =
        roles_in(item.word, mask).filter_map(|role| extension(ty, role, &first_goal)).min_by_key(|path| {
            (path.len(), path.first().and_then(|role| ty.role(*role)).map(|role| role.key.clone()))
        })?;
    let given = path.first().copied()?;
    let held = graph.role_at(item.node, given)?;
    let expires_at = walk.subject.and_then(|subject| graph.ending(subject.number, item.node, given));
    let mut steps = Vec::new();
    loop {
        for role in path.iter().skip(1) {
            steps.push(Step::Extends { role: graph.role_at(item.node, *role)? });
        }
        let Some((from, at)) = item.from else { return Some(Grant { held, expires_at, steps }) };
        let object = *scratch.items.get(from as usize)?;
        let rule = type_of(graph, object.node)?.into.get(at as usize)?;
        let role = graph.role_at(object.node, rule.target.role)?;
        steps.push(Step::Derived { relation: rule.relation_key.clone(), role });
        let next_goal = match object.from {
            Some((from, at)) => source(graph, scratch, from, at)?,
            None => goal(&object),
        };
        path = extension(type_of(graph, object.node)?, rule.target.role, &next_goal)?;
        item = object;
    }
}

/// The source role of the rule at place `at` into the type of the item `from`, as a set.
fn source(graph: &Graph, scratch: &Scratch, from: u32, at: u32) -> Option<RoleSet> {
    let object = scratch.items.get(from as usize)?;
    let rule = type_of(graph, object.node)?.into.get(at as usize)?;
    Some(std::iter::once(rule.source.role).collect())
}

fn type_of(graph: &Graph, node: u32) -> Option<&CompiledType> {
    graph.compiled.ty(graph.node(node)?.ty)
}

/// The shortest way from a role over what it extends to one of `goal`, both included.
fn extension(ty: &CompiledType, start: RoleIndex, goal: &RoleSet) -> Option<Vec<RoleIndex>> {
    let mut came_from: Vec<(RoleIndex, Option<RoleIndex>)> = vec![(start, None)];
    let mut queue = VecDeque::from([start]);
    while let Some(role) = queue.pop_front() {
        if goal.contains(role) {
            let mut path = vec![role];
            let mut at = role;
            while let Some((_, Some(before))) = came_from.iter().find(|(role, _)| *role == at) {
                path.push(*before);
                at = *before;
            }
            path.reverse();
            return Some(path);
        }
        for base in ty.role(role).map(|role| role.extends.as_slice()).unwrap_or_default() {
            if came_from.iter().all(|(seen, _)| seen != base) {
                came_from.push((*base, Some(role)));
                queue.push_back(*base);
            }
        }
    }
    None
}
