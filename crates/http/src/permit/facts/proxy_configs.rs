//! `proxy_configs`: the mapping rules that `/allowed_url` goes by. The secret is for Permit's proxy, which is not here: it
//! is not kept, and answers say `null`.

use crate::{
    auth::InEnv,
    body::Body,
    error::Answer,
    listing::PageQuery,
    permit::wire::{Home, Moment, Params, Text, page},
};
use askfirst_domain::{
    Key,
    id::ProxyConfigId,
    url_mapping::{AuthMechanism, MappingRule, Method, ProxyConfig, UrlKind},
};
use askfirst_engine::{
    EnvScope, Patch,
    schema::{NewProxyConfig, ProxyConfigEdit, RuleEdit},
};
use axum::{Json, extract::Path, http::StatusCode};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// `ProxyConfigRead`.
#[derive(Debug, Serialize)]
pub(super) struct ConfigRead {
    key: Key,
    id: ProxyConfigId,
    #[serde(flatten)]
    home: Home,
    created_at: Moment,
    updated_at: Moment,
    secret: Option<()>,
    name: String,
    mapping_rules: Vec<RuleRead>,
    auth_mechanism: AuthMechanism,
}

/// `MappingRule`.
#[derive(Debug, Serialize)]
struct RuleRead {
    url: String,
    url_type: Option<&'static str>,
    http_method: Method,
    resource: Key,
    headers: BTreeMap<String, String>,
    action: Option<Key>,
    priority: i64,
}

impl ConfigRead {
    fn new(scope: &EnvScope, config: &ProxyConfig) -> Self {
        Self {
            key: config.key.clone(),
            id: config.id,
            home: scope.into(),
            created_at: Moment(config.created_at),
            updated_at: Moment(config.updated_at),
            secret: None,
            name: config.name.clone(),
            mapping_rules: config.rules.iter().map(Into::into).collect(),
            auth_mechanism: config.auth_mechanism,
        }
    }
}

impl From<&MappingRule> for RuleRead {
    fn from(rule: &MappingRule) -> Self {
        Self {
            url: rule.url.clone(),
            url_type: match rule.kind {
                UrlKind::Template => None,
                UrlKind::Regex => Some("regex"),
            },
            http_method: rule.method,
            resource: rule.resource.clone(),
            headers: rule.headers.clone(),
            action: rule.action.clone(),
            priority: rule.priority,
        }
    }
}

/// `MappingRule`, `MappingRuleUpdate`.
#[derive(Debug, Deserialize)]
struct RuleBody {
    url: String,
    #[serde(default)]
    url_type: Option<UrlType>,
    http_method: Method,
    resource: Key,
    #[serde(default)]
    headers: Option<BTreeMap<String, String>>,
    #[serde(default)]
    action: Option<Key>,
    #[serde(default)]
    priority: Option<i64>,
    /// In an update only.
    #[serde(default)]
    should_delete: Option<bool>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum UrlType {
    Default,
    Regex,
}

impl From<RuleBody> for MappingRule {
    fn from(body: RuleBody) -> Self {
        Self {
            url: body.url,
            kind: match body.url_type {
                None | Some(UrlType::Default) => UrlKind::Template,
                Some(UrlType::Regex) => UrlKind::Regex,
            },
            method: body.http_method,
            resource: body.resource,
            action: body.action,
            headers: body.headers.unwrap_or_default(),
            priority: body.priority.unwrap_or_default(),
        }
    }
}

impl From<RuleBody> for RuleEdit {
    fn from(body: RuleBody) -> Self {
        if body.should_delete == Some(true) { Self::Delete(body.into()) } else { Self::Put(body.into()) }
    }
}

/// `ProxyConfigCreate`; its secret is passed over.
#[derive(Debug, Deserialize)]
pub(super) struct CreateBody {
    key: Key,
    name: String,
    #[serde(default)]
    mapping_rules: Option<Vec<RuleBody>>,
    #[serde(default)]
    auth_mechanism: Option<AuthMechanism>,
}

/// `ProxyConfigUpdate`.
#[derive(Debug, Deserialize)]
pub(super) struct UpdateBody {
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    mapping_rules: Patch<Vec<RuleBody>>,
    #[serde(default)]
    auth_mechanism: Option<AuthMechanism>,
}

#[derive(Debug, Deserialize)]
pub(super) struct At {
    config: Text,
}

pub(super) async fn list(InEnv(scope): InEnv, Params(q): Params<PageQuery>) -> Answer<Json<Vec<ConfigRead>>> {
    let found = scope.list_proxy_configs(page(q.page, q.per_page)?);
    Ok(Json(found.items.iter().map(|config| ConfigRead::new(&scope, config)).collect()))
}

pub(super) async fn read(InEnv(scope): InEnv, Path(at): Path<At>) -> Answer<Json<ConfigRead>> {
    let config = scope.proxy_config(&at.config.ident())?;
    Ok(Json(ConfigRead::new(&scope, &config)))
}

pub(super) async fn create(InEnv(scope): InEnv, Body(body): Body<CreateBody>) -> Answer<Json<ConfigRead>> {
    let new = NewProxyConfig {
        key: body.key,
        name: body.name,
        auth_mechanism: body.auth_mechanism.unwrap_or_default(),
        rules: body.mapping_rules.unwrap_or_default().into_iter().map(Into::into).collect(),
    };
    let config = scope.create_proxy_config(&new).await?;
    Ok(Json(ConfigRead::new(&scope, &config)))
}

pub(super) async fn update(
    InEnv(scope): InEnv,
    Path(at): Path<At>,
    Body(body): Body<UpdateBody>,
) -> Answer<Json<ConfigRead>> {
    let edit = ProxyConfigEdit {
        name: body.name,
        auth_mechanism: body.auth_mechanism,
        rules: body.mapping_rules.map(|rules| rules.into_iter().map(Into::into).collect()),
    };
    let config = scope.update_proxy_config(&at.config.ident(), &edit).await?;
    Ok(Json(ConfigRead::new(&scope, &config)))
}

pub(super) async fn delete(InEnv(scope): InEnv, Path(at): Path<At>) -> Answer<StatusCode> {
    scope.delete_proxy_config(&at.config.ident()).await?;
    Ok(StatusCode::NO_CONTENT)
}
