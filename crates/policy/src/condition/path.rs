//! Where a condition reads: `user.address.city`.

use super::error::Problem;
use serde::{Serialize, Serializer};
use std::{cmp::Ordering, fmt};

/// The longest path, in bytes as written.
pub const MAX_PATH: usize = 256;

/// What a path starts from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Root {
    /// Who asks: `user`, or `subject`.
    User,
    /// What it is about: `resource`.
    Resource,
    /// The tenant of the question: `tenant`.
    Tenant,
    /// What the caller says about the situation: `context`, or `environment`.
    Context,
    /// What the caller says about the action: `action`.
    Action,
}

impl Root {
    /// Every root.
    pub const ALL: [Self; 5] = [Self::User, Self::Resource, Self::Tenant, Self::Context, Self::Action];

    /// As it is written in the canonical form.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Resource => "resource",
            Self::Tenant => "tenant",
            Self::Context => "context",
            Self::Action => "action",
        }
    }

    fn read(text: &str) -> Option<Self> {
        match text {
            "user" | "subject" => Some(Self::User),
            "resource" => Some(Self::Resource),
            "tenant" => Some(Self::Tenant),
            "context" | "environment" => Some(Self::Context),
            "action" => Some(Self::Action),
            _ => None,
        }
    }
}

impl fmt::Display for Root {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Where to read a value: an attribute of a root, or (inside `match`) of the object at hand, and members inside it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Path {
    root: Option<Root>,
    name: Box<str>,
    inner: Box<[Box<str>]>,
}

impl Path {
    /// Reads `user.address.city`.
    pub(super) fn of_root(text: &str) -> Result<Self, Problem> {
        let (first, rest) = match text.split_once('.') {
            Some((first, rest)) => (first, Some(rest)),
            None => (text, None),
        };
        let root = Root::read(first).ok_or_else(|| Problem::UnknownName { name: text.to_owned() })?;
        let rest = rest.ok_or_else(|| Problem::BareRoot { root: text.to_owned() })?;
        Self::members(Some(root), rest, text)
    }

    /// Reads `address.city`, which is inside the object that `match` looks at.
    pub(super) fn of_object(text: &str) -> Result<Self, Problem> {
        Self::members(None, text, text)
    }

    fn members(root: Option<Root>, text: &str, whole: &str) -> Result<Self, Problem> {
        if whole.len() > MAX_PATH {
            return Err(Problem::LongPath { limit: MAX_PATH });
        }
        let mut segments = text.split('.').map(Box::<str>::from);
        let name = segments.next().unwrap_or_default();
        let inner: Box<[Box<str>]> = segments.collect();
        if name.is_empty() || inner.iter().any(|segment| segment.is_empty()) {
            return Err(Problem::EmptyName { path: whole.to_owned() });
        }
        Ok(Self { root, name, inner })
    }

    /// What it starts from; none for a member of the object that `match` looks at.
    pub const fn root(&self) -> Option<Root> {
        self.root
    }

    /// The attribute of the root.
    pub const fn name(&self) -> &str {
        &self.name
    }

    /// The members inside the attribute, outermost first.
    pub fn inner(&self) -> impl ExactSizeIterator<Item = &str> {
        self.inner.iter().map(AsRef::as_ref)
    }

    /// Bytes of the names: what it counts for in the size of a condition, however the root was spelt.
    pub(super) fn size(&self) -> usize {
        self.name.len() + self.inner.iter().map(|segment| segment.len()).sum::<usize>()
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(root) = self.root {
            write!(f, "{root}.")?;
        }
        f.write_str(&self.name)?;
        self.inner.iter().try_for_each(|segment| write!(f, ".{segment}"))
    }
}

impl Serialize for Path {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl PartialOrd for Path {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Path {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.root, &self.name, &self.inner).cmp(&(other.root, &other.name, &other.inner))
    }
}
