//! Why a condition came to what it came to: every comparison with the values that it saw.

use super::{
    evaluate::{Scope, list},
    json as canonical,
    kind::{Kind, Seen, Shape},
    node::{Leaf, ListOperand, Node, Operand, Right, Test, Which},
    operator::Operator,
    path::Path,
    steps::Steps,
    truth::Truth,
    view::Attributes,
    words::Shown,
};
use serde::Serialize;
use serde_json::{Value, json};
use std::fmt;

/// Comparisons that one explanation tells; the others are counted.
pub const MAX_TOLD: usize = 100;

/// What a condition came to, and why.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Explanation {
    pub truth: Truth,
    /// Every comparison, also those that no longer mattered, in the order of the condition. Those of `match` follow
    /// it, once for each object.
    pub leaves: Vec<LeafTrace>,
    /// How many more comparisons there were.
    pub left_out: usize,
}

/// One comparison and what it saw.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LeafTrace {
    /// What was read: `user.age`, or `resource.items[0].price` inside `match`.
    pub attribute: String,
    pub operator: Operator,
    /// What was asked, in words: `is at least 18`.
    pub asked: String,
    /// What the attribute was; none when it is absent. Long texts and lists are cut, and say so.
    pub actual: Option<Value>,
    /// What it was compared with, references resolved (an absent one is null); for `match`, the condition.
    pub expected: Value,
    pub truth: Truth,
    /// Why it cannot be told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gap: Option<Gap>,
    /// What it would have to come to (true, or under `not` false), where the whole condition is not met for want of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wanted: Option<bool>,
    /// All of it in words: `user.age is at least 18: no, it is 17`.
    pub words: String,
}

impl LeafTrace {
    /// What the whole condition lacks, in words: `user.age is at least 18 (it is 17)`. None when it does not lack this.
    pub fn lack(&self) -> Option<String> {
        let not = if self.wanted? { "" } else { "it is not so that " };
        let seen = match (&self.gap, &self.actual) {
            (Some(Gap::WrongKind), Some(actual)) => {
                format!("{} cannot be compared so", Kind::of(actual))
            }
            (Some(gap), _) => gap.to_string(),
            (None, Some(actual)) => format!("it is {}", Shown(actual)),
            (None, None) => self.truth.to_string(),
        };
        Some(format!("{not}{} {} ({seen})", self.attribute, self.asked))
    }
}

/// Why a comparison cannot be told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Gap {
    /// The attribute (or the one that is referred to) is absent, or null.
    Absent { attribute: String },
    /// The value is of a kind that the operator does not take, or not of the kind of the other.
    WrongKind,
    /// What the value names is not a stored instance.
    NoInstance { resource: String },
    /// A comparison inside `match` cannot be told.
    Inside,
    /// The bound on the work of one evaluation was reached.
    TooMuch,
}

/// Collects comparisons as far as there is room.
#[derive(Debug, Default)]
pub(super) struct Tracer {
    pub(super) leaves: Vec<LeafTrace>,
    pub(super) left_out: usize,
}

impl Tracer {
    /// `wanted`: what the node would have to come to; none where it does not matter any more.
    pub(super) fn node<A: Attributes + ?Sized>(
        &mut self,
        scope: Scope<'_, A>,
        node: &Node,
        prefix: &str,
        wanted: Option<bool>,
    ) {
        let steps = Steps::new();
        let settled = |wanted: &bool| Scope { steps: &steps, ..scope }.node(node) == Truth::from(*wanted);
        let wanted = wanted.filter(|wanted| !settled(wanted));
        match node {
            Node::All(nodes) | Node::Any(nodes) => {
                nodes.iter().for_each(|node| self.node(scope, node, prefix, wanted));
            }
            Node::Not(node) => self.node(scope, node, prefix, wanted.map(|wanted| !wanted)),
            Node::Leaf(leaf) => self.leaf(scope, leaf, prefix, wanted),
        }
    }

    fn leaf<A: Attributes + ?Sized>(
        &mut self,
        scope: Scope<'_, A>,
        leaf: &Leaf,
        prefix: &str,
        wanted: Option<bool>,
    ) {
        if self.leaves.len() >= MAX_TOLD {
            self.left_out += 1;
            return;
        }
        let attribute = told(&leaf.path, prefix);
        let seen = scope.read(&leaf.path);
        let truth = scope.leaf(leaf);
        let gap = (truth == Truth::Undefined).then(|| gap(scope, leaf, seen, &attribute));
        let mut trace = LeafTrace {
            attribute: attribute.clone(),
            operator: leaf.test.operator(),
            asked: leaf.test.to_string(),
            actual: seen.map(|seen| cut(seen, 0)),
            expected: expected(scope, &leaf.test),
            truth,
            gap,
            wanted,
            words: String::new(),
        };
        trace.words = trace.to_string();
        self.leaves.push(trace);
        if let (Some(seen), Test::Match(matching)) = (seen, &leaf.test) {
            let mut inside = |seen, at: &str| {
                if let Some(object) = scope.object(seen, matching.resource.as_ref()) {
                    self.node(Scope { object: Some(object), ..scope }, &matching.condition, at, None);
                }
            };
            match (matching.which, list(seen)) {
                (Which::This, _) => inside(seen, &format!("{attribute}.")),
                (Which::Any | Which::All, Some(items)) => items
                    .iter()
                    .enumerate()
                    .for_each(|(index, item)| inside(item, &format!("{attribute}[{index}]."))),
                (Which::Any | Which::All, None) => {}
            }
        }
    }
}

fn told(path: &Path, prefix: &str) -> String {
    if path.root().is_some() { path.to_string() } else { format!("{prefix}{path}") }
}

fn expected<A: Attributes + ?Sized>(scope: Scope<'_, A>, test: &Test) -> Value {
    let at = |path: &Path| scope.read(path).map_or(Value::Null, |seen| cut(seen, 0));
    let one = |operand: &Operand| match operand {
        Operand::Literal { value, .. } => cut(Seen::Json(value), 0),
        Operand::Reference(path) => at(path),
    };
    match test.right() {
        Right::One(operand) => one(operand),
        Right::Two(low, high) => Value::Array(vec![one(low), one(high)]),
        Right::List(ListOperand::Reference(path)) => at(path),
        Right::List(ListOperand::Literal(_)) | Right::Match(_) => canonical::right(test),
    }
}

/// Characters of a text, and items of a list or an object, that a trace holds.
const CUT_CHARS: usize = 400;
const CUT_ITEMS: usize = 20;
const CUT_DEPTH: usize = 4;

/// A copy of a value, cut where it is long: a trace must stay small however large an attribute is.
fn cut(seen: Seen<'_>, depth: usize) -> Value {
    let more = |more: usize| format!("... and {more} more");
    match seen.shape() {
        Shape::Text(text) => match text.char_indices().nth(CUT_CHARS) {
            Some((end, _)) => format!("{}...", text.get(..end).unwrap_or_default()).into(),
            None => text.into(),
        },
        Shape::List(list) if list.len() > 0 && depth == CUT_DEPTH => vec![more(list.len())].into(),
        Shape::List(list) => {
            let rest = list.len().saturating_sub(CUT_ITEMS);
            let rest = (rest > 0).then(|| more(rest).into());
            list.iter().take(CUT_ITEMS).map(|item| cut(item, depth + 1)).chain(rest).collect()
        }
        Shape::Object(members) if depth == CUT_DEPTH => json!({"...": more(members.len())}),
        Shape::Object(members) => {
            let rest = members.len().saturating_sub(CUT_ITEMS);
            let rest = (rest > 0).then(|| ("...".to_owned(), more(rest).into()));
            let kept = members.iter().take(CUT_ITEMS);
            let kept = kept.map(|(key, value)| (key.clone(), cut(Seen::Json(value), depth + 1)));
            Value::Object(kept.chain(rest).collect())
        }
        Shape::Null | Shape::Bool(_) | Shape::Number(_) => seen.to_value(),
    }
}

fn gap<A: Attributes + ?Sized>(
    scope: Scope<'_, A>,
    leaf: &Leaf,
    seen: Option<Seen<'_>>,
    attribute: &str,
) -> Gap {
    let absent = |seen: Option<Seen<'_>>| seen.is_none_or(|seen| seen.kind() == Kind::Null);
    if scope.steps.are_spent() {
        return Gap::TooMuch;
    }
    if absent(seen) {
        return Gap::Absent { attribute: attribute.to_owned() };
    }
    if let Some(path) = leaf.test.references().find(|path| absent(scope.read(path))) {
        return Gap::Absent { attribute: path.to_string() };
    }
    let (Some(seen), Test::Match(wanted)) = (seen, &leaf.test) else { return Gap::WrongKind };
    let object = |seen| scope.object(seen, wanted.resource.as_ref());
    let missed: Option<Kind> = match (wanted.which, list(seen)) {
        (Which::This, _) => object(seen).is_none().then(|| seen.kind()),
        (Which::Any | Which::All, Some(items)) => {
            items.iter().find(|item| object(*item).is_none()).map(Seen::kind)
        }
        (Which::Any | Which::All, None) => return Gap::WrongKind,
    };
    match (missed, &wanted.resource) {
        (None, _) => Gap::Inside,
        (Some(Kind::Text), Some(resource)) => Gap::NoInstance { resource: resource.to_string() },
        (Some(_), _) => Gap::WrongKind,
    }
}

impl fmt::Display for LeafTrace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.attribute, self.asked, self.truth)?;
        match (&self.gap, &self.actual) {
            (Some(Gap::WrongKind), Some(actual)) => {
                write!(f, ", as {} (which is {}) cannot be compared so", Shown(actual), Kind::of(actual))
            }
            (Some(gap), _) => write!(f, ", as {gap}"),
            (None, Some(actual)) => write!(f, ", it is {}", Shown(actual)),
            (None, None) => Ok(()),
        }
    }
}

impl fmt::Display for Gap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent { attribute } => write!(f, "{attribute} is not given"),
            Self::WrongKind => f.write_str("its value is of a kind that cannot be compared so"),
            Self::NoInstance { resource } => write!(f, "it names no {resource} that exists"),
            Self::Inside => f.write_str("it cannot be told of an object in it"),
            Self::TooMuch => f.write_str("the condition takes too many comparisons on these values"),
        }
    }
}
