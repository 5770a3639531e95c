//! The people of a place, as a user of an element session manages them: `/v2/elements/{p}/{e}/config/{cfg}/data`.

use super::{
    facts::{AssignmentRead, UserRead},
    wire::{Home, Moment, Params, Text},
};
use crate::{
    App,
    auth::{AsUser, InEnv, Signed},
    body::Body,
    error::{Answer, Failure},
    listing::{PageQuery, Paginated},
    openapi::{IdShape, KeyShape, LevelWord, Routes},
};
use askfirst_domain::{
    Ident, Key, UserKey,
    element::Level,
    id::{ResourceId, RoleId},
    principal::Principal,
};
use askfirst_engine::{
    Acting, EnvScope, Error, Kind, Page,
    elements::{InUse, ManagedPlace, NewPerson, RoleLevel},
};
use axum::{
    Json,
    extract::{FromRequestParts, Path},
    http::{StatusCode, request::Parts},
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::sync::Arc;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::routes;

const PER_PAGE: u32 = 30;

pub(super) fn router() -> Routes {
    Routes::default()
        .routes(routes!(users, add_user))
        .routes(routes!(remove_user))
        .routes(routes!(give_role, take_role))
        .routes(routes!(roles))
        .routes(routes!(set_active))
}

#[derive(Debug, Deserialize)]
struct At {
    element: Text,
}

#[derive(Debug, Deserialize)]
struct OfUser {
    element: Text,
    user: Text,
}

/// For elements on the roles of a resource: the instance that is worked on.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct OnInstance {
    #[param(value_type = Option<String>)]
    resource_instance_id: Option<Text>,
}

impl OnInstance {
    pub(super) fn place(self, element: &Text) -> ManagedPlace {
        ManagedPlace { element: element.ident(), instance: self.resource_instance_id.map(|text| text.0) }
    }

    pub(super) fn is_given(&self) -> bool {
        self.resource_instance_id.as_ref().is_some_and(|text| !text.0.is_empty())
    }
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    page: Option<u32>,
    #[param(default = 30)]
    per_page: Option<u32>,
    /// Part of a key, a name or an e-mail address.
    search: Option<String>,
    #[serde(flatten)]
    #[param(ignore)]
    on: OnInstance,
}

impl ListQuery {
    fn window(&self) -> Answer<Page> {
        let query = PageQuery { page: self.page, per_page: self.per_page };
        let (offset, limit) = query.window(PER_PAGE)?;
        Ok(Page { offset, limit })
    }
}

#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = ElementsUserCreate)]
struct UserBody {
    key: Text,
    email: Option<String>,
    first_name: Option<String>,
    last_name: Option<String>,
    attributes: Option<Map<String, Value>>,
    role: Option<Text>,
    role_assignments: Option<Vec<UserRoleBody>>,
}

/// `UserRoleCreate`. What it says of the place has to be the place.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = ElementsNewUserRole)]
struct UserRoleBody {
    role: Text,
    tenant: Option<Text>,
    resource_instance: Option<Text>,
}

/// `ElementsUserRoleCreate` and `ElementsUserRoleRemove`.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = ElementsUserRoleCreate)]
struct RoleBody {
    role: Text,
}

/// Our addition: an element that is not active takes no requests and manages nobody.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = ElementsActiveUpdate)]
struct ActiveBody {
    is_active: Option<bool>,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ElementsRoleRead)]
struct RoleRead {
    #[schema(value_type = IdShape)]
    id: RoleId,
    #[schema(value_type = KeyShape)]
    key: Key,
    name: String,
    description: Option<String>,
    permissions: Vec<String>,
    #[schema(value_type = Vec<KeyShape>)]
    extends: Vec<Key>,
    #[schema(value_type = LevelWord)]
    permission_level: Level,
    #[schema(value_type = Option<IdShape>)]
    resource_id: Option<ResourceId>,
    #[serde(flatten)]
    home: Home,
    created_at: Moment,
    updated_at: Moment,
}

impl RoleRead {
    fn new(scope: &EnvScope, held: RoleLevel) -> Self {
        let role = held.role;
        let permissions = role.permissions.iter().map(|p| match role.resource {
            Some(_) => p.action.to_string(),
            None => format!("{}:{}", p.resource, p.action),
        });
        Self {
            id: role.id,
            key: role.key.clone(),
            name: role.name.clone(),
            description: role.description.clone(),
            permissions: permissions.collect(),
            extends: role.extends.clone(),
            permission_level: held.level,
            resource_id: held.resource,
            home: scope.into(),
            created_at: Moment(role.created_at),
            updated_at: Moment(role.updated_at),
        }
    }

    fn mentions(&self, text: &str) -> bool {
        let text = text.to_lowercase();
        [self.key.as_str(), &self.name].iter().any(|name| name.to_lowercase().contains(&text))
    }
}

/// List the people of the place that an element manages
#[utoipa::path(
    get, path = "/v2/elements/{project}/{env}/config/{element}/data/users", params(ListQuery, OnInstance),
    responses((status = OK, description = "A page of users.", body = Paginated<UserRead>))
)]
async fn users(
    AsUser(acting): AsUser,
    Path(at): Path<At>,
    Params(query): Params<ListQuery>,
) -> Answer<Json<Paginated<UserRead>>> {
    let page = query.window()?;
    let found = acting.managed_users(&query.on.place(&at.element), query.search, page).await?;
    let data = found.items.into_iter().map(|view| UserRead::new(acting.scope(), view)).collect();
    Ok(Json(Paginated::new(data, found.total, page.limit)))
}

/// List the roles that an element may show
#[utoipa::path(
    get, path = "/v2/elements/{project}/{env}/config/{element}/data/roles", params(ListQuery, OnInstance),
    responses((status = OK, description = "A page of roles.", body = Vec<RoleRead>))
)]
async fn roles(
    AsUser(acting): AsUser,
    Path(at): Path<At>,
    Params(query): Params<ListQuery>,
) -> Answer<Json<Vec<RoleRead>>> {
    let page = query.window()?;
    let search = query.search.filter(|text| !text.is_empty());
    let roles = acting.managed_roles(&query.on.place(&at.element)).await?;
    let roles = roles.into_iter().map(|held| RoleRead::new(acting.scope(), held));
    let found = roles.filter(|role| search.as_ref().is_none_or(|text| role.mentions(text)));
    let skipped = usize::try_from(page.offset).unwrap_or(usize::MAX);
    Ok(Json(found.skip(skipped).take(page.limit as usize).collect()))
}

/// Add somebody to the place that an element manages
#[utoipa::path(
    post, path = "/v2/elements/{project}/{env}/config/{element}/data/users",
    params(OnInstance), request_body = UserBody,
    responses(
        (status = OK, description = "Somebody who was there, with the roles as they are now.", body = UserRead),
        (status = CREATED, description = "Somebody new.", body = UserRead)
    )
)]
async fn add_user(
    AsUser(acting): AsUser,
    Path(at): Path<At>,
    Params(on): Params<OnInstance>,
    Body(body): Body<UserBody>,
) -> Answer<Response> {
    let (_, tenant) = acting.whoami().await?;
    let instance = on.resource_instance_id.clone();
    let new = body.person(|role| {
        let here = tenant.as_ref().is_some_and(|own| {
            role.tenant
                .as_ref()
                .is_none_or(|said| said.0 == own.key.as_str() || said.ident().uuid() == Some(own.id.uuid()))
        });
        here && (role.resource_instance.is_none() || role.resource_instance == instance)
    })?;
    let added = acting.add_managed_user(&on.place(&at.element), &new).await?;
    let status = if added.is_new { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, Json(UserRead::new(acting.scope(), added.person))).into_response())
}

impl UserBody {
    fn person(self, is_here: impl Fn(&UserRoleBody) -> bool) -> Answer<NewPerson> {
        if self.attributes.is_some_and(|attributes| !attributes.is_empty()) {
            return Err(Error::invalid(
                "Attributes decide over the whole environment, so they are set with an API key and not through an element; \
                 leave `attributes` out.",
            )
            .into());
        }
        let assigned = self.role_assignments.unwrap_or_default();
        if !assigned.iter().all(is_here) {
            return Err(Error::invalid(
                "Through an element roles are given in the session's tenant, and on the instance of \
                 `resource_instance_id`, and nowhere else.",
            )
            .into());
        }
        let roles: Vec<Ident> =
            self.role.iter().chain(assigned.iter().map(|role| &role.role)).map(Text::ident).collect();
        let key: UserKey = self.key.key()?;
        Ok(NewPerson {
            key,
            email: self.email,
            first_name: self.first_name,
            last_name: self.last_name,
            roles,
        })
    }
}

/// Take somebody out of the place that an element manages
#[utoipa::path(
    delete, path = "/v2/elements/{project}/{env}/config/{element}/data/users/{user}", params(OnInstance),
    responses((status = NO_CONTENT, description = "The user holds nothing there any more."))
)]
async fn remove_user(
    AsUser(acting): AsUser,
    Path(at): Path<OfUser>,
    Params(on): Params<OnInstance>,
) -> Answer<StatusCode> {
    acting.remove_managed_user(&on.place(&at.element), &at.user.ident()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Give somebody a role through an element
#[utoipa::path(
    post, path = "/v2/elements/{project}/{env}/config/{element}/data/users/{user}/roles",
    params(OnInstance), request_body = RoleBody,
    responses((status = OK, description = "The assignment.", body = AssignmentRead))
)]
async fn give_role(
    AsUser(acting): AsUser,
    Path(at): Path<OfUser>,
    Params(on): Params<OnInstance>,
    Body(body): Body<RoleBody>,
) -> Answer<Json<AssignmentRead>> {
    let place = on.place(&at.element);
    let given = acting.give_managed_role(&place, &at.user.ident(), &body.role.ident()).await?;
    Ok(Json(AssignmentRead::new(acting.scope(), given)))
}

/// Take a role from somebody through an element
#[utoipa::path(
    delete, path = "/v2/elements/{project}/{env}/config/{element}/data/users/{user}/roles",
    params(OnInstance), request_body = RoleBody,
    responses((status = NO_CONTENT, description = "It is gone."))
)]
async fn take_role(
    AsUser(acting): AsUser,
    Path(at): Path<OfUser>,
    Params(on): Params<OnInstance>,
    Body(body): Body<RoleBody>,
) -> Answer<StatusCode> {
    acting.take_managed_role(&on.place(&at.element), &at.user.ident(), &body.role.ident()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The server of an environment, or one of its users.
#[derive(Debug)]
enum Opener {
    Server(EnvScope),
    User(Acting),
}

impl FromRequestParts<Arc<App>> for Opener {
    type Rejection = Failure;
    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Failure> {
        let Signed(op) = Signed::from_request_parts(parts, app).await?;
        if matches!(op.principal, Principal::ApiKey { .. }) {
            let InEnv(scope) = InEnv::from_request_parts(parts, app).await?;
            return Ok(Self::Server(scope));
        }
        let AsUser(acting) = AsUser::from_request_parts(parts, app).await?;
        Ok(Self::User(acting))
    }
}

/// Take an element into use
///
/// Takes an element into use. It is from its creation on, so a user who opens it changes nothing; the server may also
/// take it out of use.
#[utoipa::path(
    post, path = "/v2/elements/{project}/{env}/config/{element}/data/active", request_body = ActiveBody,
    responses((status = NO_CONTENT, description = "It is as wanted."))
)]
async fn set_active(opener: Opener, Path(at): Path<At>, Body(body): Body<ActiveBody>) -> Answer<StatusCode> {
    let wanted = if body.is_active.unwrap_or(true) { InUse::Yes } else { InUse::No };
    match opener {
        Opener::Server(scope) => {
            scope.put_element_in_use(&at.element.ident(), wanted).await?;
        }
        Opener::User(acting) => {
            let (element, level) = acting.element_level(&at.element.ident()).await?;
            if level > Level::Viewer || !element.is_active || wanted == InUse::No {
                return Err(Error::new(
                    Kind::PermissionLevel,
                    "An element is taken into use and out of it by the server, with an API key.",
                )
                .into());
            }
        }
    }
    Ok(StatusCode::NO_CONTENT)
}
