//! The facts as a graph of dense numbers, in structures that share what they did not change.
//!
//! Nodes are tenants and instances: the places where roles are held. A user's entry lists what the user was given
//! ([`Held`]); a node's lists who was given what on it, and what it is related to in either direction.

pub(crate) mod adjacency;
pub(crate) mod entry;
mod extra;
mod name;
mod paged;
mod table;
mod write;

use crate::{
    Schema, Stats,
    compiled::{
        Compiled,
        roleset::roles_in,
        slots::{Slots, TENANT, TypeIndex},
    },
    question::{PlaceRef, TenantView},
};
use adjacency::Adjacency;
use askfirst_domain::{
    Timestamp, UserKey,
    decision::{Place, RoleAt},
    facts::{Attributes, InstanceRef},
};
use entry::{Described, Ending, Held, Link, Named};
use extra::Extra;
use name::Name;
use paged::Paged;
use rustc_hash::FxHasher;
use std::{hash::Hasher as _, hint::black_box, sync::Arc};
use table::Table;
use uuid::Uuid;

/// The group of a tenant's children: the instances in it.
const MEMBERS: u32 = 0;

/// A user, in one line of the processor's cache.
#[derive(Debug, Clone)]
#[repr(C, align(64))]
pub(crate) struct UserNode {
    name: Name,
    pub(crate) held: Adjacency<Held>,
    id: Uuid,
}

impl UserNode {
    /// The user's key.
    pub(crate) fn key(&self) -> &str {
        self.name.as_str()
    }
}

/// A tenant or an instance. What a check reads is in one line of the processor's cache, the rest in the next.
#[derive(Debug, Clone)]
#[repr(C, align(64))]
pub(crate) struct Node {
    pub(crate) name: Name,
    /// The tenant's node; a tenant's own number for itself.
    pub(crate) tenant: u32,
    pub(crate) ty: TypeIndex,
    /// Subjects by relation.
    pub(crate) parents: Adjacency<Link>,
    /// Objects by relation; for a tenant its instances.
    pub(crate) children: Adjacency<Link>,
    /// Users by role.
    pub(crate) holders: Adjacency<Link>,
    pub(crate) attributes: Extra,
    id: Uuid,
}

impl Node {
    /// The key of the tenant or instance.
    pub(crate) fn key(&self) -> &str {
        self.name.as_str()
    }
}

/// Which assignments count.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Counting {
    /// Those that have not ended at this moment.
    Live(Timestamp),
    /// Those that have ended as well.
    Ended,
}

/// Schema and facts.
#[derive(Debug, Clone, Default)]
pub(crate) struct Graph {
    pub(crate) schema: Arc<Schema>,
    slots: Arc<Slots>,
    pub(crate) compiled: Arc<Compiled>,
    users: Paged<UserNode>,
    user_names: Table<Named>,
    /// Of users that have attributes.
    described: Table<Described>,
    descriptions: Paged<Extra>,
    nodes: Paged<Node>,
    node_names: Table<Named>,
    endings: Table<Ending>,
    tenants: usize,
    assignments: usize,
    tuples: usize,
    ignored: u64,
}

impl Graph {
    #[inline]
    pub(crate) fn user_number(&self, key: &str) -> Option<u32> {
        let hash = name_hash(0, key);
        let same = |named: Named| {
            named.hash == hash && self.users.get(named.number).is_some_and(|user| user.name.is(key))
        };
        self.user_names.find(hash, same).map(|named| named.number)
    }

    #[inline]
    pub(crate) fn user(&self, number: u32) -> Option<&UserNode> {
        self.users.get(number)
    }

    /// All users, by number.
    pub(crate) fn users(&self) -> impl Iterator<Item = (u32, &UserNode)> {
        self.users.iter()
    }

    /// All tenants and instances, by number.
    pub(crate) fn nodes(&self) -> impl Iterator<Item = (u32, &Node)> {
        self.nodes.iter()
    }

    /// Visits the instances in a tenant.
    pub(crate) fn for_members(&self, tenant: u32, mut visit: impl FnMut(u32)) {
        if let Some(node) = self.node(tenant).filter(|node| node.ty == TENANT) {
            node.children.for_group(MEMBERS, |link| visit(link.other()));
        }
    }

    /// The stored attributes of a user.
    pub(crate) fn attributes_of(&self, user: u32) -> Option<&Attributes> {
        self.descriptions.get(self.description(user)?).map(Extra::get)
    }

    fn description(&self, user: u32) -> Option<u32> {
        self.described
            .find(Described::hash_of(user), |described| described.user == user)
            .map(|found| found.at)
    }

    #[inline]
    pub(crate) fn node_number(&self, ty: TypeIndex, key: &str) -> Option<u32> {
        let hash = name_hash(ty, key);
        let same = |named: Named| {
            named.hash == hash
                && self.nodes.get(named.number).is_some_and(|node| node.ty == ty && node.name.is(key))
        };
        self.node_names.find(hash, same).map(|named| named.number)
    }

    /// The numbers of a user and of a node. A check waits for memory more than for anything else, so the reads of the
    /// two go side by side: first both entries, then both nodes and what the user holds, and only then a look at what
    /// came.
    #[inline]
    pub(crate) fn user_and_node(&self, user: &str, ty: TypeIndex, key: &str) -> (Option<u32>, Option<u32>) {
        let (user_hash, node_hash) = (name_hash(0, user), name_hash(ty, key));
        let user_entry = self.user_names.find(user_hash, |named| named.hash == user_hash);
        let node_entry = self.node_names.find(node_hash, |named| named.hash == node_hash);
        let user_node = user_entry.and_then(|named| self.users.get(named.number));
        let node = node_entry.and_then(|named| self.nodes.get(named.number));
        black_box(node.map(|node| node.tenant));
        black_box(user_node.and_then(|user| user.held.first()).map(|held| held.node));
        // Another name with the same hash may stand before the one that is looked for.
        let found_user = user_entry.and_then(|named| match user_node {
            Some(found) if found.name.is(user) => Some(named.number),
            _ => self.user_number(user),
        });
        let found_node = node_entry.and_then(|named| match node {
            Some(found) if found.ty == ty && found.name.is(key) => Some(named.number),
            _ => self.node_number(ty, key),
        });
        (found_user, found_node)
    }

    #[inline]
    pub(crate) fn node(&self, number: u32) -> Option<&Node> {
        self.nodes.get(number)
    }

    pub(crate) fn tenant_number(&self, key: &str) -> Option<u32> {
        self.node_number(TENANT, key)
    }

    pub(crate) fn tenant_view(&self, number: u32) -> Option<TenantView> {
        let node = self.node(number)?;
        Some(TenantView { key: node.name.key()?, attributes: node.attributes.shared() })
    }

    pub(crate) fn place_number(&self, place: &PlaceRef<'_>) -> Option<u32> {
        match place {
            PlaceRef::Tenant(key) => self.tenant_number(key),
            PlaceRef::Instance { resource, key } => self.node_number(self.compiled.type_of(resource)?, key),
        }
    }

    /// The key of a user.
    pub(crate) fn user_key(&self, number: u32) -> Option<UserKey> {
        self.user(number)?.name.key()
    }

    /// The place that a node is.
    pub(crate) fn place(&self, number: u32) -> Option<Place> {
        let node = self.node(number)?;
        if node.ty == TENANT {
            return Some(Place::Tenant(node.name.key()?));
        }
        let resource = self.compiled.ty(node.ty)?.key.clone()?;
        Some(Place::Instance(InstanceRef { resource, key: node.name.key()? }))
    }

    /// A role on a node.
    pub(crate) fn role_at(&self, number: u32, role: u32) -> Option<RoleAt> {
        let ty = self.compiled.ty(self.node(number)?.ty)?;
        Some(RoleAt { role: ty.role(role)?.key.clone(), at: self.place(number)? })
    }

    /// Those of the roles (`mask` in `word`) that the user was given on the node and that count.
    #[inline]
    pub(crate) fn given(
        &self,
        user: u32,
        held: &Adjacency<Held>,
        node: u32,
        (word, mask): (u16, u64),
        counting: Counting,
    ) -> u64 {
        let Some(entry) = held.get(Held::key_of(node, word)) else { return 0 };
        self.counting_of(user, entry, entry.mask & mask, counting)
    }

    /// Those of the entry's roles in `mask` that count.
    #[inline]
    pub(crate) fn counting_of(&self, user: u32, entry: Held, mask: u64, counting: Counting) -> u64 {
        match counting {
            Counting::Live(now) if entry.ends && mask != 0 => roles_in(entry.word, mask)
                .filter(|role| self.is_live(user, entry.node, *role, now))
                .fold(0, |live, role| live | 1 << (role % u64::BITS)),
            _ => mask,
        }
    }

    /// Whether the assignment, which is there, has not ended.
    pub(crate) fn is_live(&self, user: u32, node: u32, role: u32, now: Timestamp) -> bool {
        self.ending(user, node, role).is_none_or(|end| end > now)
    }

    pub(crate) fn ending(&self, user: u32, node: u32, role: u32) -> Option<Timestamp> {
        let hash = Ending::hash_of(user, node, role);
        self.endings.find(hash, |ending| ending.is_of(user, node, role)).map(|ending| ending.at)
    }

    /// Whether the user was given any role on the node that has not ended.
    pub(crate) fn has_any(&self, user: u32, held: &Adjacency<Held>, node: u32, now: Timestamp) -> bool {
        let words = self.node(node).and_then(|node| self.compiled.ty(node.ty)).map_or(0, |ty| ty.words);
        (0..words).any(|word| self.given(user, held, node, (word, u64::MAX), Counting::Live(now)) != 0)
    }

    /// How many users, tenants and instances there are.
    pub(crate) fn population(&self) -> usize {
        self.users.len() + self.nodes.len()
    }

    /// Counts and an estimate of the memory; walks over everything.
    pub(crate) fn stats(&self) -> Stats {
        let names: usize = self.users.iter().map(|(_, user)| user.name.bytes()).sum::<usize>()
            + self.nodes.iter().map(|(_, node)| node.name.bytes()).sum::<usize>();
        let attributes: usize = self.descriptions.iter().map(|(_, extra)| extra.bytes()).sum::<usize>()
            + self.nodes.iter().map(|(_, node)| node.attributes.bytes()).sum::<usize>();
        let held: usize = self.users.iter().map(|(_, user)| user.held.bytes()).sum();
        let links: usize = self
            .nodes
            .iter()
            .map(|(_, node)| node.parents.bytes() + node.children.bytes() + node.holders.bytes())
            .sum();
        Stats {
            users: self.users.len(),
            tenants: self.tenants,
            instances: self.nodes.len() - self.tenants,
            assignments: self.assignments,
            tuples: self.tuples,
            ignored: self.ignored,
            approx_bytes: names
                + attributes
                + held
                + links
                + self.users.bytes()
                + self.nodes.bytes()
                + self.user_names.bytes()
                + self.node_names.bytes()
                + self.described.bytes()
                + self.descriptions.bytes()
                + self.endings.bytes(),
        }
    }
}

/// The hash of a name. Names come from writers that the environment trusts, so a fast one will do.
#[inline]
fn name_hash(ty: TypeIndex, key: &str) -> u32 {
    let mut hasher = FxHasher::default();
    hasher.write_u16(ty);
    hasher.write(key.as_bytes());
    table::mix(hasher.finish())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::Fixture;
    use rustc_hash::FxHashMap;
    use std::collections::BTreeSet;

    /// A check reads a user's whole node, and of another node the first line.
    #[test]
    fn nodes_fit_the_lines_of_the_cache() {
        assert_eq!((size_of::<UserNode>(), size_of::<Node>()), (64, 128));
    }

    /// Two keys with the same hash, which stand for two things.
    fn namesakes(ty: TypeIndex, prefix: &str) -> [String; 2] {
        let mut seen = FxHashMap::default();
        (0..)
            .find_map(|number| {
                let key = format!("{prefix}{number}");
                let before = seen.insert(name_hash(ty, &key), key.clone())?;
                Some([before, key])
            })
            .unwrap()
    }

    #[test]
    fn names_with_one_hash_are_told_apart() {
        let mut graph = Graph::default();
        let world = Fixture::default().resource("doc", &["read"]).tenant("default");
        graph.apply(&world.changes());
        let ty = graph.compiled.type_of("doc").unwrap();
        let (users, docs) = (namesakes(0, "user-"), namesakes(ty, "doc-"));
        let mut world = Fixture::default().resource("doc", &["read"]).tenant("default");
        for (user, doc) in users.iter().zip(&docs) {
            world = world.user(user).instance(&format!("doc:{doc}"), "default");
        }
        graph = Graph::default();
        graph.apply(&world.changes());
        let mut seen = BTreeSet::new();
        for (user, doc) in users.iter().zip(&docs) {
            let (user_number, node) = graph.user_and_node(user, ty, doc);
            assert_eq!(graph.user_key(user_number.unwrap()).unwrap().as_str(), user);
            assert_eq!(graph.node(node.unwrap()).unwrap().key(), doc);
            assert!(seen.insert(user_number));
        }
        assert_eq!(graph.user_and_node("nobody", ty, "nothing"), (None, None));
    }
}
