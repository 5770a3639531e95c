//! Request bodies: JSON in, or one sentence that says where it is wrong (in the shape of FastAPI's 422, which Permit's
//! clients read).

use axum::{
    Json,
    body::Bytes,
    extract::{FromRequest, Request},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Deserializer, de::DeserializeOwned};
use serde_json::json;

/// A JSON body. An empty body reads as `{}`, so that calls whose members are all optional need none.
#[derive(Debug)]
pub(crate) struct Body<T>(pub(crate) T);

/// A body that does not read.
#[derive(Debug)]
pub(crate) struct BodyError {
    status: StatusCode,
    message: String,
    kind: &'static str,
    place: Vec<String>,
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = BodyError;
    async fn from_request(request: Request, state: &S) -> Result<Self, BodyError> {
        let bytes = Bytes::from_request(request, state).await.map_err(|rejection| BodyError {
            status: rejection.status(),
            message: rejection.body_text(),
            kind: "body",
            place: Vec::new(),
        })?;
        parse(&bytes).map(Self)
    }
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, BodyError> {
    let text: &[u8] = if bytes.is_empty() { b"{}" } else { bytes };
    serde_json::from_slice(text).map_err(|e| {
        let kind = if e.is_data() { "value_error" } else { "json_invalid" };
        let message = if e.is_data() {
            e.to_string()
        } else {
            format!("The body is not valid JSON: {e}")
        };
        BodyError { status: StatusCode::UNPROCESSABLE_ENTITY, message, kind, place: vec!["body".to_owned()] }
    })
}

impl IntoResponse for BodyError {
    fn into_response(self) -> Response {
        let detail = json!([{"loc": self.place, "msg": self.message, "type": self.kind}]);
        (self.status, Json(json!({"detail": detail}))).into_response()
    }
}

/// For members where `null` (clear it) and absent (leave it) differ: `#[serde(default, deserialize_with = "present")]`
/// on an `Option<Option<T>>`.
pub(crate) fn present<'de, D, T>(deserializer: D) -> Result<Option<Option<T>>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    Option::<T>::deserialize(deserializer).map(Some)
}
