//! `GET /api/v1/decisions`: what was decided in the environment, newest first; and one decision.

use crate::{
    auth::InEnv,
    error::Answer,
    openapi::{AskedByShape, IdShape, Routes, VerdictShape},
    permit::wire::{Moment, Params},
};
use askfirst_domain::facts::Attributes;
use askfirst_engine::{
    Error, Kind,
    decisions::{
        AskedBy, DecisionFilter, DecisionId, LeftOut, LoggedDecision, LoggedThing, Missed, Said, mark_text,
        read_mark,
    },
};
use axum::{Json, extract::Path};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::routes;

const LIMIT: u32 = 50;
const MOST: u32 = 1000;

pub(super) fn router() -> Routes {
    Routes::default().routes(routes!(list)).routes(routes!(show))
}

/// What narrows the list. A name that is given twice means one of the two.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Query {
    /// Keys.
    #[serde(default)]
    user: Vec<String>,
    action: Option<String>,
    /// `type`, or `type:key`.
    #[serde(default)]
    resource: Vec<String>,
    tenant: Option<String>,
    #[param(value_type = Option<VerdictShape>)]
    decision: Option<Verdict>,
    from: Option<Moment>,
    to: Option<Moment>,
    revision_from: Option<u64>,
    revision_to: Option<u64>,
    /// 50 unless said.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u32>,
    /// The `next` of the page before.
    cursor: Option<String>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Verdict {
    Allow,
    Deny,
}

impl From<&Query> for DecisionFilter {
    fn from(query: &Query) -> Self {
        let some = |names: &Vec<String>| (!names.is_empty()).then(|| names.clone());
        let things: Vec<LoggedThing> = query.resource.iter().map(|text| thing(text)).collect();
        Self {
            users: some(&query.user),
            action: query.action.clone(),
            things: (!things.is_empty()).then_some(things),
            tenant: query.tenant.clone(),
            allow: query.decision.map(|verdict| matches!(verdict, Verdict::Allow)),
            from: query.from.map(|moment| moment.0),
            to: query.to.map(|moment| moment.0),
            revisions: query.revision_from.unwrap_or(0)..=query.revision_to.unwrap_or(u64::MAX),
        }
    }
}

/// `type`, or `type:key`.
pub(crate) fn thing(text: &str) -> LoggedThing {
    match text.split_once(':') {
        Some((resource, key)) => {
            LoggedThing { resource: resource.to_owned(), instance: Some(key.to_owned()) }
        }
        None => LoggedThing { resource: text.to_owned(), instance: None },
    }
}

/// A page of the decision log.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DecisionPage)]
struct Page {
    decisions: Vec<Entry>,
    /// The `cursor` of the next page; null at the end. A page can be short with more behind it.
    #[schema(required)]
    next: Option<String>,
    /// Decisions of the time that was asked for which are not in the log.
    missed: Vec<Gap>,
}

/// How many decisions of a time are not in the log.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DecisionGap)]
struct Gap {
    from: Moment,
    to: Moment,
    decisions: u64,
}

impl From<Missed> for Gap {
    fn from(missed: Missed) -> Self {
        Self { from: Moment(missed.from), to: Moment(missed.to), decisions: missed.decisions }
    }
}

/// A decision of the log.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = LoggedDecision)]
struct Entry {
    #[schema(value_type = IdShape)]
    id: DecisionId,
    at: Moment,
    allow: bool,
    user: String,
    action: String,
    /// `type:key`, or `type`.
    resource: String,
    /// The tenant that it was decided in.
    tenant: String,
    /// The tenant that the question named.
    #[schema(required)]
    asked_tenant: Option<String>,
    revision: u64,
    #[schema(required)]
    reason: Option<String>,
    /// The decision as `POST /api/v1/check` gives it.
    #[schema(required)]
    trace: Option<Value>,
    #[schema(required)]
    given: Option<Given>,
    /// Why `given` is not there although the call gave something: `too_large` or `redacted`.
    #[schema(required)]
    left_out: Option<&'static str>,
    /// Through which door it was asked, such as `pdp`.
    door: String,
    #[schema(value_type = Option<AskedByShape>, required)]
    asked_by: Option<AskedBy>,
}

/// What the call said besides the names.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DecisionGiven)]
struct Given {
    #[schema(value_type = Object)]
    user_attributes: Attributes,
    #[schema(value_type = Object)]
    resource_attributes: Attributes,
    #[schema(value_type = Object)]
    tenant_attributes: Attributes,
    #[schema(value_type = Object)]
    action_attributes: Attributes,
    #[schema(value_type = Object)]
    context: Attributes,
}

impl From<LoggedDecision> for Entry {
    fn from(logged: LoggedDecision) -> Self {
        let resource = logged.ask.object();
        let (given, left_out) = match logged.given {
            Said::Nothing => (None, None),
            Said::All(given) => (Some(Given::from(*given)), None),
            Said::LeftOut(LeftOut::TooLarge) => (None, Some("too_large")),
            Said::LeftOut(LeftOut::Redacted) => (None, Some("redacted")),
        };
        Self {
            id: logged.id,
            at: Moment(logged.at),
            allow: logged.allow,
            user: logged.ask.user,
            action: logged.ask.action,
            resource,
            tenant: logged.tenant,
            asked_tenant: logged.ask.tenant,
            revision: logged.revision,
            reason: logged.reason,
            trace: logged.trace,
            given,
            left_out,
            door: logged.door,
            asked_by: logged.asked_by,
        }
    }
}

impl From<askfirst_engine::check::Given> for Given {
    fn from(given: askfirst_engine::check::Given) -> Self {
        Self {
            user_attributes: given.user,
            resource_attributes: given.resource,
            tenant_attributes: given.tenant,
            action_attributes: given.action,
            context: given.context,
        }
    }
}

/// What was decided in the environment, newest first
///
/// A name that is given twice means one of the two.
#[utoipa::path(
    get, path = "/api/v1/decisions", params(Query),
    responses((status = OK, description = "A page of decisions.", body = Page))
)]
async fn list(InEnv(scope): InEnv, Params(query): Params<Query>) -> Answer<Json<Page>> {
    let limit = query.limit.unwrap_or(LIMIT);
    if limit == 0 {
        return Err(Error::invalid("`limit` counts from 1.").into());
    }
    if limit > MOST {
        let message = format!("`limit` may be {MOST} at most; it was {limit}.");
        return Err(Error::new(Kind::TooLarge, message).into());
    }
    let before = query.cursor.as_deref().map(read_mark).transpose();
    let before = before.map_err(|_| {
        Error::invalid("The `cursor` can't be read; send the `next` of the page before as it is.")
    })?;
    let page = scope.decisions(&DecisionFilter::from(&query), before, limit).await?;
    Ok(Json(Page {
        decisions: page.decisions.into_iter().map(Entry::from).collect(),
        next: page.next.map(mark_text),
        missed: page.missed.into_iter().map(Gap::from).collect(),
    }))
}

/// One decision
#[utoipa::path(
    get, path = "/api/v1/decisions/{id}",
    params(("id" = IdShape, Path, description = "The id of the decision.")),
    responses((status = OK, description = "The decision.", body = Entry))
)]
async fn show(InEnv(scope): InEnv, Path(id): Path<String>) -> Answer<Json<Entry>> {
    let id: DecisionId = id
        .parse()
        .map_err(|_| Error::invalid(format!("`{id}` is not the id of a decision, which is a UUID.")))?;
    Ok(Json(scope.decision(id).await?.into()))
}
