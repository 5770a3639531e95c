//! Rendering, and the pages that say why there is no other.

use askama::Template;
use askfirst_engine::{Error, Kind};
use axum::{
    body::Body,
    http::{Response as HttpResponse, StatusCode},
    response::{Html, IntoResponse, Response},
};
use tower_http::csrf::ProtectionError;

/// What a page's handler answers.
pub(super) type Page = Result<Response, Shown>;

/// A page that says something and nothing more.
#[derive(Debug, Template)]
#[template(path = "message.html")]
pub(super) struct Message {
    title: String,
    lines: Vec<String>,
    command: Option<&'static str>,
    sign_in: bool,
}

/// A message with its status: what is shown instead of a page.
#[derive(Debug)]
pub(super) struct Shown {
    status: StatusCode,
    message: Message,
}

impl Shown {
    fn new(status: StatusCode, title: &str, lines: &[&str]) -> Self {
        let lines = lines.iter().map(|line| (*line).to_owned()).collect();
        Self { status, message: Message { title: title.to_owned(), lines, command: None, sign_in: false } }
    }

    /// Nobody is signed in.
    pub(super) fn signed_out() -> Self {
        let lines = [
            "You are not signed in on this browser.",
            "Sign in with your password, or make a sign-in link on the machine that holds the key, and open it here:",
        ];
        let mut shown = Self::new(StatusCode::UNAUTHORIZED, "Sign in to decide", &lines);
        shown.message.command = Some("askfirst link USER");
        shown.message.sign_in = true;
        shown
    }

    /// The link does not sign anybody in.
    pub(super) fn used_link() -> Self {
        let lines = ["This sign-in link was used already or has expired.", "Make a new one:"];
        let mut shown = Self::new(StatusCode::UNAUTHORIZED, "The link does not work", &lines);
        shown.message.command = Some("askfirst link USER");
        shown.message.sign_in = true;
        shown
    }

    /// A sign-in came to nothing.
    pub(super) fn no_sign_in(status: StatusCode, title: &str, line: &str, more: &str) -> Self {
        let mut shown = Self::new(status, title, &[line, more]);
        shown.message.sign_in = true;
        shown
    }

    /// There is no such page.
    pub(super) fn nothing_here(line: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, "Nothing here", &[line])
    }

    /// A fault of ours.
    pub(super) fn broken() -> Self {
        let lines = ["Nothing was changed. Try again, and look at the server's log."];
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "Something failed on our side", &lines)
    }
}

impl From<Error> for Shown {
    fn from(error: Error) -> Self {
        let (status, _, title) = crate::error::problem_of(error.kind());
        match error.kind() {
            Kind::Internal => {
                tracing::error!(error = ?error, "a page failed");
                Self::broken()
            }
            Kind::NotFound => Self::nothing_here("There is no such request, or it is not yours to see."),
            _ => Self::new(status, title, &[error.message()]),
        }
    }
}

impl IntoResponse for Shown {
    fn into_response(self) -> Response {
        match render(self.status, &self.message) {
            Ok(response) => response,
            Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        }
    }
}

/// A template as a response.
pub(super) fn render(status: StatusCode, template: &impl Template) -> Page {
    match template.render() {
        Ok(html) => Ok((status, Html(html)).into_response()),
        Err(error) => {
            tracing::error!(%error, "a template failed");
            Err(Shown::broken())
        }
    }
}

/// The answer to a form that was not sent from our own pages.
pub(super) fn foreign_form(_: ProtectionError) -> HttpResponse<Body> {
    let lines =
        ["This form was sent from another site, so nothing was done.", "Open the inbox and decide there."];
    Shown::new(StatusCode::FORBIDDEN, "Not from here", &lines).into_response()
}
