//! How a graph behaves. The state below has one channel with a reducer and one that holds a value.

mod durable;
mod interrupts;
mod supersteps;

use super::*;
use crate::checkpoint::{Checkpointer, MemorySaver};
use crate::ids::{IdSource, SequentialIds};
use serde::{Deserialize, Serialize};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct Notes {
    log: Vec<String>,
    owner: Option<String>,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Note {
    log: Vec<String>,
    owner: Option<String>,
}

impl State for Notes {
    type Update = Note;

    fn apply(&mut self, update: Note, _ids: &dyn IdSource) -> Result<(), UpdateError> {
        self.log.extend(update.log);
        if update.owner.is_some() {
            self.owner = update.owner;
        }
        Ok(())
    }

    fn last_value_writes(update: &Note) -> Vec<&'static str> {
        update.owner.iter().map(|_| "owner").collect()
    }
}

fn note(text: impl Into<String>) -> Note {
    Note { log: vec![text.into()], owner: None }
}

/// A node that only notes its own name.
async fn noted(_: Notes, cx: NodeContext) -> NodeResult<Notes> {
    Ok(Command::update(note(cx.node())))
}

fn options() -> CompileOptions {
    with_saver(Arc::new(MemorySaver::new()))
}

fn with_saver(saver: Arc<dyn Checkpointer>) -> CompileOptions {
    CompileOptions {
        checkpointer: Some(saver),
        ids: Arc::new(SequentialIds::new("id")),
        recursion_limit: DEFAULT_RECURSION_LIMIT,
    }
}

fn thread() -> RunConfig {
    RunConfig::thread("t")
}

fn log(outcome: &Outcome<Notes>) -> Vec<&str> {
    outcome.state().log.iter().map(String::as_str).collect()
}

/// Counts the runs of a node.
#[derive(Debug, Clone, Default)]
struct Count(Arc<AtomicUsize>);

impl Count {
    fn up(&self) -> usize {
        self.0.fetch_add(1, Ordering::SeqCst) + 1
    }

    fn get(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

/// A value that a test changes between runs of a node.
type Shared<T> = Arc<Mutex<T>>;
