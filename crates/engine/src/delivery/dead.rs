//! What was not delivered yet, and what was given up: for people to see, and to have it tried again.

use crate::{
    EnvScope,
    commit::{About, Draft, Outcome, Tries},
    error::{Error, Result},
};
use askfirst_store::{Listed, OutboxFilter, Page, Queued};
use serde_json::json;
use uuid::Uuid;

impl EnvScope {
    /// What is to be delivered for this environment, in the order in which it was written.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn deliveries(&self, filter: OutboxFilter, page: Page) -> Result<Listed<Queued>> {
        Ok(self.engine.store().outbox(self.env.id, filter, page).await?)
    }

    /// Has a delivery that was given up tried again, as if it were new.
    ///
    /// # Errors
    /// [`Kind::NotFound`](crate::Kind::NotFound) when none with this id was given up.
    pub async fn retry_delivery(&self, id: Uuid) -> Result<()> {
        self.note_delivery("delivery.retried", id).await?;
        if !self.engine.store().outbox_revive(self.env.id, id, self.op.now).await? {
            return Err(gone(id));
        }
        self.engine.0.left.notify_one();
        Ok(())
    }

    /// Drops a delivery that was given up.
    ///
    /// # Errors
    /// [`Kind::NotFound`](crate::Kind::NotFound) when none with this id was given up.
    pub async fn drop_delivery(&self, id: Uuid) -> Result<()> {
        self.note_delivery("delivery.dropped", id).await?;
        if !self.engine.store().outbox_drop(self.env.id, id).await? {
            return Err(gone(id));
        }
        Ok(())
    }

    /// The event comes first: whatever happens after it, somebody wanted it.
    async fn note_delivery(&self, code: &str, id: Uuid) -> Result<()> {
        let found = self.engine.store().outbox_item(self.env.id, id).await?;
        let found = found.filter(|queued| queued.dead_at.is_some()).ok_or_else(|| gone(id))?;
        let mut tries = Tries::default();
        loop {
            let mut about = About::default();
            about.details.insert("delivery".to_owned(), json!(id));
            about.details.insert("topic".to_owned(), json!(found.item.topic));
            let draft = Draft { audit: vec![self.audit(code, about)?], ..Draft::default() };
            match self.commit(draft).await? {
                Outcome::Done(_) => return Ok(()),
                Outcome::Again => tries.again()?,
            }
        }
    }
}

fn gone(id: Uuid) -> Error {
    Error::not_found("delivery that was given up", id)
}
