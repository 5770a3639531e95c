//! `/mcp` on the HTTP port: who may knock, and from where.

use super::handler::Handler;
use crate::wire;
use askfirst_domain::principal::Principal;
use askfirst_engine::{Engine, Error, Kind, Result, Secret};
use axum::{
    Json, Router,
    extract::{Request, State},
    middleware::{Next, from_fn_with_state},
    response::{IntoResponse, Response},
};
use http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use rmcp::transport::streamable_http_server::{
    StreamableHttpServerConfig, StreamableHttpService, session::never::NeverSessionManager,
};
use serde_json::json;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// The largest message, in bytes; requests are short.
const MAX_MESSAGE: usize = 1024 * 1024;

/// How `/mcp` is served.
#[derive(Debug, Clone, Default)]
pub struct HttpOptions {
    /// Cancelled when the server stops, so that calls that wait end.
    pub shutdown: CancellationToken,
}

/// The route `/mcp`, without a fallback, to be merged with the other routes of the port.
///
/// Speaks every revision of the protocol that rmcp does. No call depends on an earlier one, in the old revisions either:
/// a server that was restarted goes on where it was, and a session can't be taken over because there is none.
/// Answers on loopback hosts and on the host of the public URL only, so that no page can reach it by renaming a host.
pub fn http_service(engine: Engine, options: HttpOptions) -> Router {
    let public: Option<Uri> = engine.settings().public_url.parse().ok();
    let public_host = public.as_ref().and_then(Uri::host).map(str::to_owned);
    let public_origin = public.as_ref().and_then(origin);
    let loopback = ["localhost", "127.0.0.1", "::1"].map(str::to_owned);
    let loopback_origins = ["http://localhost:*", "http://127.0.0.1:*", "http://[::1]:*"].map(str::to_owned);
    let config = StreamableHttpServerConfig::default()
        .with_legacy_session_mode(false)
        .with_allowed_hosts(loopback.into_iter().chain(public_host))
        .with_allowed_origins(loopback_origins.into_iter().chain(public_origin))
        .enforce_origin_validation()
        .with_max_request_body_bytes(MAX_MESSAGE)
        .with_cancellation_token(options.shutdown);
    let served = engine.clone();
    let service = StreamableHttpService::new(
        move || Ok(Handler::new(served.clone())),
        Arc::new(NeverSessionManager::default()),
        config,
    );
    Router::new().route_service(wire::PATH, service).route_layer(from_fn_with_state(engine, authenticate))
}

/// Scheme, host and port, as browsers send them.
fn origin(url: &Uri) -> Option<String> {
    let (scheme, authority) = (url.scheme_str()?, url.authority()?);
    let default = if scheme == "https" { 443 } else { 80 };
    Some(format!("{scheme}://{}:{}", authority.host(), authority.port_u16().unwrap_or(default)))
}

/// Lets in whoever holds a key, and hands on who that is.
async fn authenticate(State(engine): State<Engine>, mut request: Request, next: Next) -> Response {
    let op = match bearer(request.headers()) {
        Ok(secret) => engine.authenticate(&secret).await,
        Err(error) => return refuse(&error, r#"Bearer realm="askfirst""#),
    };
    match op {
        Ok(op) if matches!(op.principal, Principal::ApiKey { .. } | Principal::Agent { .. }) => {
            request.extensions_mut().insert(op);
            next.run(request).await
        }
        Ok(_) => {
            let error = Error::forbidden(
                "A user's session does not open /mcp; use a key made with `askfirst key create`.",
            );
            refuse(&error, r#"Bearer realm="askfirst", error="insufficient_scope""#)
        }
        Err(error) => refuse(&error, r#"Bearer realm="askfirst", error="invalid_token""#),
    }
}

fn bearer(headers: &HeaderMap) -> Result<Secret> {
    let missing = || {
        Error::new(
            Kind::Unauthenticated,
            "This server wants `Authorization: Bearer KEY`; make a key with `askfirst key create --as USER`.",
        )
    };
    let value = headers.get(header::AUTHORIZATION).and_then(|v| v.to_str().ok()).ok_or_else(missing)?;
    let (scheme, secret) = value.trim().split_once(' ').ok_or_else(missing)?;
    let secret = secret.trim();
    if !scheme.eq_ignore_ascii_case("bearer") || secret.is_empty() {
        return Err(missing());
    }
    Ok(Secret::presented(secret))
}

/// A refusal that both an MCP client and a person can read.
fn refuse(error: &Error, challenge: &'static str) -> Response {
    let status = match error.kind() {
        Kind::Unauthenticated => StatusCode::UNAUTHORIZED,
        Kind::Forbidden => StatusCode::FORBIDDEN,
        Kind::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    };
    if status.is_server_error() {
        tracing::error!(error = ?error, "a call to /mcp could not be authenticated");
        // An error of the protocol without the call's id would leave some clients waiting.
        return (status, error.message().to_owned()).into_response();
    }
    let body = json!({"jsonrpc": "2.0", "id": null, "error": {"code": -32001, "message": error.message()}});
    (status, [(header::WWW_AUTHENTICATE, HeaderValue::from_static(challenge))], Json(body)).into_response()
}
