//! `set_rules`: which users may do what to which resources, by condition sets.

use crate::{
    auth::InEnv,
    body::Body,
    error::Answer,
    permit::wire::{Home, Moment, Params, Text, page},
};
use askfirst_domain::{id::SetRuleId, schema::SetRule};
use askfirst_engine::{
    EnvScope,
    schema::{RuleFilter, RuleSide, SetRuleSpec},
};
use axum::{Json, http::StatusCode};
use serde::{Deserialize, Serialize};

/// `ConditionSetRuleRead`.
#[derive(Debug, Serialize)]
pub(super) struct RuleRead {
    id: SetRuleId,
    key: String,
    user_set: String,
    permission: String,
    resource_set: String,
    #[serde(flatten)]
    home: Home,
    created_at: Moment,
    updated_at: Moment,
}

impl RuleRead {
    fn new(scope: &EnvScope, rule: &SetRule) -> Self {
        let (user_set, resource_set) = (rule.users.to_string(), rule.resources.key().to_string());
        let permission = format!("{}:{}", rule.permission.resource, rule.permission.action);
        Self {
            id: rule.id,
            key: format!("{user_set}_{resource_set}_{permission}"),
            user_set,
            permission,
            resource_set,
            home: scope.into(),
            created_at: Moment(rule.created_at),
            updated_at: Moment(rule.updated_at),
        }
    }
}

/// `ConditionSetRuleCreate`, `ConditionSetRuleRemove`.
#[derive(Debug, Deserialize)]
pub(super) struct RuleBody {
    user_set: Text,
    permission: String,
    resource_set: Text,
    is_role: Option<bool>,
    is_resource: Option<bool>,
}

impl From<RuleBody> for SetRuleSpec {
    fn from(body: RuleBody) -> Self {
        let side = |whole: Option<bool>| match whole {
            Some(true) => RuleSide::Whole,
            Some(false) | None => RuleSide::Set,
        };
        Self {
            user_set: body.user_set.ident(),
            users: side(body.is_role),
            permission: body.permission,
            resource_set: body.resource_set.ident(),
            resources: side(body.is_resource),
        }
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct ListQuery {
    user_set: Option<Text>,
    permission: Option<String>,
    resource_set: Option<Text>,
    page: Option<u32>,
    per_page: Option<u32>,
}

pub(super) async fn list(InEnv(scope): InEnv, Params(q): Params<ListQuery>) -> Answer<Json<Vec<RuleRead>>> {
    let page = page(q.page, q.per_page)?;
    let filter = RuleFilter {
        user_set: q.user_set.map(|text| text.0),
        permission: q.permission,
        resource_set: q.resource_set.map(|text| text.0),
    };
    let found = scope.list_set_rules(&filter, page);
    Ok(Json(found.items.iter().map(|rule| RuleRead::new(&scope, rule)).collect()))
}

/// Answers a list of one.
pub(super) async fn create(InEnv(scope): InEnv, Body(body): Body<RuleBody>) -> Answer<Json<[RuleRead; 1]>> {
    let rule = scope.create_set_rule(&body.into()).await?;
    Ok(Json([RuleRead::new(&scope, &rule)]))
}

pub(super) async fn delete(InEnv(scope): InEnv, Body(body): Body<RuleBody>) -> Answer<StatusCode> {
    scope.delete_set_rule(&body.into()).await?;
    Ok(StatusCode::NO_CONTENT)
}
