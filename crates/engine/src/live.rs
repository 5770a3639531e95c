//! The live state of an environment: a snapshot in memory that readers take without a lock and that follows the change
//! log, revision by revision.

use crate::error::Result;
use arc_swap::ArcSwap;
use askfirst_domain::{change::Change, id::EnvId, request::Request};
use askfirst_policy::{Loader, Snapshot};
use askfirst_store::Store;
use std::{collections::BTreeMap, sync::Arc};
use tokio::sync::{Mutex, broadcast};
use uuid::Uuid;

/// How many decisions a slow listener may be behind before it has to read the store again.
const EVENTS_KEPT: usize = 1024;
/// How many changes are read from the log at once.
const CATCH_UP: usize = 10_000;

/// The state of an environment at one revision.
#[derive(Debug, Clone)]
pub struct LiveState {
    pub epoch: Uuid,
    pub revision: u64,
    /// The newest revision that changed the schema, or an earlier state's whole revision after a start.
    pub schema_revision: u64,
    pub snapshot: Snapshot,
}

/// The live state and whoever waits for it to change.
#[derive(Debug)]
pub(crate) struct Live {
    env: EnvId,
    state: ArcSwap<LiveState>,
    /// Commits that were answered before the ones in front of them. Held while applying, so states never go back.
    waiting: Mutex<BTreeMap<u64, Vec<Change>>>,
    requests: broadcast::Sender<Arc<Request>>,
}

impl Live {
    /// Builds the state from the store.
    pub(crate) async fn load(store: &dyn Store, env: EnvId) -> Result<Self> {
        let mut loader = Loader::default();
        let head = store.load(env, &mut |changes| loader.load(&changes)).await?;
        let state = LiveState {
            epoch: head.epoch,
            revision: head.revision,
            schema_revision: head.revision,
            snapshot: loader.finish(),
        };
        Ok(Self {
            env,
            state: ArcSwap::from_pointee(state),
            waiting: Mutex::default(),
            requests: broadcast::channel(EVENTS_KEPT).0,
        })
    }

    /// The newest state that this process has.
    pub(crate) fn state(&self) -> Arc<LiveState> {
        self.state.load_full()
    }

    /// Looks at the newest state without counting a reference to it, for the hot path.
    pub(crate) fn with<T>(&self, look: impl FnOnce(&LiveState) -> T) -> T {
        look(&self.state.load())
    }

    /// Every request as it is written, from now on. A listener that lags must read the store.
    pub(crate) fn requests(&self) -> broadcast::Receiver<Arc<Request>> {
        self.requests.subscribe()
    }

    /// Takes a commit that the store has answered; returns once the state shows it.
    pub(crate) async fn committed(
        &self,
        store: &dyn Store,
        revision: u64,
        changes: Vec<Change>,
    ) -> Result<()> {
        let mut waiting = self.waiting.lock().await;
        waiting.insert(revision, changes);
        self.advance(&mut waiting);
        // The commit in front of this one has not come by yet: the log has it.
        while self.state.load().revision < revision {
            if !self.read_log(store, &mut waiting).await? {
                break;
            }
        }
        Ok(())
    }

    /// Reads what others have written.
    pub(crate) async fn catch_up(&self, store: &dyn Store) -> Result<()> {
        let mut waiting = self.waiting.lock().await;
        while self.read_log(store, &mut waiting).await? {}
        Ok(())
    }

    async fn read_log(&self, store: &dyn Store, waiting: &mut BTreeMap<u64, Vec<Change>>) -> Result<bool> {
        let records = store.changes_after(self.env, self.state.load().revision, CATCH_UP).await?;
        let any = !records.is_empty();
        let mut by_revision: BTreeMap<u64, Vec<Change>> = BTreeMap::new();
        for record in records {
            by_revision.entry(record.revision).or_default().push(record.change);
        }
        waiting.extend(by_revision);
        self.advance(waiting);
        Ok(any)
    }

    /// Applies what follows the state without a gap.
    fn advance(&self, waiting: &mut BTreeMap<u64, Vec<Change>>) {
        let mut state = LiveState::clone(&self.state.load());
        let mut written = Vec::new();
        let before = state.revision;
        while let Some(entry) = waiting.first_entry() {
            let revision = *entry.key();
            if revision > state.revision + 1 {
                break;
            }
            let changes = entry.remove();
            if revision <= state.revision {
                continue;
            }
            state.snapshot = state.snapshot.apply(&changes);
            state.revision = revision;
            if changes.iter().any(Change::is_schema) {
                state.schema_revision = revision;
            }
            written.extend(changes.into_iter().filter_map(|change| match change {
                Change::PutRequest(request) => Some(Arc::new(request)),
                _ => None,
            }));
        }
        if state.revision > before {
            self.state.store(Arc::new(state));
        }
        for request in written {
            // Nobody listening is no failure.
            let _ = self.requests.send(request);
        }
    }
}
