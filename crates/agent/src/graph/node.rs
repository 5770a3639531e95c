//! What a node is given and what it gives back.

use super::State;
use crate::checkpoint::{CallState, Checkpointer};
use crate::ids::{TaskId, ThreadId};
use crate::interrupt::InterruptLog;
use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::fmt;
use std::future::Future;
use std::sync::Arc;

/// One step of a graph. Any `async fn(S, NodeContext) -> NodeResult<S>` is a node.
#[async_trait]
pub trait Node<S: State>: Send + Sync {
    /// Runs the step on the state of the superstep's start.
    async fn run(&self, state: S, cx: NodeContext) -> NodeResult<S>;
}

#[async_trait]
impl<S, F, Fut> Node<S> for F
where
    S: State,
    F: Fn(S, NodeContext) -> Fut + Send + Sync,
    Fut: Future<Output = NodeResult<S>> + Send,
{
    async fn run(&self, state: S, cx: NodeContext) -> NodeResult<S> {
        self(state, cx).await
    }
}

/// What a node returns.
pub type NodeResult<S> = Result<Command<<S as State>::Update>, NodeStop>;

/// What a finished node wants: a change of the state, and where to go besides the static edges.
///
/// This is the node's half of `LangGraph`'s `Command`. The other half (`resume`) is the caller's and is
/// [`Input::answer`](super::Input::answer), so a node cannot answer a question and a caller cannot jump.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Command<U> {
    /// The change of the state.
    #[serde(default = "Option::default", skip_serializing_if = "Option::is_none")]
    pub update: Option<U>,
    /// Nodes to run next, in addition to those that static and conditional edges name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub goto: Vec<String>,
}

impl<U> Command<U> {
    /// Changes nothing; only the edges decide what comes next.
    pub fn nothing() -> Self {
        Self { update: None, goto: Vec::new() }
    }

    /// Changes the state.
    pub fn update(update: U) -> Self {
        Self { update: Some(update), goto: Vec::new() }
    }

    /// Goes to a node.
    pub fn goto(node: impl Into<String>) -> Self {
        Self { update: None, goto: vec![node.into()] }
    }

    /// Goes to one more node.
    #[must_use]
    pub fn and_goto(mut self, node: impl Into<String>) -> Self {
        self.goto.push(node.into());
        self
    }

    /// Changes the state as well.
    #[must_use]
    pub fn and_update(mut self, update: U) -> Self {
        self.update = Some(update);
        self
    }
}

/// Why a node did not finish: it waits for a human, or it failed.
///
/// It is deliberately not an error type. `?` turns any error into it, but it turns into no error, so
/// ordinary error handling cannot swallow a question by accident. A node that drops it on purpose
/// stays stopped: the runtime keeps its own list of open questions.
#[must_use = "a stopped node has to return this to the runtime"]
pub struct NodeStop(pub(crate) Stop);

pub(crate) enum Stop {
    Waiting,
    Failed(NodeError),
}

/// Why a node failed.
pub type NodeError = Box<dyn std::error::Error + Send + Sync>;

impl NodeStop {
    /// A failure that is only a sentence.
    pub fn failed(message: impl Into<String>) -> Self {
        Self(Stop::Failed(message.into().into()))
    }
}

impl fmt::Debug for NodeStop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Stop::Waiting => f.write_str("NodeStop(waiting for a human)"),
            Stop::Failed(error) => write!(f, "NodeStop(failed: {error})"),
        }
    }
}

impl<E: std::error::Error + Send + Sync + 'static> From<E> for NodeStop {
    fn from(error: E) -> Self {
        Self(Stop::Failed(Box::new(error)))
    }
}

/// What a node run knows about itself.
#[derive(Debug, Clone)]
pub struct NodeContext {
    pub(crate) thread: Option<ThreadId>,
    pub(crate) task: TaskId,
    pub(crate) node: String,
    pub(crate) step: u64,
    pub(crate) log: Arc<InterruptLog>,
    pub(crate) checkpointer: Option<Arc<dyn Checkpointer>>,
}

impl NodeContext {
    /// The thread, unless the graph runs without a checkpointer.
    pub fn thread(&self) -> Option<&ThreadId> {
        self.thread.as_ref()
    }

    /// This run of the node; the same when the node is run again after an interrupt or a crash.
    pub fn task(&self) -> &TaskId {
        &self.task
    }

    /// Name of the node.
    pub fn node(&self) -> &str {
        &self.node
    }

    /// Number of the superstep within the thread.
    pub fn step(&self) -> u64 {
        self.step
    }

    /// Asks a human and returns the answer.
    ///
    /// The first time this stops the node. When the answer is there, the node runs again from its first
    /// line and this call returns it, provided that `payload` is still what was shown; otherwise the
    /// new payload is asked. Several questions of one node run are told apart by `key`, and under one
    /// key by their order.
    ///
    /// # Errors
    /// [`NodeStop`], to be returned with `?`.
    pub fn interrupt(&self, key: &str, payload: Value) -> Result<Value, NodeStop> {
        match self.log.ask(key, payload)? {
            Ok(answer) => Ok(answer),
            Err(_raised) => Err(NodeStop(Stop::Waiting)),
        }
    }

    /// Notes that a call with side effects begins, or tells what is known of it from an earlier run of
    /// this task. Without a checkpointer every call is new.
    ///
    /// # Errors
    /// The note could not be stored; the call must not be made then.
    pub async fn begin_call(&self, call: &str) -> Result<CallState, NodeStop> {
        match (&self.checkpointer, &self.thread) {
            (Some(saver), Some(thread)) => Ok(saver.begin_call(thread, &self.task, call).await?),
            _ => Ok(CallState::New),
        }
    }

    /// Stores the result of a call that [`begin_call`](Self::begin_call) noted.
    ///
    /// # Errors
    /// The result could not be stored.
    pub async fn finish_call(&self, call: &str, result: Value) -> Result<(), NodeStop> {
        if let (Some(saver), Some(thread)) = (&self.checkpointer, &self.thread) {
            saver.finish_call(thread, &self.task, call, &result).await?;
        }
        Ok(())
    }
}
