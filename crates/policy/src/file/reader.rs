//! Reading a part of the document: what is not as it should be is noted with its place, and the rest is read on.

use super::{
    diagnostic::{Diagnostic, suggest},
    tree::{Content, Node, Text},
};
use crate::RoleName;
use askfirst_domain::{Key, Timestamp, element::Level, facts::InstanceRef, schema::Permission};
use rustc_hash::FxHashMap;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use serde_saphyr::Location;
use std::{collections::BTreeSet, fmt, str::FromStr};

/// Something in the file that a later check may complain about.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Spot {
    Resource(Key),
    Group(Key, Key),
    Relation(Key, Key),
    Role(RoleName),
    Permission(RoleName, Permission),
    Extends(RoleName, Key),
    Derivation(RoleName, usize),
    Set(usize),
    Conditions(usize),
    Rule(usize),
    Element(Key),
    Level(Key, Level, usize),
    Instance(usize),
    Tuple(usize),
    Assignment(usize),
    Case(usize),
}

/// Gathers what is wrong and where things stand.
#[derive(Debug, Default)]
pub(super) struct Reader {
    pub(super) diagnostics: Vec<Diagnostic>,
    positions: FxHashMap<Spot, Location>,
}

/// The members of a mapping of which it is known which there may be.
pub(super) struct Fields<'a> {
    pub(super) at: Location,
    node: &'a Node,
}

impl<'a> Fields<'a> {
    /// The member, unless it is null.
    pub(super) fn get(&self, name: &str) -> Option<&'a Node> {
        self.node.member(name).map(|(_, node)| node).filter(|node| !matches!(node.content, Content::Null))
    }

    /// Whether the member is written, be it null.
    pub(super) fn has(&self, name: &str) -> bool {
        self.node.member(name).is_some()
    }
}

impl Reader {
    pub(super) fn complain(&mut self, at: Location, message: impl fmt::Display, hint: Option<String>) {
        let message = message.to_string();
        self.diagnostics.push(Diagnostic { line: at.line(), column: at.column(), message, hint });
    }

    pub(super) fn note(&mut self, spot: Spot, at: Location) {
        self.positions.insert(spot, at);
    }

    pub(super) fn position(&self, spot: &Spot) -> Location {
        self.positions.get(spot).copied().unwrap_or(Location::UNKNOWN)
    }

    /// Complains about what is written twice, anywhere below.
    pub(super) fn check_repeats(&mut self, node: &Node) {
        match &node.content {
            Content::List(items) => items.iter().for_each(|item| self.check_repeats(item)),
            Content::Map(members) => {
                let mut seen = BTreeSet::new();
                for (name, node) in members {
                    if !seen.insert(name.value.as_str()) {
                        self.complain(name.at, format!("`{}` stands here twice", name.value), None);
                    }
                    self.check_repeats(node);
                }
            }
            _ => {}
        }
    }

    /// The members of a mapping; nothing is an empty one. What it may not have is complained about.
    pub(super) fn fields<'a>(&mut self, node: &'a Node, what: &str, known: &[&str]) -> Option<Fields<'a>> {
        match &node.content {
            Content::Null => {}
            Content::Map(members) => {
                for (name, _) in members {
                    if !known.contains(&name.value.as_str()) {
                        let message = format!("{what} has no `{}`", name.value);
                        self.complain(name.at, message, suggest(&name.value, known));
                    }
                }
            }
            other => {
                let hint = format!("it may have {}", known.join(", "));
                self.complain(node.at, format!("{what} is a mapping, not {}", other.kind()), Some(hint));
                return None;
            }
        }
        Some(Fields { at: node.at, node })
    }

    /// A member that has to be there.
    pub(super) fn required<'a>(&mut self, fields: &Fields<'a>, what: &str, name: &str) -> Option<&'a Node> {
        let found = fields.get(name);
        if found.is_none() {
            self.complain(
                fields.at,
                format!("{what} needs `{name}`"),
                Some(format!("write `{name}: ...` here")),
            );
        }
        found
    }

    /// The entries of a mapping from keys.
    pub(super) fn entries<'a>(&mut self, node: Option<&'a Node>, what: &str) -> &'a [(Text, Node)] {
        match node.map(|node| (node.at, &node.content)) {
            None | Some((_, Content::Null)) => &[],
            Some((_, Content::Map(members))) => members,
            Some((at, other)) => {
                let message = format!("{what} are a mapping from their keys, not {}", other.kind());
                self.complain(at, message, Some("write `key: ...`".to_owned()));
                &[]
            }
        }
    }

    /// The items of a list.
    pub(super) fn items<'a>(&mut self, node: Option<&'a Node>, what: &str) -> &'a [Node] {
        match node.map(|node| (node.at, &node.content)) {
            None | Some((_, Content::Null)) => &[],
            Some((_, Content::List(items))) => items,
            Some((at, other)) => {
                let message = format!("{what} are a list, not {}", other.kind());
                self.complain(at, message, Some("write `[first, second]`".to_owned()));
                &[]
            }
        }
    }

    /// A text. A number is not taken for one: which of its spellings was meant cannot be told.
    pub(super) fn text<'a>(&mut self, node: &'a Node) -> Option<&'a str> {
        if let Content::Text(text) = &node.content {
            return Some(text);
        }
        let hint = match &node.content {
            Content::Bool(_) | Content::Number(_) => Some("put it into quotes".to_owned()),
            _ => None,
        };
        self.complain(node.at, format!("here stands a text, not {}", node.content.kind()), hint);
        None
    }

    /// A text that may be left away.
    pub(super) fn optional_text(&mut self, node: Option<&Node>) -> Option<String> {
        self.text(node?).map(ToOwned::to_owned)
    }

    /// True or false; false when it is left away.
    pub(super) fn flag(&mut self, node: Option<&Node>) -> bool {
        match node.map(|node| (node.at, &node.content)) {
            None => false,
            Some((_, Content::Bool(value))) => *value,
            Some((at, other)) => {
                self.complain(at, format!("here stands true or false, not {}", other.kind()), None);
                false
            }
        }
    }

    /// Values by name.
    pub(super) fn object(&mut self, node: Option<&Node>, what: &str) -> Map<String, Value> {
        let members = self.entries(node, what);
        members.iter().map(|(name, node)| (name.value.clone(), node.to_json())).collect()
    }

    /// A key or anything else with rules of its own.
    pub(super) fn parsed<T: FromStr<Err: fmt::Display>>(&mut self, node: &Node) -> Option<T> {
        let text = self.text(node)?;
        text.parse().map_err(|error| self.complain(node.at, error, None)).ok()
    }

    /// As [`Reader::parsed`], of the name of an entry.
    pub(super) fn key<T: FromStr<Err: fmt::Display>>(&mut self, text: &Text) -> Option<T> {
        text.value.parse().map_err(|error| self.complain(text.at, error, None)).ok()
    }

    /// A list of keys, each with its place.
    pub(super) fn keys<T: FromStr<Err: fmt::Display>>(
        &mut self,
        node: Option<&Node>,
        what: &str,
    ) -> Vec<(T, Location)> {
        let items = self.items(node, what);
        items.iter().filter_map(|item| Some((self.parsed(item)?, item.at))).collect()
    }

    /// One of the words that a type is written with.
    pub(super) fn word<T: DeserializeOwned>(
        &mut self,
        text: &str,
        at: Location,
        what: &str,
        words: &[&str],
    ) -> Option<T> {
        let read = serde_json::from_value(Value::String(text.to_owned())).ok();
        if read.is_none() {
            self.complain(at, format!("`{text}` is not {what}"), suggest(text, words));
        }
        read
    }

    /// `type:key`.
    pub(super) fn instance_ref(&mut self, text: &str, at: Location) -> Option<InstanceRef> {
        let read = text.split_once(':').and_then(|(resource, key)| {
            Some(InstanceRef { resource: resource.parse().ok()?, key: key.parse().ok()? })
        });
        if read.is_none() {
            let hint = "write `resource:key`, with letters, digits, `-` and `_` in each";
            self.complain(at, format!("`{text}` does not name an instance"), Some(hint.to_owned()));
        }
        read
    }

    /// A point in time.
    pub(super) fn time(&mut self, node: &Node) -> Option<Timestamp> {
        let text = self.text(node)?;
        let read = text.parse::<jiff::Timestamp>();
        if read.is_err() {
            let hint = "write it as 2027-01-31T18:30:00Z".to_owned();
            self.complain(node.at, format!("`{text}` is not a point in time"), Some(hint));
        }
        read.ok().map(|time| Timestamp::from_micros(time.as_microsecond()))
    }
}
