//! The inbox: server-rendered pages on which a signed-in human sees requests and decides. They work without JavaScript
//! and carry none.
//!
//! A page is made of escaped text under a content policy that loads nothing but our own style sheet. Forms are accepted
//! from our own pages only; a decision carries the digest of what was shown and counts for nothing else.

mod inbox;
mod login;
mod oidc;
mod page;
mod request;
mod session;
mod stand_ins;
mod stream;
mod ways;
mod words;

use crate::App;
use askama::Template;
use axum::{
    Router,
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
    routing::{get, post},
};
use std::sync::Arc;
use tower_http::{csrf::CsrfLayer, set_header::SetResponseHeaderLayer};

/// Loads our style sheet and icon and nothing else; no script, no frame around it, forms go home.
const CONTENT_POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; \
                              base-uri 'none'; frame-ancestors 'none'";

pub(crate) fn router() -> Router<Arc<App>> {
    let pages = Router::new()
        .route("/", get(|| async { Redirect::to("/inbox") }))
        .route("/inbox", get(inbox::page))
        .route("/inbox/stream", get(stream::stream))
        .route("/inbox/stand-ins", get(stand_ins::page).post(stand_ins::name))
        .route("/inbox/stand-ins/{stand_in}/withdraw", post(stand_ins::withdraw))
        .route("/inbox/requests/{request}", get(request::page))
        .route("/inbox/requests/{request}/decide", post(request::decide))
        .route("/inbox/requests/{request}/cancel", post(request::cancel))
        .route("/inbox/requests/{request}/ask", post(request::ask_back))
        .route("/inbox/requests/{request}/answer", post(request::answer))
        .route("/inbox/sign-in", get(ways::page))
        .route("/inbox/password", post(ways::change))
        .route("/inbox/sign-out-everywhere", post(ways::sign_out_everywhere))
        .route("/login", get(login::form).post(login::with_password))
        .route("/login/oidc", get(oidc::nothing).post(oidc::begin))
        .route("/login/oidc/callback", get(oidc::finish))
        .route("/login/{token}", get(login::page).post(login::sign_in))
        .route("/logout", post(login::sign_out))
        .route("/assets/inbox.css", get(inbox_style))
        .route("/assets/icon.svg", get(icon))
        .route_layer(CsrfLayer::new().with_rejection_response(page::foreign_form));
    guarded(pages)
}

/// Pages that load nothing but what is ours, and that nobody frames.
pub(crate) fn guarded(pages: Router<Arc<App>>) -> Router<Arc<App>> {
    pages
        .route_layer(set(header::CONTENT_SECURITY_POLICY, CONTENT_POLICY))
        .route_layer(set(header::REFERRER_POLICY, "same-origin"))
        .route_layer(set(header::X_FRAME_OPTIONS, "DENY"))
}

fn set(name: HeaderName, value: &'static str) -> SetResponseHeaderLayer<HeaderValue> {
    SetResponseHeaderLayer::overriding(name, HeaderValue::from_static(value))
}

async fn inbox_style() -> impl IntoResponse {
    style(include_str!("../../assets/inbox.css"))
}

/// A style sheet.
pub(crate) fn style(text: &'static str) -> impl IntoResponse {
    asset("text/css; charset=utf-8", text)
}

/// A page of a template.
pub(crate) fn show(template: &impl Template) -> Response {
    page::render(StatusCode::OK, template).into_response()
}

/// The page that says why there is no other.
pub(crate) fn nothing_here(line: &str) -> Response {
    page::Shown::nothing_here(line).into_response()
}

async fn icon() -> impl IntoResponse {
    asset("image/svg+xml", include_str!("../../assets/icon.svg"))
}

fn asset(kind: &'static str, text: &'static str) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, "public, max-age=300")], text)
}
