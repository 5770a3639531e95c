//! Organisation > project > environment, and the keys that open them.

use crate::{
    Key, Timestamp, UserKey,
    id::{AgentId, ApiKeyId, EnvId, LinkId, OrgId, ProjectId, SessionId, TenantId, UserId},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The organisation that an installation serves.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Organization {
    pub id: OrgId,
    pub key: Key,
    pub name: String,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// A project: environments that belong together.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Project {
    pub id: ProjectId,
    pub org: OrgId,
    pub key: Key,
    pub name: String,
    pub urn_namespace: Option<String>,
    pub description: Option<String>,
    pub settings: Option<Value>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// An environment: one policy, its facts and its requests; the unit of isolation and of revision numbers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Environment {
    pub id: EnvId,
    pub project: ProjectId,
    pub org: OrgId,
    pub key: Key,
    pub name: String,
    pub description: Option<String>,
    pub custom_branch_name: Option<String>,
    pub jwks: Option<Value>,
    pub settings: Option<Value>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// What an API key opens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "level")]
pub enum KeyScope {
    /// Everything in the organisation.
    Organization,
    /// One project and its environments.
    Project { project: ProjectId },
    /// One environment.
    Environment { project: ProjectId, env: EnvId },
    /// `/mcp` of one environment and nothing else, always as this user. `agent`: whose key it is; none in one from before
    /// agents were registered, until a server has started that knows them.
    Agent {
        project: ProjectId,
        env: EnvId,
        user: UserId,
        user_key: UserKey,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        agent: Option<AgentId>,
    },
}

/// An API key as it is kept: the secret itself is never stored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ApiKey {
    pub id: ApiKeyId,
    pub org: OrgId,
    pub scope: KeyScope,
    pub name: Option<String>,
    /// SHA-256 of the secret, 64 hexadecimal digits.
    pub secret_hash: String,
    pub created_at: Timestamp,
    pub expires_at: Option<Timestamp>,
    pub revoked_at: Option<Timestamp>,
}

impl ApiKey {
    /// The human whom an agent acts for with this key.
    pub fn acts_for(&self) -> Option<&UserKey> {
        match &self.scope {
            KeyScope::Agent { user_key, .. } => Some(user_key),
            _ => None,
        }
    }
}

/// What a session may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SessionKind {
    /// A human's browser.
    Browser,
    /// An element session: bearer token or cookie, made by a server for its user in one tenant.
    Element,
}

/// How a human signed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OpenedWith {
    /// A one-time link.
    Link,
    /// The user's password.
    Password,
    /// An OpenID Connect issuer, which says who it is.
    Oidc,
}

impl OpenedWith {
    /// As it is written.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Link => "link",
            Self::Password => "password",
            Self::Oidc => "oidc",
        }
    }
}

/// A session of one user in one environment (and, for elements, one tenant).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Session {
    pub id: SessionId,
    pub env: EnvId,
    pub kind: SessionKind,
    pub user: UserId,
    pub tenant: Option<TenantId>,
    /// SHA-256 of the token, 64 hexadecimal digits.
    pub token_hash: String,
    /// None for element sessions, and for those from before there was more than one way.
    pub opened_with: Option<OpenedWith>,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
}

/// A user's password as it is kept.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash {
    pub env: EnvId,
    pub user: UserId,
    /// Argon2id in the PHC format.
    pub hash: String,
    pub changed_at: Timestamp,
}

impl std::fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PasswordHash").field("user", &self.user).finish_non_exhaustive()
    }
}

/// Who a user is at an OpenID Connect issuer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    pub env: EnvId,
    pub user: UserId,
    /// The issuer's address, as it calls itself.
    pub issuer: String,
    /// Who it is there (`sub`); never given to anybody else.
    pub subject: String,
    pub linked_at: Timestamp,
}

/// A sign-in link that works once.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SignInLink {
    pub id: LinkId,
    pub env: EnvId,
    pub user: UserId,
    /// SHA-256 of the token in the link, 64 hexadecimal digits.
    pub token_hash: String,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
}
