//! `user_invites`.

use super::users::UserRead;
use crate::{
    auth::InEnv,
    body::Body,
    error::Answer,
    listing::Paginated,
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

/// `ElementsUserInviteRead`.
#[derive(Debug, Serialize)]
pub(super) struct InviteRead {
    id: InviteId,
    #[serde(flatten)]
    home: Home,
    created_at: Moment,
    updated_at: Moment,
    key: Option<UserKey>,
    status: InviteStatus,
    email: String,
    first_name: Option<String>,
    last_name: Option<String>,
    role_id: RoleId,
    tenant_id: TenantId,
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

/// `ElementsUserInviteCreate`. What Permit names by id may be named by key as well.
#[derive(Debug, Deserialize)]
pub(super) struct CreateBody {
    #[serde(default)]
    key: Option<Text>,
    #[serde(default)]
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

/// `ElementsUserInviteUpdate`.
#[derive(Debug, Deserialize)]
pub(super) struct UpdateBody {
    #[serde(default)]
    key: Patch<Text>,
    #[serde(default)]
    status: Option<InviteStatus>,
    #[serde(default)]
    email: Option<String>,
    #[serde(default)]
    first_name: Patch<String>,
    #[serde(default)]
    last_name: Patch<String>,
    #[serde(default)]
    role_id: Option<Text>,
    #[serde(default)]
    tenant_id: Option<Text>,
    #[serde(default)]
    resource_instance_id: Patch<Text>,
}

/// `ElementsUserInviteApprove`.
#[derive(Debug, Deserialize)]
pub(super) struct ApproveBody {
    email: String,
    key: Text,
    #[serde(default)]
    attributes: Option<Attributes>,
}

#[derive(Debug, Deserialize)]
pub(super) struct ListQuery {
    page: Option<u32>,
    per_page: Option<u32>,
    status: Option<InviteStatus>,
    role: Option<Text>,
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

pub(super) async fn list(
    InEnv(scope): InEnv,
    Params(q): Params<ListQuery>,
) -> Answer<Json<Paginated<InviteRead>>> {
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

pub(super) async fn read(InEnv(scope): InEnv, Path(at): Path<At>) -> Answer<Json<InviteRead>> {
    let invite = scope.invite(&at.invite.ident()).await?;
    Ok(Json(InviteRead::new(&scope, invite)))
}

pub(super) async fn create(InEnv(scope): InEnv, Body(body): Body<CreateBody>) -> Answer<Json<InviteRead>> {
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

pub(super) async fn update(
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

pub(super) async fn delete(InEnv(scope): InEnv, Path(at): Path<At>) -> Answer<StatusCode> {
    scope.delete_invite(&at.invite.ident()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Answers the user.
pub(super) async fn approve(
    InEnv(scope): InEnv,
    Path(at): Path<At>,
    Body(body): Body<ApproveBody>,
) -> Answer<Json<UserRead>> {
    let arrival =
        Arrival { email: body.email, key: body.key.key()?, attributes: body.attributes.unwrap_or_default() };
    let user = scope.approve_invite(&at.invite.ident(), &arrival).await?;
    Ok(Json(UserRead::new(&scope, user)))
}
