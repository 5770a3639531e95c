//! What a call says about its question besides the names.

use askfirst_domain::facts::Attributes;
use askfirst_policy::CallAttributes;

/// Attributes that the call gives. They go before what is stored, and a null hides that.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Given {
    pub user: Attributes,
    pub resource: Attributes,
    pub tenant: Attributes,
    /// About the situation: the time, the place, the device.
    pub context: Attributes,
    /// About what is done: the amount of a transfer.
    pub action: Attributes,
    /// The agent that is to do it for the user: key or id of a registered one. It may do so when both may.
    pub agent: Option<String>,
}

impl Given {
    pub(crate) fn attributes(&self) -> CallAttributes<'_> {
        CallAttributes {
            user: Some(&self.user),
            resource: Some(&self.resource),
            tenant: Some(&self.tenant),
            context: Some(&self.context),
            action: Some(&self.action),
        }
    }
}
