//! Signing in with a one-time link or a password, and out again.

use super::{
    page::{Page, Shown, render},
    session::{Reviewer, cookie, end_presented},
};
use crate::State;
use askama::Template;
use askfirst_engine::{
    Error, Kind, Secret,
    admin::sessions::{BROWSER_LIFETIME, Opened},
    passwords::{Place, SignIn},
};
use axum::{
    Form,
    extract::{Path, Query},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Redirect},
};
use serde::Deserialize;

#[derive(Debug, Template)]
#[template(path = "login.html")]
struct LoginPage;

/// The environment on the form.
#[derive(Debug)]
enum Asked {
    /// There is one alone.
    Hidden(String),
    Typed(String),
}

#[derive(Debug, Template)]
#[template(path = "sign_in.html")]
struct SignInPage {
    notice: Option<String>,
    place: Asked,
    user: String,
    /// The name of whom one may sign in with as well.
    issuer: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Where {
    env: Option<String>,
}

/// The fields of the form. Without `Debug`: one is a secret.
#[derive(Deserialize)]
pub(super) struct SignInForm {
    #[serde(default)]
    env: String,
    user: String,
    password: String,
}

/// Shows a button and uses nothing up: what only looks at links (previews, scanners) signs nobody in.
pub(super) async fn page() -> Page {
    render(StatusCode::OK, &LoginPage)
}

/// Uses the link.
pub(super) async fn sign_in(app: State, headers: HeaderMap, Path(token): Path<String>) -> Page {
    let opened =
        app.engine.redeem_link(&Secret::presented(token)).await.map_err(|error| match error.kind() {
            Kind::Unauthenticated => Shown::used_link(),
            _ => error.into(),
        })?;
    let_in(&app, &headers, &opened).await
}

/// The form for a password.
pub(super) async fn form(app: State, Query(Where { env }): Query<Where>) -> Page {
    render(StatusCode::OK, &sign_in_page(&app, None, env.as_deref().unwrap_or_default(), String::new()))
}

/// Signs in with a password.
pub(super) async fn with_password(app: State, headers: HeaderMap, Form(form): Form<SignInForm>) -> Page {
    let given = SignIn {
        place: typed(&form.env),
        user: form.user.clone(),
        password: Secret::presented(form.password),
    };
    match app.engine.sign_in(given).await {
        Ok(opened) => let_in(&app, &headers, &opened).await,
        Err(error) => refused(&app, error, &form.env, form.user),
    }
}

fn refused(app: &State, error: Error, env: &str, user: String) -> Page {
    let status = match error.kind() {
        Kind::Unauthenticated => StatusCode::UNAUTHORIZED,
        Kind::Unavailable => StatusCode::TOO_MANY_REQUESTS,
        _ => return Err(error.into()),
    };
    render(status, &sign_in_page(app, Some(error.message().to_owned()), env, user))
}

fn sign_in_page(app: &State, notice: Option<String>, env: &str, user: String) -> SignInPage {
    let issuer = app.engine.issuer().map(|issuer| issuer.name().to_owned());
    SignInPage { notice, place: asked(app, env), user, issuer }
}

/// The environment that somebody has typed; none: the only one.
pub(super) fn typed(env: &str) -> Option<Place> {
    match env.trim() {
        "" => None,
        env => {
            // What names no environment is answered like one that is not there.
            let (project, env) = env.split_once('/').unwrap_or((env, ""));
            Some(Place { project: project.to_owned(), env: env.to_owned() })
        }
    }
}

fn asked(app: &State, typed: &str) -> Asked {
    match app.engine.only_place() {
        Some(only) => Asked::Hidden(format!("{}/{}", only.project, only.env)),
        None => Asked::Typed(typed.to_owned()),
    }
}

/// Hands the session to the browser, and ends the one that it had.
pub(super) async fn let_in(app: &State, headers: &HeaderMap, opened: &Opened) -> Page {
    end_presented(app, headers).await?;
    let cookie = cookie(app, opened.token.reveal(), BROWSER_LIFETIME.as_secs())?;
    Ok(([(header::SET_COOKIE, cookie)], Redirect::to("/inbox")).into_response())
}

/// Ends the session.
pub(super) async fn sign_out(app: State, Reviewer(acting): Reviewer) -> Page {
    app.engine.sign_out(acting.scope().op()).await?;
    let cookie = cookie(&app, "", 0)?;
    Ok(([(header::SET_COOKIE, cookie)], Redirect::to("/inbox")).into_response())
}
