//! Agents that are registered for a key: for one that is made without naming an agent, and for those from before there were
//! registered agents. Such an agent has the id of its key, so whatever was bound to the key is bound to the agent.

use super::manage::write;
use crate::{Engine, EnvScope, commit::About, error::Result};
use askfirst_domain::{
    Key,
    agent::{Agent, AgentStatus, Ceiling},
    id::{AgentId, ApiKeyId},
    request::Person,
    scope::{ApiKey, KeyScope},
};
use askfirst_store::{AdminCommit, AdminOp};

impl Engine {
    /// Registers an agent for each agent's key that has none.
    ///
    /// # Errors
    /// When the store fails. What was not finished is finished by the next start.
    pub(crate) async fn adopt_agent_keys(&self) -> Result<()> {
        let listing = self.directory().get();
        let mut adopted = false;
        for key in listing.keys() {
            let KeyScope::Agent { project, env, user, user_key, agent: None } = &key.scope else { continue };
            if key.revoked_at.is_some() || listing.environment_by_id(*env).is_none() {
                continue;
            }
            let scope = self.enter_as_system(*env, "first start").await?;
            let human = Person { id: *user, key: user_key.clone() };
            let agent = scope.register_for_key(key.id, human, key.name.as_deref()).await?;
            let (project, env, user, user_key) = (*project, *env, *user, user_key.clone());
            let of_agent = KeyScope::Agent { project, env, user, user_key, agent: Some(agent) };
            let key = ApiKey { scope: of_agent, ..key.clone() };
            let about = About { object: Some(key.id.to_string()), ..About::default() };
            let audit = vec![(Some(env), self.audit_event(scope.op(), "key.adopted", about)?)];
            let ops = vec![AdminOp::PutApiKey(key)];
            self.store().commit_admin(AdminCommit { ops, audit }).await?;
            adopted = true;
        }
        if adopted {
            self.directory().reload(self.store()).await?;
        }
        Ok(())
    }
}

impl EnvScope {
    /// Registers the agent of a key, which its human owns and which may do whatever they may. Again is once.
    pub(crate) async fn register_for_key(
        &self,
        id: ApiKeyId,
        human: Person,
        name: Option<&str>,
    ) -> Result<AgentId> {
        let agent = AgentId::new(id.uuid());
        self.write_schema(|stage| {
            if stage.schema().agent_by_id(agent).is_some() {
                return Ok(agent);
            }
            let made = Agent {
                id: agent,
                key: key_for(id)?,
                name: name.map_or_else(
                    || format!("{}'s agent", human.key),
                    |name| name.chars().take(200).collect(),
                ),
                owner: human.clone(),
                status: AgentStatus::Active,
                ceiling: Ceiling::Human,
                created_at: stage.now(),
                updated_at: stage.now(),
            };
            write(stage, made, "agent.created", None)?;
            Ok(agent)
        })
        .await
    }
}

/// `agent-` and the last digits of the key's id, which are its random ones.
fn key_for(id: ApiKeyId) -> Result<Key> {
    let digits = id.uuid().simple().to_string();
    let tail: String = digits.chars().skip(20).collect();
    Ok(format!("agent-{tail}").parse()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_agent_of_a_key_is_called_after_it() {
        let id = ApiKeyId::new("0193d0e2-8b7c-7e31-9f0a-3f6d8f0f7c11".parse().unwrap());
        assert_eq!(key_for(id).unwrap().as_str(), "agent-3f6d8f0f7c11");
    }
}
