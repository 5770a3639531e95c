//! How those who call look on the wire, in the audit trail and in the decision log.

use super::{IdShape, UserKeyShape};
use utoipa::ToSchema;

/// Who acted, as the credential said.
#[derive(ToSchema)]
#[schema(as = Principal)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(crate) enum PrincipalShape {
    /// A server that holds an API key.
    ApiKey { id: IdShape, scope: KeyScopeShape },
    /// A signed-in human, or a user's element session; `tenant` is the only one that the session reaches.
    User {
        session: IdShape,
        env: IdShape,
        user: IdShape,
        key: UserKeyShape,
        #[schema(required)]
        tenant: Option<IdShape>,
    },
    /// An agent that acts for one human.
    Agent { env: IdShape, user: IdShape, key: UserKeyShape, via: IdShape },
    /// An agent whose model names the user.
    TrustedAgent { project: IdShape, env: IdShape, via: IdShape },
    /// The product itself.
    System { name: String },
    /// Somebody who was erased from the audit log.
    Erased,
}

/// What an API key opens.
#[derive(ToSchema)]
#[schema(as = KeyScope)]
#[serde(tag = "level", rename_all = "snake_case")]
pub(crate) enum KeyScopeShape {
    Organization,
    Project {
        project: IdShape,
    },
    Environment {
        project: IdShape,
        env: IdShape,
    },
    /// `/mcp` of one environment and nothing else, always as this user.
    Agent {
        project: IdShape,
        env: IdShape,
        user: IdShape,
        user_key: UserKeyShape,
    },
}

/// Whose credential asked for a decision.
#[derive(ToSchema)]
#[schema(as = AskedBy)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(crate) enum AskedByShape {
    ApiKey {
        key: IdShape,
    },
    /// A signed-in human, or an element session.
    Session {
        session: IdShape,
        user: UserKeyShape,
    },
    /// An agent that is bound to a human.
    Agent {
        key: IdShape,
        user: UserKeyShape,
    },
    /// An agent whose model names the user.
    TrustedAgent {
        key: IdShape,
    },
    System {
        name: String,
    },
}
