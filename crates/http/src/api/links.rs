//! `POST /api/v1/links`: a sign-in link for a human's browser.

use crate::{
    auth::InEnv,
    body::Body,
    error::Answer,
    openapi::{Routes, UserKeyShape},
    permit::wire::{Moment, Text},
};
use askfirst_domain::UserKey;
use axum::Json;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::routes;

pub(super) fn router() -> Routes {
    Routes::default().routes(routes!(create))
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewLink {
    /// The key or id of the user.
    user: Text,
}

/// The link works once; whoever opens it first is signed in as the user.
#[derive(Debug, Serialize, ToSchema)]
struct LinkRead {
    url: String,
    #[schema(value_type = UserKeyShape)]
    user: UserKey,
    expires_at: Moment,
}

/// Make a sign-in link for a human's browser
///
/// It works once and for a short time; whoever opens it first is signed in as the user.
#[utoipa::path(
    post, path = "/api/v1/links", request_body = NewLink,
    responses((status = OK, description = "The link.", body = LinkRead))
)]
async fn create(InEnv(scope): InEnv, Body(new): Body<NewLink>) -> Answer<Json<LinkRead>> {
    let made = scope.create_link(&new.user.ident()).await?;
    let url = format!("{}/login/{}", scope.engine().settings().public_url, made.token.reveal());
    Ok(Json(LinkRead { url, user: made.user, expires_at: Moment(made.expires_at) }))
}
