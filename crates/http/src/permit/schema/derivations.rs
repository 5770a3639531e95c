//! `resources/{resource}/roles/{role}/implicit_grants`, and the same inside a role (`granted_to`).

use crate::{
    auth::InEnv,
    body::Body,
    error::Answer,
    openapi::{IdShape, KeyShape, Routes},
    permit::wire::Text,
};
use askfirst_domain::{
    Key,
    id::{RelationId, ResourceId, RoleId},
    schema::{Derivation, DerivationSettings},
};
use askfirst_engine::schema::{DerivationBlock, RuleSpec, RuleView};
use axum::{Json, extract::Path, http::StatusCode};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::routes;
use uuid::Uuid;

pub(super) fn router() -> Routes {
    Routes::default().routes(routes!(create, delete)).routes(routes!(set_conditions))
}

/// The settings of a derivation. What is not said is false.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[schema(as = DerivationSettings)]
pub(crate) struct Settings {
    #[serde(default)]
    no_direct_roles_on_object: Option<bool>,
}

impl From<Settings> for DerivationSettings {
    fn from(settings: Settings) -> Self {
        Self { no_direct_roles_on_object: settings.no_direct_roles_on_object.unwrap_or_default() }
    }
}

impl From<DerivationSettings> for Settings {
    fn from(settings: DerivationSettings) -> Self {
        Self { no_direct_roles_on_object: Some(settings.no_direct_roles_on_object) }
    }
}

/// `DerivedRoleRuleCreate`, `DerivedRoleRuleDelete`.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = DerivedRoleRuleCreate)]
pub(crate) struct RuleBody {
    role: Text,
    on_resource: Text,
    linked_by_relation: Text,
    #[serde(default)]
    when: Option<Settings>,
}

impl From<RuleBody> for RuleSpec {
    fn from(body: RuleBody) -> Self {
        Self {
            role: body.role.ident(),
            on_resource: body.on_resource.ident(),
            linked_by_relation: body.linked_by_relation.ident(),
            when: body.when.map(Into::into),
        }
    }
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DerivedRoleRuleRead)]
pub(crate) struct RuleRead {
    #[schema(value_type = IdShape)]
    role_id: RoleId,
    #[schema(value_type = IdShape)]
    resource_id: ResourceId,
    #[schema(value_type = IdShape)]
    relation_id: RelationId,
    #[schema(value_type = KeyShape)]
    role: Key,
    #[schema(value_type = KeyShape)]
    on_resource: Key,
    #[schema(value_type = KeyShape)]
    linked_by_relation: Key,
    when: Option<Settings>,
}

impl From<&RuleView> for RuleRead {
    fn from(view: &RuleView) -> Self {
        Self {
            role_id: view.role_id,
            resource_id: view.resource_id,
            relation_id: view.relation_id,
            role: view.rule.role.clone(),
            on_resource: view.rule.on_resource.clone(),
            linked_by_relation: view.rule.linked_by_relation.clone(),
            when: view.rule.when.map(Into::into),
        }
    }
}

#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = DerivedRoleBlockEdit)]
pub(crate) struct DerivationBlockBody {
    #[serde(default)]
    when: Option<Settings>,
    #[serde(default)]
    users_with_role: Option<Vec<RuleBody>>,
}

impl From<DerivationBlockBody> for DerivationBlock {
    fn from(body: DerivationBlockBody) -> Self {
        let rules = body.users_with_role.unwrap_or_default();
        Self { when: body.when.map(Into::into), users_with_role: rules.into_iter().map(Into::into).collect() }
    }
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DerivedRoleBlockRead)]
pub(crate) struct DerivationBlockRead {
    id: Uuid,
    when: Settings,
    users_with_role: Vec<RuleRead>,
}

impl DerivationBlockRead {
    pub(super) fn new(block: &Derivation, rules: &[RuleView]) -> Self {
        Self {
            id: block.id,
            when: block.when.into(),
            users_with_role: rules.iter().map(Into::into).collect(),
        }
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct At {
    resource: Text,
    role: Text,
}

/// Derive a role from another
///
/// Who has `role` on a thing that is linked by the relation has the role of the path.
#[utoipa::path(
    post, path = "/resources/{resource}/roles/{role}/implicit_grants", request_body = RuleBody,
    responses((status = OK, description = "The rule.", body = RuleRead))
)]
async fn create(
    InEnv(scope): InEnv,
    Path(at): Path<At>,
    Body(body): Body<RuleBody>,
) -> Answer<Json<RuleRead>> {
    let rule = scope.create_derivation(&at.resource.ident(), &at.role.ident(), &body.into()).await?;
    Ok(Json((&rule).into()))
}

/// Take a derivation away
#[utoipa::path(
    delete, path = "/resources/{resource}/roles/{role}/implicit_grants", request_body = RuleBody,
    responses((status = NO_CONTENT, description = "It is gone."))
)]
async fn delete(InEnv(scope): InEnv, Path(at): Path<At>, Body(body): Body<RuleBody>) -> Answer<StatusCode> {
    scope.delete_derivation(&at.resource.ident(), &at.role.ident(), &body.into()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Set when the derivations of a role count
#[utoipa::path(
    put, path = "/resources/{resource}/roles/{role}/implicit_grants/conditions", request_body = Settings,
    responses((status = OK, description = "The settings as they are now.", body = Settings))
)]
async fn set_conditions(
    InEnv(scope): InEnv,
    Path(at): Path<At>,
    Body(body): Body<Settings>,
) -> Answer<Json<Settings>> {
    let set = scope.set_derivation_conditions(&at.resource.ident(), &at.role.ident(), body.into()).await?;
    Ok(Json(set.into()))
}
