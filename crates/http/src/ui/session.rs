//! Who looks: the browser's session, from its cookie.

use super::page::Shown;
use crate::{App, revision};
use askfirst_domain::scope::SessionKind;
use askfirst_engine::{Acting, Kind, Secret};
use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, HeaderValue, request::Parts},
};
use axum_extra::extract::CookieJar;
use std::sync::Arc;

/// The cookie's name.
const COOKIE: &str = "askfirst_session";

/// The signed-in human.
#[derive(Debug)]
pub(super) struct Reviewer(pub(super) Acting);

/// The session as the browser sent it, for an answer that goes on and has to look at it again.
#[derive(Debug)]
pub(super) struct Presented(pub(super) Secret);

impl FromRequestParts<Arc<App>> for Presented {
    type Rejection = Shown;
    async fn from_request_parts(parts: &mut Parts, _: &Arc<App>) -> Result<Self, Shown> {
        let jar = CookieJar::from_headers(&parts.headers);
        let cookie = jar.get(COOKIE).ok_or_else(Shown::signed_out)?;
        Ok(Self(Secret::presented(cookie.value())))
    }
}

impl FromRequestParts<Arc<App>> for Reviewer {
    type Rejection = Shown;
    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Shown> {
        let Presented(secret) = Presented::from_request_parts(parts, app).await?;
        let acting = match app.engine.authenticate_session(&secret, SessionKind::Browser).await {
            Ok(op) => app.engine.act(op).await,
            Err(error) => Err(error),
        };
        match acting {
            Ok(acting) => {
                revision::enter(parts, acting.scope()).await?;
                Ok(Self(acting))
            }
            Err(error) if error.kind() == Kind::Unauthenticated => Err(Shown::signed_out()),
            Err(error) => Err(error.into()),
        }
    }
}

/// Ends the session that a browser had when it signs in anew: nobody goes on with one that somebody else may know.
pub(super) async fn end_presented(app: &App, headers: &HeaderMap) -> Result<(), Shown> {
    let jar = CookieJar::from_headers(headers);
    let Some(cookie) = jar.get(COOKIE) else { return Ok(()) };
    let secret = Secret::presented(cookie.value());
    match app.engine.authenticate_session(&secret, SessionKind::Browser).await {
        Ok(op) => Ok(app.engine.sign_out(&op).await?),
        Err(error) if error.kind() == Kind::Unauthenticated => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// The header that signs a browser in (or, with an empty token, out). Over plain http, which only a loopback address is
/// meant to be served on, a cookie can't be `Secure`.
pub(super) fn cookie(app: &App, token: &str, seconds: u64) -> Result<HeaderValue, Shown> {
    header(app, COOKIE, token, seconds)
}

/// The cookie of a sign-in that is on its way. With the prefix no other host and nothing that is not encrypted can put one
/// into the browser (RFC 6265bis, 4.1.3.2).
pub(super) fn flow_name(app: &App) -> &'static str {
    if is_secure(app) { "__Host-askfirst_oidc" } else { "askfirst_oidc" }
}

/// The header that keeps such a sign-in in the browser, or, with an empty one, forgets it.
pub(super) fn flow_cookie(app: &App, flow: &str, seconds: u64) -> Result<HeaderValue, Shown> {
    header(app, flow_name(app), flow, seconds)
}

/// What the browser has kept of a sign-in that is on its way.
pub(super) fn flow_of(app: &App, headers: &HeaderMap) -> Option<Secret> {
    let jar = CookieJar::from_headers(headers);
    jar.get(flow_name(app)).map(|cookie| Secret::presented(cookie.value()))
}

fn is_secure(app: &App) -> bool {
    app.engine.settings().public_url.starts_with("https://")
}

fn header(app: &App, name: &str, value: &str, seconds: u64) -> Result<HeaderValue, Shown> {
    let secure = if is_secure(app) { "; Secure" } else { "" };
    let text = format!("{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}");
    let mut value = HeaderValue::from_str(&text).map_err(|_| Shown::broken())?;
    value.set_sensitive(true);
    Ok(value)
}
