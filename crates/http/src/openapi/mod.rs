//! The API described by itself (OpenAPI 3.1): what a route says about itself where it is written, made whole here.
//!
//! A route is described and served by one line, so that neither can be without the other.

mod complete;
mod families;
mod models;
mod shapes;
mod words;

pub(crate) use shapes::{
    IdShape, KeyShape, NewKeyShape, NewUserKeyShape, NullShape, SettingShape, UserKeyShape, key_or_id, moment,
};
pub(crate) use words::{
    AttributeTypeWord, AuthMechanismWord, ElementTypeWord, InviteStatusWord, LevelWord, MethodWord,
    RequestKindWord, RequestStatusWord, SetKindWord,
};

use crate::{App, error::Failure};
use askfirst_engine::{Error, Kind};
use axum::{
    Router,
    body::Bytes,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use sha2::{Digest as _, Sha256};
use std::sync::{Arc, OnceLock};
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;

/// Where the description is.
const PATH: &str = "/openapi.json";

/// Routes that are described.
pub(crate) type Routes = OpenApiRouter<Arc<App>>;

/// The routes, and what they are, at `/openapi.json`.
pub(crate) fn described(routes: Routes) -> Router<Arc<App>> {
    let (router, api) = routes.split_for_parts();
    let description = Arc::new(Description { api, written: OnceLock::new() });
    router.route(PATH, get(move |headers: HeaderMap| async move { description.answer(&headers) }))
}

/// The description, put into text the first time that somebody asks.
#[derive(Debug)]
struct Description {
    api: OpenApi,
    written: OnceLock<Option<Written>>,
}

#[derive(Debug)]
struct Written {
    text: Bytes,
    tag: HeaderValue,
}

impl Description {
    fn written(&self) -> Option<&Written> {
        let write = || {
            let document = complete::whole(serde_json::to_value(&self.api).ok()?);
            let text = serde_json::to_vec_pretty(&document).ok()?;
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
