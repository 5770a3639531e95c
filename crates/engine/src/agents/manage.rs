//! Registering agents, changing, freezing and thawing them.

use super::refuse_frozen;
use crate::{
    EnvScope, Kind, Secret,
    admin::keys::NewKey,
    error::{Error, Result},
    schema::{Stage, missing, paged},
};
use askfirst_domain::{
    Ident, Key, Timestamp, UserKey,
    agent::{Agent, AgentStatus, Ceiling, MAX_CEILING},
    id::{AgentId, ApiKeyId},
    request::Person,
    scope::{ApiKey, KeyScope},
};
use askfirst_store::{Listed, Page};
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// The longest name, in characters.
const MAX_NAME: usize = 200;

/// An agent to be registered.
#[derive(Debug, Clone)]
pub struct NewAgent {
    pub key: Key,
    /// The key unless said.
    pub name: Option<String>,
    /// The user who answers for it.
    pub owner: Ident,
    pub ceiling: Ceiling,
}

/// What is said about an agent.
#[derive(Debug, Clone, Default)]
pub struct AgentEdit {
    pub name: Option<String>,
    pub owner: Option<Ident>,
    pub ceiling: Option<Ceiling>,
}

/// An agent with the keys that it has.
#[derive(Debug, Clone, PartialEq)]
pub struct AgentView {
    pub agent: Arc<Agent>,
    /// Those that were not revoked, in the order of their creation.
    pub keys: Vec<AgentKey>,
}

/// A key with which an agent acts for one human.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgentKey {
    pub id: ApiKeyId,
    pub user: UserKey,
    pub name: Option<String>,
    pub created_at: Timestamp,
}

impl EnvScope {
    /// Agents, in the order of their registration.
    pub fn list_agents(&self, page: Page) -> Listed<AgentView> {
        let state = self.state();
        let found = paged(state.snapshot.schema().agents().cloned(), page);
        let items = found.items.into_iter().map(|agent| self.with_keys(agent)).collect();
        Listed { items, total: found.total }
    }

    /// One agent.
    ///
    /// # Errors
    /// [`Kind::NotFound`].
    pub fn agent(&self, ident: &Ident) -> Result<AgentView> {
        let state = self.state();
        let schema = state.snapshot.schema();
        let found = schema.agent(ident).cloned().ok_or_else(|| {
            missing("agent", ident, "the agents are", schema.agents().map(|agent| agent.key.to_string()))
        })?;
        Ok(self.with_keys(found))
    }

    /// Registers an agent. It has no key yet.
    ///
    /// # Errors
    /// [`Kind::Duplicate`]; [`Kind::NotFound`] when the owner is no user; [`Kind::Invalid`] for a very long name or ceiling.
    pub async fn create_agent(&self, new: NewAgent) -> Result<AgentView> {
        let owner = self.owner(&new.owner).await?;
        let name = named(new.name.as_deref().unwrap_or(new.key.as_str()))?;
        bounded(&new.ceiling)?;
        let agent = self
            .write_schema(|stage| {
                if stage.schema().agent_by_key(new.key.as_str()).is_some() {
                    let message = format!("An agent with the key `{}` already exists.", new.key);
                    return Err(Error::new(Kind::Duplicate, message));
                }
                let agent = Agent {
                    id: stage.fresh_id()?,
                    key: new.key.clone(),
                    name: name.clone(),
                    owner: owner.clone(),
                    status: AgentStatus::Active,
                    ceiling: new.ceiling.clone(),
                    created_at: stage.now(),
                    updated_at: stage.now(),
                };
                write(stage, agent, "agent.created", None)
            })
            .await?;
        Ok(self.with_keys(agent))
    }

    /// Changes what is said.
    ///
    /// # Errors
    /// As [`EnvScope::agent`] and [`EnvScope::create_agent`].
    pub async fn update_agent(&self, ident: &Ident, edit: AgentEdit) -> Result<AgentView> {
        let owner = match &edit.owner {
            Some(owner) => Some(self.owner(owner).await?),
            None => None,
        };
        let name = edit.name.as_deref().map(named).transpose()?;
        edit.ceiling.as_ref().map_or(Ok(()), bounded)?;
        let id = self.agent(ident)?.agent.id;
        let agent = self
            .write_schema(|stage| {
                let mut agent = Agent::clone(&*of(stage, id)?);
                agent.name = name.clone().unwrap_or(agent.name);
                agent.owner = owner.clone().unwrap_or(agent.owner);
                agent.ceiling = edit.ceiling.clone().unwrap_or(agent.ceiling);
                write(stage, agent, "agent.updated", None)
            })
            .await?;
        Ok(self.with_keys(agent))
    }

    /// Stops an agent at once, see [`crate::agents`]; or lets it go on. Doing so twice is doing so once.
    ///
    /// # Errors
    /// As [`EnvScope::agent`]; [`Kind::Invalid`] for a very long reason.
    pub async fn set_agent_status(
        &self,
        ident: &Ident,
        status: AgentStatus,
        reason: Option<String>,
    ) -> Result<AgentView> {
        let reason = reason.map(|reason| crate::requests::text("reason", &reason)).transpose()?;
        let id = self.agent(ident)?.agent.id;
        let agent = self
            .write_schema(|stage| {
                let agent = of(stage, id)?;
                if agent.status == status {
                    return Ok(agent);
                }
                let code = match status {
                    AgentStatus::Frozen => "agent.frozen",
                    AgentStatus::Active => "agent.thawed",
                };
                write(stage, Agent { status, ..Agent::clone(&agent) }, code, reason.as_deref())
            })
            .await?;
        Ok(self.with_keys(agent))
    }

    /// Makes a key with which an agent acts for one human: it opens `/mcp` and nothing else.
    ///
    /// # Errors
    /// [`Kind::NotFound`] for an agent or user that is not there, [`Kind::Conflict`] for a frozen agent.
    pub async fn create_agent_key(
        &self,
        agent: &Ident,
        user: &Ident,
        name: Option<String>,
    ) -> Result<(ApiKey, Secret)> {
        let agent = self.agent(agent)?.agent;
        refuse_frozen(&agent, Kind::Conflict)?;
        let new = NewKey::AgentFor {
            project: Ident::from(self.project.id.uuid()),
            env: Ident::from(self.env.id.uuid()),
            agent: Ident::from(agent.id.uuid()),
            user: user.clone(),
        };
        self.engine.open(self.op.clone())?.create_key(new, name).await
    }

    /// Ends a key of an agent at once.
    ///
    /// # Errors
    /// [`Kind::NotFound`] for a key that is not this agent's.
    pub async fn revoke_agent_key(&self, agent: &Ident, key: &Ident) -> Result<()> {
        let known = self.agent(agent)?.keys;
        let found = known.iter().find(|known| Some(known.id.uuid()) == key.uuid());
        let found = found.ok_or_else(|| Error::not_found("key of this agent", key))?;
        let org = self.engine.open(self.op.clone())?;
        org.revoke_key(&Ident::from(found.id.uuid())).await.map(drop)
    }

    async fn owner(&self, ident: &Ident) -> Result<Person> {
        let user = self.find_user(ident).await?.value;
        Ok(Person { id: user.id, key: user.key })
    }

    fn with_keys(&self, agent: Arc<Agent>) -> AgentView {
        let listing = self.engine.directory().get();
        let mut keys: Vec<AgentKey> = listing
            .keys()
            .filter(|key| key.revoked_at.is_none())
            .filter_map(|key| match &key.scope {
                KeyScope::Agent { env, agent: Some(own), user_key, .. }
                    if *env == self.env.id && *own == agent.id =>
                {
                    let (user, name) = (user_key.clone(), key.name.clone());
                    Some(AgentKey { id: key.id, user, name, created_at: key.created_at })
                }
                _ => None,
            })
            .collect();
        keys.sort_by_key(|key| (key.created_at, key.id));
        AgentView { agent, keys }
    }
}

fn of(stage: &Stage<'_>, id: AgentId) -> Result<Arc<Agent>> {
    let found = stage.schema().agent_by_id(id).cloned();
    found.ok_or_else(|| Error::not_found("agent", id))
}

pub(super) fn write(
    stage: &mut Stage<'_>,
    agent: Agent,
    code: &str,
    reason: Option<&str>,
) -> Result<Arc<Agent>> {
    let agent = Agent { updated_at: stage.now(), ..agent };
    let mut details = Map::new();
    details.insert("agent".to_owned(), json!(agent.id));
    details.insert("owner".to_owned(), json!(agent.owner.key));
    details.insert("may".to_owned(), may(&agent.ceiling));
    details.extend(reason.map(|reason| ("reason".to_owned(), json!(reason))));
    stage.put_agent(agent.clone());
    stage.note_with(code, agent.key.to_string(), details)?;
    Ok(Arc::new(agent))
}

fn may(ceiling: &Ceiling) -> Value {
    match ceiling {
        Ceiling::Human => Value::Null,
        Ceiling::Only(permitted) => json!(permitted),
    }
}

fn named(name: &str) -> Result<String> {
    let name = name.trim();
    if name.is_empty() || name.chars().count() > MAX_NAME {
        return Err(Error::invalid(format!("The name of an agent has between 1 and {MAX_NAME} characters.")));
    }
    Ok(name.to_owned())
}

fn bounded(ceiling: &Ceiling) -> Result<()> {
    match ceiling {
        Ceiling::Only(permitted) if permitted.len() > MAX_CEILING => Err(Error::invalid(format!(
            "A ceiling may name {MAX_CEILING} things; this one names {}.",
            permitted.len()
        ))),
        _ => Ok(()),
    }
}
