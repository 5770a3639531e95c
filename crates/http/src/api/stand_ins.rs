//! Who reviews in whose place: the key's holder says for which user.

use super::{approvals::span, inbox::ForUser};
use crate::{
    auth::InEnv,
    body::Body,
    error::Answer,
    openapi::{IdShape, Routes, UserKeyShape},
    permit::wire::{Moment, Params, Text},
};
use askfirst_domain::{UserKey, id::DelegationId};
use askfirst_engine::{
    Error,
    requests::{NewStandIn, StandInView, Until},
};
use axum::{Json, extract::Path};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::routes;

pub(super) fn router() -> Routes {
    Routes::default().routes(routes!(list, name)).routes(routes!(withdraw))
}

/// Who reviews in whose place, and when.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = StandIn)]
struct StandInRead {
    #[schema(value_type = IdShape)]
    id: DelegationId,
    /// Who is away.
    #[schema(value_type = UserKeyShape)]
    from: UserKey,
    /// Who reviews in their place.
    #[schema(value_type = UserKeyShape)]
    to: UserKey,
    starts: Moment,
    /// From then on it counts no more.
    ends: Moment,
    /// Whether it counts now.
    holds: bool,
    created_at: Moment,
}

impl From<StandInView> for StandInRead {
    fn from(view: StandInView) -> Self {
        let delegation = view.delegation;
        Self {
            id: delegation.id,
            from: delegation.from.key.clone(),
            to: delegation.to.key.clone(),
            starts: Moment(delegation.starts),
            ends: Moment(delegation.ends),
            holds: view.holds,
            created_at: Moment(delegation.created_at),
        }
    }
}

/// All of them.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = StandIns)]
struct StandInsRead {
    data: Vec<StandInRead>,
}

/// Either `until` or `lasts` is said.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewStandIn)]
struct NewStandInBody {
    /// The key or id of who is to review in the user's place.
    to: Text,
    /// Now, when left away.
    #[serde(default)]
    starts: Option<Moment>,
    #[serde(default)]
    until: Option<Moment>,
    /// How long from the beginning, such as `7d`; 366 days at most.
    #[serde(default)]
    lasts: Option<String>,
}

/// Who stands in for this user, and for whom this user stands in
///
/// Those whose time is over are not among them; the audit log has them.
#[utoipa::path(
    get, path = "/api/v1/stand-ins", params(ForUser),
    responses((status = OK, description = "All of them.", body = StandInsRead))
)]
async fn list(InEnv(scope): InEnv, Params(user): Params<ForUser>) -> Answer<Json<StandInsRead>> {
    let found = user.acting(&scope).await?.stand_ins();
    Ok(Json(StandInsRead { data: found.into_iter().map(Into::into).collect() }))
}

/// Name a stand-in
///
/// While it lasts, they may review what this user may by roles of their own, and it is shown as said in this user's place. It counts
/// once, whoever of the two says it.
#[utoipa::path(
    post, path = "/api/v1/stand-ins", params(ForUser), request_body = NewStandInBody,
    responses((status = OK, description = "The stand-in.", body = StandInRead))
)]
async fn name(
    InEnv(scope): InEnv,
    Params(user): Params<ForUser>,
    Body(body): Body<NewStandInBody>,
) -> Answer<Json<StandInRead>> {
    let until = match (body.until, span(body.lasts)?) {
        (Some(Moment(at)), None) => Until::At(at),
        (None, Some(span)) => Until::After(span),
        _ => return Err(Error::invalid("Say either `until` when, or how long it `lasts`.").into()),
    };
    let new = NewStandIn { to: body.to.ident(), starts: body.starts.map(|Moment(at)| at), until };
    Ok(Json(user.acting(&scope).await?.name_stand_in(new).await?.into()))
}

#[derive(Debug, Deserialize)]
struct At {
    stand_in: Text,
}

/// Withdraw a stand-in
///
/// The user is who named them, or the stand-in. What was said in that place counts no more for what is still undecided.
#[utoipa::path(
    delete, path = "/api/v1/stand-ins/{stand_in}", params(ForUser, ("stand_in" = String, Path, description = "Its id.")),
    responses((status = OK, description = "The stand-in, who is one no more.", body = StandInRead))
)]
async fn withdraw(
    InEnv(scope): InEnv,
    Path(at): Path<At>,
    Params(user): Params<ForUser>,
) -> Answer<Json<StandInRead>> {
    Ok(Json(user.acting(&scope).await?.withdraw_stand_in(&at.stand_in.ident()).await?.into()))
}
