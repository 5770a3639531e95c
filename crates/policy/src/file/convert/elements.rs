//! Elements.

use super::members;
use crate::{
    RoleName,
    file::{
        data::{ElementEntry, Token, WebhookEntry},
        reader::{Fields, Reader, Spot},
        tree::{Node, Text},
    },
};
use askfirst_domain::{
    Key, Span,
    element::{ElementType, Level, Terms},
};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

pub(in crate::file) const ELEMENT_TYPES: [&str; 5] =
    ["user_management", "audit_log", "approval_flow", "operation_approval", "approval_management"];
pub(in crate::file) const LEVELS: [&str; 6] =
    ["LEVEL_1", "LEVEL_2", "LEVEL_3", "LEVEL_4", "HIDDEN", "UNCONFIGURED"];
/// What a resource is called in the spelling of a level that means tenants.
const TENANT: &str = "tenant";

impl Reader {
    pub(super) fn elements(&mut self, node: Option<&Node>) -> Vec<ElementEntry> {
        let entries = self.entries(node, "elements");
        entries.iter().filter_map(|(text, node)| self.element(text, node)).collect()
    }

    fn element(&mut self, text: &Text, node: &Node) -> Option<ElementEntry> {
        let key: Key = self.key(text)?;
        self.note(Spot::Element(key.clone()), text.at);
        let fields = self.fields(node, "an element", members::ELEMENT)?;
        let kind = self.required(&fields, "an element", "type").and_then(|node| {
            let word = self.text(node)?;
            self.word::<ElementType>(word, node.at, "a type of element", &ELEMENT_TYPES)
        });
        let mut resource = match fields.get("resource") {
            Some(node) => Some(self.parsed(node)?),
            None => None,
        };
        let levels = self.levels(&key, &mut resource, fields.get("levels"));
        let settings = self.settings(fields.get("settings"));
        let terms = self.terms(fields.get("terms"));
        let webhook = fields.get("webhook").and_then(|node| self.webhook(node));
        Some(ElementEntry {
            name: self.optional_text(fields.get("name")).unwrap_or_else(|| key.to_string()),
            kind: kind?,
            resource,
            levels,
            settings,
            email_notifications: self.flag(fields.get("email_notifications")),
            active: fields.get("active").is_none_or(|node| self.flag(Some(node))),
            webhook,
            terms,
            key,
        })
    }

    fn terms(&mut self, node: Option<&Node>) -> Terms {
        let Some(fields) = node.and_then(|node| self.fields(node, "the terms of an element", members::TERMS))
        else {
            return Terms::default();
        };
        let uses = fields.get("most_uses").and_then(|node| {
            let uses =
                node.to_json().as_u64().and_then(|uses| u32::try_from(uses).ok()).filter(|uses| *uses > 0);
            if uses.is_none() {
                self.complain(node.at, "`most_uses` must be a whole number, 1 or more", None);
            }
            uses
        });
        Terms {
            decide_within: fields.get("decide_within").and_then(|node| self.span(node)),
            grant_lasts: fields.get("grant_lasts").and_then(|node| self.span(node)),
            most_uses: uses,
            thresholds: self.parts(fields.get("thresholds"), "thresholds", "a threshold", members::THRESHOLD),
            rules: self.parts(fields.get("rules"), "rules", "a rule", members::ELEMENT_RULE),
            escalation: self.parts(fields.get("escalation"), "escalation", "a step", members::ESCALATION),
            break_glass: fields
                .get("break_glass")
                .and_then(|node| self.piece(node, "break_glass", members::BREAK_GLASS)),
            ask_again_after: fields.get("ask_again_after").and_then(|node| self.span(node)),
        }
    }

    /// The entries of a list in the terms, as the domain reads them.
    fn parts<T: DeserializeOwned>(
        &mut self,
        node: Option<&Node>,
        what: &str,
        one: &str,
        known: &[&str],
    ) -> Vec<T> {
        let items = self.items(node, what);
        items.iter().filter_map(|item| self.piece(item, one, known)).collect()
    }

    fn piece<T: DeserializeOwned>(&mut self, node: &Node, what: &str, known: &[&str]) -> Option<T> {
        let before = self.diagnostics.len();
        self.fields(node, what, known)?;
        if self.diagnostics.len() > before {
            return None;
        }
        serde_json::from_value(node.to_json()).map_err(|error| self.complain(node.at, error, None)).ok()
    }

    /// `30m`, or a number of seconds.
    fn span(&mut self, node: &Node) -> Option<Span> {
        match node.to_json() {
            Value::Number(seconds) => {
                seconds.to_string().parse().map_err(|error| self.complain(node.at, error, None)).ok()
            }
            _ => self.parsed(node),
        }
    }

    fn settings(&mut self, node: Option<&Node>) -> Map<String, Value> {
        let mut settings = Map::new();
        for (name, node) in self.entries(node, "settings") {
            let value = node.to_json();
            if value.is_string() || value.is_boolean() || value.is_i64() || value.is_u64() {
                settings.insert(name.value.clone(), value);
            } else {
                let message = format!("the setting `{}` can't be {}", name.value, node.content.kind());
                let hint = "write a text, a whole number, true or false".to_owned();
                self.complain(node.at, message, Some(hint));
            }
        }
        settings
    }

    /// An element without a resource is about that of the first role that names one.
    fn levels(
        &mut self,
        element: &Key,
        resource: &mut Option<Key>,
        node: Option<&Node>,
    ) -> BTreeMap<Level, Vec<RoleName>> {
        let mut levels: BTreeMap<Level, Vec<RoleName>> = BTreeMap::new();
        for (text, node) in self.entries(node, "levels") {
            let level: Option<Level> = self.word(&text.value, text.at, "a level", &LEVELS);
            for item in self.items(Some(node), "the roles of a level") {
                let role = self.level_role(resource.as_ref(), item);
                if let (Some(level), Some(role)) = (level, role) {
                    if resource.is_none() {
                        resource.clone_from(&role.resource);
                    }
                    let roles = levels.entry(level).or_default();
                    self.note(Spot::Level(element.clone(), level, roles.len()), item.at);
                    roles.push(role);
                }
            }
        }
        levels
    }

    /// `parent` is a role on the element's resource, and where it has none of that name (or no resource) a tenant role;
    /// `tenant#admin` is a tenant role, `document#editor` a role on a resource.
    fn level_role(&mut self, resource: Option<&Key>, node: &Node) -> Option<RoleName> {
        let text = self.text(node)?;
        let (resource, key) = match text.split_once('#') {
            Some((TENANT, key)) => (None, key),
            Some((resource, key)) => (Some(self.part(resource, node.at)?), key),
            None => (resource.cloned(), text),
        };
        Some(RoleName { resource, key: self.part(key, node.at)? })
    }

    fn webhook(&mut self, node: &Node) -> Option<WebhookEntry> {
        let fields = self.fields(node, "a webhook", members::WEBHOOK)?;
        let token = self.token(&fields);
        let node = self.required(&fields, "a webhook", "url")?;
        let url = self.text(node)?;
        let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
        let has_host = rest.is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/'));
        if !has_host || url.contains(|c: char| c.is_whitespace() || c.is_control()) {
            let hint = "write an address that starts with https:// or http:// and a host".to_owned();
            self.complain(node.at, "this is not an address for a webhook", Some(hint));
            return None;
        }
        Some(WebhookEntry { url: url.to_owned(), token })
    }

    fn token(&mut self, fields: &Fields<'_>) -> Token {
        match (fields.get("token_from"), fields.get("bearer_token")) {
            (Some(node), Some(_)) => {
                let hint = "write one of them".to_owned();
                self.complain(node.at, "`token_from` stands beside `bearer_token`", Some(hint));
                Token::None
            }
            (None, Some(node)) => self.optional_text(Some(node)).map_or(Token::None, Token::Written),
            (Some(node), None) => {
                let name = self.optional_text(Some(node)).unwrap_or_default();
                let sound = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
                    && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
                if !sound {
                    let hint = "write one of letters, digits and `_`, as ORDERS_WEBHOOK_TOKEN".to_owned();
                    self.complain(node.at, "this is not the name of an environment variable", Some(hint));
                }
                Token::Named(name)
            }
            (None, None) => Token::None,
        }
    }
}
