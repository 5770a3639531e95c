//! `/api/v1/agents`: registered agents, their keys, and freezing them.

use crate::{
    auth::InEnv,
    body::Body,
    error::Answer,
    listing::Paginated,
    openapi::{IdShape, KeyShape, Routes, UserKeyShape},
    permit::wire::{Moment, PER_PAGE, Params, Text, page},
};
use askfirst_domain::{
    Key, UserKey,
    agent::{AgentStatus, Ceiling, Permitted},
    id::{AgentId, ApiKeyId},
};
use askfirst_engine::{
    Error, Patch,
    agents::{AgentEdit, AgentKey, AgentView, NewAgent},
};
use axum::{Json, extract::Path, http::StatusCode};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::routes;

pub(super) fn router() -> Routes {
    Routes::default()
        .routes(routes!(list, create))
        .routes(routes!(show, update))
        .routes(routes!(freeze))
        .routes(routes!(thaw))
        .routes(routes!(create_key))
        .routes(routes!(revoke_key))
}

#[derive(Debug, Deserialize)]
struct At {
    agent: Text,
}

#[derive(Debug, Deserialize)]
struct AtKey {
    agent: Text,
    key: Text,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Query {
    page: Option<u32>,
    per_page: Option<u32>,
}

/// An agent to be registered.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewAgent)]
struct NewAgentBody {
    #[schema(value_type = KeyShape)]
    key: Text,
    /// The key unless said.
    #[serde(default)]
    name: Option<String>,
    /// The user who answers for it: key or id.
    owner: Text,
    /// The most that it may do, whomever it acts for: `resource:action` each, `*` for any. Left out or null: whatever its human
    /// may.
    #[serde(default)]
    may: Option<Vec<String>>,
}

/// What is left out stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = AgentUpdate)]
struct AgentUpdateBody {
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    owner: Option<Text>,
    /// Null: whatever its human may.
    #[serde(default)]
    #[schema(value_type = Option<Vec<String>>)]
    may: Patch<Vec<String>>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = AgentStop)]
struct StopBody {
    /// For the audit log.
    #[serde(default)]
    reason: Option<String>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewAgentKey)]
struct NewKeyBody {
    /// The human whom the agent acts for with this key: key or id.
    user: Text,
    #[serde(default)]
    name: Option<String>,
}

/// A registered agent.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Agent)]
struct AgentRead {
    #[schema(value_type = IdShape)]
    id: AgentId,
    #[schema(value_type = KeyShape)]
    key: Key,
    name: String,
    #[schema(value_type = UserKeyShape)]
    owner: UserKey,
    /// `active` or `frozen`.
    status: String,
    /// The most that it may do, whomever it acts for; null for whatever its human may.
    may: Option<Vec<String>>,
    /// The keys with which it acts, each for one human; revoked ones are not told.
    keys: Vec<KeyRead>,
    created_at: Moment,
    updated_at: Moment,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AgentKey)]
struct KeyRead {
    #[schema(value_type = IdShape)]
    id: ApiKeyId,
    #[schema(value_type = UserKeyShape)]
    user: UserKey,
    name: Option<String>,
    created_at: Moment,
}

/// The secret is shown here and never again.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AgentKeyMade)]
struct KeyMade {
    #[schema(value_type = IdShape)]
    id: ApiKeyId,
    secret: String,
    #[schema(value_type = IdShape)]
    agent: AgentId,
    #[schema(value_type = UserKeyShape)]
    user: UserKey,
}

impl From<AgentView> for AgentRead {
    fn from(view: AgentView) -> Self {
        let agent = view.agent;
        Self {
            id: agent.id,
            key: agent.key.clone(),
            name: agent.name.clone(),
            owner: agent.owner.key.clone(),
            status: agent.status.to_string(),
            may: match &agent.ceiling {
                Ceiling::Human => None,
                Ceiling::Only(permitted) => Some(permitted.iter().map(ToString::to_string).collect()),
            },
            keys: view.keys.into_iter().map(KeyRead::from).collect(),
            created_at: Moment(agent.created_at),
            updated_at: Moment(agent.updated_at),
        }
    }
}

impl From<AgentKey> for KeyRead {
    fn from(key: AgentKey) -> Self {
        Self { id: key.id, user: key.user, name: key.name, created_at: Moment(key.created_at) }
    }
}

/// List agents
///
/// In the order of their registration, each with its keys.
#[utoipa::path(
    get, path = "/api/v1/agents", params(Query),
    responses((status = OK, description = "A page of agents.", body = Paginated<AgentRead>))
)]
async fn list(InEnv(scope): InEnv, Params(query): Params<Query>) -> Answer<Json<Paginated<AgentRead>>> {
    let found = scope.list_agents(page(query.page, query.per_page)?);
    let data = found.items.into_iter().map(AgentRead::from).collect();
    Ok(Json(Paginated::new(data, found.total, query.per_page.unwrap_or(PER_PAGE))))
}

/// Register an agent
///
/// It has no key yet.
#[utoipa::path(
    post, path = "/api/v1/agents", request_body = NewAgentBody,
    responses((status = OK, description = "The agent.", body = AgentRead))
)]
async fn create(InEnv(scope): InEnv, Body(body): Body<NewAgentBody>) -> Answer<Json<AgentRead>> {
    let ceiling = match body.may {
        None => Ceiling::Human,
        Some(may) => only(&may)?,
    };
    let new = NewAgent { key: body.key.key()?, name: body.name, owner: body.owner.ident(), ceiling };
    Ok(Json(scope.create_agent(new).await?.into()))
}

/// Show an agent
#[utoipa::path(
    get, path = "/api/v1/agents/{agent}", params(("agent" = String, Path, description = "Key or id.")),
    responses((status = OK, description = "The agent.", body = AgentRead))
)]
async fn show(InEnv(scope): InEnv, Path(at): Path<At>) -> Answer<Json<AgentRead>> {
    Ok(Json(scope.agent(&at.agent.ident())?.into()))
}

/// Change an agent
#[utoipa::path(
    patch, path = "/api/v1/agents/{agent}", request_body = AgentUpdateBody,
    params(("agent" = String, Path, description = "Key or id.")),
    responses((status = OK, description = "The agent.", body = AgentRead))
)]
async fn update(
    InEnv(scope): InEnv,
    Path(at): Path<At>,
    Body(body): Body<AgentUpdateBody>,
) -> Answer<Json<AgentRead>> {
    let ceiling = match body.may {
        Patch::Keep => None,
        Patch::Clear => Some(Ceiling::Human),
        Patch::Set(may) => Some(only(&may)?),
    };
    let edit = AgentEdit { name: body.name, owner: body.owner.as_ref().map(Text::ident), ceiling };
    Ok(Json(scope.update_agent(&at.agent.ident(), edit).await?.into()))
}

/// Stop an agent at once
///
/// Its keys open nothing from then on, what waits for a decision ends, requests that it opened can be denied and not approved,
/// its approvals can't be spent, and checks that name it are denied.
#[utoipa::path(
    post, path = "/api/v1/agents/{agent}/freeze", request_body = StopBody,
    params(("agent" = String, Path, description = "Key or id.")),
    responses((status = OK, description = "The agent.", body = AgentRead))
)]
async fn freeze(
    InEnv(scope): InEnv,
    Path(at): Path<At>,
    Body(body): Body<StopBody>,
) -> Answer<Json<AgentRead>> {
    let view = scope.set_agent_status(&at.agent.ident(), AgentStatus::Frozen, body.reason).await?;
    Ok(Json(view.into()))
}

/// Let a frozen agent go on
#[utoipa::path(
    post, path = "/api/v1/agents/{agent}/thaw", request_body = StopBody,
    params(("agent" = String, Path, description = "Key or id.")),
    responses((status = OK, description = "The agent.", body = AgentRead))
)]
async fn thaw(
    InEnv(scope): InEnv,
    Path(at): Path<At>,
    Body(body): Body<StopBody>,
) -> Answer<Json<AgentRead>> {
    let view = scope.set_agent_status(&at.agent.ident(), AgentStatus::Active, body.reason).await?;
    Ok(Json(view.into()))
}

/// Make a key with which an agent acts for one human
///
/// It opens `/mcp` and nothing else. The secret is shown here and never again.
#[utoipa::path(
    post, path = "/api/v1/agents/{agent}/keys", request_body = NewKeyBody,
    params(("agent" = String, Path, description = "Key or id.")),
    responses((status = OK, description = "The key.", body = KeyMade))
)]
async fn create_key(
    InEnv(scope): InEnv,
    Path(at): Path<At>,
    Body(body): Body<NewKeyBody>,
) -> Answer<Json<KeyMade>> {
    let agent = scope.agent(&at.agent.ident())?.agent.id;
    let (made, secret) = scope.create_agent_key(&agent.uuid().into(), &body.user.ident(), body.name).await?;
    let user = made.acts_for().cloned();
    let user = user.ok_or_else(|| Error::not_found("user", body.user.ident()))?;
    Ok(Json(KeyMade { id: made.id, secret: secret.reveal().to_owned(), agent, user }))
}

/// Revoke a key of an agent
///
/// From then on it opens nothing.
#[utoipa::path(
    delete, path = "/api/v1/agents/{agent}/keys/{key}",
    params(
        ("agent" = String, Path, description = "Key or id."),
        ("key" = String, Path, description = "The API key's id.")
    ),
    responses((status = NO_CONTENT, description = "It is revoked."))
)]
async fn revoke_key(InEnv(scope): InEnv, Path(at): Path<AtKey>) -> Answer<StatusCode> {
    scope.revoke_agent_key(&at.agent.ident(), &at.key.ident()).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn only(may: &[String]) -> Answer<Ceiling> {
    let read: Result<Vec<Permitted>, _> = may.iter().map(|text| text.parse()).collect();
    Ok(Ceiling::Only(read.map_err(|error| Error::invalid(format!("{error}.")))?))
}
