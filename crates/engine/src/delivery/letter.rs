//! From an item of the outbox to what is sent: the address and the secret are looked up now, so that a changed one counts.

use super::{HOOK_TOPIC, SigningSecret, WEBHOOK_TOPIC, callback, mail};
use crate::{Engine, Secret, error::Result, requests::delivery::TOPIC as ELEMENT_TOPIC};
use askfirst_domain::id::{ElementId, WebhookId};
use askfirst_store::Queued;
use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;

/// How a receiver knows that it is we who call.
#[derive(Debug, Clone)]
pub(super) enum Proof {
    None,
    Bearer(Secret),
    Signature(SigningSecret),
}

/// A message with its address.
#[derive(Debug, Clone)]
pub(super) struct Letter {
    pub(super) url: String,
    pub(super) body: Vec<u8>,
    pub(super) proof: Proof,
}

/// What an item turns into.
#[derive(Debug, Clone)]
pub(super) enum Turned {
    Letter(Letter),
    /// For the mail server.
    Mail(Box<lettre::Message>),
    /// Whom it was for does not exist any more, or wants to hear no more.
    Nobody,
    /// It can't be sent by this process; why.
    Stuck(String),
}

#[derive(Debug, Deserialize)]
struct ForElement {
    element_id: ElementId,
    webhook_id: Uuid,
    body: Value,
}

#[derive(Debug, Deserialize)]
struct ForWebhook {
    webhook_id: WebhookId,
    body: Value,
}

#[derive(Debug, Deserialize)]
struct ForAll {
    body: Value,
}

impl Engine {
    pub(super) async fn letter(&self, queued: &Queued) -> Result<Turned> {
        let payload = queued.item.payload.clone();
        match queued.item.topic.as_str() {
            ELEMENT_TOPIC => match serde_json::from_value(payload) {
                Ok(told) => self.to_element(queued, told).await,
                Err(error) => Ok(Turned::Stuck(format!("the item can't be read: {error}"))),
            },
            callback::TOPIC => match serde_json::from_value(payload) {
                Ok(moved) => self.to_submitter(queued, moved).await,
                Err(error) => Ok(Turned::Stuck(format!("the item can't be read: {error}"))),
            },
            mail::TOPIC => match serde_json::from_value(payload) {
                Ok(told) => self.to_person(queued, told).await,
                Err(error) => Ok(Turned::Stuck(format!("the item can't be read: {error}"))),
            },
            WEBHOOK_TOPIC => Ok(match serde_json::from_value(payload) {
                Ok(told) => self.to_webhook(queued, &told),
                Err(error) => Turned::Stuck(format!("the item can't be read: {error}")),
            }),
            HOOK_TOPIC => Ok(match (serde_json::from_value::<ForAll>(payload), &self.settings().webhook) {
                (Ok(told), Some(hook)) => Turned::Letter(Letter {
                    url: hook.url.clone(),
                    body: told.body.to_string().into_bytes(),
                    proof: Proof::Signature(hook.secret.clone()),
                }),
                (Ok(_), None) => Turned::Stuck("this server has no webhook for all requests".to_owned()),
                (Err(error), _) => Turned::Stuck(format!("the item can't be read: {error}")),
            }),
            other => Ok(Turned::Stuck(format!("this version does not know the topic `{other}`"))),
        }
    }

    fn to_webhook(&self, queued: &Queued, told: &ForWebhook) -> Turned {
        let listing = self.directory().get();
        let Some(webhook) = listing.webhooks(queued.env).find(|webhook| webhook.id == told.webhook_id) else {
            return Turned::Nobody;
        };
        match webhook.secret.reveal().parse() {
            Ok(secret) => Turned::Letter(Letter {
                url: webhook.url.clone(),
                body: told.body.to_string().into_bytes(),
                proof: Proof::Signature(secret),
            }),
            Err(_) => Turned::Stuck("its secret can't be read; give the webhook another one".to_owned()),
        }
    }

    async fn to_element(&self, queued: &Queued, told: ForElement) -> Result<Turned> {
        if self.directory().get().environment_by_id(queued.env).is_none() {
            return Ok(Turned::Nobody);
        }
        let live = self.live(queued.env).await?;
        let found = live.with(|state| state.snapshot.schema().element_by_id(told.element_id).cloned());
        let webhook = found.and_then(|element| element.webhook.clone());
        Ok(match webhook.filter(|webhook| webhook.id == told.webhook_id) {
            None => Turned::Nobody,
            Some(webhook) => Turned::Letter(Letter {
                url: webhook.url,
                body: told.body.to_string().into_bytes(),
                proof: webhook
                    .bearer_token
                    .map_or(Proof::None, |token| Proof::Bearer(Secret::presented(token))),
            }),
        })
    }
}
