//! The queue between decisions and the log.

use super::{Door, LeftOut, Missed, bounds};
use crate::{
    LiveState,
    check::{Ask, Explanation, Given},
};
use askfirst_domain::{Timestamp, decision::Decision, id::EnvId, principal::Principal};
use std::{
    collections::BTreeMap,
    mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::sync::Notify;

/// How many bytes, about, may wait to be written: some seconds of as many decisions as there can be.
const CAPACITY: usize = 32 * 1024 * 1024;
/// So many bytes are written without waiting for more.
const PLENTY: usize = CAPACITY / 8;

/// A decision that was just made. The state is held until it is written, so that the reason can be worked out from it.
#[derive(Debug)]
pub(super) struct Noted {
    pub(super) at: Timestamp,
    pub(super) env: EnvId,
    pub(super) state: Arc<LiveState>,
    pub(super) ask: Ask,
    pub(super) given: Kept,
    pub(super) allow: bool,
    /// Why, where that was worked out for the answer.
    pub(super) told: Option<Box<Told>>,
    pub(super) by: Principal,
    pub(super) door: Door,
    pub(super) seq: u64,
}

/// What a call said besides the names, as far as it is kept.
#[derive(Debug)]
pub(super) enum Kept {
    Nothing,
    All(Box<Given>),
    LeftOut(LeftOut),
}

/// Why an answer is what it is.
#[derive(Debug)]
pub(super) struct Told {
    pub(super) decision: Decision,
    pub(super) sentence: String,
}

impl From<&Explanation> for Told {
    fn from(explained: &Explanation) -> Self {
        Self { decision: explained.decision.clone(), sentence: explained.sentence.clone() }
    }
}

/// Decisions that wait to be written.
#[derive(Debug)]
pub(super) struct Queue {
    waiting: Mutex<Waiting>,
    /// Told when something waits that did not before.
    pub(super) first: Notify,
    /// Told when much waits.
    pub(super) plenty: Notify,
    /// Which process wrote a decision.
    pub(super) writer: u64,
}

#[derive(Debug, Default)]
struct Waiting {
    noted: Vec<Noted>,
    missed: BTreeMap<EnvId, Missed>,
    bytes: usize,
    count: u64,
    is_closed: bool,
}

impl Queue {
    pub(super) fn new(writer: u64) -> Self {
        Self { waiting: Mutex::default(), first: Notify::new(), plenty: Notify::new(), writer }
    }

    /// Nothing is left half done by whoever panicked.
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a decision, or counts it when there is no room.
    pub(super) fn note(&self, mut noted: Noted) {
        let weight = weight(&noted);
        let mut waiting = self.waiting();
        if waiting.is_closed {
            return;
        }
        let was_empty = waiting.bytes == 0;
        let before = waiting.bytes;
        let after = before.saturating_add(weight);
        if after > CAPACITY {
            let new = Missed { from: noted.at, to: noted.at, decisions: 0 };
            let missed = waiting.missed.entry(noted.env).or_insert(new);
            missed.from = missed.from.min(noted.at);
            missed.to = missed.to.max(noted.at);
            missed.decisions += 1;
            // What does not fit is dropped without the lock.
            drop(waiting);
            return;
        }
        noted.seq = waiting.count;
        waiting.count = waiting.count.wrapping_add(1);
        waiting.bytes = after;
        waiting.noted.push(noted);
        drop(waiting);
        // Waking somebody costs more than all the rest, so it is done once for many decisions.
        if was_empty {
            self.first.notify_one();
        } else if before < PLENTY && after >= PLENTY {
            self.plenty.notify_one();
        }
    }

    /// Takes all that waits.
    pub(super) fn drain(&self) -> (Vec<Noted>, BTreeMap<EnvId, Missed>) {
        let room = self.waiting().noted.len();
        // Room is made before the lock is taken, and for as many as the last time.
        let mut fresh = Vec::with_capacity(room);
        let mut waiting = self.waiting();
        waiting.bytes = 0;
        mem::swap(&mut waiting.noted, &mut fresh);
        (fresh, mem::take(&mut waiting.missed))
    }

    /// From now on decisions are dropped.
    pub(super) fn close(&self) {
        self.waiting().is_closed = true;
    }
}

/// About how many bytes a decision takes while it waits.
fn weight(noted: &Noted) -> usize {
    let Ask { user, action, resource, instance, tenant } = &noted.ask;
    let maybe = |text: &Option<String>| text.as_ref().map_or(0, String::len);
    let names = user.len() + action.len() + resource.len() + maybe(instance) + maybe(tenant);
    let given = match &noted.given {
        Kept::All(given) => bounds::weight(given).unwrap_or(bounds::GIVEN),
        Kept::Nothing | Kept::LeftOut(_) => 0,
    };
    let told = noted.told.as_ref().map_or(0, |told| told.sentence.len() + size_of::<Told>());
    size_of::<Noted>() + names + given + told
}
