//! An environment's audit log as it grows, for those who follow it: what is new is read once and given to all of them.
//!
//! It is about levels and not events: a follower says up to where it has the log, so nothing is missed by asking late, and
//! nobody's slowness keeps anything in memory.

use askfirst_domain::{
    audit::{ChainId, Entry},
    id::EnvId,
};
use askfirst_store::{Store, StoreError};
use std::{
    collections::VecDeque,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};
use tokio::sync::{Mutex, watch};

/// How many of the newest events are kept in memory.
const KEPT: usize = 1024;
/// How many are read at once.
const PAGE: u32 = 1024;

/// The newest part of a log, and whoever waits for it to grow.
#[derive(Debug)]
pub(crate) struct Feed {
    env: EnvId,
    /// Counts how often it may have grown.
    grown: watch::Sender<u64>,
    /// The length that the database was last seen to have.
    heard: AtomicU64,
    tail: Mutex<Tail>,
}

/// What was read.
#[derive(Debug, Default)]
struct Tail {
    /// What [`Feed::grown`] counted before it was read; none before the first time.
    read: Option<u64>,
    /// The number of the last event.
    end: u64,
    /// The events up to the last one, without a gap.
    recent: VecDeque<Arc<Entry>>,
}

/// What comes after a place in the log.
#[derive(Debug)]
pub(super) enum After {
    /// These, oldest first; there may be more.
    Entries(Vec<Arc<Entry>>),
    /// Nothing yet.
    Nothing,
    /// More than is kept in memory; the store has it.
    Older,
    /// There is no such place: the log ends before it, at this event.
    Nowhere(u64),
}

impl Feed {
    pub(crate) fn of(env: EnvId) -> Self {
        Self { env, grown: watch::Sender::new(0), heard: AtomicU64::new(0), tail: Mutex::default() }
    }

    /// There may be more now.
    pub(crate) fn grew(&self) {
        self.grown.send_modify(|times| *times = times.wrapping_add(1));
    }

    /// The database was seen to have so many events; for what other processes write, and what is written without a revision.
    pub(crate) fn heard(&self, events: u64) {
        if self.heard.swap(events, Ordering::AcqRel) != events {
            self.grew();
        }
    }

    /// The log may be another one now: a backup was restored.
    pub(crate) async fn replaced(&self) {
        *self.tail.lock().await = Tail::default();
        self.grew();
    }

    /// Hears of it when there may be more.
    pub(super) fn follow(&self) -> watch::Receiver<u64> {
        self.grown.subscribe()
    }

    /// What comes after event `n`.
    pub(super) async fn after(&self, store: &dyn Store, n: u64) -> Result<After, StoreError> {
        let asked = *self.grown.borrow();
        let mut tail = self.tail.lock().await;
        if tail.read.is_none_or(|read| read < asked) {
            tail.read_on(store, self.env).await?;
            tail.read = Some(asked);
        }
        Ok(tail.after(n))
    }

    /// The number of the last event.
    pub(super) async fn end(&self, store: &dyn Store) -> Result<u64, StoreError> {
        store.audit_head(ChainId::new(Some(self.env))).await.map(|head| head.n)
    }
}

impl Tail {
    /// Reads what is new. When that is more than is kept, only where the log ends: those who miss it read the store.
    async fn read_on(&mut self, store: &dyn Store, env: EnvId) -> Result<(), StoreError> {
        if self.read.is_some() {
            let new = store.audit_chain(Some(env), self.end, PAGE).await?;
            if new.len() < KEPT {
                for entry in new {
                    self.end = entry.n;
                    self.recent.push_back(Arc::new(entry));
                }
                let surplus = self.recent.len().saturating_sub(KEPT);
                self.recent.drain(..surplus);
                return Ok(());
            }
        }
        self.recent.clear();
        self.end = store.audit_head(ChainId::new(Some(env))).await?.n;
        Ok(())
    }

    fn after(&self, n: u64) -> After {
        if n > self.end {
            return After::Nowhere(self.end);
        }
        let missing = usize::try_from(self.end - n).unwrap_or(usize::MAX);
        match self.recent.len().checked_sub(missing) {
            _ if missing == 0 => After::Nothing,
            Some(seen) => After::Entries(self.recent.iter().skip(seen).cloned().collect()),
            None => After::Older,
        }
    }
}
