//! What an answer says about asking: how a denial can be asked about, and what became of an approval that was presented.

use super::{
    forms,
    read::{Members, Question},
};
use askfirst_domain::{
    decision::{Allowance, Decision, DenialCause},
    evaluation::{ACT, APPROVAL, Evaluation},
};
use askfirst_engine::{
    EnvScope, Error,
    authzen::{AccessOffer, Honoured, NotHonoured, Presented, REQUESTS},
    check::Explanation,
    decisions::Door,
};
use serde::Serialize;
use utoipa::ToSchema;

/// How many seconds to wait before an approval that is under way is presented again.
const RETRY: u64 = 5;

/// How a denial can be asked about.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AccessRequestOffer)]
pub(super) struct AccessRequest {
    /// Where to submit.
    endpoint: String,
    /// The element through which is asked.
    template: String,
    /// Until when it can be submitted.
    #[schema(format = DateTime)]
    expires_at: String,
    /// To be sent back as it is.
    binding_token: String,
    display: Display,
    /// What a submission says besides, as a JSON Schema.
    request_schema_url: String,
    /// What there is to choose from.
    request_catalogs_url: String,
}

/// For the person who asks.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AccessRequestDisplay)]
struct Display {
    title: String,
    description: String,
}

/// What a denial says besides why.
#[derive(Debug, Default, Serialize, ToSchema)]
#[schema(as = AccessRequestContext)]
pub(super) struct Asking {
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    evaluation_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, format = DateTime)]
    evaluated_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    access_request: Option<AccessRequest>,
    /// After an approval was presented in vain: `request`, `retry` or `none`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    next_action: Option<&'static str>,
    /// Seconds, with `retry`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    retry_after: Option<u64>,
}

/// The approval by which something is allowed.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = HonouredApproval)]
pub(super) struct By {
    id: String,
    #[schema(format = DateTime)]
    approved_until: String,
}

/// A decision and what an answer says about asking.
#[derive(Debug)]
pub(super) struct Settled {
    pub(super) explained: Explanation,
    pub(super) by: Option<By>,
    pub(super) reason: &'static str,
    pub(super) asking: Asking,
}

/// Decides a question, with the approval that it may present.
pub(super) async fn settle(
    scope: &EnvScope,
    question: Question,
    context: &Members,
) -> Result<Settled, Error> {
    let Question { ask, given, evaluation, act } = question;
    let (explained, honoured) = match context.get(APPROVAL) {
        None => (scope.decide_explained(ask, given, Door::AuthZen), None),
        Some(approval) => {
            let presented = Presented(approval.clone());
            scope.decide_approved(ask, given, &evaluation, &presented).await?
        }
    };
    if let Some(Honoured::Allowed { id, until }) = honoured {
        let by = Some(By { id, approved_until: until.to_string() });
        return Ok(Settled { explained, by, reason: APPROVAL, asking: Asking::default() });
    }
    if explained.allow {
        let reason = code(&explained.decision);
        return Ok(Settled { explained, by: None, reason, asking: Asking::default() });
    }
    let why = match honoured {
        Some(Honoured::Not(why)) => Some(why),
        _ => None,
    };
    let offer = match why {
        None | Some(NotHonoured::Expired | NotHonoured::OutOfScope) => {
            scope.offer_access(&evaluation, act.as_ref(), &explained).await?
        }
        Some(_) => None,
    };
    let base = &scope.engine().settings().public_url;
    let (reason, next_action) = next(why, offer.is_some(), &explained);
    let asking = Asking {
        next_action,
        retry_after: (next_action == Some("retry")).then_some(RETRY),
        ..offer.map(|offer| asking(base, offer, &explained, &evaluation)).unwrap_or_default()
    };
    Ok(Settled { explained, by: None, reason, asking })
}

/// The reason's code, and what to do after an approval was presented in vain.
fn next(
    why: Option<NotHonoured>,
    can_be_asked: bool,
    explained: &Explanation,
) -> (&'static str, Option<&'static str>) {
    match why {
        None => (code(&explained.decision), None),
        // What can't be asked for anew is denied by the policy, whatever became of the approval.
        Some(NotHonoured::Expired | NotHonoured::OutOfScope) if !can_be_asked => {
            (NotHonoured::PolicyDenied.as_str(), Some("none"))
        }
        Some(why @ (NotHonoured::Expired | NotHonoured::OutOfScope)) => (why.as_str(), Some("request")),
        Some(why @ NotHonoured::Pending) => (why.as_str(), Some("retry")),
        Some(why @ (NotHonoured::PolicyDenied | NotHonoured::Unverifiable)) => (why.as_str(), Some("none")),
    }
}

fn asking(base: &str, offer: AccessOffer, explained: &Explanation, evaluation: &Evaluation) -> Asking {
    let form = format!("{base}{}/{}", forms::FORMS, offer.template);
    let action = evaluation.action().get("name").and_then(serde_json::Value::as_str).unwrap_or_default();
    let display = Display {
        title: format!("Ask to {action} {}", evaluation.object()),
        description: explained.sentence.clone(),
    };
    Asking {
        evaluation_id: Some(offer.evaluation_id),
        evaluated_at: Some(offer.evaluated_at.to_string()),
        access_request: Some(AccessRequest {
            endpoint: format!("{base}{REQUESTS}"),
            template: offer.template.to_string(),
            expires_at: offer.expires_at.to_string(),
            binding_token: offer.binding_token,
            display,
            request_schema_url: format!("{form}/schema"),
            request_catalogs_url: format!("{form}/catalogs"),
        }),
        ..Asking::default()
    }
}

/// A decision's reason in one word.
fn code(decision: &Decision) -> &'static str {
    match decision {
        Decision::Allow(Allowance::Role(_)) => "role",
        Decision::Allow(Allowance::Rule(_)) => "rule",
        Decision::Deny(denial) => match &denial.cause {
            DenialCause::UnknownUser => "unknown_user",
            DenialCause::UnknownResource => "unknown_resource",
            DenialCause::UnknownAction => "unknown_action",
            DenialCause::UnknownTenant => "unknown_tenant",
            DenialCause::TenantMismatch => "tenant_mismatch",
            DenialCause::NoRole => "no_role",
            DenialCause::Expired { .. } => "role_expired",
            DenialCause::TooDeep { .. } => "too_deep",
            DenialCause::Agent { .. } => "agent",
        },
    }
}

/// Who acts for a subject, by its properties.
pub(super) fn act_of(subject: &Members) -> Option<serde_json::Value> {
    subject.get("properties")?.get(ACT).cloned()
}
