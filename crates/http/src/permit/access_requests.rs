//! Access requests: through an API key for the user that the path names, and through an element session.

use super::request_wire::{
    CancelBody, InElement, ListQuery, Naming, OfElement, OnBehalf, RequestRead, ReviewBody,
};
use super::wire::{Params, Text};
use crate::{App, State, body::Body, error::Answer, listing::Paginated};
use askfirst_domain::request::RequestKind;
use askfirst_engine::requests::{AskAccess, Decide, Verdict};
use axum::{
    Json, Router,
    extract::Path,
    routing::{get, patch, put},
};
use serde::Deserialize;
use std::sync::Arc;

const KIND: RequestKind = RequestKind::AccessRequest;
const BY_SERVER: &str = "/v2/facts/{project}/{env}/access_requests/{element}/user/{user}/tenant/{tenant}";
const BY_SESSION: &str = "/v2/elements/{project}/{env}/config/{element}/access_requests";

pub(super) fn router() -> Router<Arc<App>> {
    [BY_SERVER, BY_SESSION].into_iter().fold(Router::new(), |router, base| router.nest(base, routes()))
}

fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/", get(list).post(create))
        .route("/{request}", get(read))
        .route("/{request}/reviewer", patch(annotate))
        .route("/{request}/approve", put(approve))
        .route("/{request}/deny", put(deny))
        .route("/{request}/cancel", put(cancel))
}

/// `AccessRequestUserCreate`.
#[derive(Debug, Deserialize)]
struct CreateBody {
    access_request_details: DetailsBody,
    reason: Option<String>,
}

/// `AccessRequestCreateDetails`.
#[derive(Debug, Deserialize)]
struct DetailsBody {
    tenant: Text,
    resource: Option<Text>,
    resource_instance: Option<Text>,
    role: Text,
}

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
    };
    let asked = acting.request_access(ask).await?;
    Ok(Json(RequestRead::asked(&acting, &asked)))
}

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

async fn read(OnBehalf(acting): OnBehalf, Path(at): Path<OfElement>) -> Answer<Json<RequestRead>> {
    let view = acting.request_through(KIND, &at.element.ident(), &at.request.ident()).await?;
    Ok(Json(RequestRead::new(&acting, &view, Naming::ById)))
}

async fn annotate(
    OnBehalf(acting): OnBehalf,
    Path(at): Path<OfElement>,
    Body(body): Body<ReviewBody>,
) -> Answer<Json<RequestRead>> {
    let id = at.request(&acting, KIND).await?;
    let view = acting.annotate(&id, body.role(), body.reviewer_comment).await?;
    Ok(Json(RequestRead::new(&acting, &view, Naming::ById)))
}

async fn approve(
    OnBehalf(acting): OnBehalf,
    Path(at): Path<OfElement>,
    Body(body): Body<ReviewBody>,
) -> Answer<Json<RequestRead>> {
    let id = at.request(&acting, KIND).await?;
    let approve = Verdict::Approve { role: body.role() };
    let view = acting.decide(&id, Decide { approve, comment: body.reviewer_comment }).await?;
    Ok(Json(RequestRead::new(&acting, &view, Naming::ById)))
}

async fn deny(
    OnBehalf(acting): OnBehalf,
    Path(at): Path<OfElement>,
    Body(body): Body<ReviewBody>,
) -> Answer<Json<RequestRead>> {
    let id = at.request(&acting, KIND).await?;
    let view = acting.decide(&id, Decide { approve: Verdict::Deny, comment: body.reviewer_comment }).await?;
    Ok(Json(RequestRead::new(&acting, &view, Naming::ById)))
}

async fn cancel(
    OnBehalf(acting): OnBehalf,
    Path(at): Path<OfElement>,
    Body(body): Body<CancelBody>,
) -> Answer<Json<RequestRead>> {
    let id = at.request(&acting, KIND).await?;
    let view = acting.cancel(&id, body.reason).await?;
    Ok(Json(RequestRead::new(&acting, &view, Naming::ById)))
}
