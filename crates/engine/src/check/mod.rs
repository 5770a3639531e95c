//! Asking the policy: may this be done, and if not, which role could be asked for, where, and from whom.
//!
//! No database is read for a decision: the answer comes from the live snapshot, at the revision that it names.

mod agent;
mod counting;
mod explain;
mod given;
mod permissions;
mod reverse;
mod thing;
mod words;

pub use agent::Halves;
pub(crate) use agent::{lacks, permits as agent_permits, why};
pub use askfirst_policy::{Holding, InstancePage, ReachedInstance, TENANT_TYPE, TenantView};
pub use explain::{Explanation, Requestable};
pub use given::Given;
pub use permissions::PermissionFilter;
pub use reverse::{Authority, Authorized, InstanceSearch};
pub use thing::Thing;
pub(crate) use words::by_role;

use crate::EnvScope;
use askfirst_domain::decision::Decision;
use askfirst_policy::Question;

/// "May this user do this to that?" Every name is a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ask {
    pub user: String,
    pub action: String,
    pub resource: String,
    /// None asks about the resource as a whole.
    pub instance: Option<String>,
    /// None means the instance's tenant, or `default`.
    pub tenant: Option<String>,
}

impl Ask {
    pub(crate) fn question(&self) -> Question<'_> {
        Question {
            user: &self.user,
            action: &self.action,
            resource: &self.resource,
            instance: self.instance.as_deref(),
            tenant: self.tenant.as_deref(),
        }
    }

    /// What is asked about, as people write it: `restaurants:pizza-palace`, or `restaurants`.
    pub fn object(&self) -> String {
        match &self.instance {
            Some(key) => format!("{}:{key}", self.resource),
            None => self.resource.clone(),
        }
    }
}

/// A decision and the revision that it was made at.
#[derive(Debug, Clone, PartialEq)]
pub struct Checked {
    pub decision: Decision,
    pub revision: u64,
}

impl EnvScope {
    /// Decides with the whole trace.
    pub fn check(&self, ask: &Ask) -> Checked {
        self.check_with(ask, &Given::default())
    }

    /// As [`EnvScope::check`], with what the call says besides.
    pub fn check_with(&self, ask: &Ask, given: &Given) -> Checked {
        let state = self.state();
        let decision = state.snapshot.check_with(&ask.question(), &given.attributes(), self.op.now);
        let decision = agent::both(state.snapshot.schema(), ask, given, decision);
        Checked { decision, revision: state.revision }
    }

    /// The bare answer, for the hot path.
    pub fn is_allowed(&self, ask: &Ask) -> bool {
        self.is_allowed_with(ask, &Given::default())
    }

    /// As [`EnvScope::is_allowed`], with what the call says besides.
    pub fn is_allowed_with(&self, ask: &Ask, given: &Given) -> bool {
        let (question, attributes) = (ask.question(), given.attributes());
        self.look(|state| {
            state.snapshot.is_allowed_with(&question, &attributes, self.op.now)
                && agent::permits(state.snapshot.schema(), ask, given)
        })
    }
}
