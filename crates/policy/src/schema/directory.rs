//! One kind of schema object, by id, by key within its scope, and in the order of creation.

use askfirst_domain::{
    Ident, Key, Timestamp,
    agent::Agent,
    element::Element,
    id::Id,
    schema::{ConditionSet, Relation, Resource, Role},
    url_mapping::ProxyConfig,
};
use rustc_hash::FxHashMap;
use std::{collections::BTreeMap, sync::Arc};
use uuid::Uuid;

/// Something that a [`Directory`] can hold.
pub(crate) trait Listed {
    /// What [`Id`] of it is typed with.
    type Kind;
    fn id(&self) -> Id<Self::Kind>;
    fn key(&self) -> &Key;
    /// Keys are unique within a scope. The empty text is the environment's own; no key is empty.
    fn scope(&self) -> &str;
    fn created_at(&self) -> Timestamp;
}

/// Objects of one kind.
#[derive(Debug)]
pub(crate) struct Directory<T: Listed> {
    by_id: FxHashMap<Id<T::Kind>, Arc<T>>,
    by_key: FxHashMap<Box<str>, FxHashMap<Key, Id<T::Kind>>>,
    /// Created first comes first; the id settles a tie, so that a rebuilt directory has the same order.
    order: BTreeMap<(Timestamp, Uuid), Id<T::Kind>>,
}

impl<T: Listed> Clone for Directory<T> {
    fn clone(&self) -> Self {
        Self { by_id: self.by_id.clone(), by_key: self.by_key.clone(), order: self.order.clone() }
    }
}

impl<T: Listed> Default for Directory<T> {
    fn default() -> Self {
        Self { by_id: FxHashMap::default(), by_key: FxHashMap::default(), order: BTreeMap::new() }
    }
}

impl<T: Listed> Directory<T> {
    pub(crate) fn get(&self, id: Id<T::Kind>) -> Option<&Arc<T>> {
        self.by_id.get(&id)
    }

    pub(crate) fn find(&self, scope: &str, key: &str) -> Option<&Arc<T>> {
        self.by_key.get(scope)?.get(key).and_then(|id| self.by_id.get(id))
    }

    /// By id first, as the text may be a UUID that is somebody's key; an id of another scope names nothing here.
    pub(crate) fn resolve(&self, scope: &str, ident: &Ident) -> Option<&Arc<T>> {
        ident
            .uuid()
            .and_then(|uuid| self.get(Id::new(uuid)))
            .filter(|found| found.scope() == scope)
            .or_else(|| self.find(scope, ident.as_str()))
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Arc<T>> {
        self.order.values().filter_map(|id| self.by_id.get(id))
    }

    pub(crate) fn in_scope<'s>(&'s self, scope: &str) -> impl Iterator<Item = &'s Arc<T>> {
        self.iter().filter(move |item| item.scope() == scope)
    }

    pub(crate) fn put(&mut self, item: T) {
        self.remove(item.id());
        if let Some(namesake) = self.find(item.scope(), item.key().as_str()).map(|other| other.id()) {
            self.remove(namesake);
        }
        self.by_key.entry(item.scope().into()).or_default().insert(item.key().clone(), item.id());
        self.order.insert((item.created_at(), item.id().uuid()), item.id());
        self.by_id.insert(item.id(), Arc::new(item));
    }

    pub(crate) fn remove(&mut self, id: Id<T::Kind>) -> Option<Arc<T>> {
        let item = self.by_id.remove(&id)?;
        self.order.remove(&(item.created_at(), id.uuid()));
        if let Some(keys) = self.by_key.get_mut(item.scope()) {
            keys.remove(item.key());
            if keys.is_empty() {
                self.by_key.remove(item.scope());
            }
        }
        Some(item)
    }
}

macro_rules! listed {
    ($type:ident, $kind:ident, $scope:expr) => {
        impl Listed for $type {
            type Kind = askfirst_domain::id::kind::$kind;
            fn id(&self) -> Id<Self::Kind> {
                self.id
            }
            fn key(&self) -> &Key {
                &self.key
            }
            fn scope(&self) -> &str {
                let scope: fn(&Self) -> &str = $scope;
                scope(self)
            }
            fn created_at(&self) -> Timestamp {
                self.created_at
            }
        }
    };
}

listed!(Resource, Resource, |_| "");
listed!(Role, Role, |role| role.resource.as_ref().map_or("", Key::as_str));
listed!(Relation, Relation, |relation| relation.object_resource.as_str());
listed!(Element, Element, |_| "");
listed!(ConditionSet, ConditionSet, |_| "");
listed!(ProxyConfig, ProxyConfig, |_| "");
listed!(Agent, Agent, |_| "");
