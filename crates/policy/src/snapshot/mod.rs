//! The snapshot: schema and facts at one moment, and the questions that it answers.

mod check;
mod compare;
mod explain;
mod holdings;
mod holds;
mod list;
mod places;
mod reach;
mod sets;
mod told;
mod users;
mod view;
mod walk;

use crate::{
    Schema,
    condition::{Condition, ConditionLimits, Truth},
    graph::Graph,
    question::{
        CallAttributes, EffectiveRole, Explained, Holding, HoldingFilter, InstancePage, Nearness, Part,
        PlaceRef, Question, Reaching, Stats, TenantView,
    },
};
use askfirst_domain::{
    Key, Timestamp, UserKey,
    change::Change,
    decision::{Decision, Place},
    facts::InstanceLink,
    id::{RoleId, TenantId, UserId},
};
use std::{fmt, ops::Range, sync::Arc};

pub use check::MAX_SUGGESTIONS;
pub use compare::{Bounds, Comparison, Flip, Shift, Turn};
pub use told::MAX_RULES_TOLD;

/// The greatest number of derivations in a chain, unless told otherwise.
pub const DEFAULT_MAX_DEPTH: u32 = 32;

/// What an operator may bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The greatest number of derivations in a chain.
    pub depth: u32,
    /// How large a condition may be that is written.
    pub conditions: ConditionLimits,
}

impl Default for Limits {
    fn default() -> Self {
        Self { depth: DEFAULT_MAX_DEPTH, conditions: ConditionLimits::default() }
    }
}

/// Schema and facts of one environment at one moment. Immutable, cheap to clone, shared between threads.
#[derive(Clone)]
pub struct Snapshot {
    graph: Arc<Graph>,
    max_depth: u32,
}

impl fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Snapshot").field("max_depth", &self.max_depth).finish_non_exhaustive()
    }
}

impl Default for Snapshot {
    fn default() -> Self {
        Self::empty()
    }
}

impl Snapshot {
    /// Nothing at all: no resource, no tenant, no user.
    pub fn empty() -> Self {
        Self { graph: Arc::default(), max_depth: DEFAULT_MAX_DEPTH }
    }

    /// The same with another limit on the number of derivations in a chain.
    #[must_use]
    pub fn with_max_depth(self, max_depth: u32) -> Self {
        Self { max_depth, ..self }
    }

    /// The snapshot after these changes, in this order. This one stays as it is.
    ///
    /// The cost grows with the changes and with what a deletion takes along, not with the facts beside them. A change
    /// of the schema costs as much as the schema is large, besides, and the deletion of a resource, role or relation
    /// looks at every instance once.
    #[must_use]
    pub fn apply(&self, changes: &[Change]) -> Self {
        let mut graph = Graph::clone(&self.graph);
        graph.apply(changes);
        Self { graph: Arc::new(graph), max_depth: self.max_depth }
    }

    /// The schema.
    pub fn schema(&self) -> &Arc<Schema> {
        &self.graph.schema
    }

    /// Answers the question with what the answer rests on. The roles that a denial names are [`MAX_SUGGESTIONS`] at
    /// most.
    pub fn check(&self, q: &Question<'_>, now: Timestamp) -> Decision {
        self.check_with(q, &CallAttributes::default(), now)
    }

    /// As [`Snapshot::check`], with attributes that the call gives.
    pub fn check_with(&self, q: &Question<'_>, call: &CallAttributes<'_>, now: Timestamp) -> Decision {
        check::check(&self.graph, q, call, now, self.max_depth)
    }

    /// As [`Snapshot::check_with`], with every comparison that rules over condition sets made, and the values that it
    /// saw: for those who may see them. At most [`MAX_RULES_TOLD`] rules are told.
    pub fn explain(&self, q: &Question<'_>, call: &CallAttributes<'_>, now: Timestamp) -> Explained {
        check::explain(&self.graph, q, call, now, self.max_depth)
    }

    /// The verdict of [`Snapshot::check`] alone, faster and without allocating (but for the growth of a buffer that
    /// the thread keeps).
    pub fn is_allowed(&self, q: &Question<'_>, now: Timestamp) -> bool {
        self.is_allowed_with(q, &CallAttributes::default(), now)
    }

    /// The verdict of [`Snapshot::check_with`] alone; a rule over condition sets that reads `user.roles` allocates.
    pub fn is_allowed_with(&self, q: &Question<'_>, call: &CallAttributes<'_>, now: Timestamp) -> bool {
        check::is_allowed(&self.graph, q, call, now, self.max_depth)
    }

    /// What a condition that belongs to no set comes to for this question. Where there is no such user it can't be told.
    pub fn holds(
        &self,
        condition: &Condition,
        q: &Question<'_>,
        call: &CallAttributes<'_>,
        now: Timestamp,
    ) -> Truth {
        holds::holds(&self.graph, condition, q, call, now, self.max_depth)
    }

    /// All roles that the user effectively has in the place: given, extended and derived; for an instance the roles in
    /// its tenant too. Sorted by place (tenants first) and key.
    pub fn roles_on(&self, user: &str, place: &PlaceRef<'_>, now: Timestamp) -> Vec<EffectiveRole> {
        list::roles_on(&self.graph, user, place, now, self.max_depth)
    }

    /// Who effectively has any of these roles in the place, or for an instance in its tenant; sorted. The cost grows
    /// with the answer and the related places, not with the number of users.
    pub fn holders(&self, place: &PlaceRef<'_>, roles: &[RoleId], now: Timestamp) -> Vec<UserKey> {
        list::holders(&self.graph, place, roles, now, self.max_depth)
    }

    /// Some of [`Snapshot::holders`] with how near each of them holds a role, the nearest first and then by key. No more than
    /// `most` are looked at in the place, and as many in its tenant, so who comes last may be missing.
    pub fn nearest_holders(
        &self,
        place: &PlaceRef<'_>,
        roles: &[RoleId],
        now: Timestamp,
        most: usize,
    ) -> Vec<(Nearness, UserKey)> {
        list::nearest_holders(&self.graph, place, roles, (now, self.max_depth), most)
    }

    /// Where the user effectively has any of these roles, sorted (tenants first). A tenant role is had in the tenant,
    /// which is listed, and not on each of its instances. The cost grows with what the user was given and the answer.
    pub fn places(&self, user: &str, roles: &[RoleId], now: Timestamp) -> Vec<Place> {
        list::places(&self.graph, user, roles, now, self.max_depth)
    }

    /// Whom [`Snapshot::check_with`] allows it, sorted; the user of the question is not looked at, and what the call says
    /// of the user is said of everybody.
    ///
    /// The cost of what roles allow grows with the answer and the related places. A rule over a user set looks at every
    /// user, unless a condition that does not depend on the user rules it out at once.
    pub fn users_allowed(&self, q: &Question<'_>, call: &CallAttributes<'_>, now: Timestamp) -> Vec<UserKey> {
        let graph = &self.graph;
        let Ok(target) = check::target(graph, q) else { return Vec::new() };
        let users = users::allowed(graph, &target, q, call, now, self.max_depth);
        let mut keys: Vec<UserKey> = users.into_iter().filter_map(|user| graph.user_key(user)).collect();
        keys.sort_unstable();
        keys
    }

    /// The known instances on which [`Snapshot::check_with`] allows it, by key: in one tenant when it is named, else in
    /// all. What the call says of the resource is said of every instance.
    ///
    /// The cost of what roles on instances allow grows with the answer. Where a tenant role or a rule allows it, the
    /// instances of that tenant (for a rule over a user set: of all) are gone through for each part, and as many of
    /// them are held against conditions as it takes to fill the part.
    pub fn instances_allowed(
        &self,
        reaching: &Reaching<'_>,
        tenant: Option<&str>,
        call: &CallAttributes<'_>,
        now: Timestamp,
        part: &Part<'_>,
    ) -> InstancePage {
        let nothing = InstancePage { items: Vec::new(), more: false, total: Some(0) };
        let within = match tenant.map(|key| self.graph.tenant_number(key)) {
            Some(None) => return nothing,
            found => found.flatten(),
        };
        match places::Wish::of(&self.graph, reaching, call, now, self.max_depth) {
            Some(wish) => places::instances(&wish, within, part),
            None => nothing,
        }
    }

    /// The tenants in which [`Snapshot::check_with`] allows it, by key. A known instance is in one tenant only; without
    /// one, rules over user sets are asked of every tenant.
    pub fn tenants_allowed(
        &self,
        reaching: &Reaching<'_>,
        instance: Option<&str>,
        call: &CallAttributes<'_>,
        now: Timestamp,
    ) -> Vec<TenantView> {
        let graph = &self.graph;
        let Reaching { user, action, resource } = *reaching;
        let known = instance.and_then(|key| {
            let number = graph.node_number(graph.compiled.type_of(resource)?, key)?;
            graph.node(number)
        });
        let numbers = match known {
            Some(node) => {
                let q = Question { user, action, resource, instance, tenant: None };
                let allowed = self.is_allowed_with(&q, call, now);
                allowed.then_some(node.tenant).into_iter().collect()
            }
            None => match places::Wish::of(graph, reaching, call, now, self.max_depth) {
                Some(wish) => places::tenants(&wish.on(instance)),
                None => Vec::new(),
            },
        };
        let mut tenants: Vec<TenantView> =
            numbers.into_iter().filter_map(|tenant| graph.tenant_view(tenant)).collect();
        tenants.sort_unstable_by(|a, b| a.key.cmp(&b.key));
        tenants
    }

    /// The places where the user has a role, with what it allows there; with `rules`, also where rules allow something.
    /// By type and key, from the first to before the second number of `part`.
    ///
    /// The cost of roles grows with what the user was given and what follows from that; a part costs as much as the
    /// whole list without what is told of each place. Rules are asked about every instance of the types that the filter
    /// lets through, as far as it narrows them down.
    pub fn holdings(
        &self,
        user: &str,
        filter: &HoldingFilter<'_>,
        rules: Option<&CallAttributes<'_>>,
        now: Timestamp,
        part: Range<usize>,
    ) -> Vec<Holding> {
        holdings::holdings(&self.graph, user, filter, rules, now, self.max_depth, part)
    }

    /// The tenant with this key.
    pub fn tenant(&self, key: &str) -> Option<TenantView> {
        self.graph.tenant_view(self.graph.tenant_number(key)?)
    }

    /// The tenant of the instance, when there is such an instance.
    pub fn instance_tenant(&self, resource: &str, key: &str) -> Option<Key> {
        let ty = self.graph.compiled.type_of(resource)?;
        let instance = self.graph.node(self.graph.node_number(ty, key)?)?;
        self.graph.node(instance.tenant)?.name.key()
    }

    /// Whether there is such a user.
    pub fn has_user(&self, key: &str) -> bool {
        self.graph.user_number(key).is_some()
    }

    /// Whether the user with this key is this one, and not another who was given the key later.
    pub fn is_user(&self, key: &str, id: UserId) -> bool {
        self.graph.user_number(key).is_some_and(|number| self.graph.is_user(number, id.uuid()))
    }

    /// The id of the user with this key.
    pub fn user_id(&self, key: &str) -> Option<UserId> {
        self.graph.user_id(self.graph.user_number(key)?).map(UserId::new)
    }

    /// Whether the tenant with this key is this one.
    pub fn is_tenant(&self, key: &str, id: TenantId) -> bool {
        self.graph.tenant_number(key).is_some_and(|number| self.graph.is_node(number, id.uuid()))
    }

    /// Whether the instance with this key is this one.
    pub fn is_instance(&self, instance: &InstanceLink) -> bool {
        let place = PlaceRef::Instance { resource: instance.resource.as_str(), key: instance.key.as_str() };
        self.graph.place_number(&place).is_some_and(|number| self.graph.is_node(number, instance.id.uuid()))
    }

    /// Whether there is such a tenant.
    pub fn has_tenant(&self, key: &str) -> bool {
        self.graph.tenant_number(key).is_some()
    }

    /// How many users, tenants and instances there are: a measure of what a list may have to go through.
    pub fn population(&self) -> usize {
        self.graph.population()
    }

    /// Which decisions change from this snapshot to another. Both are asked who may do what to what, as far as the bounds
    /// let it; beyond them it is a sample of questions, always the same one. Calls give no attributes, so what a rule over
    /// sets makes depend on those of a call counts on neither side.
    pub fn compare(&self, after: &Self, now: Timestamp, bounds: Bounds) -> Comparison {
        compare::compare(self, after, now, bounds)
    }

    /// How much it holds. Walks over everything: for operators, not for every request.
    pub fn stats(&self) -> Stats {
        self.graph.stats()
    }
}

/// Builds a snapshot from many changes in place, without keeping the ones in between.
#[derive(Default)]
pub struct Loader {
    graph: Graph,
    limits: Limits,
}

impl fmt::Debug for Loader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Loader").finish_non_exhaustive()
    }
}

impl Loader {
    /// Starts with nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Starts with nothing, for a snapshot with these limits.
    pub fn within(limits: Limits) -> Self {
        let mut loader = Self { limits, ..Self::default() };
        Arc::make_mut(&mut loader.graph.schema).condition_limits = limits.conditions;
        loader
    }

    /// Applies the next changes. Whatever a change names has to come before it: schema first, then tenants and users,
    /// instances, assignments and tuples.
    pub fn load(&mut self, changes: &[Change]) {
        self.graph.apply(changes);
    }

    /// The snapshot.
    pub fn finish(self) -> Snapshot {
        Snapshot { graph: Arc::new(self.graph), max_depth: self.limits.depth }
    }
}
