//! Signing in with a one-time link, and out again.

use super::{
    page::{Page, Shown, render},
    session::{Reviewer, cookie},
};
use crate::State;
use askama::Template;
use askfirst_engine::{Kind, Secret, admin::sessions::BROWSER_LIFETIME};
use axum::{
    extract::Path,
    http::{StatusCode, header},
    response::{IntoResponse, Redirect},
};

#[derive(Debug, Template)]
#[template(path = "login.html")]
struct LoginPage;

/// Shows a button and uses nothing up: what only looks at links (previews, scanners) signs nobody in.
pub(super) async fn page() -> Page {
    render(StatusCode::OK, &LoginPage)
}

/// Uses the link.
pub(super) async fn sign_in(app: State, Path(token): Path<String>) -> Page {
    let opened =
        app.engine.redeem_link(&Secret::presented(token)).await.map_err(|error| match error.kind() {
            Kind::Unauthenticated => Shown::used_link(),
            _ => error.into(),
        })?;
    let cookie = cookie(&app, opened.token.reveal(), BROWSER_LIFETIME.as_secs())?;
    Ok(([(header::SET_COOKIE, cookie)], Redirect::to("/inbox")).into_response())
}

/// Ends the session.
pub(super) async fn sign_out(app: State, Reviewer(acting): Reviewer) -> Page {
    app.engine.sign_out(acting.scope().op()).await?;
    let cookie = cookie(&app, "", 0)?;
    Ok(([(header::SET_COOKIE, cookie)], Redirect::to("/inbox")).into_response())
}
