//! What has to be erased of an event so that a user is not in it any more.

use super::{Entry, Field, Private};
use crate::principal::Principal;
use serde_json::Value;

/// Names of one person: the key, the id, the address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mentioned {
    names: Vec<String>,
}

impl Mentioned {
    /// Empty names mention nobody.
    pub fn new(names: impl IntoIterator<Item = String>) -> Self {
        Self { names: names.into_iter().filter(|name| !name.is_empty()).collect() }
    }

    /// What stays of the parts of an event; none when the person is not in it.
    ///
    /// What somebody did, or what was done on their behalf, is theirs as a whole: texts are among it that they have
    /// written. Of what others did, those parts go that name them.
    pub fn without(&self, entry: &Entry) -> Option<Private> {
        let mut left = entry.private.clone();
        let own = [Field::Actor, Field::OnBehalfOf].into_iter().any(|field| self.is_in(entry, field));
        if own {
            left.clear();
        } else {
            left.retain(|field, _| !self.is_in(entry, *field));
        }
        (left.len() < entry.private.len()).then_some(left)
    }

    fn is_in(&self, entry: &Entry, field: Field) -> bool {
        let Some(opened) = entry.private.get(&field) else { return false };
        // What can't be read may hold anything.
        let Ok(value) = serde_json::from_str::<Value>(&opened.text) else { return true };
        if field == Field::Actor
            && let Ok(actor) = serde_json::from_value::<Principal>(value.clone())
        {
            return match actor {
                Principal::User { key, user, .. } | Principal::Agent { key, user, .. } => {
                    self.names.iter().any(|name| *name == key.as_str() || *name == user.to_string())
                }
                // A program's name is nobody's, also where it reads like one.
                _ => false,
            };
        }
        self.stands_in(&value)
    }

    fn stands_in(&self, value: &Value) -> bool {
        match value {
            Value::String(text) => self.is_named(text),
            Value::Array(items) => items.iter().any(|item| self.stands_in(item)),
            Value::Object(map) => map.iter().any(|(key, value)| self.is_named(key) || self.stands_in(value)),
            Value::Null | Value::Bool(_) | Value::Number(_) => false,
        }
    }

    /// Whether one of the names stands in a text, as a word of its own.
    fn is_named(&self, text: &str) -> bool {
        self.names.iter().any(|name| {
            text.match_indices(name.as_str()).any(|(at, found)| {
                let before = text.get(..at).and_then(|text| text.chars().next_back());
                let after = text.get(at + found.len()..).and_then(|text| text.chars().next());
                let goes_on = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
                !goes_on(before) && !goes_on(after)
            })
        })
    }
}
