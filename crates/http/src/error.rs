//! Errors on the wire, in Permit's shape: `ErrorDetails{id, title, error_code, message}`. Many of them are read by a
//! language model, so the message is one plain sentence.

use askfirst_engine::{Error, Kind};
use axum::{
    Json,
    http::{Method, StatusCode, Uri},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use serde_json::Value;

/// A failed call, as Permit's clients read it.
#[derive(Debug)]
pub(crate) struct Failure {
    status: StatusCode,
    code: &'static str,
    title: &'static str,
    message: String,
    additional_info: Option<Box<Value>>,
}

/// What a handler answers.
pub(crate) type Answer<T> = Result<T, Failure>;

#[derive(Serialize)]
struct ErrorDetails<'a> {
    id: String,
    title: &'a str,
    error_code: &'a str,
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    additional_info: Option<&'a Value>,
}

/// Status, Permit error code and title of a kind.
pub fn problem_of(kind: Kind) -> (StatusCode, &'static str, &'static str) {
    match kind {
        Kind::Unauthenticated => (StatusCode::UNAUTHORIZED, "UNAUTHORIZED", "You are not authenticated"),
        Kind::Forbidden => (StatusCode::FORBIDDEN, "FORBIDDEN_ACCESS", "You are not allowed to do this"),
        Kind::PermissionLevel => {
            (StatusCode::FORBIDDEN, "INVALID_PERMISSION_LEVEL", "Your permission level does not allow this")
        }
        Kind::NotFound => (StatusCode::NOT_FOUND, "NOT_FOUND", "The requested data could not be found"),
        Kind::Duplicate => (StatusCode::CONFLICT, "DUPLICATE_ENTITY", "This already exists"),
        Kind::Conflict => {
            (StatusCode::CONFLICT, "CONCURRENT_OPERATION_DISALLOWED", "The state does not allow this")
        }
        Kind::Invalid => (StatusCode::BAD_REQUEST, "INVALID_INPUT", "The input is not valid"),
        Kind::MissingPermissions => {
            (StatusCode::BAD_REQUEST, "MISSING_PERMISSIONS", "The policy does not know these permissions")
        }
        Kind::PermissionFormat => (
            StatusCode::BAD_REQUEST,
            "INVALID_PERMISSION_FORMAT",
            "The permission is not written as it must be",
        ),
        Kind::Jwks => (
            StatusCode::BAD_REQUEST,
            "INVALID_JWKS_CONFIGURATION",
            "The environment has no keys for front-end logins",
        ),
        Kind::TenantMismatch => (
            StatusCode::BAD_REQUEST,
            "MISMATCH_RESOURCE_INSTANCES_TENANTS",
            "The instances belong to different tenants",
        ),
        Kind::RelationMismatch => {
            (StatusCode::BAD_REQUEST, "MISMATCH_RELATION_TYPE", "The tuple does not fit its relation")
        }
        Kind::TooLarge => {
            (StatusCode::BAD_REQUEST, "PAGINATION_SIZE_OVERREACHED", "This is more than one call may take")
        }
        Kind::Unavailable => (StatusCode::SERVICE_UNAVAILABLE, "UNEXPECTED_ERROR", "Not now"),
        Kind::Internal => {
            (StatusCode::INTERNAL_SERVER_ERROR, "UNEXPECTED_ERROR", "Something failed on our side")
        }
    }
}

impl Failure {
    /// With data besides the sentence.
    pub(crate) fn with_info(error: Error, info: Value) -> Self {
        Self { additional_info: Some(Box::new(info)), ..error.into() }
    }

    /// A body above the limit.
    pub(crate) fn too_large(limit: usize) -> Self {
        let (_, code, title) = problem_of(Kind::Invalid);
        Self {
            status: StatusCode::PAYLOAD_TOO_LARGE,
            code,
            title,
            message: format!("The body may have {} at most.", crate::limits::bytes(limit)),
            additional_info: None,
        }
    }

    /// More calls than the credential may make.
    pub(crate) fn too_many(seconds: u64) -> Self {
        let (_, code, _) = problem_of(Kind::Unavailable);
        Self {
            status: StatusCode::TOO_MANY_REQUESTS,
            code,
            title: "Too many calls",
            message: format!("This credential has made too many calls; send it again in {seconds} seconds."),
            additional_info: None,
        }
    }

    /// The status and the sentence, for routes that have another shape of error.
    pub(crate) fn told(&self) -> (StatusCode, &str) {
        (self.status, &self.message)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let (status, code, title) = problem_of(error.kind());
        if error.kind() == Kind::Internal {
            tracing::error!(error = ?error, "a call failed");
        }
        Self { status, code, title, message: error.message().to_owned(), additional_info: None }
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let details = ErrorDetails {
            id: self.code.to_ascii_lowercase(),
            title: self.title,
            error_code: self.code,
            message: &self.message,
            additional_info: self.additional_info.as_deref(),
        };
        let mut response = (self.status, Json(&details)).into_response();
        if self.status == StatusCode::UNAUTHORIZED {
            response
                .headers_mut()
                .insert(http::header::WWW_AUTHENTICATE, http::HeaderValue::from_static("Bearer"));
        }
        response
    }
}

pub(crate) async fn no_route(uri: Uri) -> Failure {
    Error::new(Kind::NotFound, format!("There is nothing at {}.", uri.path())).into()
}

pub(crate) async fn no_method(method: Method, uri: Uri) -> Failure {
    let (_, code, title) = problem_of(Kind::Invalid);
    Failure {
        status: StatusCode::METHOD_NOT_ALLOWED,
        code,
        title,
        message: format!("{} does not answer to {method}.", uri.path()),
        additional_info: None,
    }
}
