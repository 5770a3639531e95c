//! Which decisions change from one snapshot to another: who may do from now on what they could not, and the other way
//! round.

use super::Snapshot;
use crate::{
    compiled::slots::TENANT,
    graph::Graph,
    question::{CallAttributes, PlaceRef, Question},
};
use askfirst_domain::{
    Key, Timestamp, UserKey,
    decision::{Allowance, Decision},
    schema::{Action, Permission},
};
use rustc_hash::FxHasher;
use std::{
    cmp::Ordering,
    collections::{BTreeMap, BTreeSet},
    hash::Hasher as _,
    ops::Range,
};

/// How far a comparison goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// How many questions of the form "who may do this to that?" are asked of either snapshot.
    pub questions: usize,
    /// How many users these may go through, all together.
    pub users: usize,
    /// How many decisions that change are told one by one.
    pub examples: usize,
}

/// Which way a decision turns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Turn {
    /// From Deny to Allow.
    Gained,
    /// From Allow to Deny.
    Lost,
}

/// A decision that changes.
#[derive(Debug, Clone, PartialEq)]
pub struct Flip {
    pub turn: Turn,
    pub user: UserKey,
    pub permission: Permission,
    /// The instance; none asks about the resource as a whole.
    pub instance: Option<Key>,
    pub tenant: Key,
    /// What the Allow rests on, be it before or after.
    pub by: Allowance,
}

/// How many decisions about one permission change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Shift {
    pub gained: u64,
    pub lost: u64,
}

/// What changes.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Comparison {
    /// How many questions were asked.
    pub asked: u64,
    /// How many there are: every action on every instance, and in every tenant on every resource as a whole.
    pub of: u64,
    /// Permissions with a change, as far as was asked.
    pub permissions: BTreeMap<Permission, Shift>,
    pub examples: Vec<Flip>,
}

impl Comparison {
    /// Whether everything was asked.
    pub fn is_whole(&self) -> bool {
        self.asked == self.of
    }
}

/// "Who may do this to that?"
#[derive(Debug)]
struct Target {
    permission: Permission,
    instance: Option<Key>,
    tenant: Key,
}

pub(super) fn compare(before: &Snapshot, after: &Snapshot, now: Timestamp, bounds: Bounds) -> Comparison {
    let (of, targets) = targets(&before.graph, &after.graph, bounds.questions);
    let mut found = Comparison { of, ..Comparison::default() };
    let ruled: BTreeSet<&Permission> =
        [before, after].iter().flat_map(|s| s.schema().set_rules()).map(|rule| &rule.permission).collect();
    let everybody = before.population() + after.population();
    let mut users = 0;
    for target in &targets {
        if users > bounds.users {
            break;
        }
        found.asked += 1;
        let [old, new] = [before, after].map(|snapshot| target.allowed(snapshot, now));
        users += old.len() + new.len() + if ruled.contains(&target.permission) { everybody } else { 0 };
        for (turn, user) in turns(&old, &new) {
            let shift = found.permissions.entry(target.permission.clone()).or_default();
            let (count, side) = match turn {
                Turn::Gained => (&mut shift.gained, after),
                Turn::Lost => (&mut shift.lost, before),
            };
            *count += 1;
            if found.examples.len() < bounds.examples {
                found.examples.extend(target.flip(side, turn, user, now));
            }
        }
    }
    found.examples.sort_by(|a, b| {
        (&a.permission, a.turn, &a.user, &a.instance, &a.tenant).cmp(&(
            &b.permission,
            b.turn,
            &b.user,
            &b.instance,
            &b.tenant,
        ))
    });
    found
}

impl Target {
    fn question<'a>(&'a self, user: &'a str) -> Question<'a> {
        Question {
            user,
            action: self.permission.action.as_str(),
            resource: self.permission.resource.as_str(),
            instance: self.instance.as_ref().map(Key::as_str),
            tenant: Some(self.tenant.as_str()),
        }
    }

    fn allowed(&self, snapshot: &Snapshot, now: Timestamp) -> Vec<UserKey> {
        snapshot.users_allowed(&self.question(""), &CallAttributes::default(), now)
    }

    fn flip(&self, side: &Snapshot, turn: Turn, user: &UserKey, now: Timestamp) -> Option<Flip> {
        let Decision::Allow(by) = side.check(&self.question(user.as_str()), now) else { return None };
        Some(Flip {
            turn,
            user: user.clone(),
            permission: self.permission.clone(),
            instance: self.instance.clone(),
            tenant: self.tenant.clone(),
            by,
        })
    }
}

/// Those who are in one of two sorted lists only.
fn turns<'a>(old: &'a [UserKey], new: &'a [UserKey]) -> Vec<(Turn, &'a UserKey)> {
    let (mut old, mut new) = (old.iter().peekable(), new.iter().peekable());
    let mut found = Vec::new();
    loop {
        let order = match (old.peek(), new.peek()) {
            (None, None) => return found,
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(a), Some(b)) => a.cmp(b),
        };
        match order {
            Ordering::Less => found.extend(old.next().map(|user| (Turn::Lost, user))),
            Ordering::Greater => found.extend(new.next().map(|user| (Turn::Gained, user))),
            Ordering::Equal => {
                old.next();
                new.next();
            }
        }
    }
}

/// How many questions there are, and about `most` of them, in an order that is as good as random.
fn targets(before: &Graph, after: &Graph, most: usize) -> (u64, Vec<Target>) {
    let actions = Actions::of(before, after);
    let gone = before.nodes().filter_map(|(number, _)| {
        let place = place(before, number)?;
        after.place_number(&place).is_none().then_some((before, number, place))
    });
    let there = after.nodes().filter_map(|(number, _)| Some((after, number, place(after, number)?)));
    let places: Vec<(&Graph, u32, usize)> =
        there.chain(gone).map(|(graph, number, place)| (graph, number, actions.count(&place))).collect();
    let count: usize = places.iter().map(|(_, _, questions)| questions).sum();
    let every = u64::try_from(count.div_ceil(most.max(1))).unwrap_or(u64::MAX);
    let mut taken: Vec<(u64, Target)> = Vec::new();
    let mut position: u64 = 0;
    for (graph, number, questions) in places {
        for question in 0..questions {
            position += 1;
            let hash = mixed(position);
            if every <= 1 || hash.is_multiple_of(every) {
                taken.extend(target(graph, number, &actions, question).map(|target| (hash, target)));
            }
        }
    }
    taken.sort_by_key(|(hash, _)| *hash);
    (position, taken.into_iter().map(|(_, target)| target).collect())
}

fn place(graph: &Graph, number: u32) -> Option<PlaceRef<'_>> {
    let node = graph.node(number)?;
    if node.ty == TENANT {
        return Some(PlaceRef::Tenant(node.key()));
    }
    let resource = graph.compiled.ty(node.ty)?.key.as_ref()?.as_str();
    Some(PlaceRef::Instance { resource, key: node.key() })
}

fn target(graph: &Graph, number: u32, actions: &Actions, question: usize) -> Option<Target> {
    let node = graph.node(number)?;
    let tenant = graph.node(node.tenant)?.key().parse().ok()?;
    let (permission, instance) = match place(graph, number)? {
        PlaceRef::Tenant(_) => (actions.all.get(question)?.clone(), None),
        PlaceRef::Instance { resource, key } => {
            let own = actions.of_resource.get(resource)?;
            (actions.all.get(own.start + question)?.clone(), Some(key.parse().ok()?))
        }
    };
    Some(Target { permission, instance, tenant })
}

fn mixed(position: u64) -> u64 {
    let mut hasher = FxHasher::default();
    hasher.write_u64(position);
    // The upper bits are the good ones.
    hasher.finish().rotate_left(32) >> 8
}

/// The actions of either schema.
struct Actions {
    /// By resource.
    all: Vec<Permission>,
    of_resource: BTreeMap<Key, Range<usize>>,
}

impl Actions {
    fn of(before: &Graph, after: &Graph) -> Self {
        let resources = before.schema.resources().chain(after.schema.resources());
        let pairs = resources.flat_map(|resource| {
            let permission =
                |action: &Action| Permission { resource: resource.key.clone(), action: action.key.clone() };
            resource.actions.iter().map(permission)
        });
        let all: Vec<Permission> = pairs.collect::<BTreeSet<_>>().into_iter().collect();
        let mut of_resource: BTreeMap<Key, Range<usize>> = BTreeMap::new();
        for (at, permission) in all.iter().enumerate() {
            of_resource.entry(permission.resource.clone()).or_insert(at..at).end = at + 1;
        }
        Self { all, of_resource }
    }

    /// How much can be asked about a place: of an instance its resource's actions, in a tenant those on every resource as
    /// a whole.
    fn count(&self, place: &PlaceRef<'_>) -> usize {
        match place {
            PlaceRef::Tenant(_) => self.all.len(),
            PlaceRef::Instance { resource, .. } => self.of_resource.get(*resource).map_or(0, Range::len),
        }
    }
}
