//! `api-key`. The secret of a key is in the answer to its creation and nowhere else: only hashes are kept, so every
//! later answer has `secret: null`, also the one to `GET /v2/api-key/{project}/{env}`, where Permit gives it.

use super::{environments::EnvironmentRead, projects::ProjectRead};
use crate::{
    auth::InOrg,
    body::Body,
    error::Answer,
    listing::{PageQuery, Paginated},
    openapi::{IdShape, NullShape, Routes, UserKeyShape},
    permit::wire::{Moment, Params, Text, page},
};
use askfirst_domain::{
    Ident, UserKey,
    id::{ApiKeyId, EnvId, OrgId, ProjectId},
    scope::{ApiKey, KeyScope},
};
use askfirst_engine::{Error, Kind, OrgScope, Secret, admin::keys::NewKey};
use axum::{Json, extract::Path, http::StatusCode};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::routes;
use uuid::Uuid;

pub(super) fn router() -> Routes {
    Routes::default()
        .routes(routes!(list, create))
        .routes(routes!(scope))
        .routes(routes!(read, delete))
        .routes(routes!(rotate))
        .routes(routes!(of_environment))
}

/// Which of the ids are set says how much the key opens.
#[derive(Debug, Serialize, ToSchema)]
#[expect(clippy::struct_field_names, reason = "the names are those of the model")]
#[schema(as = APIKeyScopeRead)]
pub(crate) struct ScopeRead {
    #[schema(value_type = IdShape)]
    organization_id: OrgId,
    #[schema(value_type = Option<IdShape>)]
    project_id: Option<ProjectId>,
    #[schema(value_type = Option<IdShape>)]
    environment_id: Option<EnvId>,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = APIKeyRead)]
pub(crate) struct KeyRead {
    #[schema(value_type = IdShape)]
    organization_id: OrgId,
    #[schema(value_type = Option<IdShape>)]
    project_id: Option<ProjectId>,
    #[schema(value_type = Option<IdShape>)]
    environment_id: Option<EnvId>,
    object_type: Opens,
    access_level: AccessLevel,
    owner_type: Owner,
    name: Option<String>,
    #[schema(value_type = IdShape)]
    id: ApiKeyId,
    secret: Option<String>,
    created_at: Moment,
    #[schema(value_type = NullShape, inline)]
    created_by_member: Option<()>,
    last_used_at: Option<Moment>,
    env: Option<EnvironmentRead>,
    project: Option<ProjectRead>,
    /// The user of a key that opens `/mcp` alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = UserKeyShape, required = false)]
    as_user: Option<UserKey>,
}

#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = MemberAccessObj)]
enum Opens {
    Org,
    Project,
    Env,
}

/// `no_access` for a key that opens `/mcp` alone.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = MemberAccessLevel)]
enum AccessLevel {
    Admin,
    NoAccess,
}

#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = APIKeyOwnerType)]
enum Owner {
    Member,
}

fn places(scope: &KeyScope) -> (Option<ProjectId>, Option<EnvId>) {
    match scope {
        KeyScope::Organization => (None, None),
        KeyScope::Project { project } => (Some(*project), None),
        KeyScope::Environment { project, env } | KeyScope::Agent { project, env, .. } => {
            (Some(*project), Some(*env))
        }
    }
}

fn key_read(scope: &OrgScope, key: ApiKey, secret: Option<&Secret>) -> KeyRead {
    let (project_id, environment_id) = places(&key.scope);
    let project = project_id.map(|id| Ident::from(id.uuid()));
    let env = project.as_ref().zip(environment_id).and_then(|(project, env)| {
        let found = scope.get_environment(project, &Ident::from(env.uuid())).ok()?;
        Some(found.as_ref().into())
    });
    let (access_level, as_user) = match key.scope {
        KeyScope::Agent { user_key, .. } => (AccessLevel::NoAccess, Some(user_key)),
        _ => (AccessLevel::Admin, None),
    };
    KeyRead {
        organization_id: key.org,
        project_id,
        environment_id,
        object_type: match (project_id, environment_id) {
            (_, Some(_)) => Opens::Env,
            (Some(_), None) => Opens::Project,
            (None, None) => Opens::Org,
        },
        access_level,
        owner_type: Owner::Member,
        name: key.name,
        id: key.id,
        secret: secret.map(|secret| secret.reveal().to_owned()),
        created_at: Moment(key.created_at),
        created_by_member: None,
        last_used_at: None,
        env,
        project: project.and_then(|ident| Some(scope.get_project(&ident).ok()?.as_ref().into())),
        as_user,
    }
}

#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = APIKeyCreate)]
pub(crate) struct CreateBody {
    organization_id: Uuid,
    #[serde(default)]
    project_id: Option<Uuid>,
    #[serde(default)]
    environment_id: Option<Uuid>,
    /// `admin`, if anything.
    #[serde(default)]
    access_level: Option<String>,
    #[serde(default)]
    name: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct At {
    key: Text,
}

#[derive(Debug, Deserialize)]
pub(super) struct OfEnvironment {
    project: Text,
    env: Text,
}

/// Say what the calling key opens
#[utoipa::path(
    get, path = "/v2/api-key/scope",
    responses((
        status = OK, description = "The ids of what it opens; which of them are set says how much that is.",
        body = ScopeRead
    ))
)]
async fn scope(InOrg(scope): InOrg) -> Answer<Json<ScopeRead>> {
    let (project_id, environment_id) = places(scope.key_scope());
    Ok(Json(ScopeRead { organization_id: scope.organization()?.id, project_id, environment_id }))
}

/// Find the API key of an environment
#[utoipa::path(
    get, path = "/v2/api-key/{project}/{env}",
    responses((status = OK, description = "The key, without its secret.", body = KeyRead))
)]
async fn of_environment(InOrg(scope): InOrg, Path(at): Path<OfEnvironment>) -> Answer<Json<KeyRead>> {
    let key = scope.environment_key(&at.project.ident(), &at.env.ident())?;
    Ok(Json(key_read(&scope, key, None)))
}

/// List API keys
#[utoipa::path(
    get, path = "/v2/api-key", params(PageQuery),
    responses((
        status = OK, description = "A page of keys, without their secrets.",
        body = Paginated<KeyRead>
    ))
)]
async fn list(InOrg(scope): InOrg, Params(q): Params<PageQuery>) -> Answer<Json<Paginated<KeyRead>>> {
    let page = page(q.page, q.per_page)?;
    let keys = scope.list_keys();
    let total = keys.len() as u64;
    let skipped = usize::try_from(page.offset).unwrap_or(usize::MAX);
    let data = keys.into_iter().skip(skipped).take(page.limit as usize);
    let data = data.map(|key| key_read(&scope, key, None)).collect();
    Ok(Json(Paginated::new(data, total, page.limit)))
}

/// Read an API key
#[utoipa::path(
    get, path = "/v2/api-key/{key}",
    responses((status = OK, description = "The key, without its secret.", body = KeyRead))
)]
async fn read(InOrg(scope): InOrg, Path(at): Path<At>) -> Answer<Json<KeyRead>> {
    let key = scope.get_key(&at.key.ident())?;
    Ok(Json(key_read(&scope, key, None)))
}

/// Make an API key
///
/// The secret is in this answer and nowhere else.
#[utoipa::path(
    post, path = "/v2/api-key", request_body = CreateBody,
    responses((status = OK, description = "The key with its secret.", body = KeyRead))
)]
async fn create(InOrg(scope): InOrg, Body(body): Body<CreateBody>) -> Answer<Json<KeyRead>> {
    if body.organization_id != scope.organization()?.id.uuid() {
        let message = format!("There is no organization `{}` that this key opens.", body.organization_id);
        return Err(Error::new(Kind::NotFound, message).into());
    }
    if body.access_level.is_some_and(|level| level != "admin") {
        return Err(Error::invalid("Every API key has full access to what it opens: send `admin`.").into());
    }
    let new = match (body.project_id.map(Ident::from), body.environment_id.map(Ident::from)) {
        (None, None) => NewKey::Organization,
        (Some(project), None) => NewKey::Project { project },
        (Some(project), Some(env)) => NewKey::Environment { project, env },
        (None, Some(_)) => {
            return Err(Error::invalid("Send the `project_id` of the environment too.").into());
        }
    };
    let (key, secret) = scope.create_key(new, body.name).await?;
    Ok(Json(key_read(&scope, key, Some(&secret))))
}

/// Give an API key a new secret
///
/// The old secret opens nothing any more.
#[utoipa::path(
    post, path = "/v2/api-key/{key}/rotate-secret",
    responses((status = OK, description = "The key with its new secret.", body = KeyRead))
)]
async fn rotate(InOrg(scope): InOrg, Path(at): Path<At>) -> Answer<Json<KeyRead>> {
    let (key, secret) = scope.rotate_key(&at.key.ident()).await?;
    Ok(Json(key_read(&scope, key, Some(&secret))))
}

/// Revoke an API key
#[utoipa::path(
    delete, path = "/v2/api-key/{key}",
    responses((status = NO_CONTENT, description = "It opens nothing any more."))
)]
async fn delete(InOrg(scope): InOrg, Path(at): Path<At>) -> Answer<StatusCode> {
    scope.revoke_key(&at.key.ident()).await?;
    Ok(StatusCode::NO_CONTENT)
}
