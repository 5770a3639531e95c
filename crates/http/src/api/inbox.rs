//! Requests for the terminal's inbox: the key's holder says for which user.

use super::{approvals::span, request::RequestRead};
use crate::{
    auth::InEnv,
    body::Body,
    error::Answer,
    listing::{PageQuery, Paginated},
    openapi::{RequestStatusWord, Routes},
    permit::wire::{Params, Text},
};
use askfirst_domain::Ident;
use askfirst_engine::{
    Acting, EnvScope, Error, Page,
    requests::{Approve, Decide, RequestQuery, Verdict},
};
use axum::{Json, extract::Path};
use serde::Deserialize;
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::routes;

const PER_PAGE: u32 = 30;

pub(super) fn router() -> Routes {
    Routes::default()
        .routes(routes!(inbox))
        .routes(routes!(list))
        .routes(routes!(read))
        .routes(routes!(approve))
        .routes(routes!(deny))
        .routes(routes!(cancel))
        .routes(routes!(ask_back))
        .routes(routes!(answer))
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct ForUser {
    /// The key or id of the user for whom it is done.
    user: Text,
}

impl ForUser {
    pub(super) async fn acting(&self, scope: &EnvScope) -> Answer<Acting> {
        Ok(scope.act_for(&self.user.ident()).await?)
    }
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    /// The key or id of the user whose it is.
    user: Text,
    #[param(value_type = Option<RequestStatusWord>)]
    status: Option<String>,
    page: Option<u32>,
    #[param(default = 30)]
    per_page: Option<u32>,
}

#[derive(Debug, Deserialize)]
struct At {
    request: Text,
}

/// Of all of them, each call reads what concerns it.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = RequestDecision)]
struct DecisionBody {
    comment: Option<String>,
    /// The role to give instead of the one that was asked for.
    role: Option<Text>,
    /// A shorter time than was asked for: `30m`.
    lasts: Option<String>,
    /// Other arguments of the call; the approval is for these.
    #[schema(value_type = Value, required = false)]
    arguments: Option<Value>,
    /// Of a cancellation.
    reason: Option<String>,
    /// The `shown` of what the reviewer saw: when the request has changed since, nothing is decided. Required for a request
    /// that is for one call.
    shown: Option<String>,
    /// In whose place the user decides, of those for whom they stand in: a key or id. For themselves where they may, when left away.
    stands_for: Option<Text>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewQuestion)]
struct QuestionBody {
    text: String,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewAnswer)]
struct AnswerBody {
    text: String,
    /// Which question, from 1; the oldest that waits, when left away.
    #[serde(default)]
    number: Option<u32>,
}

/// The requests that wait for this user's decision
///
/// 30 a page unless said.
#[utoipa::path(
    get, path = "/api/v1/inbox", params(ListQuery),
    responses((status = OK, description = "A page of requests.", body = Paginated<RequestRead>))
)]
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

/// The requests that this user may see
///
/// 30 a page unless said.
#[utoipa::path(
    get, path = "/api/v1/requests", params(ListQuery),
    responses((status = OK, description = "A page of requests.", body = Paginated<RequestRead>))
)]
async fn list(InEnv(scope): InEnv, Params(query): Params<ListQuery>) -> Answer<Json<Paginated<RequestRead>>> {
    let acting = scope.act_for(&query.user.ident()).await?;
    let (offset, limit) = PageQuery { page: query.page, per_page: query.per_page }.window(PER_PAGE)?;
    let status = query.status.as_deref().map(str::parse).transpose().map_err(Error::from)?;
    let statuses = status.map(|status| vec![status]);
    let narrowed = RequestQuery { statuses, ..RequestQuery::default() };
    let found = acting.requests(narrowed, Page { offset, limit }).await?;
    let data = found.items.iter().map(|view| RequestRead::new(&acting, view)).collect();
    Ok(Json(Paginated::new(data, found.total, limit)))
}

/// One request, as this user may see it
#[utoipa::path(
    get, path = "/api/v1/requests/{request}", params(ForUser),
    responses((status = OK, description = "The request.", body = RequestRead))
)]
async fn read(
    InEnv(scope): InEnv,
    Path(at): Path<At>,
    Params(user): Params<ForUser>,
) -> Answer<Json<RequestRead>> {
    let acting = user.acting(&scope).await?;
    let view = acting.request(&at.request.ident()).await?;
    Ok(Json(RequestRead::new(&acting, &view)))
}

/// Approve a request
///
/// The user is the reviewer, and never the one who asked. With `shown`, it counts only for what was shown.
#[utoipa::path(
    post, path = "/api/v1/requests/{request}/approve", params(ForUser), request_body = DecisionBody,
    responses((status = OK, description = "The request as it stands now.", body = RequestRead))
)]
async fn approve(
    InEnv(scope): InEnv,
    Path(at): Path<At>,
    Params(user): Params<ForUser>,
    Body(body): Body<DecisionBody>,
) -> Answer<Json<RequestRead>> {
    let role = body.role.as_ref().map(Text::ident);
    let (lasts, arguments) = (span(body.lasts.clone())?, body.arguments.clone());
    let approve = Verdict::Approve(Approve { role, lasts, arguments });
    decide(&user.acting(&scope).await?, &at.request.ident(), approve, body).await
}

/// Deny a request
///
/// The user is the reviewer, and never the one who asked. `comment` is required: the requester and their agent read it.
#[utoipa::path(
    post, path = "/api/v1/requests/{request}/deny", params(ForUser), request_body = DecisionBody,
    responses((status = OK, description = "The request as it stands now.", body = RequestRead))
)]
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
    if body.shown.is_none() && acting.request(request).await?.request.binding.is_some() {
        return Err(Error::invalid(
            "This request is for one call: look at it, and send `shown` as you saw it with your decision.",
        )
        .into());
    }
    let decide = Decide { approve, comment: body.comment }.explained()?;
    let view = match (body.stands_for, body.shown) {
        (Some(other), shown) => acting.decide_for(request, decide, shown.as_deref(), &other.ident()).await?,
        (None, Some(shown)) => acting.decide_shown(request, decide, &shown).await?,
        (None, None) => acting.decide(request, decide).await?,
    };
    Ok(Json(RequestRead::new(acting, &view)))
}

/// Ask the requester something
///
/// The user is a reviewer of the pending request. Whoever waits for the decision is told.
#[utoipa::path(
    post, path = "/api/v1/requests/{request}/questions", params(ForUser), request_body = QuestionBody,
    responses((status = OK, description = "The request as it stands now.", body = RequestRead))
)]
async fn ask_back(
    InEnv(scope): InEnv,
    Path(at): Path<At>,
    Params(user): Params<ForUser>,
    Body(body): Body<QuestionBody>,
) -> Answer<Json<RequestRead>> {
    let acting = user.acting(&scope).await?;
    let view = acting.ask_back(&at.request.ident(), &body.text).await?;
    Ok(Json(RequestRead::new(&acting, &view)))
}

/// Answer a question about a request
///
/// The user is the one who asked for it.
#[utoipa::path(
    post, path = "/api/v1/requests/{request}/answers", params(ForUser), request_body = AnswerBody,
    responses((status = OK, description = "The request as it stands now.", body = RequestRead))
)]
async fn answer(
    InEnv(scope): InEnv,
    Path(at): Path<At>,
    Params(user): Params<ForUser>,
    Body(body): Body<AnswerBody>,
) -> Answer<Json<RequestRead>> {
    let acting = user.acting(&scope).await?;
    let view = acting.answer(&at.request.ident(), body.number, &body.text).await?;
    Ok(Json(RequestRead::new(&acting, &view)))
}

/// Take a request back
#[utoipa::path(
    post, path = "/api/v1/requests/{request}/cancel", params(ForUser), request_body = DecisionBody,
    responses((status = OK, description = "The request as it stands now.", body = RequestRead))
)]
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
