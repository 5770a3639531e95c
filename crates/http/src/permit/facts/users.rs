//! `users`, and the users of a tenant.

use crate::{
    auth::InEnv,
    body::Body,
    error::Answer,
    listing::Paginated,
    permit::wire::{Done, Home, Idents, Moment, Operations, PER_PAGE, Params, Text, page},
};
use askfirst_domain::{Ident, Key, UserKey, facts::Attributes, id::UserId};
use askfirst_engine::{
    EnvScope, Patch,
    facts::{Membership, NewUser, UserEdit, UserRoleSpec, UserView},
};
use axum::{Json, extract::Path, http::StatusCode};
use serde::{Deserialize, Serialize};

#[derive(Debug, Serialize)]
pub(crate) struct UserRead {
    key: UserKey,
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
    attributes: Attributes,
}

#[derive(Debug, Serialize)]
struct UserInTenant {
    tenant: Key,
    roles: Vec<Key>,
    status: &'static str,
    resource_instance_roles: Vec<InstanceRole>,
}

#[derive(Debug, Serialize)]
struct InstanceRole {
    resource_instance: Key,
    resource: Key,
    role: Key,
}

#[derive(Debug, Serialize)]
struct UserRole {
    role: Key,
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
            status: "active",
            resource_instance_roles: on
                .map(|(at, role)| InstanceRole { resource_instance: at.key, resource: at.resource, role })
                .collect(),
        }
    }
}

/// `UserCreate`.
#[derive(Debug, Deserialize)]
pub(crate) struct CreateBody {
    key: Text,
    #[serde(flatten)]
    rest: UserBody,
}

/// What `PUT` takes: `UserCreate`, with or without its key.
#[derive(Debug, Deserialize)]
pub(crate) struct SyncBody {
    #[serde(default)]
    key: Option<Text>,
    #[serde(flatten)]
    rest: UserBody,
}

/// `UserUpdate`.
#[derive(Debug, Deserialize)]
pub(crate) struct UserBody {
    #[serde(default)]
    email: Patch<String>,
    #[serde(default)]
    first_name: Patch<String>,
    #[serde(default)]
    last_name: Patch<String>,
    #[serde(default)]
    attributes: Patch<Attributes>,
    #[serde(default)]
    role_assignments: Option<Vec<UserRoleBody>>,
}

/// `UserRoleCreate`.
#[derive(Debug, Deserialize)]
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

#[derive(Debug, Deserialize)]
pub(super) struct ListQuery {
    page: Option<u32>,
    per_page: Option<u32>,
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

pub(super) async fn list(
    InEnv(scope): InEnv,
    Params(q): Params<ListQuery>,
) -> Answer<Json<Paginated<UserRead>>> {
    listed(&scope, None, q).await
}

pub(super) async fn list_of_tenant(
    InEnv(scope): InEnv,
    Path(at): Path<OfTenant>,
    Params(q): Params<ListQuery>,
) -> Answer<Json<Paginated<UserRead>>> {
    listed(&scope, Some(&at.tenant.ident()), q).await
}

pub(super) async fn read(InEnv(scope): InEnv, Path(at): Path<At>) -> Answer<Json<UserRead>> {
    let view = scope.user(&at.user.ident()).await?;
    Ok(Json(UserRead::new(&scope, view)))
}

pub(super) async fn create(InEnv(scope): InEnv, Body(body): Body<CreateBody>) -> Answer<Json<UserRead>> {
    let view = scope.create_user(&body.new_user()?).await?;
    Ok(Json(UserRead::new(&scope, view)))
}

pub(super) async fn sync(
    InEnv(scope): InEnv,
    Path(at): Path<At>,
    Body(body): Body<SyncBody>,
) -> Answer<Json<UserRead>> {
    let key = body.key.map(|text| text.key()).transpose()?;
    let (edit, roles) = body.rest.split();
    let view = scope.sync_user(&at.user.ident(), key, &edit, &roles).await?;
    Ok(Json(UserRead::new(&scope, view)))
}

pub(super) async fn update(
    InEnv(scope): InEnv,
    Path(at): Path<At>,
    Body(body): Body<UserBody>,
) -> Answer<Json<UserRead>> {
    let (edit, _) = body.split();
    let view = scope.update_user(&at.user.ident(), &edit).await?;
    Ok(Json(UserRead::new(&scope, view)))
}

pub(super) async fn delete(InEnv(scope): InEnv, Path(at): Path<At>) -> Answer<StatusCode> {
    scope.delete_user(&at.user.ident()).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn new_users(body: Operations<CreateBody>) -> Answer<Vec<NewUser>> {
    body.operations.into_iter().map(CreateBody::new_user).collect()
}

pub(super) async fn create_many(
    InEnv(scope): InEnv,
    Body(body): Body<Operations<CreateBody>>,
) -> Answer<Json<Done>> {
    scope.create_users(&new_users(body)?).await?;
    Ok(Json(Done {}))
}

pub(super) async fn replace_many(
    InEnv(scope): InEnv,
    Body(body): Body<Operations<CreateBody>>,
) -> Answer<Json<Done>> {
    scope.replace_users(&new_users(body)?).await?;
    Ok(Json(Done {}))
}

pub(super) async fn delete_many(InEnv(scope): InEnv, Body(body): Body<Idents<Text>>) -> Answer<Json<Done>> {
    let idents: Vec<_> = body.idents.iter().map(Text::ident).collect();
    scope.delete_users(&idents).await?;
    Ok(Json(Done {}))
}
