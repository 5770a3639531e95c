//! `askfirst mcp`: the tools on stdin and stdout, for hosts that start their MCP servers as a process.
//!
//! The bridge knows nothing of the tools: it hands calls to `/mcp` of a running server, under headers that say for whom
//! and where, and hands the answers back. It keeps no state, so a server that was stopped and started again is found
//! again by the next call.

mod error;
mod face;
mod gate;
mod prompt;
mod upstream;

pub use error::BridgeError;
pub use gate::{Ending, Gate, GatedCall, Verdict};
pub use prompt::{TOOL as PERMISSION_PROMPT, run_prompt, run_prompt_on};

use crate::{server::Named, wire};
use askfirst_engine::Secret;
use face::Face;
use http::{HeaderName, HeaderValue};
use rmcp::{ServerHandler, ServiceExt as _, service::ServerInitializeError};
use std::{collections::HashMap, sync::Arc, time::Duration};
use tokio::io::{AsyncRead, AsyncWrite};
use upstream::Upstream;

/// How long a write that was already handed on may take after the host has hung up.
const FAREWELL: Duration = Duration::from_secs(5);

/// What the bridge connects to, and as whom.
#[derive(Debug, Clone)]
pub struct BridgeConfig {
    /// The server, without the path: `http://127.0.0.1:7766`.
    pub url: String,
    pub api_key: Secret,
    pub mode: Mode,
    /// Project and environment, by key or id; needed when the key opens more than one. Both or neither.
    pub project: Option<String>,
    pub env: Option<String>,
    /// What the tools are about; each may be left out where the environment leaves no choice.
    pub tenant: Option<String>,
    pub resource: Option<String>,
    pub access_element: Option<String>,
    pub operation_element: Option<String>,
}

/// For whom the agent acts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mode {
    /// The user that the key itself is bound to (`key create --as USER`).
    ByKey,
    /// This user. The agent asks and waits; it decides nothing.
    As(String),
    /// Whomever the model names in each call; it also decides. Audit events say so.
    TrustUserId,
}

/// Serves on stdin and stdout until the host hangs up. The process must have a rustls provider installed, and must write
/// nothing else to stdout.
///
/// # Errors
/// When the configuration can't be right, or no askfirst answers at the start. A key or a name that the server refuses is
/// logged, and told to the model with each call.
pub async fn run(config: BridgeConfig) -> Result<(), BridgeError> {
    run_on(config, tokio::io::stdin(), tokio::io::stdout()).await
}

/// As [`run`], on any pair of streams.
///
/// # Errors
/// As [`run`].
pub async fn run_on<R, W>(config: BridgeConfig, read: R, write: W) -> Result<(), BridgeError>
where
    R: AsyncRead + Send + Unpin + 'static,
    W: AsyncWrite + Send + Unpin + 'static,
{
    let named = match config.mode {
        Mode::TrustUserId => Named::ByModel,
        Mode::As(_) | Mode::ByKey => Named::ByConnection,
    };
    let upstream = Arc::new(Upstream::new(&config.url, &config.api_key, headers(&config)?)?);
    upstream.connect().await?;
    let face = Face::new(upstream, named);
    let writes = face.writes();
    serve_until_host_leaves(face, (read, write)).await?;
    // The host is gone; what it asked for last is still carried out.
    writes.close();
    if tokio::time::timeout(FAREWELL, writes.wait()).await.is_err() {
        tracing::warn!("a call that the host made last got no answer in time");
    }
    Ok(())
}

async fn serve_until_host_leaves<S, R, W>(served: S, streams: (R, W)) -> Result<(), BridgeError>
where
    S: ServerHandler,
    R: AsyncRead + Send + Unpin + 'static,
    W: AsyncWrite + Send + Unpin + 'static,
{
    match Box::pin(served.serve(streams)).await {
        Ok(running) => {
            running.waiting().await.map_err(|e| BridgeError::Stdio(e.to_string()))?;
            Ok(())
        }
        // The host went away before it had said hello.
        Err(ServerInitializeError::ConnectionClosed(_) | ServerInitializeError::TransportError { .. }) => {
            Ok(())
        }
        Err(other) => Err(BridgeError::Stdio(other.to_string())),
    }
}

/// What every call says besides the key.
fn headers(config: &BridgeConfig) -> Result<HashMap<HeaderName, HeaderValue>, BridgeError> {
    let trust = (config.mode == Mode::TrustUserId).then(|| "true".to_owned());
    let bound = match &config.mode {
        Mode::As(user) => Some(user.clone()),
        Mode::ByKey | Mode::TrustUserId => None,
    };
    let said = [
        (wire::AS, &bound),
        (wire::TRUST_USER_ID, &trust),
        (wire::PROJECT, &config.project),
        (wire::ENV, &config.env),
        (wire::TENANT, &config.tenant),
        (wire::RESOURCE, &config.resource),
        (wire::ACCESS_ELEMENT, &config.access_element),
        (wire::OPERATION_ELEMENT, &config.operation_element),
    ];
    let mut headers = HashMap::new();
    for (name, value) in said {
        let Some(value) = value.as_deref().map(str::trim).filter(|v| !v.is_empty()) else { continue };
        let readable = value.bytes().all(|b| b.is_ascii_graphic()).then_some(value);
        let value = readable.and_then(|v| HeaderValue::from_str(v).ok());
        let value = value.ok_or(BridgeError::Name { header: name })?;
        headers.insert(HeaderName::from_static(name), value);
    }
    Ok(headers)
}
