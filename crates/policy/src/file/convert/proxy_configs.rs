//! Mapping rules of URLs.

use super::members;
use crate::{
    file::{
        data::ProxyConfigEntry,
        reader::Reader,
        tree::{Content, Node, Text},
    },
    url_mapping::{MAX_RULES, check_rule},
};
use askfirst_domain::url_mapping::{AuthMechanism, MappingRule, UrlKind};
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;

pub(in crate::file) const AUTH_MECHANISMS: [&str; 3] = ["Bearer", "Basic", "Headers"];
pub(in crate::file) const METHODS: [&str; 7] = ["get", "post", "put", "patch", "delete", "head", "options"];
pub(in crate::file) const URL_KINDS: [&str; 2] = ["template", "regex"];

impl Reader {
    pub(super) fn proxy_configs(&mut self, node: Option<&Node>) -> Vec<ProxyConfigEntry> {
        let entries = self.entries(node, "proxy configs");
        entries.iter().filter_map(|(text, node)| self.proxy_config(text, node)).collect()
    }

    fn proxy_config(&mut self, text: &Text, node: &Node) -> Option<ProxyConfigEntry> {
        let key = self.key::<askfirst_domain::Key>(text)?;
        let fields = self.fields(node, "a proxy config", members::PROXY_CONFIG)?;
        let rules = self.items(fields.get("rules"), "mapping rules");
        if rules.len() > MAX_RULES {
            self.complain(text.at, format!("a proxy config has {MAX_RULES} rules at most"), None);
        }
        Some(ProxyConfigEntry {
            name: self.optional_text(fields.get("name")).unwrap_or_else(|| key.to_string()),
            auth_mechanism: self
                .chosen(fields.get("auth_mechanism"), "a way to present a secret", &AUTH_MECHANISMS)
                .unwrap_or(AuthMechanism::Bearer),
            rules: rules.iter().filter_map(|rule| self.mapping_rule(rule)).collect(),
            key,
        })
    }

    fn mapping_rule(&mut self, node: &Node) -> Option<MappingRule> {
        const WHAT: &str = "a mapping rule";
        let fields = self.fields(node, WHAT, members::MAPPING_RULE)?;
        // Each is read before any is missed, so that everything is told at once.
        let url = self.required(&fields, WHAT, "url");
        let text = url.and_then(|node| self.text(node)).map(ToOwned::to_owned);
        let method = self.required(&fields, WHAT, "method");
        let method = self.chosen(method, "a method that rules are about", &METHODS);
        let resource = self.required(&fields, WHAT, "resource").and_then(|node| self.parsed(node));
        let kind = self.chosen(fields.get("kind"), "a kind of URL", &URL_KINDS);
        let action = fields.get("action").map(|node| self.parsed(node));
        let headers = self.headers(fields.get("headers"));
        let priority = self.whole_number(fields.get("priority"));
        let rule = MappingRule {
            url: text?,
            kind: kind.unwrap_or(UrlKind::Template),
            method: method?,
            resource: resource?,
            action: match action {
                Some(read) => Some(read?),
                None => None,
            },
            headers,
            priority,
        };
        if let (Err(cause), Some(url)) = (check_rule(&rule), url) {
            self.complain(url.at, format!("this rule can't be matched: {cause}"), None);
        }
        Some(rule)
    }

    fn chosen<T: DeserializeOwned>(&mut self, node: Option<&Node>, what: &str, words: &[&str]) -> Option<T> {
        let node = node?;
        let text = self.text(node)?;
        self.word(text, node.at, what, words)
    }

    fn headers(&mut self, node: Option<&Node>) -> BTreeMap<String, String> {
        let entries = self.entries(node, "headers");
        entries
            .iter()
            .filter_map(|(name, node)| Some((name.value.clone(), self.text(node)?.to_owned())))
            .collect()
    }

    /// 0 when it is left away.
    fn whole_number(&mut self, node: Option<&Node>) -> i64 {
        let Some(node) = node else { return 0 };
        let read = match &node.content {
            Content::Number(_) => node.to_json().as_i64(),
            _ => None,
        };
        if read.is_none() {
            self.complain(node.at, format!("here stands a whole number, not {}", node.content.kind()), None);
        }
        read.unwrap_or_default()
    }
}
