//! How a signed-in human gets in: the own password and the own sessions.

use super::{
    page::{Page as Answer, Shown, render},
    session::{Reviewer, cookie},
};
use crate::State;
use askama::Template;
use askfirst_domain::scope::OpenedWith;
use askfirst_engine::{
    Acting, Error, Kind, Secret,
    passwords::{LEAST_CHARACTERS, MOST_CHARACTERS},
};
use axum::{
    Form,
    http::{StatusCode, header},
    response::{IntoResponse, Redirect},
};
use serde::Deserialize;

#[derive(Debug)]
struct Line {
    with: String,
    from: String,
    until: String,
    is_this: bool,
}

#[derive(Debug, Template)]
#[template(path = "ways.html")]
struct WaysPage {
    me: String,
    notice: Option<String>,
    changed: Option<String>,
    asks_for_old: bool,
    least: usize,
    most: usize,
    sessions: Vec<Line>,
}

/// The fields of the form. Without `Debug`: they are secrets.
#[derive(Deserialize)]
pub(super) struct PasswordForm {
    old: Option<String>,
    new: String,
    again: String,
}

pub(super) async fn page(app: State, Reviewer(acting): Reviewer) -> Answer {
    show(&app, &acting, StatusCode::OK, None).await
}

/// Sets or changes the password.
pub(super) async fn change(app: State, Reviewer(acting): Reviewer, Form(form): Form<PasswordForm>) -> Answer {
    let changed = if form.new == form.again {
        acting.change_password(form.old.map(Secret::presented), Secret::presented(form.new)).await
    } else {
        Err(Error::new(Kind::Invalid, "The new password was not typed twice alike; nothing was changed."))
    };
    let Err(error) = changed else { return Ok(Redirect::to("/inbox/sign-in").into_response()) };
    let status = match error.kind() {
        Kind::Invalid => StatusCode::BAD_REQUEST,
        Kind::Forbidden => StatusCode::FORBIDDEN,
        Kind::Unavailable => StatusCode::TOO_MANY_REQUESTS,
        _ => return Err(Shown::from(error)),
    };
    show(&app, &acting, status, Some(error.message().to_owned())).await
}

/// Ends all sessions of the user.
pub(super) async fn sign_out_everywhere(app: State, Reviewer(acting): Reviewer) -> Answer {
    acting.sign_out_everywhere().await?;
    let cookie = cookie(&app, "", 0)?;
    Ok(([(header::SET_COOKIE, cookie)], Redirect::to("/inbox")).into_response())
}

/// How a session was opened, as a person reads it.
fn told(with: OpenedWith, issuer: Option<&str>) -> String {
    match with {
        OpenedWith::Link => "a link",
        OpenedWith::Password => "a password",
        OpenedWith::Oidc => issuer.unwrap_or("another service"),
    }
    .to_owned()
}

async fn show(app: &State, acting: &Acting, status: StatusCode, notice: Option<String>) -> Answer {
    let ways = acting.sign_in_ways().await?;
    let issuer = app.engine.issuer().map(|issuer| issuer.name().to_owned());
    let sessions = ways.sessions.into_iter().map(|one| Line {
        with: told(one.opened_with, issuer.as_deref()),
        from: one.opened_at.to_string(),
        until: one.ends_at.to_string(),
        is_this: one.is_this,
    });
    let template = WaysPage {
        me: acting.user_key().to_string(),
        notice,
        changed: ways.password_changed_at.map(|at| at.to_string()),
        asks_for_old: ways.asks_for_old,
        least: LEAST_CHARACTERS,
        most: MOST_CHARACTERS,
        sessions: sessions.collect(),
    };
    render(status, &template)
}
