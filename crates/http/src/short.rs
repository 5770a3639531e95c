//! The short way of the question that is asked most: `POST /allowed`, with nothing out of the ordinary.
//!
//! The same steps as on the long way (the key held against the directory, the question read, decided and noted), without
//! the router and the layers around it, which cost more than the decision. Whatever is not ordinary takes the long way: a
//! body that is large or does not read, a key that this process does not know or that does not open it, a demanded
//! revision, any refusal. So refusals are made in one place, and an answer is the same on both ways
//! (`tests/it/short.rs`).

use crate::{HEADERS, auth, intake, pdp, revision};
use askfirst_engine::{Engine, EnvScope, Secret};
use axum::{
    BoxError, Router,
    body::{Body, Bytes, HttpBody},
    http::{HeaderValue, Method, Request, StatusCode, header, request::Parts},
    response::{IntoResponse as _, Response},
};
use std::{
    convert::Infallible,
    pin::pin,
    task::{Context, Poll, Waker},
};
use tokio::runtime::Handle;
use tokio_util::task::AbortOnDropHandle;
use tower::{Service, ServiceExt as _};
use tracing::level_filters::LevelFilter;

/// The path of the question.
const PATH: &str = "/allowed";

/// All routes, with a short way for one of them.
#[derive(Debug, Clone)]
pub struct Front {
    engine: Engine,
    routes: Router,
    /// Where calls are answered that take longer, or wait.
    common: Handle,
}

impl Front {
    /// Puts the short way in front of routes that have the long one.
    ///
    /// # Panics
    /// Outside of a runtime; the one that this is called in answers what takes longer, wherever connections are held.
    pub fn new(engine: Engine, routes: Router) -> Self {
        Self { engine, routes, common: Handle::current() }
    }

    /// For whoever holds connections.
    pub fn service<B>(
        self,
    ) -> impl Service<Request<B>, Response = Response, Error = Infallible, Future: Send> + Clone
    where
        B: HttpBody<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
    {
        tower::service_fn(move |request| {
            let front = self.clone();
            async move { Ok(front.answer(request).await) }
        })
    }

    /// Answers a call.
    pub async fn answer<B>(self, request: Request<B>) -> Response
    where
        B: HttpBody<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
    {
        if !fits(&request) {
            let request = request.map(Body::new);
            if answers_here(&request) {
                return long_way(self.routes, request).await;
            }
            return elsewhere(&self.common, long_way(self.routes, request)).await;
        }
        let (parts, body) = request.into_parts();
        let bytes = match intake::read(body).await {
            Ok(bytes) => bytes,
            Err(status) => return status.into_response(),
        };
        if let Some(answer) = short_way(&self.engine, &parts, &bytes) {
            return answer;
        }
        let request = Request::from_parts(parts, Body::from(bytes));
        elsewhere(&self.common, long_way(self.routes, request)).await
    }
}

async fn long_way(routes: Router, request: Request<Body>) -> Response {
    match routes.oneshot(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    }
}

/// What is decided from memory, so that it is answered where its connection is held: handing it over takes longer.
const DECISIONS: [&str; 6] =
    [PATH, "/allowed/bulk", "/allowed_url", "/nginx_allowed", "/kong", "/access/v1/evaluation"];

/// Whether a call is answered where its connection is held.
fn answers_here(request: &Request<Body>) -> bool {
    DECISIONS.contains(&request.uri().path())
        && intake::is_small(request.headers())
        && !request.headers().contains_key(revision::AT_LEAST)
}

/// Answers on the common runtime. When the caller goes away, the work ends as it would here.
async fn elsewhere(common: &Handle, work: impl Future<Output = Response> + Send + 'static) -> Response {
    match AbortOnDropHandle::new(common.spawn(work)).await {
        Ok(response) => response,
        Err(ended) if ended.is_panic() => {
            tracing::error!("answering a call broke off");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
        // The process ends.
        Err(_) => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}

/// Whether a call may take the short way. One that is to be traced takes the long one.
fn fits<B>(request: &Request<B>) -> bool {
    request.method() == Method::POST
        && request.uri().path() == PATH
        && intake::is_small(request.headers())
        && !request.headers().contains_key(revision::AT_LEAST)
        && LevelFilter::current() < LevelFilter::DEBUG
}

/// The answer, when nothing has to be waited for and nothing is refused.
fn short_way(engine: &Engine, parts: &Parts, body: &[u8]) -> Option<Response> {
    let scope = at_once(enter(engine, &auth::bearer(parts)?))??;
    // From here on the decision counts and is noted, so nothing may send the call the long way any more.
    let text = pdp::answered(&scope, body)?;
    let mut response = Response::new(Body::from(text));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.extend(HEADERS.map(|(name, value)| (name, HeaderValue::from_static(value))));
    if let Some(value) = revision::written(scope.trail().decided()) {
        headers.insert(revision::REVISION, value);
    }
    Some(response)
}

async fn enter(engine: &Engine, secret: &Secret) -> Option<EnvScope> {
    let op = engine.authenticate(secret).await.ok()?;
    engine.enter_own(op).await.ok()
}

/// What is there without waiting.
fn at_once<T>(future: impl Future<Output = T>) -> Option<T> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(there) => Some(there),
        Poll::Pending => None,
    }
}
