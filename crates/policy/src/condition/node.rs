//! A compiled condition: a tree whose paths are taken apart and whose literals are prepared.

use super::{
    kind::{Kind, Seen, Shape, compare_numbers, time},
    operator::Operator,
    path::Path,
};
use askfirst_domain::Key;
use jiff::Timestamp;
use serde_json::{Number, Value};
use std::cmp::Ordering;

/// One node of the tree.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Node {
    All(Box<[Node]>),
    Any(Box<[Node]>),
    Not(Box<Node>),
    Leaf(Box<Leaf>),
}

/// An attribute and what is asked of it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Leaf {
    pub(super) path: Path,
    pub(super) test: Test,
}

/// What is asked of an attribute.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Test {
    Equals(Operand),
    NotEquals(Operand),
    Order(Bound, Operand),
    Contains(Operand),
    Between(Operand, Operand),
    ArrayContains(Operand),
    In(ListOperand),
    ArraySubset(ListOperand),
    ArraySuperset(ListOperand),
    ArrayIntersect(ListOperand),
    Match(Match),
}

/// Which side of a value counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Bound {
    Less,
    Greater,
    LessOrSame,
    GreaterOrSame,
}

/// A value that is written in the condition, or read from an attribute.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Operand {
    Literal { value: Value, moment: Option<Timestamp> },
    Reference(Path),
}

impl Operand {
    pub(super) fn literal(value: Value) -> Self {
        let moment = value.as_str().and_then(time);
        Self::Literal { value, moment }
    }

    /// Whether it is a literal null, which asks for null itself.
    pub(super) const fn is_null(&self) -> bool {
        matches!(self, Self::Literal { value: Value::Null, .. })
    }
}

/// A list that is written in the condition, or read from an attribute.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum ListOperand {
    Literal(Items),
    Reference(Path),
}

/// A literal list, with its texts and times sorted so that a large one is as quick as a small one.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Items {
    pub(super) values: Vec<Value>,
    texts: Box<[Box<str>]>,
    moments: Box<[Timestamp]>,
    numbers: Box<[Number]>,
}

impl Items {
    pub(super) fn new(values: Vec<Value>) -> Self {
        let (mut texts, mut moments) = (Vec::new(), Vec::new());
        for text in values.iter().filter_map(Value::as_str) {
            match time(text) {
                Some(moment) => moments.push(moment),
                None => texts.push(Box::<str>::from(text)),
            }
        }
        texts.sort_unstable();
        moments.sort_unstable();
        let mut numbers: Vec<Number> = values.iter().filter_map(Value::as_number).cloned().collect();
        numbers.sort_unstable_by(order);
        Self { values, texts: texts.into(), moments: moments.into(), numbers: numbers.into() }
    }

    /// Whether a text is among them, none when no text is.
    pub(super) fn has_text(&self, text: &str) -> Option<bool> {
        let comparable = !self.texts.is_empty() || !self.moments.is_empty();
        comparable.then(|| match time(text) {
            Some(moment) => self.moments.binary_search(&moment).is_ok(),
            None => self.texts.binary_search_by(|item| item.as_ref().cmp(text)).is_ok(),
        })
    }

    /// Whether a number is among them, none when no number is.
    pub(super) fn has_number(&self, number: &Number) -> Option<bool> {
        let comparable = !self.numbers.is_empty();
        comparable.then(|| self.numbers.binary_search_by(|item| order(item, number)).is_ok())
    }
}

/// Every two numbers of JSON have an order, as none is NaN.
fn order(one: &Number, other: &Number) -> Ordering {
    compare_numbers(one, other).unwrap_or(Ordering::Equal)
}

/// A condition on an object, or on the objects of a list.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Match {
    pub(super) which: Which,
    /// The values are keys of instances of this resource, whose stored attributes are looked at.
    pub(super) resource: Option<Key>,
    pub(super) condition: Box<Node>,
}

/// How many objects have to match.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Which {
    This,
    Any,
    All,
}

/// The right-hand side of a test.
#[derive(Debug, Clone, Copy)]
pub(super) enum Right<'a> {
    One(&'a Operand),
    Two(&'a Operand, &'a Operand),
    List(&'a ListOperand),
    Match(&'a Match),
}

impl Test {
    pub(super) const fn operator(&self) -> Operator {
        match self {
            Self::Equals(_) => Operator::Equals,
            Self::NotEquals(_) => Operator::NotEquals,
            Self::Order(Bound::Less, _) => Operator::LessThan,
            Self::Order(Bound::Greater, _) => Operator::GreaterThan,
            Self::Order(Bound::LessOrSame, _) => Operator::LessThanEquals,
            Self::Order(Bound::GreaterOrSame, _) => Operator::GreaterThanEquals,
            Self::Contains(_) => Operator::Contains,
            Self::Between(..) => Operator::Between,
            Self::ArrayContains(_) => Operator::ArrayContains,
            Self::In(_) => Operator::In,
            Self::ArraySubset(_) => Operator::ArraySubset,
            Self::ArraySuperset(_) => Operator::ArraySuperset,
            Self::ArrayIntersect(_) => Operator::ArrayIntersect,
            Self::Match(Match { which: Which::This, .. }) => Operator::ObjectMatch,
            Self::Match(Match { which: Which::Any, .. }) => Operator::AnyMatch,
            Self::Match(Match { which: Which::All, .. }) => Operator::AllMatch,
        }
    }

    pub(super) const fn right(&self) -> Right<'_> {
        match self {
            Self::Equals(one)
            | Self::NotEquals(one)
            | Self::Order(_, one)
            | Self::Contains(one)
            | Self::ArrayContains(one) => Right::One(one),
            Self::Between(low, high) => Right::Two(low, high),
            Self::In(list)
            | Self::ArraySubset(list)
            | Self::ArraySuperset(list)
            | Self::ArrayIntersect(list) => Right::List(list),
            Self::Match(wanted) => Right::Match(wanted),
        }
    }

    /// The attributes on the right-hand side, without those inside `match`.
    pub(super) fn references(&self) -> impl Iterator<Item = &Path> {
        let (one, two, list) = match self.right() {
            Right::One(one) => (Some(one), None, None),
            Right::Two(low, high) => (Some(low), Some(high), None),
            Right::List(list) => (None, None, Some(list)),
            Right::Match(_) => (None, None, None),
        };
        let operands = one.into_iter().chain(two).filter_map(|operand| match operand {
            Operand::Reference(path) => Some(path),
            Operand::Literal { .. } => None,
        });
        operands.chain(list.into_iter().filter_map(|list| match list {
            ListOperand::Reference(path) => Some(path),
            ListOperand::Literal(_) => None,
        }))
    }
}

/// An operand's value, and the moment that it names.
#[derive(Debug, Clone, Copy)]
pub(super) struct Comparand<'a> {
    pub(super) seen: Seen<'a>,
    moment: Option<Timestamp>,
}

impl<'a> Comparand<'a> {
    pub(super) const fn prepared(value: &'a Value, moment: Option<Timestamp>) -> Self {
        Self { seen: Seen::Json(value), moment }
    }

    pub(super) fn of(seen: Seen<'a>) -> Self {
        let moment = match seen.shape() {
            Shape::Text(text) => time(text),
            _ => None,
        };
        Self { seen, moment }
    }

    pub(super) const fn moment(self) -> Option<Timestamp> {
        self.moment
    }

    pub(super) const fn kind(self) -> Kind {
        self.seen.kind()
    }
}
