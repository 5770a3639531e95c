//! Sets of the roles of one type, as bits.

/// How many roles a word has.
const WORD: u32 = u64::BITS;

/// A role of a type, by its place among them.
pub(crate) type RoleIndex = u32;

/// The word in which a role's bit stands, and the bit.
#[inline]
pub(crate) fn bit(role: RoleIndex) -> (u16, u64) {
    // Slots refuses indexes whose word would not fit.
    (u16::try_from(role / WORD).unwrap_or(u16::MAX), 1 << (role % WORD))
}

/// How many words it takes to hold so many roles.
pub(crate) fn words(roles: usize) -> u16 {
    u16::try_from(roles.div_ceil(WORD as usize)).unwrap_or(u16::MAX)
}

/// The roles whose bits are set in a word.
pub(crate) fn roles_in(word: u16, mask: u64) -> impl Iterator<Item = RoleIndex> {
    let base = u32::from(word) * WORD;
    std::iter::successors(Some(mask), |mask| Some(mask & mask.wrapping_sub(1)))
        .take_while(|mask| *mask != 0)
        .map(move |mask| base + mask.trailing_zeros())
}

/// A set of roles; nearly always one word.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct RoleSet(Vec<(u16, u64)>);

impl RoleSet {
    pub(crate) fn insert(&mut self, role: RoleIndex) -> bool {
        let (word, mask) = bit(role);
        self.add(word, mask)
    }

    /// Whether anything was new.
    pub(crate) fn union(&mut self, other: &Self) -> bool {
        other.words().fold(false, |changed, (word, mask)| self.add(word, mask) || changed)
    }

    fn add(&mut self, word: u16, mask: u64) -> bool {
        if let Some((_, present)) = self.0.iter_mut().find(|(w, _)| *w == word) {
            let before = *present;
            *present |= mask;
            *present != before
        } else {
            self.0.push((word, mask));
            true
        }
    }

    #[inline]
    pub(crate) fn words(&self) -> impl Iterator<Item = (u16, u64)> {
        self.0.iter().copied()
    }

    /// The members in one word.
    pub(crate) fn in_word(&self, word: u16) -> u64 {
        self.0.iter().find(|(w, _)| *w == word).map_or(0, |(_, mask)| *mask)
    }

    pub(crate) fn contains(&self, role: RoleIndex) -> bool {
        let (word, mask) = bit(role);
        self.in_word(word) & mask != 0
    }

    pub(crate) fn roles(&self) -> impl Iterator<Item = RoleIndex> {
        self.words().flat_map(|(word, mask)| roles_in(word, mask))
    }
}

impl FromIterator<RoleIndex> for RoleSet {
    fn from_iter<I: IntoIterator<Item = RoleIndex>>(roles: I) -> Self {
        let mut set = Self::default();
        for role in roles {
            set.insert(role);
        }
        set
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_reach_over_words() {
        let set: RoleSet = [0, 63, 64, 200].into_iter().collect();
        assert_eq!(set.roles().collect::<Vec<_>>(), [0, 63, 64, 200]);
        assert!(set.contains(64) && !set.contains(65) && !set.contains(1_000));
        let mut all = set.clone();
        assert!(!all.union(&set), "nothing new");
        assert!(all.insert(65));
        assert!(all.union(&[1].into_iter().collect()));
        assert_eq!(all.roles().count(), 6);
        assert_eq!((words(0), words(64), words(65)), (0, 1, 2));
    }
}
