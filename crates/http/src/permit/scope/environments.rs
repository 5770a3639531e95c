//! `projects/{project}/envs`.

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
    id::{EnvId, OrgId, ProjectId},
    scope::Environment,
};
use askfirst_engine::{
    Error, Patch,
    admin::{
        copy::{Conflict, CopyScope, EnvironmentCopy, KeyFilter, Target},
        environments::{EnvironmentEdit, NewEnvironment},
    },
};
use axum::{Json, extract::Path, http::StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_axum::routes;

pub(super) fn router() -> Routes {
    Routes::default()
        .routes(routes!(list, create))
        .routes(routes!(read, update, delete))
        .routes(routes!(stats))
        .routes(routes!(copy))
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct EnvironmentRead {
    #[schema(value_type = KeyShape)]
    key: Key,
    #[schema(value_type = IdShape)]
    id: EnvId,
    #[schema(value_type = IdShape)]
    organization_id: OrgId,
    #[schema(value_type = IdShape)]
    project_id: ProjectId,
    created_at: Moment,
    updated_at: Moment,
    #[schema(value_type = NullShape, inline)]
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

#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = EnvironmentCreate)]
pub(crate) struct CreateBody {
    #[schema(value_type = KeyShape)]
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

#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = EnvironmentUpdate)]
pub(crate) struct UpdateBody {
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    description: Patch<String>,
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    custom_branch_name: Patch<String>,
    #[serde(default)]
    #[schema(value_type = Option<Value>)]
    jwks: Patch<Value>,
    #[serde(default)]
    #[schema(value_type = Option<Value>)]
    settings: Patch<Value>,
}

/// There are no PDP configurations and no members besides.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = EnvironmentStats)]
pub(super) struct StatsRead {
    #[serde(flatten)]
    environment: EnvironmentRead,
    #[schema(value_type = Vec<Value>, max_items = 0)]
    pdp_configs: [(); 0],
    stats: Counts,
}

/// `mau` is how many users were active in the last 30 days: a decision in the log is about them, or they made a request. There
/// are no members.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = EnvironmentStatistics)]
struct Counts {
    roles: u64,
    users: u64,
    policies: u64,
    resources: u64,
    tenants: u64,
    has_decision_logs: bool,
    #[schema(value_type = Vec<Value>, max_items = 0)]
    members: [(); 0],
    mau: u64,
}

#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = EnvironmentCopy)]
pub(super) struct CopyBody {
    target_env: TargetBody,
    #[serde(default)]
    conflict_strategy: Option<Strategy>,
    #[serde(default)]
    scope: Option<ScopeBody>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = EnvironmentCopyTarget)]
struct TargetBody {
    #[serde(default)]
    existing: Option<Text>,
    #[serde(default)]
    new: Option<CreateBody>,
}

#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = EnvironmentCopyConflictStrategy)]
enum Strategy {
    Fail,
    Overwrite,
}

/// There are no custom policies, so what it says of those means nothing.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[schema(as = EnvironmentCopyScope)]
struct ScopeBody {
    #[serde(default)]
    resources: Option<FilterBody>,
    #[serde(default)]
    roles: Option<FilterBody>,
    #[serde(default)]
    user_sets: Option<FilterBody>,
    #[serde(default)]
    resource_sets: Option<FilterBody>,
}

#[derive(Debug, Default, Deserialize, ToSchema)]
#[schema(as = EnvironmentCopyScopeFilters)]
struct FilterBody {
    #[serde(default)]
    include: Option<Vec<String>>,
    #[serde(default)]
    exclude: Option<Vec<String>>,
}

impl CopyBody {
    fn order(self) -> Answer<EnvironmentCopy> {
        let target = match (self.target_env.existing, self.target_env.new) {
            (Some(existing), None) => Target::Existing(existing.ident()),
            (None, Some(new)) => Target::New(new.into()),
            _ => {
                let message = "Send in `target_env` either `existing`, the key of an environment, or `new`, \
                               one to be made.";
                return Err(Error::invalid(message).into());
            }
        };
        let scope = self.scope.unwrap_or_default();
        let filter = |body: Option<FilterBody>| {
            let body = body.unwrap_or_default();
            KeyFilter { include: body.include.unwrap_or_default(), exclude: body.exclude.unwrap_or_default() }
        };
        Ok(EnvironmentCopy {
            target,
            conflict: match self.conflict_strategy {
                Some(Strategy::Overwrite) => Conflict::Overwrite,
                Some(Strategy::Fail) | None => Conflict::Fail,
            },
            scope: CopyScope {
                resources: filter(scope.resources),
                roles: filter(scope.roles),
                user_sets: filter(scope.user_sets),
                resource_sets: filter(scope.resource_sets),
            },
        })
    }
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

/// List the environments of a project
#[utoipa::path(
    get, path = "/v2/projects/{project}/envs", params(PageQuery),
    responses((status = OK, description = "A page of environments.", body = Vec<EnvironmentRead>))
)]
async fn list(
    InOrg(scope): InOrg,
    Path(at): Path<OfProject>,
    Params(q): Params<PageQuery>,
) -> Answer<Json<Vec<EnvironmentRead>>> {
    let found = scope.list_environments(&at.project.ident(), page(q.page, q.per_page)?)?;
    Ok(Json(found.items.iter().map(|env| env.as_ref().into()).collect()))
}

/// Read an environment
#[utoipa::path(
    get, path = "/v2/projects/{project}/envs/{env}",
    responses((status = OK, description = "The environment.", body = EnvironmentRead))
)]
async fn read(InOrg(scope): InOrg, Path(at): Path<At>) -> Answer<Json<EnvironmentRead>> {
    Ok(Json(scope.get_environment(&at.project.ident(), &at.env.ident())?.as_ref().into()))
}

/// Make an environment
#[utoipa::path(
    post, path = "/v2/projects/{project}/envs", request_body = CreateBody,
    responses((status = OK, description = "The environment.", body = EnvironmentRead))
)]
async fn create(
    InOrg(scope): InOrg,
    Path(at): Path<OfProject>,
    Body(body): Body<CreateBody>,
) -> Answer<Json<EnvironmentRead>> {
    Ok(Json((&scope.create_environment(&at.project.ident(), body.into()).await?).into()))
}

/// Change an environment
///
/// What is not sent stays; `null` takes away.
#[utoipa::path(
    patch, path = "/v2/projects/{project}/envs/{env}", request_body = UpdateBody,
    responses((status = OK, description = "The environment as it is now.", body = EnvironmentRead))
)]
async fn update(
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

/// Delete an environment
///
/// With all that is in it and the keys that open it.
#[utoipa::path(
    delete, path = "/v2/projects/{project}/envs/{env}",
    responses((status = NO_CONTENT, description = "It is gone."))
)]
async fn delete(InOrg(scope): InOrg, Path(at): Path<At>) -> Answer<StatusCode> {
    scope.delete_environment(&at.project.ident(), &at.env.ident()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Count what is in an environment
#[utoipa::path(
    get, path = "/v2/projects/{project}/envs/{env}/stats",
    responses((status = OK, description = "The environment and its counts.", body = StatsRead))
)]
async fn stats(InOrg(scope): InOrg, Path(at): Path<At>) -> Answer<Json<StatsRead>> {
    let (project, env) = (at.project.ident(), at.env.ident());
    let counts = scope.environment_statistics(&project, &env).await?;
    Ok(Json(StatsRead {
        environment: scope.get_environment(&project, &env)?.as_ref().into(),
        pdp_configs: [],
        stats: Counts {
            roles: counts.roles,
            users: counts.users,
            policies: counts.set_rules,
            resources: counts.resources,
            tenants: counts.tenants,
            has_decision_logs: counts.has_decisions,
            members: [],
            mau: counts.active_users,
        },
    }))
}

/// Copy the policy of an environment into another
///
/// Into another environment of the same project, one that there is or a new one. Facts, elements and requests are
/// not copied. All of it, or nothing.
#[utoipa::path(
    post, path = "/v2/projects/{project}/envs/{env}/copy", request_body = CopyBody,
    responses((status = OK, description = "The environment that was copied into.", body = EnvironmentRead))
)]
async fn copy(
    InOrg(scope): InOrg,
    Path(at): Path<At>,
    Body(body): Body<CopyBody>,
) -> Answer<Json<EnvironmentRead>> {
    let target = scope.copy_environment(&at.project.ident(), &at.env.ident(), &body.order()?).await?;
    Ok(Json(target.as_ref().into()))
}
