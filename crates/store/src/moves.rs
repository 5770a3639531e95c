//! How far the environments have moved, for those who wait for it.
//!
//! It is about levels and not events: who waits says which revision is not enough, so nothing is missed by asking late.

use crate::Head;
use askfirst_domain::id::EnvId;
use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::sync::watch;

/// How often the database is asked how far somebody else's process has taken it. The other process says so at once; this
/// is for what it says being lost.
pub(crate) const POLL: Duration = Duration::from_millis(250);

/// What is known about the newest revisions, of those environments that somebody has waited for.
#[derive(Debug)]
pub(crate) struct Moves {
    /// None once the store is closed.
    awaited: Mutex<Option<Awaited>>,
    /// The version of the directory that was last heard of. None once the store is closed.
    directory: Mutex<Option<watch::Sender<u64>>>,
}

type Awaited = HashMap<EnvId, watch::Sender<u64>>;

impl Moves {
    pub(crate) fn new() -> Self {
        Self { awaited: Mutex::new(Some(HashMap::new())), directory: Mutex::new(Some(watch::Sender::new(0))) }
    }

    fn awaited(&self) -> MutexGuard<'_, Option<Awaited>> {
        // An entry is never half changed, so a poisoned lock has nothing broken behind it.
        self.awaited.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn directory(&self) -> MutexGuard<'_, Option<watch::Sender<u64>>> {
        self.directory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Follows the directory from now on; none once the store is closed.
    pub(crate) fn follow_directory(&self) -> Option<watch::Receiver<u64>> {
        self.directory().as_ref().map(watch::Sender::subscribe)
    }

    /// The directory is said to have this version. Who follows it looks at the database, so no more is made of it.
    pub(crate) fn directory_reached(&self, version: u64) {
        if let Some(known) = self.directory().as_ref() {
            known.send_replace(version);
        }
    }

    /// Follows an environment from now on; none once the store is closed. Whoever waits looks at the database once
    /// after this, for what was before. The receiver fails when nobody knows any more how far the environment is.
    pub(crate) fn follow(&self, env: EnvId) -> Option<watch::Receiver<u64>> {
        let mut awaited = self.awaited();
        Some(awaited.as_mut()?.entry(env).or_insert_with(|| watch::Sender::new(0)).subscribe())
    }

    /// The environments that somebody waits for at this moment, and how far they are known to be; the others are
    /// forgotten.
    pub(crate) fn followed(&self) -> Vec<(EnvId, u64)> {
        let mut awaited = self.awaited();
        let Some(awaited) = awaited.as_mut() else { return Vec::new() };
        awaited.retain(|_, known| known.receiver_count() > 0);
        awaited.iter().map(|(env, known)| (*env, *known.borrow())).collect()
    }

    /// An environment is known to be this far.
    pub(crate) fn reached(&self, env: EnvId, revision: u64) {
        if let Some(known) = self.awaited().as_ref().and_then(|awaited| awaited.get(&env)) {
            known.send_if_modified(|newest| {
                let further = revision > *newest;
                *newest = revision.max(*newest);
                further
            });
        }
    }

    /// It is not known any more how far the environment is: who waits for it is let go, to look.
    pub(crate) fn lost(&self, env: EnvId) {
        if let Some(awaited) = self.awaited().as_mut() {
            awaited.remove(&env);
        }
    }

    /// As [`Moves::lost`], for all.
    pub(crate) fn all_lost(&self) {
        if let Some(awaited) = self.awaited().as_mut() {
            awaited.clear();
        }
    }

    /// Lets everybody go, and takes nobody any more.
    pub(crate) fn close(&self) {
        *self.awaited() = None;
        *self.directory() = None;
    }
}

/// Whether an environment is beyond a revision, or not there to be waited for.
pub(crate) fn is_beyond(head: Option<Head>, revision: u64) -> bool {
    head.is_none_or(|head| head.revision > revision)
}
