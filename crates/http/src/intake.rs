//! Reading a small body before anything is answered.
//!
//! A refusal that is sent before the request's body was read (a wrong key, an unknown route) makes the HTTP server close
//! the connection when the body is still on its way, and the client's next request on it fails. So bodies that say they
//! are small are read first; larger ones, and those of unknown length, are read by whoever wants them.

use axum::{
    Router,
    body::{Body, Bytes, HttpBody},
    extract::Request,
    http::{HeaderMap, StatusCode, header::CONTENT_LENGTH},
    middleware::map_request,
};
use std::{future::poll_fn, pin::pin, time::Duration};
use tokio::time::timeout;

/// The largest body that is read first, in bytes: what one caller without a credential can make the server hold.
const SMALL: usize = 64 * 1024;

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
    if !is_small(request.headers()) {
        return Ok(request);
    }
    let (parts, body) = request.into_parts();
    Ok(Request::from_parts(parts, Body::from(read(body).await?)))
}

/// Whether a call says that it has a body, and that it is small.
pub(crate) fn is_small(headers: &HeaderMap) -> bool {
    let length = headers.get(CONTENT_LENGTH).and_then(|v| v.to_str().ok()?.parse::<usize>().ok());
    length.is_some_and(|length| (1..=SMALL).contains(&length))
}

/// A body that is small.
///
/// # Errors
/// When it breaks off or takes too long.
pub(crate) async fn read<B: HttpBody<Data = Bytes>>(body: B) -> Result<Bytes, StatusCode> {
    match timeout(PATIENCE, to_its_end(body)).await {
        Ok(Some(bytes)) => Ok(bytes),
        // The client went away or broke the protocol: nobody is there to read more than this.
        Ok(None) => Err(StatusCode::BAD_REQUEST),
        Err(_) => Err(StatusCode::REQUEST_TIMEOUT),
    }
}

/// All of a body; none when it breaks off, or is larger than it said. Most come in one piece, which is not copied.
async fn to_its_end<B: HttpBody<Data = Bytes>>(body: B) -> Option<Bytes> {
    let mut body = pin!(body);
    let mut first = Bytes::new();
    let mut all = Vec::new();
    while !body.is_end_stream()
        && let Some(frame) = poll_fn(|cx| body.as_mut().poll_frame(cx)).await
    {
        // What is no data are trailers, which nobody reads.
        let Ok(data) = frame.ok()?.into_data() else { continue };
        if first.is_empty() {
            first = data;
            continue;
        }
        if all.is_empty() {
            all.extend_from_slice(&first);
        }
        all.extend_from_slice(&data);
        if all.len() > SMALL {
            return None;
        }
    }
    let whole = if all.is_empty() { first } else { Bytes::from(all) };
    (whole.len() <= SMALL).then_some(whole)
}
