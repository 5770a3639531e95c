//! What the audit log says of facts: an event for each, or one for many when a call writes many.
//!
//! An event costs as much as several facts: salts, commitments, a link of the chain, a row in seven indices. Of a bulk call
//! with thousands of facts an event for each would say who and when thousands of times, and little else.

use crate::{EnvScope, commit::About, error::Result};
use askfirst_domain::audit::AuditEvent;
use serde_json::{Map, Value};
use std::{collections::BTreeMap, fmt::Display};

/// From so many facts of one kind on, an event tells about several.
const MANY: usize = 10;
/// How many facts one event tells about at most: whoever is erased from the log takes what stands beside them along.
const TOGETHER: usize = 50;

/// What is to be said of one fact.
#[derive(Debug, Clone)]
pub(crate) struct FactNote {
    code: &'static str,
    object: String,
    details: Map<String, Value>,
}

impl FactNote {
    /// `code` is what happened (`user.created`), `object` to what.
    pub(crate) fn new(code: &'static str, object: impl Display) -> Self {
        Self { code, object: object.to_string(), details: Map::new() }
    }

    /// Says more about it.
    #[must_use]
    pub(crate) fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.details.insert(name.to_owned(), value.into());
        self
    }

    /// As it stands among others.
    fn among_others(self) -> Value {
        let mut whole = Map::from_iter([("object".to_owned(), self.object.into())]);
        whole.extend(self.details);
        whole.into()
    }
}

impl EnvScope {
    /// The audit events of facts, in the order in which they were noted, those of one code together when they are many.
    pub(crate) fn fact_events(&self, notes: Vec<FactNote>) -> Result<Vec<AuditEvent>> {
        let mut of_code: BTreeMap<&str, usize> = BTreeMap::new();
        for note in &notes {
            *of_code.entry(note.code).or_default() += 1;
        }
        let mut events = Vec::new();
        let mut together: BTreeMap<&str, Vec<Value>> = BTreeMap::new();
        for note in notes {
            let FactNote { code, .. } = note;
            let left = of_code.entry(code).or_default();
            if *left < MANY && !together.contains_key(code) {
                let (object, details) = (Some(note.object), note.details);
                events.push(self.audit(code, About { object, details, ..About::default() })?);
                continue;
            }
            *left = left.saturating_sub(1);
            let facts = together.entry(code).or_default();
            facts.push(note.among_others());
            if facts.len() == TOGETHER || *left == 0 {
                let facts = Value::Array(std::mem::take(facts));
                let details = Map::from_iter([("facts".to_owned(), facts)]);
                events.push(self.audit(code, About { details, ..About::default() })?);
            }
        }
        Ok(events)
    }
}
