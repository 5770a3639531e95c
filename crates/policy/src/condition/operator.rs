//! The operators, and how each may be spelt.

use serde::{Serialize, Serializer};
use std::fmt;

/// How an attribute is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Operator {
    Equals,
    NotEquals,
    LessThan,
    GreaterThan,
    LessThanEquals,
    GreaterThanEquals,
    /// The text has the other in it.
    Contains,
    /// It is one of the list.
    In,
    /// It lies between two, both included.
    Between,
    /// The list has it.
    ArrayContains,
    /// The list has nothing that the other has not.
    ArraySubset,
    /// The list has everything that the other has.
    ArraySuperset,
    /// The lists share something.
    ArrayIntersect,
    /// The object meets a condition.
    ObjectMatch,
    /// One object of the list meets a condition.
    AnyMatch,
    /// Every object of the list meets a condition.
    AllMatch,
}

impl Operator {
    /// Every operator.
    pub const ALL: [Self; 16] = [
        Self::Equals,
        Self::NotEquals,
        Self::LessThan,
        Self::GreaterThan,
        Self::LessThanEquals,
        Self::GreaterThanEquals,
        Self::Contains,
        Self::In,
        Self::Between,
        Self::ArrayContains,
        Self::ArraySubset,
        Self::ArraySuperset,
        Self::ArrayIntersect,
        Self::ObjectMatch,
        Self::AnyMatch,
        Self::AllMatch,
    ];

    /// As it is written in the canonical form.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Equals => "equals",
            Self::NotEquals => "not-equals",
            Self::LessThan => "less-than",
            Self::GreaterThan => "greater-than",
            Self::LessThanEquals => "less-than-equals",
            Self::GreaterThanEquals => "greater-than-equals",
            Self::Contains => "contains",
            Self::In => "in",
            Self::Between => "between",
            Self::ArrayContains => "array_contains",
            Self::ArraySubset => "array_subset",
            Self::ArraySuperset => "array_superset",
            Self::ArrayIntersect => "array_intersect",
            Self::ObjectMatch => "object_match",
            Self::AnyMatch => "any_match",
            Self::AllMatch => "all_match",
        }
    }

    /// Reads it with hyphens or with underscores.
    pub(super) fn read(text: &str) -> Option<Self> {
        let letters =
            |text: &str| text.bytes().map(|byte| if byte == b'_' { b'-' } else { byte }).collect::<Vec<_>>();
        let given = letters(text);
        Self::ALL.into_iter().find(|operator| letters(operator.as_str()) == given)
    }

    /// The operator that somebody may have meant by `lessThan` or `NOT EQUALS`.
    pub(super) fn meant_by(text: &str) -> Option<Self> {
        let letters = |text: &str| {
            text.bytes()
                .filter(u8::is_ascii_alphanumeric)
                .map(|byte| byte.to_ascii_lowercase())
                .collect::<Vec<_>>()
        };
        let given = letters(text);
        Self::ALL.into_iter().find(|operator| letters(operator.as_str()) == given)
    }
}

impl fmt::Display for Operator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Operator {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// How conditions are joined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Logic {
    All,
    Any,
    Not,
}

impl Logic {
    /// As it is written in the canonical form.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::All => "allOf",
            Self::Any => "anyOf",
            Self::Not => "not",
        }
    }

    pub(super) fn read(text: &str) -> Option<Self> {
        match text {
            "allOf" | "and" => Some(Self::All),
            "anyOf" | "or" => Some(Self::Any),
            "not" => Some(Self::Not),
            _ => None,
        }
    }
}

impl fmt::Display for Logic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
