//! `proxy_configs`: the mapping rules that `/allowed_url` goes by. The secret is for Permit's proxy, which is not here: it
//! is not kept, and answers say `null`.

use crate::{
    auth::InEnv,
    body::Body,
    error::Answer,
    listing::PageQuery,
    openapi::{AuthMechanismWord, IdShape, KeyShape, MethodWord, NullShape, Routes},
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
use utoipa::ToSchema;
use utoipa_axum::routes;

pub(super) fn router() -> Routes {
    Routes::default().routes(routes!(list, create)).routes(routes!(read, update, delete))
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ProxyConfigRead)]
pub(super) struct ConfigRead {
    #[schema(value_type = KeyShape)]
    key: Key,
    #[schema(value_type = IdShape)]
    id: ProxyConfigId,
    #[serde(flatten)]
    home: Home,
    created_at: Moment,
    updated_at: Moment,
    #[schema(value_type = NullShape, inline)]
    secret: Option<()>,
    name: String,
    mapping_rules: Vec<RuleRead>,
    #[schema(value_type = AuthMechanismWord)]
    auth_mechanism: AuthMechanism,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = MappingRule)]
struct RuleRead {
    url: String,
    url_type: Option<UrlType>,
    #[schema(value_type = MethodWord)]
    http_method: Method,
    #[schema(value_type = KeyShape)]
    resource: Key,
    headers: BTreeMap<String, String>,
    #[schema(value_type = Option<KeyShape>)]
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
                UrlKind::Regex => Some(UrlType::Regex),
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
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = MappingRuleUpdate)]
struct RuleBody {
    url: String,
    #[serde(default)]
    url_type: Option<UrlType>,
    #[schema(value_type = MethodWord)]
    http_method: Method,
    #[schema(value_type = KeyShape)]
    resource: Key,
    #[serde(default)]
    headers: Option<BTreeMap<String, String>>,
    #[serde(default)]
    #[schema(value_type = Option<KeyShape>)]
    action: Option<Key>,
    #[serde(default)]
    priority: Option<i64>,
    /// In an update only.
    #[serde(default)]
    should_delete: Option<bool>,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
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
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = ProxyConfigCreate)]
pub(super) struct CreateBody {
    #[schema(value_type = KeyShape)]
    key: Key,
    name: String,
    #[serde(default)]
    mapping_rules: Option<Vec<RuleBody>>,
    #[serde(default)]
    #[schema(value_type = Option<AuthMechanismWord>)]
    auth_mechanism: Option<AuthMechanism>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = ProxyConfigUpdate)]
pub(super) struct UpdateBody {
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    #[schema(value_type = Option<Vec<RuleBody>>)]
    mapping_rules: Patch<Vec<RuleBody>>,
    #[serde(default)]
    #[schema(value_type = Option<AuthMechanismWord>)]
    auth_mechanism: Option<AuthMechanism>,
}

#[derive(Debug, Deserialize)]
pub(super) struct At {
    config: Text,
}

/// List proxy configurations
#[utoipa::path(
    get, path = "/proxy_configs", params(PageQuery),
    responses((status = OK, description = "A page of configurations.", body = Vec<ConfigRead>))
)]
async fn list(InEnv(scope): InEnv, Params(q): Params<PageQuery>) -> Answer<Json<Vec<ConfigRead>>> {
    let found = scope.list_proxy_configs(page(q.page, q.per_page)?);
    Ok(Json(found.items.iter().map(|config| ConfigRead::new(&scope, config)).collect()))
}

/// Read a proxy configuration
#[utoipa::path(
    get, path = "/proxy_configs/{config}",
    responses((status = OK, description = "The configuration.", body = ConfigRead))
)]
async fn read(InEnv(scope): InEnv, Path(at): Path<At>) -> Answer<Json<ConfigRead>> {
    let config = scope.proxy_config(&at.config.ident())?;
    Ok(Json(ConfigRead::new(&scope, &config)))
}

/// Make a proxy configuration
///
/// Its secret is passed over and not kept.
#[utoipa::path(
    post, path = "/proxy_configs", request_body = CreateBody,
    responses((status = OK, description = "The configuration.", body = ConfigRead))
)]
async fn create(InEnv(scope): InEnv, Body(body): Body<CreateBody>) -> Answer<Json<ConfigRead>> {
    let new = NewProxyConfig {
        key: body.key,
        name: body.name,
        auth_mechanism: body.auth_mechanism.unwrap_or_default(),
        rules: body.mapping_rules.unwrap_or_default().into_iter().map(Into::into).collect(),
    };
    let config = scope.create_proxy_config(&new).await?;
    Ok(Json(ConfigRead::new(&scope, &config)))
}

/// Change a proxy configuration
///
/// Rules that are sent are put beside those that are there, or in the place of the one for the same calls; `null`
/// takes all away.
#[utoipa::path(
    patch, path = "/proxy_configs/{config}", request_body = UpdateBody,
    responses((status = OK, description = "The configuration as it is now.", body = ConfigRead))
)]
async fn update(
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

/// Delete a proxy configuration
#[utoipa::path(
    delete, path = "/proxy_configs/{config}",
    responses((status = NO_CONTENT, description = "It is gone."))
)]
async fn delete(InEnv(scope): InEnv, Path(at): Path<At>) -> Answer<StatusCode> {
    scope.delete_proxy_config(&at.config.ident()).await?;
    Ok(StatusCode::NO_CONTENT)
}
