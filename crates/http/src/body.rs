//! Request bodies: JSON in, or one sentence that says where it is wrong (in the shape of `FastAPI`'s 422, which Permit's
//! clients read).

use crate::{App, error::Failure};
use axum::{
    Json,
    body::Bytes,
    extract::{FromRequest, Request},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::de::DeserializeOwned;
use serde_json::json;
use std::sync::Arc;

/// A JSON body. An empty body reads as `{}`, so that calls whose members are all optional need none.
#[derive(Debug)]
pub(crate) struct Body<T>(pub(crate) T);

/// A body that does not read.
#[derive(Debug)]
pub(crate) enum BodyError {
    TooLarge { limit: usize },
    Shape { message: String, kind: &'static str },
}

impl<T: DeserializeOwned> FromRequest<Arc<App>> for Body<T> {
    type Rejection = BodyError;
    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, BodyError> {
        let bytes = Bytes::from_request(request, app).await.map_err(|rejection| {
            if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
                BodyError::TooLarge { limit: app.options.limits.body }
            } else {
                BodyError::Shape {
                    message: "The body could not be read to its end.".to_owned(),
                    kind: "body",
                }
            }
        })?;
        parse(&bytes).map(Self)
    }
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, BodyError> {
    let text: &[u8] = if bytes.is_empty() { b"{}" } else { bytes };
    serde_json::from_slice(text).map_err(|e| {
        if e.is_data() {
            BodyError::Shape { message: plain(&e.to_string()), kind: "value_error" }
        } else {
            BodyError::Shape { message: format!("The body is not valid JSON: {e}"), kind: "json_invalid" }
        }
    })
}

/// What serde says, without the names of our types: `expected struct CreateBody` is `expected an object` to a caller.
pub(crate) fn plain(message: &str) -> String {
    if message.starts_with("data did not match any variant") {
        return "A member of the body has none of the shapes that it may have.".to_owned();
    }
    for ours in ["expected struct ", "expected internally tagged enum ", "expected enum "] {
        if let Some((before, after)) = message.split_once(ours) {
            let rest = after.split_once(' ').map(|(_, rest)| format!(" {rest}")).unwrap_or_default();
            return format!("{before}expected an object{rest}");
        }
    }
    message.to_owned()
}

impl IntoResponse for BodyError {
    fn into_response(self) -> Response {
        match self {
            Self::TooLarge { limit } => Failure::too_large(limit).into_response(),
            Self::Shape { message, kind } => {
                let detail = json!([{"loc": ["body"], "msg": message, "type": kind}]);
                (StatusCode::UNPROCESSABLE_ENTITY, Json(json!({"detail": detail}))).into_response()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_type_of_ours_is_named() {
        assert_eq!(
            plain("invalid type: sequence, expected struct CreateBody at line 1 column 0"),
            "invalid type: sequence, expected an object at line 1 column 0"
        );
        assert_eq!(plain("missing field `key` at line 1 column 2"), "missing field `key` at line 1 column 2");
        assert!(!plain("data did not match any variant of untagged enum User").contains("User"));
    }
}
