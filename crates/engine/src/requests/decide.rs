//! Deciding a request.

use super::{
    Decide, RequestView, Verdict, ask_access::assignable, comment, delivery, sight::deciding_roles, terms,
    view::shown,
};
use crate::{
    Acting, LiveState, Via, agents,
    commit::{Draft, Outcome, Tries},
    error::{Error, Kind, Result},
};
use askfirst_domain::{
    Ident, Span,
    change::{Change, Expect, ObjectRef},
    element::Level,
    id::RequestId,
    request::{Approval, Moved, Refusal, Request, RequestKind, Ruling, Status, WantedRole},
    review::{Review, Voice},
    terms::Threshold,
};
use askfirst_store::Versioned;
use serde_json::json;

impl Acting {
    /// Decides a request. An approval gives the role in the same transaction.
    ///
    /// # Errors
    /// [`Kind::NotFound`] for a request that the person may not see, [`Kind::Forbidden`] for an agent, the requester and
    /// whoever may see but not decide, [`Kind::Conflict`] when it is decided already or what it is about is gone,
    /// [`Kind::Invalid`] for a role that may not be given.
    pub async fn decide(&self, id: &Ident, decide: Decide) -> Result<RequestView> {
        self.decide_as_shown(id, decide, None, None).await
    }

    /// As [`Acting::decide`], for a person who was shown a page: `shown` is [`RequestView::shown`] of what stood there.
    ///
    /// # Errors
    /// [`Kind::Conflict`] besides, when the request has changed meanwhile; nothing is decided then.
    pub async fn decide_shown(&self, id: &Ident, decide: Decide, shown: &str) -> Result<RequestView> {
        self.decide_as_shown(id, decide, Some(shown), None).await
    }

    /// As [`Acting::decide_shown`], where there is something shown, in the place of somebody for whom the person stands in.
    /// Without saying so they decide for themselves where they may, and else for the first of those.
    ///
    /// # Errors
    /// [`Kind::Forbidden`] besides, when the person does not stand in for them, or they may not decide it themselves.
    pub async fn decide_for(
        &self,
        id: &Ident,
        decide: Decide,
        shown: Option<&str>,
        stands_for: &Ident,
    ) -> Result<RequestView> {
        self.decide_as_shown(id, decide, shown, Some(stands_for)).await
    }

    async fn decide_as_shown(
        &self,
        id: &Ident,
        decide: Decide,
        seen: Option<&str>,
        stands_for: Option<&Ident>,
    ) -> Result<RequestView> {
        let comment = comment(decide.comment.as_ref())?;
        let mut tries = Tries::default();
        loop {
            let found = self.visible(id).await?;
            let state = self.scope.state();
            self.refuse_non_reviewer(&state, &found.value)?;
            let voice = self.voice(&found.value, stands_for)?;
            let ruling = self.ruling(&state, &found.value, &decide.approve)?;
            // What a reviewer changes may ask for other thresholds.
            let matter = match found.value.status {
                Status::Pending => found.value.with(&ruling)?,
                _ => found.value.clone(),
            };
            let counting = self.counting_now(&state, &matter, &voice).await?;
            let counts = |review: &Review, threshold: &Threshold| counting.counts(review, threshold);
            let heard = (counting.thresholds.as_slice(), counts);
            let now = self.scope.op.now;
            let moved = found.value.review(&voice, ruling, comment.clone(), now, heard)?;
            let request = match moved {
                Moved::Before(request) => return self.view(request).await,
                Moved::Now(request) => request,
            };
            if seen.is_some_and(|seen| seen != shown(&found.value)) {
                return Err(Error::conflict(
                    "This request has changed since it was shown; nothing was decided.",
                ));
            }
            let draft = self.draft_decision(&state, &found, &request).await?;
            match self.scope.commit(draft).await {
                Ok(Outcome::Done(_)) => return self.view(request).await,
                Ok(Outcome::Again) => {}
                // The same role was given by somebody else at the same moment.
                Err(e) if e.kind() == Kind::Duplicate => {}
                Err(e) => return Err(e),
            }
            tries.again()?;
        }
    }

    /// The roles that a reviewer of this request may give, the one that is asked for among them; empty where there is
    /// nothing to choose.
    pub fn choices(&self, view: &RequestView) -> Vec<WantedRole> {
        let request = &view.request;
        let state = self.scope.state();
        let schema = state.snapshot.schema();
        let element = schema.element_by_id(request.element);
        let gives_role = request.kind == RequestKind::AccessRequest && request.binding.is_none();
        let Some(element) = element.filter(|_| gives_role) else {
            return Vec::new();
        };
        let offered = element.roles_to_levels.get(&Level::Assignable).into_iter().flatten();
        offered
            .filter_map(|id| schema.role_by_id(*id))
            .filter(|role| role.resource.is_some() == request.instance.is_some())
            .map(|role| WantedRole { id: role.id, key: role.key.clone() })
            .collect()
    }

    /// Refuses whoever is not a reviewer of this request, with the way that would be right.
    pub(super) fn refuse_non_reviewer(&self, state: &LiveState, request: &Request) -> Result<()> {
        let person = &self.person;
        if self.via == Via::Agent {
            return Err(Error::forbidden(format!(
                "An agent decides nothing; {} may decide this at {}.",
                person.key,
                self.confirm_url(request.id)
            )));
        }
        if person.id == request.requester.id {
            return Err(Refusal::SelfReview { user: person.key.clone() }.into());
        }
        if self.sight().decides(request) {
            return Ok(());
        }
        let place = request
            .instance
            .as_ref()
            .map_or_else(|| format!("tenant {}", request.tenant), |i| i.reference().to_string());
        let roles = deciding_roles(state, request);
        let who = if roles.is_empty() {
            "no role can, since its element or role is gone".to_owned()
        } else {
            format!("it takes the role {} there", roles.join(" or "))
        };
        Err(Error::forbidden(format!(
            "{} may not decide this {} on {place}; {who}.",
            person.key, request.kind
        )))
    }

    /// As whom the person speaks: as they say, or for themselves if they may, or else for whom they stand in.
    fn voice(&self, request: &Request, stands_for: Option<&Ident>) -> Result<Voice> {
        let voices = self.sight().voices(request);
        let Some(other) = stands_for else {
            let first = voices.into_iter().next();
            return Ok(first.unwrap_or_else(|| self.person.clone().into()));
        };
        let meant = |voice: &Voice| {
            voice.stands_for.as_ref().is_some_and(|person| {
                other.uuid() == Some(person.id.uuid()) || other.as_str() == person.key.as_str()
            })
        };
        voices.into_iter().find(meant).ok_or_else(|| {
            let person = &self.person.key;
            Error::forbidden(format!(
                "{person} does not stand in for {other} here: {other} has to have named them for now, may decide this, and \
                 is not the one who asked."
            ))
        })
    }

    async fn draft_decision(
        &self,
        state: &LiveState,
        before: &Versioned<Request>,
        request: &Request,
    ) -> Result<Draft> {
        let mut draft = Draft {
            // A reviewer may have lost what makes them one since it was looked at: then it is looked at again.
            expects: vec![
                Expect::AtRevision(ObjectRef::Request(request.id), before.revision),
                Expect::SchemaAt(state.schema_revision),
                self.expect_myself(),
            ],
            ..Draft::default()
        };
        draft.expects.extend(self.expect_of_reviewers(state, request));
        let element = state.snapshot.schema().element_by_id(request.element);
        if request.status == Status::Approved {
            agents::refuse_frozen_asker(state, request)?;
            if request.kind == RequestKind::AccessRequest {
                let element = element
                    .ok_or_else(|| Error::conflict("The element of this request does not exist any more."))?;
                assignable(state, element, &Ident::from(request.role.id.uuid())).map_err(|e| {
                    Error::conflict(format!("What was asked for can't be given any more: {}", e.message()))
                })?;
            }
            self.draft_assignment(state, request, &mut draft).await?;
        }
        let code = match request.status {
            Status::Approved => "request.approved",
            Status::Denied => "request.denied",
            _ => "request.reviewed",
        };
        draft.audit.push(self.scope.event_of_request(
            code,
            request,
            self.about_review(&before.value, request),
        )?);
        draft.outbox.extend(delivery::news(&self.scope, element.map(AsRef::as_ref), request)?);
        draft.changes.push(Change::PutRequest(Box::new(request.clone())));
        Ok(draft)
    }

    /// What was said, and what it takes the place of.
    fn about_review(&self, before: &Request, request: &Request) -> crate::commit::About {
        let mut about = self.about();
        let mut say = |name: &str, review: Option<&Review>| {
            about.details.extend(review.map(|review| (name.to_owned(), json!(review.vote))));
        };
        let own = request.course.review_of(&self.person);
        say("vote", own);
        say("replaces", before.course.review_of(&self.person).filter(|_| request.course != before.course));
        let stands_for = own.and_then(|review| review.stands_for.as_ref());
        about.details.extend(stands_for.map(|person| ("stands_for".to_owned(), json!(person.key))));
        about
    }

    /// What an approval gives, if all that it needs is still there.
    async fn draft_assignment(&self, state: &LiveState, request: &Request, draft: &mut Draft) -> Result<()> {
        if let Some(what) = self.missing(state, request).await? {
            return Err(Error::conflict(format!(
                "{what} does not exist any more, so this can only be denied."
            )));
        }
        let instance = request.instance.as_ref().map(|i| i.id);
        draft.expects.push(Expect::Exists(ObjectRef::User(request.requester.id)));
        draft.expects.push(Expect::Exists(ObjectRef::Tenant(request.tenant_id)));
        draft.expects.push(Expect::Exists(ObjectRef::Role(request.role.id)));
        draft.expects.extend(instance.map(|id| Expect::Exists(ObjectRef::Instance(id))));
        self.scope.give(request, self.about(), draft).await
    }

    /// What an approval needs and is not there any more, named for a sentence. The store is asked where the state has not
    /// got it all; what the state still has and the store has not any more, the draft's expectations find.
    pub(super) async fn missing(&self, state: &LiveState, request: &Request) -> Result<Option<String>> {
        let snapshot = &state.snapshot;
        let has_all = snapshot.is_user(request.requester.key.as_str(), request.requester.id)
            && snapshot.is_tenant(request.tenant.as_str(), request.tenant_id)
            && snapshot.schema().role_by_id(request.role.id).is_some()
            && request.instance.as_ref().is_none_or(|instance| snapshot.is_instance(instance));
        if has_all {
            return Ok(None);
        }
        let (store, env) = (self.scope.engine.store(), self.scope.env.id);
        if store.user(env, &Ident::from(request.requester.id.uuid())).await?.is_none() {
            return Ok(Some(format!("The user `{}`", request.requester.key)));
        }
        if store.tenant(env, &Ident::from(request.tenant_id.uuid())).await?.is_none() {
            return Ok(Some(format!("The tenant `{}`", request.tenant)));
        }
        if snapshot.schema().role_by_id(request.role.id).is_none() {
            return Ok(Some(format!("The role `{}`", request.role.key)));
        }
        if let Some(instance) = &request.instance
            && store.instance(env, &askfirst_store::InstanceIdent::Id(instance.id)).await?.is_none()
        {
            return Ok(Some(format!("The instance {}", instance.reference())));
        }
        Ok(None)
    }

    /// The request with this id, if the person may know of it.
    pub(super) async fn visible(&self, id: &Ident) -> Result<Versioned<Request>> {
        let hidden = || Error::not_found("request", id);
        let uuid = id.uuid().ok_or_else(hidden)?;
        let found = self.scope.engine.store().request(self.scope.env.id, RequestId::new(uuid)).await?;
        found.filter(|found| self.sight().sees(&found.value)).ok_or_else(hidden)
    }
}

impl Acting {
    fn ruling(&self, state: &LiveState, request: &Request, verdict: &Verdict) -> Result<Ruling> {
        let Verdict::Approve(approve) = verdict else { return Ok(Ruling::Deny) };
        let role = match &approve.role {
            Some(ident) => Some(other_role(state, request, ident)?),
            None => None,
        };
        let lasts = approve.lasts.or_else(|| self.shortened(state, request));
        Ok(Ruling::Approve(Approval { role, lasts, arguments: approve.arguments.clone() }))
    }

    /// What the element allows now, when that is less than what it did when this was asked.
    fn shortened(&self, state: &LiveState, request: &Request) -> Option<Span> {
        let element = state.snapshot.schema().element_by_id(request.element)?;
        let cap = terms::cap(request.kind, element, self.scope.engine.settings().requests)?;
        let pending = request.status == Status::Pending;
        (pending && request.offer.lasts.is_none_or(|asked| asked > cap)).then_some(cap)
    }
}

/// The role that a reviewer wants to give instead.
pub(super) fn other_role(state: &LiveState, request: &Request, ident: &Ident) -> Result<WantedRole> {
    let same = ident.uuid() == Some(request.role.id.uuid()) || ident.as_str() == request.role.key.as_str();
    if same {
        return Ok(request.role.clone());
    }
    if request.kind == RequestKind::OperationApproval {
        return Err(Refusal::FixedRole.into());
    }
    if request.binding.is_some() {
        return Err(Error::invalid(
            "This request is for one evaluation and gives no role, so there is no other role to give.",
        ));
    }
    let element = state.snapshot.schema().element_by_id(request.element);
    let element =
        element.ok_or_else(|| Error::conflict("The element of this request does not exist any more."))?;
    let role = assignable(state, element, ident)?;
    if role.resource.is_some() != request.instance.is_some() {
        return Err(Error::invalid(format!(
            "The role `{}` can't be given in the place that this request is about; choose one that can.",
            role.key
        )));
    }
    Ok(WantedRole { id: role.id, key: role.key.clone() })
}
