//! Where a user may do something: the check with its instance, or its tenant, left open.

use super::{
    list::forward,
    reach::Reach,
    view::{Person, Thing, View},
    walk::{Order, Walk},
};
use crate::{
    compiled::{
        Need,
        sets::Reads,
        slots::{TENANT, TypeIndex},
    },
    graph::{Graph, Node},
    question::{CallAttributes, InstancePage, Part, ReachedInstance, Reaching},
};
use askfirst_domain::{Key, Timestamp};
use rustc_hash::{FxHashMap, FxHashSet};

/// How many candidates are put in order at first, beyond what a page takes.
const SPARE: usize = 32;

/// A user and an action on a type, with the thing still open.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wish<'a> {
    pub(super) view: View<'a>,
    pub(super) ty: TypeIndex,
    pub(super) need: &'a Need,
}

impl<'a> Wish<'a> {
    /// None when the user, the resource or the action is not there.
    pub(super) fn of(
        graph: &'a Graph,
        reaching: &Reaching<'a>,
        call: &'a CallAttributes<'a>,
        now: Timestamp,
        max_depth: u32,
    ) -> Option<Self> {
        let ty = graph.compiled.type_of(reaching.resource)?;
        let need = graph.compiled.ty(ty)?.actions.get(reaching.action)?;
        let user = Person::of(graph, graph.user_number(reaching.user)?)?;
        let walk = Walk { graph, subject: Some(user.subject), now, max_depth, order: Order::Any };
        let view = View {
            walk,
            call,
            action: reaching.action,
            resource: reaching.resource,
            user: Some(user),
            tenant: None,
            roles: &[],
            thing: Thing::Whole,
        };
        Some(Self { view, ty, need })
    }

    /// About an instance that is not known, when it is named.
    pub(super) fn on(self, instance: Option<&'a str>) -> Self {
        let thing = instance.map_or(Thing::Whole, Thing::Named);
        Self { view: View { thing, ..self.view }, ..self }
    }
}

/// An instance that may be in the answer.
struct Candidate<'a> {
    key: &'a str,
    number: u32,
    node: &'a Node,
    /// It is, whatever its attributes are.
    sure: bool,
}

/// The instances in order of their keys, from after a key on. Only as many are looked at closely as it takes.
pub(super) fn instances<'a>(wish: &Wish<'a>, within: Option<u32>, part: &Part<'_>) -> InstancePage {
    let Wish { view, ty, need } = *wish;
    let graph = view.walk.graph;
    let mut sure: FxHashSet<u32> = FxHashSet::default();
    let mut reach = Reach::new(view, need, ty, Reads::THING);
    let wanted = [(ty, &need.on_instance.sufficient), (TENANT, &need.in_tenant.sufficient)];
    forward(&view.walk, &wanted, |item, _| match graph.node(item.node) {
        Some(node) if node.ty == TENANT => reach.grant(item.node),
        _ => {
            sure.insert(item.node);
        }
    });
    let mut candidates: Vec<Candidate<'a>> = Vec::new();
    let mut complete = true;
    for number in numbers(graph, ty, &reach, &sure, within) {
        let Some(node) = graph.node(number) else { continue };
        let sure = sure.contains(&number) || reach.covers(node.tenant);
        complete &= sure;
        candidates.push(Candidate { key: node.key(), number, node, sure });
    }
    let total = complete.then_some(candidates.len());
    candidates.retain(|candidate| part.after.is_none_or(|after| candidate.key > after));
    let (found, more) =
        first(&mut candidates, part.limit, |one| one.sure || reach.allows(one.number, one.node));
    let mut tenants: FxHashMap<u32, Option<Key>> = FxHashMap::default();
    let read = |one: &Candidate<'_>| {
        let tenant = one.node.tenant;
        let tenant = tenants.entry(tenant).or_insert_with(|| graph.node(tenant)?.name.key()).clone()?;
        Some(ReachedInstance { key: one.node.name.key()?, tenant })
    };
    InstancePage { items: found.into_iter().filter_map(read).collect(), more, total }
}

/// The instances that come into question.
pub(super) fn numbers(
    graph: &Graph,
    ty: TypeIndex,
    reach: &Reach<'_>,
    sure: &FxHashSet<u32>,
    within: Option<u32>,
) -> Vec<u32> {
    let mut numbers: Vec<u32> = Vec::new();
    let mut members = |tenant: u32| graph.for_members(tenant, |member| numbers.push(member));
    match (reach.tenants(), within) {
        (None, None) => {
            return graph.nodes().filter(|(_, node)| node.ty == ty).map(|(number, _)| number).collect();
        }
        (None, Some(tenant)) => members(tenant),
        (Some(tenants), None) => tenants.into_iter().for_each(members),
        (Some(tenants), Some(tenant)) if tenants.contains(&tenant) => members(tenant),
        (Some(_), Some(_)) => {}
    }
    numbers.extend(reach.instances().chain(sure.iter().copied()));
    let fits = |node: &Node| node.ty == ty && within.is_none_or(|tenant| node.tenant == tenant);
    numbers.retain(|number| graph.node(*number).is_some_and(fits));
    numbers.sort_unstable();
    numbers.dedup();
    numbers
}

/// The first so many that pass, in order of their keys, and whether there are more.
fn first<'c, 'a>(
    mut candidates: &'c mut [Candidate<'a>],
    limit: usize,
    mut passes: impl FnMut(&Candidate<'a>) -> bool,
) -> (Vec<&'c Candidate<'a>>, bool) {
    let mut found: Vec<&Candidate<'a>> = Vec::new();
    let mut next = limit.saturating_add(SPARE);
    while !candidates.is_empty() {
        let count = next.min(candidates.len());
        if count < candidates.len() {
            candidates.select_nth_unstable_by(count, |a, b| a.key.cmp(b.key));
        }
        let (head, tail) = candidates.split_at_mut(count);
        head.sort_unstable_by(|a, b| a.key.cmp(b.key));
        for candidate in &*head {
            if !passes(candidate) {
                continue;
            }
            if found.len() == limit {
                return (found, true);
            }
            found.push(candidate);
        }
        candidates = tail;
        next = next.saturating_mul(2);
    }
    (found, false)
}

/// The tenants in which the user may do it to the thing, which is the resource as a whole or an instance that is not
/// known; by number.
pub(super) fn tenants(wish: &Wish<'_>) -> Vec<u32> {
    let Wish { view, ty, need } = *wish;
    let graph = view.walk.graph;
    let mut reach = Reach::new(view, need, ty, Reads::default());
    forward(&view.walk, &[(TENANT, &need.in_tenant.sufficient)], |item, _| reach.grant(item.node));
    let mut tenants: Vec<u32> = match reach.tenants() {
        Some(tenants) => tenants.into_iter().collect(),
        None => graph.nodes().filter(|(_, node)| node.ty == TENANT).map(|(number, _)| number).collect(),
    };
    tenants.retain(|tenant| reach.covers(*tenant));
    tenants.sort_unstable();
    tenants
}
