//! `set_rules`: which users may do what to which resources, by condition sets.

use crate::{
    auth::InEnv,
    body::Body,
    error::Answer,
    openapi::{IdShape, Routes},
    permit::wire::{Home, Moment, Params, Text, page},
};
use askfirst_domain::{id::SetRuleId, schema::SetRule};
use askfirst_engine::{
    EnvScope,
    schema::{RuleFilter, RuleSide, SetRuleSpec},
};
use axum::{Json, http::StatusCode};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::routes;

pub(super) fn router() -> Routes {
    Routes::default().routes(routes!(list, create, delete))
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ConditionSetRuleRead)]
pub(super) struct RuleRead {
    #[schema(value_type = IdShape)]
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
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = ConditionSetRuleCreate)]
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

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct ListQuery {
    /// Those about this user set.
    #[param(value_type = Option<String>)]
    user_set: Option<Text>,
    /// Those with this permission: `resource:action`.
    permission: Option<String>,
    /// Those about this resource set.
    #[param(value_type = Option<String>)]
    resource_set: Option<Text>,
    page: Option<u32>,
    per_page: Option<u32>,
}

/// List set rules
#[utoipa::path(
    get, path = "/set_rules", params(ListQuery),
    responses((status = OK, description = "A page of rules.", body = Vec<RuleRead>))
)]
async fn list(InEnv(scope): InEnv, Params(q): Params<ListQuery>) -> Answer<Json<Vec<RuleRead>>> {
    let page = page(q.page, q.per_page)?;
    let filter = RuleFilter {
        user_set: q.user_set.map(|text| text.0),
        permission: q.permission,
        resource_set: q.resource_set.map(|text| text.0),
    };
    let found = scope.list_set_rules(&filter, page);
    Ok(Json(found.items.iter().map(|rule| RuleRead::new(&scope, rule)).collect()))
}

/// Let the users of a set do something to the resources of a set
///
/// Answers a list of one.
#[utoipa::path(
    post, path = "/set_rules", request_body = RuleBody,
    responses((status = OK, description = "A list with the rule.", body = Vec<RuleRead>))
)]
async fn create(InEnv(scope): InEnv, Body(body): Body<RuleBody>) -> Answer<Json<[RuleRead; 1]>> {
    let rule = scope.create_set_rule(&body.into()).await?;
    Ok(Json([RuleRead::new(&scope, &rule)]))
}

/// Take a set rule away
#[utoipa::path(
    delete, path = "/set_rules", request_body = RuleBody,
    responses((status = NO_CONTENT, description = "It is gone."))
)]
async fn delete(InEnv(scope): InEnv, Body(body): Body<RuleBody>) -> Answer<StatusCode> {
    scope.delete_set_rule(&body.into()).await?;
    Ok(StatusCode::NO_CONTENT)
}
