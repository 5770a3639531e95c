//! A persistent hash table: a clone shares everything, and a write copies only the path to what it touches.
//!
//! A trie over the upper bits of the hash, 64 ways a level, with small open-addressing tables as leaves. A leaf that
//! grows past [`MAX_LEAF`] slots becomes a branch, so a write copies some kilobytes at most, however large the table is.

use std::{array, sync::Arc};

/// The most slots that a leaf has before it is split.
const MAX_LEAF: usize = 512;
/// How many ways a branch has, as bits of the hash.
const BITS: u32 = 6;
const WAYS: usize = 1 << BITS;
/// Below this shift no bits are left to branch on, and a leaf just grows.
const LAST_SHIFT: u32 = 2;
const FIRST_SHIFT: u32 = u32::BITS - BITS;

/// Something small that a [`Table`] can hold. The hash need not be kept from an adversary: keys come from writers that
/// the environment trusts, and a leaf's size bounds what a bad one costs.
pub(crate) trait Entry: Copy {
    /// Stands in an empty slot; equal to no real entry.
    const EMPTY: Self;
    fn is_empty(self) -> bool;
    fn hash(self) -> u32;
}

/// A set of entries. What counts as the same entry is the caller's to say.
#[derive(Debug, Clone)]
pub(crate) struct Table<E> {
    root: Trie<E>,
    len: usize,
}

#[derive(Debug)]
enum Trie<E> {
    Leaf { slots: Arc<[E]>, used: usize },
    Branch(Arc<[Trie<E>; WAYS]>),
}

impl<E> Clone for Trie<E> {
    fn clone(&self) -> Self {
        match self {
            Self::Leaf { slots, used } => Self::Leaf { slots: Arc::clone(slots), used: *used },
            Self::Branch(branch) => Self::Branch(Arc::clone(branch)),
        }
    }
}

impl<E: Entry> Default for Table<E> {
    fn default() -> Self {
        Self { root: Trie::empty(), len: 0 }
    }
}

impl<E: Entry> Table<E> {
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len == 0
    }

    #[inline]
    pub(crate) fn find(&self, hash: u32, same: impl Fn(E) -> bool) -> Option<E> {
        let (mut trie, mut shift) = (&self.root, FIRST_SHIFT);
        loop {
            match trie {
                Trie::Branch(branch) => {
                    trie = branch.get(way(hash, shift))?;
                    shift = shift.saturating_sub(BITS);
                }
                Trie::Leaf { slots, .. } => {
                    return probe(slots, hash, same).and_then(|at| slots.get(at)).copied();
                }
            }
        }
    }

    /// Puts the entry in place of the same one, or beside the others.
    pub(crate) fn insert(&mut self, entry: E, same: impl Fn(E) -> bool) -> Option<E> {
        let replaced = self.root.insert(FIRST_SHIFT, entry, &same);
        self.len += usize::from(replaced.is_none());
        replaced
    }

    pub(crate) fn remove(&mut self, hash: u32, same: impl Fn(E) -> bool) -> Option<E> {
        // Looked for first, so that nothing is copied when there is nothing to remove.
        self.find(hash, &same)?;
        let removed = self.root.remove(FIRST_SHIFT, hash, &same);
        self.len -= usize::from(removed.is_some());
        removed
    }

    pub(crate) fn for_each(&self, mut visit: impl FnMut(E)) {
        self.root.for_each(&mut visit);
    }

    /// The memory behind it, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        self.root.bytes()
    }
}

impl<E: Entry> Trie<E> {
    fn empty() -> Self {
        Self::Leaf { slots: Arc::new([]), used: 0 }
    }

    fn insert(&mut self, shift: u32, entry: E, same: &impl Fn(E) -> bool) -> Option<E> {
        match self {
            Self::Branch(branch) => Arc::make_mut(branch)
                .get_mut(way(entry.hash(), shift))
                .and_then(|trie| trie.insert(shift.saturating_sub(BITS), entry, same)),
            Self::Leaf { slots, used } => {
                if let Some(at) = probe(slots, entry.hash(), same) {
                    return Arc::make_mut(slots).get_mut(at).map(|slot| std::mem::replace(slot, entry));
                }
                if (*used + 1) * 4 > slots.len() * 3 {
                    if slots.len() >= MAX_LEAF && shift >= LAST_SHIFT {
                        self.split(shift);
                        return self.insert(shift, entry, same);
                    }
                    *slots = grown(slots);
                }
                place(Arc::make_mut(slots), entry);
                *used += 1;
                None
            }
        }
    }

    fn split(&mut self, shift: u32) {
        let Self::Leaf { slots, .. } = self else { return };
        let mut ways: [Self; WAYS] = array::from_fn(|_| Self::empty());
        for entry in slots.iter().copied().filter(|entry| !entry.is_empty()) {
            if let Some(trie) = ways.get_mut(way(entry.hash(), shift)) {
                trie.insert(shift.saturating_sub(BITS), entry, &|_| false);
            }
        }
        *self = Self::Branch(Arc::new(ways));
    }

    fn remove(&mut self, shift: u32, hash: u32, same: &impl Fn(E) -> bool) -> Option<E> {
        match self {
            Self::Branch(branch) => Arc::make_mut(branch)
                .get_mut(way(hash, shift))
                .and_then(|trie| trie.remove(shift.saturating_sub(BITS), hash, same)),
            Self::Leaf { slots, used } => {
                let at = probe(slots, hash, same)?;
                let removed = slots.get(at).copied();
                close(Arc::make_mut(slots), at);
                *used -= 1;
                removed
            }
        }
    }

    fn for_each(&self, visit: &mut impl FnMut(E)) {
        match self {
            Self::Branch(branch) => branch.iter().for_each(|trie| trie.for_each(visit)),
            Self::Leaf { slots, .. } => {
                slots.iter().copied().filter(|entry| !entry.is_empty()).for_each(visit);
            }
        }
    }

    fn bytes(&self) -> usize {
        match self {
            Self::Branch(branch) => size_of::<[Self; WAYS]>() + branch.iter().map(Self::bytes).sum::<usize>(),
            Self::Leaf { slots, .. } => slots.len() * size_of::<E>(),
        }
    }
}

fn way(hash: u32, shift: u32) -> usize {
    (hash >> shift) as usize % WAYS
}

/// The slot in which the same entry stands.
#[inline]
fn probe<E: Entry>(slots: &[E], hash: u32, same: impl Fn(E) -> bool) -> Option<usize> {
    let mask = slots.len().checked_sub(1)?;
    let mut at = hash as usize & mask;
    loop {
        let entry = *slots.get(at)?;
        if entry.is_empty() {
            return None;
        }
        if same(entry) {
            return Some(at);
        }
        at = (at + 1) & mask;
    }
}

/// Puts the entry into the first free slot of its run; there is always a free one.
fn place<E: Entry>(slots: &mut [E], entry: E) {
    let mask = slots.len().saturating_sub(1);
    let mut at = entry.hash() as usize & mask;
    while let Some(slot) = slots.get_mut(at) {
        if slot.is_empty() {
            *slot = entry;
            return;
        }
        at = (at + 1) & mask;
    }
}

/// Empties a slot and moves the rest of its run up, so that no search stops short.
fn close<E: Entry>(slots: &mut [E], at: usize) {
    let mask = slots.len().saturating_sub(1);
    let (mut hole, mut next) = (at, at);
    loop {
        next = (next + 1) & mask;
        let Some(entry) = slots.get(next).copied().filter(|entry| !entry.is_empty()) else { break };
        let home = entry.hash() as usize & mask;
        if (next.wrapping_sub(home) & mask) >= (next.wrapping_sub(hole) & mask) {
            if let Some(slot) = slots.get_mut(hole) {
                *slot = entry;
            }
            hole = next;
        }
    }
    if let Some(slot) = slots.get_mut(hole) {
        *slot = E::EMPTY;
    }
}

fn grown<E: Entry>(slots: &[E]) -> Arc<[E]> {
    let mut wider = vec![E::EMPTY; (slots.len() * 2).max(4)];
    for entry in slots.iter().copied().filter(|entry| !entry.is_empty()) {
        place(&mut wider, entry);
    }
    wider.into()
}

/// Mixes a key so that all bits of the result depend on all of its bits.
#[inline]
pub(crate) fn mix(key: u64) -> u32 {
    let key = (key ^ (key >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    let key = (key ^ (key >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    (key >> 32) as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    #[derive(Debug, Clone, Copy, PartialEq)]
    struct Number(u64);
    impl Entry for Number {
        const EMPTY: Self = Self(u64::MAX);
        fn is_empty(self) -> bool {
            self.0 == u64::MAX
        }
        /// Some numbers have the hash in common, in the upper and in the lower bits.
        fn hash(self) -> u32 {
            if self.0.is_multiple_of(3) { 7 } else { mix(self.0) }
        }
    }

    fn contents(table: &Table<Number>) -> BTreeSet<u64> {
        let mut all = BTreeSet::new();
        table.for_each(|n| assert!(all.insert(n.0)));
        assert_eq!(all.len(), table.len());
        all
    }

    proptest! {
        #[test]
        fn it_is_a_set_and_clones_stay_as_they_were(
            ops in prop::collection::vec((any::<bool>(), 0_u64..2_000), 0..3_000),
            freeze in 0_usize..3_000,
        ) {
            let mut table = Table::default();
            let mut model = BTreeSet::new();
            let mut frozen = None;
            for (index, (insert, n)) in ops.into_iter().enumerate() {
                if index == freeze {
                    frozen = Some((table.clone(), model.clone()));
                }
                let same = |other: Number| other.0 == n;
                if insert {
                    prop_assert_eq!(table.insert(Number(n), same).is_none(), model.insert(n));
                } else {
                    prop_assert_eq!(table.remove(Number(n).hash(), same).is_some(), model.remove(&n));
                }
                prop_assert_eq!(table.find(Number(n).hash(), same).is_some(), insert);
            }
            prop_assert_eq!(contents(&table), model);
            if let Some((table, model)) = frozen {
                prop_assert_eq!(contents(&table), model);
            }
        }
    }

    #[test]
    fn many_entries_with_one_hash_are_all_found() {
        let mut table = Table::default();
        for n in 0..3_000 {
            table.insert(Number(n * 3), |other| other.0 == n * 3);
        }
        assert_eq!(table.len(), 3_000);
        assert!((0..3_000).all(|n| table.find(7, |other| other.0 == n * 3).is_some()));
    }
}
