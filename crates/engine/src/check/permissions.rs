//! All that a user may do, place by place.

use super::Given;
use crate::{EnvScope, error::Result};
use askfirst_policy::{Holding, HoldingFilter};
use askfirst_store::Page;

/// Narrows a user's permissions. None means any; an empty list matches nothing. A tenant counts as an instance of the
/// resource [`TENANT_TYPE`](super::TENANT_TYPE).
#[derive(Debug, Clone, Default)]
pub struct PermissionFilter {
    /// Keys of tenants: those tenants, and what is in them.
    pub tenants: Option<Vec<String>>,
    /// As `type:key`.
    pub resources: Option<Vec<String>>,
    /// Keys of resources.
    pub resource_types: Option<Vec<String>>,
}

impl EnvScope {
    /// The places where the user has a role, and what it allows there, by type and key; with `rules` (what the call says
    /// of the user and the situation) also where rules over condition sets allow something. An unknown user has none.
    ///
    /// The cost of roles grows with what the user has; rules are asked about every instance of the types that the
    /// filter lets through.
    ///
    /// # Errors
    /// When the work is broken off.
    pub async fn permissions_of(
        &self,
        user: &str,
        filter: PermissionFilter,
        rules: Option<Given>,
        page: Page,
    ) -> Result<Vec<Holding>> {
        let user = user.to_owned();
        self.apart(move |state, now| {
            let filter = HoldingFilter {
                tenants: filter.tenants.as_deref(),
                places: filter.resources.as_deref(),
                types: filter.resource_types.as_deref(),
            };
            let first = usize::try_from(page.offset).unwrap_or(usize::MAX);
            let end = first.saturating_add(usize::try_from(page.limit).unwrap_or(usize::MAX));
            let call = rules.as_ref().map(Given::attributes);
            state.snapshot.holdings(&user, &filter, call.as_ref(), now, first..end)
        })
        .await
    }
}
