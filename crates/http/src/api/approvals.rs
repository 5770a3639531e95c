//! Asking for one call, spending what was approved, saying what came of it, taking it back.

use super::request::RequestRead;
use crate::{
    auth::InEnv,
    body::Body,
    error::Answer,
    openapi::{IdShape, RequestKindWord, Routes},
    permit::wire::{Moment, Text},
};
use askfirst_domain::{Digest, Key, binding::Call, grant::Outcome, id::RequestId, request::RequestKind};
use askfirst_engine::{
    Acting, EnvScope, Error,
    requests::{AskAccess, AskOperation, Pass, Redeem, Span, Times},
};
use axum::{Json, extract::Path};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;
use utoipa_axum::routes;

pub(super) fn router() -> Routes {
    Routes::default()
        .routes(routes!(create))
        .routes(routes!(redeem))
        .routes(routes!(record))
        .routes(routes!(revoke))
}

#[derive(Debug, Deserialize)]
struct At {
    request: Text,
}

#[derive(Debug, Deserialize)]
struct AtUse {
    request: Text,
    number: u32,
}

/// A wish of one of the environment's users.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewRequest)]
pub(super) struct NewRequestBody {
    /// Who asks: key or id.
    user: Text,
    /// The registered agent that asks for them, as you have authenticated it: key or id. It can't ask for what it may not do
    /// itself, and what is given is for it alone.
    #[serde(default)]
    agent: Option<Text>,
    #[schema(value_type = RequestKindWord)]
    kind: RequestKind,
    element: Text,
    #[serde(default)]
    tenant: Option<Text>,
    #[serde(default)]
    resource: Option<Text>,
    /// `type:key`, key or id.
    #[serde(default)]
    resource_instance: Option<Text>,
    /// Of an access request.
    #[serde(default)]
    role: Option<Text>,
    #[serde(default)]
    reason: String,
    /// Who is to look at it first: keys or ids of users who may decide it, ten at most. It gives them no right that they do not
    /// have; left out, the server suggests the nearest.
    #[serde(default)]
    suggested_reviewers: Vec<Text>,
    /// How long to wait for a decision: `90s`, `30m`, `24h`, `7d`.
    #[serde(default)]
    decide_within: Option<String>,
    /// How long what is given is to last.
    #[serde(default)]
    lasts: Option<String>,
    /// How often an operation approval is to be spent.
    #[serde(default)]
    uses: Option<u32>,
    /// The action or tool of the one call that the approval is for.
    #[serde(default)]
    action: Option<String>,
    #[serde(default)]
    #[schema(value_type = Value, required = false)]
    arguments: Option<Value>,
    #[serde(default)]
    #[schema(value_type = Object, required = false)]
    context: Option<Map<String, Value>>,
}

/// What a body asks for.
pub(super) enum Wish {
    Access(AskAccess),
    Operation(AskOperation),
}

impl NewRequestBody {
    /// Who asks, and through which registered agent.
    pub(super) async fn acting(&self, scope: &EnvScope) -> Answer<Acting> {
        Ok(match &self.agent {
            Some(agent) => scope.bind_registered_agent(&self.user.ident(), &agent.ident()).await?,
            None => scope.act_for(&self.user.ident()).await?,
        })
    }

    /// What it asks for.
    pub(super) fn wish(self) -> Answer<Wish> {
        let times =
            Times { decide_within: span(self.decide_within)?, lasts: span(self.lasts)?, ..Times::default() };
        let element = self.element.ident();
        let tenant = self.tenant.map_or_else(|| "default".into(), |tenant| tenant.ident());
        let resource = self.resource.as_ref().map(Text::ident);
        let instance = self.resource_instance.map(|text| text.0);
        let call = call(self.action, self.arguments, self.context)?;
        let (reason, uses) = (self.reason, self.uses);
        let suggested_reviewers: Vec<_> = self.suggested_reviewers.iter().map(Text::ident).collect();
        match self.kind {
            RequestKind::AccessRequest => {
                if call.is_some() || uses.is_some() {
                    return Err(
                        Error::invalid("A role has no uses and is for no one call; leave them out.").into()
                    );
                }
                let role = self.role.ok_or_else(|| Error::invalid("Name the `role` that is asked for."))?;
                let role = role.ident();
                Ok(Wish::Access(AskAccess {
                    element,
                    tenant,
                    resource,
                    instance,
                    role,
                    reason,
                    suggested_reviewers,
                    times,
                }))
            }
            RequestKind::OperationApproval => {
                if self.role.is_some() {
                    return Err(
                        Error::invalid("An operation approval is for no role; leave `role` out.").into()
                    );
                }
                let ask = AskOperation {
                    element,
                    tenant,
                    resource,
                    instance,
                    reason,
                    suggested_reviewers,
                    times,
                    uses,
                    call,
                };
                Ok(Wish::Operation(ask))
            }
        }
    }
}

/// A call as it is about to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Redeem)]
struct RedeemBody {
    /// Whose approval it is: key or id.
    user: Text,
    /// The agent whose call it is, as you have authenticated it: its key or id, or the id of the API key that it uses; none
    /// when no agent is involved.
    #[serde(default)]
    agent: Option<Text>,
    /// Needed where the approval is for one call, as are its arguments and context.
    #[serde(default)]
    action: Option<String>,
    #[serde(default)]
    #[schema(value_type = Value, required = false)]
    arguments: Option<Value>,
    #[serde(default)]
    #[schema(value_type = Object, required = false)]
    context: Option<Map<String, Value>>,
    /// The digest that you have of the call, compared besides.
    #[serde(default)]
    digest: Option<String>,
}

/// One use, spent. Do what was approved now, once, and say what came of it.
#[derive(Debug, Serialize, ToSchema)]
struct Redeemed {
    #[schema(value_type = IdShape)]
    request: RequestId,
    /// Which use it is, from 1.
    number: u32,
    /// How many uses are left.
    left: Option<u32>,
    #[schema(value_type = Option<String>)]
    digest: Option<Digest>,
    #[schema(value_type = Option<String>)]
    resource_instance: Option<Key>,
    ends_at: Option<Moment>,
    /// The revision at which the policy was asked again.
    revision: String,
}

impl Redeemed {
    fn new(pass: &Pass) -> Self {
        let request = pass.request();
        Self {
            request: request.id,
            number: pass.number(),
            left: request.grant.as_ref().and_then(askfirst_domain::grant::Grant::left),
            digest: pass.digest().cloned(),
            resource_instance: request.instance.as_ref().map(|i| i.key.clone()),
            ends_at: request.grant.as_ref().and_then(|grant| grant.ends_at).map(Moment),
            revision: pass.revision().to_string(),
        }
    }
}

/// What came of a use.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = Outcome)]
enum OutcomeBody {
    Succeeded,
    Failed,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewOutcome)]
struct RecordBody {
    user: Text,
    outcome: OutcomeBody,
    /// In a few words.
    #[serde(default)]
    note: Option<String>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Revocation)]
struct RevokeBody {
    /// Who takes it back: a reviewer of the request, or its requester.
    user: Text,
    #[serde(default)]
    reason: Option<String>,
}

/// Ask for a role, or for leave to do something
///
/// For one of the environment's users. With `action` the approval is for exactly this call: it gives no role, and has to be
/// redeemed.
#[utoipa::path(
    post, path = "/api/v1/requests", request_body = NewRequestBody,
    responses((status = OK, description = "The request; the pending one if the same is asked already.", body = Value))
)]
async fn create(InEnv(scope): InEnv, Body(body): Body<NewRequestBody>) -> Answer<Json<RequestRead>> {
    let acting = body.acting(&scope).await?;
    let asked = match body.wish()? {
        Wish::Access(ask) => acting.request_access(ask).await?,
        Wish::Operation(ask) => acting.request_operation(ask).await?,
    };
    Ok(Json(RequestRead::asked(&acting, &asked)))
}

/// Spend one use of an approval
///
/// In one step it is checked that the approval is there, is not over, was given to this user, through this agent, for this
/// call, and that the policy still allows it; then one use is spent. Whatever the answer is but 200, nothing was spent and
/// the call must not be made.
#[utoipa::path(
    post, path = "/api/v1/operation_approvals/{request}/redeem", request_body = RedeemBody,
    params(("request" = String, Path, description = "The request's id.")),
    responses((status = OK, description = "The use.", body = Redeemed))
)]
async fn redeem(
    InEnv(scope): InEnv,
    Path(at): Path<At>,
    Body(body): Body<RedeemBody>,
) -> Answer<Json<Redeemed>> {
    let acting = scope.act_for(&body.user.ident()).await?;
    let call = call(body.action, body.arguments, body.context)?;
    let agent = body.agent.map(|agent| agent.ident());
    let pass = acting.redeem(&at.request.ident(), &Redeem { call, agent, digest: body.digest }).await?;
    Ok(Json(Redeemed::new(&pass)))
}

/// Say what came of a use
///
/// Once: another outcome afterwards is refused. A use of which nobody says anything stays `unknown`.
#[utoipa::path(
    post, path = "/api/v1/operation_approvals/{request}/uses/{number}", request_body = RecordBody,
    params(
        ("request" = String, Path, description = "The request's id."),
        ("number" = u32, Path, description = "The use's number, from 1.")
    ),
    responses((status = OK, description = "The request.", body = Value))
)]
async fn record(
    InEnv(scope): InEnv,
    Path(at): Path<AtUse>,
    Body(body): Body<RecordBody>,
) -> Answer<Json<RequestRead>> {
    let acting = scope.act_for(&body.user.ident()).await?;
    let outcome = match body.outcome {
        OutcomeBody::Succeeded => Outcome::Succeeded,
        OutcomeBody::Failed => Outcome::Failed,
    };
    let view = acting.record_outcome(&at.request.ident(), at.number, outcome, body.note).await?;
    Ok(Json(RequestRead::new(&acting, &view)))
}

/// Take back what an approval gave
#[utoipa::path(
    post, path = "/api/v1/requests/{request}/revoke", request_body = RevokeBody,
    params(("request" = String, Path, description = "The request's id.")),
    responses((status = OK, description = "The request.", body = Value))
)]
async fn revoke(
    InEnv(scope): InEnv,
    Path(at): Path<At>,
    Body(body): Body<RevokeBody>,
) -> Answer<Json<RequestRead>> {
    let acting = scope.act_for(&body.user.ident()).await?;
    let view = acting.revoke(&at.request.ident(), body.reason).await?;
    Ok(Json(RequestRead::new(&acting, &view)))
}

/// A call, if there is one.
fn call(
    action: Option<String>,
    arguments: Option<Value>,
    context: Option<Map<String, Value>>,
) -> Answer<Option<Call>> {
    match action {
        Some(action) => Ok(Some(Call {
            action,
            arguments: arguments.unwrap_or_else(|| Value::Object(Map::new())),
            context: context.unwrap_or_default(),
        })),
        None if arguments.is_some() || context.is_some() => {
            Err(Error::invalid("Arguments and context belong to an `action`; name it.").into())
        }
        None => Ok(None),
    }
}

pub(super) fn span(text: Option<String>) -> Answer<Option<Span>> {
    let read = text.map(|text| text.parse::<Span>()).transpose();
    Ok(read.map_err(|error| Error::invalid(format!("{error}.")))?)
}
