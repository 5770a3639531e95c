//! Tasks: what was submitted over the AuthZEN access request endpoint, as its caller follows it. A task is a view of the
//! requests that it opened and has no state of its own but what was submitted.

use crate::{
    Timestamp,
    id::{ApiKeyId, RequestId},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What was submitted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Task {
    /// Unguessable, and no credential.
    pub id: String,
    /// The key that submitted it: it may cancel.
    pub caller: Option<ApiKeyId>,
    /// Whether it was submitted as a list of items.
    pub shape: Shape,
    /// In the order of the submission; one unless it is a bundle.
    pub items: Vec<TaskItem>,
    pub created_at: Timestamp,
    /// From then on nothing is told of it.
    pub kept_until: Timestamp,
    pub callback: Option<Callback>,
}

/// How a task was submitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Shape {
    Single,
    Bundle,
}

/// One thing that was asked for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TaskItem {
    pub request: RequestId,
    pub resource: Value,
    pub action: Value,
}

/// Where the submitter wants to be told.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Callback {
    pub endpoint: String,
    /// Given back as it is.
    pub state: Option<Value>,
    /// Of which ends it wants to be told; none: of all.
    pub events: Option<Vec<TaskStatus>>,
}

/// What a request keeps of the task that opened it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskLink {
    pub task: String,
    /// The random half of the approval's id.
    pub approval: String,
}

/// Where a task, or one of its items, stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TaskStatus {
    Pending,
    Approved,
    Denied,
    Expired,
    Cancelled,
    Failed,
    /// Of a bundle: its items ended differently.
    Partial,
}

impl TaskStatus {
    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Approved => "approved",
            Self::Denied => "denied",
            Self::Expired => "expired",
            Self::Cancelled => "cancelled",
            Self::Failed => "failed",
            Self::Partial => "partial",
        }
    }

    /// Where a whole stands, by its items: pending as long as one of them is, what all of them are, else partial.
    pub fn of_all(items: impl IntoIterator<Item = Self>) -> Self {
        let mut whole = None;
        for item in items {
            match (whole, item) {
                (_, Self::Pending) => return Self::Pending,
                (None, item) => whole = Some(item),
                (Some(before), item) if before == item => {}
                (Some(_), _) => whole = Some(Self::Partial),
            }
        }
        whole.unwrap_or(Self::Failed)
    }
}

impl From<crate::request::Status> for TaskStatus {
    fn from(status: crate::request::Status) -> Self {
        use crate::request::Status;
        match status {
            Status::Pending => Self::Pending,
            Status::Approved => Self::Approved,
            Status::Denied => Self::Denied,
            Status::Canceled => Self::Cancelled,
            Status::Expired => Self::Expired,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::TaskStatus::{self, *};

    #[test]
    fn a_whole_is_what_its_items_make_of_it() {
        for (items, whole) in [
            (&[Approved, Approved][..], Approved),
            (&[Denied, Denied], Denied),
            (&[Expired], Expired),
            (&[Approved, Denied], Partial),
            (&[Approved, Denied, Approved], Partial),
            (&[Cancelled, Expired], Partial),
            (&[Approved, Pending], Pending),
            (&[Approved, Denied, Pending], Pending),
            (&[], Failed),
        ] {
            assert_eq!(TaskStatus::of_all(items.iter().copied()), whole, "{items:?}");
        }
    }
}
