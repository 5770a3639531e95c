//! `users`, and the users of a tenant.

use crate::{
    auth::InEnv,
    body::Body,
    error::Answer,
    listing::Paginated,
    openapi::{IdShape, KeyShape, NewUserKeyShape, Routes, UserKeyShape},
    permit::wire::{Done, Home, Idents, Moment, Operations, PER_PAGE, Params, Text, page},
};
use askfirst_domain::{Ident, Key, UserKey, facts::Attributes, id::UserId};
use askfirst_engine::{
    EnvScope, Patch,
    facts::{Membership, NewUser, UserEdit, UserRoleSpec, UserView},
};
use axum::{Json, extract::Path, http::StatusCode};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::routes;

pub(super) fn router() -> Routes {
    Routes::default()
        .routes(routes!(list, create))
        .routes(routes!(read, sync, update, delete))
        .routes(routes!(list_of_tenant))
        .routes(routes!(create_many, replace_many, delete_many))
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct UserRead {
    #[schema(value_type = UserKeyShape)]
    key: UserKey,
    #[schema(value_type = IdShape)]
    id: UserId,
    #[serde(flatten)]
    home: Home,
    associated_tenants: Vec<UserInTenant>,
    roles: Vec<UserRole>,
    created_at: Moment,
    updated_at: Moment,
    email: Option<String>,
    first_name: Option<String>,
    last_name: Option<String>,
    #[schema(value_type = Map<String, Value>)]
    attributes: Attributes,
}

#[derive(Debug, Serialize, ToSchema)]
struct UserInTenant {
    #[schema(value_type = KeyShape)]
    tenant: Key,
    #[schema(value_type = Vec<KeyShape>)]
    roles: Vec<Key>,
    status: Standing,
    resource_instance_roles: Vec<InstanceRole>,
}

#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = UserStatus)]
enum Standing {
    Active,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = UserInstanceRole)]
struct InstanceRole {
    #[schema(value_type = KeyShape)]
    resource_instance: Key,
    #[schema(value_type = KeyShape)]
    resource: Key,
    #[schema(value_type = KeyShape)]
    role: Key,
}

#[derive(Debug, Serialize, ToSchema)]
struct UserRole {
    #[schema(value_type = KeyShape)]
    role: Key,
    #[schema(value_type = KeyShape)]
    tenant: Key,
}

impl UserRead {
    pub(crate) fn new(scope: &EnvScope, view: UserView) -> Self {
        let user = view.user;
        let in_tenants = view.memberships.iter();
        let roles = in_tenants
            .flat_map(|m| m.roles.iter().map(|r| UserRole { role: r.clone(), tenant: m.tenant.clone() }))
            .collect();
        Self {
            key: user.key,
            id: user.id,
            home: scope.into(),
            associated_tenants: view.memberships.into_iter().map(Into::into).collect(),
            roles,
            created_at: Moment(user.created_at),
            updated_at: Moment(user.updated_at),
            email: user.email,
            first_name: user.first_name,
            last_name: user.last_name,
            attributes: user.attributes,
        }
    }
}

impl From<Membership> for UserInTenant {
    fn from(membership: Membership) -> Self {
        let on = membership.instance_roles.into_iter();
        Self {
            tenant: membership.tenant,
            roles: membership.roles,
            status: Standing::Active,
            resource_instance_roles: on
                .map(|(at, role)| InstanceRole { resource_instance: at.key, resource: at.resource, role })
                .collect(),
        }
    }
}

#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = UserCreate)]
pub(crate) struct CreateBody {
    #[schema(value_type = NewUserKeyShape)]
    key: Text,
    #[serde(flatten)]
    rest: UserBody,
}

/// What `PUT` takes: `UserCreate`, with or without its key.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = UserSync)]
pub(crate) struct SyncBody {
    #[serde(default)]
    #[schema(value_type = Option<NewUserKeyShape>)]
    key: Option<Text>,
    #[serde(flatten)]
    rest: UserBody,
}

#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = UserUpdate)]
pub(crate) struct UserBody {
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    email: Patch<String>,
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    first_name: Patch<String>,
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    last_name: Patch<String>,
    #[serde(default)]
    #[schema(value_type = Option<Map<String, Value>>)]
    attributes: Patch<Attributes>,
    #[serde(default)]
    role_assignments: Option<Vec<UserRoleBody>>,
}

/// `UserRoleCreate`.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = NewUserRole)]
struct UserRoleBody {
    role: Text,
    #[serde(default)]
    tenant: Option<Text>,
    #[serde(default)]
    resource_instance: Option<Text>,
}

impl UserBody {
    fn split(self) -> (UserEdit, Vec<UserRoleSpec>) {
        let edit = UserEdit {
            email: self.email,
            first_name: self.first_name,
            last_name: self.last_name,
            attributes: self.attributes,
        };
        let roles = self.role_assignments.unwrap_or_default().into_iter().map(|role| UserRoleSpec {
            role: role.role.ident(),
            tenant: role.tenant.as_ref().map(Text::ident),
            instance: role.resource_instance.map(|text| text.0),
        });
        (edit, roles.collect())
    }
}

impl CreateBody {
    fn new_user(self) -> Answer<NewUser> {
        let (edit, roles) = self.rest.split();
        Ok(NewUser { key: self.key.key()?, edit, roles })
    }
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct ListQuery {
    page: Option<u32>,
    per_page: Option<u32>,
    /// Part of a key, a name or an e-mail address.
    search: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct At {
    user: Text,
}

#[derive(Debug, Deserialize)]
pub(super) struct OfTenant {
    tenant: Text,
}

async fn listed(scope: &EnvScope, tenant: Option<&Ident>, q: ListQuery) -> Answer<Json<Paginated<UserRead>>> {
    let found = scope.list_users(tenant, q.search, page(q.page, q.per_page)?).await?;
    let data = found.items.into_iter().map(|view| UserRead::new(scope, view)).collect();
    Ok(Json(Paginated::new(data, found.total, q.per_page.unwrap_or(PER_PAGE))))
}

/// List users
#[utoipa::path(
    get, path = "/users", params(ListQuery),
    responses((status = OK, description = "A page of users.", body = Paginated<UserRead>))
)]
async fn list(InEnv(scope): InEnv, Params(q): Params<ListQuery>) -> Answer<Json<Paginated<UserRead>>> {
    listed(&scope, None, q).await
}

/// List the users of a tenant
#[utoipa::path(
    get, path = "/tenants/{tenant}/users", params(ListQuery),
    responses((status = OK, description = "A page of users.", body = Paginated<UserRead>))
)]
async fn list_of_tenant(
    InEnv(scope): InEnv,
    Path(at): Path<OfTenant>,
    Params(q): Params<ListQuery>,
) -> Answer<Json<Paginated<UserRead>>> {
    listed(&scope, Some(&at.tenant.ident()), q).await
}

/// Read a user
#[utoipa::path(
    get, path = "/users/{user}",
    responses((status = OK, description = "The user.", body = UserRead))
)]
async fn read(InEnv(scope): InEnv, Path(at): Path<At>) -> Answer<Json<UserRead>> {
    let view = scope.user(&at.user.ident()).await?;
    Ok(Json(UserRead::new(&scope, view)))
}

/// Make a user
#[utoipa::path(
    post, path = "/users", request_body = CreateBody,
    responses((status = OK, description = "The user.", body = UserRead))
)]
async fn create(InEnv(scope): InEnv, Body(body): Body<CreateBody>) -> Answer<Json<UserRead>> {
    let view = scope.create_user(&body.new_user()?).await?;
    Ok(Json(UserRead::new(&scope, view)))
}

/// Make a user, or change the one that is there
///
/// What is not sent stays; roles that are sent are added.
#[utoipa::path(
    put, path = "/users/{user}", request_body = SyncBody,
    responses((status = OK, description = "The user as it is now.", body = UserRead))
)]
async fn sync(InEnv(scope): InEnv, Path(at): Path<At>, Body(body): Body<SyncBody>) -> Answer<Json<UserRead>> {
    let key = body.key.map(|text| text.key()).transpose()?;
    let (edit, roles) = body.rest.split();
    let view = scope.sync_user(&at.user.ident(), key, &edit, &roles).await?;
    Ok(Json(UserRead::new(&scope, view)))
}

/// Change a user
///
/// What is not sent stays; `null` takes away.
#[utoipa::path(
    patch, path = "/users/{user}", request_body = UserBody,
    responses((status = OK, description = "The user as it is now.", body = UserRead))
)]
async fn update(
    InEnv(scope): InEnv,
    Path(at): Path<At>,
    Body(body): Body<UserBody>,
) -> Answer<Json<UserRead>> {
    let (edit, _) = body.split();
    let view = scope.update_user(&at.user.ident(), &edit).await?;
    Ok(Json(UserRead::new(&scope, view)))
}

/// Delete a user
///
/// With all roles that the user has. Who is made later under the same key inherits nothing.
#[utoipa::path(delete, path = "/users/{user}", responses((status = NO_CONTENT, description = "It is gone.")))]
async fn delete(InEnv(scope): InEnv, Path(at): Path<At>) -> Answer<StatusCode> {
    scope.delete_user(&at.user.ident()).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn new_users(body: Operations<CreateBody>) -> Answer<Vec<NewUser>> {
    body.operations.into_iter().map(CreateBody::new_user).collect()
}

/// Make users
///
/// When one is there already, none is made.
#[utoipa::path(
    post, path = "/bulk/users", request_body = Operations<CreateBody>,
    responses((status = OK, description = "They are made.", body = Done))
)]
async fn create_many(InEnv(scope): InEnv, Body(body): Body<Operations<CreateBody>>) -> Answer<Json<Done>> {
    scope.create_users(&new_users(body)?).await?;
    Ok(Json(Done {}))
}

/// Make users, and make those over that are there
///
/// What is not sent is emptied; roles stay, and those that are sent are added. All of them or none.
#[utoipa::path(
    put, path = "/bulk/users", request_body = Operations<CreateBody>,
    responses((status = OK, description = "They are as sent.", body = Done))
)]
async fn replace_many(InEnv(scope): InEnv, Body(body): Body<Operations<CreateBody>>) -> Answer<Json<Done>> {
    scope.replace_users(&new_users(body)?).await?;
    Ok(Json(Done {}))
}

/// Delete users
///
/// Those that are not there are passed over.
#[utoipa::path(
    delete, path = "/bulk/users", request_body = Idents<Text>,
    responses((status = OK, description = "They are gone.", body = Done))
)]
async fn delete_many(InEnv(scope): InEnv, Body(body): Body<Idents<Text>>) -> Answer<Json<Done>> {
    let idents: Vec<_> = body.idents.iter().map(Text::ident).collect();
    scope.delete_users(&idents).await?;
    Ok(Json(Done {}))
}
