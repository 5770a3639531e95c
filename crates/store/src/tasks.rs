//! Tasks that were submitted over the AuthZEN access request endpoint, the names by which they are found again, and the
//! public keys of the tokens that were signed on the way.
//!
//! Each write is whole by itself. Whoever submits takes the names first, opens the requests then and keeps the task last, each
//! step of which can be done again: whoever stopped in the middle is carried on by the next try.

use crate::{
    Found, StoreError,
    body::Body,
    sql::{Cells, tasks},
    store::{all, one, upkeep},
};
use askfirst_domain::{Timestamp, audit::PublicKey, id::EnvId, task::Task};
use async_trait::async_trait;

/// A name that stands for one task, and for the first one that took it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskName {
    pub name: String,
    pub task: String,
    /// Of what was submitted under the name; empty where that does not matter.
    pub digest: String,
    pub kept_until: Timestamp,
}

/// Submitted tasks. Part of every [`crate::Store`].
#[async_trait]
pub trait Tasks: Send + Sync {
    /// Keeps a task. False when there is one with this id: it stays.
    async fn put_task(&self, env: EnvId, task: &Task) -> Result<bool, StoreError>;
    /// One task.
    async fn task(&self, env: EnvId, id: &str) -> Found<Task>;
    /// Takes a name. False when it is taken: of any number of callers at once, one gets it.
    async fn take_task_name(&self, env: EnvId, name: &TaskName) -> Result<bool, StoreError>;
    /// One name.
    async fn task_name(&self, env: EnvId, name: &str) -> Found<TaskName>;
    /// Lets the names of one task stand for another.
    async fn rename_task(&self, env: EnvId, from: &str, to: &str) -> Result<(), StoreError>;
    /// Keeps the public half of a key that signs tokens.
    async fn put_token_key(&self, key: &PublicKey, kept_until: Timestamp) -> Result<(), StoreError>;
    /// The public keys whose tokens may still count.
    async fn token_keys(&self, now: Timestamp) -> Result<Vec<PublicKey>, StoreError>;
}

#[async_trait]
impl<B: Body> Tasks for B {
    async fn put_task(&self, env: EnvId, task: &Task) -> Result<bool, StoreError> {
        Ok(upkeep(self, tasks::put(env, task)?).await? > 0)
    }

    async fn task(&self, env: EnvId, id: &str) -> Found<Task> {
        one(self, tasks::one(env, id), |row| Cells::of("task", row).json()).await
    }

    async fn take_task_name(&self, env: EnvId, name: &TaskName) -> Result<bool, StoreError> {
        Ok(upkeep(self, tasks::take_name(env, name)).await? > 0)
    }

    async fn task_name(&self, env: EnvId, name: &str) -> Found<TaskName> {
        let decode = |row: &B::Row| {
            let mut c = Cells::of("name of a task", row);
            Ok(TaskName { name: c.text()?, task: c.text()?, digest: c.text()?, kept_until: c.at()? })
        };
        one(self, tasks::name(env, name), decode).await
    }

    async fn rename_task(&self, env: EnvId, from: &str, to: &str) -> Result<(), StoreError> {
        upkeep(self, tasks::rename(env, from, to)).await.map(drop)
    }

    async fn put_token_key(&self, key: &PublicKey, kept_until: Timestamp) -> Result<(), StoreError> {
        upkeep(self, tasks::put_key(key, kept_until)).await.map(drop)
    }

    async fn token_keys(&self, now: Timestamp) -> Result<Vec<PublicKey>, StoreError> {
        let decode = |row: &B::Row| {
            let bytes = Cells::of("key of tokens", row).bytes()?;
            PublicKey::from_bytes(&bytes)
                .map_err(|e| StoreError::Corrupt { what: "key of tokens", detail: e.to_string() })
        };
        all(self, tasks::keys(now), decode).await
    }
}
