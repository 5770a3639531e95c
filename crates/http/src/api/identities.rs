//! `GET`, `DELETE /api/v1/users/{user}/identities`: who a user is at an OpenID Connect issuer.

use crate::{auth::InEnv, error::Answer, openapi::Routes};
use askfirst_domain::Ident;
use axum::{Json, extract::Path, http::StatusCode};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::routes;

pub(super) fn router() -> Routes {
    Routes::default().routes(routes!(list, unlink))
}

#[derive(Serialize, ToSchema)]
struct Identities {
    data: Vec<Identity>,
}

/// Who a user is at an issuer.
#[derive(Serialize, ToSchema)]
struct Identity {
    /// The issuer's address, as it calls itself.
    issuer: String,
    /// Who it is there: the claim `sub`.
    subject: String,
    #[schema(format = DateTime)]
    linked_at: String,
}

/// Who a user is at an OpenID Connect issuer
///
/// A link is made at the first sign-in, by the e-mail address that the issuer has verified; afterwards the address does not matter.
#[utoipa::path(
    get, path = "/api/v1/users/{user}/identities",
    params(("user" = String, Path, description = "The key or id of the user.")),
    responses((status = OK, body = Identities))
)]
async fn list(InEnv(scope): InEnv, Path(user): Path<String>) -> Answer<Json<Identities>> {
    let found = scope.identities(&Ident::new(user)).await?;
    let data = found.into_iter().map(|one| Identity {
        issuer: one.issuer,
        subject: one.subject,
        linked_at: one.linked_at.to_string(),
    });
    Ok(Json(Identities { data: data.collect() }))
}

/// Take a user's links with OpenID Connect issuers away
///
/// All sessions of the user in browsers end. Whoever signs in next with the user's e-mail address is linked anew.
#[utoipa::path(
    delete, path = "/api/v1/users/{user}/identities",
    params(("user" = String, Path, description = "The key or id of the user.")),
    responses((status = NO_CONTENT, description = "They are gone."))
)]
async fn unlink(InEnv(scope): InEnv, Path(user): Path<String>) -> Answer<StatusCode> {
    scope.unlink_identities(&Ident::new(user)).await?;
    Ok(StatusCode::NO_CONTENT)
}
