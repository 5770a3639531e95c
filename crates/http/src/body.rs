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
use serde::{
    Deserializer,
    de::{DeserializeOwned, Visitor},
};
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

pub(crate) fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, BodyError> {
    let text: &[u8] = if bytes.is_empty() { b"{}" } else { bytes };
    let mut reader = serde_json::Deserializer::from_slice(text);
    let read = T::deserialize(Named(&mut reader)).and_then(|read| reader.end().map(|()| read));
    read.map_err(|e| {
        if e.is_data() {
            BodyError::Shape { message: plain(&e.to_string()), kind: "value_error" }
        } else {
            BodyError::Shape { message: format!("The body is not valid JSON: {e}"), kind: "json_invalid" }
        }
    })
}

/// Reads a structure from an object alone. Left to itself, serde takes an array, too, for the members in their order: then a
/// caller who has the shape wrong would be understood by accident.
struct Named<'a, 'de>(&'a mut serde_json::Deserializer<serde_json::de::SliceRead<'de>>);

impl<'de> Deserializer<'de> for Named<'_, 'de> {
    type Error = serde_json::Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        self.0.deserialize_any(visitor)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Self::Error> {
        self.0.deserialize_map(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        self.0.deserialize_option(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Self::Error> {
        self.0.deserialize_newtype_struct(name, visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Self::Error> {
        self.0.deserialize_enum(name, variants, visitor)
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple
        tuple_struct map identifier ignored_any
    }
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
    fn an_array_is_no_object() {
        #[derive(Debug, serde::Deserialize)]
        struct Wish {
            name: Option<String>,
        }
        let told = |text: &str| match parse::<Wish>(text.as_bytes()) {
            Ok(wish) => format!("{:?}", wish.name),
            Err(BodyError::Shape { message, .. }) => message,
            Err(BodyError::TooLarge { .. }) => panic!("{text} is short"),
        };
        assert_eq!(told(r#"{"name": "joe"}"#), r#"Some("joe")"#);
        assert_eq!(told(""), "None");
        for array in ["[null]", r#"["joe"]"#, "[]"] {
            assert!(told(array).starts_with("invalid type: sequence, expected an object"), "{}", told(array));
        }
        assert!(told("{} {}").starts_with("The body is not valid JSON: trailing characters"));
        let many = parse::<Vec<Wish>>(br#"[{"name": "joe"}, {}]"#).map(|wishes| wishes.len());
        assert!(matches!(many, Ok(2)), "{many:?}");
    }

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
