//! The agent's half of a decision: what an agent does for its human takes the right of both.

use super::{Ask, Given};
use askfirst_domain::{
    Ident,
    agent::{Agent, AgentStatus},
    decision::{AgentLack, Decision, Denial, DenialCause},
};
use askfirst_policy::Schema;
use serde::Serialize;
use std::sync::Arc;

/// Who of the two may, in a question that is asked for an agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Halves {
    /// The agent's key, or the text that named none.
    pub agent: String,
    pub user_may: bool,
    pub agent_may: bool,
    /// Why the agent may not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    #[serde(skip)]
    lack: Option<AgentLack>,
}

/// What an agent lacks to do this at all, whomever it is done for.
pub(crate) fn lacks(agent: &Agent, resource: &str, action: &str) -> Option<AgentLack> {
    match agent.status {
        AgentStatus::Frozen => Some(AgentLack::Frozen),
        AgentStatus::Active => (!agent.ceiling.permits(resource, action)).then_some(AgentLack::Ceiling),
    }
}

/// Why an agent may not, as the part of a sentence that follows a colon.
pub(crate) fn why(agent: Option<&Agent>, lack: AgentLack) -> String {
    match (lack, agent) {
        (AgentLack::Unknown, _) | (_, None) => "there is no such agent in this environment".to_owned(),
        (AgentLack::Frozen, Some(_)) => "it is frozen".to_owned(),
        (AgentLack::Ceiling, Some(agent)) => {
            format!("its ceiling, whoever it acts for, is {}", agent.ceiling)
        }
    }
}

/// Whether the agent that a question names, if it names one, may do it.
pub(crate) fn permits(schema: &Schema, ask: &Ask, given: &Given) -> bool {
    given.agent.as_ref().is_none_or(|agent| lack(schema, agent, ask).1.is_none())
}

/// The decision for both: what the user's half says, unless the agent may not do what the user may.
pub(super) fn both(schema: &Schema, ask: &Ask, given: &Given, user: Decision) -> Decision {
    match Halves::of(schema, ask, given, &user) {
        Some(halves) => halves.decided(user),
        None => user,
    }
}

fn lack<'s>(schema: &'s Schema, named: &str, ask: &Ask) -> (Option<&'s Arc<Agent>>, Option<AgentLack>) {
    let agent = schema.agent(&Ident::new(named));
    let lack = agent.map_or(Some(AgentLack::Unknown), |agent| lacks(agent, &ask.resource, &ask.action));
    (agent, lack)
}

impl Halves {
    /// None for a question that names no agent.
    pub(super) fn of(schema: &Schema, ask: &Ask, given: &Given, user: &Decision) -> Option<Self> {
        let named = given.agent.as_ref()?;
        let (agent, lack) = lack(schema, named, ask);
        Some(Self {
            agent: agent.map_or_else(|| named.clone(), |agent| agent.key.to_string()),
            user_may: user.is_allow(),
            agent_may: lack.is_none(),
            why: lack.map(|lack| why(agent.map(AsRef::as_ref), lack)),
            lack,
        })
    }

    /// See [`both`].
    pub(super) fn decided(&self, user: Decision) -> Decision {
        match self.lack {
            Some(lack) if user.is_allow() => Decision::Deny(Denial {
                cause: DenialCause::Agent { agent: self.agent.clone(), lack },
                would_allow: Vec::new(),
            }),
            _ => user,
        }
    }

    /// The sentence for both, from that about the user alone.
    pub(super) fn sentence(&self, ask: &Ask, user: &str) -> String {
        let (agent, name, object) = (&self.agent, &ask.user, ask.object());
        match (self.user_may, &self.why) {
            (true, None) => format!("{user} The agent {agent} is permitted to do it for them."),
            (true, Some(why)) => {
                format!("{name} may {} {object}, but the agent {agent} may not: {why}.", ask.action)
            }
            (false, None) => {
                format!("{user} The agent {agent} is permitted to; what is missing is {name}'s own right.")
            }
            (false, Some(why)) => format!("{user} Besides, the agent {agent} may not either: {why}."),
        }
    }
}
