//! The HTTP face: Permit's REST and PDP routes, our own small API, the inbox pages. Each handler translates, calls one
//! use case, translates back.

mod auth;
mod body;
mod error;
mod limits;
mod listing;

mod api;
mod authzen;
mod health;
mod intake;
mod openapi;
mod pdp;
mod permit;
mod reference;
mod revision;
mod short;
mod sse;
mod ui;

pub use error::problem_of;
pub use intake::read_small_bodies_first;
pub use limits::Limits;
pub use pdp::KongRoutes;
pub use permit::RateLimits;
pub use short::Front;

use askfirst_engine::Engine;
use axum::{Router, extract::DefaultBodyLimit};
use http::{HeaderName, HeaderValue};
use std::sync::Arc;
use tokio_util::sync::CancellationToken;
use tower_http::{set_header::SetResponseHeaderLayer, trace::TraceLayer};

/// What an operator may switch.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Lists of requests answer `requesting_user_id: null` and put the requester into `requesting_user`, which Permit's
    /// own MCP server needs; see `docs/permit-compatibility.md`.
    pub permit_mcp_compat: bool,
    /// How large and how long calls may be.
    pub limits: Limits,
    /// Whose pages may use element sessions by cookie and read the answers: origins, such as `https://app.example.com`.
    pub element_origins: Vec<String>,
    /// What `/kong` goes by; none means that it is not served.
    pub kong_routes: Option<KongRoutes>,
    /// How many calls of Permit's REST API a credential may make; none means any number.
    pub rate_limits: Option<RateLimits>,
    /// Ends the answers that go on for ever.
    pub shutdown: CancellationToken,
}

/// What every handler sees.
#[derive(Debug, Clone)]
pub(crate) struct App {
    pub(crate) engine: Engine,
    pub(crate) options: Options,
}

/// Headers of every answer that says nothing else: it is not kept, and its type is not guessed.
const HEADERS: [(HeaderName, &str); 2] = [NO_STORE, NO_SNIFF];
const NO_STORE: (HeaderName, &str) = (http::header::CACHE_CONTROL, "no-store");
const NO_SNIFF: (HeaderName, &str) = (http::header::X_CONTENT_TYPE_OPTIONS, "nosniff");

fn named((name, value): (HeaderName, &'static str)) -> SetResponseHeaderLayer<HeaderValue> {
    SetResponseHeaderLayer::if_not_present(name, HeaderValue::from_static(value))
}

/// What handlers get as state.
pub(crate) type State = axum::extract::State<Arc<App>>;

/// All routes but `/mcp`, which the composition root mounts beside them. Small bodies are read first.
pub fn router(engine: Engine, options: Options) -> Router {
    let limits = options.limits;
    let app = Arc::new(App { engine, options });
    let described = openapi::Routes::default()
        .merge(health::router())
        .merge(pdp::router())
        .merge(authzen::router())
        .merge(permit::router(&app))
        .merge(api::router());
    openapi::described(described, limits.page)
        .merge(ui::router())
        .fallback(error::no_route)
        .method_not_allowed_fallback(error::no_method)
        // From the outside in; one service, as each of its own would be boxed and cloned for every call.
        .layer((
            axum::middleware::map_request(intake::read_small_body),
            TraceLayer::new_for_http().make_span_with(span),
            named(NO_STORE),
            named(NO_SNIFF),
            DefaultBodyLimit::max(limits.body),
            axum::middleware::from_fn(move |request, next| {
                limits::in_time(limits.patience, revision::name(request, next))
            }),
        ))
        .with_state(app)
}

/// The span of a call, without what must not be in a log: queries, and the token of a sign-in link.
fn span(request: &http::Request<axum::body::Body>) -> tracing::Span {
    tracing::debug_span!("http", method = %request.method(), path = logged(request.uri()))
}

fn logged(uri: &http::Uri) -> &str {
    if uri.path().starts_with("/login/") { "/login/…" } else { uri.path() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neither_tokens_nor_queries_are_logged() {
        for (uri, told) in [
            ("/login/secret", "/login/…"),
            ("http://127.0.0.1:7766/login/secret?x=secret", "/login/…"),
            ("/inbox?page=2", "/inbox"),
        ] {
            assert_eq!(logged(&uri.parse().unwrap()), told);
        }
    }
}
