//! The canonical form: logic first, one spelling for everything.

use super::{
    node::{ListOperand, Match, Node, Operand, Right, Test},
    operator::Logic,
    path::Path,
};
use serde_json::{Map, Value, json};

pub(super) fn node(node: &Node) -> Value {
    match node {
        Node::All(nodes) => member(Logic::All.as_str(), nodes.iter().map(self::node).collect()),
        Node::Any(nodes) => member(Logic::Any.as_str(), nodes.iter().map(self::node).collect()),
        Node::Not(inner) => member(Logic::Not.as_str(), self::node(inner)),
        Node::Leaf(leaf) => {
            member(&leaf.path.to_string(), member(leaf.test.operator().as_str(), right(&leaf.test)))
        }
    }
}

/// What is on the right-hand side.
pub(super) fn right(test: &Test) -> Value {
    match test.right() {
        Right::One(one) => operand(one),
        Right::Two(low, high) => Value::Array(vec![operand(low), operand(high)]),
        Right::List(ListOperand::Literal(items)) => Value::Array(items.values.clone()),
        Right::List(ListOperand::Reference(path)) => reference(path),
        Right::Match(Match { resource, condition, .. }) => {
            let mut wanted = Map::new();
            if let Some(resource) = resource {
                wanted.insert("fk_resource_type".to_owned(), resource.as_str().into());
            }
            wanted.insert("match".to_owned(), node(condition));
            Value::Object(wanted)
        }
    }
}

fn operand(operand: &Operand) -> Value {
    match operand {
        Operand::Literal { value, .. } => value.clone(),
        Operand::Reference(path) => reference(path),
    }
}

fn reference(path: &Path) -> Value {
    json!({"ref": path.to_string()})
}

fn member(key: &str, value: Value) -> Value {
    Value::Object(Map::from_iter([(key.to_owned(), value)]))
}
