//! The revision of an answer, in a header; and calls that demand one, in another.
//!
//! Whoever opens an environment for a call leaves the call's trail here, and the answer names where it ended, also a
//! refusal: that, too, says something about the environment. Answers about no environment have no revision.

use askfirst_domain::RevisionToken;
use askfirst_engine::{EnvScope, Error, Trail};
use axum::{
    extract::Request,
    http::{HeaderMap, HeaderName, HeaderValue, request::Parts},
    middleware::Next,
    response::Response,
};
use std::sync::{Arc, OnceLock};

/// Where an answer stands.
pub(crate) const REVISION: HeaderName = HeaderName::from_static("askfirst-revision");
/// Where it has to stand at least.
pub(crate) const AT_LEAST: HeaderName = HeaderName::from_static("askfirst-at-least");

/// The trail of a call that has opened an environment.
#[derive(Debug, Clone, Default)]
struct Opened(Arc<OnceLock<Answered>>);

/// What the answer is made from.
#[derive(Debug, Clone)]
enum Answered {
    /// The live state and nothing else.
    FromMemory(Trail),
    /// Whatever the store has.
    FromStore(Trail),
}

impl Answered {
    async fn revision(&self) -> Option<RevisionToken> {
        match self {
            Self::FromMemory(trail) => Some(trail.decided()),
            Self::FromStore(trail) => trail.read().await,
        }
    }
}

/// Names the revision of each answer.
pub(crate) async fn name(mut request: Request, next: Next) -> Response {
    let opened = Opened::default();
    request.extensions_mut().insert(opened.clone());
    let mut response = next.run(request).await;
    if let Some(answered) = opened.0.get()
        && let Some(token) = answered.revision().await
        && let Some(value) = written(token)
    {
        response.headers_mut().insert(REVISION, value);
    }
    response
}

/// A revision as a header has it.
pub(crate) fn written(token: RevisionToken) -> Option<HeaderValue> {
    HeaderValue::try_from(token.to_string()).ok()
}

/// Takes an environment into a call that is answered from whatever the store has: waits for the revision that the call
/// demands, and lets the answer name its own.
pub(crate) async fn enter(parts: &Parts, scope: &EnvScope) -> Result<(), Error> {
    take(parts, scope, Answered::FromStore).await
}

/// As [`enter`], for a call that is answered from the live state alone.
pub(crate) async fn enter_deciding(parts: &Parts, scope: &EnvScope) -> Result<(), Error> {
    take(parts, scope, Answered::FromMemory).await
}

async fn take(parts: &Parts, scope: &EnvScope, answered: fn(Trail) -> Answered) -> Result<(), Error> {
    if let Some(token) = demanded(&parts.headers)? {
        scope.at_least(token).await?;
    }
    if let Some(opened) = parts.extensions.get::<Opened>() {
        // A call that opens its environment twice has one answer; what was said first covers it.
        let _ = opened.0.set(answered(scope.trail()));
    }
    Ok(())
}

fn demanded(headers: &HeaderMap) -> Result<Option<&str>, Error> {
    let mut values = headers.get_all(AT_LEAST).iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(Error::invalid(
            "The header askfirst-at-least is there more than once; send one revision.",
        ));
    }
    // What is no text is no token.
    Ok(Some(value.to_str().unwrap_or_default()))
}
