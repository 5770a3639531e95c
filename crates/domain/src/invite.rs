//! Invitations: somebody who is to become a user with a role, once they have come.

use crate::{
    Key, Timestamp, UserKey,
    facts::InstanceLink,
    id::{InstanceId, InviteId, RoleId, TenantId, UserId},
};
use serde::{Deserialize, Serialize};

/// Where an invitation stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InviteStatus {
    /// Nobody has come yet.
    Pending,
    /// The user is there and has been given the role.
    Approved,
}

impl InviteStatus {
    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Approved => "approved",
        }
    }
}

/// An invitation. What it gives is bound by id: a role, tenant or instance that is made later under the same key is
/// another one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Invite {
    pub id: InviteId,
    /// The key that the user is to have; who approves may say it instead.
    pub key: Option<UserKey>,
    pub email: String,
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    pub status: InviteStatus,
    pub role: Key,
    pub role_id: RoleId,
    pub tenant: Key,
    pub tenant_id: TenantId,
    /// Set when the role is a resource role.
    pub instance: Option<InstanceLink>,
    /// Who came of it.
    pub user: Option<UserId>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

impl Invite {
    /// What no two pending invitations share: who is invited to what. The e-mail address counts in any case.
    pub fn wish(&self) -> String {
        let instance: Option<InstanceId> = self.instance.as_ref().map(|on| on.id);
        let on = instance.map_or_else(|| "-".to_owned(), |id| id.to_string());
        format!("{} {} {} {on}", self.email.to_lowercase(), self.role_id, self.tenant_id)
    }
}
