//! Operation approvals, through an element session: `operation_approval` and `approval_management` elements alike.

use super::request_wire::{
    CancelBody, InElement, ListQuery, Naming, OfElement, OnBehalf, RequestRead, ReviewBody,
};
use super::wire::{Params, Text};
use crate::{
    State,
    body::Body,
    error::Answer,
    listing::Paginated,
    openapi::{KeyShape, Routes},
};
use askfirst_domain::{Key, request::RequestKind};
use askfirst_engine::{
    Acting,
    requests::{Approve, AskOperation, Decide, RequestView, Times, Verdict},
};
use axum::{Json, extract::Path};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::routes;

const KIND: RequestKind = RequestKind::OperationApproval;

pub(super) fn router() -> Routes {
    Routes::default().nest("/v2/elements/{project}/{env}/config/{element}/operation_approval", routes())
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
#[schema(as = OperationApprovalUserCreate)]
struct CreateBody {
    access_request_details: DetailsBody,
    reason: Option<String>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = OperationApprovalCreateDetails)]
struct DetailsBody {
    tenant: Text,
    resource: Option<Text>,
    resource_instance: Option<Text>,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OperationApprovalList)]
struct ListRead {
    #[serde(flatten)]
    read: RequestRead,
    requesting_user_email: Option<String>,
    requesting_user_first_name: Option<String>,
    requesting_user_last_name: Option<String>,
    #[schema(value_type = Option<KeyShape>)]
    resource_key: Option<Key>,
    #[schema(value_type = Option<KeyShape>)]
    resource_instance_key: Option<Key>,
}

impl ListRead {
    fn new(acting: &Acting, view: &RequestView, naming: Naming) -> Self {
        Self {
            read: RequestRead::new(acting, view, naming),
            requesting_user_email: view.requester.email.clone(),
            requesting_user_first_name: view.requester.first_name.clone(),
            requesting_user_last_name: view.requester.last_name.clone(),
            resource_key: view.request.resource.clone(),
            resource_instance_key: view.request.instance.as_ref().map(|i| i.key.clone()),
        }
    }
}

/// Ask for an operation to be approved
#[utoipa::path(
    post, path = "/", request_body = CreateBody,
    responses((
        status = OK, description = "The operation approval; `existed` says that it was pending already.",
        body = RequestRead
    ))
)]
async fn create(
    OnBehalf(acting): OnBehalf,
    Path(at): Path<InElement>,
    Body(body): Body<CreateBody>,
) -> Answer<Json<RequestRead>> {
    let details = body.access_request_details;
    let ask = AskOperation {
        element: at.element.ident(),
        tenant: details.tenant.ident(),
        resource: details.resource.as_ref().map(Text::ident),
        instance: details.resource_instance.map(|text| text.0).filter(|text| !text.is_empty()),
        reason: body.reason.unwrap_or_default(),
        suggested_reviewers: Vec::new(),
        times: Times::default(),
        uses: None,
        call: None,
    };
    let asked = acting.request_operation(ask).await?;
    Ok(Json(RequestRead::asked(&acting, &asked)))
}

/// List operation approvals
#[utoipa::path(
    get, path = "/", params(ListQuery),
    responses((status = OK, description = "A page of operation approvals.", body = Paginated<ListRead>))
)]
async fn list(
    app: State,
    OnBehalf(acting): OnBehalf,
    Path(at): Path<InElement>,
    Params(query): Params<ListQuery>,
) -> Answer<Json<Paginated<ListRead>>> {
    let (page, size) = query.window()?;
    let found = acting.requests(query.narrowed(KIND, &at.element)?, page).await?;
    let naming = Naming::of_lists(&app);
    let data = found.items.iter().map(|view| ListRead::new(&acting, view, naming)).collect();
    Ok(Json(Paginated::new(data, found.total, size)))
}

/// Read an operation approval
#[utoipa::path(
    get, path = "/{request}",
    responses((status = OK, description = "The operation approval.", body = RequestRead))
)]
async fn read(OnBehalf(acting): OnBehalf, Path(at): Path<OfElement>) -> Answer<Json<RequestRead>> {
    let view = acting.request_through(KIND, &at.element.ident(), &at.request.ident()).await?;
    Ok(Json(RequestRead::new(&acting, &view, Naming::ById)))
}

/// Note something on an operation approval before deciding it
#[utoipa::path(
    patch, path = "/{request}/reviewer", request_body = ReviewBody,
    responses((status = OK, description = "The operation approval as it is now.", body = RequestRead))
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

/// Approve an operation approval
///
/// Only a reviewer may, and nobody for themselves.
#[utoipa::path(
    put, path = "/{request}/approve", request_body = ReviewBody,
    responses((status = OK, description = "The operation approval as it is now.", body = RequestRead))
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

/// Deny an operation approval
///
/// Only a reviewer may.
#[utoipa::path(
    put, path = "/{request}/deny", request_body = ReviewBody,
    responses((status = OK, description = "The operation approval as it is now.", body = RequestRead))
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

/// Take an operation approval back
///
/// Only who asked may.
#[utoipa::path(
    put, path = "/{request}/cancel", request_body = CancelBody,
    responses((status = OK, description = "The operation approval as it is now.", body = RequestRead))
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
