//! What a thing is connected with: a persistent sorted list while it is short, hash tables by group once it is long.

use super::table::{Entry, Table, mix};
use std::sync::Arc;

/// The most entries of a list.
const MAX_LIST: usize = 128;

/// An [`Entry`] with a key. Entries of one group (a relation, a role) can be listed without looking at the others.
pub(crate) trait Keyed: Entry {
    fn key(self) -> u64;
    /// The group of all entries with this key; keys are sorted by group first.
    fn group(key: u64) -> u32;
}

/// Entries by key.
#[derive(Debug, Clone, Default)]
pub(crate) enum Adjacency<E> {
    #[default]
    Empty,
    /// The commonest case, without memory of its own.
    One(E),
    /// Sorted by key.
    List(Arc<[E]>),
    /// Sorted by group.
    Groups(Arc<Vec<(u32, Table<E>)>>),
}

impl<E: Keyed> Adjacency<E> {
    pub(crate) fn is_empty(&self) -> bool {
        matches!(self, Self::Empty)
    }

    /// The first entry of a list; none of groups, which have no order.
    #[inline]
    pub(crate) fn first(&self) -> Option<E> {
        match self {
            Self::One(entry) => Some(*entry),
            Self::List(list) => list.first().copied(),
            Self::Empty | Self::Groups(_) => None,
        }
    }

    #[inline]
    pub(crate) fn get(&self, key: u64) -> Option<E> {
        match self {
            Self::Empty => None,
            Self::One(entry) => (entry.key() == key).then_some(*entry),
            Self::List(list) => {
                let at = list.binary_search_by_key(&key, |entry| entry.key()).ok()?;
                list.get(at).copied()
            }
            Self::Groups(groups) => table(groups, E::group(key))?.find(mix(key), |entry| entry.key() == key),
        }
    }

    /// Visits the entries of one group; those of a list by key.
    #[inline]
    pub(crate) fn for_group(&self, group: u32, mut visit: impl FnMut(E)) {
        match self {
            Self::Empty => {}
            Self::One(entry) => {
                if E::group(entry.key()) == group {
                    visit(*entry);
                }
            }
            Self::List(list) => {
                let start = list.partition_point(|entry| E::group(entry.key()) < group);
                let rest = list.get(start..).unwrap_or_default();
                rest.iter().copied().take_while(|entry| E::group(entry.key()) == group).for_each(visit);
            }
            Self::Groups(groups) => {
                if let Some(table) = table(groups, group) {
                    table.for_each(visit);
                }
            }
        }
    }

    pub(crate) fn for_each(&self, mut visit: impl FnMut(E)) {
        match self {
            Self::Empty => {}
            Self::One(entry) => visit(*entry),
            Self::List(list) => list.iter().copied().for_each(visit),
            Self::Groups(groups) => groups.iter().for_each(|(_, table)| table.for_each(&mut visit)),
        }
    }

    /// All entries, copied, so that what they are in may be changed meanwhile.
    pub(crate) fn to_vec(&self) -> Vec<E> {
        let mut all = Vec::new();
        self.for_each(|entry| all.push(entry));
        all
    }

    /// Puts the entry in place of the one with its key, or beside the others.
    pub(crate) fn insert(&mut self, entry: E) -> Option<E> {
        match self {
            Self::Empty => {
                *self = Self::One(entry);
                None
            }
            Self::One(one) if one.key() == entry.key() => Some(std::mem::replace(one, entry)),
            Self::One(one) => {
                let both = if one.key() < entry.key() { [*one, entry] } else { [entry, *one] };
                *self = Self::List(Arc::new(both));
                None
            }
            Self::List(list) => match list.binary_search_by_key(&entry.key(), |other| other.key()) {
                Ok(at) => Arc::make_mut(list).get_mut(at).map(|slot| std::mem::replace(slot, entry)),
                Err(_) if list.len() >= MAX_LIST => {
                    let mut groups = Vec::new();
                    list.iter().copied().chain([entry]).for_each(|entry| {
                        insert_into(&mut groups, entry);
                    });
                    *self = Self::Groups(Arc::new(groups));
                    None
                }
                Err(at) => {
                    let (before, after) = list.split_at(at);
                    *list = before.iter().chain([&entry]).chain(after).copied().collect();
                    None
                }
            },
            Self::Groups(groups) => insert_into(Arc::make_mut(groups), entry),
        }
    }

    pub(crate) fn remove(&mut self, key: u64) -> Option<E> {
        let removed = self.get(key)?;
        match self {
            Self::Empty => {}
            Self::One(_) => *self = Self::Empty,
            Self::List(list) => {
                let mut rest = list.iter().copied().filter(|entry| entry.key() != key);
                *self = match (rest.next(), rest.next()) {
                    (None, _) => Self::Empty,
                    (Some(one), None) => Self::One(one),
                    (Some(first), Some(second)) => {
                        Self::List([first, second].into_iter().chain(rest).collect())
                    }
                };
            }
            Self::Groups(shared) => {
                let groups = Arc::make_mut(shared);
                if let Ok(at) = groups.binary_search_by_key(&E::group(key), |(group, _)| *group)
                    && let Some((_, table)) = groups.get_mut(at)
                {
                    table.remove(mix(key), |entry| entry.key() == key);
                    if table.is_empty() {
                        groups.remove(at);
                    }
                }
                if groups.is_empty() {
                    *self = Self::Empty;
                }
            }
        }
        Some(removed)
    }

    /// The memory behind it, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        match self {
            Self::Empty | Self::One(_) => 0,
            Self::List(list) => 16 + size_of_val::<[E]>(list),
            Self::Groups(groups) => {
                groups.iter().map(|(_, table)| size_of::<Table<E>>() + table.bytes()).sum()
            }
        }
    }
}

fn table<E>(groups: &[(u32, Table<E>)], group: u32) -> Option<&Table<E>> {
    let at = groups.binary_search_by_key(&group, |(group, _)| *group).ok()?;
    groups.get(at).map(|(_, table)| table)
}

fn insert_into<E: Keyed>(groups: &mut Vec<(u32, Table<E>)>, entry: E) -> Option<E> {
    let group = E::group(entry.key());
    let at = match groups.binary_search_by_key(&group, |(group, _)| *group) {
        Ok(at) => at,
        Err(at) => {
            groups.insert(at, (group, Table::default()));
            at
        }
    };
    groups.get_mut(at)?.1.insert(entry, |other| other.key() == entry.key())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::entry::Link;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    proptest! {
        #[test]
        fn it_is_a_set_by_group_whether_short_or_long(
            ops in prop::collection::vec((0_u8..4, 0_u32..4, 0_u32..200), 0..1_500),
        ) {
            let mut links = Adjacency::default();
            let mut model = BTreeSet::new();
            for (op, group, other) in ops {
                let link = Link::new(group, other);
                if op > 0 {
                    prop_assert_eq!(links.insert(link).is_none(), model.insert((group, other)));
                } else {
                    prop_assert_eq!(links.remove(link.key()).is_some(), model.remove(&(group, other)));
                }
                prop_assert_eq!(links.get(link.key()).is_some(), op > 0);
                prop_assert_eq!(links.is_empty(), model.is_empty());
            }
            let all: BTreeSet<_> = links.to_vec().into_iter().map(|l| (l.group(), l.other())).collect();
            prop_assert_eq!(&all, &model);
            for group in 0..4 {
                let mut some = BTreeSet::new();
                links.for_group(group, |link| assert!(some.insert(link.other())));
                prop_assert_eq!(some.len(), model.iter().filter(|(g, _)| *g == group).count());
            }
        }
    }
}
