//! The API described by itself (OpenAPI 3.1): what a route says about itself where it is written, made whole here.
//!
//! A route is described and served by one line, so that neither can be without the other.

#[expect(dead_code, reason = "these types say how answers look and are never made")]
mod callers;
mod complete;
#[expect(dead_code, reason = "these types say how answers look and are never made")]
mod explained;
mod families;
mod models;
mod parameters;
#[expect(dead_code, reason = "these types say how answers look and are never made")]
mod plans;
mod shapes;
mod tidy;
mod words;

pub(crate) use callers::{AskedByShape, PrincipalShape};
pub(crate) use explained::{ExplanationShape, RequestableShape};
pub(crate) use plans::{AppliedShape, PlanShape, ReplayShape, VerdictShape};
pub(crate) use shapes::{
    IdShape, KeyShape, NewKeyShape, NewUserKeyShape, NullShape, SettingShape, UserKeyShape, key_or_id, moment,
};
pub(crate) use words::{
    AttributeTypeWord, AuthMechanismWord, ElementTypeWord, InviteStatusWord, LevelWord, MethodWord,
    RequestKindWord, RequestStatusWord, SetKindWord,
};

use crate::{App, error::Failure, reference};
use askfirst_engine::{Error, Kind};
use axum::{
    Router,
    body::Bytes,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use std::sync::{Arc, OnceLock};
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;

/// Where the description is.
const PATH: &str = "/openapi.json";

/// Routes that are described.
pub(crate) type Routes = OpenApiRouter<Arc<App>>;

/// The routes, and what they are, at `/openapi.json`. `largest_page` is what the operator allows.
pub(crate) fn described(routes: Routes, largest_page: u32) -> Router<Arc<App>> {
    let (router, api) = routes.split_for_parts();
    let description = Arc::new(Description { api, largest_page, written: OnceLock::new() });
    let pages = reference::router(Arc::clone(&description));
    let router = router.merge(pages);
    router.route(PATH, get(move |headers: HeaderMap| async move { description.answer(&headers) }))
}

/// The description, put into text the first time that somebody asks.
#[derive(Debug)]
pub(crate) struct Description {
    api: OpenApi,
    largest_page: u32,
    written: OnceLock<Option<Written>>,
}

#[derive(Debug)]
struct Written {
    text: Bytes,
    tag: HeaderValue,
}

impl Description {
    /// All of it. Nothing but null when it can't be written, which is a fault of ours.
    pub(crate) fn document(&self) -> Value {
        complete::whole(serde_json::to_value(&self.api).unwrap_or_default(), self.largest_page)
    }

    fn written(&self) -> Option<&Written> {
        let write = || {
            let text = serde_json::to_vec_pretty(&self.document()).ok()?;
            let tag = format!("\"{}\"", hex::encode(Sha256::digest(&text)));
            Some(Written { text: text.into(), tag: tag.try_into().ok()? })
        };
        self.written.get_or_init(write).as_ref()
    }

    fn answer(&self, headers: &HeaderMap) -> Response {
        let Some(written) = self.written() else {
            return Failure::from(Error::new(Kind::Internal, "The description can't be written."))
                .into_response();
        };
        let named = [
            (header::ETAG, written.tag.clone()),
            (header::CACHE_CONTROL, HeaderValue::from_static("no-cache")),
        ];
        if headers.get(header::IF_NONE_MATCH) == Some(&written.tag) {
            return (StatusCode::NOT_MODIFIED, named).into_response();
        }
        let kind = [(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))];
        (named, kind, written.text.clone()).into_response()
    }
}
