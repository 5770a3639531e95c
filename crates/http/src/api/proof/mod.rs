//! The audit log as a chain: its events, signed heads, receipts, erasing, and the public keys, which are open to everybody.

#[expect(dead_code, reason = "these types say how answers look and are never made")]
mod described;

use crate::{
    State,
    auth::{InEnv, InLog},
    body::Body,
    error::Answer,
    openapi::{IdShape, Routes},
    permit::wire::{Params, Text},
};
use askfirst_domain::{
    audit::{ChainHead, ChainId, Entry, JwkSet, Receipt, SignedHead},
    id::{AuditEventId, RequestId},
};
use askfirst_engine::{Error, Kind};
use axum::{Json, extract::Path};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::routes;
use uuid::Uuid;

/// How many events or heads are given at a time when nobody says otherwise.
const LIMIT: u32 = 500;
/// The most that are given at a time.
const MOST: u32 = 1000;

pub(super) fn router() -> Routes {
    Routes::default()
        .routes(routes!(chain))
        .routes(routes!(heads, sign))
        .routes(routes!(receipts))
        .routes(routes!(receipt))
        .routes(routes!(erase))
        .routes(routes!(keys))
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct After {
    /// The number of the last event that the caller has.
    #[serde(default)]
    #[param(required = false)]
    after: u64,
    limit: Option<u32>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct From {
    /// The number of the first event that is asked for.
    #[serde(default)]
    #[param(required = false)]
    from: u64,
    limit: Option<u32>,
}

fn bounded(limit: Option<u32>) -> Result<u32, Error> {
    match limit.unwrap_or(LIMIT) {
        0 => Err(Error::invalid("`limit` counts from 1.")),
        limit if limit > MOST => {
            Err(Error::new(Kind::TooLarge, format!("`limit` may be {MOST} at most; it was {limit}.")))
        }
        limit => Ok(limit),
    }
}

/// A part of a chain.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AuditChain)]
struct Chain {
    /// The id of the organisation.
    #[schema(value_type = IdShape)]
    installation: Uuid,
    #[schema(value_type = IdShape)]
    env: ChainId,
    /// Oldest first.
    #[schema(value_type = Vec<described::Entry>)]
    events: Vec<Entry>,
    /// Where the chain ended after they were read.
    #[schema(value_type = described::ChainHead)]
    head: ChainHead,
}

/// Events as they are linked, oldest first
///
/// 500 at a time unless said, 1000 at most. A key of the organisation reads the installation's own chain, here and below.
#[utoipa::path(
    get, path = "/api/v1/audit/chain", params(After),
    responses((status = OK, description = "A part of the chain.", body = Chain))
)]
async fn chain(InLog(log): InLog, Params(query): Params<After>) -> Answer<Json<Chain>> {
    let part = log.part(query.after, bounded(query.limit)?).await?;
    let (installation, env) = (part.installation, part.chain);
    Ok(Json(Chain { installation, env, events: part.entries, head: part.head }))
}

/// Signed heads, in their order.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AuditHeads)]
struct Heads {
    #[schema(value_type = Vec<described::SignedHead>)]
    heads: Vec<SignedHead>,
}

/// Signed heads, in their order
///
/// 500 at a time unless said, 1000 at most.
#[utoipa::path(
    get, path = "/api/v1/audit/heads", params(From),
    responses((status = OK, description = "Signed heads.", body = Heads))
)]
async fn heads(InLog(log): InLog, Params(query): Params<From>) -> Answer<Json<Heads>> {
    Ok(Json(Heads { heads: log.signed_heads(query.from, bounded(query.limit)?).await? }))
}

/// Sign where the chain ends now
///
/// A head that is there already is given as it is.
#[utoipa::path(
    post, path = "/api/v1/audit/heads",
    responses((status = OK, description = "The signed head.", body = described::SignedHead))
)]
async fn sign(InLog(log): InLog) -> Answer<Json<SignedHead>> {
    let signed = log.sign().await?;
    let signed = signed.ok_or_else(|| Error::new(Kind::NotFound, "The audit log has no event yet."))?;
    Ok(Json(signed))
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct OfRequest {
    /// The id of a request.
    #[param(value_type = IdShape)]
    request: RequestId,
    /// A code such as `request.approved`, or the part before the dot.
    code: Option<String>,
}

/// Receipts.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AuditReceipts)]
struct Receipts {
    /// The oldest event first.
    #[schema(value_type = Vec<described::Receipt>)]
    receipts: Vec<Receipt>,
}

/// The receipts of what happened to a request
#[utoipa::path(
    get, path = "/api/v1/audit/receipts", params(OfRequest),
    responses((status = OK, description = "The receipts.", body = Receipts))
)]
async fn receipts(InLog(log): InLog, Params(query): Params<OfRequest>) -> Answer<Json<Receipts>> {
    Ok(Json(Receipts { receipts: log.receipts_of(query.request, query.code).await? }))
}

/// The receipt of an event, which proves it with the public key alone
#[utoipa::path(
    get, path = "/api/v1/audit/{id}/receipt",
    params(("id" = IdShape, Path, description = "The id of the event.")),
    responses((status = OK, description = "The receipt.", body = described::Receipt))
)]
async fn receipt(InLog(log): InLog, Path(id): Path<String>) -> Answer<Json<Receipt>> {
    let id: AuditEventId = id
        .parse()
        .map_err(|_| Error::invalid(format!("`{id}` is not the id of an audit event, which is a UUID.")))?;
    Ok(Json(log.receipt(id).await?))
}

/// Whom to erase.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = AuditErase)]
struct EraseBody {
    /// The key or the id of a user, who need not exist any more.
    user: Text,
}

/// What was done.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AuditErased)]
struct Erased {
    /// From how many events something was erased.
    events: u64,
}

/// Erase a user from the log, for good
///
/// The chain and what was signed stay as they are.
#[utoipa::path(
    post, path = "/api/v1/audit/erase", request_body = EraseBody,
    responses((status = OK, description = "How much it was.", body = Erased))
)]
async fn erase(InEnv(scope): InEnv, Body(body): Body<EraseBody>) -> Answer<Json<Erased>> {
    Ok(Json(Erased { events: scope.erase_from_audit(&body.user.0).await? }))
}

/// The public keys with which heads were ever signed
#[utoipa::path(
    get, path = "/.well-known/askfirst-audit-keys.json",
    responses((status = OK, description = "The keys, as RFC 7517 writes them.", body = described::JwkSet))
)]
async fn keys(axum::extract::State(app): State) -> Answer<Json<JwkSet>> {
    Ok(Json(app.engine.audit_keys().await?))
}
