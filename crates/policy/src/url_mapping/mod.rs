//! Which action on which resource a call of an HTTP API is: the mapping rules of proxy configs, ready to be matched.
//!
//! The rule with the highest priority that matches counts, and of several with the same priority the one that was
//! created first. What a URL gives for the variables of its rule are attributes of the resource in the check that
//! follows. A URL with a `.` or `..` in its path matches nothing: whoever serves it may read it as another one.

mod regex;
mod template;

use crate::{Schema, schema::SchemaError};
use askfirst_domain::{
    Key, Timestamp,
    facts::Attributes,
    id::ProxyConfigId,
    url_mapping::{MappingRule, Method, ProxyConfig, UrlKind},
};
use regex::Pattern;
use std::{collections::BTreeMap, sync::Arc};
use template::Template;

/// The longest URL, of a rule or of a question, in bytes.
pub const MAX_URL: usize = 8 * 1024;
/// How many rules one proxy config may have.
pub const MAX_RULES: usize = 1000;

/// What a call of an HTTP API comes to.
#[derive(Debug, Clone, PartialEq)]
pub struct MappedUrl {
    pub resource: Key,
    /// A key of an action, or the method's name.
    pub action: String,
    /// What the URL says for the rule's variables.
    pub attributes: Attributes,
}

/// The rules of all proxy configs, in the order of the configs' creation.
#[derive(Debug, Clone, Default)]
pub(crate) struct UrlRules(BTreeMap<(Timestamp, ProxyConfigId), Arc<[Ready]>>);

#[derive(Debug)]
struct Ready {
    rule: MappingRule,
    matcher: Matcher,
}

#[derive(Debug)]
enum Matcher {
    Template(Template),
    Regex(Pattern),
    /// Written by a version that read more than this one.
    Nothing,
}

impl UrlRules {
    pub(crate) fn put(&mut self, config: &ProxyConfig) {
        let ready = |rule: &MappingRule| Ready {
            matcher: matcher(rule).unwrap_or(Matcher::Nothing),
            rule: rule.clone(),
        };
        self.remove(config.id);
        self.0.insert((config.created_at, config.id), config.rules.iter().map(ready).collect());
    }

    pub(crate) fn remove(&mut self, id: ProxyConfigId) {
        self.0.retain(|(_, known), _| *known != id);
    }

    fn find(&self, method: Method, url: &str) -> Option<MappedUrl> {
        if url.len() > MAX_URL || climbs(url) {
            return None;
        }
        let mut best: Option<(&MappingRule, Attributes)> = None;
        for ready in self.0.values().flat_map(|rules| rules.iter()) {
            let rule = &ready.rule;
            let ahead = best.as_ref().is_none_or(|(found, _)| rule.priority > found.priority);
            if !ahead || rule.method != method || !rule.headers.is_empty() {
                continue;
            }
            let found = match &ready.matcher {
                Matcher::Template(template) => template.read(url),
                Matcher::Regex(pattern) => pattern.read(url),
                Matcher::Nothing => None,
            };
            if let Some(attributes) = found {
                best = Some((rule, attributes));
            }
        }
        let (rule, attributes) = best?;
        let action = rule.action.as_ref().map_or(rule.method.as_str(), Key::as_str).to_owned();
        Some(MappedUrl { resource: rule.resource.clone(), action, attributes })
    }
}

impl Schema {
    /// The rule that this call falls under, with what its URL gives.
    pub fn map_url(&self, method: Method, url: &str) -> Option<MappedUrl> {
        self.url_rules.find(method, url)
    }

    /// Whether the proxy config may be written.
    ///
    /// # Errors
    /// [`SchemaError::TooManyMappingRules`], [`SchemaError::WrongMappingRule`].
    pub fn check_proxy_config(&self, config: &ProxyConfig) -> Result<(), SchemaError> {
        if config.rules.len() > MAX_RULES {
            return Err(SchemaError::TooManyMappingRules { config: config.key.clone(), limit: MAX_RULES });
        }
        for (at, rule) in config.rules.iter().enumerate() {
            matcher(rule).map_err(|cause| SchemaError::WrongMappingRule {
                config: config.key.clone(),
                number: at + 1,
                cause,
            })?;
        }
        Ok(())
    }
}

/// Whether a rule can be matched.
///
/// # Errors
/// Why it can't.
pub(crate) fn check_rule(rule: &MappingRule) -> Result<(), String> {
    matcher(rule).map(drop)
}

fn matcher(rule: &MappingRule) -> Result<Matcher, String> {
    if rule.url.is_empty() || rule.url.len() > MAX_URL {
        return Err(format!("its `url` has to have 1 to {MAX_URL} bytes"));
    }
    match rule.kind {
        UrlKind::Template => Template::parse(&rule.url).map(Matcher::Template),
        UrlKind::Regex => Pattern::parse(&rule.url).map(Matcher::Regex),
    }
}

/// Whether the path has a segment that some readers take for "here" or "above".
fn climbs(url: &str) -> bool {
    let path = url.split(['?', '#']).next().unwrap_or_default();
    path.split(['/', '\\']).any(|segment| matches!(&*decoded(segment), "." | ".."))
}

/// With its `%XX` read; what is no UTF-8 then is left out.
fn decoded(text: &str) -> std::borrow::Cow<'_, str> {
    percent_encoding::percent_decode_str(text).decode_utf8_lossy()
}

#[cfg(test)]
mod tests;
