//! Receipts: what proves one event to somebody who has nothing but the public key.

use super::AuditLog;
use crate::error::{Error, Kind, Result};
use askfirst_domain::{
    audit::{Entry, Hash, Receipt, SignedHead, leaf},
    id::{AuditEventId, RequestId},
};
use askfirst_store::{AuditFilter, Page};

impl AuditLog {
    /// The receipt of one event.
    ///
    /// # Errors
    /// [`Kind::NotFound`] when the log has no such event; [`Kind::Unavailable`] when this server does not sign.
    pub async fn receipt(&self, id: AuditEventId) -> Result<Receipt> {
        let entry = self.engine.store().audit_entry(self.env, id).await?;
        let entry = entry.ok_or_else(|| {
            Error::new(Kind::NotFound, format!("There is no audit event `{id}` in this log."))
        })?;
        self.receipt_of(entry).await
    }

    /// The receipts of what happened to a request, or of what with one code (`request.approved`), the oldest first.
    ///
    /// # Errors
    /// [`Kind::NotFound`] when there is nothing of it; [`Kind::Unavailable`] when this server does not sign.
    pub async fn receipts_of(&self, request: RequestId, code: Option<String>) -> Result<Vec<Receipt>> {
        let filter = AuditFilter { request: Some(request), code };
        let found = self.engine.store().audit_entries(self.env, &filter, Page::ALL).await?;
        if found.items.is_empty() {
            let message = format!("The audit log has nothing of that about the request `{request}`.");
            return Err(Error::new(Kind::NotFound, message));
        }
        let mut receipts = Vec::with_capacity(found.items.len());
        for entry in found.items.into_iter().rev() {
            receipts.push(self.receipt_of(entry).await?);
        }
        Ok(receipts)
    }

    async fn receipt_of(&self, entry: Entry) -> Result<Receipt> {
        let (store, env) = (self.engine.store(), self.env);
        let head = self.head_over(entry.n).await?;
        let previous = match entry.n.checked_sub(2) {
            None => Hash::default(),
            Some(before) => {
                let before = store.audit_chain(env, before, 1).await?;
                before.first().map(|entry| entry.hash).unwrap_or_default()
            }
        };
        let most = u32::try_from(head.statement.n.saturating_sub(entry.n)).unwrap_or(u32::MAX);
        let after = if most == 0 { Vec::new() } else { store.audit_chain(env, entry.n, most).await? };
        let leaves = after.iter().map(|entry| leaf(&entry.body)).collect();
        Ok(Receipt::new(self.chain(), previous, entry, leaves, head))
    }

    /// The first signed head at or after an event.
    async fn head_over(&self, n: u64) -> Result<SignedHead> {
        let signed = self.engine.store().signed_heads(self.chain(), n, 1).await?;
        if let Some(head) = signed.into_iter().next() {
            return Ok(head);
        }
        self.sign().await?;
        let signed = self.engine.store().signed_heads(self.chain(), n, 1).await?;
        signed
            .into_iter()
            .next()
            .ok_or_else(|| Error::new(Kind::Unavailable, "The event is not signed yet; try again."))
    }
}
