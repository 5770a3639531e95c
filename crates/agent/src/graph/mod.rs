//! A typed graph of steps that can stop for a human and go on later.
//!
//! A run is a sequence of supersteps. In each, all nodes that are due run at the same time on the same
//! state; then their updates are applied in the order of node names, and the edges say which nodes are
//! due next. The new state and the list of due nodes are saved in one transaction, so a thread is always
//! between two supersteps, also after a crash.

mod builder;
mod error;
mod node;
mod plan;
mod run;
mod state;
mod step;

pub use builder::{CompileOptions, DEFAULT_RECURSION_LIMIT, END, NodeOptions, START, StateGraph};
pub use error::{CompileError, ResumeError, RunError};
pub use node::{Command, Node, NodeContext, NodeError, NodeResult, NodeStop};
pub use run::{Event, Graph, Input, Outcome, Resume, RunConfig, Snapshot, ThreadStatus};
pub use state::{State, UpdateError};

#[cfg(test)]
mod tests;
