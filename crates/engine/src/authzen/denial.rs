//! What a denial says when it can be asked about, and whether a submission is about it.

use super::{Reason, Rejection, keys::Purpose, submit::Denial};
use crate::{
    EnvScope,
    check::{Explanation, Requestable},
    error::Result,
};
use askfirst_domain::{
    Digest, Ident, Key, Timestamp,
    decision::{Decision, DenialCause, Place},
    evaluation::Evaluation,
    facts::DEFAULT_TENANT,
    id::EnvId,
    request::RequestKind,
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::time::Duration;

/// How long a denial can be asked about.
const ASKABLE: Duration = Duration::from_mins(10);
/// How an evaluation's id begins.
const ID: &str = "ev_";

/// What a denial says about asking.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessOffer {
    pub evaluation_id: String,
    pub evaluated_at: Timestamp,
    /// Until when it can be asked about; a whole second.
    pub expires_at: Timestamp,
    /// A JWS in the compact form.
    pub binding_token: String,
    /// The element through which is asked unless the submission says otherwise.
    pub template: Key,
}

/// A denial that a submission is about.
#[derive(Debug)]
pub(super) struct Proven {
    pub(super) evaluation_id: String,
    /// What was denied, with the members of the context that were bound.
    pub(super) evaluation: Evaluation,
    pub(super) by: Proof,
    /// Who was said to act for the subject.
    pub(super) act: Option<Value>,
}

/// How a denial was proven.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Proof {
    Token,
    Id,
}

/// The claims of a binding token besides issuer and audience.
#[derive(Debug, Deserialize)]
struct Claims {
    env: EnvId,
    exp: i64,
    denial_expires_at: i64,
    evaluation_id: String,
    binding_context_members: Vec<String>,
    #[serde(flatten)]
    evaluation: Evaluation,
    act: Option<Value>,
}

impl EnvScope {
    /// What a denial says about asking; none when it can't be asked about. `act` is `subject.properties.act` of the call.
    ///
    /// # Errors
    /// When the store fails, or nothing can be signed.
    pub async fn offer_access(
        &self,
        evaluation: &Evaluation,
        act: Option<&Value>,
        explained: &Explanation,
    ) -> Result<Option<AccessOffer>> {
        let Some(best) = self.askable(evaluation, explained).await?.into_iter().next() else {
            return Ok(None);
        };
        let Ok(digest) = evaluation.digest() else { return Ok(None) };
        let now = self.op.now;
        let seconds = now.plus(ASKABLE).micros().div_euclid(1_000_000);
        let expires_at = Timestamp::from_micros(seconds.saturating_mul(1_000_000));
        let signer = self.engine.signer().await?;
        let mut random = [0; 16];
        self.engine.entropy().fill(&mut random)?;
        let said = format!("{seconds}.{}.{}", URL_SAFE_NO_PAD.encode(random), signer.id());
        let signature = signer.sign(message(self.env.id, &said, &digest).as_bytes())?;
        let evaluation_id = format!("{ID}{said}.{signature}");
        let ours = &self.engine.settings().public_url;
        let mut claims = Map::from_iter([
            ("iss".to_owned(), json!(ours)),
            ("aud".to_owned(), json!(ours)),
            ("iat".to_owned(), json!(now.micros().div_euclid(1_000_000))),
            ("exp".to_owned(), json!(seconds)),
            ("jti".to_owned(), json!(evaluation_id)),
            ("env".to_owned(), json!(self.env.id)),
            ("denial_expires_at".to_owned(), json!(seconds)),
            ("evaluation_id".to_owned(), json!(evaluation_id)),
            ("binding_context_members".to_owned(), evaluation.members().collect()),
        ]);
        if let Value::Object(members) = json!(evaluation) {
            claims.extend(members);
        }
        claims.extend(act.map(|act| ("act".to_owned(), act.clone())));
        let binding_token = signer.token(Purpose::Binding, &claims)?;
        let template = best.element;
        Ok(Some(AccessOffer { evaluation_id, evaluated_at: now, expires_at, binding_token, template }))
    }

    /// What can be asked for so that a denial would not be one: there is somebody who could decide it, the place is there, and
    /// the subject belongs to its tenant.
    pub(super) async fn askable(
        &self,
        evaluation: &Evaluation,
        explained: &Explanation,
    ) -> Result<Vec<Requestable>> {
        let Decision::Deny(denial) = &explained.decision else { return Ok(Vec::new()) };
        // What an agent may not do itself, no approval of its human's wish lets it do.
        let helps = !matches!(denial.cause, DenialCause::UnknownUser | DenialCause::Agent { .. });
        if !helps || evaluation.call().check().is_err() {
            return Ok(Vec::new());
        }
        let mut askable = Vec::new();
        for requestable in &explained.requestable {
            if !requestable.reviewers.is_empty()
                && let Some(tenant) = self.tenant_of(requestable, evaluation)
                && self.belongs(evaluation, &tenant).await?
            {
                askable.push(requestable.clone());
            }
        }
        Ok(askable)
    }

    /// In which tenant something is asked for; none where there is nothing to ask about.
    pub(crate) fn tenant_of(&self, requestable: &Requestable, evaluation: &Evaluation) -> Option<String> {
        let named = || {
            let properties = evaluation.resource().get("properties").and_then(|all| all.get("tenant"));
            properties.and_then(Value::as_str).unwrap_or(DEFAULT_TENANT).to_owned()
        };
        match &requestable.role.at {
            Place::Tenant(tenant) => Some(tenant.to_string()),
            Place::Instance(at) => {
                let state = self.state();
                let known = state.snapshot.instance_tenant(at.resource.as_str(), at.key.as_str());
                match (known, requestable.kind) {
                    (Some(tenant), _) => Some(tenant.to_string()),
                    // Made with the request.
                    (None, RequestKind::OperationApproval) => Some(named()),
                    (None, RequestKind::AccessRequest) => None,
                }
            }
        }
    }

    async fn belongs(&self, evaluation: &Evaluation, tenant: &str) -> Result<bool> {
        if tenant == DEFAULT_TENANT {
            return Ok(true);
        }
        let (store, env) = (self.engine.store(), self.env.id);
        let subject = evaluation.subject().get("id").and_then(Value::as_str).unwrap_or_default();
        let user = store.user(env, &Ident::from(subject)).await?;
        let found = store.tenant(env, &Ident::from(tenant)).await?;
        match (user, found) {
            (Some(user), Some(found)) => self.is_member(user.value.id, found.value.id, tenant).await,
            _ => Ok(false),
        }
    }

    /// Whether a submission is about a denial of ours: `given` is what was submitted, with the whole context.
    pub(super) async fn prove(&self, denial: &Denial, given: Evaluation) -> Result<Proven, Rejection> {
        match (&denial.binding_token, &denial.evaluation_id) {
            (Some(token), id) => self.prove_by_token(denial, token, id.as_deref(), given).await,
            (None, Some(id)) => self.prove_by_id(id, given).await,
            (None, None) => Err(Rejection::binding(
                "The denial has neither `binding_token` nor `evaluation_id`; send back what the evaluation answered.",
            )),
        }
    }

    async fn prove_by_token(
        &self,
        denial: &Denial,
        token: &str,
        id: Option<&str>,
        given: Evaluation,
    ) -> Result<Proven, Rejection> {
        let claims = self.engine.claims(Purpose::Binding, token).await?;
        let claims = claims.and_then(|claims| Claims::deserialize(Value::Object(claims)).ok());
        let claims = claims.filter(|claims| claims.env == self.env.id).ok_or_else(|| {
            Rejection::binding(
                "The `binding_token` is not one of this environment's; evaluate again and send what is answered.",
            )
        })?;
        let denial_ends = seconds(claims.denial_expires_at);
        if denial.expires_at != denial_ends {
            return Err(Rejection::binding(format!(
                "The denial's `expires_at` is not {denial_ends}, as the evaluation said; send it back unchanged."
            )));
        }
        if id.is_some_and(|id| id != claims.evaluation_id) {
            return Err(Rejection::binding("The `evaluation_id` is not that of the `binding_token`."));
        }
        self.in_time(denial_ends.min(seconds(claims.exp)))?;
        let given = given.within(claims.binding_context_members.iter().map(String::as_str));
        if let Some(place) = claims.evaluation.difference(&given) {
            return Err(Rejection::binding(format!(
                "`{place}` differs from what was evaluated; submit what was denied, or evaluate again."
            )));
        }
        let Claims { evaluation_id, evaluation, act, .. } = claims;
        Ok(Proven { evaluation_id, evaluation, by: Proof::Token, act })
    }

    async fn prove_by_id(&self, id: &str, given: Evaluation) -> Result<Proven, Rejection> {
        let foreign = || {
            Rejection::binding(
                "The `evaluation_id` is not one of this environment's, or what is submitted differs from what was evaluated; \
                 submit what was denied, or evaluate again.",
            )
        };
        let digest = given.digest().map_err(|_| foreign())?;
        let (said, signature) = id.strip_prefix(ID).and_then(|id| id.rsplit_once('.')).ok_or_else(foreign)?;
        let mut parts = said.split('.');
        let ends: i64 = parts.next().and_then(|text| text.parse().ok()).ok_or_else(foreign)?;
        let key = parts.nth(1).ok_or_else(foreign)?;
        let signed = message(self.env.id, said, &digest);
        if !self.engine.signed(key, signed.as_bytes(), signature).await? {
            return Err(foreign());
        }
        // What was signed counts, whatever is said besides.
        self.in_time(seconds(ends))?;
        Ok(Proven { evaluation_id: id.to_owned(), evaluation: given, by: Proof::Id, act: None })
    }

    fn in_time(&self, ends: Timestamp) -> Result<(), Rejection> {
        if self.op.now < ends {
            return Ok(());
        }
        Err(Rejection::new(
            Reason::ExpiredDenial,
            format!(
                "This denial could be asked about until {ends}; evaluate again and submit what is answered."
            ),
        ))
    }
}

fn message(env: EnvId, said: &str, digest: &Digest) -> String {
    format!("askfirst.evaluation.v1\n{env}\n{said}\n{digest}\n")
}

fn seconds(whole: i64) -> Timestamp {
    Timestamp::from_micros(whole.saturating_mul(1_000_000))
}
