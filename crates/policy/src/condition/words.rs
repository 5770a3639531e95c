//! Conditions in words, as explanations tell them: `user.age is at least 18`.

use super::{
    node::{Bound, Leaf, ListOperand, Match, Node, Operand, Test, Which},
    operator::Logic,
};
use serde_json::Value;
use std::fmt;

/// Characters of a text, and items of a list, that are shown.
const SHOWN_CHARS: usize = 60;
const SHOWN_ITEMS: usize = 8;

impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All(nodes) if nodes.is_empty() => f.write_str("always"),
            Self::Any(nodes) if nodes.is_empty() => f.write_str("never"),
            Self::All(nodes) => joined(f, nodes, " and "),
            Self::Any(nodes) => joined(f, nodes, " or "),
            Self::Not(node) => write!(f, "{} ({node})", Logic::Not),
            Self::Leaf(leaf) => leaf.fmt(f),
        }
    }
}

fn joined(f: &mut fmt::Formatter<'_>, nodes: &[Node], with: &str) -> fmt::Result {
    for (index, node) in nodes.iter().enumerate() {
        if index > 0 {
            f.write_str(with)?;
        }
        match node {
            Node::All(_) | Node::Any(_) => write!(f, "({node})")?,
            Node::Not(_) | Node::Leaf(_) => write!(f, "{node}")?,
        }
    }
    Ok(())
}

impl fmt::Display for Leaf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.path, self.test)
    }
}

impl fmt::Display for Test {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Equals(operand) => write!(f, "is {operand}"),
            Self::NotEquals(operand) => write!(f, "is not {operand}"),
            Self::Order(Bound::Less, operand) => write!(f, "is less than {operand}"),
            Self::Order(Bound::Greater, operand) => write!(f, "is greater than {operand}"),
            Self::Order(Bound::LessOrSame, operand) => write!(f, "is at most {operand}"),
            Self::Order(Bound::GreaterOrSame, operand) => write!(f, "is at least {operand}"),
            Self::Contains(operand) => write!(f, "contains {operand}"),
            Self::Between(low, high) => write!(f, "is between {low} and {high}"),
            Self::ArrayContains(operand) => write!(f, "has {operand}"),
            Self::In(operand) => write!(f, "is one of {operand}"),
            Self::ArraySubset(operand) => write!(f, "has nothing but {operand}"),
            Self::ArraySuperset(operand) => write!(f, "has all of {operand}"),
            Self::ArrayIntersect(operand) => write!(f, "has any of {operand}"),
            Self::Match(wanted) => wanted.fmt(f),
        }
    }
}

impl fmt::Display for Match {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let condition = &self.condition;
        match (self.which, &self.resource) {
            (Which::This, None) => write!(f, "is an object where ({condition})"),
            (Which::Any, None) => write!(f, "has an object where ({condition})"),
            (Which::All, None) => write!(f, "has only objects where ({condition})"),
            (Which::This, Some(resource)) => write!(f, "names a {resource} where ({condition})"),
            (Which::Any, Some(resource)) => write!(f, "names at least one {resource} where ({condition})"),
            (Which::All, Some(resource)) => {
                write!(f, "names only instances of {resource} where ({condition})")
            }
        }
    }
}

impl fmt::Display for Operand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Literal { value, .. } => Shown(value).fmt(f),
            Self::Reference(path) => path.fmt(f),
        }
    }
}

impl fmt::Display for ListOperand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Literal(items) => items_in_words(f, &items.values),
            Self::Reference(path) => path.fmt(f),
        }
    }
}

/// A value as JSON, cut where it is long.
#[derive(Debug)]
pub(super) struct Shown<'a>(pub(super) &'a Value);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Value::String(text) => match text.char_indices().nth(SHOWN_CHARS) {
                Some((end, _)) => write!(f, "{:?}...", text.get(..end).unwrap_or_default()),
                None => write!(f, "{text:?}"),
            },
            Value::Array(items) => items_in_words(f, items),
            Value::Object(members) => {
                f.write_str("{")?;
                for (index, (key, value)) in members.iter().take(SHOWN_ITEMS).enumerate() {
                    let comma = if index > 0 { ", " } else { "" };
                    write!(f, "{comma}{key:?}: {}", Shown(value))?;
                }
                let more = members.len().saturating_sub(SHOWN_ITEMS);
                if more > 0 { write!(f, " and {more} more}}") } else { f.write_str("}") }
            }
            scalar => scalar.fmt(f),
        }
    }
}

fn items_in_words(f: &mut fmt::Formatter<'_>, items: &[Value]) -> fmt::Result {
    f.write_str("[")?;
    for (index, item) in items.iter().take(SHOWN_ITEMS).enumerate() {
        let comma = if index > 0 { ", " } else { "" };
        write!(f, "{comma}{}", Shown(item))?;
    }
    let more = items.len().saturating_sub(SHOWN_ITEMS);
    if more > 0 { write!(f, " and {more} more]") } else { f.write_str("]") }
}
