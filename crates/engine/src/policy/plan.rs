//! What a file comes to: changes, what they take for granted, and what differs before and after.

use super::PolicyText;
use crate::{EnvScope, LiveState, commit::Draft, schema::Stage};
use askfirst_domain::change::{Change, Expect};
use askfirst_policy::{
    Snapshot,
    file::{Difference, FieldChange, Kind, PolicyFile, difference},
};
use serde_json::Value;
use std::sync::Arc;

pub(super) struct Plan<'a> {
    pub(super) scope: &'a EnvScope,
    pub(super) file: &'a PolicyFile,
    pub(super) wish: &'a PolicyText,
    pub(super) state: &'a Arc<LiveState>,
    /// The schema with what was planned so far.
    pub(super) stage: Stage<'a>,
    pub(super) expects: Vec<Expect>,
    /// Facts that go, then facts that are written.
    pub(super) gone: Vec<Change>,
    pub(super) facts: Vec<Change>,
    /// What the facts that are touched were and are to be.
    pub(super) before: PolicyFile,
    pub(super) after: PolicyFile,
    /// Elements whose webhook gets another token than it had.
    pub(super) new_tokens: Vec<String>,
    pub(super) missing_secrets: Vec<String>,
}

/// A plan that is made.
pub(super) struct Planned {
    pub(super) draft: Draft,
    pub(super) differences: Vec<Difference>,
    /// The state with all of it.
    pub(super) after: Snapshot,
    /// How many things the file names.
    pub(super) things: usize,
    pub(super) missing_secrets: Vec<String>,
}

impl<'a> Plan<'a> {
    pub(super) fn new(
        scope: &'a EnvScope,
        state: &'a Arc<LiveState>,
        file: &'a PolicyFile,
        wish: &'a PolicyText,
    ) -> Self {
        Self {
            scope,
            file,
            wish,
            state,
            stage: Stage::over(scope, state.snapshot.clone()),
            expects: vec![Expect::SchemaAt(state.schema_revision)],
            gone: Vec::new(),
            facts: Vec::new(),
            before: PolicyFile::default(),
            after: PolicyFile::default(),
            new_tokens: Vec::new(),
            missing_secrets: Vec::new(),
        }
    }

    /// Facts come after what they rest on and go before it.
    pub(super) fn finish(mut self) -> Planned {
        let mut changes = self.stage.take();
        changes.append(&mut self.gone);
        changes.append(&mut self.facts);
        self.remove_schema();
        changes.extend(self.stage.take());
        let after = self.state.snapshot.apply(&changes);
        let old = PolicyFile::of_schema(self.state.snapshot.schema());
        let mut differences = difference(&old, &PolicyFile::of_schema(after.schema()));
        for element in &self.new_tokens {
            tell_of_token(&mut differences, element);
        }
        differences.extend(difference(&self.before, &self.after));
        Planned {
            draft: Draft { expects: self.expects, changes, ..Draft::default() },
            differences,
            after,
            // Everything that the file names would be new in an empty environment.
            things: difference(&PolicyFile::default(), self.file).len(),
            missing_secrets: self.missing_secrets,
        }
    }
}

/// A token that changes cannot be seen in what a file says.
fn tell_of_token(differences: &mut Vec<Difference>, element: &str) {
    let change = FieldChange {
        field: "webhook.token".to_owned(),
        before: Value::Null,
        after: Value::String("(another one)".to_owned()),
    };
    let known = differences.iter_mut().find(|d| d.what == "elements" && d.name == element);
    match known {
        Some(known) => known.fields.push(change),
        None => differences.push(Difference {
            kind: Kind::Changed,
            what: "elements".to_owned(),
            name: element.to_owned(),
            fields: vec![change],
        }),
    }
}
