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
    openapi::{IdShape, KeyShape, Routes, UserKeyShape},
};
use askfirst_domain::{Key, UserKey, id::UserId};
use askfirst_engine::{
    Secret,
    admin::sessions::{ELEMENT_LIFETIME, LoggedIn},
    elements::FrontEndLogin,
};
use axum::{
    Json,
    extract::Path,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::routes;

pub(super) fn router() -> Routes {
    Routes::default()
        .routes(routes!(login_as))
        .routes(routes!(front_end_login))
        .routes(routes!(login_elements))
        .routes(routes!(me))
        .routes(routes!(logout))
}

/// Keys or ids.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = LoginAsSchema)]
struct LoginBody {
    user_id: Text,
    tenant_id: Text,
}

/// What a front-end sends with its user's token.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = ElementsFrontEndLogin)]
struct FrontEndBody {
    user_jwt: String,
    tenant_id: Text,
    user_key_claim: Option<String>,
}

/// The session's token stands in `element_bearer_token` and never in `redirect_url`, which
/// carries a ticket that works once.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = EmbeddedLoginRequestOutput)]
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

/// Sign a user in to elements
///
/// In one tenant, for some time. A server does this with an API key.
#[utoipa::path(
    post, path = "/v2/auth/elements_login_as", request_body = LoginBody,
    responses((status = OK, description = "The session.", body = LoginRead))
)]
async fn login_as(app: State, InEnv(scope): InEnv, Body(body): Body<LoginBody>) -> Answer<Json<LoginRead>> {
    let logged_in = scope.element_login(&body.user_id.ident(), &body.tenant_id.ident()).await?;
    Ok(Json(LoginRead::new(&app, &logged_in, ELEMENT_LIFETIME.as_secs())))
}

#[derive(Debug, Deserialize)]
struct InEnvironment {
    env: Text,
}

/// Sign a user in to elements by their own token
///
/// The token is held against the environment's `jwks`.
#[utoipa::path(
    post, path = "/v2/auth/{env}/elements_fe_login_as", request_body = FrontEndBody,
    responses((status = OK, description = "The session.", body = LoginRead))
)]
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

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Ticket {
    /// The ticket, as `redirect_url` has it.
    token: String,
}

/// What the browser of a user who was logged in is told.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ElementsLoggedIn)]
struct LoggedInRead {
    success: bool,
    #[schema(value_type = UserKeyShape)]
    user_key: UserKey,
}

/// Exchange a ticket for the cookie of a session
///
/// Exchanges a ticket for the cookie.
#[utoipa::path(
    get, path = "/v2/auth/login_elements", params(Ticket),
    responses((
        status = OK, description = "The session is in the cookie.", body = LoggedInRead,
        headers(("set-cookie" = String, description = "`permit_session`."))
    ))
)]
async fn login_elements(app: State, Params(ticket): Params<Ticket>) -> Answer<Response> {
    let opened = app.engine.redeem_ticket(&Secret::presented(ticket.token)).await?;
    let cookie = element_cookie::set(&app, opened.token.reveal(), opened.lasts.as_secs())?;
    // The address of this call has a ticket in it, if a used one.
    let quiet = (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    let told = Json(LoggedInRead { success: true, user_key: opened.user });
    Ok(([(header::SET_COOKIE, cookie), quiet], told).into_response())
}

/// Whose session it is.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ElementsMe)]
struct MeRead {
    #[schema(value_type = IdShape)]
    id: UserId,
    #[schema(value_type = UserKeyShape)]
    key: UserKey,
    email: Option<String>,
    first_name: Option<String>,
    last_name: Option<String>,
    #[schema(value_type = Option<KeyShape>)]
    tenant: Option<Key>,
    #[serde(flatten)]
    home: Home,
}

/// Say whose session it is
#[utoipa::path(
    get, path = "/v2/auth/me",
    responses((status = OK, description = "The user of the session.", body = MeRead))
)]
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

/// Sign out
#[utoipa::path(
    method(get, post), path = "/v2/auth/logout",
    responses((
        status = NO_CONTENT, description = "The session is over.",
        headers(("set-cookie" = String, description = "Takes the cookie away."))
    ))
)]
async fn logout(app: State, Signed(op): Signed) -> Answer<Response> {
    app.engine.sign_out(&op).await?;
    let gone = [(header::SET_COOKIE, element_cookie::set(&app, "", 0)?)];
    Ok((StatusCode::NO_CONTENT, gone).into_response())
}
