//! Erasing a person from the audit log.

use crate::{
    EnvScope,
    commit::About,
    error::{Error, Result},
};
use askfirst_domain::{
    Ident,
    audit::{ChainId, Entry, Field, Mentioned},
    id::AuditEventId,
};
use askfirst_store::Erasure;
use serde_json::Map;

/// How many events are looked at, and erased from, at a time.
const AT_ONCE: u32 = 1000;

impl EnvScope {
    /// Erases a user from the environment's audit log: all of what was done by or for them, and of other events what names
    /// them by key, id or e-mail address. The chain and what was signed stay as they are. The user need not exist any more;
    /// then they are found by what is given. Gives from how many events something was erased. What happens meanwhile is
    /// not looked at.
    ///
    /// # Errors
    /// [`crate::Kind::Invalid`] for an empty name.
    pub async fn erase_from_audit(&self, user: &str) -> Result<u64> {
        if user.trim().is_empty() {
            return Err(Error::invalid("Say whom to erase: the key or the id of a user."));
        }
        let mut names = vec![user.to_owned()];
        if let Some(user) = self.engine.store().user(self.env.id, &Ident::new(user)).await? {
            let user = user.value;
            names.extend([user.key.to_string(), user.id.to_string()]);
            names.extend(user.email);
        }
        let who = Mentioned::new(names);
        let end = self.engine.store().audit_head(ChainId::new(Some(self.env.id))).await?.n;
        let (mut after, mut erased) = (0, 0);
        while after < end {
            let entries = self.engine.store().audit_chain(Some(self.env.id), after, AT_ONCE).await?;
            let Some(last) = entries.last() else { break };
            after = last.n;
            let parts: Vec<_> = entries.iter().filter_map(|entry| gone(&who, entry)).collect();
            if parts.is_empty() {
                continue;
            }
            erased += parts.len() as u64;
            // Not whose: that would be in the log again.
            let details = Map::from_iter([("events".to_owned(), parts.len().into())]);
            let event = self.audit("audit.erased", About { details, ..About::default() })?;
            self.engine.store().erase_audit(Erasure { env: self.env.id, parts, event }).await?;
        }
        Ok(erased)
    }
}

/// What goes of an event.
fn gone(who: &Mentioned, entry: &Entry) -> Option<(AuditEventId, Vec<Field>)> {
    let left = who.without(entry)?;
    // One that can't be read is found by whoever verifies.
    let id = askfirst_domain::audit::Body::read(&entry.body).ok()?.id;
    let gone = entry.private.keys().copied().filter(|field| !left.contains_key(field)).collect();
    Some((id, gone))
}
