//! Opening a request: the same for both kinds once it is clear who wants which role where.

use super::{Asked, Bound, Sharing, Times, delivery, escalate, terms};
use crate::{
    Acting, EnvScope, LiveState,
    commit::{About, Draft, Outcome},
    error::{Error, Kind, Result},
};
use askfirst_domain::{
    Digest, Ident, Key,
    binding::{Binding, Call, agent_of},
    change::{Change, Expect, ObjectRef},
    element::{Element, OPERATE_ACTION},
    facts::{Instance, InstanceLink, Tenant},
    id::ResourceId,
    request::{Request, RequestKind, Status, WantedRole, wish},
    review::Course,
    schema::Role,
};
use askfirst_policy::PlaceRef;
use serde_json::json;
use std::sync::Arc;

/// Where a role is wanted.
#[derive(Debug)]
pub(super) enum Target {
    Tenant,
    Instance(Instance),
    /// An instance that is created with the request.
    Fresh(Instance),
}

impl Target {
    pub(super) fn link(&self) -> Option<InstanceLink> {
        match self {
            Self::Tenant => None,
            Self::Instance(i) | Self::Fresh(i) => {
                Some(InstanceLink { id: i.id, resource: i.resource.clone(), key: i.key.clone() })
            }
        }
    }
}

/// A wish in which every name has been found.
#[derive(Debug)]
pub(super) struct Wanted {
    pub(super) kind: RequestKind,
    pub(super) element: Arc<Element>,
    pub(super) tenant: Tenant,
    pub(super) resource: Option<(ResourceId, Key)>,
    pub(super) target: Target,
    pub(super) role: Arc<Role>,
    pub(super) reason: String,
    /// Whom the asker has named as reviewers.
    pub(super) suggested: Vec<Ident>,
    pub(super) times: Times,
    /// Of an operation approval.
    pub(super) uses: Option<u32>,
    pub(super) call: Option<Call>,
    /// What the approval is for, of a submission over AuthZEN.
    pub(super) bound: Option<Bound>,
    pub(super) manner: Manner,
}

/// How it is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Manner {
    /// Somebody is to decide.
    Asked,
    /// It can't wait.
    Emergency,
}

impl Acting {
    /// The tenant of a call: it has to exist, the credential has to reach it, and the person has to belong to it.
    pub(super) async fn own_tenant(&self, ident: &Ident) -> Result<Tenant> {
        let tenant = self.scope.find_tenant(ident).await?.value;
        if self.tenant.is_some_and(|only| only != tenant.id) {
            return Err(Error::forbidden(format!(
                "This call is bound to another tenant than `{}`; name the same tenant everywhere.",
                tenant.key
            )));
        }
        if !self.scope.is_member(self.person.id, tenant.id, tenant.key.as_str()).await? {
            return Err(Error::new(
                Kind::NotFound,
                format!("The user `{}` does not belong to the tenant `{}`.", self.person.key, tenant.key),
            ));
        }
        Ok(tenant)
    }

    /// Opens the request, or finds the pending one of the same wish. None: somebody else wrote first, resolve anew.
    pub(super) async fn open(&self, state: &LiveState, wanted: Wanted) -> Result<Option<Asked>> {
        self.refuse_beyond_agent(state, &wanted)?;
        self.refuse_held(state, &wanted)?;
        let link = wanted.target.link();
        let binding = self.binding(&wanted, link.as_ref())?;
        let print = self.wish_of(&wanted, link.as_ref(), binding.as_ref());
        let store = self.scope.engine.store();
        let mut draft = Draft::default();
        if let Some(pending) = store.pending_request(self.scope.env.id, &print).await? {
            let over = pending.value.lapse(self.scope.op.now);
            if over.is_none() && wanted.manner == Manner::Emergency {
                return Err(Error::conflict(format!(
                    "This is asked for already, in the request {}; cancel it to take it without a decision.",
                    pending.value.id
                )));
            }
            let Some(lapsed) = over else {
                let view = self.view(pending.value).await?;
                return Ok(Some(Asked { view, existed: true, denied: None }));
            };
            // Its time is over, and nobody has written that down yet: it makes room for the new one.
            self.scope.draft_lapse(state, &pending, lapsed, &mut draft).await?;
        } else {
            draft.expects.push(Expect::NoPendingRequest { wish: print.clone() });
        }
        let mut request = self.new_request(&wanted, link, print, binding)?;
        if wanted.manner == Manner::Asked {
            request.course.suggested = Box::pin(self.suggestions(state, &request, &wanted.suggested)).await?;
            request.course.escalates_at = escalate::next(&wanted.element, &request, request.created_at);
        }
        let denied = match wanted.manner {
            Manner::Asked => self.denied_before(&wanted, &request).await?,
            Manner::Emergency => None,
        };
        draft.expects.extend([
            Expect::Exists(ObjectRef::User(self.person.id)),
            Expect::Exists(ObjectRef::Tenant(wanted.tenant.id)),
            Expect::SchemaAt(state.schema_revision),
        ]);
        match &wanted.target {
            Target::Tenant => {}
            Target::Instance(instance) => {
                draft.expects.push(Expect::Exists(ObjectRef::Instance(instance.id)));
            }
            Target::Fresh(instance) => {
                let reference = format!("{}:{}", instance.resource, instance.key);
                let about = About { object: Some(reference), request: Some(request.id), ..self.about() };
                draft.audit.push(self.scope.audit("resource_instance.created", about)?);
                draft.changes.push(Change::PutInstance(instance.clone()));
            }
        }
        draft.audit.push(self.request_event("request.created", &request)?);
        let request = match wanted.manner {
            Manner::Asked => self.settle(state, &wanted, &request, &mut draft).await?.unwrap_or(request),
            Manner::Emergency => self.take(state, &wanted, &request, &mut draft).await?,
        };
        draft.outbox.extend(delivery::news(&self.scope, Some(wanted.element.as_ref()), &request)?);
        draft.changes.push(Change::PutRequest(Box::new(request.clone())));
        match self.scope.commit(draft).await {
            Ok(Outcome::Done(_)) => {
                Ok(Some(Asked { view: self.view(request).await?, existed: false, denied }))
            }
            Ok(Outcome::Again) => Ok(None),
            // The same wish or the same new instance, written between the look and the commit.
            Err(e) if e.kind() == Kind::Duplicate => Ok(None),
            Err(e) => Err(e),
        }
    }

    /// The fingerprint of a wish.
    pub(super) fn wish_of(
        &self,
        wanted: &Wanted,
        link: Option<&InstanceLink>,
        binding: Option<&Binding>,
    ) -> String {
        let print = wish(wanted.kind, self.person.id, wanted.role.id, wanted.tenant.id, link, binding);
        match wanted.bound.as_ref().filter(|bound| bound.sharing == Sharing::Own) {
            Some(bound) => Digest::of_bytes(format!("{print}\n{}", bound.link.task).as_bytes()).to_string(),
            None => print,
        }
    }

    /// What an approval will be bound to, when the wish is for one call.
    pub(super) fn binding(&self, wanted: &Wanted, link: Option<&InstanceLink>) -> Result<Option<Binding>> {
        if let Some(Bound { resource, call, .. }) = &wanted.bound {
            let (env, person) = (self.scope.env.id, self.person.id);
            return Ok(Some(Binding::new(env, person, None, resource.clone(), call.clone())?));
        }
        let (Some(call), Some(link)) = (&wanted.call, link) else { return Ok(None) };
        let agent = agent_of(&self.scope.op.principal);
        let resource = link.reference().to_string();
        Ok(Some(Binding::new(self.scope.env.id, self.person.id, agent, resource, call.clone())?))
    }

    pub(super) fn new_request(
        &self,
        wanted: &Wanted,
        link: Option<InstanceLink>,
        print: String,
        binding: Option<Binding>,
    ) -> Result<Request> {
        let op = &self.scope.op;
        let server = self.scope.engine.settings().requests;
        let element = &wanted.element;
        Ok(Request {
            id: self.scope.engine.fresh_id(op)?,
            kind: wanted.kind,
            element: wanted.element.id,
            element_key: wanted.element.key.clone(),
            requester: self.person.clone(),
            tenant: wanted.tenant.key.clone(),
            tenant_id: wanted.tenant.id,
            resource: wanted.resource.as_ref().map(|(_, key)| key.clone()),
            resource_id: wanted.resource.as_ref().map(|(id, _)| *id),
            instance: link,
            role: WantedRole { id: wanted.role.id, key: wanted.role.key.clone() },
            reason: wanted.reason.clone(),
            status: Status::Pending,
            reviewer: None,
            reviewer_comment: None,
            reviewed_at: None,
            created_at: op.now,
            updated_at: op.now,
            opened_by: op.principal.clone(),
            wish: print,
            deadline: Some(terms::deadline(wanted.times, element, server, op.now)?),
            offer: terms::offer(wanted.kind, wanted.times, wanted.uses, element, server)?,
            binding,
            grant: None,
            course: Course::default(),
            task: wanted.bound.as_ref().map(|bound| bound.link.clone()),
        })
    }

    /// Refuses a wish of an agent for what it may not do itself: all that the role permits, or the one call.
    pub(super) fn refuse_beyond_agent(&self, state: &LiveState, wanted: &Wanted) -> Result<()> {
        if let (RequestKind::OperationApproval, Some((_, resource))) = (wanted.kind, &wanted.resource) {
            let action = wanted.call.as_ref().map_or(OPERATE_ACTION, |call| call.action.as_str());
            return self.refuse_beyond_ceiling(state, [(resource.as_str(), action)]);
        }
        let permitted = state.snapshot.schema().permissions_of(&wanted.role);
        self.refuse_beyond_ceiling(state, permitted.iter().map(|p| (p.resource.as_str(), p.action.as_str())))
    }

    /// Refuses a wish for what the person has already.
    pub(super) fn refuse_held(&self, state: &LiveState, wanted: &Wanted) -> Result<()> {
        if wanted.call.is_some() || wanted.bound.is_some() {
            // Leave for one call is not the leave for whatever is done there, and each has its own.
            return Ok(());
        }
        let link = match &wanted.target {
            Target::Fresh(_) => return Ok(()),
            other => other.link(),
        };
        let place = link.as_ref().map_or(PlaceRef::Tenant(wanted.tenant.key.as_str()), |i| {
            PlaceRef::Instance { resource: i.resource.as_str(), key: i.key.as_str() }
        });
        let now = self.scope.op.now;
        let roles = state.snapshot.roles_on(self.person.key.as_str(), &place, now);
        if !roles.iter().any(|role| role.id == wanted.role.id) {
            return Ok(());
        }
        let (user, role) = (&self.person.key, &wanted.role.key);
        Err(Error::conflict(match wanted.kind {
            RequestKind::AccessRequest => {
                format!("{user} already has the role `{role}` on {place}, so there is nothing to ask for.")
            }
            RequestKind::OperationApproval => format!(
                "{user} already has an approval (`{role}`) on {place} that was not used up; do the operation, \
                 or have the role taken away before asking again."
            ),
        }))
    }

    /// An audit event about a request.
    pub(super) fn request_event(
        &self,
        code: &str,
        request: &Request,
    ) -> Result<askfirst_domain::audit::AuditEvent> {
        self.scope.event_of_request(code, request, self.about())
    }

    /// What every audit event of this person's calls says.
    pub(super) fn about(&self) -> About {
        About { on_behalf_of: Some(self.person.key.to_string()), ..About::default() }
    }
}

impl EnvScope {
    /// An audit event about a request.
    pub(super) fn event_of_request(
        &self,
        code: &str,
        request: &Request,
        about: About,
    ) -> Result<askfirst_domain::audit::AuditEvent> {
        let object = request.instance.as_ref().map(|i| i.reference().to_string());
        let mut about = About {
            request: Some(request.id),
            object: object.or_else(|| Some(request.tenant.to_string())),
            ..about
        };
        let mut say = |name: &str, value: Option<serde_json::Value>| {
            about.details.extend(value.map(|value| (name.to_owned(), value)));
        };
        say("kind", Some(json!(request.kind)));
        say("requester", Some(json!(request.requester.key)));
        say("role", Some(json!(request.role.key)));
        say("comment", request.reviewer_comment.as_ref().map(|comment| json!(comment)));
        say("rule", request.course.rule.as_ref().map(|rule| json!(rule)));
        let suggested: Vec<&str> = request.course.suggested.iter().map(|one| one.key.as_str()).collect();
        say("suggested", (code == "request.created" && !suggested.is_empty()).then(|| json!(suggested)));
        say("digest", request.binding.as_ref().map(|binding| json!(binding.digest)));
        let ends = request.grant.as_ref().and_then(|grant| grant.ends_at);
        say("ends_at", ends.map(|at| json!(at.to_string())));
        self.audit(code, about)
    }
}

/// The active element with this key or id.
pub(super) fn element(state: &LiveState, ident: &Ident) -> Result<Arc<Element>> {
    let found = state.snapshot.schema().element(ident).filter(|e| e.is_active).cloned();
    found.ok_or_else(|| Error::not_found("element", ident))
}
