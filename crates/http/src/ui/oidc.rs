//! Signing in with an OpenID Connect issuer: to it, and back.

use super::{
    login::{let_in, typed},
    page::{Page, Shown, render},
    session::{flow_cookie, flow_of},
};
use crate::State;
use askama::Template;
use askfirst_engine::{
    Error, Kind, Secret,
    oidc::{Answer, FLOW_LASTS, Issuer},
};
use axum::{
    Form,
    extract::Query,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
};
use serde::Deserialize;

/// Takes the browser to the issuer.
///
/// No redirect: browsers hold the redirect of a form, and each one behind it, against `form-action`, and which hosts an issuer
/// leads through is not known here. A page that moves on by itself is no form.
#[derive(Debug, Template)]
#[template(path = "leaving.html")]
struct LeavingPage<'a> {
    name: &'a str,
    url: &'a str,
}

#[derive(Debug, Deserialize)]
pub(super) struct BeginForm {
    #[serde(default)]
    env: String,
}

/// What the issuer sends back. Without `Debug`: the code is a secret.
#[derive(Deserialize)]
pub(super) struct Returned {
    state: Option<String>,
    code: Option<String>,
    iss: Option<String>,
    error: Option<String>,
}

/// Whoever reloads the page in between begins anew.
pub(super) async fn nothing() -> Redirect {
    Redirect::to("/login")
}

/// Begins a sign-in.
pub(super) async fn begin(app: State, Form(form): Form<BeginForm>) -> Page {
    let begun = app.engine.begin_oidc(typed(&form.env)).await.map_err(refused)?;
    let name = app.engine.issuer().map(Issuer::name).unwrap_or_default();
    let page = render(StatusCode::OK, &LeavingPage { name, url: begun.url.reveal() })?;
    let cookie = flow_cookie(&app, begun.flow.reveal(), FLOW_LASTS.as_secs())?;
    Ok(([(header::SET_COOKIE, cookie)], page).into_response())
}

/// Ends it: with a session, or with a page that says why there is none. Whatever comes of it, the browser forgets the flow.
pub(super) async fn finish(
    app: State,
    headers: HeaderMap,
    returned: Result<Query<Returned>, axum::extract::rejection::QueryRejection>,
) -> Response {
    let forget = flow_cookie(&app, "", 0);
    let page = back(&app, &headers, returned.ok().map(|Query(returned)| returned)).await;
    match forget {
        Ok(forget) => forgetting(page.into_response(), forget),
        Err(broken) => broken.into_response(),
    }
}

async fn back(app: &State, headers: &HeaderMap, returned: Option<Returned>) -> Page {
    let flow = flow_of(app, headers);
    let answer = match returned {
        Some(returned) => Answer {
            flow,
            state: returned.state.map(Secret::presented),
            code: returned.code.map(Secret::presented),
            issuer: returned.iss,
            refused: returned.error.is_some(),
        },
        // What can't be read, or says something twice, is no answer to anything.
        None => Answer { flow, state: None, code: None, issuer: None, refused: false },
    };
    let opened = app.engine.finish_oidc(answer).await.map_err(refused)?;
    let_in(app, headers, &opened).await
}

fn forgetting(mut response: Response, forget: HeaderValue) -> Response {
    response.headers_mut().append(header::SET_COOKIE, forget);
    response
}

fn refused(error: Error) -> Shown {
    let (status, title, more) = match error.kind() {
        Kind::Forbidden => (
            StatusCode::FORBIDDEN,
            "You are not known here",
            "Nobody was signed in, and no user was made. Ask whoever runs this to put your e-mail address with your user.",
        ),
        Kind::Unauthenticated => {
            (StatusCode::UNAUTHORIZED, "You are not signed in", "You can try again, or come in another way.")
        }
        Kind::Invalid => (StatusCode::BAD_REQUEST, "You are not signed in", "Nothing was done."),
        Kind::Unavailable => (
            StatusCode::SERVICE_UNAVAILABLE,
            "Not now",
            "A sign-in link or a password works meanwhile. Whoever runs this finds the reason in the server's log.",
        ),
        Kind::NotFound => return Shown::nothing_here(error.message()),
        _ => return error.into(),
    };
    Shown::no_sign_in(status, title, error.message(), more)
}
