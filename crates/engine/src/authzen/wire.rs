//! Tasks as the profile writes them: what is answered, and what submitters are told.

use super::{ApprovalRead, ItemRead, TaskRead};
use askfirst_domain::task::{Shape, TaskStatus};
use serde::Serialize;
use serde_json::Value;

/// Where access is asked for.
pub const REQUESTS: &str = "/access/v1/requests";

/// A task and what came of it.
#[derive(Debug, Clone, Serialize)]
pub struct TaskWire {
    pub task: TaskBody,
    /// Of a single one that was approved.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub result: Option<ResultWire>,
}

/// A task.
#[derive(Debug, Clone, Serialize)]
pub struct TaskBody {
    pub id: String,
    pub status: TaskStatus,
    pub status_endpoint: String,
    pub expires_at: String,
    pub links: LinksWire,
    /// Of a bundle, in the order of the submission.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub items: Option<Vec<ItemWire>>,
}

/// Where to go on.
#[derive(Debug, Clone, Serialize)]
pub struct LinksWire {
    /// For whoever may withdraw it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cancel: Option<String>,
}

/// An item of a bundle.
#[derive(Debug, Clone, Serialize)]
pub struct ItemWire {
    pub resource: Value,
    pub action: Value,
    pub status: TaskStatus,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub result: Option<ResultWire>,
}

/// What to do with an approval.
#[derive(Debug, Clone, Serialize)]
pub struct ResultWire {
    pub mode: &'static str,
    pub approval: ApprovalWire,
}

/// An approval, to be presented as it is in `context.approval` of the next evaluation.
#[derive(Debug, Clone, Serialize)]
pub struct ApprovalWire {
    pub id: String,
    pub approved_at: String,
    pub approved_until: String,
    pub state: String,
}

impl TaskRead {
    /// As it is told; `base` is the server's public address.
    pub fn wire(&self, base: &str) -> TaskWire {
        let at = format!("{base}{REQUESTS}/{}", self.task.id);
        let is_bundle = self.task.shape == Shape::Bundle;
        let single = self.items.first().filter(|_| !is_bundle);
        TaskWire {
            result: single.and_then(|item| item.approval.as_ref()).map(result),
            task: TaskBody {
                id: self.task.id.clone(),
                status: self.status,
                expires_at: self.expires_at.to_string(),
                links: LinksWire { cancel: self.may_cancel.then(|| format!("{at}/cancel")) },
                items: is_bundle.then(|| self.items.iter().map(item).collect()),
                status_endpoint: at,
            },
        }
    }
}

fn item(read: &ItemRead) -> ItemWire {
    ItemWire {
        resource: read.item.resource.clone(),
        action: read.item.action.clone(),
        status: read.status,
        result: read.approval.as_ref().map(result),
    }
}

fn result(approval: &ApprovalRead) -> ResultWire {
    ResultWire {
        mode: "reevaluate",
        approval: ApprovalWire {
            id: approval.id.clone(),
            approved_at: approval.approved_at.to_string(),
            approved_until: approval.approved_until.to_string(),
            state: approval.state.clone(),
        },
    }
}
