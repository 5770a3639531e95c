//! A question to a human in the middle of a node.
//!
//! A node that asks is stopped, and runs again from its first line when the answer is there. The
//! answer belongs to the exact payload that was shown: it is returned only where the node asks the
//! same thing again, under the same key and with the same digest. If the node asks something else by
//! then, the new question is shown and the old answer is not used.

use crate::canonical::{CanonicalError, Digest, derived_id};
use crate::ids::{CheckpointId, InterruptId, TaskId};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// A question that waits for a human.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Interrupt {
    /// Names this question; an answer is given to it.
    pub id: InterruptId,
    /// The saved state from which the asking node runs.
    pub checkpoint: CheckpointId,
    /// The run of the node that asks.
    pub task: TaskId,
    /// Name of the node.
    pub node: String,
    /// The key under which the node asks.
    pub key: String,
    /// How many questions with this key the node asked before this one, in one run.
    pub occurrence: u32,
    /// What is shown.
    pub payload: Value,
    /// Digest of the payload.
    pub digest: Digest,
    /// Set when this question takes the place of another one that was already shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mismatch: Option<InterruptMismatch>,
}

/// A node asked for something else than what the human had been shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InterruptMismatch {
    /// The question that was shown before.
    pub shown: InterruptId,
    /// The digest of what was shown before.
    pub shown_digest: Digest,
    /// Whether the human had answered it; that answer is not used.
    pub answered: bool,
}

/// An answer. A type of its own, so that `null`, `false`, `""` and `{}` are answers and not the lack of one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// What the human answered.
    pub value: Value,
}

/// A question as it is stored, with its answer when there is one.
#[derive(Debug, Clone, PartialEq)]
pub struct InterruptRecord {
    /// The question.
    pub interrupt: Interrupt,
    /// The answer.
    pub answer: Option<Answer>,
}

/// What a node run asked, and what it was answered before.
#[derive(Debug)]
pub(crate) struct InterruptLog {
    checkpoint: CheckpointId,
    task: TaskId,
    node: String,
    stored: Vec<InterruptRecord>,
    inner: Mutex<LogInner>,
}

#[derive(Debug, Default)]
struct LogInner {
    asked: HashMap<String, u32>,
    raised: Vec<Interrupt>,
}

/// The node must stop here.
#[derive(Debug)]
pub(crate) struct Raised;

impl InterruptLog {
    pub(crate) fn new(
        checkpoint: CheckpointId,
        task: TaskId,
        node: String,
        stored: Vec<InterruptRecord>,
    ) -> Self {
        Self { checkpoint, task, node, stored, inner: Mutex::default() }
    }

    /// The answer to this question, or its registration as open.
    pub(crate) fn ask(&self, key: &str, payload: Value) -> Result<Result<Value, Raised>, CanonicalError> {
        let digest = Digest::of(&payload)?;
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let counter = inner.asked.entry(key.to_owned()).or_insert(0);
        let occurrence = *counter;
        *counter = counter.saturating_add(1);
        let known =
            self.stored.iter().find(|r| r.interrupt.key == key && r.interrupt.occurrence == occurrence);
        let mismatch = match known {
            Some(InterruptRecord { interrupt, answer }) if interrupt.digest == digest => {
                if let Some(Answer { value }) = answer {
                    return Ok(Ok(value.clone()));
                }
                inner.raised.push(interrupt.clone());
                return Ok(Err(Raised));
            }
            Some(InterruptRecord { interrupt, answer }) => Some(InterruptMismatch {
                shown: interrupt.id.clone(),
                shown_digest: interrupt.digest.clone(),
                answered: answer.is_some(),
            }),
            None => None,
        };
        // The question that this one replaces is part of the id: a node that goes back to an older payload
        // asks anew and does not pick up the answer that was given to it then.
        let replaced = mismatch.as_ref().map_or("", |m| m.shown.as_str());
        let id = derived_id(&[self.task.as_str(), key, &occurrence.to_string(), digest.as_str(), replaced]);
        inner.raised.push(Interrupt {
            id: InterruptId::new(id),
            checkpoint: self.checkpoint.clone(),
            task: self.task.clone(),
            node: self.node.clone(),
            key: key.to_owned(),
            occurrence,
            payload,
            digest,
            mismatch,
        });
        Ok(Err(Raised))
    }

    /// The questions that stay open. Not empty means that the node stopped, whatever it returned.
    pub(crate) fn raised(&self) -> Vec<Interrupt> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner).raised.clone()
    }
}
