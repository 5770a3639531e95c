//! Evaluation: no allocation, no error, at most [`MAX_STEPS`](super::MAX_STEPS) comparisons.

use super::{
    kind::{List, Seen, Shape, compare_numbers, compare_texts, same, time},
    node::{Bound, Comparand, Items, Leaf, ListOperand, Match, Node, Operand, Test, Which},
    path::Path,
    steps::Steps,
    truth::Truth,
    view::{Attributes, Instance},
};
use askfirst_domain::Key;
use serde_json::{Map, Value};
use std::cmp::Ordering;

/// The object that `match` looks at.
#[derive(Debug, Clone, Copy)]
pub(super) enum Object<'a> {
    Json(&'a Map<String, Value>),
    Instance(Instance<'a>),
}

impl<'a> Object<'a> {
    fn member(self, name: &str) -> Option<Seen<'a>> {
        match self {
            Self::Json(members) => members.get(name).map(Seen::Json),
            Self::Instance(instance) => instance.member(name),
        }
    }
}

/// Where an evaluation stands.
#[derive(Debug)]
pub(super) struct Scope<'a, A: ?Sized> {
    pub(super) view: &'a A,
    pub(super) object: Option<Object<'a>>,
    pub(super) steps: &'a Steps,
}

impl<A: ?Sized> Clone for Scope<'_, A> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<A: ?Sized> Copy for Scope<'_, A> {}

impl<'a, A: Attributes + ?Sized> Scope<'a, A> {
    pub(super) const fn new(view: &'a A, steps: &'a Steps) -> Self {
        Self { view, object: None, steps }
    }

    pub(super) fn node(self, node: &'a Node) -> Truth {
        match node {
            Node::All(nodes) => Truth::all(nodes.iter().map(|node| self.node(node))),
            Node::Any(nodes) => Truth::any(nodes.iter().map(|node| self.node(node))),
            Node::Not(node) => !self.node(node),
            Node::Leaf(leaf) => self.leaf(leaf),
        }
    }

    pub(super) fn leaf(self, leaf: &'a Leaf) -> Truth {
        if !self.steps.take(1) {
            return Truth::Undefined;
        }
        let Some(seen) = self.read(&leaf.path) else { return Truth::Undefined };
        let truth = self.test(seen, &leaf.test).unwrap_or(Truth::Undefined);
        if self.steps.are_spent() { Truth::Undefined } else { truth }
    }

    /// The value at a path; null is still there.
    pub(super) fn read(self, path: &Path) -> Option<Seen<'a>> {
        let first = match path.root() {
            Some(root) => self.view.attribute(root, path.name()),
            None => self.object?.member(path.name()),
        };
        path.inner().try_fold(first?, |seen, name| match seen.shape() {
            Shape::Object(members) => members.get(name).map(Seen::Json),
            _ => None,
        })
    }

    fn operand(self, operand: &'a Operand) -> Option<Comparand<'a>> {
        match operand {
            Operand::Literal { value, moment } => Some(Comparand::prepared(value, *moment)),
            Operand::Reference(path) => self.present(path).map(Comparand::of),
        }
    }

    /// The value at a path, none when it is absent or null.
    fn present(self, path: &Path) -> Option<Seen<'a>> {
        self.read(path).filter(|seen| !matches!(seen.shape(), Shape::Null))
    }

    /// None where a kind does not fit.
    fn test(self, seen: Seen<'a>, test: &'a Test) -> Option<Truth> {
        // A literal null is the one way to ask about null.
        match test {
            Test::Equals(operand) if operand.is_null() => return Some(is_null(seen)),
            Test::NotEquals(operand) if operand.is_null() => return Some(!is_null(seen)),
            _ if is_null(seen).is_met() => return None,
            _ => {}
        }
        match test {
            Test::Equals(operand) => self.equals(seen, operand),
            Test::NotEquals(operand) => self.equals(seen, operand).map(|truth| !truth),
            Test::Order(bound, operand) => self.order(seen, operand).map(|order| bound.admits(order).into()),
            Test::Between(low, high) => {
                let above = self.order(seen, low).map(|order| Truth::from(order.is_ge()));
                let below = self.order(seen, high).map(|order| Truth::from(order.is_le()));
                Some(above.unwrap_or(Truth::Undefined).and(below.unwrap_or(Truth::Undefined)))
            }
            Test::Contains(operand) => match (seen.shape(), self.operand(operand)?.seen.shape()) {
                // An empty text would be found everywhere.
                (Shape::Text(_), Shape::Text("")) => None,
                (Shape::Text(text), Shape::Text(part)) => Some(text.contains(part).into()),
                _ => None,
            },
            Test::ArrayContains(operand) => {
                Some(Bag::List(list(seen)?).has(self.operand(operand)?.seen, self.steps))
            }
            Test::In(operand) => Some(self.bag(operand)?.has(seen, self.steps)),
            Test::ArraySubset(operand) => {
                Some(self.bag(operand)?.has_all(Bag::List(list(seen)?), self.steps))
            }
            Test::ArraySuperset(operand) => {
                Some(Bag::List(list(seen)?).has_all(self.bag(operand)?, self.steps))
            }
            Test::ArrayIntersect(operand) => Some(self.bag(operand)?.has_any(list(seen)?, self.steps)),
            Test::Match(wanted) => self.matches(seen, wanted),
        }
    }

    fn equals(self, seen: Seen<'a>, operand: &'a Operand) -> Option<Truth> {
        let other = self.operand(operand)?;
        (seen.kind() == other.kind()).then(|| same(seen, other.seen, self.steps).into())
    }

    fn order(self, seen: Seen<'a>, operand: &'a Operand) -> Option<Ordering> {
        let other = self.operand(operand)?;
        match (seen.shape(), other.seen.shape()) {
            (Shape::Number(one), Shape::Number(two)) => compare_numbers(one, two),
            (Shape::Text(one), Shape::Text(two)) => compare_texts((one, time(one)), (two, other.moment())),
            _ => None,
        }
    }

    fn bag(self, operand: &'a ListOperand) -> Option<Bag<'a>> {
        match operand {
            ListOperand::Literal(items) => Some(Bag::Items(items)),
            ListOperand::Reference(path) => list(self.present(path)?).map(Bag::List),
        }
    }

    fn matches(self, seen: Seen<'a>, wanted: &'a Match) -> Option<Truth> {
        let one = |seen| self.matches_one(seen, wanted);
        match wanted.which {
            Which::This => Some(one(seen)),
            Which::Any => Some(Truth::any(list(seen)?.iter().map(one))),
            Which::All => Some(Truth::all(list(seen)?.iter().map(one))),
        }
    }

    fn matches_one(self, seen: Seen<'a>, wanted: &'a Match) -> Truth {
        if !self.steps.take(1) {
            return Truth::Undefined;
        }
        match self.object(seen, wanted.resource.as_ref()) {
            Some(object) => Self { object: Some(object), ..self }.node(&wanted.condition),
            None => Truth::Undefined,
        }
    }

    /// The object to look at: the value itself, or the instance that it names, as `key` or as `type:key`.
    pub(super) fn object(self, seen: Seen<'a>, resource: Option<&'a Key>) -> Option<Object<'a>> {
        match (seen.shape(), resource) {
            (Shape::Object(members), None) => Some(Object::Json(members)),
            (Shape::Text(text), Some(resource)) => {
                let prefixed = text.strip_prefix(resource.as_str()).and_then(|rest| rest.strip_prefix(':'));
                self.view.instance(resource.as_str(), prefixed.unwrap_or(text)).map(Object::Instance)
            }
            _ => None,
        }
    }
}

impl Bound {
    const fn admits(self, order: Ordering) -> bool {
        match self {
            Self::Less => order.is_lt(),
            Self::Greater => order.is_gt(),
            Self::LessOrSame => order.is_le(),
            Self::GreaterOrSame => order.is_ge(),
        }
    }
}

fn is_null(seen: Seen<'_>) -> Truth {
    matches!(seen.shape(), Shape::Null).into()
}

pub(super) fn list(seen: Seen<'_>) -> Option<List<'_>> {
    match seen.shape() {
        Shape::List(list) => Some(list),
        _ => None,
    }
}

/// What something may be in.
#[derive(Debug, Clone, Copy)]
enum Bag<'a> {
    Items(&'a Items),
    List(List<'a>),
}

impl Bag<'_> {
    /// Whether a value is in it. Undefined when it holds something, but nothing of the value's kind.
    fn has(self, item: Seen<'_>, steps: &Steps) -> Truth {
        if !steps.take(1) {
            return Truth::Undefined;
        }
        if let Self::Items(items) = self {
            let found = match item.shape() {
                Shape::Text(text) => items.has_text(text),
                Shape::Number(number) => items.has_number(number),
                _ => None,
            };
            if let Some(found) = found {
                return found.into();
            }
        }
        let list = self.list();
        let mut comparable = list.len() == 0;
        for other in list.iter() {
            if other.kind() != item.kind() {
                continue;
            }
            comparable = true;
            if same(other, item, steps) {
                return Truth::True;
            }
            if steps.are_spent() {
                return Truth::Undefined;
            }
        }
        if comparable { Truth::False } else { Truth::Undefined }
    }

    fn has_all(self, items: Bag<'_>, steps: &Steps) -> Truth {
        Truth::all(items.list().iter().map(|item| self.has(item, steps)))
    }

    fn has_any(self, items: List<'_>, steps: &Steps) -> Truth {
        Truth::any(items.iter().map(|item| self.has(item, steps)))
    }

    fn list(&self) -> List<'_> {
        match self {
            Self::Items(items) => List::Json(&items.values),
            Self::List(list) => *list,
        }
    }
}
