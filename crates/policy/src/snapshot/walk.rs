//! The walk that every answer rests on: from roles that would do in a place, back over derivations, to the roles on
//! related places that would do as well. Breadth first, so the nearest comes first; every role in every place once.

use crate::{
    compiled::{CompiledType, Rule, roleset::RoleSet},
    graph::{Counting, Graph, adjacency::Adjacency, entry::Held},
};
use askfirst_domain::Timestamp;
use rustc_hash::FxHashMap;
use std::{cell::RefCell, ops::ControlFlow};

/// Up to so many items are searched one by one; beyond, they are indexed.
const INDEXED_FROM: usize = 24;
/// A scratch that has grown beyond this is not kept for the next walk.
const KEPT_ITEMS: usize = 1 << 14;

/// Roles in a place that would do.
#[derive(Debug, Clone, Copy)]
pub(super) struct Item {
    pub(super) node: u32,
    pub(super) word: u16,
    pub(super) mask: u64,
    /// How many derivations lead from here to where the walk began.
    pub(super) depth: u32,
    /// The item that this one was reached from, and the place of the rule among those into that item's type. None
    /// where the walk began.
    pub(super) from: Option<(u32, u32)>,
}

/// What a walk works with; kept from walk to walk, so that walking allocates nothing once it is warm.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    pub(super) items: Vec<Item>,
    /// The roles seen by node and word; only filled when there are many items.
    seen: FxHashMap<u64, u64>,
}

thread_local! {
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

/// Lends this thread's scratch.
pub(super) fn with_scratch<T>(work: impl FnOnce(&mut Scratch) -> T) -> T {
    SCRATCH.with(|cell| match cell.try_borrow_mut() {
        Ok(mut scratch) => {
            scratch.clear();
            work(&mut scratch)
        }
        Err(_) => work(&mut Scratch::default()),
    })
}

impl Scratch {
    fn clear(&mut self) {
        if self.items.capacity() > KEPT_ITEMS {
            *self = Self::default();
        }
        self.items.clear();
        self.seen.clear();
    }

    fn seen(&self, node: u32, word: u16) -> u64 {
        if self.items.len() > INDEXED_FROM {
            return self.seen.get(&Held::key_of(node, word)).copied().unwrap_or(0);
        }
        let here = self.items.iter().filter(|item| item.node == node && item.word == word);
        here.fold(0, |seen, item| seen | item.mask)
    }

    /// Adds what has not been seen.
    pub(super) fn push(&mut self, item: Item) {
        let mask = item.mask & !self.seen(item.node, item.word);
        if mask == 0 {
            return;
        }
        self.items.push(Item { mask, ..item });
        if self.items.len() == INDEXED_FROM + 1 {
            for item in &self.items {
                *self.seen.entry(Held::key_of(item.node, item.word)).or_default() |= item.mask;
            }
        } else if self.items.len() > INDEXED_FROM {
            *self.seen.entry(Held::key_of(item.node, item.word)).or_default() |= mask;
        }
    }

    /// Begins at these roles on a node.
    pub(super) fn start(&mut self, node: u32, roles: &RoleSet) {
        for (word, mask) in roles.words() {
            self.push(Item { node, word, mask, depth: 0, from: None });
        }
    }
}

/// Whose roles the walk is about; `no_direct_roles_on_object` depends on it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Subject<'g> {
    pub(super) number: u32,
    pub(super) held: &'g Adjacency<Held>,
}

/// In which order related places are visited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    /// As they are stored.
    Any,
    /// By their names, so that the same facts give the same explanation in every process.
    ByName,
}

/// How a walk ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// The visitor stopped at the item with this number.
    Stopped(u32),
    /// All was visited. `cut`: more lies beyond the limit.
    Exhausted { cut: bool },
}

/// A walk.
#[derive(Debug, Clone, Copy)]
pub(super) struct Walk<'g> {
    pub(super) graph: &'g Graph,
    /// None walks for everybody at once: gates stand open.
    pub(super) subject: Option<Subject<'g>>,
    pub(super) now: Timestamp,
    pub(super) max_depth: u32,
    pub(super) order: Order,
}

impl Walk<'_> {
    /// Visits the items that the scratch was started with and all that follows from them.
    pub(super) fn run(&self, scratch: &mut Scratch, mut visit: impl FnMut(&Item) -> ControlFlow<()>) -> End {
        let mut cut = false;
        let mut next = 0_u32;
        while let Some(item) = scratch.items.get(next as usize).copied() {
            if visit(&item).is_break() {
                return End::Stopped(next);
            }
            cut |= self.expand(scratch, next, item);
            next += 1;
        }
        End::Exhausted { cut }
    }

    /// Adds what the item follows from. Tells whether the limit cut something off.
    #[inline]
    fn expand(&self, scratch: &mut Scratch, number: u32, item: Item) -> bool {
        let Some(node) = self.graph.node(item.node) else { return false };
        let Some(ty) = self.graph.compiled.ty(node.ty) else { return false };
        if ty.into.is_empty() || node.parents.is_empty() {
            return false;
        }
        let mut cut = false;
        let mut closed = None;
        for (at, rule) in applicable(ty, &item) {
            if rule.gated && *closed.get_or_insert_with(|| self.is_closed(item.node)) {
                continue;
            }
            let mut reach = |parent: u32| {
                for (word, mask) in rule.sources.words() {
                    if item.depth >= self.max_depth {
                        cut |= mask & !scratch.seen(parent, word) != 0;
                    } else {
                        let from = Some((number, at));
                        scratch.push(Item { node: parent, word, mask, depth: item.depth + 1, from });
                    }
                }
            };
            match self.order {
                Order::Any => node.parents.for_group(rule.relation, |link| reach(link.other())),
                Order::ByName => {
                    let mut parents = Vec::new();
                    node.parents.for_group(rule.relation, |link| parents.push(link.other()));
                    parents.sort_by_key(|parent| self.graph.node(*parent).map(|node| node.name.as_bytes()));
                    parents.into_iter().for_each(reach);
                }
            }
        }
        cut
    }

    /// Whether the subject's direct roles on the node close it to gated rules.
    fn is_closed(&self, node: u32) -> bool {
        self.subject.is_some_and(|subject| self.graph.has_any(subject.number, subject.held, node, self.now))
    }

    /// Those of the item's roles that the subject was given.
    #[inline]
    pub(super) fn given(&self, item: &Item, counting: Counting) -> u64 {
        self.subject.map_or(0, |subject| {
            self.graph.given(subject.number, subject.held, item.node, (item.word, item.mask), counting)
        })
    }
}

/// The rules that derive one of the item's roles.
pub(super) fn applicable<'c>(ty: &'c CompiledType, item: &Item) -> impl Iterator<Item = (u32, &'c Rule)> {
    let Item { word, mask, .. } = *item;
    (0..).zip(&ty.into).filter(move |(_, rule)| rule.word == word && rule.bit & mask != 0)
}
