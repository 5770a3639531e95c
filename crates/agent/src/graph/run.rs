//! Running a compiled graph: input, answers, going on, and looking at a thread.

use super::builder::{CompileOptions, START, StateGraph};
use super::error::{ResumeError, RunError};
use super::state::State;
use crate::checkpoint::{
    Checkpoint, CheckpointError, CheckpointSource, Checkpointer, StoredCheckpoint, TaskResult,
};
use crate::ids::{CheckpointId, InterruptId, ThreadId};
use crate::interrupt::Interrupt;
use futures::stream::{self, Stream, StreamExt};
use serde_json::Value;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::mpsc;
use tokio_stream::wrappers::UnboundedReceiverStream;

/// A runnable graph. Cheap to clone; all clones share one line of runs per thread.
pub struct Graph<S: State> {
    pub(super) inner: Arc<Inner<S>>,
}

pub(super) struct Inner<S: State> {
    pub(super) graph: StateGraph<S>,
    pub(super) options: CompileOptions,
    lines: Mutex<HashMap<ThreadId, Arc<tokio::sync::Mutex<()>>>>,
}

impl<S: State> Clone for Graph<S> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone() }
    }
}

impl<S: State> std::fmt::Debug for Graph<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Graph").field("graph", &self.inner.graph).finish_non_exhaustive()
    }
}

/// Which thread to run, and how far.
#[derive(Debug, Clone)]
pub struct RunConfig {
    /// The thread. A graph without a checkpointer forgets it at once.
    pub thread: ThreadId,
    /// Overrides the graph's limit of supersteps for this run.
    pub recursion_limit: Option<u32>,
}

impl RunConfig {
    /// Runs this thread with the graph's limit.
    pub fn thread(id: impl Into<String>) -> Self {
        Self { thread: ThreadId::new(id), recursion_limit: None }
    }
}

/// Why a run begins.
#[derive(Debug, Clone)]
pub enum Input<U> {
    /// New input. Refused while the thread waits for an answer or has an unfinished run.
    New(U),
    /// New input that gives up whatever the thread was waiting for or had not finished. Open questions
    /// can no longer be answered.
    AbandonAndStart(U),
    /// Goes on where the thread stopped: after a crash, a failed node or the recursion limit.
    Continue,
    /// Answers questions and goes on.
    Resume(Resume),
}

/// Answers to open questions. Built through [`Input::answer`], [`Input::answers`] or [`Input::scalar`].
#[derive(Debug, Clone)]
pub struct Resume(Answers);

#[derive(Debug, Clone)]
enum Answers {
    Named(Vec<(InterruptId, Value)>),
    Scalar(Value),
}

impl<U> Input<U> {
    /// Answers one question. This is how an answer should be given: it can reach only the question that
    /// was shown.
    pub fn answer(interrupt: &Interrupt, value: Value) -> Self {
        Self::answers([(interrupt.id.clone(), value)])
    }

    /// Answers several questions at once: all, or none and an error. Questions that are left out stay open, and
    /// their nodes are not run again.
    pub fn answers(answers: impl IntoIterator<Item = (InterruptId, Value)>) -> Self {
        Self::Resume(Resume(Answers::Named(answers.into_iter().collect())))
    }

    /// Answers the only open question, whichever it is by now.
    pub fn scalar(value: Value) -> Self {
        Self::Resume(Resume(Answers::Scalar(value)))
    }
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome<S> {
    /// Nothing is left to run.
    Finished(S),
    /// Nodes wait for a human.
    Interrupted {
        /// The state before the waiting superstep.
        state: S,
        /// The open questions, in the order of node names.
        interrupts: Vec<Interrupt>,
    },
}

impl<S> Outcome<S> {
    /// The open questions; empty when the run finished.
    pub fn interrupts(&self) -> &[Interrupt] {
        match self {
            Self::Finished(_) => &[],
            Self::Interrupted { interrupts, .. } => interrupts,
        }
    }

    /// The state.
    pub fn state(&self) -> &S {
        match self {
            Self::Finished(state) | Self::Interrupted { state, .. } => state,
        }
    }
}

/// What a stream tells while a graph runs.
#[derive(Debug, Clone)]
pub enum Event<S: State> {
    /// A node finished with this update. Siblings come in the order in which they finish.
    Update {
        /// The node.
        node: String,
        /// Its update, if it had one.
        update: Option<S::Update>,
    },
    /// The run stopped for a human. Last event of such a run.
    Interrupted(Vec<Interrupt>),
    /// The run finished. Last event of such a run.
    Finished(S),
}

/// A thread at one moment.
#[derive(Debug, Clone, PartialEq)]
pub struct Snapshot<S> {
    /// Id of the checkpoint.
    pub checkpoint: CheckpointId,
    /// The one before.
    pub parent: Option<CheckpointId>,
    /// Supersteps before it.
    pub step: u64,
    /// What made it.
    pub source: CheckpointSource,
    /// The state.
    pub state: S,
    /// Nodes that are due.
    pub next: Vec<String>,
    /// Questions without an answer.
    pub interrupts: Vec<Interrupt>,
    /// Messages of the tasks that failed here.
    pub failures: Vec<String>,
}

/// What a thread needs next.
#[derive(Debug, Clone, PartialEq)]
pub enum ThreadStatus {
    /// It does not exist yet; [`Input::New`].
    New,
    /// It has finished; [`Input::New`].
    Finished,
    /// It waits for answers; [`Input::answer`].
    Interrupted(Vec<Interrupt>),
    /// It was cut off, or a node failed; [`Input::Continue`].
    Unfinished {
        /// The nodes that are due.
        next: Vec<String>,
    },
}

pub(super) type Sink<'a, S> = Option<&'a mpsc::UnboundedSender<Result<Event<S>, RunError>>>;

/// Where a run stands.
pub(super) struct Position<S> {
    pub(super) stored: StoredCheckpoint,
    pub(super) state: S,
}

impl<S: State> Graph<S> {
    pub(super) fn new(graph: StateGraph<S>, options: CompileOptions) -> Self {
        Self { inner: Arc::new(Inner { graph, options, lines: Mutex::default() }) }
    }

    /// Runs until the graph finishes or waits for a human.
    ///
    /// Runs of one thread on one graph wait for each other.
    ///
    /// # Errors
    /// See [`RunError`]. What was saved before the error stays.
    pub async fn invoke(&self, config: &RunConfig, input: Input<S::Update>) -> Result<Outcome<S>, RunError> {
        Box::pin(self.run(config, input, None)).await
    }

    /// The same as [`invoke`](Self::invoke), telling what happens on the way. A failed run ends with an
    /// `Err` item. Dropping the stream stops the run where it is; it can be continued.
    pub fn stream(
        &self,
        config: RunConfig,
        input: Input<S::Update>,
    ) -> impl Stream<Item = Result<Event<S>, RunError>> + Send + Unpin + use<S> {
        let (sender, receiver) = mpsc::unbounded_channel();
        let graph = self.clone();
        let run = async move {
            let last = match graph.run(&config, input, Some(&sender)).await {
                Ok(Outcome::Finished(state)) => Ok(Event::Finished(state)),
                Ok(Outcome::Interrupted { interrupts, .. }) => Ok(Event::Interrupted(interrupts)),
                Err(error) => Err(error),
            };
            // The receiver is gone only when the whole stream is.
            let _ = sender.send(last);
        };
        let silent = stream::once(run).filter_map(|()| async { None });
        Box::pin(stream::select(UnboundedReceiverStream::new(receiver), silent))
    }

    /// What the thread needs next.
    ///
    /// # Errors
    /// The thread cannot be read, or the graph has no checkpointer.
    pub async fn status(&self, thread: &ThreadId) -> Result<ThreadStatus, RunError> {
        let Some(head) = self.saver()?.head(thread).await? else { return Ok(ThreadStatus::New) };
        let pending = head.pending();
        Ok(if head.checkpoint.next.is_empty() {
            ThreadStatus::Finished
        } else if pending.is_empty() {
            ThreadStatus::Unfinished { next: head.checkpoint.next }
        } else {
            ThreadStatus::Interrupted(pending)
        })
    }

    /// The newest state of a thread.
    ///
    /// # Errors
    /// The thread cannot be read, or the graph has no checkpointer.
    pub async fn snapshot(&self, thread: &ThreadId) -> Result<Option<Snapshot<S>>, RunError> {
        self.saver()?.head(thread).await?.map(snapshot_of).transpose()
    }

    /// The newest `limit` states of a thread, newest first.
    ///
    /// # Errors
    /// The thread cannot be read, or the graph has no checkpointer.
    pub async fn history(&self, thread: &ThreadId, limit: u32) -> Result<Vec<Snapshot<S>>, RunError> {
        self.saver()?.history(thread, limit).await?.into_iter().map(snapshot_of).collect()
    }

    pub(super) fn saver(&self) -> Result<&Arc<dyn Checkpointer>, RunError> {
        self.inner.options.checkpointer.as_ref().ok_or(RunError::NoCheckpointer)
    }

    fn line(&self, thread: &ThreadId) -> Arc<tokio::sync::Mutex<()>> {
        let mut lines = self.inner.lines.lock().unwrap_or_else(PoisonError::into_inner);
        // A line that only this map still holds has nobody in it.
        lines.retain(|_, line| Arc::strong_count(line) > 1);
        lines.entry(thread.clone()).or_default().clone()
    }

    async fn run(
        &self,
        config: &RunConfig,
        input: Input<S::Update>,
        sink: Sink<'_, S>,
    ) -> Result<Outcome<S>, RunError> {
        let thread = &config.thread;
        if let Input::Resume(Resume(answers)) = &input {
            // The answer is taken before waiting for a run in progress: of two answers to one question
            // the second is refused at once, and the first is durable whatever happens next.
            self.take_answers(thread, answers.clone()).await?;
        }
        let line = self.line(thread);
        let _turn = line.lock().await;
        let position = match input {
            Input::New(update) => self.start(thread, update, CheckpointSource::Input).await?,
            Input::AbandonAndStart(update) => {
                self.start(thread, update, CheckpointSource::InputAfterAbandoning).await?
            }
            Input::Continue | Input::Resume(_) => {
                let stored = self.saver()?.head(thread).await?.ok_or(ResumeError::NoThread)?;
                if stored.checkpoint.next.is_empty() {
                    return Err(RunError::NothingToContinue);
                }
                let state = read_state(&stored.checkpoint)?;
                Position { stored, state }
            }
        };
        self.run_from(config, position, sink).await
    }

    async fn start(
        &self,
        thread: &ThreadId,
        update: S::Update,
        source: CheckpointSource,
    ) -> Result<Position<S>, RunError> {
        let head = match &self.inner.options.checkpointer {
            Some(saver) => saver.head(thread).await?,
            None => None,
        };
        if source == CheckpointSource::Input
            && let Some(head) = &head
            && !head.checkpoint.next.is_empty()
        {
            let pending = head.pending();
            return Err(if pending.is_empty() {
                RunError::Unfinished { next: head.checkpoint.next.clone() }
            } else {
                RunError::Interrupted { pending }
            });
        }
        let mut state: S = match &head {
            Some(head) => read_state(&head.checkpoint)?,
            None => S::default(),
        };
        let ids = &*self.inner.options.ids;
        state.apply(update, ids).map_err(|source| RunError::Update { from: START.to_owned(), source })?;
        let next = self.next_after(&[START], &[], &state)?;
        let step = head.as_ref().map_or(0, |h| h.checkpoint.step.saturating_add(1));
        self.save(thread, head.map(|h| h.checkpoint.id), step, source, state, next).await
    }

    /// Saves a new head and stands there.
    pub(super) async fn save(
        &self,
        thread: &ThreadId,
        parent: Option<CheckpointId>,
        step: u64,
        source: CheckpointSource,
        state: S,
        next: Vec<String>,
    ) -> Result<Position<S>, RunError> {
        let id = CheckpointId::new(self.inner.options.ids.next_id());
        let json = serde_json::to_value(&state).map_err(CheckpointError::from)?;
        let checkpoint = Checkpoint { id, parent, step, source, state: json, next };
        if let Some(saver) = &self.inner.options.checkpointer {
            saver.append(thread, &checkpoint).await?;
        }
        let stored = StoredCheckpoint { checkpoint, results: Vec::new(), interrupts: Vec::new() };
        Ok(Position { stored, state })
    }

    async fn take_answers(&self, thread: &ThreadId, answers: Answers) -> Result<(), RunError> {
        let saver = self.saver()?;
        let head = saver.head(thread).await?.ok_or(ResumeError::NoThread)?;
        let open: Vec<InterruptId> = head.pending().into_iter().map(|i| i.id).collect();
        let answers = match answers {
            Answers::Named(answers) if answers.is_empty() => return Err(ResumeError::NoAnswer.into()),
            Answers::Named(answers) => answers,
            Answers::Scalar(value) => match open.as_slice() {
                [only] => vec![(only.clone(), value)],
                [] if head.checkpoint.next.is_empty() => return Err(ResumeError::Finished.into()),
                [] => return Err(ResumeError::NothingOpen.into()),
                _ => return Err(ResumeError::SeveralOpen { open }.into()),
            },
        };
        saver.answer(thread, &answers).await.map_err(|error| match error {
            CheckpointError::AlreadyAnswered { id } => ResumeError::Conflict { id }.into(),
            CheckpointError::NoLongerAsked { id } => ResumeError::NoLongerAsked { id, open }.into(),
            CheckpointError::UnknownInterrupt { .. } if head.checkpoint.next.is_empty() => {
                ResumeError::Finished.into()
            }
            CheckpointError::UnknownInterrupt { id, .. } => ResumeError::Unknown { id, open }.into(),
            other => RunError::Checkpoint(other),
        })
    }
}

pub(super) fn read_state<S: State>(checkpoint: &Checkpoint) -> Result<S, RunError> {
    Ok(serde_json::from_value(checkpoint.state.clone()).map_err(CheckpointError::from)?)
}

fn snapshot_of<S: State>(stored: StoredCheckpoint) -> Result<Snapshot<S>, RunError> {
    let interrupts = stored.pending();
    let failures = stored.results.into_iter().filter_map(|(_, result)| match result {
        TaskResult::Failed { message } => Some(message),
        TaskResult::Finished { .. } => None,
    });
    Ok(Snapshot {
        state: read_state(&stored.checkpoint)?,
        checkpoint: stored.checkpoint.id,
        parent: stored.checkpoint.parent,
        step: stored.checkpoint.step,
        source: stored.checkpoint.source,
        next: stored.checkpoint.next,
        interrupts,
        failures: failures.collect(),
    })
}
