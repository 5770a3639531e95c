//! Proxy configs: which action on which resource a call of an HTTP API is.

use super::{
    missing, paged,
    stage::{Stage, taken},
};
use crate::{EnvScope, Patch, error::Result};
use askfirst_domain::{
    Ident, Key,
    url_mapping::{AuthMechanism, MappingRule, Method, ProxyConfig},
};
use askfirst_policy::{MappedUrl, Schema};
use askfirst_store::{Listed, Page};
use std::sync::Arc;

/// A proxy config to be made.
#[derive(Debug, Clone)]
pub struct NewProxyConfig {
    pub key: Key,
    pub name: String,
    pub auth_mechanism: AuthMechanism,
    pub rules: Vec<MappingRule>,
}

/// What is said about a proxy config.
#[derive(Debug, Clone, Default)]
pub struct ProxyConfigEdit {
    pub name: Option<String>,
    pub auth_mechanism: Option<AuthMechanism>,
    /// Rules that are left out stay; cleared means none.
    pub rules: Patch<Vec<RuleEdit>>,
}

/// What becomes of the rule with the same URL and method.
#[derive(Debug, Clone)]
pub enum RuleEdit {
    /// It becomes this one, or this one is added.
    Put(MappingRule),
    Delete(MappingRule),
}

impl EnvScope {
    /// Proxy configs, in the order of their creation.
    pub fn list_proxy_configs(&self, page: Page) -> Listed<Arc<ProxyConfig>> {
        let state = self.state();
        paged(state.snapshot.schema().proxy_configs().cloned(), page)
    }

    /// One proxy config.
    ///
    /// # Errors
    /// [`crate::Kind::NotFound`].
    pub fn proxy_config(&self, ident: &Ident) -> Result<Arc<ProxyConfig>> {
        find(self.state().snapshot.schema(), ident).cloned()
    }

    /// Creates a proxy config.
    ///
    /// # Errors
    /// [`crate::Kind::Duplicate`]; [`crate::Kind::Invalid`] for a rule that can't be matched, with its number.
    pub async fn create_proxy_config(&self, new: &NewProxyConfig) -> Result<Arc<ProxyConfig>> {
        self.write_schema(|stage| {
            if stage.schema().proxy_configs().any(|known| known.key == new.key) {
                return Err(taken("proxy config", &new.key));
            }
            let config = ProxyConfig {
                id: stage.fresh_id()?,
                key: new.key.clone(),
                name: new.name.clone(),
                auth_mechanism: new.auth_mechanism,
                rules: new.rules.clone(),
                created_at: stage.now(),
                updated_at: stage.now(),
            };
            write(stage, config, "proxy_config.created")
        })
        .await
    }

    /// Changes what is said.
    ///
    /// # Errors
    /// [`crate::Kind::NotFound`]; as [`EnvScope::create_proxy_config`].
    pub async fn update_proxy_config(
        &self,
        ident: &Ident,
        edit: &ProxyConfigEdit,
    ) -> Result<Arc<ProxyConfig>> {
        self.write_schema(|stage| {
            let mut config = ProxyConfig::clone(find(stage.schema(), ident)?);
            config.name = edit.name.clone().unwrap_or(config.name);
            config.auth_mechanism = edit.auth_mechanism.unwrap_or(config.auth_mechanism);
            match &edit.rules {
                Patch::Keep => {}
                Patch::Clear => config.rules.clear(),
                Patch::Set(edits) => edits.iter().for_each(|edit| lay_over(&mut config.rules, edit)),
            }
            config.updated_at = stage.now();
            write(stage, config, "proxy_config.updated")
        })
        .await
    }

    /// Deletes a proxy config.
    ///
    /// # Errors
    /// [`crate::Kind::NotFound`].
    pub async fn delete_proxy_config(&self, ident: &Ident) -> Result<()> {
        self.write_schema(|stage| {
            let config = Arc::clone(find(stage.schema(), ident)?);
            stage.delete_proxy_config(config.id);
            stage.note("proxy_config.deleted", config.key.to_string())
        })
        .await
    }

    /// The rule that a call of this method on this URL falls under, with what the URL gives; see
    /// [`askfirst_policy::Schema::map_url`].
    pub fn map_url(&self, method: Method, url: &str) -> Option<MappedUrl> {
        self.state().snapshot.schema().map_url(method, url)
    }
}

fn lay_over(rules: &mut Vec<MappingRule>, edit: &RuleEdit) {
    let (RuleEdit::Put(rule) | RuleEdit::Delete(rule)) = edit;
    let place = rules.iter().position(|known| known.url == rule.url && known.method == rule.method);
    match (edit, place.and_then(|at| rules.get_mut(at))) {
        (RuleEdit::Put(rule), Some(known)) => *known = rule.clone(),
        (RuleEdit::Put(rule), None) => rules.push(rule.clone()),
        (RuleEdit::Delete(_), _) => {
            rules.retain(|known| known.url != rule.url || known.method != rule.method);
        }
    }
}

fn write(stage: &mut Stage<'_>, config: ProxyConfig, code: &str) -> Result<Arc<ProxyConfig>> {
    stage.put_proxy_config(config.clone())?;
    stage.note(code, config.key.to_string())?;
    Ok(Arc::new(config))
}

fn find<'a>(schema: &'a Schema, ident: &Ident) -> Result<&'a Arc<ProxyConfig>> {
    schema.proxy_config(ident).ok_or_else(|| {
        let names = schema.proxy_configs().map(|config| config.key.to_string());
        missing("proxy config", ident, "the proxy configs are", names)
    })
}
