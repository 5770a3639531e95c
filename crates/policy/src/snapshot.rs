//! The snapshot: schema and facts at one moment.

use crate::{
    Schema,
    naive::Naive,
    question::{EffectiveRole, PlaceRef, Question, Stats},
};
use askfirst_domain::{
    Key, Timestamp, UserKey,
    change::Change,
    decision::{Decision, Place},
    facts::InstanceRef,
    id::RoleId,
};
use std::sync::Arc;

/// The greatest number of derivations in a chain, unless told otherwise.
pub const DEFAULT_MAX_DEPTH: u32 = 32;

/// Schema and facts of one environment at one moment. Immutable, cheap to clone, shared between threads.
#[derive(Debug, Clone)]
pub struct Snapshot {
    naive: Arc<Naive>,
    schema: Arc<Schema>,
    max_depth: u32,
}

impl Default for Snapshot {
    fn default() -> Self {
        Self::empty()
    }
}

impl Snapshot {
    /// Nothing at all: no resource, no tenant, no user.
    pub fn empty() -> Self {
        Self { naive: Arc::default(), schema: Arc::default(), max_depth: DEFAULT_MAX_DEPTH }
    }

    /// The same with another limit on the number of derivations in a chain.
    #[must_use]
    pub fn with_max_depth(self, max_depth: u32) -> Self {
        Self { max_depth, ..self }
    }

    /// The snapshot after these changes, in this order. This one stays as it is.
    #[must_use]
    pub fn apply(&self, changes: &[Change]) -> Self {
        let mut naive = Naive::clone(&self.naive);
        for change in changes {
            naive.apply(change);
        }
        let schema = Arc::new(naive.schema.clone());
        Self { naive: Arc::new(naive), schema, max_depth: self.max_depth }
    }

    /// The schema.
    pub fn schema(&self) -> &Arc<Schema> {
        &self.schema
    }

    /// Answers the question with what the answer rests on.
    pub fn check(&self, q: &Question<'_>, now: Timestamp) -> Decision {
        self.naive.check(q, now, self.max_depth)
    }

    /// The verdict of [`Snapshot::check`] alone.
    pub fn is_allowed(&self, q: &Question<'_>, now: Timestamp) -> bool {
        self.check(q, now).is_allow()
    }

    /// All roles that the user effectively has in the place, sorted by place and key.
    pub fn roles_on(&self, user: &str, place: &PlaceRef<'_>, now: Timestamp) -> Vec<EffectiveRole> {
        let Some(place) = owned(place) else { return Vec::new() };
        self.naive.roles_on(user, &place, now, self.max_depth)
    }

    /// Who effectively has any of these roles in the place, sorted.
    pub fn holders(&self, place: &PlaceRef<'_>, roles: &[RoleId], now: Timestamp) -> Vec<UserKey> {
        let Some(place) = owned(place) else { return Vec::new() };
        self.naive.holders(&place, roles, now, self.max_depth)
    }

    /// Where the user effectively has any of these roles, sorted.
    pub fn places(&self, user: &str, roles: &[RoleId], now: Timestamp) -> Vec<Place> {
        self.naive.places(user, roles, now, self.max_depth)
    }

    /// The tenant of the instance, when there is such an instance.
    pub fn instance_tenant(&self, resource: &str, key: &str) -> Option<Key> {
        let found =
            self.naive.instances.iter().find(|i| i.resource.as_str() == resource && i.key.as_str() == key);
        found.map(|i| i.tenant.clone())
    }

    /// Whether there is such a user.
    pub fn has_user(&self, key: &str) -> bool {
        self.naive.has_user(key)
    }

    /// Whether there is such a tenant.
    pub fn has_tenant(&self, key: &str) -> bool {
        self.naive.tenants.iter().any(|t| t.key.as_str() == key)
    }

    /// How much it holds.
    pub fn stats(&self) -> Stats {
        Stats {
            users: self.naive.users.len(),
            tenants: self.naive.tenants.len(),
            instances: self.naive.instances.len(),
            assignments: self.naive.assignments.len(),
            tuples: self.naive.tuples.len(),
            ignored: 0,
            approx_bytes: 0,
        }
    }
}

fn owned(place: &PlaceRef<'_>) -> Option<Place> {
    Some(match place {
        PlaceRef::Tenant(key) => Place::Tenant(key.parse().ok()?),
        PlaceRef::Instance { resource, key } => {
            Place::Instance(InstanceRef { resource: resource.parse().ok()?, key: key.parse().ok()? })
        }
    })
}

/// Builds a snapshot from many changes without keeping the ones in between.
#[derive(Debug, Default)]
pub struct Loader {
    snapshot: Snapshot,
}

impl Loader {
    /// Starts with nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Applies the next changes: schema first, then tenants and users, instances, assignments and tuples.
    pub fn load(&mut self, changes: &[Change]) {
        self.snapshot = self.snapshot.apply(changes);
    }

    /// The snapshot.
    pub fn finish(self) -> Snapshot {
        self.snapshot
    }
}
