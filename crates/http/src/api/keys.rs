//! `POST /api/v1/keys`: an API key, or a key that lets an agent act for one user on `/mcp` and opens nothing else.

use crate::{
    auth::InOrg,
    body::Body,
    error::Answer,
    openapi::{IdShape, Routes},
    permit::wire::Text,
};
use askfirst_domain::{Ident, id::ApiKeyId, scope::KeyScope};
use askfirst_engine::{Error, OrgScope, Page, admin::keys::NewKey};
use axum::Json;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::routes;

pub(super) fn router() -> Routes {
    Routes::default().routes(routes!(create))
}

/// How much the key opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = KeyLevel)]
enum Level {
    Org,
    Project,
    Env,
}

/// What is not named is the calling key's own, or the only one that there is.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewKey)]
struct NewKeyBody {
    /// `env` unless said.
    #[serde(default)]
    scope: Option<Level>,
    #[serde(default)]
    project: Option<Text>,
    #[serde(default)]
    env: Option<Text>,
    /// Makes it a key of `/mcp` alone, for this user.
    #[serde(default)]
    as_user: Option<Text>,
    #[serde(default)]
    name: Option<String>,
}

/// The secret is shown here and never again.
#[derive(Debug, Serialize, ToSchema)]
struct KeyMade {
    #[schema(value_type = IdShape)]
    id: ApiKeyId,
    secret: String,
    opens: String,
}

/// Make an API key, or a key that lets an agent act for one user
///
/// An agent's key opens `/mcp` and nothing else. The secret is shown here and never again.
#[utoipa::path(
    post, path = "/api/v1/keys", request_body = NewKeyBody,
    responses((status = OK, description = "The key.", body = KeyMade))
)]
async fn create(InOrg(scope): InOrg, Body(body): Body<NewKeyBody>) -> Answer<Json<KeyMade>> {
    let level = body.scope.unwrap_or(Level::Env);
    if body.as_user.is_some() && level != Level::Env {
        return Err(Error::invalid("A key for a user is of one environment: leave `scope` out.").into());
    }
    let new = match level {
        Level::Org => NewKey::Organization,
        Level::Project => NewKey::Project { project: project(&scope, body.project)? },
        Level::Env => {
            let project = project(&scope, body.project)?;
            let env = environment(&scope, &project, body.env)?;
            match body.as_user {
                Some(user) => NewKey::Agent { project, env, user: user.ident() },
                None => NewKey::Environment { project, env },
            }
        }
    };
    let (key, secret) = scope.create_key(new, body.name).await?;
    let opens = scope.opens(&key.scope);
    Ok(Json(KeyMade { id: key.id, secret: secret.reveal().to_owned(), opens }))
}

fn project(scope: &OrgScope, named: Option<Text>) -> Answer<Ident> {
    if let Some(text) = named {
        return Ok(text.ident());
    }
    if let KeyScope::Project { project } | KeyScope::Environment { project, .. } = scope.key_scope() {
        return Ok(Ident::from(project.uuid()));
    }
    match scope.list_projects(Page::ALL).items.as_slice() {
        [only] => Ok(Ident::from(only.id.uuid())),
        many => {
            let keys: Vec<_> = many.iter().map(|p| p.key.as_str()).collect();
            Err(Error::invalid(format!("Name the `project`; there are: {}.", keys.join(", "))).into())
        }
    }
}

fn environment(scope: &OrgScope, project: &Ident, named: Option<Text>) -> Answer<Ident> {
    if let Some(text) = named {
        return Ok(text.ident());
    }
    if let KeyScope::Environment { env, .. } = scope.key_scope() {
        return Ok(Ident::from(env.uuid()));
    }
    match scope.list_environments(project, Page::ALL)?.items.as_slice() {
        [only] => Ok(Ident::from(only.id.uuid())),
        many => {
            let keys: Vec<_> = many.iter().map(|e| e.key.as_str()).collect();
            Err(Error::invalid(format!("Name the `env`; there are: {}.", keys.join(", "))).into())
        }
    }
}
