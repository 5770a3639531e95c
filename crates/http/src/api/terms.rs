//! `/api/v1/elements/{element}/terms`: how long requests wait, who has to agree, what approvals give; without a policy file.

use crate::{auth::InEnv, body::Body, error::Answer, openapi::Routes, permit::wire::Text};
use askfirst_domain::terms::Terms;
use axum::{Json, extract::Path};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::routes;

pub(super) fn router() -> Routes {
    Routes::default().routes(routes!(read, write))
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
struct At {
    /// The element's key or id.
    #[param(value_type = String)]
    element: Text,
}

/// Read the terms of an element
///
/// What is not in them is the server's to say.
#[utoipa::path(
    get, path = "/api/v1/elements/{element}/terms", params(At),
    responses((status = OK, description = "The terms.", body = Object))
)]
async fn read(InEnv(scope): InEnv, Path(at): Path<At>) -> Answer<Json<Terms>> {
    Ok(Json(scope.element(&at.element.ident())?.terms.clone()))
}

/// Set the terms of an element
///
/// The body is the whole of them, as `terms` of an element in a policy file: what it does not name is the server's to say
/// again. They hold for pending requests, too.
#[utoipa::path(
    put, path = "/api/v1/elements/{element}/terms", params(At), request_body = Object,
    responses((status = OK, description = "The terms as they are now.", body = Object))
)]
async fn write(InEnv(scope): InEnv, Path(at): Path<At>, Body(terms): Body<Terms>) -> Answer<Json<Terms>> {
    Ok(Json(scope.set_terms(&at.element.ident(), terms).await?.terms))
}
