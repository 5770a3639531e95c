//! Access requests: through an API key for the user that the path names, and through an element session.

use super::request_wire::{
    CancelBody, InElement, ListQuery, Naming, OfElement, OnBehalf, RequestRead, ReviewBody,
};
use super::wire::{Params, Text};
use crate::{State, body::Body, error::Answer, listing::Paginated, openapi::Routes};
use askfirst_domain::request::RequestKind;
use askfirst_engine::requests::{Approve, AskAccess, Decide, Times, Verdict};
use axum::{Json, extract::Path};
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::routes;

const KIND: RequestKind = RequestKind::AccessRequest;
const BY_SERVER: &str = "/v2/facts/{project}/{env}/access_requests/{element}/user/{user}/tenant/{tenant}";
const BY_SESSION: &str = "/v2/elements/{project}/{env}/config/{element}/access_requests";

pub(super) fn router() -> Routes {
    [BY_SERVER, BY_SESSION].into_iter().fold(Routes::default(), |router, base| router.nest(base, routes()))
}

fn routes() -> Routes {
    Routes::default()
        .routes(routes!(list, create))
        .routes(routes!(read))
        .routes(routes!(annotate))
        .routes(routes!(approve))
        .routes(routes!(deny))
        .routes(routes!(cancel))
}

#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = AccessRequestUserCreate)]
struct CreateBody {
    access_request_details: DetailsBody,
    reason: Option<String>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = AccessRequestCreateDetails)]
struct DetailsBody {
    tenant: Text,
    resource: Option<Text>,
    resource_instance: Option<Text>,
    role: Text,
}

/// Ask for a role
#[utoipa::path(
    post, path = "/", request_body = CreateBody,
    responses((
        status = OK, description = "The access request; `existed` says that it was pending already.",
        body = RequestRead
    ))
)]
async fn create(
    OnBehalf(acting): OnBehalf,
    Path(at): Path<InElement>,
    Body(body): Body<CreateBody>,
) -> Answer<Json<RequestRead>> {
    let details = body.access_request_details;
    let ask = AskAccess {
        element: at.element.ident(),
        tenant: details.tenant.ident(),
        resource: details.resource.as_ref().map(Text::ident),
        instance: details.resource_instance.map(|text| text.0),
        role: details.role.ident(),
        reason: body.reason.unwrap_or_default(),
        suggested_reviewers: Vec::new(),
        times: Times::default(),
    };
    let asked = acting.request_access(ask).await?;
    Ok(Json(RequestRead::asked(&acting, &asked)))
}

/// List access requests
#[utoipa::path(
    get, path = "/", params(ListQuery),
    responses((status = OK, description = "A page of access requests.", body = Paginated<RequestRead>))
)]
async fn list(
    app: State,
    OnBehalf(acting): OnBehalf,
    Path(at): Path<InElement>,
    Params(query): Params<ListQuery>,
) -> Answer<Json<Paginated<RequestRead>>> {
    let (page, size) = query.window()?;
    let found = acting.requests(query.narrowed(KIND, &at.element)?, page).await?;
    let naming = Naming::of_lists(&app);
    let data = found.items.iter().map(|view| RequestRead::new(&acting, view, naming)).collect();
    Ok(Json(Paginated::new(data, found.total, size)))
}

/// Read an access request
#[utoipa::path(
    get, path = "/{request}",
    responses((status = OK, description = "The access request.", body = RequestRead))
)]
async fn read(OnBehalf(acting): OnBehalf, Path(at): Path<OfElement>) -> Answer<Json<RequestRead>> {
    let view = acting.request_through(KIND, &at.element.ident(), &at.request.ident()).await?;
    Ok(Json(RequestRead::new(&acting, &view, Naming::ById)))
}

/// Note something on an access request before deciding it
#[utoipa::path(
    patch, path = "/{request}/reviewer", request_body = ReviewBody,
    responses((status = OK, description = "The access request as it is now.", body = RequestRead))
)]
async fn annotate(
    OnBehalf(acting): OnBehalf,
    Path(at): Path<OfElement>,
    Body(body): Body<ReviewBody>,
) -> Answer<Json<RequestRead>> {
    let id = at.request(&acting, KIND).await?;
    let view = acting.annotate(&id, body.role(), body.reviewer_comment).await?;
    Ok(Json(RequestRead::new(&acting, &view, Naming::ById)))
}

/// Approve an access request
///
/// Only a reviewer may, and nobody for themselves.
#[utoipa::path(
    put, path = "/{request}/approve", request_body = ReviewBody,
    responses((status = OK, description = "The access request as it is now.", body = RequestRead))
)]
async fn approve(
    OnBehalf(acting): OnBehalf,
    Path(at): Path<OfElement>,
    Body(body): Body<ReviewBody>,
) -> Answer<Json<RequestRead>> {
    let id = at.request(&acting, KIND).await?;
    let approve = Verdict::Approve(Approve { role: body.role(), ..Approve::default() });
    let view = acting.decide(&id, Decide { approve, comment: body.reviewer_comment }).await?;
    Ok(Json(RequestRead::new(&acting, &view, Naming::ById)))
}

/// Deny an access request
///
/// Only a reviewer may.
#[utoipa::path(
    put, path = "/{request}/deny", request_body = ReviewBody,
    responses((status = OK, description = "The access request as it is now.", body = RequestRead))
)]
async fn deny(
    OnBehalf(acting): OnBehalf,
    Path(at): Path<OfElement>,
    Body(body): Body<ReviewBody>,
) -> Answer<Json<RequestRead>> {
    let id = at.request(&acting, KIND).await?;
    let view = acting.decide(&id, Decide { approve: Verdict::Deny, comment: body.reviewer_comment }).await?;
    Ok(Json(RequestRead::new(&acting, &view, Naming::ById)))
}

/// Take an access request back
///
/// Only who asked may.
#[utoipa::path(
    put, path = "/{request}/cancel", request_body = CancelBody,
    responses((status = OK, description = "The access request as it is now.", body = RequestRead))
)]
async fn cancel(
    OnBehalf(acting): OnBehalf,
    Path(at): Path<OfElement>,
    Body(body): Body<CancelBody>,
) -> Answer<Json<RequestRead>> {
    let id = at.request(&acting, KIND).await?;
    let view = acting.cancel(&id, body.reason).await?;
    Ok(Json(RequestRead::new(&acting, &view, Naming::ById)))
}
