//! `user_invites`.

use super::users::UserRead;
use crate::{
    auth::InEnv,
    body::Body,
    error::Answer,
    listing::Paginated,
    openapi::{IdShape, InviteStatusWord, NewUserKeyShape, Routes, UserKeyShape},
    permit::wire::{Home, Moment, Params, Text, page},
};
use askfirst_domain::{
    UserKey,
    facts::Attributes,
    id::{InstanceId, InviteId, RoleId, TenantId},
    invite::{Invite, InviteStatus},
};
use askfirst_engine::{
    EnvScope, Error, Patch,
    facts::{Arrival, InviteEdit, InviteQuery, NewInvite},
};
use axum::{Json, extract::Path, http::StatusCode};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::routes;

pub(super) fn router() -> Routes {
    Routes::default()
        .routes(routes!(list, create))
        .routes(routes!(read, update, delete))
        .routes(routes!(approve))
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ElementsUserInviteRead)]
pub(super) struct InviteRead {
    #[schema(value_type = IdShape)]
    id: InviteId,
    #[serde(flatten)]
    home: Home,
    created_at: Moment,
    updated_at: Moment,
    #[schema(value_type = Option<UserKeyShape>)]
    key: Option<UserKey>,
    #[schema(value_type = InviteStatusWord)]
    status: InviteStatus,
    email: String,
    first_name: Option<String>,
    last_name: Option<String>,
    #[schema(value_type = IdShape)]
    role_id: RoleId,
    #[schema(value_type = IdShape)]
    tenant_id: TenantId,
    #[schema(value_type = Option<IdShape>)]
    resource_instance_id: Option<InstanceId>,
}

impl InviteRead {
    fn new(scope: &EnvScope, invite: Invite) -> Self {
        Self {
            id: invite.id,
            home: scope.into(),
            created_at: Moment(invite.created_at),
            updated_at: Moment(invite.updated_at),
            key: invite.key,
            status: invite.status,
            email: invite.email,
            first_name: invite.first_name,
            last_name: invite.last_name,
            role_id: invite.role_id,
            tenant_id: invite.tenant_id,
            resource_instance_id: invite.instance.map(|on| on.id),
        }
    }
}

/// What Permit names by id may be named by key as well.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = ElementsUserInviteCreate)]
pub(super) struct CreateBody {
    #[serde(default)]
    #[schema(value_type = Option<NewUserKeyShape>)]
    key: Option<Text>,
    #[serde(default)]
    #[schema(value_type = Option<InviteStatusWord>)]
    status: Option<InviteStatus>,
    email: String,
    #[serde(default)]
    first_name: Option<String>,
    #[serde(default)]
    last_name: Option<String>,
    role_id: Text,
    tenant_id: Text,
    #[serde(default)]
    resource_instance_id: Option<Text>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = ElementsUserInviteUpdate)]
pub(super) struct UpdateBody {
    #[serde(default)]
    #[schema(value_type = Option<NewUserKeyShape>)]
    key: Patch<Text>,
    #[serde(default)]
    #[schema(value_type = Option<InviteStatusWord>)]
    status: Option<InviteStatus>,
    #[serde(default)]
    email: Option<String>,
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    first_name: Patch<String>,
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    last_name: Patch<String>,
    #[serde(default)]
    role_id: Option<Text>,
    #[serde(default)]
    tenant_id: Option<Text>,
    #[serde(default)]
    #[schema(value_type = Option<Text>)]
    resource_instance_id: Patch<Text>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = ElementsUserInviteApprove)]
pub(super) struct ApproveBody {
    email: String,
    #[schema(value_type = NewUserKeyShape)]
    key: Text,
    #[serde(default)]
    #[schema(value_type = Option<Map<String, Value>>)]
    attributes: Option<Attributes>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct ListQuery {
    page: Option<u32>,
    per_page: Option<u32>,
    /// Those that stand so.
    #[param(value_type = Option<InviteStatusWord>, inline)]
    status: Option<InviteStatus>,
    /// Those to this role.
    #[param(value_type = Option<String>)]
    role: Option<Text>,
    /// Those to this tenant.
    #[param(value_type = Option<String>)]
    tenant: Option<Text>,
}

#[derive(Debug, Deserialize)]
pub(super) struct At {
    invite: Text,
}

/// An invitation becomes approved by its own call, which makes the user.
fn still_pending(status: Option<InviteStatus>) -> Answer<()> {
    match status {
        None | Some(InviteStatus::Pending) => Ok(()),
        Some(InviteStatus::Approved) => {
            let message = "An invitation starts as `pending`; approve it with POST on its `/approve`.";
            Err(Error::invalid(message).into())
        }
    }
}

/// List invitations
#[utoipa::path(
    get, path = "/user_invites", params(ListQuery),
    responses((status = OK, description = "A page of invitations.", body = Paginated<InviteRead>))
)]
async fn list(InEnv(scope): InEnv, Params(q): Params<ListQuery>) -> Answer<Json<Paginated<InviteRead>>> {
    let part = page(q.page, q.per_page)?;
    let query = InviteQuery {
        status: q.status,
        role: q.role.as_ref().map(Text::ident),
        tenant: q.tenant.as_ref().map(Text::ident),
    };
    let found = scope.list_invites(&query, part).await?;
    let data = found.items.into_iter().map(|invite| InviteRead::new(&scope, invite)).collect();
    Ok(Json(Paginated::new(data, found.total, part.limit)))
}

/// Read an invitation
#[utoipa::path(
    get, path = "/user_invites/{invite}",
    responses((status = OK, description = "The invitation.", body = InviteRead))
)]
async fn read(InEnv(scope): InEnv, Path(at): Path<At>) -> Answer<Json<InviteRead>> {
    let invite = scope.invite(&at.invite.ident()).await?;
    Ok(Json(InviteRead::new(&scope, invite)))
}

/// Invite somebody
///
/// What Permit names by id may be named by key as well.
#[utoipa::path(
    post, path = "/user_invites", request_body = CreateBody,
    responses((status = OK, description = "The invitation.", body = InviteRead))
)]
async fn create(InEnv(scope): InEnv, Body(body): Body<CreateBody>) -> Answer<Json<InviteRead>> {
    still_pending(body.status)?;
    let new = NewInvite {
        key: body.key.as_ref().map(Text::key).transpose()?,
        email: body.email,
        first_name: body.first_name,
        last_name: body.last_name,
        role: body.role_id.ident(),
        tenant: body.tenant_id.ident(),
        instance: body.resource_instance_id.map(|text| text.0),
    };
    let invite = scope.create_invite(&new).await?;
    Ok(Json(InviteRead::new(&scope, invite)))
}

/// Change an invitation
///
/// What is not sent stays; `null` takes away.
#[utoipa::path(
    patch, path = "/user_invites/{invite}", request_body = UpdateBody,
    responses((status = OK, description = "The invitation as it is now.", body = InviteRead))
)]
async fn update(
    InEnv(scope): InEnv,
    Path(at): Path<At>,
    Body(body): Body<UpdateBody>,
) -> Answer<Json<InviteRead>> {
    still_pending(body.status)?;
    let edit = InviteEdit {
        key: body.key.try_map(|text| text.key::<UserKey>())?,
        email: body.email,
        first_name: body.first_name,
        last_name: body.last_name,
        role: body.role_id.as_ref().map(Text::ident),
        tenant: body.tenant_id.as_ref().map(Text::ident),
        instance: body.resource_instance_id.map(|text| text.0),
    };
    let invite = scope.update_invite(&at.invite.ident(), &edit).await?;
    Ok(Json(InviteRead::new(&scope, invite)))
}

/// Delete an invitation
#[utoipa::path(
    delete, path = "/user_invites/{invite}",
    responses((status = NO_CONTENT, description = "It is gone."))
)]
async fn delete(InEnv(scope): InEnv, Path(at): Path<At>) -> Answer<StatusCode> {
    scope.delete_invite(&at.invite.ident()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Take somebody in who was invited
///
/// Answers the user.
#[utoipa::path(
    post, path = "/user_invites/{invite}/approve", request_body = ApproveBody,
    responses((status = OK, description = "The user, who has the role of the invitation.", body = UserRead))
)]
async fn approve(
    InEnv(scope): InEnv,
    Path(at): Path<At>,
    Body(body): Body<ApproveBody>,
) -> Answer<Json<UserRead>> {
    let arrival =
        Arrival { email: body.email, key: body.key.key()?, attributes: body.attributes.unwrap_or_default() };
    let user = scope.approve_invite(&at.invite.ident(), &arrival).await?;
    Ok(Json(UserRead::new(&scope, user)))
}
