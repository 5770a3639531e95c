//! The decision log: what was asked of the policy, and what it answered.
//!
//! Decisions come thousands at a time and are nearly alike, so they are not kept as rows. A [`Packer`] packs those of one
//! environment and one hour into segments, in which each word stands once; a row of the database is a segment, with its
//! range of time and of revisions, and a filter that says which names it can't hold. A list looks at segments newest
//! first and opens those that can match. Small segments are merged later ([`DecisionLog::merge`]).
//!
//! The log stands beside the store and not in its transactions: it must cost a decision nothing, so the last of it may be
//! lost when the process is killed.

mod bytes;
#[cfg(feature = "contract")]
pub mod contract;
mod filter;
mod opened;
mod packer;
mod pages;
mod postgres;
mod record;
mod segments;
mod sqlite;
mod terms;

pub use filter::{DecisionFilter, Thing};
pub use packer::{Packer, Segment};
pub use postgres::PostgresDecisions;
pub use record::{DecisionId, DecisionRecord, LeftOut, Mark, Stamp};
pub use sqlite::SqliteDecisions;

use crate::{Found, StoreError};
use askfirst_domain::{Timestamp, id::EnvId};
use async_trait::async_trait;
use std::{collections::BTreeSet, fmt::Debug};

/// Part of the log, newest first.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct DecisionPage {
    pub records: Vec<DecisionRecord>,
    /// Where to go on, when there may be more. A page can be short, and even empty, with more behind it: a list looks
    /// through a part of the log at a time.
    pub next: Option<Mark>,
}

/// Decisions that were made and are not in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Missed {
    pub from: Timestamp,
    pub to: Timestamp,
    pub decisions: u64,
}

/// What is written at once.
#[derive(Debug, Clone, Default)]
pub struct Packed {
    pub segments: Vec<Segment>,
    pub missed: Vec<(EnvId, Missed)>,
}

/// What is to be kept of the log; the rest may go.
#[derive(Debug, Clone, Default)]
pub struct Keep {
    /// What ends before this may go.
    pub since: Option<Timestamp>,
    /// How many bytes the segments may take; the oldest of all environments go first.
    pub bytes: Option<u64>,
    /// What is of none of these environments may go, once it is older than the moment.
    pub environments: Option<(Vec<EnvId>, Timestamp)>,
}

/// How many segments users are counted in: eight million decisions where many are made, read in about a second.
pub const COUNTED_AT_ONCE: usize = 2048;

/// Whether a step of housekeeping has left something to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Something was done; call again.
    More,
    /// There was nothing to do.
    Done,
}

/// The log. All methods may be called at once from many tasks.
#[async_trait]
pub trait DecisionLog: Send + Sync + Debug {
    /// Writes all of it or nothing.
    async fn append(&self, packed: &Packed) -> Result<(), StoreError>;

    /// Decisions of an environment, newest first: those before `before`, at most `limit`.
    async fn page(
        &self,
        env: EnvId,
        filter: &DecisionFilter,
        before: Option<Mark>,
        limit: u32,
    ) -> Result<DecisionPage, StoreError>;
    /// One decision.
    async fn find(&self, env: EnvId, id: DecisionId) -> Found<DecisionRecord>;
    /// How many decisions match; stops counting at `at_most`.
    async fn count(&self, env: EnvId, filter: &DecisionFilter, at_most: u64) -> Result<u64, StoreError>;
    /// The keys of the users whom decisions since a moment are about, whether or not there are such users. Looks at the
    /// newest [`COUNTED_AT_ONCE`] segments and no further.
    async fn users(&self, env: EnvId, since: Timestamp) -> Result<BTreeSet<String>, StoreError>;
    /// What is missing within the time, oldest first; 100 entries at most, the newest.
    async fn missed(
        &self,
        env: EnvId,
        from: Option<Timestamp>,
        to: Option<Timestamp>,
    ) -> Result<Vec<Missed>, StoreError>;

    /// How many bytes the segments take.
    async fn size(&self) -> Result<u64, StoreError>;
    /// Merges some small segments into one: many of an hour, or what is left of an hour that is over.
    async fn merge(&self, now: Timestamp) -> Result<Step, StoreError>;
    /// Deletes some of what need not be kept.
    async fn purge(&self, keep: &Keep) -> Result<Step, StoreError>;

    /// Waits for what is being written, and disconnects. Whatever is asked afterwards is answered with
    /// [`StoreError::Closed`]. Closing twice is fine.
    async fn close(&self);
}
