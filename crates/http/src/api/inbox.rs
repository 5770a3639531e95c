//! Requests for the terminal's inbox: the key's holder says for which user.

use crate::{
    App,
    auth::InEnv,
    body::Body,
    error::Answer,
    listing::{PageQuery, Paginated},
    permit::wire::{Moment, Params, Text},
};
use askfirst_domain::{
    Ident, Key, UserKey,
    id::RequestId,
    request::{RequestKind, Status},
};
use askfirst_engine::{
    Acting, EnvScope, Error, Page,
    requests::{Decide, PersonView, RequestQuery, RequestView, Verdict},
};
use axum::{
    Json, Router,
    extract::Path,
    routing::{get, post},
};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

const PER_PAGE: u32 = 30;

pub(super) fn router() -> Router<Arc<App>> {
    Router::new()
        .route("/api/v1/inbox", get(inbox))
        .route("/api/v1/requests", get(list))
        .route("/api/v1/requests/{request}", get(read))
        .route("/api/v1/requests/{request}/approve", post(approve))
        .route("/api/v1/requests/{request}/deny", post(deny))
        .route("/api/v1/requests/{request}/cancel", post(cancel))
}

#[derive(Debug, Deserialize)]
struct ForUser {
    user: Text,
}

impl ForUser {
    async fn acting(&self, scope: &EnvScope) -> Answer<Acting> {
        Ok(scope.act_for(&self.user.ident()).await?)
    }
}

#[derive(Debug, Deserialize)]
struct ListQuery {
    user: Text,
    status: Option<String>,
    page: Option<u32>,
    per_page: Option<u32>,
}

#[derive(Debug, Deserialize)]
struct At {
    request: Text,
}

/// Of the three, each call reads what concerns it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct DecisionBody {
    comment: Option<String>,
    /// The role to give instead of the one that was asked for.
    role: Option<Text>,
    /// Of a cancellation.
    reason: Option<String>,
    /// [`RequestRead::shown`] of what the reviewer saw: when the request has changed since, nothing is decided.
    shown: Option<String>,
}

#[derive(Debug, Serialize)]
struct PersonRead {
    key: UserKey,
    name: String,
    email: Option<String>,
}

impl From<&PersonView> for PersonRead {
    fn from(person: &PersonView) -> Self {
        Self { key: person.key.clone(), name: person.display_name(), email: person.email.clone() }
    }
}

/// A request, in our own words.
#[derive(Debug, Serialize)]
struct RequestRead {
    id: RequestId,
    kind: RequestKind,
    status: Status,
    /// Where it stands, in one sentence.
    sentence: String,
    requester: PersonRead,
    role: Key,
    role_name: String,
    /// What the role permits.
    actions: Vec<String>,
    /// `type:key`, or `tenant KEY`.
    place: String,
    tenant: Key,
    element: Key,
    /// Written by the requester or their agent.
    reason: String,
    reviewer: Option<PersonRead>,
    reviewer_comment: Option<String>,
    reviewed_at: Option<Moment>,
    created_at: Moment,
    updated_at: Moment,
    may_decide: bool,
    may_cancel: bool,
    /// The page on which it is decided.
    url: String,
    /// The digest of all this: a decision that names it holds for exactly this.
    shown: String,
}

impl RequestRead {
    fn new(acting: &Acting, view: &RequestView) -> Self {
        let request = &view.request;
        Self {
            id: request.id,
            kind: request.kind,
            status: request.status,
            sentence: view.sentence(),
            requester: (&view.requester).into(),
            role: request.role.key.clone(),
            role_name: view.gives.role_name.clone(),
            actions: view.gives.actions.clone(),
            place: view.place(),
            tenant: request.tenant.clone(),
            element: request.element_key.clone(),
            reason: request.reason.clone(),
            reviewer: view.reviewer.as_ref().map(PersonRead::from),
            reviewer_comment: request.reviewer_comment.clone(),
            reviewed_at: request.reviewed_at.map(Moment),
            created_at: Moment(request.created_at),
            updated_at: Moment(request.updated_at),
            may_decide: view.rights.decide,
            may_cancel: view.rights.cancel,
            url: acting.confirm_url(request.id),
            shown: view.shown(),
        }
    }
}

async fn inbox(
    InEnv(scope): InEnv,
    Params(query): Params<ListQuery>,
) -> Answer<Json<Paginated<RequestRead>>> {
    let acting = scope.act_for(&query.user.ident()).await?;
    let (offset, limit) = PageQuery { page: query.page, per_page: query.per_page }.window(PER_PAGE)?;
    let found = acting.inbox(Page { offset, limit }).await?;
    let data = found.items.iter().map(|view| RequestRead::new(&acting, view)).collect();
    Ok(Json(Paginated::new(data, found.total, limit)))
}

async fn list(InEnv(scope): InEnv, Params(query): Params<ListQuery>) -> Answer<Json<Paginated<RequestRead>>> {
    let acting = scope.act_for(&query.user.ident()).await?;
    let (offset, limit) = PageQuery { page: query.page, per_page: query.per_page }.window(PER_PAGE)?;
    let status = query.status.as_deref().map(str::parse).transpose().map_err(Error::from)?;
    let narrowed = RequestQuery { status, ..RequestQuery::default() };
    let found = acting.requests(narrowed, Page { offset, limit }).await?;
    let data = found.items.iter().map(|view| RequestRead::new(&acting, view)).collect();
    Ok(Json(Paginated::new(data, found.total, limit)))
}

async fn read(
    InEnv(scope): InEnv,
    Path(at): Path<At>,
    Params(user): Params<ForUser>,
) -> Answer<Json<RequestRead>> {
    let acting = user.acting(&scope).await?;
    let view = acting.request(&at.request.ident()).await?;
    Ok(Json(RequestRead::new(&acting, &view)))
}

async fn approve(
    InEnv(scope): InEnv,
    Path(at): Path<At>,
    Params(user): Params<ForUser>,
    Body(body): Body<DecisionBody>,
) -> Answer<Json<RequestRead>> {
    let role = body.role.as_ref().map(Text::ident);
    decide(&user.acting(&scope).await?, &at.request.ident(), Verdict::Approve { role }, body).await
}

async fn deny(
    InEnv(scope): InEnv,
    Path(at): Path<At>,
    Params(user): Params<ForUser>,
    Body(body): Body<DecisionBody>,
) -> Answer<Json<RequestRead>> {
    decide(&user.acting(&scope).await?, &at.request.ident(), Verdict::Deny, body).await
}

async fn decide(
    acting: &Acting,
    request: &Ident,
    approve: Verdict,
    body: DecisionBody,
) -> Answer<Json<RequestRead>> {
    let decide = Decide { approve, comment: body.comment };
    let view = match body.shown {
        Some(shown) => acting.decide_shown(request, decide, &shown).await?,
        None => acting.decide(request, decide).await?,
    };
    Ok(Json(RequestRead::new(acting, &view)))
}

async fn cancel(
    InEnv(scope): InEnv,
    Path(at): Path<At>,
    Params(user): Params<ForUser>,
    Body(body): Body<DecisionBody>,
) -> Answer<Json<RequestRead>> {
    let acting = user.acting(&scope).await?;
    let view = acting.cancel(&at.request.ident(), body.reason).await?;
    Ok(Json(RequestRead::new(&acting, &view)))
}
