//! `GET /.well-known/jwks.json`: the public keys of the tokens that are signed here. Open to everybody.

use super::{metadata::JWKS, problem::Answer};
use crate::State;
use askfirst_engine::authzen::TokenKey;
use axum::Json;
use serde::Serialize;
use utoipa::ToSchema;

/// The keys, as RFC 7517 writes them.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TokenKeys)]
pub(super) struct Keys {
    #[schema(value_type = Vec<TokenKeyShape>)]
    keys: Vec<TokenKey>,
}

/// An Ed25519 key (RFC 8037).
#[derive(ToSchema)]
#[schema(as = TokenKey)]
#[expect(dead_code, reason = "says how a key looks and is never made")]
struct TokenKeyShape {
    kty: String,
    crv: String,
    alg: String,
    kid: String,
    x: String,
    r#use: String,
}

/// The keys of the tokens that are signed here
///
/// A key signs for a day; it stays here until its last token has ended.
#[utoipa::path(
    get, path = JWKS, responses((status = OK, description = "The public keys.", body = Keys))
)]
pub(super) async fn read(axum::extract::State(app): State) -> Answer<Keys> {
    Ok(Json(Keys { keys: app.engine.token_keys().await? }))
}
