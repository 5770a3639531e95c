//! The webhooks that an environment sets by itself.

use super::{
    SigningSecret,
    address::{Reach, refusal},
    hook::for_webhook,
};
use crate::{
    EnvScope, Patch,
    commit::{About, Draft, Outcome, Tries},
    error::{Error, Result},
};
use askfirst_domain::{
    Ident,
    webhook::{EVENTS, Webhook, WebhookSecret, names_events},
};
use askfirst_store::{AdminCommit, AdminOp};
use serde_json::json;
use std::sync::Arc;

/// How many an environment may have.
pub const MOST_WEBHOOKS: usize = 50;
/// The longest address, and the longest description, in characters.
const LONGEST: usize = 2000;

/// A webhook to be.
#[derive(Debug, Clone, Default)]
pub struct NewWebhook {
    pub url: String,
    pub description: Option<String>,
    /// Events, or the part before the dot; none means all.
    pub events: Vec<String>,
}

/// What is to be another of a webhook.
#[derive(Debug, Clone, Default)]
pub struct WebhookPatch {
    pub url: Option<String>,
    pub description: Patch<String>,
    pub events: Option<Vec<String>>,
}

impl EnvScope {
    /// The environment's webhooks, the oldest first.
    pub fn webhooks(&self) -> Vec<Arc<Webhook>> {
        self.engine.directory().get().webhooks(self.env.id).cloned().collect()
    }

    /// One webhook.
    ///
    /// # Errors
    /// [`Kind::NotFound`](crate::Kind::NotFound).
    pub fn webhook(&self, id: &Ident) -> Result<Arc<Webhook>> {
        let found = self.webhooks().into_iter().find(|webhook| Some(webhook.id.uuid()) == id.uuid());
        found.ok_or_else(|| Error::not_found("webhook", id))
    }

    /// Makes a webhook. Its secret is shown now and after a rotation, and never else.
    ///
    /// # Errors
    /// [`Kind::Invalid`](crate::Kind::Invalid) for an address that would not be called, and for events that do not exist;
    /// [`Kind::Conflict`](crate::Kind::Conflict) when there are too many.
    pub async fn create_webhook(&self, new: NewWebhook) -> Result<Webhook> {
        if self.webhooks().len() >= MOST_WEBHOOKS {
            return Err(Error::conflict(format!(
                "An environment has {MOST_WEBHOOKS} webhooks at most; delete one that nobody needs."
            )));
        }
        let webhook = Webhook {
            id: self.engine.fresh_id(&self.op)?,
            env: self.env.id,
            url: new.url,
            description: new.description,
            events: new.events,
            created_at: self.op.now,
            updated_at: self.op.now,
            secret: WebhookSecret::new(SigningSecret::make(self.engine.entropy())?),
        };
        self.check_webhook(&webhook)?;
        self.write_webhook("webhook.created", &webhook, AdminOp::PutWebhook(webhook.clone())).await?;
        Ok(webhook)
    }

    /// Changes a webhook. What waits for its delivery goes to the new address.
    ///
    /// # Errors
    /// As [`EnvScope::create_webhook`], and [`Kind::NotFound`](crate::Kind::NotFound).
    pub async fn update_webhook(&self, id: &Ident, patch: WebhookPatch) -> Result<Webhook> {
        let before = self.webhook(id)?;
        let webhook = Webhook {
            url: patch.url.unwrap_or_else(|| before.url.clone()),
            description: patch.description.over(before.description.clone()),
            events: patch.events.unwrap_or_else(|| before.events.clone()),
            updated_at: self.op.now,
            ..Webhook::clone(&before)
        };
        self.check_webhook(&webhook)?;
        self.write_webhook("webhook.updated", &webhook, AdminOp::PutWebhook(webhook.clone())).await?;
        Ok(webhook)
    }

    /// Gives a webhook another secret; from now on messages are signed with it and with no other.
    ///
    /// # Errors
    /// [`Kind::NotFound`](crate::Kind::NotFound).
    pub async fn rotate_webhook_secret(&self, id: &Ident) -> Result<Webhook> {
        let secret = WebhookSecret::new(SigningSecret::make(self.engine.entropy())?);
        let webhook = Webhook { secret, updated_at: self.op.now, ..Webhook::clone(&*self.webhook(id)?) };
        self.write_webhook("webhook.rotated", &webhook, AdminOp::PutWebhook(webhook.clone())).await?;
        Ok(webhook)
    }

    /// Deletes a webhook. What waits for its delivery is dropped.
    ///
    /// # Errors
    /// [`Kind::NotFound`](crate::Kind::NotFound).
    pub async fn delete_webhook(&self, id: &Ident) -> Result<()> {
        let webhook = self.webhook(id)?;
        self.write_webhook("webhook.deleted", &webhook, AdminOp::DeleteWebhook(webhook.id)).await
    }

    /// Sends a webhook a message of the type `test`, whatever it wants to hear.
    ///
    /// # Errors
    /// [`Kind::NotFound`](crate::Kind::NotFound).
    pub async fn test_webhook(&self, id: &Ident) -> Result<uuid::Uuid> {
        let webhook = self.webhook(id)?;
        let data = json!({ "project": self.project.key, "environment": self.env.key, "webhook": webhook.id });
        let body = json!({ "type": "test", "timestamp": self.op.now.to_string(), "data": data });
        let item = for_webhook(self, webhook.id, &body)?;
        let mut tries = Tries::default();
        loop {
            let about = About { object: Some(webhook.id.to_string()), ..About::default() };
            let draft = Draft {
                audit: vec![self.audit("webhook.tested", about)?],
                outbox: vec![item.clone()],
                ..Draft::default()
            };
            match self.commit(draft).await? {
                Outcome::Done(_) => return Ok(item.id),
                Outcome::Again => tries.again()?,
            }
        }
    }

    fn check_webhook(&self, webhook: &Webhook) -> Result<()> {
        let description = webhook.description.as_deref().unwrap_or_default();
        if webhook.url.chars().count() > LONGEST || description.chars().count() > LONGEST {
            return Err(Error::invalid(format!(
                "The address and the description of a webhook have {LONGEST} characters at most."
            )));
        }
        if let Some(unknown) = webhook.events.iter().find(|event| !names_events(event)) {
            return Err(Error::invalid(format!(
                "There is no event `{unknown}`; there are {}, and `request` and `grant` for all that begin so.",
                EVENTS.join(", ")
            )));
        }
        let reach: Reach = self.engine.settings().reach;
        match refusal(&webhook.url, reach) {
            Some(why) => Err(Error::invalid(format!("This webhook would not be called: {why}."))),
            None => Ok(()),
        }
    }

    /// The address, which may hold a secret, is in no event.
    async fn write_webhook(&self, code: &str, webhook: &Webhook, op: AdminOp) -> Result<()> {
        let mut about = About { object: Some(webhook.id.to_string()), ..About::default() };
        about.details.insert("events".to_owned(), json!(webhook.events));
        let event = self.audit(code, about)?;
        let audit = vec![(Some(self.env.id), event)];
        self.engine.store().commit_admin(AdminCommit { ops: vec![op], audit }).await?;
        Ok(self.engine.directory().reload(self.engine.store()).await?)
    }
}
