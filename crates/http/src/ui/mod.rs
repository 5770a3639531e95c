//! The inbox: server-rendered pages on which a signed-in human sees requests and decides. They work without JavaScript
//! and carry none.
//!
//! A page is made of escaped text under a content policy that loads nothing but our own style sheet. Forms are accepted
//! from our own pages only; a decision carries the digest of what was shown and counts for nothing else.

mod inbox;
mod login;
mod page;
mod request;
mod session;
mod words;

use crate::App;
use axum::{
    Router,
    http::{HeaderName, HeaderValue, header},
    response::{IntoResponse, Redirect},
    routing::{get, post},
};
use std::sync::Arc;
use tower_http::{csrf::CsrfLayer, set_header::SetResponseHeaderLayer};

/// Loads our style sheet and icon and nothing else; no script, no frame around it, forms go home.
const CONTENT_POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; \
                              base-uri 'none'; frame-ancestors 'none'";

pub(crate) fn router() -> Router<Arc<App>> {
    Router::new()
        .route("/", get(|| async { Redirect::to("/inbox") }))
        .route("/inbox", get(inbox::page))
        .route("/inbox/requests/{request}", get(request::page))
        .route("/inbox/requests/{request}/decide", post(request::decide))
        .route("/inbox/requests/{request}/cancel", post(request::cancel))
        .route("/login/{token}", get(login::page).post(login::sign_in))
        .route("/logout", post(login::sign_out))
        .route("/assets/inbox.css", get(style))
        .route("/assets/icon.svg", get(icon))
        .route_layer(CsrfLayer::new().with_rejection_response(page::foreign_form))
        .route_layer(set(header::CONTENT_SECURITY_POLICY, CONTENT_POLICY))
        .route_layer(set(header::REFERRER_POLICY, "same-origin"))
        .route_layer(set(header::X_FRAME_OPTIONS, "DENY"))
}

fn set(name: HeaderName, value: &'static str) -> SetResponseHeaderLayer<HeaderValue> {
    SetResponseHeaderLayer::overriding(name, HeaderValue::from_static(value))
}

async fn style() -> impl IntoResponse {
    asset("text/css; charset=utf-8", include_str!("../../assets/inbox.css"))
}

async fn icon() -> impl IntoResponse {
    asset("image/svg+xml", include_str!("../../assets/icon.svg"))
}

fn asset(kind: &'static str, text: &'static str) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, "public, max-age=300")], text)
}
