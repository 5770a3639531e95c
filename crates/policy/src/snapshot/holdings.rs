//! All that a user has, place by place.

use super::{
    list::forward,
    places::{Wish, numbers, tenants},
    reach::Reach,
    view::Person,
    walk::{Order, Walk},
};
use crate::{
    compiled::{
        CompiledType,
        roleset::RoleSet,
        sets::Reads,
        slots::{TENANT, TypeIndex},
    },
    graph::{Graph, Node},
    question::{CallAttributes, Holding, HoldingFilter, Reaching, TENANT_TYPE, TenantView},
};
use askfirst_domain::{Key, Timestamp, schema::Permission};
use rustc_hash::{FxHashMap, FxHashSet};
use std::{ops::Range, sync::Arc};

/// What was found out, place by place.
#[derive(Debug, Default)]
struct Found<'a> {
    /// Roles that the user has on nodes, without those that they extend: words and bits.
    roles: Vec<(u32, (u16, u64))>,
    /// What rules allow on nodes: resources and actions.
    actions: Vec<(u32, (&'a Key, &'a Key))>,
}

/// What a set of roles of one type comes to.
type Meaning = (Arc<[Key]>, Arc<[Permission]>);

/// The filter, looked up.
struct Filter {
    tenants: Option<FxHashSet<u32>>,
    places: Option<FxHashSet<u32>>,
    types: Vec<TypeIndex>,
}

impl Filter {
    fn new(graph: &Graph, filter: &HoldingFilter<'_>) -> Self {
        let type_of = |name: &str| match name {
            TENANT_TYPE => Some(TENANT),
            name => graph.compiled.type_of(name),
        };
        let place = |name: &String| {
            let (ty, key) = name.split_once(':')?;
            graph.node_number(type_of(ty)?, key)
        };
        let all = || (0..).zip(&graph.compiled.types).map(|(ty, _)| ty).collect();
        let types = |names: &[String]| names.iter().filter_map(|name| type_of(name)).collect();
        let mut types: Vec<TypeIndex> = filter.types.map_or_else(all, types);
        types.sort_unstable();
        types.dedup();
        Self {
            tenants: filter
                .tenants
                .map(|keys| keys.iter().filter_map(|key| graph.tenant_number(key)).collect()),
            places: filter.places.map(|names| names.iter().filter_map(place).collect()),
            types,
        }
    }

    fn passes(&self, number: u32, node: &Node) -> bool {
        self.tenants.as_ref().is_none_or(|tenants| tenants.contains(&node.tenant))
            && self.places.as_ref().is_none_or(|places| places.contains(&number))
    }
}

pub(super) fn holdings(
    graph: &Graph,
    user: &str,
    filter: &HoldingFilter<'_>,
    rules: Option<&CallAttributes<'_>>,
    now: Timestamp,
    max_depth: u32,
    part: Range<usize>,
) -> Vec<Holding> {
    let Some(person) = graph.user_number(user).and_then(|number| Person::of(graph, number)) else {
        return Vec::new();
    };
    let filter = Filter::new(graph, filter);
    let walk = Walk { graph, subject: Some(person.subject), now, max_depth, order: Order::Any };
    let all_roles = |ty: &CompiledType| -> RoleSet {
        (0..).zip(&ty.roles).filter_map(|(index, role)| role.as_ref().map(|_| index)).collect()
    };
    let wanted: Vec<(TypeIndex, RoleSet)> =
        filter.types.iter().filter_map(|ty| Some((*ty, all_roles(graph.compiled.ty(*ty)?)))).collect();
    let wanted: Vec<(TypeIndex, &RoleSet)> = wanted.iter().map(|(ty, roles)| (*ty, roles)).collect();
    let mut found = Found::default();
    forward(&walk, &wanted, |item, here| {
        if graph.node(item.node).is_some_and(|node| filter.passes(item.node, node)) {
            found.roles.push((item.node, (item.word, here)));
        }
    });
    if let Some(call) = rules {
        let seek = Seek { graph, user, call, now, max_depth, filter: &filter };
        filter.types.iter().for_each(|ty| match *ty {
            TENANT => seek.tenants(&mut found),
            ty => seek.instances(ty, &mut found),
        });
    }
    read(graph, found, part)
}

/// Looks for what rules allow.
struct Seek<'a> {
    graph: &'a Graph,
    user: &'a str,
    call: &'a CallAttributes<'a>,
    now: Timestamp,
    max_depth: u32,
    filter: &'a Filter,
}

impl<'a> Seek<'a> {
    /// The actions of a type that rules may allow.
    fn wishes(&self, ty: TypeIndex) -> impl Iterator<Item = (&'a Key, &'a Key, Wish<'a>)> {
        let Self { graph, user, call, now, max_depth, .. } = *self;
        let named = graph.compiled.ty(ty).and_then(|ty| Some((ty.key.as_ref()?, &ty.actions)));
        named.into_iter().flat_map(move |(resource, actions)| {
            let ruled = actions.iter().filter(|(_, need)| !need.rules.is_empty());
            ruled.filter_map(move |(action, _)| {
                let reaching = Reaching { user, action: action.as_str(), resource: resource.as_str() };
                Some((resource, action, Wish::of(graph, &reaching, call, now, max_depth)?))
            })
        })
    }

    /// On instances of a type.
    fn instances(&self, ty: TypeIndex, found: &mut Found<'a>) {
        for (resource, action, wish) in self.wishes(ty) {
            let mut reach = Reach::new(wish.view, wish.need, ty, Reads::THING);
            let candidates: Vec<u32> = match (&self.filter.places, &self.filter.tenants) {
                (Some(places), _) => places.iter().copied().collect(),
                (None, None) => numbers(self.graph, ty, &reach, &[], None),
                (None, Some(tenants)) => tenants
                    .iter()
                    .flat_map(|tenant| numbers(self.graph, ty, &reach, &[], Some(*tenant)))
                    .collect(),
            };
            for number in candidates {
                let node = self.graph.node(number).filter(|node| node.ty == ty);
                if node.is_some_and(|node| self.filter.passes(number, node) && reach.allows(number, node)) {
                    found.actions.push((number, (resource, action)));
                }
            }
        }
    }

    /// On resources as a whole, in tenants.
    fn tenants(&self, found: &mut Found<'a>) {
        for (ty, _) in (0..).zip(&self.graph.compiled.types) {
            for (resource, action, wish) in self.wishes(ty) {
                for tenant in tenants(&wish) {
                    let passes = |node| self.filter.passes(tenant, node);
                    if self.graph.node(tenant).is_some_and(passes) {
                        found.actions.push((tenant, (resource, action)));
                    }
                }
            }
        }
    }
}

/// The part in order of type and key, with all that there is to say.
fn read(graph: &Graph, mut found: Found<'_>, part: Range<usize>) -> Vec<Holding> {
    found.roles.sort_unstable();
    found.actions.sort_unstable_by_key(|(node, _)| *node);
    let numbers =
        found.roles.iter().map(|(node, _)| *node).chain(found.actions.iter().map(|(node, _)| *node));
    let mut numbers: Vec<u32> = numbers.collect();
    numbers.sort_unstable();
    numbers.dedup();
    let named = |number: u32| {
        let node = graph.node(number)?;
        let ty = graph.compiled.ty(node.ty)?.key.as_ref().map_or(TENANT_TYPE, Key::as_str);
        Some((ty, node.key(), number, node))
    };
    let mut places: Vec<(&str, &str, u32, &Node)> = numbers.into_iter().filter_map(named).collect();
    places.sort_unstable_by_key(|(ty, key, ..)| (*ty, *key));
    let mut tenants: FxHashMap<u32, Option<TenantView>> = FxHashMap::default();
    let mut meanings: FxHashMap<(TypeIndex, Vec<(u16, u64)>), Meaning> = FxHashMap::default();
    let holding = |(_, _, number, node): (&str, &str, u32, &Node)| {
        let tenant = tenants.entry(node.tenant).or_insert_with(|| graph.tenant_view(node.tenant)).clone()?;
        let held: Vec<(u16, u64)> = of_node(&found.roles, number).collect();
        let meaning = meanings.entry((node.ty, held));
        let (roles, mut permissions) =
            meaning.or_insert_with_key(|(ty, held)| self::meaning(graph, *ty, held)).clone();
        let mut ruled = of_node(&found.actions, number).peekable();
        if ruled.peek().is_some() {
            let permission = |(resource, action): (&Key, &Key)| Permission {
                resource: resource.clone(),
                action: action.clone(),
            };
            let mut all: Vec<Permission> = permissions.iter().cloned().chain(ruled.map(permission)).collect();
            all.sort_unstable();
            all.dedup();
            permissions = all.into();
        }
        let attributes = (node.ty != TENANT).then(|| node.attributes.shared());
        Some(Holding { place: graph.place(number)?, tenant, attributes, roles, permissions })
    };
    places.into_iter().skip(part.start).take(part.len()).filter_map(holding).collect()
}

/// What stands with a node in a list that is sorted by nodes.
fn of_node<T: Copy>(sorted: &[(u32, T)], node: u32) -> impl Iterator<Item = T> {
    let first = sorted.partition_point(|(other, _)| *other < node);
    let rest = sorted.get(first..).unwrap_or_default().iter();
    rest.take_while(move |(other, _)| *other == node).map(|(_, what)| *what)
}

/// The keys of these roles and of all that they extend, and what those permit; both sorted.
fn meaning(graph: &Graph, ty: TypeIndex, held: &[(u16, u64)]) -> Meaning {
    let (mut keys, mut permissions) = (Vec::new(), Vec::new());
    let roles = graph.compiled.ty(ty).map(|ty| ty.roles.as_slice()).unwrap_or_default();
    for role in roles.iter().flatten() {
        if held.iter().all(|(word, mask)| role.sufficient.in_word(*word) & mask == 0) {
            continue;
        }
        keys.push(role.key.clone());
        if let Some(role) = graph.schema.role_by_id(role.id) {
            permissions.extend(role.permissions.iter().cloned());
        }
    }
    // A permission may outlive its action; then it allows nothing.
    let stands = |p: &Permission| {
        let ty = graph.compiled.type_of(p.resource.as_str()).and_then(|ty| graph.compiled.ty(ty));
        ty.is_some_and(|ty| ty.actions.contains_key(&p.action))
    };
    permissions.retain(stands);
    keys.sort_unstable();
    permissions.sort_unstable();
    permissions.dedup();
    (keys.into(), permissions.into())
}
