//! The role assignments that count now.

use crate::{EnvScope, error::Result, facts::AssignmentQuery};
use askfirst_domain::facts::RoleAssignment;
use askfirst_store::Page;

/// How many assignments are looked at in one read.
const CHUNK: u32 = 1000;

impl EnvScope {
    /// Role assignments that have not ended, in the order of their creation.
    ///
    /// # Errors
    /// As [`EnvScope::list_assignments`].
    pub async fn counting_assignments(
        &self,
        query: &AssignmentQuery,
        page: Page,
    ) -> Result<Vec<RoleAssignment>> {
        let most = usize::try_from(page.limit).unwrap_or(usize::MAX);
        let (mut skip, mut offset, mut counting) = (page.offset, 0, Vec::new());
        while counting.len() < most {
            let found = self.list_assignments(query, Page { offset, limit: CHUNK }).await?;
            offset = offset.saturating_add(u64::from(CHUNK));
            for assignment in found.items {
                let ended = assignment.expires_at.is_some_and(|at| at <= self.op.now);
                if ended || counting.len() == most {
                    continue;
                }
                if skip > 0 {
                    skip -= 1;
                } else {
                    counting.push(assignment);
                }
            }
            if offset >= found.total {
                break;
            }
        }
        Ok(counting)
    }
}
