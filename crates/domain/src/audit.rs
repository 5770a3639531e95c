//! Audit events: what happened, who did it, to what. Written in the transaction of the change itself.

use crate::{
    Timestamp,
    id::{AuditEventId, RequestId},
    principal::Principal,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// One audit event.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AuditEvent {
    pub id: AuditEventId,
    pub at: Timestamp,
    /// Stable name of what happened, e.g. `request.approved`.
    pub code: String,
    pub actor: Principal,
    /// The key of the user on whose behalf it happened.
    pub on_behalf_of: Option<String>,
    /// The user was named by a model's argument (`--trust-user-id`).
    pub model_named_user: bool,
    pub request: Option<RequestId>,
    /// What it was about, e.g. `restaurants:pizza-palace`.
    pub object: Option<String>,
    pub details: Map<String, Value>,
}

/// Something to be delivered outside (webhook, mail) after the transaction, at least once.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OutboxItem {
    pub id: uuid::Uuid,
    /// What kind of delivery, e.g. `element.webhook`.
    pub topic: String,
    pub payload: Value,
    pub created_at: Timestamp,
}
