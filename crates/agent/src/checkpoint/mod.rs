//! Where threads are kept.
//!
//! A thread is a line of checkpoints. To a checkpoint belong the results of nodes that finished while a
//! sibling still waits, the questions that its nodes asked, and their answers. Everything is JSON.

mod memory;
mod sqlite;

pub use memory::MemorySaver;
pub use sqlite::SqliteSaver;

use crate::ids::{CheckpointId, InterruptId, TaskId, ThreadId};
use crate::interrupt::{Interrupt, InterruptRecord};
use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// One saved state of a thread.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Checkpoint {
    /// Its id, unique within the thread.
    pub id: CheckpointId,
    /// The checkpoint before it.
    pub parent: Option<CheckpointId>,
    /// Number of supersteps before it, from 0.
    pub step: u64,
    /// What made it.
    pub source: CheckpointSource,
    /// The state.
    pub state: Value,
    /// Nodes to run next, sorted by name. Empty when the graph has finished.
    pub next: Vec<String>,
}

/// What made a checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckpointSource {
    /// New input of the caller.
    Input,
    /// New input that gave up what the thread was waiting for.
    InputAfterAbandoning,
    /// A superstep.
    Step,
}

/// A checkpoint with everything that is stored under it.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredCheckpoint {
    /// The checkpoint.
    pub checkpoint: Checkpoint,
    /// Results of tasks that are not yet part of a later state.
    pub results: Vec<(TaskId, TaskResult)>,
    /// Questions that its tasks asked, with their answers; questions that were replaced are left out.
    pub interrupts: Vec<InterruptRecord>,
}

impl StoredCheckpoint {
    /// Questions without an answer.
    pub fn pending(&self) -> Vec<Interrupt> {
        self.interrupts.iter().filter(|r| r.answer.is_none()).map(|r| r.interrupt.clone()).collect()
    }
}

/// How a task ended when the superstep as a whole did not.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "result", rename_all = "snake_case")]
pub enum TaskResult {
    /// It finished; the command is applied when its siblings have finished too.
    Finished {
        /// The node's command.
        command: Value,
    },
    /// It failed and runs again when the thread goes on.
    Failed {
        /// What it said.
        message: String,
    },
}

/// What an unfinished superstep leaves behind for one task.
#[derive(Debug, Clone, PartialEq)]
pub struct TaskWrite {
    /// The task.
    pub task: TaskId,
    /// How it ended, if it ended.
    pub result: Option<TaskResult>,
    /// The questions that it asked. A question with the same task, key and occurrence takes the place of
    /// an older one.
    pub interrupts: Vec<Interrupt>,
}

/// What is known of a call with side effects.
#[derive(Debug, Clone, PartialEq)]
pub enum CallState {
    /// It was not begun before; it is noted as begun now.
    New,
    /// It was begun before and no result was stored, so nobody knows what it did.
    Begun,
    /// It was finished with this result.
    Finished(Value),
}

/// Why a saver refused or failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CheckpointError {
    /// Somebody else wrote to the thread in the meantime.
    #[error("thread `{thread}` has gone on in the meantime; read its state again")]
    Conflict {
        /// The thread.
        thread: ThreadId,
    },
    /// The thread has no such question.
    #[error("thread `{thread}` has no question with the id `{id}`")]
    UnknownInterrupt {
        /// The thread.
        thread: ThreadId,
        /// The id that was given.
        id: InterruptId,
    },
    /// The question has an answer already.
    #[error("question `{id}` has already been answered; the first answer stands")]
    AlreadyAnswered {
        /// The question.
        id: InterruptId,
    },
    /// The thread went on without an answer to this question, or asks another one in its place.
    #[error("question `{id}` is no longer asked; read the thread's state for the questions that are")]
    NoLongerAsked {
        /// The question.
        id: InterruptId,
    },
    /// The stored text is not what this version writes.
    #[error("the saved thread cannot be read: {0}")]
    Format(#[from] serde_json::Error),
    /// The database failed.
    #[error("the checkpoint database failed: {0}")]
    Database(#[from] sqlx::Error),
}

/// Keeps threads. One implementation keeps them in memory, one in a file; both pass the same tests.
///
/// Every write names the checkpoint that the writer saw last and fails with
/// [`CheckpointError::Conflict`] when that is no longer the thread's head.
#[async_trait]
pub trait Checkpointer: Send + Sync + std::fmt::Debug {
    /// The newest checkpoint of a thread.
    async fn head(&self, thread: &ThreadId) -> Result<Option<StoredCheckpoint>, CheckpointError>;

    /// The newest `limit` checkpoints of a thread, newest first.
    async fn history(&self, thread: &ThreadId, limit: u32) -> Result<Vec<StoredCheckpoint>, CheckpointError>;

    /// Adds a checkpoint whose parent is the head, in one durable transaction.
    async fn append(&self, thread: &ThreadId, checkpoint: &Checkpoint) -> Result<(), CheckpointError>;

    /// Stores what an unfinished superstep left behind, in one durable transaction.
    async fn put_writes(
        &self,
        thread: &ThreadId,
        head: &CheckpointId,
        writes: &[TaskWrite],
    ) -> Result<(), CheckpointError>;

    /// Stores answers: all of them, or none and an error. Each question must belong to the head and must
    /// not have an answer yet.
    async fn answer(
        &self,
        thread: &ThreadId,
        answers: &[(InterruptId, Value)],
    ) -> Result<(), CheckpointError>;

    /// Notes that a call with side effects begins, or tells what is known of it.
    async fn begin_call(
        &self,
        thread: &ThreadId,
        task: &TaskId,
        call: &str,
    ) -> Result<CallState, CheckpointError>;

    /// Stores the result of a call.
    async fn finish_call(
        &self,
        thread: &ThreadId,
        task: &TaskId,
        call: &str,
        result: &Value,
    ) -> Result<(), CheckpointError>;

    /// Forgets a thread and everything under it.
    async fn delete_thread(&self, thread: &ThreadId) -> Result<(), CheckpointError>;
}

#[cfg(test)]
mod contract;
