//! Element sessions: a server signs its user in to one tenant.

use super::wire::{Home, Text};
use crate::{
    App, State,
    auth::{AsUser, Caller, InEnv},
    body::Body,
    error::Answer,
};
use askfirst_domain::{Key, UserKey, id::UserId};
use axum::{
    Json, Router,
    http::StatusCode,
    routing::{get, post},
};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

pub(super) fn router() -> Router<Arc<App>> {
    Router::new()
        .route("/v2/auth/elements_login_as", post(login_as))
        .route("/v2/auth/me", get(me))
        .route("/v2/auth/logout", get(logout).post(logout))
}

/// `LoginAsSchema`: keys or ids.
#[derive(Debug, Deserialize)]
struct LoginBody {
    user_id: Text,
    tenant_id: Text,
}

/// `EmbeddedLoginRequestOutput`. The token stands in `element_bearer_token` and never in `redirect_url`.
#[derive(Debug, Serialize)]
struct LoginRead {
    redirect_url: String,
    element_bearer_token: String,
    /// Seconds.
    element_bearer_token_expires_in: u64,
}

async fn login_as(InEnv(scope): InEnv, Body(body): Body<LoginBody>) -> Answer<Json<LoginRead>> {
    let opened = scope.element_login(&body.user_id.ident(), &body.tenant_id.ident()).await?;
    Ok(Json(LoginRead {
        redirect_url: format!("{}/inbox", scope.engine().settings().public_url),
        element_bearer_token: opened.token.reveal().to_owned(),
        element_bearer_token_expires_in: askfirst_engine::admin::sessions::ELEMENT_LIFETIME.as_secs(),
    }))
}

/// Whose session it is.
#[derive(Debug, Serialize)]
struct MeRead {
    id: UserId,
    key: UserKey,
    email: Option<String>,
    first_name: Option<String>,
    last_name: Option<String>,
    tenant: Option<Key>,
    #[serde(flatten)]
    home: Home,
}

async fn me(AsUser(acting): AsUser) -> Answer<Json<MeRead>> {
    let (user, tenant) = acting.whoami().await?;
    Ok(Json(MeRead {
        id: user.id,
        key: user.key,
        email: user.email,
        first_name: user.first_name,
        last_name: user.last_name,
        tenant: tenant.map(|tenant| tenant.key),
        home: acting.scope().into(),
    }))
}

async fn logout(app: State, Caller(op): Caller) -> Answer<StatusCode> {
    app.engine.sign_out(&op).await?;
    Ok(StatusCode::NO_CONTENT)
}
