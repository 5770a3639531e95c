//! Which names a segment can't hold: a Bloom filter over the names that lists are narrowed by.

/// Bits for each name; with [`PROBES`] one in a hundred names is taken for one that is there.
const BITS: usize = 10;
const PROBES: u64 = 7;

/// What a name names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Term {
    User,
    Action,
    Resource,
    Instance,
    Tenant,
}

impl Term {
    pub(super) const ALL: [Self; 5] =
        [Self::User, Self::Action, Self::Resource, Self::Instance, Self::Tenant];

    /// Its bit among those of all kinds; also the seed of its names, which must not change, since it is on the disk.
    pub(super) const fn bit(self) -> u8 {
        match self {
            Self::User => 1,
            Self::Action => 2,
            Self::Resource => 4,
            Self::Instance => 8,
            Self::Tenant => 16,
        }
    }
}

/// A filter of the names, as it is kept.
pub(super) fn of(names: &[(Term, &str)]) -> Vec<u8> {
    let mut bits = vec![0_u8; (names.len() * BITS).div_ceil(8).max(8)];
    for (term, name) in names {
        for place in places(*term, name, bits.len()) {
            if let Some(byte) = bits.get_mut(place.0) {
                *byte |= place.1;
            }
        }
    }
    bits
}

/// Whether the name may be among those of the filter.
pub(super) fn may_hold(bits: &[u8], term: Term, name: &str) -> bool {
    places(term, name, bits.len()).all(|(byte, mask)| bits.get(byte).is_none_or(|byte| byte & mask != 0))
}

/// Byte and bit of each probe.
fn places(term: Term, name: &str, bytes: usize) -> impl Iterator<Item = (usize, u8)> {
    let hash = hash(term, name);
    let stride = (hash >> 32) | 1;
    let length = u64::try_from(bytes).unwrap_or(1).saturating_mul(8).max(1);
    (0..PROBES).map(move |n| {
        let bit = hash.wrapping_add(n.wrapping_mul(stride)) % length;
        (usize::try_from(bit / 8).unwrap_or(0), 1 << (bit % 8))
    })
}

/// FNV-1a with the end of `MurmurHash3`: spelled out here, since filters on the disk depend on it.
fn hash(term: Term, name: &str) -> u64 {
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    for byte in std::iter::once(term.bit()).chain(name.bytes()) {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    }
    hash = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    hash = (hash ^ (hash >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    hash ^ (hash >> 33)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_there_is_found_and_little_else_is() {
        let users: Vec<String> = (0..2000).map(|n| format!("user-{n}@example.com")).collect();
        let names: Vec<_> = users.iter().map(|user| (Term::User, user.as_str())).collect();
        let filter = of(&names);
        assert!(users.iter().all(|user| may_hold(&filter, Term::User, user)));
        let others = (0..10_000).filter(|n| may_hold(&filter, Term::User, &format!("other-{n}"))).count();
        assert!(others < 300, "{others} of 10000 were taken for names that are there");
        let kinds = users.iter().filter(|user| may_hold(&filter, Term::Action, user)).count();
        assert!(kinds < 100, "{kinds} users were taken for actions");
    }

    #[test]
    fn the_hash_stays() {
        assert_eq!(hash(Term::User, "joe"), 0x1e8f_27ab_ff08_d642);
    }
}
