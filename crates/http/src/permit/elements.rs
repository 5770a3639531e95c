//! Element configurations, and the permissions of a type of element.

use super::{
    element_data::OnInstance,
    wire::{Home, Moment, Params, Text},
};
use crate::{
    auth::{AsUser, InEnv},
    body::Body,
    error::Answer,
    listing::{PageQuery, Paginated},
    openapi::{ElementTypeWord, IdShape, KeyShape, LevelWord, Routes, SettingShape},
};
use askfirst_domain::{
    Key,
    element::{Element, ElementType, ElementWebhook, Level},
    id::{ElementId, ResourceId, RoleId},
};
use askfirst_engine::{
    EnvScope, Error, Kind, Patch,
    elements::{ElementPatch, Hook, NewElement, RoleLevel},
};
use axum::{Json, extract::Path, http::StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::routes;
use uuid::Uuid;

const PER_PAGE: u32 = 100;

pub(super) fn router() -> Routes {
    Routes::default()
        .routes(routes!(list, create))
        .routes(routes!(read, update, remove))
        .routes(routes!(read_type, update_type, remove_unprefixed))
        .routes(routes!(runtime))
}

#[derive(Debug, Deserialize)]
struct At {
    element: Text,
}

/// As [`At`], where the path names a type.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
struct InType {
    /// The type of the elements.
    #[param(value_type = ElementTypeWord, inline)]
    element: Text,
}

/// `WebhookCreateWithElements` and `WebhookUpdate`. `type` is always `elements`.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = WebhookCreateWithElements)]
struct WebhookBody {
    url: String,
    bearer_token: Option<String>,
}

impl From<WebhookBody> for Hook {
    fn from(body: WebhookBody) -> Self {
        Self { url: body.url, bearer_token: body.bearer_token }
    }
}

#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = ElementsConfigCreate)]
struct CreateBody {
    #[schema(value_type = KeyShape)]
    key: String,
    name: String,
    #[schema(value_type = ElementTypeWord)]
    elements_type: ElementType,
    #[schema(value_type = BTreeMap<String, SettingShape>)]
    settings: Map<String, Value>,
    email_notifications: Option<bool>,
    #[schema(value_type = BTreeMap<LevelWord, Vec<String>>)]
    roles_to_levels: BTreeMap<Level, Vec<String>>,
    webhook: Option<WebhookBody>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = ElementsConfigUpdate)]
struct UpdateBody {
    name: Option<String>,
    #[schema(value_type = Option<ElementTypeWord>)]
    elements_type: Option<ElementType>,
    #[schema(value_type = Option<BTreeMap<String, SettingShape>>)]
    settings: Option<Map<String, Value>>,
    email_notifications: Option<bool>,
    #[schema(value_type = Option<BTreeMap<LevelWord, Vec<String>>>)]
    roles_to_levels: Option<BTreeMap<Level, Vec<String>>>,
    #[serde(default)]
    #[schema(value_type = Option<WebhookBody>)]
    webhook: Patch<WebhookBody>,
}

/// The token is never given back.
#[derive(Debug, Serialize, ToSchema)]
struct WebhookRead {
    #[serde(rename = "type")]
    kind: &'static str,
    id: Uuid,
    #[serde(flatten)]
    home: Home,
    created_at: Moment,
    updated_at: Moment,
    url: String,
}

impl WebhookRead {
    fn new(scope: &EnvScope, webhook: &ElementWebhook) -> Self {
        Self {
            kind: "elements",
            id: webhook.id,
            home: scope.into(),
            created_at: Moment(webhook.created_at),
            updated_at: Moment(webhook.updated_at),
            url: webhook.url.clone(),
        }
    }
}

/// `PermissionLevelRoleRead`; `resource_id` is null for a tenant role.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PermissionLevelRoleRead)]
struct LevelRoleRead {
    #[schema(value_type = IdShape)]
    id: RoleId,
    #[schema(value_type = KeyShape)]
    key: Key,
    name: String,
    #[schema(value_type = Option<IdShape>)]
    resource_id: Option<ResourceId>,
}

impl LevelRoleRead {
    fn new(held: &RoleLevel) -> Self {
        Self {
            id: held.role.id,
            key: held.role.key.clone(),
            name: held.role.name.clone(),
            resource_id: held.resource,
        }
    }
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ElementsConfigRead)]
struct ElementRead {
    #[schema(value_type = KeyShape)]
    key: Key,
    #[schema(value_type = IdShape)]
    id: ElementId,
    #[serde(flatten)]
    home: Home,
    created_at: Moment,
    updated_at: Moment,
    is_active: bool,
    name: String,
    #[schema(value_type = ElementTypeWord)]
    elements_type: ElementType,
    #[schema(value_type = BTreeMap<String, SettingShape>)]
    settings: Map<String, Value>,
    email_notifications: bool,
    #[schema(value_type = BTreeMap<LevelWord, Vec<LevelRoleRead>>)]
    roles_to_levels: BTreeMap<Level, Vec<LevelRoleRead>>,
    webhook: Option<WebhookRead>,
}

impl ElementRead {
    fn new(scope: &EnvScope, element: &Element) -> Self {
        let mut roles_to_levels: BTreeMap<Level, Vec<LevelRoleRead>> =
            element.roles_to_levels.keys().map(|level| (*level, Vec::new())).collect();
        for held in scope.element_roles(element) {
            roles_to_levels.entry(held.level).or_default().push(LevelRoleRead::new(&held));
        }
        Self {
            key: element.key.clone(),
            id: element.id,
            home: scope.into(),
            created_at: Moment(element.created_at),
            updated_at: Moment(element.updated_at),
            is_active: element.is_active,
            name: element.name.clone(),
            elements_type: element.kind,
            settings: element.settings.clone(),
            email_notifications: element.email_notifications,
            roles_to_levels,
            webhook: element.webhook.as_ref().map(|webhook| WebhookRead::new(scope, webhook)),
        }
    }
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ElementsConfigRuntimeRead)]
struct RuntimeRead {
    config: ElementRead,
    #[schema(value_type = LevelWord)]
    current_permission_level: Level,
}

/// List elements
#[utoipa::path(
    get, path = "/v2/elements/{project}/{env}/config", params(PageQuery),
    responses((status = OK, description = "A page of elements.", body = Paginated<ElementRead>))
)]
async fn list(InEnv(scope): InEnv, Params(query): Params<PageQuery>) -> Answer<Json<Paginated<ElementRead>>> {
    let (offset, size) = query.window(PER_PAGE)?;
    let all = scope.elements();
    let total = u64::try_from(all.len()).unwrap_or(u64::MAX);
    let skipped = usize::try_from(offset).unwrap_or(usize::MAX);
    let page = all.iter().skip(skipped).take(size as usize);
    let data = page.map(|element| ElementRead::new(&scope, element)).collect();
    Ok(Json(Paginated::new(data, total, size)))
}

/// Read an element
#[utoipa::path(
    get, path = "/v2/elements/{project}/{env}/config/{element}",
    responses((status = OK, description = "The element.", body = ElementRead))
)]
async fn read(InEnv(scope): InEnv, Path(at): Path<At>) -> Answer<Json<ElementRead>> {
    let element = scope.element(&at.element.ident())?;
    Ok(Json(ElementRead::new(&scope, &element)))
}

/// Make an element
#[utoipa::path(
    post, path = "/v2/elements/{project}/{env}/config", request_body = CreateBody,
    responses((status = OK, description = "The element.", body = ElementRead))
)]
async fn create(InEnv(scope): InEnv, Body(body): Body<CreateBody>) -> Answer<Json<ElementRead>> {
    let new = NewElement {
        key: body.key,
        name: body.name,
        kind: body.elements_type,
        settings: body.settings,
        email_notifications: body.email_notifications.unwrap_or(false),
        roles_to_levels: body.roles_to_levels,
        webhook: body.webhook.map(Hook::from),
    };
    let element = scope.create_element(new).await?;
    Ok(Json(ElementRead::new(&scope, &element)))
}

/// Change an element
///
/// What is not sent stays.
#[utoipa::path(
    patch, path = "/v2/elements/{project}/{env}/config/{element}", request_body = UpdateBody,
    responses((status = OK, description = "The element as it is now.", body = ElementRead))
)]
async fn update(
    InEnv(scope): InEnv,
    Path(at): Path<At>,
    Body(body): Body<UpdateBody>,
) -> Answer<Json<ElementRead>> {
    let patch = ElementPatch {
        name: body.name,
        kind: body.elements_type,
        settings: body.settings,
        email_notifications: body.email_notifications,
        roles_to_levels: body.roles_to_levels,
        webhook: body.webhook.map(Hook::from),
    };
    let element = scope.update_element(&at.element.ident(), patch).await?;
    Ok(Json(ElementRead::new(&scope, &element)))
}

/// Delete an element
///
/// Its requests stay and can be withdrawn; nobody can decide them any more.
#[utoipa::path(
    delete, path = "/v2/elements/{project}/{env}/config/{element}",
    responses((status = NO_CONTENT, description = "It is gone."))
)]
async fn remove(InEnv(scope): InEnv, Path(at): Path<At>) -> Answer<StatusCode> {
    scope.delete_element(&at.element.ident()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Delete an element, at a path without `config`
#[utoipa::path(
    delete, path = "/v2/elements/{project}/{env}/{element}",
    responses((status = NO_CONTENT, description = "It is gone."))
)]
async fn remove_unprefixed(scope: InEnv, at: Path<At>) -> Answer<StatusCode> {
    remove(scope, at).await
}

/// Read an element as its user has it
#[utoipa::path(
    get, path = "/v2/elements/{project}/{env}/config/{element}/runtime", params(OnInstance),
    responses((
        status = OK, description = "The element, and the level that the user has in it.",
        body = RuntimeRead
    ))
)]
async fn runtime(
    AsUser(acting): AsUser,
    Path(at): Path<At>,
    Params(on): Params<OnInstance>,
) -> Answer<Json<RuntimeRead>> {
    let (element, level) = if on.is_given() {
        acting.element_level_at(&on.place(&at.element)).await?
    } else {
        acting.element_level(&at.element.ident()).await?
    };
    let config = ElementRead::new(acting.scope(), &element);
    Ok(Json(RuntimeRead { config, current_permission_level: level }))
}

#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = ElementsEnvTypeUpdate)]
struct TypeBody {
    #[schema(value_type = BTreeMap<LevelWord, Vec<String>>)]
    roles_to_levels: BTreeMap<Level, Vec<String>>,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ElementsEnvTypeRead)]
struct TypeRead {
    #[schema(value_type = ElementTypeWord)]
    elements_type: ElementType,
    #[schema(value_type = BTreeMap<LevelWord, Vec<LevelRoleRead>>)]
    roles_to_levels: BTreeMap<Level, Vec<LevelRoleRead>>,
}

impl TypeRead {
    fn new(elements_type: ElementType, roles: Vec<RoleLevel>) -> Self {
        let mut roles_to_levels: BTreeMap<Level, Vec<LevelRoleRead>> = BTreeMap::new();
        for held in roles {
            roles_to_levels.entry(held.level).or_default().push(LevelRoleRead::new(&held));
        }
        Self { elements_type, roles_to_levels }
    }
}

/// The type that a path names.
fn type_of(at: &InType) -> Answer<ElementType> {
    let read = ElementType::deserialize(Value::String(at.element.0.clone()));
    Ok(read.map_err(|_| {
        Error::new(
            Kind::NotFound,
            format!(
                "There is no type of element `{}`; there are user_management, audit_log, approval_flow, \
                 operation_approval, approval_management.",
                at.element.0
            ),
        )
    })?)
}

/// Read which roles have which level in elements of a type
#[utoipa::path(
    get, path = "/v2/elements/{project}/{env}/{element}", params(InType),
    responses((status = OK, description = "The levels and their roles.", body = TypeRead))
)]
async fn read_type(InEnv(scope): InEnv, Path(at): Path<InType>) -> Answer<Json<TypeRead>> {
    let kind = type_of(&at)?;
    Ok(Json(TypeRead::new(kind, scope.element_type(kind))))
}

/// Say which roles have which level in elements of a type
#[utoipa::path(
    patch, path = "/v2/elements/{project}/{env}/{element}", params(InType), request_body = TypeBody,
    responses((status = OK, description = "The levels and their roles, as they are now.", body = TypeRead))
)]
async fn update_type(
    InEnv(scope): InEnv,
    Path(at): Path<InType>,
    Body(body): Body<TypeBody>,
) -> Answer<Json<TypeRead>> {
    let kind = type_of(&at)?;
    let roles = scope.set_element_type(kind, &body.roles_to_levels).await?;
    Ok(Json(TypeRead::new(kind, roles)))
}
