//! Elements of a file.

use super::plan::Plan;
use crate::error::{Error, Kind, Result};
use askfirst_domain::{
    Key, Timestamp,
    change::Change,
    element::{Element, ElementWebhook},
};
use askfirst_policy::file::{ElementEntry, Token, WebhookEntry, build::Stamp};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// Stands for a token that is not given, in a plan that nobody carries out.
const NOT_GIVEN: &str = "(not given)";
/// What an element's settings call its resource.
const RESOURCE: &str = "resource";

impl Plan<'_> {
    pub(super) fn elements(&mut self, stamp: &mut Stamp<'_, Error>) -> Result<()> {
        let file = self.file;
        let mut changes = Vec::new();
        for entry in &file.elements {
            let old = self.stage.schema().element_by_key(entry.key.as_str()).cloned();
            let new = self.element(entry, old.as_deref(), stamp)?;
            if old.as_deref() == Some(&new) {
                continue;
            }
            let token =
                |element: &Element| element.webhook.as_ref().and_then(|hook| hook.bearer_token.clone());
            if let Some(old) = &old
                && let (Some(before), Some(after)) = (token(old), token(&new))
                && before != after
            {
                self.new_tokens.push(entry.key.to_string());
            }
            self.stage
                .schema()
                .check_element(&new)
                .map_err(|e| Error::new(Kind::Invalid, crate::error::sentence(&e.to_string())))?;
            changes.push(Change::PutElement(new));
        }
        self.stage.write(changes);
        Ok(())
    }

    fn element(
        &mut self,
        entry: &ElementEntry,
        old: Option<&Element>,
        stamp: &mut Stamp<'_, Error>,
    ) -> Result<Element> {
        if old.is_some_and(|old| old.kind != entry.kind) {
            let message = format!(
                "The element `{}` is there already, and its type can't change; give it another key.",
                entry.key
            );
            return Err(Error::conflict(message));
        }
        let schema = self.stage.schema();
        let mut roles_to_levels = BTreeMap::new();
        for (level, names) in &entry.levels {
            let mut ids = Vec::new();
            for name in names {
                let role = schema.role_by_key(name.resource.as_ref().map(Key::as_str), name.key.as_str());
                ids.push(role.ok_or_else(|| Error::not_found("role", name))?.id);
            }
            roles_to_levels.insert(*level, ids);
        }
        let known = old.and_then(|element| element.webhook.as_ref());
        let webhook = match &entry.webhook {
            Some(hook) => Some(self.webhook(hook, known, stamp)?),
            None => None,
        };
        let there = old.map(|old| (old.id, old.created_at, old.updated_at));
        let (id, created_at, updated_at) = stamp.identity(there)?;
        let mut new = Element {
            id,
            key: entry.key.clone(),
            name: entry.name.clone(),
            kind: entry.kind,
            settings: settings(entry, old),
            resource: entry.resource.clone(),
            email_notifications: entry.email_notifications,
            roles_to_levels,
            webhook,
            is_active: entry.active,
            terms: entry.terms.clone(),
            created_at,
            updated_at,
        };
        if old.is_some_and(|old| *old != new) {
            new.updated_at = stamp.now();
        }
        Ok(new)
    }

    fn webhook(
        &mut self,
        entry: &WebhookEntry,
        known: Option<&ElementWebhook>,
        stamp: &Stamp<'_, Error>,
    ) -> Result<ElementWebhook> {
        // A token belongs to the address that it was given for: it is not sent elsewhere.
        let kept = known.filter(|hook| hook.url == entry.url).and_then(|hook| hook.bearer_token.clone());
        let bearer_token = match &entry.token {
            Token::None => None,
            Token::Written(token) => Some(token.clone()),
            // Who applies the file need not have the secret: what is known stays.
            Token::Named(name) => {
                let given = self.wish.secrets.get(name).cloned().or(kept);
                if given.is_none() && !self.missing_secrets.contains(name) {
                    self.missing_secrets.push(name.clone());
                }
                given.or_else(|| Some(NOT_GIVEN.to_owned()))
            }
        };
        let (id, created_at, updated_at) = match known {
            Some(known) => (known.id, known.created_at, known.updated_at),
            None => (stamp.id::<()>()?.uuid(), stamp.now(), stamp.now()),
        };
        let mut new = ElementWebhook { id, url: entry.url.clone(), bearer_token, created_at, updated_at };
        if known.is_some_and(|known| *known != new) {
            new.updated_at = Timestamp::max(updated_at, stamp.now());
        }
        Ok(new)
    }
}

/// The settings name the resource, as clients expect; how they named it before stays.
fn settings(entry: &ElementEntry, old: Option<&Element>) -> Map<String, Value> {
    let mut settings = entry.settings.clone();
    let Some(resource) = &entry.resource else { return settings };
    let spelled = old.filter(|old| old.resource.as_ref() == Some(resource)).map(|old| &old.settings);
    let named = spelled.into_iter().flatten().filter(|(name, _)| {
        crate::elements::RESOURCE_SETTINGS.contains(&name.as_str()) && !entry.settings.contains_key(*name)
    });
    let named: Vec<(String, Value)> = named.map(|(name, value)| (name.clone(), value.clone())).collect();
    if named.is_empty() && old.is_none_or(|old| old.resource.as_ref() != Some(resource)) {
        settings.entry(RESOURCE).or_insert_with(|| Value::String(resource.to_string()));
    }
    settings.extend(named);
    settings
}
