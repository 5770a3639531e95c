//! Tasks as they are told to whoever may follow them, and withdrawn.

use super::{Reason, Rejection, complete::approval_id, keys::Purpose};
use crate::{EnvScope, error::Result};
use askfirst_domain::{
    Ident, Timestamp,
    id::ApiKeyId,
    principal::Principal,
    request::{Request, Status},
    task::{Shape, Task, TaskItem, TaskStatus},
};
use serde_json::{Map, Value, json};

/// A task, as it is at a moment.
#[derive(Debug, Clone)]
pub struct TaskRead {
    pub task: Task,
    pub status: TaskStatus,
    /// In the order of the submission.
    pub items: Vec<ItemRead>,
    /// When nothing of it can be decided any more.
    pub expires_at: Timestamp,
    /// Whether whoever reads it may withdraw it now.
    pub may_cancel: bool,
    /// When something about it changed last, and which item that was.
    pub(crate) last_moved: Option<(Timestamp, usize)>,
}

/// One thing that was asked for.
#[derive(Debug, Clone)]
pub struct ItemRead {
    pub item: TaskItem,
    pub status: TaskStatus,
    pub approval: Option<ApprovalRead>,
}

/// An approval, to be presented as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApprovalRead {
    pub id: String,
    pub approved_at: Timestamp,
    pub approved_until: Timestamp,
    /// A JWS that says the same.
    pub state: String,
}

impl EnvScope {
    /// One task. Whoever opens the environment with a key may follow it.
    ///
    /// # Errors
    /// [`Reason::UnknownTask`], [`Reason::TaskExpired`].
    pub async fn access_task(&self, id: &str) -> Result<TaskRead, Rejection> {
        let unknown =
            || Rejection::new(Reason::UnknownTask, "There is no such task, or this key does not open it.");
        let task = self.engine.store().task(self.env.id, id).await?.ok_or_else(unknown)?;
        if task.kept_until <= self.op.now {
            return Err(Rejection::new(
                Reason::TaskExpired,
                "This task has ended and is not told of any more.",
            ));
        }
        self.read_task(task).await
    }

    pub(crate) async fn read_task(&self, task: Task) -> Result<TaskRead, Rejection> {
        let mut items = Vec::with_capacity(task.items.len());
        let (mut expires_at, mut last_moved) = (None::<Timestamp>, None);
        for (n, item) in task.items.iter().enumerate() {
            let found = self.engine.store().request(self.env.id, item.request).await?;
            let Some(found) = found else {
                items.push(ItemRead { item: item.clone(), status: TaskStatus::Failed, approval: None });
                continue;
            };
            let request = found.value.at(self.op.now);
            expires_at = expires_at.max(request.deadline);
            last_moved = last_moved.max(Some((request.updated_at, n)));
            let approval = self.approval_of(&request).await?;
            items.push(ItemRead { item: item.clone(), status: request.status.into(), approval });
        }
        let status = TaskStatus::of_all(items.iter().map(|item| item.status));
        let may_cancel =
            status == TaskStatus::Pending && task.caller.is_some() && task.caller == self.calling_key();
        let expires_at = expires_at.unwrap_or(task.kept_until);
        Ok(TaskRead { task, status, items, expires_at, may_cancel, last_moved })
    }

    /// Withdraws what is pending of a task. The key that submitted it may.
    ///
    /// # Errors
    /// [`Reason::UnknownTask`], [`Reason::TaskExpired`]; [`Reason::InvalidTaskState`] when nothing of it is pending.
    pub async fn cancel_task(&self, id: &str, reason: Option<String>) -> Result<TaskRead, Rejection> {
        let read = self.access_task(id).await?;
        if read.task.caller.is_none() || read.task.caller != self.calling_key() {
            return Err(crate::Error::forbidden(
                "Only the key that submitted a task may withdraw it; this one may follow it.",
            )
            .into());
        }
        if read.status != TaskStatus::Pending {
            return Err(Rejection::new(
                Reason::InvalidTaskState,
                format!("This task is {} and can't be withdrawn.", read.status.as_str()),
            ));
        }
        for item in read.items.iter().filter(|item| item.status == TaskStatus::Pending) {
            let Some(request) = self.engine.store().request(self.env.id, item.item.request).await? else {
                continue;
            };
            let requester = Ident::from(request.value.requester.id.uuid());
            let acting = self.act_for(&requester).await?;
            match acting.cancel(&Ident::from(item.item.request.uuid()), reason.clone()).await {
                Ok(_) => {}
                // Decided in the meantime; in a bundle the others are withdrawn all the same.
                Err(error) if error.kind() == crate::Kind::Conflict && read.task.shape == Shape::Bundle => {}
                Err(error) if error.kind() == crate::Kind::Conflict => {
                    return Err(Rejection::new(Reason::InvalidTaskState, error.message()));
                }
                Err(error) => return Err(error.into()),
            }
        }
        self.access_task(id).await
    }

    pub(super) fn calling_key(&self) -> Option<ApiKeyId> {
        match &self.op.principal {
            Principal::ApiKey { id, .. } => Some(*id),
            _ => None,
        }
    }

    /// What an approved request gives; none for any other.
    async fn approval_of(&self, request: &Request) -> Result<Option<ApprovalRead>> {
        let (Status::Approved, Some(grant), Some(link)) = (request.status, &request.grant, &request.task)
        else {
            return Ok(None);
        };
        let (Some(id), Some(approved_at), Some(approved_until)) =
            (approval_id(request.id, link), request.reviewed_at, grant.ends_at)
        else {
            return Ok(None);
        };
        let seconds = |at: Timestamp| at.micros().div_euclid(1_000_000);
        let ours = &self.engine.settings().public_url;
        let claims = Map::from_iter([
            ("iss".to_owned(), json!(ours)),
            ("aud".to_owned(), json!(ours)),
            ("iat".to_owned(), json!(seconds(approved_at))),
            ("exp".to_owned(), json!(seconds(approved_until))),
            ("env".to_owned(), json!(self.env.id)),
            ("approval_id".to_owned(), Value::String(id.clone())),
        ]);
        let state = self.engine.signer().await?.token(Purpose::Approval, &claims)?;
        Ok(Some(ApprovalRead { id, approved_at, approved_until, state }))
    }
}
