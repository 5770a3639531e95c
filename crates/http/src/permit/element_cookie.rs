//! The cookie `permit_session`: an element session in a browser, beside the bearer token.
//!
//! A browser sends a cookie along whoever made it call, so a call that may change something counts only when it comes from
//! our own origin or from one that the operator has allowed (`serve --element-origin`). Browsers say where such a call comes
//! from; one that says nothing is refused. What an allowed origin may do, its pages may also read (CORS).

use crate::{App, error::Failure};
use askfirst_engine::{Error, Secret};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, header, request::Parts};
use axum_extra::extract::CookieJar;
use std::time::Duration;
use tower_http::cors::CorsLayer;

/// The cookie's name.
const COOKIE: &str = "permit_session";
/// How long a browser may keep what it was told about an origin.
const PREFLIGHT: Duration = Duration::from_mins(10);
const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// The session in a call's cookie.
///
/// # Errors
/// When the call may change something and does not come from an origin that may.
pub(crate) fn presented(parts: &Parts, app: &App) -> Result<Option<Secret>, Failure> {
    let jar = CookieJar::from_headers(&parts.headers);
    let Some(cookie) = jar.get(COOKIE).filter(|cookie| !cookie.value().is_empty()) else { return Ok(None) };
    let safe = matches!(parts.method, Method::GET | Method::HEAD | Method::OPTIONS);
    if !safe && !is_from_here(&parts.headers, app) {
        return Err(Error::forbidden(
            "A call with the cookie permit_session has to come from this server's own pages or from an allowed origin; \
             send the session as a bearer token, or have the origin allowed with `serve --element-origin`.",
        )
        .into());
    }
    Ok(Some(Secret::presented(cookie.value())))
}

/// Whether the browser says that the call comes from our own origin, or from an allowed one.
fn is_from_here(headers: &HeaderMap, app: &App) -> bool {
    match headers.get(header::ORIGIN) {
        Some(origin) => {
            let own = origin_of(&app.engine.settings().public_url);
            origin.to_str().is_ok_and(|origin| {
                own == Some(origin) || app.options.element_origins.iter().any(|allowed| allowed == origin)
            })
        }
        None => headers.get(FETCH_SITE).is_some_and(|site| site == "same-origin"),
    }
}

/// Scheme, host and port of an address.
fn origin_of(url: &str) -> Option<&str> {
    let (scheme, rest) = url.split_once("://")?;
    let host = rest.split('/').next()?;
    url.get(..scheme.len() + 3 + host.len())
}

/// The header that gives a browser its session (or, with an empty token, takes it away). Over plain HTTP, which only a
/// loopback address is meant to be served on, a cookie can't be `Secure`, and then it is sent from our own site alone.
pub(super) fn set(app: &App, token: &str, seconds: u64) -> Result<HeaderValue, Failure> {
    let secure = app.engine.settings().public_url.starts_with("https://");
    let sites = if secure { "None; Secure" } else { "Lax" };
    let text = format!("{COOKIE}={token}; Path=/v2; Max-Age={seconds}; HttpOnly; SameSite={sites}");
    let value = HeaderValue::from_str(&text);
    let mut value = value.map_err(|_| Error::invalid("The session can't be put into a cookie."))?;
    value.set_sensitive(true);
    Ok(value)
}

/// What lets pages of the allowed origins call the routes of element sessions; none when no origin is allowed.
pub(super) fn crossing(app: &App) -> Option<CorsLayer> {
    let origins = app.options.element_origins.iter().filter_map(|origin| HeaderValue::from_str(origin).ok());
    let origins: Vec<HeaderValue> = origins.collect();
    (!origins.is_empty()).then(|| {
        CorsLayer::new()
            .allow_origin(origins)
            .allow_credentials(true)
            .allow_methods([Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE])
            .allow_headers([header::AUTHORIZATION, header::CONTENT_TYPE, crate::revision::AT_LEAST])
            .expose_headers([crate::revision::REVISION])
            .max_age(PREFLIGHT)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_the_beginning_of_an_address() {
        assert_eq!(origin_of("https://a.example:8443/askfirst"), Some("https://a.example:8443"));
        assert_eq!(origin_of("http://127.0.0.1:7766"), Some("http://127.0.0.1:7766"));
        assert_eq!(origin_of("a.example"), None);
    }
}
