//! From JSON to a compiled condition.

use super::{
    error::{ConditionError, Location, Problem, Step},
    kind::{Kind, compare_numbers, compare_texts, time},
    node::{Bound, Items, Leaf, ListOperand, Match, Node, Operand, Test, Which},
    operator::{Logic, Operator},
    path::Path,
};
use askfirst_domain::Key;
use serde_json::{Map, Value};
use std::cmp::Ordering;

/// How deep logical operators and `match` may nest, unless told otherwise.
pub const MAX_DEPTH: usize = 16;
/// Comparisons in one condition, unless told otherwise.
pub const MAX_LEAVES: usize = 256;
/// Items of a literal list.
pub const MAX_ITEMS: usize = 1_000;
/// Bytes of all names of attributes and all literals of one condition, unless told otherwise.
pub const MAX_SIZE: usize = 64 * 1024;
/// How deep a literal value may nest.
pub const MAX_VALUE_DEPTH: usize = 16;

/// How large a condition may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConditionLimits {
    /// How deep logical operators and `match` may nest.
    pub depth: usize,
    /// Comparisons.
    pub leaves: usize,
    /// Bytes of all names of attributes and all literals.
    pub size: usize,
}

impl ConditionLimits {
    /// The most that an operator may allow. What is stored is read within these, so that a limit that was lowered takes
    /// nothing from what was written before.
    pub const MOST: Self = Self { depth: 64, leaves: 4096, size: 1024 * 1024 };
}

impl Default for ConditionLimits {
    fn default() -> Self {
        Self { depth: MAX_DEPTH, leaves: MAX_LEAVES, size: MAX_SIZE }
    }
}

/// What the members of an object mean.
#[derive(Debug, Clone, Copy)]
enum Within<'a> {
    /// Attributes of roots.
    Roots,
    /// Members of the object that `match` looks at.
    Object,
    /// Operators on this attribute.
    Attribute(&'a Path),
}

#[derive(Debug)]
struct Compiler {
    limits: ConditionLimits,
    at: Vec<Step>,
    leaves: usize,
    size: usize,
}

type Compiled<T> = Result<T, ConditionError>;

pub(super) fn compile(value: &Value, limits: ConditionLimits) -> Compiled<Node> {
    match value {
        Value::Object(members) if members.is_empty() => Ok(Node::All(Box::default())),
        value => Compiler { limits, at: Vec::new(), leaves: 0, size: 0 }.object(value, Within::Roots, 0),
    }
}

impl Compiler {
    fn wrong(&self, problem: Problem) -> ConditionError {
        ConditionError { at: Location(self.at.clone()), problem }
    }

    /// Goes one step down; the step stays where it is when that fails.
    fn under<T>(&mut self, step: Step, work: impl FnOnce(&mut Self) -> Compiled<T>) -> Compiled<T> {
        self.at.push(step);
        let done = work(self)?;
        self.at.pop();
        Ok(done)
    }

    fn key<T>(&mut self, key: &str, work: impl FnOnce(&mut Self) -> Compiled<T>) -> Compiled<T> {
        self.under(Step::Key(key.to_owned()), work)
    }

    fn deeper(&self, depth: usize) -> Compiled<usize> {
        let limit = self.limits.depth;
        if depth < limit { Ok(depth + 1) } else { Err(self.wrong(Problem::TooDeep { limit })) }
    }

    /// The members of an object, all of which have to hold.
    fn object(&mut self, value: &Value, within: Within<'_>, depth: usize) -> Compiled<Node> {
        let Value::Object(members) = value else {
            let found = Kind::of(value);
            return Err(self.wrong(match within {
                Within::Attribute(_) => Problem::NotATest { found },
                Within::Roots | Within::Object => Problem::NotACondition { found },
            }));
        };
        if members.is_empty() {
            return Err(self.wrong(Problem::Empty));
        }
        let depth = if members.len() > 1 { self.deeper(depth)? } else { depth };
        let nodes = members
            .iter()
            .map(|(key, value)| self.key(key, |compiler| compiler.member(key, value, within, depth)))
            .collect::<Compiled<Vec<_>>>()?;
        Ok(joined(Node::All, nodes))
    }

    fn member(&mut self, name: &str, value: &Value, within: Within<'_>, depth: usize) -> Compiled<Node> {
        if let Some(logic) = Logic::read(name) {
            return self.logic(logic, value, within, depth);
        }
        let path = match within {
            Within::Attribute(path) => {
                self.count(path)?;
                let test = self.test(name, value, depth)?;
                return Ok(Node::Leaf(Box::new(Leaf { path: path.clone(), test })));
            }
            Within::Roots => match Operator::read(name) {
                Some(operator) => Err(Problem::NoAttribute { operator }),
                None => Path::of_root(name),
            },
            Within::Object => Path::of_object(name),
        };
        let path = path.map_err(|problem| self.wrong(problem))?;
        self.object(value, Within::Attribute(&path), depth)
    }

    fn logic(&mut self, logic: Logic, value: &Value, within: Within<'_>, depth: usize) -> Compiled<Node> {
        let depth = self.deeper(depth)?;
        let items = match value {
            Value::Array(items) => items,
            Value::Object(members) if members.len() > 1 && logic != Logic::All => {
                return Err(self.wrong(Problem::Ambiguous { logic, members: members.len() }));
            }
            Value::Object(_) => {
                let node = self.object(value, within, depth)?;
                return Ok(if logic == Logic::Not { Node::Not(Box::new(node)) } else { node });
            }
            other => return Err(self.wrong(Problem::NotAList { logic, found: Kind::of(other) })),
        };
        if items.is_empty() && logic != Logic::All {
            return Err(self.wrong(Problem::EmptyLogic { logic }));
        }
        // `not` over several is `not` over any of them, which is one level more.
        let depth = if logic == Logic::Not && items.len() > 1 { self.deeper(depth)? } else { depth };
        let nodes = items
            .iter()
            .enumerate()
            .map(|(index, item)| {
                self.under(Step::Index(index), |compiler| compiler.object(item, within, depth))
            })
            .collect::<Compiled<Vec<_>>>()?;
        Ok(match logic {
            Logic::All => joined(Node::All, nodes),
            Logic::Any => joined(Node::Any, nodes),
            Logic::Not => Node::Not(Box::new(joined(Node::Any, nodes))),
        })
    }

    /// Counts one comparison of an attribute.
    fn count(&mut self, path: &Path) -> Compiled<()> {
        self.leaves += 1;
        let limit = self.limits.leaves;
        if self.leaves > limit {
            return Err(self.wrong(Problem::TooManyLeaves { limit }));
        }
        self.grow(path.size())
    }

    fn grow(&mut self, bytes: usize) -> Compiled<()> {
        self.size = self.size.saturating_add(bytes);
        let limit = self.limits.size;
        if self.size > limit { Err(self.wrong(Problem::TooLarge { limit })) } else { Ok(()) }
    }

    fn test(&mut self, name: &str, value: &Value, depth: usize) -> Compiled<Test> {
        if let Some(operator) = Operator::read(name) {
            return self.operator(operator, value, depth);
        }
        // An older spelling of a reference: `equals-ref: "user.key"`.
        let referring =
            name.strip_suffix("-ref").or_else(|| name.strip_suffix("_ref")).and_then(Operator::read);
        let Some(operator) = referring else {
            let meant = Operator::meant_by(name);
            return Err(self.wrong(Problem::UnknownOperator { name: name.to_owned(), meant }));
        };
        let reference = Value::Object(Map::from_iter([("ref".to_owned(), value.clone())]));
        self.operator(operator, &reference, depth)
    }

    fn operator(&mut self, operator: Operator, value: &Value, depth: usize) -> Compiled<Test> {
        Ok(match operator {
            Operator::Equals => Test::Equals(self.operand(value)?),
            Operator::NotEquals => Test::NotEquals(self.operand(value)?),
            Operator::LessThan => Test::Order(Bound::Less, self.ordered(operator, value)?),
            Operator::GreaterThan => Test::Order(Bound::Greater, self.ordered(operator, value)?),
            Operator::LessThanEquals => Test::Order(Bound::LessOrSame, self.ordered(operator, value)?),
            Operator::GreaterThanEquals => Test::Order(Bound::GreaterOrSame, self.ordered(operator, value)?),
            Operator::Contains => Test::Contains(self.part(value)?),
            Operator::Between => self.between(value)?,
            Operator::ArrayContains => match value {
                Value::Array(_) => return Err(self.wrong(Problem::ListForOne)),
                value => Test::ArrayContains(self.operand(value)?),
            },
            Operator::In => Test::In(self.list(operator, value)?),
            Operator::ArraySubset => Test::ArraySubset(self.list(operator, value)?),
            Operator::ArraySuperset => Test::ArraySuperset(self.list(operator, value)?),
            Operator::ArrayIntersect => Test::ArrayIntersect(self.list(operator, value)?),
            Operator::ObjectMatch => Test::Match(self.matching(operator, Which::This, value, depth)?),
            Operator::AnyMatch => Test::Match(self.matching(operator, Which::Any, value, depth)?),
            Operator::AllMatch => Test::Match(self.matching(operator, Which::All, value, depth)?),
        })
    }

    /// A value, or a reference to one.
    fn operand(&mut self, value: &Value) -> Compiled<Operand> {
        if let Some(path) = self.reference(value)? {
            return Ok(Operand::Reference(path));
        }
        self.measure(value, 0)?;
        Ok(Operand::literal(value.clone()))
    }

    /// The path of `{"ref": ...}`, none for anything else.
    fn reference(&mut self, value: &Value) -> Compiled<Option<Path>> {
        let Some((members, named)) = value.as_object().and_then(|map| Some((map, map.get("ref")?))) else {
            return Ok(None);
        };
        let Value::String(text) = named else { return Err(self.wrong(Problem::WrongReference)) };
        if members.len() > 1 {
            return Err(self.wrong(Problem::WrongReference));
        }
        let path = Path::of_root(text).map_err(|problem| {
            self.wrong(match problem {
                Problem::UnknownName { name } => Problem::UnknownReference { path: name },
                other => other,
            })
        })?;
        self.grow(path.size())?;
        Ok(Some(path))
    }

    /// A number, a text, or a reference.
    fn ordered(&mut self, operator: Operator, value: &Value) -> Compiled<Operand> {
        match self.operand(value)? {
            Operand::Literal { value, .. } if !matches!(value, Value::Number(_) | Value::String(_)) => {
                let found = Kind::of(&value);
                let expected = "a number, a text, a time or a reference";
                Err(self.wrong(Problem::WrongOperand { operator, expected, found }))
            }
            operand => Ok(operand),
        }
    }

    /// A text that is not empty, or a reference.
    fn part(&mut self, value: &Value) -> Compiled<Operand> {
        match self.operand(value)? {
            Operand::Literal { value: Value::String(text), .. } if text.is_empty() => {
                Err(self.wrong(Problem::EmptyText))
            }
            Operand::Literal { value, .. } if !value.is_string() => {
                let (operator, found) = (Operator::Contains, Kind::of(&value));
                Err(self.wrong(Problem::WrongOperand { operator, expected: "a text or a reference", found }))
            }
            operand => Ok(operand),
        }
    }

    fn between(&mut self, value: &Value) -> Compiled<Test> {
        let operator = Operator::Between;
        let expected = "a list of exactly two, the lower and the upper end";
        let Some([low, high]) = value.as_array().map(Vec::as_slice) else {
            return Err(self.wrong(Problem::WrongOperand { operator, expected, found: Kind::of(value) }));
        };
        let low = self.under(Step::Index(0), |compiler| compiler.ordered(operator, low))?;
        let high = self.under(Step::Index(1), |compiler| compiler.ordered(operator, high))?;
        if let (Operand::Literal { value: low, .. }, Operand::Literal { value: high, .. }) = (&low, &high) {
            match order(low, high) {
                Some(Ordering::Greater) => return Err(self.wrong(Problem::EmptyRange)),
                None => return Err(self.wrong(Problem::MixedRange)),
                Some(_) => {}
            }
        }
        Ok(Test::Between(low, high))
    }

    /// A list, or a reference to one.
    fn list(&mut self, operator: Operator, value: &Value) -> Compiled<ListOperand> {
        if let Some(path) = self.reference(value)? {
            return Ok(ListOperand::Reference(path));
        }
        let Value::Array(items) = value else {
            let found = Kind::of(value);
            return Err(self.wrong(Problem::WrongOperand {
                operator,
                expected: "a list or a reference",
                found,
            }));
        };
        if items.len() > MAX_ITEMS {
            return Err(self.wrong(Problem::LongList { limit: MAX_ITEMS, found: items.len() }));
        }
        for (index, item) in items.iter().enumerate() {
            self.under(Step::Index(index), |compiler| {
                if item.get("ref").is_some() {
                    return Err(compiler.wrong(Problem::ReferenceInList));
                }
                compiler.measure(item, 1)
            })?;
        }
        Ok(ListOperand::Literal(Items::new(items.clone())))
    }

    fn matching(&mut self, operator: Operator, which: Which, value: &Value, depth: usize) -> Compiled<Match> {
        let depth = self.deeper(depth)?;
        let Value::Object(members) = value else {
            return Err(self.wrong(Problem::NoMatch { operator }));
        };
        let (mut resource, mut condition) = (None, None);
        for (name, value) in members {
            self.key(name, |compiler| {
                match name.as_str() {
                    "match" => condition = Some(compiler.object(value, Within::Object, depth)?),
                    "fk_resource_type" | "fk-resource-type" => resource = Some(compiler.resource(value)?),
                    member => {
                        let member = member.to_owned();
                        return Err(compiler.wrong(Problem::UnknownMember { operator, member }));
                    }
                }
                Ok(())
            })?;
        }
        let condition = condition.ok_or_else(|| self.wrong(Problem::NoMatch { operator }))?;
        Ok(Match { which, resource, condition: Box::new(condition) })
    }

    fn resource(&mut self, value: &Value) -> Compiled<Key> {
        let Value::String(text) = value else {
            return Err(self.wrong(Problem::NotAResource { found: Kind::of(value) }));
        };
        self.grow(text.len())?;
        text.parse().map_err(|cause| self.wrong(Problem::WrongResource(cause)))
    }

    /// Counts the bytes of a literal.
    fn measure(&mut self, value: &Value, depth: usize) -> Compiled<()> {
        if depth > MAX_VALUE_DEPTH {
            return Err(self.wrong(Problem::DeepValue { limit: MAX_VALUE_DEPTH }));
        }
        match value {
            Value::String(text) => self.grow(text.len() + 2),
            Value::Array(items) => items.iter().try_for_each(|item| self.measure(item, depth + 1)),
            Value::Object(members) => members.iter().try_for_each(|(key, value)| {
                self.grow(key.len() + 2)?;
                self.measure(value, depth + 1)
            }),
            Value::Null | Value::Bool(_) | Value::Number(_) => self.grow(8),
        }
    }
}

/// One of them by itself, several joined.
fn joined(join: impl FnOnce(Box<[Node]>) -> Node, nodes: Vec<Node>) -> Node {
    match <[Node; 1]>::try_from(nodes) {
        Ok([node]) => node,
        Err(nodes) => join(nodes.into()),
    }
}

fn order(low: &Value, high: &Value) -> Option<Ordering> {
    match (low, high) {
        (Value::Number(low), Value::Number(high)) => compare_numbers(low, high),
        (Value::String(low), Value::String(high)) => compare_texts((low, time(low)), (high, time(high))),
        _ => None,
    }
}
