//! `PUT`, `DELETE /api/v1/users/{user}/password`: the password of a human, set and taken away by whoever holds the
//! environment's key.

use crate::{auth::InEnv, body::Body, error::Answer, openapi::Routes};
use askfirst_domain::Ident;
use askfirst_engine::Secret;
use axum::{extract::Path, http::StatusCode};
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::routes;

pub(super) fn router() -> Routes {
    Routes::default().routes(routes!(set, clear))
}

/// Without `Debug`: it is a secret.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewPassword {
    /// 12 to 128 characters, and not the user's own key or e-mail address.
    #[schema(min_length = 12, max_length = 128)]
    password: String,
}

/// Set a user's password
///
/// All sessions of the user in browsers end.
#[utoipa::path(
    put, path = "/api/v1/users/{user}/password", request_body = NewPassword,
    params(("user" = String, Path, description = "The key or id of the user.")),
    responses((status = NO_CONTENT, description = "It is set."))
)]
async fn set(
    InEnv(scope): InEnv,
    Path(user): Path<String>,
    Body(new): Body<NewPassword>,
) -> Answer<StatusCode> {
    scope.set_password(&Ident::new(user), Secret::presented(new.password)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Take a user's password away
///
/// All sessions of the user in browsers end; a sign-in link is the way in to set another password.
#[utoipa::path(
    delete, path = "/api/v1/users/{user}/password",
    params(("user" = String, Path, description = "The key or id of the user.")),
    responses((status = NO_CONTENT, description = "It is gone."))
)]
async fn clear(InEnv(scope): InEnv, Path(user): Path<String>) -> Answer<StatusCode> {
    scope.clear_password(&Ident::new(user)).await?;
    Ok(StatusCode::NO_CONTENT)
}
