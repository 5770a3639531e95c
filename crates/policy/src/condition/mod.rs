//! Attribute conditions: who is in a user set, what is in a resource set.
//!
//! [`Condition::compile`] takes Permit's JSON in all its spellings, checks all of it, and says what is wrong and where.
//! [`Condition::evaluate`] then answers from borrowed [`Attributes`] without allocating and without failing.
//!
//! # What a condition means
//!
//! A condition is true, false or undefined, and **only true counts**. An attribute that is absent, is null, or has a value
//! of a kind that its operator does not take makes the comparison undefined. `not` leaves undefined what is undefined,
//! so an attribute that is not there never gives anybody anything, on whichever side of a `not` it stands. (In Rego `not`
//! over something undefined is true.) `allOf` and `anyOf` follow Kleene: false, or true, wins over undefined.
//!
//! - Numbers compare exactly, integers beyond 2^53 too. Texts compare by code point. Two texts that are both RFC 3339
//!   times compare as moments; there is no order between a time and another text.
//! - A literal `null` under `equals` and `not-equals` asks whether the attribute is null. Nothing else sees null, and
//!   two attributes that are both null are not equal.
//! - `any_match` over an empty list is false; `all_match` and `array_subset` over an empty list are true.
//! - At most [`MAX_STEPS`] comparisons are made; what lies beyond is undefined.

mod compile;
mod error;
mod evaluate;
mod explain;
mod json;
mod kind;
mod node;
mod operator;
mod path;
mod reads;
mod steps;
mod truth;
mod view;
mod words;

pub use compile::{ConditionLimits, MAX_DEPTH, MAX_ITEMS, MAX_LEAVES, MAX_SIZE, MAX_VALUE_DEPTH};
pub use error::{ConditionError, Location, Problem, Step};
pub use explain::{Explanation, Gap, LeafTrace, MAX_TOLD};
pub use kind::{Kind, Seen};
pub use operator::{Logic, Operator};
pub use path::{MAX_PATH, Path, Root};
pub use reads::Read;
pub use steps::MAX_STEPS;
pub use truth::Truth;
pub use view::{Attributes, Given, Instance, Instances, Layers, NoInstances};

use evaluate::Scope;
use node::Node;
use serde_json::Value;
use std::{collections::BTreeSet, fmt};
use steps::Steps;

/// A compiled condition. Prints in words.
#[derive(Debug, Clone, PartialEq)]
pub struct Condition(Node);

impl Condition {
    /// The condition that is always true, as `{}` is.
    pub fn always() -> Self {
        Self(Node::All(Box::default()))
    }

    /// Reads a condition: logic first or attribute first, in either spelling of its operators.
    ///
    /// # Errors
    /// The first thing that is wrong, with its place: an unknown operator or attribute root, an operand of the wrong
    /// kind, or a limit ([`MAX_DEPTH`], [`MAX_LEAVES`], [`MAX_ITEMS`], [`MAX_SIZE`], [`MAX_PATH`],
    /// [`MAX_VALUE_DEPTH`]).
    pub fn compile(value: &Value) -> Result<Self, ConditionError> {
        Self::compile_within(value, ConditionLimits::default())
    }

    /// As [`Self::compile`], with limits of the caller's.
    ///
    /// # Errors
    /// As [`Self::compile`].
    pub fn compile_within(value: &Value, limits: ConditionLimits) -> Result<Self, ConditionError> {
        compile::compile(value, limits).map(Self)
    }

    /// What the condition comes to for these attributes.
    pub fn evaluate<A: Attributes + ?Sized>(&self, view: &A) -> Truth {
        Scope::new(view, &Steps::new()).node(&self.0)
    }

    /// What it comes to, with every comparison and the values that it saw. Comes to the same as [`Self::evaluate`].
    pub fn explain<A: Attributes + ?Sized>(&self, view: &A) -> Explanation {
        let mut tracer = explain::Tracer::default();
        tracer.node(Scope::new(view, &Steps::new()), &self.0, "", Some(true));
        Explanation { truth: self.evaluate(view), leaves: tracer.leaves, left_out: tracer.left_out }
    }

    /// Everything that it reads, on either side of its comparisons.
    pub fn attributes(&self) -> BTreeSet<Read<'_>> {
        reads::reads(&self.0)
    }

    /// The canonical form: logic first, one spelling. Compiles to the same condition.
    pub fn to_json(&self) -> Value {
        json::node(&self.0)
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
