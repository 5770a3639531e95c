//! A persistent vector with holes: dense numbers to values. A clone shares everything, and a write copies three small
//! pages on the way to the value. Numbers of removed values are given out again.

use std::{array, sync::Arc};

const LEAF_BITS: u32 = 4;
const INNER_BITS: u32 = 6;
const LEAF: usize = 1 << LEAF_BITS;
const INNER: usize = 1 << INNER_BITS;
const NONE: u32 = u32::MAX;

type Leaf<T> = Arc<[Slot<T>; LEAF]>;
type Lower<T> = Arc<[Option<Leaf<T>>; INNER]>;
type Upper<T> = Arc<[Option<Lower<T>>; INNER]>;

#[derive(Debug, Clone)]
enum Slot<T> {
    /// The next free slot after this one in the list of free slots.
    Free(u32),
    Used(T),
}

/// Values by dense number.
#[derive(Debug, Clone)]
pub(crate) struct Paged<T> {
    top: Vec<Upper<T>>,
    /// Numbers from here on have never been given out.
    end: u32,
    free: u32,
    len: usize,
}

impl<T> Default for Paged<T> {
    fn default() -> Self {
        Self { top: Vec::new(), end: 0, free: NONE, len: 0 }
    }
}

impl<T> Paged<T> {
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    #[inline]
    pub(crate) fn get(&self, number: u32) -> Option<&T> {
        let [top, upper, lower, leaf] = path(number);
        match self.top.get(top)?.get(upper)?.as_ref()?.get(lower)?.as_ref()?.get(leaf)? {
            Slot::Used(value) => Some(value),
            Slot::Free(_) => None,
        }
    }

    /// All values, by number.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u32, &T)> {
        (0..self.end).filter_map(|number| Some((number, self.get(number)?)))
    }

    /// The memory behind it, in bytes, without what the values point to.
    pub(crate) fn bytes(&self) -> usize {
        (self.end as usize).next_multiple_of(LEAF) * (size_of::<Slot<T>>() + 1)
    }
}

impl<T: Clone> Paged<T> {
    pub(crate) fn get_mut(&mut self, number: u32) -> Option<&mut T> {
        // Looked for first, so that nothing is copied when there is nothing to change.
        self.get(number)?;
        match self.slot(number)? {
            Slot::Used(value) => Some(value),
            Slot::Free(_) => None,
        }
    }

    /// Takes the value in under a number of its own. None when four billion numbers are in use.
    pub(crate) fn insert(&mut self, value: T) -> Option<u32> {
        let number = if self.free == NONE { self.end } else { self.free };
        if number == NONE {
            return None;
        }
        let slot = self.slot_or_new(number)?;
        let before = std::mem::replace(slot, Slot::Used(value));
        if self.free == NONE {
            self.end += 1;
        } else if let Slot::Free(next) = before {
            self.free = next;
        }
        self.len += 1;
        Some(number)
    }

    pub(crate) fn remove(&mut self, number: u32) -> Option<T> {
        self.get(number)?;
        let free = self.free;
        match std::mem::replace(self.slot(number)?, Slot::Free(free)) {
            Slot::Used(value) => {
                self.free = number;
                self.len -= 1;
                Some(value)
            }
            Slot::Free(_) => None,
        }
    }

    fn slot(&mut self, number: u32) -> Option<&mut Slot<T>> {
        let [top, upper, lower, leaf] = path(number);
        let upper = Arc::make_mut(self.top.get_mut(top)?).get_mut(upper)?;
        let lower = Arc::make_mut(upper.as_mut()?).get_mut(lower)?;
        Arc::make_mut(lower.as_mut()?).get_mut(leaf)
    }

    fn slot_or_new(&mut self, number: u32) -> Option<&mut Slot<T>> {
        let [top, upper, lower, leaf] = path(number);
        if self.top.len() <= top {
            self.top.resize_with(top + 1, || Arc::new(array::from_fn(|_| None)));
        }
        let upper = Arc::make_mut(self.top.get_mut(top)?).get_mut(upper)?;
        let upper = upper.get_or_insert_with(|| Arc::new(array::from_fn(|_| None)));
        let lower = Arc::make_mut(upper).get_mut(lower)?;
        let lower = lower.get_or_insert_with(|| Arc::new(array::from_fn(|_| Slot::Free(NONE))));
        Arc::make_mut(lower).get_mut(leaf)
    }
}

fn path(number: u32) -> [usize; 4] {
    let number = number as usize;
    let (leaf, number) = (number % LEAF, number / LEAF);
    let (lower, number) = (number % INNER, number / INNER);
    [number / INNER, number % INNER, lower, leaf]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    proptest! {
        #[test]
        fn it_is_a_map_that_gives_its_own_numbers_and_clones_stay_as_they_were(
            ops in prop::collection::vec(prop::option::of(0_u32..400), 0..3_000),
            freeze in 0_usize..3_000,
        ) {
            let mut paged = Paged::default();
            let mut model = BTreeMap::new();
            let mut frozen = None;
            for (index, remove) in ops.into_iter().enumerate() {
                if index == freeze {
                    frozen = Some((paged.clone(), model.clone()));
                }
                if let Some(number) = remove {
                    prop_assert_eq!(paged.remove(number), model.remove(&number));
                    prop_assert_eq!(paged.get(number), None);
                } else {
                    let number = paged.insert(index).unwrap();
                    prop_assert_eq!(model.insert(number, index), None);
                    *paged.get_mut(number).unwrap() += 1;
                    *model.get_mut(&number).unwrap() += 1;
                }
                prop_assert_eq!(paged.len(), model.len());
            }
            prop_assert!(paged.end as usize <= 3_000);
            for (paged, model) in frozen.into_iter().chain([(paged, model)]) {
                let all: BTreeMap<u32, usize> = paged.iter().map(|(number, value)| (number, *value)).collect();
                prop_assert_eq!(all, model);
            }
        }
    }

    #[test]
    fn numbers_are_used_again() {
        let mut paged = Paged::default();
        let numbers: Vec<u32> = (0..5_000).map(|value| paged.insert(value).unwrap()).collect();
        for number in numbers {
            paged.remove(number);
        }
        for value in 0..5_000 {
            assert!(paged.insert(value).unwrap() < 5_000);
        }
    }
}
