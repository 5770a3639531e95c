//! Webhooks that an environment sets by itself: who is told of which events.

use crate::{
    Timestamp,
    id::{EnvId, WebhookId},
};
use serde::{Deserialize, Serialize};
use std::fmt;

/// The events that webhooks are told of.
pub const EVENTS: [&str; 12] = [
    "request.created",
    "request.updated",
    "request.approved",
    "request.denied",
    "request.canceled",
    "request.expired",
    "request.taken",
    "request.looked_at",
    "grant.redeemed",
    "grant.recorded",
    "grant.revoked",
    "grant.ended",
];

/// Whether a text names an event, or the part of one before the dot.
pub fn names_events(text: &str) -> bool {
    EVENTS.iter().any(|event| covers(text, event))
}

fn covers(text: &str, event: &str) -> bool {
    text == event || event.split_once('.').is_some_and(|(topic, _)| topic == text)
}

/// With what messages are signed (`whsec_…`). It has to be kept as it is: who signs needs it. Never printed by accident.
#[derive(Clone, PartialEq, Eq)]
pub struct WebhookSecret(String);

impl WebhookSecret {
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text, for signing, and for showing it once to whom it belongs.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl Default for WebhookSecret {
    /// None: what is read without its secret signs nothing.
    fn default() -> Self {
        Self(String::new())
    }
}

impl fmt::Debug for WebhookSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WebhookSecret(…)")
    }
}

/// A webhook.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Webhook {
    pub id: WebhookId,
    pub env: EnvId,
    pub url: String,
    /// What it is for, for people.
    pub description: Option<String>,
    /// Events, or the part before the dot for all that begin so; none means all.
    pub events: Vec<String>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    /// Kept beside the rest.
    #[serde(skip)]
    pub secret: WebhookSecret,
}

impl Webhook {
    /// Whether it is told of an event.
    pub fn wants(&self, event: &str) -> bool {
        self.events.is_empty() || self.events.iter().any(|wanted| covers(wanted, event))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_wanted_by_name_or_by_what_stands_before_the_dot() {
        for (wanted, event, told) in [
            (vec![], "request.created", true),
            (vec!["request"], "request.created", true),
            (vec!["request.denied", "grant"], "grant.revoked", true),
            (vec!["request.denied"], "request.created", false),
            (vec!["request.c"], "request.created", false),
        ] {
            let webhook = Webhook {
                id: crate::Id::new(uuid::Uuid::nil()),
                env: crate::Id::new(uuid::Uuid::nil()),
                url: String::new(),
                description: None,
                events: wanted.iter().map(|event| (*event).to_owned()).collect(),
                created_at: Timestamp::default(),
                updated_at: Timestamp::default(),
                secret: WebhookSecret::new("whsec_secret"),
            };
            assert_eq!(webhook.wants(event), told, "{wanted:?} {event}");
            assert!(!format!("{webhook:?}").contains("whsec_"));
        }
        assert!(names_events("request") && names_events("grant.ended"));
        assert!(!names_events("request.") && !names_events("user") && !names_events(""));
    }
}
