//! What can be wrong with a graph, and what can go wrong while it runs.

use super::state::UpdateError;
use crate::canonical::CanonicalError;
use crate::checkpoint::CheckpointError;
use crate::ids::InterruptId;
use crate::interrupt::Interrupt;

/// A graph that cannot be compiled.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CompileError {
    /// The name belongs to the runtime.
    #[error("`{0}` is a reserved name; give the node another one")]
    ReservedName(String),
    /// Two nodes have one name.
    #[error("there are two nodes named `{0}`; names must be unique")]
    DuplicateNode(String),
    /// An edge or a list of destinations names a node that is not there.
    #[error("`{from}` leads to `{to}`, which is not a node of this graph")]
    UnknownNode {
        /// Where the edge starts.
        from: String,
        /// The name that no node has.
        to: String,
    },
    /// Nothing would run.
    #[error("no edge leaves the start; add an edge from `__start__` to the first node")]
    NoStart,
    /// An answer would have nowhere to wait.
    #[error("node `{0}` can stop for a human, which needs a checkpointer; compile the graph with one")]
    NeedsCheckpointer(String),
    /// The runtime would stop before the first step.
    #[error("the recursion limit must be at least 1")]
    ZeroRecursionLimit,
}

/// Why a run ended without finishing and without a question.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// A node failed. Results of its siblings are kept and so are answers; the thread can go on with
    /// [`Input::Continue`](super::Input::Continue).
    #[error("node `{node}` failed: {message}")]
    NodeFailed {
        /// The node.
        node: String,
        /// What it said.
        message: String,
        /// The error itself.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A node went, or a condition pointed, where no node is or where it had not declared to go.
    #[error("`{from}` wants to go to `{to}`; it may go to: {allowed}")]
    UnknownDestination {
        /// The node that ran.
        from: String,
        /// Where it wanted to go.
        to: String,
        /// Where it may go.
        allowed: String,
    },
    /// Two nodes of one superstep wrote a channel that holds one value.
    #[error("`{first}` and `{second}` both wrote `{channel}` in one step; it takes one value per step")]
    ConcurrentWrite {
        /// The channel.
        channel: String,
        /// The first writer by name.
        first: String,
        /// The second.
        second: String,
    },
    /// An update does not fit the state.
    #[error("the update of `{from}` does not fit the state: {source}")]
    Update {
        /// The node, or `__start__` for input.
        from: String,
        /// Why.
        source: UpdateError,
    },
    /// The graph did not finish within the allowed number of supersteps. The thread is saved and can go on.
    #[error("the graph took {limit} steps without finishing; look for a loop, or raise the recursion limit")]
    RecursionLimit {
        /// The limit.
        limit: u32,
    },
    /// New input, but the thread waits for answers.
    #[error("the thread waits for an answer ({} open); answer it, or abandon it explicitly", pending.len())]
    Interrupted {
        /// The open questions.
        pending: Vec<Interrupt>,
    },
    /// New input, but an earlier run has not finished.
    #[error("an earlier run of this thread is not finished (next: {}); continue it, or abandon it", next.join(", "))]
    Unfinished {
        /// The nodes that would run next.
        next: Vec<String>,
    },
    /// Nothing is left to do.
    #[error("the thread has nothing left to run; send new input")]
    NothingToContinue,
    /// The answer was refused.
    #[error(transparent)]
    Resume(#[from] ResumeError),
    /// A node asked a human, but nothing could keep the question.
    #[error("node `{node}` stopped for a human, but the graph has no checkpointer; compile it with one")]
    InterruptWithoutCheckpointer {
        /// The node.
        node: String,
    },
    /// The thread was asked to go on, but nothing keeps threads.
    #[error("a graph without a checkpointer cannot go on where it stopped; compile it with one")]
    NoCheckpointer,
    /// The thread could not be read or written.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// A payload has no digest.
    #[error(transparent)]
    Canonical(#[from] CanonicalError),
}

/// Why an answer was refused. The thread did not change.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ResumeError {
    /// The question has an answer already.
    #[error("question `{id}` has already been answered; the first answer stands")]
    Conflict {
        /// The question.
        id: InterruptId,
    },
    /// No such question.
    #[error("this thread has no question with the id `{id}`; open questions: {}", listed(open))]
    Unknown {
        /// The id that was given.
        id: InterruptId,
        /// The open questions.
        open: Vec<InterruptId>,
    },
    /// The thread no longer asks this.
    #[error("question `{id}` is no longer asked; open questions: {}", listed(open))]
    NoLongerAsked {
        /// The question.
        id: InterruptId,
        /// The open questions.
        open: Vec<InterruptId>,
    },
    /// An answer that names no question, but several are open.
    #[error("several questions are open ({}); say which one the answer is for", listed(open))]
    SeveralOpen {
        /// The open questions.
        open: Vec<InterruptId>,
    },
    /// Nothing is open, because the run has finished.
    #[error("the thread has finished and asks nothing; send new input")]
    Finished,
    /// Nothing is open, but the run has not finished.
    #[error("the thread asks nothing at the moment; continue it instead")]
    NothingOpen,
    /// No such thread.
    #[error("this thread does not exist yet; start it with input")]
    NoThread,
    /// An empty list of answers.
    #[error("there is no answer in this resume; give at least one")]
    NoAnswer,
}

fn listed(ids: &[InterruptId]) -> String {
    if ids.is_empty() {
        return "none".to_owned();
    }
    ids.iter().map(InterruptId::as_str).collect::<Vec<_>>().join(", ")
}
