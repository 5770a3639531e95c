//! What a condition can come to: Kleene's logic of three values.

use serde::Serialize;
use std::{fmt, ops::Not};

/// What a condition comes to. Only [`Truth::True`] ever counts for anybody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Truth {
    True,
    False,
    /// It cannot be told: an attribute is absent, or its value is of a kind that the operator does not take.
    Undefined,
}

impl Truth {
    /// Whether the condition is met. [`Truth::Undefined`] is not.
    pub const fn is_met(self) -> bool {
        matches!(self, Self::True)
    }

    /// False as soon as one is false, else undefined as soon as one is.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::False, _) | (_, Self::False) => Self::False,
            (Self::True, Self::True) => Self::True,
            _ => Self::Undefined,
        }
    }

    /// True as soon as one is true, else undefined as soon as one is.
    #[must_use]
    pub const fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::True, _) | (_, Self::True) => Self::True,
            (Self::False, Self::False) => Self::False,
            _ => Self::Undefined,
        }
    }

    /// All of them; stops at the first that is false.
    pub(super) fn all(truths: impl IntoIterator<Item = Self>) -> Self {
        let mut so_far = Self::True;
        for truth in truths {
            so_far = so_far.and(truth);
            if so_far == Self::False {
                break;
            }
        }
        so_far
    }

    /// Any of them; stops at the first that is true.
    pub(super) fn any(truths: impl IntoIterator<Item = Self>) -> Self {
        let mut so_far = Self::False;
        for truth in truths {
            so_far = so_far.or(truth);
            if so_far == Self::True {
                break;
            }
        }
        so_far
    }
}

/// What is undefined stays undefined: `not` never makes something out of nothing.
impl Not for Truth {
    type Output = Self;

    fn not(self) -> Self {
        match self {
            Self::True => Self::False,
            Self::False => Self::True,
            Self::Undefined => Self::Undefined,
        }
    }
}

impl From<bool> for Truth {
    fn from(met: bool) -> Self {
        if met { Self::True } else { Self::False }
    }
}

impl fmt::Display for Truth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::True => "yes",
            Self::False => "no",
            Self::Undefined => "cannot be told",
        })
    }
}
