//! One superstep after the other.

use super::builder::{END, START};
use super::error::RunError;
use super::node::{Command, NodeContext, NodeError, Stop};
use super::run::{Event, Graph, Outcome, Position, RunConfig, Sink};
use super::state::State;
use crate::canonical::derived_id;
use crate::checkpoint::{CheckpointError, CheckpointSource, TaskResult, TaskWrite};
use crate::ids::TaskId;
use crate::interrupt::{Interrupt, InterruptLog, InterruptRecord};
use futures::stream::{FuturesUnordered, StreamExt};
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

/// A node that is due, with what is known of it from an earlier attempt.
struct Task {
    id: TaskId,
    node: String,
    known: Vec<InterruptRecord>,
    finished: Option<serde_json::Value>,
}

/// How a task stands at the end of a superstep.
enum Ending<U> {
    Finished(Command<U>),
    Waiting(Vec<Interrupt>),
    Failed(NodeError),
}

impl<S: State> Graph<S> {
    pub(super) async fn run_from(
        &self,
        config: &RunConfig,
        mut position: Position<S>,
        sink: Sink<'_, S>,
    ) -> Result<Outcome<S>, RunError> {
        let limit = config.recursion_limit.unwrap_or(self.inner.options.recursion_limit);
        let mut steps = 0;
        loop {
            if position.stored.checkpoint.next.is_empty() {
                return Ok(Outcome::Finished(position.state));
            }
            if steps >= limit {
                return Err(RunError::RecursionLimit { limit });
            }
            steps += 1;
            match Box::pin(self.superstep(config, position, sink)).await? {
                Step::Done(next) => position = next,
                Step::Waiting(outcome) => return Ok(outcome),
            }
        }
    }

    async fn superstep(
        &self,
        config: &RunConfig,
        position: Position<S>,
        sink: Sink<'_, S>,
    ) -> Result<Step<S>, RunError> {
        let tasks = due_tasks(&position);
        let endings = self.run_tasks(config, &position, &tasks, sink).await?;
        if endings.iter().all(|ending| matches!(ending, Ending::Finished(_))) {
            let commands = endings.into_iter().filter_map(|ending| match ending {
                Ending::Finished(command) => Some(command),
                Ending::Waiting(_) | Ending::Failed(_) => None,
            });
            let commands: Vec<(String, Command<S::Update>)> =
                tasks.into_iter().map(|task| task.node).zip(commands).collect();
            return self.advance(config, position, commands).await.map(Step::Done);
        }
        self.keep(config, &position, &tasks, &endings).await?;
        let mut interrupts = Vec::new();
        for (task, ending) in tasks.into_iter().zip(endings) {
            match ending {
                Ending::Finished(_) => {}
                Ending::Waiting(open) => interrupts.extend(open),
                Ending::Failed(error) => {
                    // The runtime's own findings about a node keep their type.
                    return Err(match error.downcast::<RunError>() {
                        Ok(own) => *own,
                        Err(source) => {
                            let message = source.to_string();
                            RunError::NodeFailed { node: task.node, message, source }
                        }
                    });
                }
            }
        }
        Ok(Step::Waiting(Outcome::Interrupted { state: position.state, interrupts }))
    }

    /// Runs at the same time what has not finished yet and does not wait for an answer.
    async fn run_tasks(
        &self,
        config: &RunConfig,
        position: &Position<S>,
        tasks: &[Task],
        sink: Sink<'_, S>,
    ) -> Result<Vec<Ending<S::Update>>, RunError> {
        let mut endings: Vec<Option<Ending<S::Update>>> = Vec::with_capacity(tasks.len());
        let running = FuturesUnordered::new();
        for (index, task) in tasks.iter().enumerate() {
            let open: Vec<Interrupt> = task
                .known
                .iter()
                .filter(|record| record.answer.is_none())
                .map(|record| record.interrupt.clone())
                .collect();
            endings.push(if let Some(command) = &task.finished {
                let command = serde_json::from_value(command.clone()).map_err(CheckpointError::from)?;
                Some(Ending::Finished(command))
            } else if open.is_empty() {
                running.push(async move { (index, self.run_task(config, position, task).await) });
                None
            } else {
                Some(Ending::Waiting(open))
            });
        }
        let mut running = running;
        while let Some((index, ending)) = running.next().await {
            if let (Some(sink), Ending::Finished(command), Some(task)) = (sink, &ending, tasks.get(index)) {
                let event = Event::Update { node: task.node.clone(), update: command.update.clone() };
                // Nobody listens any more only when the stream, and this run with it, is being dropped.
                let _ = sink.send(Ok(event));
            }
            if let Some(place) = endings.get_mut(index) {
                *place = Some(ending);
            }
        }
        Ok(endings.into_iter().flatten().collect())
    }

    async fn run_task(&self, config: &RunConfig, position: &Position<S>, task: &Task) -> Ending<S::Update> {
        let Some(entry) = self.inner.graph.nodes.iter().find(|entry| entry.name == task.node) else {
            // A thread saved by another version of the graph.
            return Ending::Failed(format!("this graph has no node named `{}`", task.node).into());
        };
        let checkpoint = &position.stored.checkpoint;
        let log =
            InterruptLog::new(checkpoint.id.clone(), task.id.clone(), task.node.clone(), task.known.clone());
        let log = Arc::new(log);
        let checkpointer = self.inner.options.checkpointer.clone();
        let cx = NodeContext {
            thread: checkpointer.is_some().then(|| config.thread.clone()),
            task: task.id.clone(),
            node: task.node.clone(),
            step: checkpoint.step,
            log: log.clone(),
            checkpointer,
        };
        let result = entry.node.run(position.state.clone(), cx).await;
        // The list of open questions decides, not what the node made of them.
        let raised = log.raised();
        if !raised.is_empty() {
            if self.inner.options.checkpointer.is_none() {
                let error = RunError::InterruptWithoutCheckpointer { node: task.node.clone() };
                return Ending::Failed(Box::new(error));
            }
            return Ending::Waiting(raised);
        }
        match result {
            Ok(command) => match self.refused_goto(&task.node, &command.goto) {
                Some(error) => Ending::Failed(Box::new(error)),
                None => Ending::Finished(command),
            },
            Err(stop) => match stop.0 {
                Stop::Failed(error) => Ending::Failed(error),
                Stop::Waiting => Ending::Failed("the node returned a question that it did not ask".into()),
            },
        }
    }

    fn refused_goto(&self, node: &str, goto: &[String]) -> Option<RunError> {
        let entry = self.inner.graph.nodes.iter().find(|entry| entry.name == node)?;
        let mut allowed: Vec<&str> = match &entry.options.destinations {
            Some(names) => names.iter().map(String::as_str).collect(),
            None => self.inner.graph.nodes.iter().map(|entry| entry.name.as_str()).collect(),
        };
        allowed.push(END);
        let to = goto.iter().find(|to| !allowed.contains(&to.as_str()))?;
        let (from, to) = (node.to_owned(), to.clone());
        Some(RunError::UnknownDestination { from, to, allowed: allowed.join(", ") })
    }

    /// Applies all commands and saves the new state: the one transaction of a whole superstep.
    async fn advance(
        &self,
        config: &RunConfig,
        position: Position<S>,
        commands: Vec<(String, Command<S::Update>)>,
    ) -> Result<Position<S>, RunError> {
        let mut writers: HashMap<&'static str, &str> = HashMap::new();
        for (node, command) in &commands {
            for channel in command.update.iter().flat_map(S::last_value_writes) {
                if let Some(first) = writers.insert(channel, node).filter(|first| first != node) {
                    return Err(RunError::ConcurrentWrite {
                        channel: channel.to_owned(),
                        first: first.to_owned(),
                        second: node.clone(),
                    });
                }
            }
        }
        let mut state = position.state;
        let mut gotos: Vec<String> = Vec::new();
        let mut nodes: Vec<String> = Vec::new();
        for (node, command) in commands {
            if let Some(update) = command.update {
                state
                    .apply(update, &*self.inner.options.ids)
                    .map_err(|source| RunError::Update { from: node.clone(), source })?;
            }
            gotos.extend(command.goto);
            nodes.push(node);
        }
        let nodes: Vec<&str> = nodes.iter().map(String::as_str).collect();
        let next = self.next_after(&nodes, &gotos, &state)?;
        let checkpoint = position.stored.checkpoint;
        let step = checkpoint.step.saturating_add(1);
        self.save(&config.thread, Some(checkpoint.id), step, CheckpointSource::Step, state, next).await
    }

    /// The nodes that are due after `nodes`, each once and sorted by name. A `goto` comes in addition to
    /// the edges and does not replace them.
    pub(super) fn next_after(
        &self,
        nodes: &[&str],
        gotos: &[String],
        state: &S,
    ) -> Result<Vec<String>, RunError> {
        let graph = &self.inner.graph;
        let mut next: BTreeSet<String> = gotos.iter().cloned().collect();
        for node in nodes {
            next.extend(graph.edges.iter().filter(|(from, _)| from == node).map(|(_, to)| to.clone()));
            for branch in graph.branches.get(*node).into_iter().flatten() {
                for to in (branch.router)(state) {
                    if !branch.destinations.iter().any(|(known, _)| *known == to) {
                        let allowed: Vec<&str> =
                            branch.destinations.iter().map(|(d, _)| d.as_str()).collect();
                        let from = if *node == START { START } else { node };
                        return Err(RunError::UnknownDestination {
                            from: from.to_owned(),
                            to,
                            allowed: allowed.join(", "),
                        });
                    }
                    next.insert(to);
                }
            }
        }
        next.remove(END);
        Ok(next.into_iter().collect())
    }

    /// Saves what a superstep that did not finish leaves behind.
    async fn keep(
        &self,
        config: &RunConfig,
        position: &Position<S>,
        tasks: &[Task],
        endings: &[Ending<S::Update>],
    ) -> Result<(), RunError> {
        let Some(saver) = &self.inner.options.checkpointer else { return Ok(()) };
        let mut writes = Vec::with_capacity(tasks.len());
        for (task, ending) in tasks.iter().zip(endings) {
            let (result, interrupts) = match ending {
                Ending::Finished(command) => {
                    let command = serde_json::to_value(command).map_err(CheckpointError::from)?;
                    (Some(TaskResult::Finished { command }), Vec::new())
                }
                Ending::Waiting(open) => (None, open.clone()),
                Ending::Failed(error) => {
                    (Some(TaskResult::Failed { message: error.to_string() }), Vec::new())
                }
            };
            writes.push(TaskWrite { task: task.id.clone(), result, interrupts });
        }
        saver.put_writes(&config.thread, &position.stored.checkpoint.id, &writes).await?;
        Ok(())
    }
}

enum Step<S> {
    Done(Position<S>),
    Waiting(Outcome<S>),
}

/// The due nodes in the order of their names, which is the order in which their updates are applied.
fn due_tasks<S>(position: &Position<S>) -> Vec<Task> {
    let stored = &position.stored;
    let checkpoint = &stored.checkpoint;
    let mut due: Vec<Task> = Vec::with_capacity(checkpoint.next.len());
    for node in &checkpoint.next {
        let id = TaskId::new(derived_id(&[checkpoint.id.as_str(), node]));
        let finished = stored.results.iter().find_map(|(task, result)| match result {
            TaskResult::Finished { command } if *task == id => Some(command.clone()),
            TaskResult::Finished { .. } | TaskResult::Failed { .. } => None,
        });
        let known = stored.interrupts.iter().filter(|r| r.interrupt.task == id).cloned().collect();
        due.push(Task { id, node: node.clone(), known, finished });
    }
    due
}
