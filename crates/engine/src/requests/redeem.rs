//! Spending an approval: the one place where a [`Pass`] is made.

use super::{RequestView, comment, delivery};
use crate::{
    Acting, LiveState, agents,
    commit::{Draft, Outcome as Written, Tries},
    error::{Error, Result},
};
use askfirst_domain::{
    Digest, Ident, RevisionToken,
    binding::{Binding, Call, agent_of},
    change::{Change, Expect, ObjectRef},
    element::OPERATE_ACTION,
    grant::Outcome,
    id::{AgentId, RequestId},
    request::{Moved, Request},
    schema::Permission,
};
use askfirst_store::Versioned;
use serde_json::json;
use std::{fmt, future::Future};

/// What is to be done with an approval.
#[derive(Debug, Clone, Default)]
pub struct Redeem {
    /// The call as it will be made. Needed, and compared, where the approval is for one call.
    pub call: Option<Call>,
    /// The agent whose call it is, as the server has authenticated it: key or id of a registered one, or the id of the key that
    /// it uses. An agent's own credential says so itself.
    pub agent: Option<Ident>,
    /// The digest that the caller has of the call, compared besides.
    pub digest: Option<String>,
}

/// One use of an approval, spent: leave to do what was approved, once. Only [`Acting::redeem`] makes one, it can't be
/// copied, and whoever does what was approved takes it by value.
///
/// What came of it is not known until somebody says so: when the process ends before, it stays `unknown`, and nothing does it
/// again by itself.
#[must_use = "the use is spent: do what was approved, and say what came of it"]
pub struct Pass {
    acting: Acting,
    request: Request,
    number: u32,
    revision: RevisionToken,
}

impl fmt::Debug for Pass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pass")
            .field("request", &self.request.id)
            .field("number", &self.number)
            .finish_non_exhaustive()
    }
}

impl Pass {
    /// The request whose approval it is, as it was written with this use.
    pub fn request(&self) -> &Request {
        &self.request
    }

    /// Which use it is, from 1.
    pub fn number(&self) -> u32 {
        self.number
    }

    /// Of the call that may be made; none where the approval was not for one call.
    pub fn digest(&self) -> Option<&Digest> {
        self.request.binding.as_ref().map(|binding| &binding.digest)
    }

    /// The revision at which the policy was asked again.
    pub fn revision(&self) -> &RevisionToken {
        &self.revision
    }

    /// Does what was approved and writes down what came of it. When that can't be written, it stays `unknown`.
    ///
    /// # Errors
    /// Those of `work`.
    pub async fn run<T, E: fmt::Display>(self, work: impl Future<Output = Result<T, E>>) -> Result<T, E> {
        let done = work.await;
        let (outcome, note) = match &done {
            Ok(_) => (Outcome::Succeeded, None),
            Err(error) => (Outcome::Failed, Some(error.to_string())),
        };
        let request = self.request.id;
        if let Err(error) = self.record(outcome, note).await {
            tracing::error!(?error, %request, "what came of an approved call could not be written; it stays unknown");
        }
        done
    }

    /// Writes down what came of it.
    ///
    /// # Errors
    /// When the store fails: the outcome stays unknown.
    pub async fn record(self, outcome: Outcome, note: Option<String>) -> Result<RequestView> {
        let id = Ident::from(self.request.id.uuid());
        self.acting.record_outcome(&id, self.number, outcome, note).await
    }
}

impl Acting {
    /// Spends one use of an approval: it has to be approved, not over, for this person, this agent and this call; the policy
    /// is asked again at the state that the write is conditional on. Of any number of callers at once, as many get a pass
    /// as there are uses.
    ///
    /// # Errors
    /// [`Kind::NotFound`](crate::Kind::NotFound) for a request that the person may not see,
    /// [`Kind::Forbidden`](crate::Kind::Forbidden) for another person, agent or call than was approved,
    /// [`Kind::Conflict`](crate::Kind::Conflict) when nothing is left to spend or the policy does not allow it any more. In each
    /// case nothing is spent.
    pub async fn redeem(&self, id: &Ident, redeem: &Redeem) -> Result<Pass> {
        let mut tries = Tries::default();
        loop {
            let found = self.visible(id).await?;
            let state = self.state_with(&found).await?;
            let agent = self.agent(&state, redeem)?;
            self.refuse_other_principal(&state, &found.value, agent)?;
            self.refuse_other_call(&found.value, redeem, agent)?;
            agents::refuse_spending(&state, &found.value, agent)?;
            let (request, number) = found.value.spend(&self.scope.op.principal, self.scope.op.now)?;
            let mut draft = Draft {
                expects: vec![
                    Expect::AtRevision(ObjectRef::Request(request.id), found.revision),
                    Expect::SchemaAt(state.schema_revision),
                ],
                ..Draft::default()
            };
            self.ask_policy_again(&state, &request, &mut draft).await?;
            let mut event = self.request_event("grant.redeemed", &request)?;
            event.details.insert("use".to_owned(), json!(number));
            event.details.insert("agent".to_owned(), json!(agent));
            draft.audit.push(event);
            draft.outbox.extend(delivery::news_of_grant(&self.scope, &request, "grant.redeemed")?);
            if request.grant.as_ref().is_some_and(|grant| grant.left() == Some(0)) {
                self.scope.draft_end_of_role(&request, &mut draft).await?;
            }
            draft.changes.push(Change::PutRequest(Box::new(request.clone())));
            match self.scope.commit(draft).await? {
                Written::Done(_) => {
                    let revision = state.token();
                    return Ok(Pass { acting: self.clone(), request, number, revision });
                }
                Written::Again => tries.again()?,
            }
        }
    }

    /// Says what came of a use of an approval. Once said, it stays.
    ///
    /// # Errors
    /// [`Kind::NotFound`](crate::Kind::NotFound) for a request or use that is not there,
    /// [`Kind::Forbidden`](crate::Kind::Forbidden) for somebody else's, [`Kind::Conflict`](crate::Kind::Conflict) when
    /// something else was said.
    pub async fn record_outcome(
        &self,
        id: &Ident,
        number: u32,
        outcome: Outcome,
        note: Option<String>,
    ) -> Result<RequestView> {
        let note = comment(note.as_ref())?;
        let mut tries = Tries::default();
        loop {
            let found = self.visible(id).await?;
            self.refuse_other_person(&found.value)?;
            // The moment is this call's end: the use may have taken long.
            let now = self.scope.engine.now();
            let request = match found.value.record(number, outcome, note.clone(), now)? {
                Moved::Before(request) => return self.view(request).await,
                Moved::Now(request) => request,
            };
            let mut event = self.request_event("grant.recorded", &request)?;
            event.details.insert("use".to_owned(), json!(number));
            event.details.insert("outcome".to_owned(), json!(outcome));
            let draft = Draft {
                expects: vec![Expect::AtRevision(ObjectRef::Request(request.id), found.revision)],
                audit: vec![event],
                outbox: delivery::news_of_grant(&self.scope, &request, "grant.recorded")?,
                facts: Vec::new(),
                changes: vec![Change::PutRequest(Box::new(request.clone()))],
            };
            match self.scope.commit(draft).await? {
                Written::Done(_) => return self.view(request).await,
                Written::Again => tries.again()?,
            }
        }
    }

    /// The agent whose call it is. What a credential says goes before what a caller says.
    fn agent(&self, state: &LiveState, redeem: &Redeem) -> Result<Option<AgentId>> {
        match (agent_of(&self.scope.op.principal), &redeem.agent) {
            (Some(own), _) => Ok(Some(own)),
            (None, Some(named)) => self.scope.agent_named(state, named).map(Some),
            (None, None) => Ok(None),
        }
    }

    fn refuse_other_person(&self, request: &Request) -> Result<()> {
        if request.requester.id == self.person.id {
            return Ok(());
        }
        Err(Error::forbidden(format!(
            "This approval is for {} alone, and {} can't use it.",
            request.requester.key, self.person.key
        )))
    }

    fn refuse_other_principal(
        &self,
        state: &LiveState,
        request: &Request,
        calls: Option<AgentId>,
    ) -> Result<()> {
        self.refuse_other_person(request)?;
        let asked = agent_of(&request.opened_by);
        if asked == calls {
            return Ok(());
        }
        let name = |id| agents::name(state, id);
        Err(Error::forbidden(match (asked, calls) {
            (Some(asked), None) => format!(
                "This approval was asked for by the agent {} and is for that agent alone; name the agent whose call it is in \
                 `agent`.",
                name(asked)
            ),
            (Some(_), Some(calls)) => {
                format!("This approval is for another agent than {}; that agent has to ask itself.", name(calls))
            }
            (None, _) => "This approval was not asked for by an agent, so no agent can use it; the agent has to ask itself."
                .to_owned(),
        }))
    }

    /// What was shown is what runs.
    fn refuse_other_call(&self, request: &Request, redeem: &Redeem, agent: Option<AgentId>) -> Result<()> {
        let Some(approved) = &request.binding else {
            return if redeem.call.is_none() && redeem.digest.is_none() {
                Ok(())
            } else {
                Err(Error::forbidden(
                    "This approval was not asked for with a call, so nobody has looked at this one; ask again with the \
                     action and its arguments.",
                ))
            };
        };
        let Some(call) = &redeem.call else {
            return Err(Error::invalid(
                "This approval is for one call; send its `action`, `arguments` and `context` as they will run.",
            ));
        };
        let resource = request.instance.as_ref().map(|i| i.reference().to_string()).unwrap_or_default();
        let env = self.scope.env.id;
        let now = Binding::new(env, self.person.id, agent, resource, call.clone())?;
        if let Some(member) = approved.difference(&now) {
            return Err(Error::forbidden(format!(
                "This call differs in its {member} from what was approved, so it must not run; run what was approved, or ask again."
            )));
        }
        if redeem.digest.as_ref().is_some_and(|digest| digest != now.digest.as_str()) {
            return Err(Error::forbidden(
                "The digest is not that of what was approved, so the call must not run; look at the request again.",
            ));
        }
        Ok(())
    }

    /// The live state, at the request's own revision or later.
    async fn state_with(&self, found: &Versioned<Request>) -> Result<std::sync::Arc<LiveState>> {
        let state = self.scope.state();
        if state.revision >= found.revision {
            return Ok(state);
        }
        self.scope.live.catch_up(self.scope.engine.store()).await?;
        Ok(self.scope.state())
    }

    /// Asks whether what was approved is still allowed, and makes the write conditional on all that the answer rests on.
    async fn ask_policy_again(&self, state: &LiveState, request: &Request, draft: &mut Draft) -> Result<()> {
        let refuse = |why: String| {
            Error::conflict(format!(
                "{why}, so this approval can't be used any more; ask again if it is still wanted."
            ))
        };
        if let Some(what) = self.missing(state, request).await? {
            return Err(refuse(format!("{what} does not exist any more")));
        }
        let schema = state.snapshot.schema();
        if schema.element_by_id(request.element).is_none_or(|element| !element.is_active) {
            return Err(refuse(format!("The element `{}` is not in use any more", request.element_key)));
        }
        let operate = request.resource.as_ref().zip(OPERATE_ACTION.parse().ok());
        let operate = operate.map(|(resource, action)| Permission { resource: resource.clone(), action });
        let role = schema.role_by_id(request.role.id);
        let permits =
            role.zip(operate).is_some_and(|(role, operate)| schema.permissions_of(role).contains(&operate));
        if !permits {
            return Err(refuse(format!(
                "The policy does not let `{}` do `{OPERATE_ACTION}` any more",
                request.role.key
            )));
        }
        draft.expects.push(Expect::Exists(ObjectRef::User(request.requester.id)));
        draft.expects.push(Expect::Exists(ObjectRef::Tenant(request.tenant_id)));
        draft.expects.extend(request.instance.as_ref().map(|i| Expect::Exists(ObjectRef::Instance(i.id))));
        if request.binding.is_some() {
            return Ok(());
        }
        let held = self.scope.assignment_of(request).await?;
        let now = self.scope.op.now;
        let Some(held) = held.filter(|held| held.value.expires_at.is_none_or(|at| at > now)) else {
            return Err(refuse(format!("The role `{}` was taken away", request.role.key)));
        };
        draft.expects.push(Expect::AtRevision(ObjectRef::Assignment(held.value.id), held.revision));
        Ok(())
    }
}

impl Pass {
    /// The request's id.
    pub fn id(&self) -> RequestId {
        self.request.id
    }
}
