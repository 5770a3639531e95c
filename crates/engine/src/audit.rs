//! Reading the audit log of an environment.

use crate::{EnvScope, error::Result};
use askfirst_domain::{audit::AuditEvent, id::RequestId};
use askfirst_store::{AuditFilter, Listed, Page};

impl EnvScope {
    /// Audit events, newest first: all of them, of one request, or with one code (`request.approved`, or `request` for
    /// all that begin so).
    ///
    /// # Errors
    /// When the store fails.
    pub async fn audit_events(
        &self,
        request: Option<RequestId>,
        code: Option<String>,
        page: Page,
    ) -> Result<Listed<AuditEvent>> {
        let filter = AuditFilter { request, code };
        Ok(self.engine.store().audit_events(Some(self.env.id), &filter, page).await?)
    }
}
