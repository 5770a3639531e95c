//! From what a file says of a thing to the thing itself, over the one that is there already.
//!
//! What an entry does not say of its thing is cleared: an entry is the whole of it. The parts of a resource (actions and
//! attributes) that the file does not name are the caller's to decide.

use super::data::{
    ActionEntry, AttributeEntry, GroupEntry, ProxyConfigEntry, RelationEntry, ResourceEntry, RoleEntry,
    RuleEntry, SetEntry,
};
use askfirst_domain::{
    Id, Key, Timestamp,
    schema::{Action, ActionGroup, Attribute, ConditionSet, Derivation, Relation, Resource, Role, SetRule},
    url_mapping::ProxyConfig,
};
use serde_json::Map;
use std::time::Duration;
use uuid::Uuid;

/// Where new things get their ids and times from.
pub struct Stamp<'a, E> {
    now: Timestamp,
    made: u64,
    fresh: &'a dyn Fn() -> Result<Uuid, E>,
}

impl<E> std::fmt::Debug for Stamp<'_, E> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Stamp").field("now", &self.now).field("made", &self.made).finish_non_exhaustive()
    }
}

impl<'a, E> Stamp<'a, E> {
    /// New things are of this moment, and get their ids from `fresh`.
    pub fn new(now: Timestamp, fresh: &'a dyn Fn() -> Result<Uuid, E>) -> Self {
        Self { now, made: 0, fresh }
    }

    /// The moment of changes.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// An id of a new thing.
    ///
    /// # Errors
    /// As `fresh`.
    pub fn id<K>(&self) -> Result<Id<K>, E> {
        (self.fresh)().map(Id::new)
    }

    /// The id and the moments of a thing: those that it has, or new ones.
    ///
    /// # Errors
    /// As `fresh`.
    pub fn identity<K>(
        &mut self,
        known: Option<(Id<K>, Timestamp, Timestamp)>,
    ) -> Result<(Id<K>, Timestamp, Timestamp), E> {
        if let Some(known) = known {
            return Ok(known);
        }
        let at = self.next_moment();
        Ok((self.id()?, at, at))
    }

    /// When a new thing was made: each a microsecond after the one before, so that their order stays.
    pub fn next_moment(&mut self) -> Timestamp {
        let at = self.now.plus(Duration::from_micros(self.made));
        self.made += 1;
        at
    }
}

/// What becomes of a resource's actions, attributes and groups that the file does not name.
#[derive(Debug, Clone, Copy)]
pub enum Others<'a> {
    Stay,
    /// They go, but for these actions.
    Go {
        but: &'a [&'a str],
    },
}

impl Others<'_> {
    fn action_stays(self, key: &Key) -> bool {
        match self {
            Self::Stay => true,
            Self::Go { but } => but.contains(&key.as_str()),
        }
    }

    fn stay(self) -> bool {
        matches!(self, Self::Stay)
    }
}

/// The thing as it is to be: the old one itself where nothing differs.
fn settled<T: PartialEq>(
    old: Option<&T>,
    mut new: T,
    now: Timestamp,
    touch: impl Fn(&mut T, Timestamp),
) -> T {
    if old.is_some_and(|old| *old != new) {
        touch(&mut new, now);
    }
    new
}

/// The entries of a list over those that are there, in the order of keys.
fn over_all<T: Clone, N, E>(
    old: &[T],
    new: &[N],
    same: impl Fn(&T, &N) -> bool,
    stays: impl Fn(&T) -> bool,
    mut over: impl FnMut(Option<&T>, &N) -> Result<T, E>,
) -> Result<Vec<T>, E> {
    let mut all: Vec<T> =
        old.iter().filter(|t| stays(t) && !new.iter().any(|n| same(t, n))).cloned().collect();
    for entry in new {
        all.push(over(old.iter().find(|t| same(t, entry)), entry)?);
    }
    Ok(all)
}

impl ResourceEntry {
    /// The resource; its roles and relations are things of their own.
    ///
    /// # Errors
    /// As the stamp's source of ids.
    pub fn over<E>(
        &self,
        old: Option<&Resource>,
        others: Others<'_>,
        stamp: &mut Stamp<'_, E>,
    ) -> Result<Resource, E> {
        let (old_actions, old_attributes, old_groups) = match old {
            Some(old) => (old.actions.as_slice(), old.attributes.as_slice(), old.action_groups.as_slice()),
            None => Default::default(),
        };
        let known = old.map(|old| (old.id, old.created_at, old.updated_at));
        let (id, created_at, updated_at) = stamp.identity(known)?;
        let mut actions = over_all(
            old_actions,
            &self.actions,
            |old, new| old.key == new.key,
            |old| others.action_stays(&old.key),
            |old, new| new.over(old, stamp),
        )?;
        actions.sort_by(|a, b| a.key.cmp(&b.key));
        let mut groups = over_all(
            old_groups,
            &self.action_groups,
            |old, new| old.key == new.key,
            |_| others.stay(),
            |old, new| new.over(old, stamp),
        )?;
        for group in &mut groups {
            group.actions.retain(|key| actions.iter().any(|action| action.key == *key));
        }
        groups.sort_by(|a, b| a.key.cmp(&b.key));
        let new = Resource {
            id,
            key: self.key.clone(),
            name: self.name.clone(),
            urn: self.urn.clone(),
            description: self.description.clone(),
            type_attributes: self.type_attributes.clone(),
            compat: self.compat.clone(),
            actions,
            attributes: attributes_over(old_attributes, &self.attributes, others, stamp)?,
            action_groups: groups,
            created_at,
            updated_at,
        };
        Ok(settled(old, new, stamp.now, |resource, now| resource.updated_at = now))
    }
}

/// Declared attributes over those that are there, in the order of keys.
///
/// # Errors
/// As the stamp's source of ids.
pub fn attributes_over<E>(
    old: &[Attribute],
    entries: &[AttributeEntry],
    others: Others<'_>,
    stamp: &mut Stamp<'_, E>,
) -> Result<Vec<Attribute>, E> {
    let mut attributes = over_all(
        old,
        entries,
        |old, new| old.key == new.key,
        |_| others.stay(),
        |old, new| new.over(old, stamp),
    )?;
    attributes.sort_by(|a, b| a.key.cmp(&b.key));
    Ok(attributes)
}

impl ActionEntry {
    fn over<E>(&self, old: Option<&Action>, stamp: &mut Stamp<'_, E>) -> Result<Action, E> {
        let new = Action {
            id: old.map_or_else(|| stamp.id(), |old| Ok(old.id))?,
            key: self.key.clone(),
            name: self.name.clone(),
            description: self.description.clone(),
            attributes: self.attributes.clone(),
            compat: self.compat.clone(),
            created_at: old.map_or(stamp.now, |old| old.created_at),
            updated_at: old.map_or(stamp.now, |old| old.updated_at),
        };
        Ok(settled(old, new, stamp.now, |action, now| action.updated_at = now))
    }
}

impl AttributeEntry {
    fn over<E>(&self, old: Option<&Attribute>, stamp: &mut Stamp<'_, E>) -> Result<Attribute, E> {
        let new = Attribute {
            id: old.map_or_else(|| stamp.id(), |old| Ok(old.id))?,
            key: self.key.clone(),
            kind: self.kind,
            description: self.description.clone(),
            created_at: old.map_or(stamp.now, |old| old.created_at),
            updated_at: old.map_or(stamp.now, |old| old.updated_at),
        };
        Ok(settled(old, new, stamp.now, |attribute, now| attribute.updated_at = now))
    }
}

impl GroupEntry {
    fn over<E>(&self, old: Option<&ActionGroup>, stamp: &mut Stamp<'_, E>) -> Result<ActionGroup, E> {
        let new = ActionGroup {
            id: old.map_or_else(|| stamp.id(), |old| Ok(old.id))?,
            key: self.key.clone(),
            name: self.name.clone(),
            description: self.description.clone(),
            attributes: self.attributes.clone(),
            actions: self.actions.clone(),
            created_at: old.map_or(stamp.now, |old| old.created_at),
            updated_at: old.map_or(stamp.now, |old| old.updated_at),
        };
        Ok(settled(old, new, stamp.now, |group, now| group.updated_at = now))
    }
}

impl RelationEntry {
    /// The relation on this resource. Its subject can't change: the caller has to look at that.
    ///
    /// # Errors
    /// As the stamp's source of ids.
    pub fn over<E>(
        &self,
        object: &Key,
        old: Option<&Relation>,
        stamp: &mut Stamp<'_, E>,
    ) -> Result<Relation, E> {
        let known = old.map(|old| (old.id, old.created_at, old.updated_at));
        let (id, created_at, updated_at) = stamp.identity(known)?;
        let new = Relation {
            id,
            key: self.key.clone(),
            name: self.name.clone(),
            description: self.description.clone(),
            subject_resource: self.subject_resource.clone(),
            object_resource: object.clone(),
            created_at,
            updated_at,
        };
        Ok(settled(old, new, stamp.now, |relation, now| relation.updated_at = now))
    }
}

impl RoleEntry {
    /// The role, on this resource or in tenants.
    ///
    /// # Errors
    /// As the stamp's source of ids.
    pub fn over<E>(
        &self,
        resource: Option<&Key>,
        old: Option<&Role>,
        stamp: &mut Stamp<'_, E>,
    ) -> Result<Role, E> {
        let known = old.map(|old| (old.id, old.created_at, old.updated_at));
        let (id, created_at, updated_at) = stamp.identity(known)?;
        let granted_to = match &self.granted_to {
            None => None,
            Some(derivation) => Some(Derivation {
                id: match old.and_then(|role| role.granted_to.as_ref()) {
                    Some(known) => known.id,
                    None => stamp.id::<()>()?.uuid(),
                },
                when: derivation.when,
                users_with_role: derivation.users_with_role.clone(),
            }),
        };
        let new = Role {
            id,
            key: self.key.clone(),
            resource: resource.cloned(),
            name: self.name.clone(),
            description: self.description.clone(),
            permissions: self.permissions.clone(),
            extends: self.extends.clone(),
            granted_to,
            attributes: self.attributes.clone(),
            compat: self.compat.clone(),
            created_at,
            updated_at,
        };
        Ok(settled(old, new, stamp.now, |role, now| role.updated_at = now))
    }
}

impl SetEntry {
    /// The condition set.
    ///
    /// # Errors
    /// As the stamp's source of ids.
    pub fn over<E>(&self, old: Option<&ConditionSet>, stamp: &mut Stamp<'_, E>) -> Result<ConditionSet, E> {
        let known = old.map(|old| (old.id, old.created_at, old.updated_at));
        let (id, created_at, updated_at) = stamp.identity(known)?;
        let new = ConditionSet {
            id,
            key: self.key.clone(),
            kind: self.kind,
            resource: self.resource.clone(),
            parent: self.parent.clone(),
            name: self.name.clone(),
            description: self.description.clone(),
            conditions: self.conditions.clone(),
            autogenerated: self.autogenerated,
            created_at,
            updated_at,
        };
        Ok(settled(old, new, stamp.now, |set, now| set.updated_at = now))
    }
}

impl RuleEntry {
    /// The rule, new.
    ///
    /// # Errors
    /// As the stamp's source of ids.
    pub fn new_rule<E>(&self, stamp: &mut Stamp<'_, E>) -> Result<SetRule, E> {
        let at = stamp.next_moment();
        Ok(SetRule {
            id: stamp.id()?,
            users: self.users.clone(),
            permission: self.permission.clone(),
            resources: self.resources.clone(),
            created_at: at,
            updated_at: at,
        })
    }

    /// Whether the rule says this.
    pub fn is(&self, rule: &SetRule) -> bool {
        self.users == rule.users && self.permission == rule.permission && self.resources == rule.resources
    }
}

impl ProxyConfigEntry {
    /// The proxy config.
    ///
    /// # Errors
    /// As the stamp's source of ids.
    pub fn over<E>(&self, old: Option<&ProxyConfig>, stamp: &mut Stamp<'_, E>) -> Result<ProxyConfig, E> {
        let known = old.map(|old| (old.id, old.created_at, old.updated_at));
        let (id, created_at, updated_at) = stamp.identity(known)?;
        let new = ProxyConfig {
            id,
            key: self.key.clone(),
            name: self.name.clone(),
            auth_mechanism: self.auth_mechanism,
            rules: self.rules.clone(),
            created_at,
            updated_at,
        };
        Ok(settled(old, new, stamp.now, |config, now| config.updated_at = now))
    }
}

/// A resource that holds nothing but the attributes of users or of tenants.
///
/// # Errors
/// As the stamp's source of ids.
pub fn bare_resource<E>(key: &Key, stamp: &mut Stamp<'_, E>) -> Result<Resource, E> {
    let at = stamp.next_moment();
    Ok(Resource {
        id: stamp.id()?,
        key: key.clone(),
        name: key.to_string(),
        urn: None,
        description: None,
        type_attributes: None,
        compat: Map::new(),
        actions: Vec::new(),
        attributes: Vec::new(),
        action_groups: Vec::new(),
        created_at: at,
        updated_at: at,
    })
}
