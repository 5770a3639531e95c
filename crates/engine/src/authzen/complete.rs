//! An approval that is presented with an evaluation: whether it allows it, now.

use super::keys::Purpose;
use crate::{
    EnvScope,
    check::{Ask, Explanation, Given},
    decisions::Door,
    error::Result,
};
use askfirst_domain::{
    Digest, Ident, Timestamp,
    binding::Binding,
    decision::{Decision, DenialCause, Place},
    evaluation::Evaluation,
    grant::GrantState,
    id::RequestId,
    request::{Request, Status},
    task::TaskLink,
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

/// How an approval's id begins.
const ID: &str = "ap_";

/// What a caller presents as `context.approval`.
#[derive(Debug, Clone, PartialEq)]
pub struct Presented(pub Value);

/// Whether an approval allows an evaluation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Honoured {
    Allowed { id: String, until: Timestamp },
    Not(NotHonoured),
}

/// Why an approval allows nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotHonoured {
    /// Its time is over, or it is spent.
    Expired,
    /// It is for another evaluation.
    OutOfScope,
    /// Nobody has decided yet.
    Pending,
    /// It was taken back, or what was asked for can't be had any more.
    PolicyDenied,
    /// It is not one of ours.
    Unverifiable,
}

impl NotHonoured {
    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Expired => "approval_expired",
            Self::OutOfScope => "out_of_scope",
            Self::Pending => "grant_pending",
            Self::PolicyDenied => "policy_denied",
            Self::Unverifiable => "approval_unverifiable",
        }
    }
}

/// An approval's id: 16 random bytes, and the request's id under a mask that they give. Only who has seen it can name it.
pub(super) fn approval_id(request: RequestId, link: &TaskLink) -> Option<String> {
    let random: [u8; 16] = URL_SAFE_NO_PAD.decode(&link.approval).ok()?.try_into().ok()?;
    let masked = mask(random, *request.uuid().as_bytes());
    Some(format!("{ID}{}", URL_SAFE_NO_PAD.encode([random, masked].concat())))
}

fn mask(random: [u8; 16], mut id: [u8; 16]) -> [u8; 16] {
    for (byte, mask) in id.iter_mut().zip(Sha256::digest(random)) {
        *byte ^= mask;
    }
    id
}

fn parse(id: &str) -> Option<(RequestId, String)> {
    let bytes = URL_SAFE_NO_PAD.decode(id.strip_prefix(ID)?).ok()?;
    let (random, masked) = bytes.split_first_chunk::<16>()?;
    let uuid = Uuid::from_bytes(mask(*random, masked.try_into().ok()?));
    Some((RequestId::new(uuid), URL_SAFE_NO_PAD.encode(random)))
}

impl EnvScope {
    /// Answers a question with which an approval is presented, and notes it in the decision log. The policy is asked first; an
    /// approval counts where the policy alone denies.
    ///
    /// # Errors
    /// When the store fails: nothing is allowed then.
    pub async fn decide_approved(
        &self,
        ask: Ask,
        given: Given,
        evaluation: &Evaluation,
        presented: &Presented,
    ) -> Result<(Explanation, Option<Honoured>)> {
        let mut explained = self.explain_with(&ask, &given);
        if explained.allow {
            self.note_explained(ask, given, &explained, Door::AuthZen);
            return Ok((explained, None));
        }
        let honoured = self.honour(evaluation, &explained, presented).await?;
        if let Honoured::Allowed { until, .. } = &honoured {
            explained.allow = true;
            explained.sentence = format!(
                "{} may {} {}: exactly this was approved, until {until}.",
                ask.user,
                ask.action,
                ask.object()
            );
        }
        self.note_explained(ask, given, &explained, Door::AuthZen);
        Ok((explained, Some(honoured)))
    }

    async fn honour(
        &self,
        evaluation: &Evaluation,
        denied: &Explanation,
        presented: &Presented,
    ) -> Result<Honoured> {
        use NotHonoured::{Expired, OutOfScope, Pending, PolicyDenied, Unverifiable};
        let not = |why| Ok(Honoured::Not(why));
        let Some((id, request)) = self.approval(&presented.0).await? else { return not(Unverifiable) };
        if !self.is_in_scope(evaluation, &request).await? {
            return not(OutOfScope);
        }
        let grant = match (request.status, &request.grant) {
            (Status::Approved, Some(grant)) => grant,
            (Status::Pending, _) => return not(Pending),
            _ => return not(Unverifiable),
        };
        match grant.state(self.op.now) {
            GrantState::Active => {}
            GrantState::Ended | GrantState::Spent => return not(Expired),
            GrantState::Revoked => return not(PolicyDenied),
        }
        let place = match &request.instance {
            Some(instance) => Place::Instance(instance.reference()),
            None => Place::Tenant(request.tenant.clone()),
        };
        let could_be_asked = denied.requestable.iter().any(|offered| {
            offered.kind == request.kind
                && offered.element == request.element_key
                && offered.role.role == request.role.key
                && offered.role.at == place
        });
        let by_agent = matches!(
            &denied.decision,
            Decision::Deny(denial) if matches!(denial.cause, DenialCause::Agent { .. })
        );
        match grant.ends_at.filter(|_| could_be_asked && !by_agent) {
            Some(until) => Ok(Honoured::Allowed { id, until }),
            None => not(PolicyDenied),
        }
    }

    /// The request whose approval is presented, if its id is right, and its state when there is one.
    async fn approval(&self, presented: &Value) -> Result<Option<(String, Request)>> {
        let Some(id) = presented.get("id").and_then(Value::as_str) else { return Ok(None) };
        match presented.get("state") {
            None | Some(Value::Null) => {}
            Some(Value::String(state)) => {
                let claims = self.engine.claims(Purpose::Approval, state).await?;
                let fits = |claims: &Map<String, Value>| {
                    let is =
                        |name: &str, value: &str| claims.get(name).and_then(Value::as_str) == Some(value);
                    is("approval_id", id) && is("env", &self.env.id.to_string())
                };
                if !claims.as_ref().is_some_and(fits) {
                    return Ok(None);
                }
            }
            Some(_) => return Ok(None),
        }
        let Some((request, random)) = parse(id) else { return Ok(None) };
        let found = self.engine.store().request(self.env.id, request).await?;
        let ours = |link: &TaskLink| {
            // Digests, so that the time it takes says nothing of what is right.
            Digest::of_bytes(link.approval.as_bytes()) == Digest::of_bytes(random.as_bytes())
        };
        let found = found.map(|found| found.value.at(self.op.now));
        let found = found.filter(|request| request.task.as_ref().is_some_and(ours));
        Ok(found.map(|request| (id.to_owned(), request)))
    }

    /// Whether the evaluation is exactly what was approved, for the same person.
    async fn is_in_scope(&self, evaluation: &Evaluation, request: &Request) -> Result<bool> {
        let Some(binding) = &request.binding else { return Ok(false) };
        let Some(approved) = Evaluation::of_call(&binding.call) else { return Ok(false) };
        let subject = evaluation.subject().get("id").and_then(Value::as_str).unwrap_or_default();
        let user = self.engine.store().user(self.env.id, &Ident::from(subject)).await?;
        let same_person = user
            .is_some_and(|user| user.value.id == request.requester.id && user.value.key.as_str() == subject);
        let now = evaluation.clone().within(approved.members());
        let bound = Binding::new(self.env.id, request.requester.id, binding.agent, now.object(), now.call());
        Ok(same_person && bound.is_ok_and(|bound| bound.digest == binding.digest))
    }
}
