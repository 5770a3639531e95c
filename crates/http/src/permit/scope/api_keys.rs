//! `api-key`. The secret of a key is in the answer to its creation and nowhere else: only hashes are kept, so every
//! later answer has `secret: null`, also the one to `GET /v2/api-key/{project}/{env}`, where Permit gives it.

use super::{environments::EnvironmentRead, projects::ProjectRead};
use crate::{
    auth::InOrg,
    body::Body,
    error::Answer,
    listing::{PageQuery, Paginated},
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
use uuid::Uuid;

/// `APIKeyScopeRead`: which of the ids are set says how much the key opens.
#[derive(Debug, Serialize)]
#[expect(clippy::struct_field_names, reason = "the names are those of the model")]
pub(crate) struct ScopeRead {
    organization_id: OrgId,
    project_id: Option<ProjectId>,
    environment_id: Option<EnvId>,
}

/// `APIKeyRead`.
#[derive(Debug, Serialize)]
pub(crate) struct KeyRead {
    organization_id: OrgId,
    project_id: Option<ProjectId>,
    environment_id: Option<EnvId>,
    object_type: &'static str,
    /// `no_access` for a key that opens `/mcp` alone.
    access_level: &'static str,
    owner_type: &'static str,
    name: Option<String>,
    id: ApiKeyId,
    secret: Option<String>,
    created_at: Moment,
    created_by_member: Option<()>,
    last_used_at: Option<Moment>,
    env: Option<EnvironmentRead>,
    project: Option<ProjectRead>,
    /// The user of a key that opens `/mcp` alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    as_user: Option<UserKey>,
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
        KeyScope::Agent { user_key, .. } => ("no_access", Some(user_key)),
        _ => ("admin", None),
    };
    KeyRead {
        organization_id: key.org,
        project_id,
        environment_id,
        object_type: match (project_id, environment_id) {
            (_, Some(_)) => "env",
            (Some(_), None) => "project",
            (None, None) => "org",
        },
        access_level,
        owner_type: "member",
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

/// `APIKeyCreate`.
#[derive(Debug, Deserialize)]
pub(crate) struct CreateBody {
    organization_id: Uuid,
    #[serde(default)]
    project_id: Option<Uuid>,
    #[serde(default)]
    environment_id: Option<Uuid>,
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

pub(super) async fn scope(InOrg(scope): InOrg) -> Answer<Json<ScopeRead>> {
    let (project_id, environment_id) = places(scope.key_scope());
    Ok(Json(ScopeRead { organization_id: scope.organization()?.id, project_id, environment_id }))
}

pub(super) async fn of_environment(
    InOrg(scope): InOrg,
    Path(at): Path<OfEnvironment>,
) -> Answer<Json<KeyRead>> {
    let key = scope.environment_key(&at.project.ident(), &at.env.ident())?;
    Ok(Json(key_read(&scope, key, None)))
}

pub(super) async fn list(
    InOrg(scope): InOrg,
    Params(q): Params<PageQuery>,
) -> Answer<Json<Paginated<KeyRead>>> {
    let page = page(q.page, q.per_page)?;
    let keys = scope.list_keys();
    let total = keys.len() as u64;
    let skipped = usize::try_from(page.offset).unwrap_or(usize::MAX);
    let data = keys.into_iter().skip(skipped).take(page.limit as usize);
    let data = data.map(|key| key_read(&scope, key, None)).collect();
    Ok(Json(Paginated::new(data, total, page.limit)))
}

pub(super) async fn read(InOrg(scope): InOrg, Path(at): Path<At>) -> Answer<Json<KeyRead>> {
    let key = scope.get_key(&at.key.ident())?;
    Ok(Json(key_read(&scope, key, None)))
}

pub(super) async fn create(InOrg(scope): InOrg, Body(body): Body<CreateBody>) -> Answer<Json<KeyRead>> {
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

/// The answer has the new secret.
pub(super) async fn rotate(InOrg(scope): InOrg, Path(at): Path<At>) -> Answer<Json<KeyRead>> {
    let (key, secret) = scope.rotate_key(&at.key.ident()).await?;
    Ok(Json(key_read(&scope, key, Some(&secret))))
}

pub(super) async fn delete(InOrg(scope): InOrg, Path(at): Path<At>) -> Answer<StatusCode> {
    scope.revoke_key(&at.key.ident()).await?;
    Ok(StatusCode::NO_CONTENT)
}
