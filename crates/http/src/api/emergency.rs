//! What asking would need, without asking; taking something without a decision, and looking at that afterwards.

use super::{
    approvals::{NewRequestBody, Wish},
    request::RequestRead,
};
use crate::{
    auth::InEnv,
    body::Body,
    error::Answer,
    listing::{PageQuery, Paginated},
    openapi::Routes,
    permit::wire::{Moment, Params, Text},
};
use askfirst_domain::{
    UserKey,
    id::RequestId,
    review::{AfterVerdict, Vote},
    terms::Threshold,
};
use askfirst_engine::{
    Page,
    requests::{Foreseen, Foresight},
};
use axum::{Json, extract::Path};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::routes;

const PER_PAGE: u32 = 30;

pub(super) fn router() -> Routes {
    Routes::default().routes(routes!(dry_run)).routes(routes!(take, list)).routes(routes!(look_at))
}

/// What would come of asking.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Foresight)]
struct ForesightRead {
    /// `waits` for reviewers, `pending` (the same is asked already), `approved` or `denied` by a rule at once, or `refused`.
    outcome: &'static str,
    /// The request that is pending.
    #[schema(value_type = Option<String>, required)]
    request: Option<RequestId>,
    /// The rule that would decide.
    #[schema(required)]
    rule: Option<String>,
    /// Why it would be refused.
    #[schema(required)]
    refusal: Option<String>,
    /// Who could review it now.
    #[schema(value_type = Vec<String>)]
    reviewers: Vec<UserKey>,
    /// Who is named, or whom the server would suggest; the first goes first.
    #[schema(value_type = Vec<String>)]
    suggested_reviewers: Vec<UserKey>,
    /// Who would have to agree; one reviewer, when there are none.
    #[schema(value_type = Vec<Object>)]
    thresholds: Vec<Threshold>,
    /// Until when it could be decided.
    #[schema(required)]
    deadline: Option<Moment>,
    /// For how many seconds what is given would last.
    #[schema(required)]
    lasts: Option<u64>,
    #[schema(required)]
    uses: Option<u32>,
    /// Whether the user could take it without a decision.
    break_glass: bool,
}

impl From<Foresight> for ForesightRead {
    fn from(foresight: Foresight) -> Self {
        let (outcome, request, rule, refusal) = match foresight.foreseen {
            Foreseen::Waits => ("waits", None, None, None),
            Foreseen::Pending(request) => ("pending", Some(request), None, None),
            Foreseen::Rule { name, vote: Vote::Approve } => ("approved", None, Some(name), None),
            Foreseen::Rule { name, vote: Vote::Deny } => ("denied", None, Some(name), None),
            Foreseen::Refused(why) => ("refused", None, None, Some(why)),
        };
        Self {
            outcome,
            request,
            rule,
            refusal,
            reviewers: foresight.reviewers,
            suggested_reviewers: foresight.suggested,
            thresholds: foresight.thresholds,
            deadline: foresight.deadline.map(Moment),
            lasts: foresight.lasts.map(askfirst_engine::requests::Span::seconds),
            uses: foresight.uses,
            break_glass: foresight.break_glass,
        }
    }
}

/// See what a request would need
///
/// The body is that of asking. Nothing is written: it is said whether it would wait, and for whom, or what would decide it at once.
#[utoipa::path(
    post, path = "/api/v1/requests/dry-run", request_body = NewRequestBody,
    responses((status = OK, description = "What would come of asking.", body = ForesightRead))
)]
async fn dry_run(InEnv(scope): InEnv, Body(body): Body<NewRequestBody>) -> Answer<Json<ForesightRead>> {
    let acting = body.acting(&scope).await?;
    let foresight = match body.wish()? {
        Wish::Access(ask) => acting.foresee_access(ask).await?,
        Wish::Operation(ask) => acting.foresee_operation(ask).await?,
    };
    Ok(Json(foresight.into()))
}

/// Take something without a decision, in an emergency
///
/// The body is that of asking, with a reason. The element has to allow it to a role that the user holds there. It lasts an hour at
/// most, and somebody looks at it afterwards.
#[utoipa::path(
    post, path = "/api/v1/break-glass", request_body = NewRequestBody,
    responses((status = OK, description = "The request, as it was taken.", body = RequestRead))
)]
async fn take(InEnv(scope): InEnv, Body(body): Body<NewRequestBody>) -> Answer<Json<RequestRead>> {
    let acting = body.acting(&scope).await?;
    let taken = match body.wish()? {
        Wish::Access(ask) => acting.take_access(ask).await?,
        Wish::Operation(ask) => acting.take_operation(ask).await?,
    };
    Ok(Json(RequestRead::asked(&acting, &taken)))
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    /// The key or id of the user who is to look.
    user: Text,
    page: Option<u32>,
    #[param(default = 30)]
    per_page: Option<u32>,
}

/// What was taken in an emergency and waits for this user to look at it
///
/// 30 a page unless said.
#[utoipa::path(
    get, path = "/api/v1/break-glass", params(ListQuery),
    responses((status = OK, description = "A page of requests.", body = Paginated<RequestRead>))
)]
async fn list(InEnv(scope): InEnv, Params(query): Params<ListQuery>) -> Answer<Json<Paginated<RequestRead>>> {
    let acting = scope.act_for(&query.user.ident()).await?;
    let (offset, limit) = PageQuery { page: query.page, per_page: query.per_page }.window(PER_PAGE)?;
    let found = acting.emergencies(Page { offset, limit }).await?;
    let data = found.items.iter().map(|view| RequestRead::new(&acting, view)).collect();
    Ok(Json(Paginated::new(data, found.total, limit)))
}

#[derive(Debug, Deserialize)]
struct At {
    request: Text,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = AfterReview)]
struct LookBody {
    /// Who looks: a reviewer of the request.
    user: Text,
    /// `fine` or `not_fine`.
    #[schema(value_type = String)]
    verdict: AfterVerdict,
    #[serde(default)]
    comment: Option<String>,
}

/// Say afterwards whether it was right
///
/// Once, and never by who took it. It takes nothing away; to do that, revoke it.
#[utoipa::path(
    post, path = "/api/v1/break-glass/{request}/review", request_body = LookBody,
    params(("request" = String, Path, description = "The request's id.")),
    responses((status = OK, description = "The request.", body = RequestRead))
)]
async fn look_at(
    InEnv(scope): InEnv,
    Path(at): Path<At>,
    Body(body): Body<LookBody>,
) -> Answer<Json<RequestRead>> {
    let acting = scope.act_for(&body.user.ident()).await?;
    let view = acting.look_at(&at.request.ident(), body.verdict, body.comment).await?;
    Ok(Json(RequestRead::new(&acting, &view)))
}
