//! Element sessions: a server signs its user in to one tenant, or the user's own token does; as bearer token and as cookie.

use super::{
    element_cookie,
    wire::{Home, Params, Text},
};
use crate::{
    App, State,
    auth::{AsUser, InEnv, Signed},
    body::Body,
    error::Answer,
};
use askfirst_domain::{Key, UserKey, id::UserId};
use askfirst_engine::{
    Secret,
    admin::sessions::{ELEMENT_LIFETIME, LoggedIn},
    elements::FrontEndLogin,
};
use axum::{
    Json, Router,
    extract::Path,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

pub(super) fn router() -> Router<Arc<App>> {
    Router::new()
        .route("/v2/auth/elements_login_as", post(login_as))
        .route("/v2/auth/{env}/elements_fe_login_as", post(front_end_login))
        .route("/v2/auth/login_elements", get(login_elements))
        .route("/v2/auth/me", get(me))
        .route("/v2/auth/logout", get(logout).post(logout))
}

/// `LoginAsSchema`: keys or ids.
#[derive(Debug, Deserialize)]
struct LoginBody {
    user_id: Text,
    tenant_id: Text,
}

/// What a front-end sends with its user's token.
#[derive(Debug, Deserialize)]
struct FrontEndBody {
    user_jwt: String,
    tenant_id: Text,
    user_key_claim: Option<String>,
}

/// `EmbeddedLoginRequestOutput`. The session's token stands in `element_bearer_token` and never in `redirect_url`, which
/// carries a ticket that works once.
#[derive(Debug, Serialize)]
struct LoginRead {
    redirect_url: String,
    element_bearer_token: String,
    /// Seconds.
    element_bearer_token_expires_in: u64,
}

impl LoginRead {
    fn new(app: &App, logged_in: &LoggedIn, seconds: u64) -> Self {
        let ticket = logged_in.ticket.reveal();
        Self {
            redirect_url: format!(
                "{}/v2/auth/login_elements?token={ticket}",
                app.engine.settings().public_url
            ),
            element_bearer_token: logged_in.opened.token.reveal().to_owned(),
            element_bearer_token_expires_in: seconds,
        }
    }
}

async fn login_as(app: State, InEnv(scope): InEnv, Body(body): Body<LoginBody>) -> Answer<Json<LoginRead>> {
    let logged_in = scope.element_login(&body.user_id.ident(), &body.tenant_id.ident()).await?;
    Ok(Json(LoginRead::new(&app, &logged_in, ELEMENT_LIFETIME.as_secs())))
}

#[derive(Debug, Deserialize)]
struct InEnvironment {
    env: Text,
}

async fn front_end_login(
    app: State,
    Path(at): Path<InEnvironment>,
    Body(body): Body<FrontEndBody>,
) -> Answer<Json<LoginRead>> {
    let login = FrontEndLogin {
        env: at.env.ident(),
        token: body.user_jwt,
        user_key_claim: body.user_key_claim,
        tenant: body.tenant_id.ident(),
    };
    let logged_in = app.engine.front_end_login(&login).await?;
    Ok(Json(LoginRead::new(&app, &logged_in, logged_in.opened.lasts.as_secs())))
}

#[derive(Debug, Deserialize)]
struct Ticket {
    token: String,
}

/// What the browser of a user who was logged in is told.
#[derive(Debug, Serialize)]
struct LoggedInRead {
    success: bool,
    user_key: UserKey,
}

/// Exchanges a ticket for the cookie.
async fn login_elements(app: State, Params(ticket): Params<Ticket>) -> Answer<Response> {
    let opened = app.engine.redeem_ticket(&Secret::presented(ticket.token)).await?;
    let cookie = element_cookie::set(&app, opened.token.reveal(), opened.lasts.as_secs())?;
    // The address of this call has a ticket in it, if a used one.
    let quiet = (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    let told = Json(LoggedInRead { success: true, user_key: opened.user });
    Ok(([(header::SET_COOKIE, cookie), quiet], told).into_response())
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

async fn logout(app: State, Signed(op): Signed) -> Answer<Response> {
    app.engine.sign_out(&op).await?;
    let gone = [(header::SET_COOKIE, element_cookie::set(&app, "", 0)?)];
    Ok((StatusCode::NO_CONTENT, gone).into_response())
}
