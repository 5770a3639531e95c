//! Which attributes a condition reads.

use super::{
    node::{Match, Node, Right},
    path::Path,
};
use std::collections::BTreeSet;

/// Something that a condition reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Read<'a> {
    /// An attribute of a root, on either side of a comparison.
    Attribute(&'a Path),
    /// A member of objects that are the value, or in the value, of an attribute: the last one before `match`.
    Member { of: &'a Path, path: &'a Path },
    /// A stored attribute of instances of a resource, which `fk_resource_type` names.
    Stored { resource: &'a str, path: &'a Path },
}

/// Whose members are read.
#[derive(Debug, Clone, Copy)]
enum Owner<'a> {
    Root,
    Value(&'a Path),
    Resource(&'a str),
}

pub(super) fn reads(node: &Node) -> BTreeSet<Read<'_>> {
    let mut found = BTreeSet::new();
    walk(node, Owner::Root, &mut found);
    found
}

fn walk<'a>(node: &'a Node, owner: Owner<'a>, found: &mut BTreeSet<Read<'a>>) {
    let leaf = match node {
        Node::All(nodes) | Node::Any(nodes) => return nodes.iter().for_each(|node| walk(node, owner, found)),
        Node::Not(node) => return walk(node, owner, found),
        Node::Leaf(leaf) => leaf,
    };
    found.insert(match owner {
        Owner::Root => Read::Attribute(&leaf.path),
        Owner::Value(of) => Read::Member { of, path: &leaf.path },
        Owner::Resource(resource) => Read::Stored { resource, path: &leaf.path },
    });
    found.extend(leaf.test.references().map(Read::Attribute));
    if let Right::Match(Match { resource, condition, .. }) = leaf.test.right() {
        let owner = resource.as_ref().map_or(Owner::Value(&leaf.path), |key| Owner::Resource(key.as_str()));
        walk(condition, owner, found);
    }
}
