//! Registered agents: who they are, what they may at most, and that they stop at once when they are frozen.
//!
//! - **What stops.** A frozen agent's keys open nothing, on every server, so its MCP calls are refused from the next one on;
//!   what waits for a decision ends. Requests that it opened stay as they are, can be denied, and can't be approved. Approvals
//!   that were given to it can't be spent. Checks that name it are denied. All this is back when it is thawed. What a human was
//!   given stays the human's.
//! - **How soon.** Freezing is a change of the schema, and every write that an agent's right matters to is conditional on the
//!   schema being as it was looked at: none is made after the freeze was answered, by whichever server.
//! - **What it may.** The smaller of its ceiling and its human's right: in checks, when it asks, when it spends.

mod adopt;
mod manage;

pub use manage::{AgentEdit, AgentKey, AgentView, NewAgent};

use crate::{
    Acting, EnvScope, LiveState,
    check::{lacks, why},
    error::{Error, Kind, Result},
};
use askfirst_domain::{
    Ident, Key,
    agent::{Agent, AgentStatus},
    binding::agent_of,
    element::OPERATE_ACTION,
    id::AgentId,
    principal::Principal,
    request::Request,
    scope::KeyScope,
};

/// Refuses whatever a frozen agent would do.
pub(crate) fn refuse_frozen(agent: &Agent, kind: Kind) -> Result<()> {
    match agent.status {
        AgentStatus::Active => Ok(()),
        AgentStatus::Frozen => Err(Error::new(
            kind,
            format!(
                "The agent {} is frozen, so it may do nothing; tell {}, who owns it.",
                agent.key, agent.owner.key
            ),
        )),
    }
}

/// Refuses to approve what a frozen agent has asked for.
pub(crate) fn refuse_frozen_asker(state: &LiveState, request: &Request) -> Result<()> {
    let agent = agent_of(&request.opened_by).and_then(|id| state.snapshot.schema().agent_by_id(id));
    match agent {
        Some(agent) if agent.status == AgentStatus::Frozen => Err(Error::conflict(format!(
            "The agent {}, which asked for this, is frozen: this can be denied, and approved only once the agent is thawed.",
            agent.key
        ))),
        _ => Ok(()),
    }
}

/// Refuses an agent that may not do what was approved, for whomever.
pub(crate) fn refuse_spending(state: &LiveState, request: &Request, agent: Option<AgentId>) -> Result<()> {
    let Some(agent) = agent.and_then(|id| state.snapshot.schema().agent_by_id(id)) else { return Ok(()) };
    let resource = request.resource.as_ref().map(Key::as_str).unwrap_or_default();
    let action = request.binding.as_ref().map_or(OPERATE_ACTION, |binding| &binding.call.action);
    match lacks(agent, resource, action) {
        None => Ok(()),
        Some(lack) => Err(Error::forbidden(format!(
            "The agent {} may not do `{action}` on {resource}: {}; nothing was spent.",
            agent.key,
            why(Some(agent), lack)
        ))),
    }
}

/// What an agent is called in a sentence.
pub(crate) fn name(state: &LiveState, id: AgentId) -> String {
    let agent = state.snapshot.schema().agent_by_id(id);
    agent.map_or_else(|| format!("with the key {id}"), |agent| agent.key.to_string())
}

impl EnvScope {
    /// The agent that a caller means: a registered one, or whatever uses a key of this environment.
    ///
    /// # Errors
    /// [`Kind::NotFound`].
    pub(crate) fn agent_named(&self, state: &LiveState, named: &Ident) -> Result<AgentId> {
        if let Some(agent) = state.snapshot.schema().agent(named) {
            return Ok(agent.id);
        }
        let listing = self.engine.directory().get();
        let key = listing.keys().find(|key| Some(key.id.uuid()) == named.uuid());
        match key.map(|key| &key.scope) {
            Some(KeyScope::Agent { env, agent: Some(agent), .. }) if *env == self.env.id => Ok(*agent),
            // A key that no agent is registered for stands for its holder.
            _ => named.uuid().map(AgentId::new).ok_or_else(|| Error::not_found("agent", named)),
        }
    }
}

impl Acting {
    /// The registered agent that makes this call.
    fn registered(&self) -> Option<AgentId> {
        match &self.scope.op.principal {
            Principal::Agent { agent, .. } => *agent,
            _ => None,
        }
    }

    /// What the credential says about each question that is asked with it: for which agent.
    pub fn given(&self) -> crate::check::Given {
        let state = self.scope.state();
        let agent = self.registered().map(|id| {
            let agent = state.snapshot.schema().agent_by_id(id);
            agent.map_or_else(|| id.to_string(), |agent| agent.key.to_string())
        });
        crate::check::Given { agent, ..crate::check::Given::default() }
    }

    /// Refuses to go on for an agent that was frozen meanwhile.
    ///
    /// # Errors
    /// [`Kind::Unauthenticated`].
    pub(crate) fn refuse_stopped_agent(&self) -> Result<()> {
        let Some(id) = self.registered() else { return Ok(()) };
        match self.scope.state().snapshot.schema().agent_by_id(id) {
            Some(agent) => refuse_frozen(agent, Kind::Unauthenticated),
            None => Ok(()),
        }
    }

    /// Refuses an agent that asks for more than it may do itself. `wanted`: resource and action each.
    ///
    /// # Errors
    /// [`Kind::Forbidden`]; [`Kind::Unauthenticated`] for a frozen one.
    pub(crate) fn refuse_beyond_ceiling<'w>(
        &self,
        state: &LiveState,
        wanted: impl IntoIterator<Item = (&'w str, &'w str)>,
    ) -> Result<()> {
        let Some(id) = self.registered() else { return Ok(()) };
        let Some(agent) = state.snapshot.schema().agent_by_id(id) else { return Ok(()) };
        refuse_frozen(agent, Kind::Unauthenticated)?;
        for (resource, action) in wanted {
            if let Some(lack) = lacks(agent, resource, action) {
                return Err(Error::forbidden(format!(
                    "The agent {} may not do `{action}` on {resource} for anybody, so it can't ask for it: {}. {} may ask \
                     themselves.",
                    agent.key,
                    why(Some(agent), lack),
                    self.person.key
                )));
            }
        }
        Ok(())
    }
}
