//! `projects`.

use super::environments::CreateBody as EnvironmentBody;
use crate::{
    auth::InOrg,
    body::Body,
    error::Answer,
    listing::PageQuery,
    openapi::{IdShape, KeyShape, NullShape, Routes},
    permit::wire::{Moment, Params, Text, page},
};
use askfirst_domain::{
    Key,
    id::{OrgId, ProjectId},
    scope::Project,
};
use askfirst_engine::{
    Patch,
    admin::projects::{NewProject, ProjectEdit},
};
use axum::{Json, extract::Path, http::StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_axum::routes;

pub(super) fn router() -> Routes {
    Routes::default().routes(routes!(list, create)).routes(routes!(read, update, delete))
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ProjectRead {
    #[schema(value_type = KeyShape)]
    key: Key,
    urn_namespace: Option<String>,
    #[schema(value_type = IdShape)]
    id: ProjectId,
    #[schema(value_type = IdShape)]
    organization_id: OrgId,
    created_at: Moment,
    updated_at: Moment,
    name: String,
    description: Option<String>,
    settings: Option<Value>,
    // There are no policy repositories.
    #[schema(value_type = NullShape, inline)]
    active_policy_repo_id: Option<()>,
}

impl From<&Project> for ProjectRead {
    fn from(project: &Project) -> Self {
        Self {
            key: project.key.clone(),
            urn_namespace: project.urn_namespace.clone(),
            id: project.id,
            organization_id: project.org,
            created_at: Moment(project.created_at),
            updated_at: Moment(project.updated_at),
            name: project.name.clone(),
            description: project.description.clone(),
            settings: project.settings.clone(),
            active_policy_repo_id: None,
        }
    }
}

#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = ProjectCreate)]
pub(crate) struct CreateBody {
    #[schema(value_type = KeyShape)]
    key: Key,
    name: String,
    #[serde(default)]
    urn_namespace: Option<String>,
    #[serde(default)]
    description: Option<String>,
    #[serde(default)]
    settings: Option<Value>,
    #[serde(default)]
    initial_environments: Option<Vec<EnvironmentBody>>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = ProjectUpdate)]
pub(crate) struct UpdateBody {
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    description: Patch<String>,
    #[serde(default)]
    #[schema(value_type = Option<Value>)]
    settings: Patch<Value>,
}

#[derive(Debug, Deserialize)]
pub(super) struct At {
    project: Text,
}

/// List projects
#[utoipa::path(
    get, path = "/v2/projects", params(PageQuery),
    responses((
        status = OK, description = "A page of the projects that the key opens.",
        body = Vec<ProjectRead>
    ))
)]
async fn list(InOrg(scope): InOrg, Params(q): Params<PageQuery>) -> Answer<Json<Vec<ProjectRead>>> {
    let found = scope.list_projects(page(q.page, q.per_page)?);
    Ok(Json(found.items.iter().map(|project| project.as_ref().into()).collect()))
}

/// Read a project
#[utoipa::path(
    get, path = "/v2/projects/{project}",
    responses((status = OK, description = "The project.", body = ProjectRead))
)]
async fn read(InOrg(scope): InOrg, Path(at): Path<At>) -> Answer<Json<ProjectRead>> {
    Ok(Json(scope.get_project(&at.project.ident())?.as_ref().into()))
}

/// Make a project
///
/// With the environments `dev` and `production`, unless `initial_environments` says which.
#[utoipa::path(
    post, path = "/v2/projects", request_body = CreateBody,
    responses((status = OK, description = "The project.", body = ProjectRead))
)]
async fn create(InOrg(scope): InOrg, Body(body): Body<CreateBody>) -> Answer<Json<ProjectRead>> {
    let environments = body.initial_environments.map(|list| list.into_iter().map(Into::into).collect());
    let new = NewProject {
        key: body.key,
        name: body.name,
        urn_namespace: body.urn_namespace,
        description: body.description,
        settings: body.settings,
        environments,
    };
    Ok(Json((&scope.create_project(new).await?).into()))
}

/// Change a project
///
/// What is not sent stays.
#[utoipa::path(
    patch, path = "/v2/projects/{project}", request_body = UpdateBody,
    responses((status = OK, description = "The project as it is now.", body = ProjectRead))
)]
async fn update(
    InOrg(scope): InOrg,
    Path(at): Path<At>,
    Body(body): Body<UpdateBody>,
) -> Answer<Json<ProjectRead>> {
    let edit = ProjectEdit { name: body.name, description: body.description, settings: body.settings };
    Ok(Json((&scope.update_project(&at.project.ident(), edit).await?).into()))
}

/// Delete a project
///
/// With all its environments and the keys that open them.
#[utoipa::path(
    delete, path = "/v2/projects/{project}",
    responses((status = NO_CONTENT, description = "It is gone."))
)]
async fn delete(InOrg(scope): InOrg, Path(at): Path<At>) -> Answer<StatusCode> {
    scope.delete_project(&at.project.ident()).await?;
    Ok(StatusCode::NO_CONTENT)
}
