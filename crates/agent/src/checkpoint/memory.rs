//! Threads in memory, for tests and for graphs that need not outlive the process.

use super::{CallState, Checkpoint, CheckpointError, Checkpointer, StoredCheckpoint, TaskResult, TaskWrite};
use crate::ids::{CheckpointId, InterruptId, TaskId, ThreadId};
use crate::interrupt::{Answer, InterruptRecord};
use async_trait::async_trait;
use serde_json::Value;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Keeps threads in memory; they end with the process.
#[derive(Debug, Default)]
pub struct MemorySaver {
    threads: Mutex<HashMap<ThreadId, Thread>>,
}

#[derive(Debug, Default)]
struct Thread {
    line: Vec<Entry>,
    calls: HashMap<(TaskId, String), Option<Value>>,
}

#[derive(Debug)]
struct Entry {
    checkpoint: Checkpoint,
    results: Vec<(TaskId, TaskResult)>,
    interrupts: Vec<(InterruptRecord, Standing)>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Standing {
    Asked,
    Replaced,
}

impl Entry {
    fn stored(&self) -> StoredCheckpoint {
        let asked = self.interrupts.iter().filter(|(_, standing)| *standing == Standing::Asked);
        StoredCheckpoint {
            checkpoint: self.checkpoint.clone(),
            results: self.results.clone(),
            interrupts: asked.map(|(record, _)| record.clone()).collect(),
        }
    }
}

impl Thread {
    fn head_if(&mut self, thread: &ThreadId, id: &CheckpointId) -> Result<&mut Entry, CheckpointError> {
        self.line
            .last_mut()
            .filter(|entry| entry.checkpoint.id == *id)
            .ok_or_else(|| CheckpointError::Conflict { thread: thread.clone() })
    }

    /// Where in the line the question was asked, with its record.
    fn find(&self, id: &InterruptId) -> Option<(usize, &(InterruptRecord, Standing))> {
        self.line.iter().enumerate().find_map(|(at, entry)| {
            entry.interrupts.iter().find(|(record, _)| record.interrupt.id == *id).map(|found| (at, found))
        })
    }
}

impl MemorySaver {
    /// Starts empty.
    pub fn new() -> Self {
        Self::default()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<ThreadId, Thread>> {
        self.threads.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Checkpointer for MemorySaver {
    async fn head(&self, thread: &ThreadId) -> Result<Option<StoredCheckpoint>, CheckpointError> {
        Ok(self.lock().get(thread).and_then(|t| t.line.last()).map(Entry::stored))
    }

    async fn history(&self, thread: &ThreadId, limit: u32) -> Result<Vec<StoredCheckpoint>, CheckpointError> {
        let threads = self.lock();
        let line = threads.get(thread).map_or(&[][..], |t| &t.line);
        Ok(line.iter().rev().take(limit as usize).map(Entry::stored).collect())
    }

    async fn append(&self, thread: &ThreadId, checkpoint: &Checkpoint) -> Result<(), CheckpointError> {
        let mut threads = self.lock();
        let entry = threads.entry(thread.clone()).or_default();
        if entry.line.last().map(|e| &e.checkpoint.id) != checkpoint.parent.as_ref() {
            return Err(CheckpointError::Conflict { thread: thread.clone() });
        }
        entry.line.push(Entry {
            checkpoint: checkpoint.clone(),
            results: Vec::new(),
            interrupts: Vec::new(),
        });
        Ok(())
    }

    async fn put_writes(
        &self,
        thread: &ThreadId,
        head: &CheckpointId,
        writes: &[TaskWrite],
    ) -> Result<(), CheckpointError> {
        let mut threads = self.lock();
        let entry = threads.entry(thread.clone()).or_default().head_if(thread, head)?;
        for write in writes {
            entry.results.retain(|(task, _)| *task != write.task);
            if let Some(result) = &write.result {
                entry.results.push((write.task.clone(), result.clone()));
            }
            for interrupt in &write.interrupts {
                for (record, standing) in &mut entry.interrupts {
                    let place = &record.interrupt;
                    if place.task == interrupt.task
                        && place.key == interrupt.key
                        && place.occurrence == interrupt.occurrence
                    {
                        *standing = Standing::Replaced;
                    }
                }
                match entry.interrupts.iter_mut().find(|(r, _)| r.interrupt.id == interrupt.id) {
                    Some((_, standing)) => *standing = Standing::Asked,
                    None => entry.interrupts.push((
                        InterruptRecord { interrupt: interrupt.clone(), answer: None },
                        Standing::Asked,
                    )),
                }
            }
        }
        Ok(())
    }

    async fn answer(
        &self,
        thread: &ThreadId,
        answers: &[(InterruptId, Value)],
    ) -> Result<(), CheckpointError> {
        let mut threads = self.lock();
        let Some(stored) = threads.get_mut(thread) else {
            return match answers.first() {
                Some((id, _)) => {
                    Err(CheckpointError::UnknownInterrupt { thread: thread.clone(), id: id.clone() })
                }
                None => Ok(()),
            };
        };
        for (id, _) in answers {
            match stored.find(id) {
                None => {
                    return Err(CheckpointError::UnknownInterrupt { thread: thread.clone(), id: id.clone() });
                }
                Some((_, (record, _))) if record.answer.is_some() => {
                    return Err(CheckpointError::AlreadyAnswered { id: id.clone() });
                }
                Some((at, (_, standing)))
                    if at + 1 != stored.line.len() || *standing == Standing::Replaced =>
                {
                    return Err(CheckpointError::NoLongerAsked { id: id.clone() });
                }
                Some(_) => {}
            }
        }
        if let Some(head) = stored.line.last_mut() {
            for (record, _) in &mut head.interrupts {
                if let Some((_, value)) = answers.iter().find(|(id, _)| *id == record.interrupt.id) {
                    record.answer = Some(Answer { value: value.clone() });
                }
            }
        }
        Ok(())
    }

    async fn begin_call(
        &self,
        thread: &ThreadId,
        task: &TaskId,
        call: &str,
    ) -> Result<CallState, CheckpointError> {
        let mut threads = self.lock();
        let calls = &mut threads.entry(thread.clone()).or_default().calls;
        let key = (task.clone(), call.to_owned());
        Ok(match calls.get(&key) {
            Some(Some(result)) => CallState::Finished(result.clone()),
            Some(None) => CallState::Begun,
            None => {
                calls.insert(key, None);
                CallState::New
            }
        })
    }

    async fn finish_call(
        &self,
        thread: &ThreadId,
        task: &TaskId,
        call: &str,
        result: &Value,
    ) -> Result<(), CheckpointError> {
        let mut threads = self.lock();
        let calls = &mut threads.entry(thread.clone()).or_default().calls;
        calls.insert((task.clone(), call.to_owned()), Some(result.clone()));
        Ok(())
    }

    async fn delete_thread(&self, thread: &ThreadId) -> Result<(), CheckpointError> {
        self.lock().remove(thread);
        Ok(())
    }
}
