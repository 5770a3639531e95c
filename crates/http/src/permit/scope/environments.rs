//! `projects/{project}/envs`.

use crate::{
    auth::InOrg,
    body::Body,
    error::Answer,
    listing::PageQuery,
    permit::wire::{Moment, Params, Text, page},
};
use askfirst_domain::{
    Key,
    id::{EnvId, OrgId, ProjectId},
    scope::Environment,
};
use askfirst_engine::{
    Patch,
    admin::environments::{EnvironmentEdit, NewEnvironment},
};
use axum::{Json, extract::Path, http::StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::Value;

#[derive(Debug, Serialize)]
pub(crate) struct EnvironmentRead {
    key: Key,
    id: EnvId,
    organization_id: OrgId,
    project_id: ProjectId,
    created_at: Moment,
    updated_at: Moment,
    avp_policy_store_id: Option<()>,
    name: String,
    description: Option<String>,
    custom_branch_name: Option<String>,
    jwks: Option<Value>,
    settings: Option<Value>,
}

impl From<&Environment> for EnvironmentRead {
    fn from(env: &Environment) -> Self {
        Self {
            key: env.key.clone(),
            id: env.id,
            organization_id: env.org,
            project_id: env.project,
            created_at: Moment(env.created_at),
            updated_at: Moment(env.updated_at),
            avp_policy_store_id: None,
            name: env.name.clone(),
            description: env.description.clone(),
            custom_branch_name: env.custom_branch_name.clone(),
            jwks: env.jwks.clone(),
            settings: env.settings.clone(),
        }
    }
}

/// `EnvironmentCreate`.
#[derive(Debug, Deserialize)]
pub(crate) struct CreateBody {
    key: Key,
    name: String,
    #[serde(default)]
    description: Option<String>,
    #[serde(default)]
    custom_branch_name: Option<String>,
    #[serde(default)]
    jwks: Option<Value>,
    #[serde(default)]
    settings: Option<Value>,
}

impl From<CreateBody> for NewEnvironment {
    fn from(body: CreateBody) -> Self {
        Self {
            key: body.key,
            name: body.name,
            description: body.description,
            custom_branch_name: body.custom_branch_name,
            jwks: body.jwks,
            settings: body.settings,
        }
    }
}

/// `EnvironmentUpdate`.
#[derive(Debug, Deserialize)]
pub(crate) struct UpdateBody {
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    description: Patch<String>,
    #[serde(default)]
    custom_branch_name: Patch<String>,
    #[serde(default)]
    jwks: Patch<Value>,
    #[serde(default)]
    settings: Patch<Value>,
}

#[derive(Debug, Deserialize)]
pub(super) struct OfProject {
    project: Text,
}

#[derive(Debug, Deserialize)]
pub(super) struct At {
    project: Text,
    env: Text,
}

pub(super) async fn list(
    InOrg(scope): InOrg,
    Path(at): Path<OfProject>,
    Params(q): Params<PageQuery>,
) -> Answer<Json<Vec<EnvironmentRead>>> {
    let found = scope.list_environments(&at.project.ident(), page(q.page, q.per_page)?)?;
    Ok(Json(found.items.iter().map(|env| env.as_ref().into()).collect()))
}

pub(super) async fn read(InOrg(scope): InOrg, Path(at): Path<At>) -> Answer<Json<EnvironmentRead>> {
    Ok(Json(scope.get_environment(&at.project.ident(), &at.env.ident())?.as_ref().into()))
}

pub(super) async fn create(
    InOrg(scope): InOrg,
    Path(at): Path<OfProject>,
    Body(body): Body<CreateBody>,
) -> Answer<Json<EnvironmentRead>> {
    Ok(Json((&scope.create_environment(&at.project.ident(), body.into()).await?).into()))
}

pub(super) async fn update(
    InOrg(scope): InOrg,
    Path(at): Path<At>,
    Body(body): Body<UpdateBody>,
) -> Answer<Json<EnvironmentRead>> {
    let edit = EnvironmentEdit {
        name: body.name,
        description: body.description,
        custom_branch_name: body.custom_branch_name,
        jwks: body.jwks,
        settings: body.settings,
    };
    Ok(Json((&scope.update_environment(&at.project.ident(), &at.env.ident(), edit).await?).into()))
}

pub(super) async fn delete(InOrg(scope): InOrg, Path(at): Path<At>) -> Answer<StatusCode> {
    scope.delete_environment(&at.project.ident(), &at.env.ident()).await?;
    Ok(StatusCode::NO_CONTENT)
}
