//! The small things that the graph is made of.

use super::{
    adjacency::Keyed,
    table::{Entry, mix},
};
use askfirst_domain::Timestamp;

/// A connection with another thing, in a group: (relation, node) or (role, user).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Link(u64);

impl Link {
    pub(crate) fn new(group: u32, other: u32) -> Self {
        Self(u64::from(group) << 32 | u64::from(other))
    }

    pub(crate) fn group(self) -> u32 {
        (self.0 >> 32) as u32
    }

    pub(crate) fn other(self) -> u32 {
        (self.0 << 32 >> 32) as u32
    }
}

impl Entry for Link {
    const EMPTY: Self = Self(u64::MAX);
    fn is_empty(self) -> bool {
        self.0 == u64::MAX
    }
    fn hash(self) -> u32 {
        mix(self.0)
    }
}

impl Keyed for Link {
    fn key(self) -> u64 {
        self.0
    }
    fn group(key: u64) -> u32 {
        (key >> 32) as u32
    }
}

/// The roles that a user was given on one node: one word of them. A type with more than 64 roles has several words,
/// each with an entry of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Held {
    pub(crate) node: u32,
    pub(crate) word: u16,
    /// At least one of these roles ends some time; [`Ending`] says which and when.
    pub(crate) ends: bool,
    pub(crate) mask: u64,
}

impl Held {
    pub(crate) fn key_of(node: u32, word: u16) -> u64 {
        u64::from(node) << 16 | u64::from(word)
    }
}

impl Entry for Held {
    const EMPTY: Self = Self { node: u32::MAX, word: u16::MAX, ends: false, mask: 0 };
    fn is_empty(self) -> bool {
        self.node == u32::MAX
    }
    fn hash(self) -> u32 {
        mix(self.key())
    }
}

impl Keyed for Held {
    fn key(self) -> u64 {
        Self::key_of(self.node, self.word)
    }
    fn group(_: u64) -> u32 {
        0
    }
}

/// A name's hash and what it names; the name itself stands there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Named {
    pub(crate) hash: u32,
    pub(crate) number: u32,
}

impl Entry for Named {
    const EMPTY: Self = Self { hash: 0, number: u32::MAX };
    fn is_empty(self) -> bool {
        self.number == u32::MAX
    }
    fn hash(self) -> u32 {
        self.hash
    }
}

/// Where the attributes of a user stand, apart from its node, which has no room for them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Described {
    pub(crate) user: u32,
    pub(crate) at: u32,
}

impl Described {
    pub(crate) fn hash_of(user: u32) -> u32 {
        mix(u64::from(user))
    }
}

impl Entry for Described {
    const EMPTY: Self = Self { user: u32::MAX, at: u32::MAX };
    fn is_empty(self) -> bool {
        self.user == u32::MAX
    }
    fn hash(self) -> u32 {
        Self::hash_of(self.user)
    }
}

/// When an assignment ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ending {
    pub(crate) user: u32,
    pub(crate) node: u32,
    pub(crate) role: u32,
    pub(crate) at: Timestamp,
}

impl Ending {
    pub(crate) fn hash_of(user: u32, node: u32, role: u32) -> u32 {
        mix((u64::from(user) << 32 | u64::from(node)) ^ (u64::from(role) << 20))
    }

    pub(crate) fn is_of(self, user: u32, node: u32, role: u32) -> bool {
        (self.user, self.node, self.role) == (user, node, role)
    }
}

impl Entry for Ending {
    const EMPTY: Self =
        Self { user: u32::MAX, node: u32::MAX, role: u32::MAX, at: Timestamp::from_micros(0) };
    fn is_empty(self) -> bool {
        self.user == u32::MAX
    }
    fn hash(self) -> u32 {
        Self::hash_of(self.user, self.node, self.role)
    }
}
