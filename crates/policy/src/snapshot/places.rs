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
use rustc_hash::FxHashMap;

/// How many candidates are put in order at first, and four for each that a part takes besides.
const NEAR: usize = 4_096;

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
#[derive(Debug, Clone, Copy)]
struct Candidate {
    /// How the key begins: most comparisons need no more, and so no other memory.
    start: u128,
    number: u32,
    /// It is in the answer, whatever its attributes are.
    sure: bool,
}

impl Candidate {
    fn new(number: u32, key: &str, sure: bool) -> Self {
        let mut start = [0; 16];
        start.iter_mut().zip(key.bytes()).for_each(|(place, byte)| *place = byte);
        Self { start: u128::from_be_bytes(start), number, sure }
    }
}

/// The instances in order of their keys, from after a key on. Only as many are looked at closely as it takes.
pub(super) fn instances(wish: &Wish<'_>, within: Option<u32>, part: &Part<'_>) -> InstancePage {
    let Wish { view, ty, need } = *wish;
    let graph = view.walk.graph;
    let mut sure: Vec<u32> = Vec::new();
    let mut reach = Reach::new(view, need, ty, Reads::THING);
    let wanted = [(ty, &need.on_instance.sufficient), (TENANT, &need.in_tenant.sufficient)];
    forward(&view.walk, &wanted, |item, _| match graph.node(item.node) {
        Some(node) if node.ty == TENANT => reach.grant(item.node),
        _ => sure.push(item.node),
    });
    sure.sort_unstable();
    sure.dedup();
    let mut candidates: Vec<Candidate> = Vec::new();
    let (mut total, mut complete) = (0, true);
    for number in numbers(graph, ty, &reach, &sure, within) {
        let Some(node) = graph.node(number) else { continue };
        let sure = sure.binary_search(&number).is_ok() || reach.covers(node.tenant);
        (total, complete) = (total + 1, complete && sure);
        if part.after.is_none_or(|after| node.key() > after) {
            candidates.push(Candidate::new(number, node.key(), sure));
        }
    }
    let passes = |one: &Candidate| {
        one.sure || graph.node(one.number).is_some_and(|node| reach.allows(one.number, node))
    };
    let (found, more) = first(graph, candidates, part.limit, passes);
    let mut tenants: FxHashMap<u32, Option<Key>> = FxHashMap::default();
    let read = |one: Candidate| {
        let node = graph.node(one.number)?;
        let tenant = tenants.entry(node.tenant);
        let tenant = tenant.or_insert_with(|| graph.node(node.tenant)?.name.key()).clone()?;
        Some(ReachedInstance { key: node.name.key()?, tenant })
    };
    let items = found.into_iter().filter_map(read).collect();
    InstancePage { items, more, total: complete.then_some(total) }
}

/// The instances that come into question.
pub(super) fn numbers(
    graph: &Graph,
    ty: TypeIndex,
    reach: &Reach<'_>,
    sure: &[u32],
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
fn first(
    graph: &Graph,
    mut candidates: Vec<Candidate>,
    limit: usize,
    mut passes: impl FnMut(&Candidate) -> bool,
) -> (Vec<Candidate>, bool) {
    let key = |one: &Candidate| graph.node(one.number).map(Node::key);
    let by_key = |a: &Candidate, b: &Candidate| a.start.cmp(&b.start).then_with(|| key(a).cmp(&key(b)));
    // One more than the part takes tells that there are more.
    let wanted = limit.saturating_add(1);
    let near = limit.saturating_mul(4).saturating_add(NEAR);
    let mut found: Vec<Candidate> = Vec::new();
    // Where many pass, these few fill the part, and the others need no looking at.
    if candidates.len() > near {
        candidates.select_nth_unstable_by(near, by_key);
        let far = candidates.split_off(near);
        candidates.sort_unstable_by(by_key);
        found.extend(candidates.into_iter().filter(|one| passes(one)).take(wanted));
        candidates = far;
    }
    let left = wanted - found.len();
    if left > 0 {
        candidates.retain(passes);
        if candidates.len() > left {
            candidates.select_nth_unstable_by(left, by_key);
            candidates.truncate(left);
        }
        candidates.sort_unstable_by(by_key);
        found.append(&mut candidates);
    }
    let more = found.len() > limit;
    found.truncate(limit);
    (found, more)
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
