//! Refused calls, as RFC 9457 has them. A denial is no problem: it is an answer.

use crate::error::Failure;
use askfirst_engine::{
    Error,
    authzen::{Reason, Rejection},
};
use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;

/// What a handler answers.
pub(super) type Answer<T> = Result<Json<T>, Problem>;

/// A refused call: its status and one sentence.
#[derive(Debug)]
pub(super) struct Problem {
    status: StatusCode,
    /// What the profile calls it; none where there is nothing more to say than the status and the sentence.
    kind: Option<&'static str>,
    detail: String,
}

/// How the profile's error types begin.
const PROFILE: &str = "urn:openid:authzen:access-request:error:";

#[derive(Serialize)]
struct Details<'a> {
    r#type: String,
    title: &'a str,
    status: u16,
    detail: &'a str,
}

impl Problem {
    /// The call is not what it should be: 400.
    pub(super) fn bad_request(detail: impl Into<String>) -> Self {
        Self { status: StatusCode::BAD_REQUEST, kind: None, detail: detail.into() }
    }

    pub(super) fn status(&self) -> u16 {
        self.status.as_u16()
    }

    pub(super) fn into_detail(self) -> String {
        self.detail
    }
}

impl From<Failure> for Problem {
    fn from(failure: Failure) -> Self {
        let (status, detail) = failure.told();
        Self { status, kind: None, detail: detail.to_owned() }
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        Failure::from(error).into()
    }
}

impl From<Rejection> for Problem {
    fn from(rejection: Rejection) -> Self {
        let (reason, detail) = match rejection {
            Rejection::Other(error) => return error.into(),
            Rejection::Profile(reason, detail) => (reason, detail),
        };
        let (status, kind) = match reason {
            Reason::NotRequestable => (StatusCode::BAD_REQUEST, "not_requestable"),
            Reason::ExpiredDenial => (StatusCode::GONE, "expired_denial"),
            Reason::InvalidDenialBinding => (StatusCode::BAD_REQUEST, "invalid_denial_binding"),
            Reason::DuplicateRequest => (StatusCode::CONFLICT, "duplicate_request"),
            Reason::UnknownTask => (StatusCode::NOT_FOUND, "unknown_task"),
            Reason::TaskExpired => (StatusCode::GONE, "task_expired"),
            Reason::InvalidTaskState => (StatusCode::CONFLICT, "invalid_task_state"),
        };
        Self { status, kind: Some(kind), detail }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let details = Details {
            r#type: self.kind.map_or_else(|| "about:blank".to_owned(), |kind| format!("{PROFILE}{kind}")),
            title: self.status.canonical_reason().unwrap_or("Error"),
            status: self.status(),
            detail: &self.detail,
        };
        let mut response = (self.status, Json(&details)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}
