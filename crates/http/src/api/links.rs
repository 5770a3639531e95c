//! `POST /api/v1/links`: a sign-in link for a human's browser.

use crate::{
    App,
    auth::InEnv,
    body::Body,
    error::Answer,
    permit::wire::{Moment, Text},
};
use askfirst_domain::UserKey;
use axum::{Json, Router, routing::post};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

pub(super) fn router() -> Router<Arc<App>> {
    Router::new().route("/api/v1/links", post(create))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct NewLink {
    user: Text,
}

/// The link works once; whoever opens it first is signed in as the user.
#[derive(Debug, Serialize)]
struct LinkRead {
    url: String,
    user: UserKey,
    expires_at: Moment,
}

async fn create(InEnv(scope): InEnv, Body(new): Body<NewLink>) -> Answer<Json<LinkRead>> {
    let made = scope.create_link(&new.user.ident()).await?;
    let url = format!("{}/login/{}", scope.engine().settings().public_url, made.token.reveal());
    Ok(Json(LinkRead { url, user: made.user, expires_at: Moment(made.expires_at) }))
}
