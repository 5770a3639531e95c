//! Reading a small body before anything is answered.
//!
//! A refusal that is sent before the request's body was read (a wrong key, an unknown route) makes the HTTP server close
//! the connection when the body is still on its way, and the client's next request on it fails. So bodies that say they
//! are small are read first; larger ones, and those of unknown length, are read by whoever wants them.

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::Request,
    http::{StatusCode, header::CONTENT_LENGTH},
    middleware::map_request,
};
use std::time::Duration;
use tokio::time::timeout;

/// The largest body that is read first, in bytes: what one caller without a credential can make the server hold.
const SMALL: u64 = 64 * 1024;

/// How long a small body may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// Puts the reading of small bodies in front of the routes. To be the outermost layer.
pub fn read_small_bodies_first(routes: Router) -> Router {
    routes.layer(map_request(read_small_body))
}

/// The call with its body read, when it says that the body is small.
///
/// # Errors
/// When the body breaks off or takes too long.
pub(crate) async fn read_small_body(request: Request) -> Result<Request, StatusCode> {
    let length = request.headers().get(CONTENT_LENGTH).and_then(|v| v.to_str().ok()?.parse::<u64>().ok());
    if !length.is_some_and(|length| (1..=SMALL).contains(&length)) {
        return Ok(request);
    }
    let (parts, body) = request.into_parts();
    match timeout(PATIENCE, to_bytes(body, usize::try_from(SMALL).unwrap_or(usize::MAX))).await {
        Ok(Ok(bytes)) => Ok(Request::from_parts(parts, Body::from(bytes))),
        // The client went away or broke the protocol: nobody is there to read more than this.
        Ok(Err(_)) => Err(StatusCode::BAD_REQUEST),
        Err(_) => Err(StatusCode::REQUEST_TIMEOUT),
    }
}
