//! Who is acting: always known from a credential.

use crate::{
    UserKey,
    id::{AgentId, ApiKeyId, EnvId, ProjectId, SessionId, TenantId, UserId},
    scope::KeyScope,
};
use serde::{Deserialize, Serialize};

/// Who a call comes from, as the credential says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Principal {
    /// A server that holds an API key. It may say for which of its users it acts.
    ApiKey { id: ApiKeyId, scope: KeyScope },
    /// A signed-in human, or a user's element session.
    /// `tenant`: the only one that the session reaches; none means any.
    User { session: SessionId, env: EnvId, user: UserId, key: UserKey, tenant: Option<TenantId> },
    /// An agent that acts for one human, bound at the connection. `agent`: the registered one that it is; none for whatever
    /// program a server's key was lent to.
    Agent {
        env: EnvId,
        user: UserId,
        key: UserKey,
        via: ApiKeyId,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        agent: Option<AgentId>,
    },
    /// An agent whose model names the user (`--trust-user-id`): the tutorial's behaviour.
    TrustedAgent { project: ProjectId, env: EnvId, via: ApiKeyId },
    /// The product itself: the first start, expiry.
    System { name: String },
    /// Somebody whose name was erased from the audit log. Stands nowhere else, and opens nothing.
    Erased,
}

impl Principal {
    /// Whether the user of a call was named by a model and by nothing else.
    pub fn trusts_model(&self) -> bool {
        matches!(self, Self::TrustedAgent { .. })
    }
}
