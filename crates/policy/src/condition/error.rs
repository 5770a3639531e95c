//! Why a condition does not compile. Each prints as one sentence with the place, and says what would be right.

use super::{
    kind::Kind,
    operator::{Logic, Operator},
};
use askfirst_domain::KeyError;
use std::fmt;
use thiserror::Error;

/// One step from the top of the document to the place of an error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    Key(String),
    Index(usize),
}

/// Where in the document: `$.allOf[1]["user.age"]`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Location(pub Vec<Step>);

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("$")?;
        self.0.iter().try_for_each(|step| match step {
            Step::Index(index) => write!(f, "[{index}]"),
            Step::Key(key) if is_plain(key) => write!(f, ".{key}"),
            Step::Key(key) => write!(f, "[{key:?}]"),
        })
    }
}

fn is_plain(key: &str) -> bool {
    !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// Why a condition does not compile, and where.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("at {at}: {problem}")]
pub struct ConditionError {
    pub at: Location,
    pub problem: Problem,
}

/// What is wrong at one place of a condition.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Problem {
    /// A condition that is not an object.
    #[error(
        "a condition is an object such as {{\"user.age\": {{\"greater-than\": 17}}}}, but this is {found}"
    )]
    NotACondition { found: Kind },
    /// What is said of an attribute is not an object.
    #[error(
        "what is asked of an attribute is an object such as {{\"equals\": \"admin\"}}, but this is {found}"
    )]
    NotATest { found: Kind },
    /// An object without anything in it.
    #[error(
        "an empty object says nothing here: write a condition or leave it out; `{{}}` is only allowed as the whole"
    )]
    Empty,
    /// `allOf`, `anyOf` or `not` over something that is neither list nor object.
    #[error("`{logic}` takes conditions in a list, but this is {found}")]
    NotAList { logic: Logic, found: Kind },
    /// `anyOf` or `not` over nothing.
    #[error("`{logic}` needs at least one condition")]
    EmptyLogic { logic: Logic },
    /// `anyOf` over an object with several members, of which one cannot tell how they are joined.
    #[error(
        "`{logic}` over an object with {members} members is ambiguous: write a list with an object for each"
    )]
    Ambiguous { logic: Logic, members: usize },
    /// Neither a logical operator nor an attribute.
    #[error(
        "`{name}` is neither a logical operator (allOf, and, anyOf, or, not) nor an attribute; an attribute starts with \
         user., subject., resource., tenant., context., environment. or action., as `user.age`"
    )]
    UnknownName { name: String },
    /// An operator where an attribute is expected.
    #[error(
        "`{operator}` compares an attribute, so put it under one: {{\"user.age\": {{\"{operator}\": ...}}}}"
    )]
    NoAttribute { operator: Operator },
    /// `user` without an attribute.
    #[error("`{root}` alone is not an attribute: name one, as `{root}.key`")]
    BareRoot { root: String },
    /// `user..age`
    #[error("`{path}` has an empty name between its dots")]
    EmptyName { path: String },
    /// A path that is too long.
    #[error("the path of an attribute has at most {limit} bytes")]
    LongPath { limit: usize },
    /// Not an operator.
    #[error("`{name}` is not an operator{}; there are: {}", guess(*meant), operators())]
    UnknownOperator { name: String, meant: Option<Operator> },
    /// An operand of the wrong kind.
    #[error("`{operator}` takes {expected}, but this is {found}")]
    WrongOperand { operator: Operator, expected: &'static str, found: Kind },
    /// A reference that is not the path of an attribute.
    #[error("a reference is the path of an attribute and nothing else, as {{\"ref\": \"user.key\"}}")]
    WrongReference,
    /// A reference to something that is not under a root.
    #[error(
        "`{path}` refers to no attribute; one starts with user., subject., resource., tenant., context., environment. \
         or action., as {{\"ref\": \"user.key\"}}"
    )]
    UnknownReference { path: String },
    /// A reference as an item of a list.
    #[error("a list is written out in full, or is one reference: {{\"ref\": \"user.places\"}}")]
    ReferenceInList,
    /// A range whose ends have no order.
    #[error("the two ends are of one kind: two numbers, two texts or two times")]
    MixedRange,
    /// A range that holds nothing.
    #[error("nothing lies between these two: write the lower one first")]
    EmptyRange,
    /// `contains` with an empty text.
    #[error("every text contains the empty one: write what it has to contain")]
    EmptyText,
    /// `array_contains` with a list.
    #[error(
        "`array_contains` takes one value; write `array_superset` for all of a list, or `array_intersect` for any of it"
    )]
    ListForOne,
    /// `any_match` and its kin without `match`.
    #[error("`{operator}` needs what to match: {{\"match\": {{\"price\": {{\"less-than\": 10}}}}}}")]
    NoMatch { operator: Operator },
    /// `any_match` and its kin with something else.
    #[error("`{operator}` takes `match` and `fk_resource_type`, not `{member}`")]
    UnknownMember { operator: Operator, member: String },
    /// `fk_resource_type` is not a string.
    #[error("`fk_resource_type` is the key of a resource, but this is {found}")]
    NotAResource { found: Kind },
    /// `fk_resource_type` is not a key.
    #[error("`fk_resource_type` is the key of a resource: {0}")]
    WrongResource(KeyError),
    /// Nested too deep.
    #[error("a condition nests at most {limit} deep: split it into condition sets with a parent")]
    TooDeep { limit: usize },
    /// A value nested too deep.
    #[error("a value in a condition nests at most {limit} deep")]
    DeepValue { limit: usize },
    /// Too many comparisons.
    #[error("a condition compares at most {limit} times: use `in` for many values, or split it")]
    TooManyLeaves { limit: usize },
    /// A list with too many items.
    #[error(
        "a list in a condition has at most {limit} items, but this one has {found}: keep it in an attribute"
    )]
    LongList { limit: usize, found: usize },
    /// Too large altogether.
    #[error("a condition's names and values take at most {limit} bytes: keep large lists in an attribute")]
    TooLarge { limit: usize },
}

fn guess(operator: Option<Operator>) -> String {
    operator.map(|operator| format!(" (did you mean `{operator}`?)")).unwrap_or_default()
}

fn operators() -> String {
    Operator::ALL.map(Operator::as_str).join(", ")
}
