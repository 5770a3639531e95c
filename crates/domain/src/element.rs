//! Elements: what says who may ask for what and who decides.

pub use crate::terms::Terms;
use crate::{
    Key, Timestamp,
    id::{ElementId, RoleId},
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// The role that reviewers of operation approvals hold on an instance.
pub const REVIEWER_ROLE: &str = "_Reviewer_";
/// The role that an approved operation gives on an instance.
pub const APPROVED_ROLE: &str = "_Approved_";
/// The action that [`APPROVED_ROLE`] allows.
pub const OPERATE_ACTION: &str = "operate";
/// The actions that [`REVIEWER_ROLE`] allows.
pub const REVIEWER_ACTIONS: [&str; 3] = ["approve", "deny", "review"];

/// The kind of an element.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ElementType {
    /// Who manages users and reviews access requests.
    UserManagement,
    /// The audit log.
    AuditLog,
    /// The form on which access is asked for.
    ApprovalFlow,
    /// The form on which an operation approval is asked for, on one resource.
    OperationApproval,
    /// The list in which reviewers of operation approvals decide.
    ApprovalManagement,
}

/// What a role may do in an element, strongest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Level {
    /// Owner: sees and decides.
    #[serde(rename = "LEVEL_1")]
    Owner,
    /// Manager: sees; assigns roles.
    #[serde(rename = "LEVEL_2")]
    Manager,
    /// Viewer: sees.
    #[serde(rename = "LEVEL_3")]
    Viewer,
    /// Assignable: may be given out, and so may be asked for.
    #[serde(rename = "LEVEL_4")]
    Assignable,
    /// Never shown.
    #[serde(rename = "HIDDEN")]
    Hidden,
    /// Not said yet.
    #[serde(rename = "UNCONFIGURED")]
    Unconfigured,
}

/// A webhook of an element.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ElementWebhook {
    pub id: uuid::Uuid,
    pub url: String,
    /// Sent as bearer token. Never given back by the API.
    pub bearer_token: Option<String>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// An element's configuration.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Element {
    pub id: ElementId,
    pub key: Key,
    pub name: String,
    pub kind: ElementType,
    pub settings: Map<String, Value>,
    /// The resource that it is about: required for operation approvals, set for an element on resource roles.
    pub resource: Option<Key>,
    pub email_notifications: bool,
    pub roles_to_levels: BTreeMap<Level, Vec<RoleId>>,
    pub webhook: Option<ElementWebhook>,
    pub is_active: bool,
    /// How long its requests wait, who has to agree, and what their approvals give.
    #[serde(default)]
    pub terms: Terms,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

impl Element {
    /// The level of a role in this element.
    pub fn level_of(&self, role: RoleId) -> Level {
        self.roles_to_levels
            .iter()
            .find(|(_, roles)| roles.contains(&role))
            .map_or(Level::Unconfigured, |(level, _)| *level)
    }
}
