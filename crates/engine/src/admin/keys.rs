//! API keys: made, listed, revoked. Only hashes are kept; the secret is in the answer to its creation and nowhere else.

use crate::{
    EnvScope, OrgScope, Secret,
    agents::refuse_frozen,
    commit::About,
    error::{Error, Kind, Result},
};
use askfirst_domain::{
    Ident,
    id::{AgentId, ApiKeyId},
    request::Person,
    scope::{ApiKey, KeyScope},
};
use askfirst_store::{AdminCommit, AdminOp};
use serde_json::json;

/// What every key made here begins with, so that secret scanners know it.
pub(crate) const PREFIX: &str = "askfirst_key_";

/// What a new key is to open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NewKey {
    Organization,
    Project {
        project: Ident,
    },
    Environment {
        project: Ident,
        env: Ident,
    },
    /// `/mcp` of the environment, as this user, and nothing else.
    /// An agent is registered for it.
    Agent {
        project: Ident,
        env: Ident,
        user: Ident,
    },
    /// As [`NewKey::Agent`], for an agent that is registered.
    AgentFor {
        project: Ident,
        env: Ident,
        agent: Ident,
        user: Ident,
    },
}

impl OrgScope {
    /// Makes a key that opens no more than this one does.
    ///
    /// # Errors
    /// [`Kind::Forbidden`] for a wider key, [`Kind::NotFound`] for a place or user that is not there.
    pub async fn create_key(&self, new: NewKey, name: Option<String>) -> Result<(ApiKey, Secret)> {
        let id = self.engine.fresh_id(&self.op)?;
        let scope = self.resolve(&new, id, name.as_deref()).await?;
        let key = ApiKey {
            id,
            org: self.organization()?.id,
            scope,
            name,
            secret_hash: String::new(),
            created_at: self.op.now,
            expires_at: None,
            revoked_at: None,
        };
        let secret = Secret::make(PREFIX, self.engine.entropy())?;
        let key = ApiKey { secret_hash: secret.hash(), ..key };
        self.write_key("key.created", &key, AdminOp::PutApiKey(key.clone())).await?;
        Ok((key, secret))
    }

    /// What a key opens, for people: `environment default/dev`.
    pub fn opens(&self, scope: &KeyScope) -> String {
        let listing = self.engine.directory().get();
        let project = |id| {
            let found = listing.projects.iter().find(|p| p.id == id);
            found.map_or_else(|| id.to_string(), |p| p.key.to_string())
        };
        let env = |id| listing.environment_by_id(id).map_or_else(|| id.to_string(), |e| e.key.to_string());
        match scope {
            KeyScope::Organization => "the organization".to_owned(),
            KeyScope::Project { project: id } => format!("project {}", project(*id)),
            KeyScope::Environment { project: id, env: e } => {
                format!("environment {}/{}", project(*id), env(*e))
            }
            KeyScope::Agent { project: id, env: e, user_key, .. } => {
                format!("/mcp of {}/{} as {user_key}", project(*id), env(*e))
            }
        }
    }

    /// The keys that this key may see: those that open no more than it does.
    pub fn list_keys(&self) -> Vec<ApiKey> {
        let listing = self.engine.directory().get();
        let mut keys: Vec<_> =
            listing.keys().filter(|k| k.revoked_at.is_none() && self.covers(&k.scope)).cloned().collect();
        keys.sort_by_key(|k| (k.created_at, k.id));
        keys
    }

    /// One key.
    ///
    /// # Errors
    /// [`Kind::NotFound`] when there is none that this key may see.
    pub fn get_key(&self, id: &Ident) -> Result<ApiKey> {
        let found = self.list_keys().into_iter().find(|k| Some(k.id.uuid()) == id.uuid());
        found.ok_or_else(|| Error::new(Kind::NotFound, format!("There is no API key `{id}`.")))
    }

    /// Gives a key another secret; the one before opens nothing from then on.
    ///
    /// # Errors
    /// [`Kind::NotFound`].
    pub async fn rotate_key(&self, id: &Ident) -> Result<(ApiKey, Secret)> {
        let secret = Secret::make(PREFIX, self.engine.entropy())?;
        let key = ApiKey { secret_hash: secret.hash(), ..self.get_key(id)? };
        self.write_key("key.rotated", &key, AdminOp::PutApiKey(key.clone())).await?;
        Ok((key, secret))
    }

    /// Ends a key at once.
    ///
    /// # Errors
    /// [`Kind::NotFound`]; [`Kind::Conflict`] for the key that makes this very call.
    pub async fn revoke_key(&self, id: &Ident) -> Result<ApiKeyId> {
        let key = self.get_key(id)?;
        if let askfirst_domain::principal::Principal::ApiKey { id: own, .. } = &self.op.principal
            && *own == key.id
        {
            return Err(Error::conflict("A key can't revoke itself; use another one."));
        }
        self.write_key("key.revoked", &key, AdminOp::RevokeApiKey { id: key.id, at: self.op.now }).await?;
        Ok(key.id)
    }

    async fn write_key(&self, code: &str, key: &ApiKey, op: AdminOp) -> Result<()> {
        let mut about = About { object: Some(key.id.to_string()), ..About::default() };
        about.details.insert("scope".to_owned(), json!(key.scope));
        let env = match &key.scope {
            KeyScope::Environment { env, .. } | KeyScope::Agent { env, .. } => Some(*env),
            KeyScope::Organization | KeyScope::Project { .. } => None,
        };
        let event = self.engine.audit_event(&self.op, code, about)?;
        self.engine.store().commit_admin(AdminCommit { ops: vec![op], audit: vec![(env, event)] }).await?;
        Ok(self.engine.directory().reload(self.engine.store()).await?)
    }

    async fn resolve(&self, new: &NewKey, id: ApiKeyId, name: Option<&str>) -> Result<KeyScope> {
        let scope = match new {
            NewKey::Organization => KeyScope::Organization,
            NewKey::Project { project } => {
                let listing = self.engine.directory().get();
                KeyScope::Project { project: self.reachable_project(&listing, project)?.id }
            }
            NewKey::Environment { project, env } => {
                let inside = self.engine.enter(self.op.clone(), project, env).await?;
                KeyScope::Environment { project: inside.project.id, env: inside.env.id }
            }
            NewKey::Agent { project, env, user } => {
                let inside = self.engine.enter(self.op.clone(), project, env).await?;
                let user = inside.find_user(user).await?.value;
                let human = Person { id: user.id, key: user.key };
                let agent = inside.register_for_key(id, human.clone(), name).await?;
                agent_scope(&inside, human, agent)
            }
            NewKey::AgentFor { project, env, agent, user } => {
                let inside = self.engine.enter(self.op.clone(), project, env).await?;
                let user = inside.find_user(user).await?.value;
                let agent = inside.agent(agent)?.agent;
                refuse_frozen(&agent, Kind::Conflict)?;
                agent_scope(&inside, Person { id: user.id, key: user.key }, agent.id)
            }
        };
        if self.covers(&scope) {
            Ok(scope)
        } else {
            Err(Error::forbidden("A key can make only keys that open no more than it does itself."))
        }
    }

    fn covers(&self, scope: &KeyScope) -> bool {
        match scope {
            KeyScope::Organization => self.scope == KeyScope::Organization,
            KeyScope::Project { project } => {
                !matches!(self.scope, KeyScope::Environment { .. }) && self.reaches(*project, None)
            }
            KeyScope::Environment { project, env } | KeyScope::Agent { project, env, .. } => {
                self.reaches(*project, Some(*env))
            }
        }
    }
}

fn agent_scope(inside: &EnvScope, human: Person, agent: AgentId) -> KeyScope {
    KeyScope::Agent {
        project: inside.project.id,
        env: inside.env.id,
        user: human.id,
        user_key: human.key,
        agent: Some(agent),
    }
}
