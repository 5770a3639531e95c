//! What a file comes to: changes, what they take for granted, and how many there are of each kind.

use super::Applied;
use crate::{EnvScope, LiveState, commit::Draft, error::Result};
use askfirst_domain::{
    Id, Timestamp,
    change::{Change, Expect},
};
use askfirst_policy::Snapshot;
use std::sync::Arc;

pub(super) struct Plan<'a> {
    pub(super) scope: &'a EnvScope,
    /// The state with the changes so far, so that what comes later finds what came before.
    pub(super) snapshot: Snapshot,
    draft: Draft,
    applied: Applied,
}

impl<'a> Plan<'a> {
    pub(super) fn new(scope: &'a EnvScope, state: &Arc<LiveState>) -> Self {
        let draft = Draft { expects: vec![Expect::SchemaAt(state.schema_revision)], ..Draft::default() };
        Self { scope, snapshot: state.snapshot.clone(), draft, applied: Applied::default() }
    }

    pub(super) fn finish(self) -> (Draft, Applied) {
        (self.draft, self.applied)
    }

    pub(super) fn now(&self) -> Timestamp {
        self.scope.op.now
    }

    pub(super) fn fresh<K>(&self) -> Result<Id<K>> {
        self.scope.engine.fresh_id(&self.scope.op)
    }

    pub(super) fn create(&mut self, kind: &'static str, change: Change) {
        *self.applied.created.entry(kind).or_default() += 1;
        self.push(change);
    }

    pub(super) fn change(&mut self, kind: &'static str, change: Change) {
        *self.applied.changed.entry(kind).or_default() += 1;
        self.push(change);
    }

    pub(super) fn unchanged(&mut self) {
        self.applied.unchanged += 1;
    }

    pub(super) fn expect(&mut self, expect: Expect) {
        self.draft.expects.push(expect);
    }

    /// Only the schema is looked up in the snapshot while planning; facts are looked up in the store.
    fn push(&mut self, change: Change) {
        if matches!(
            change,
            Change::PutResource(_) | Change::PutRole(_) | Change::PutRelation(_) | Change::PutElement(_)
        ) {
            self.snapshot = self.snapshot.apply(std::slice::from_ref(&change));
        }
        self.draft.changes.push(change);
    }
}
