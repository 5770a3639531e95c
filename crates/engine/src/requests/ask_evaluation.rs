//! Asking for exactly one evaluation: what a submission over AuthZEN opens. An approval gives no role; it counts where it is
//! presented, for that evaluation alone.

use super::{
    Times,
    ask_access::resource_of,
    open::{Manner, Target, Wanted},
    terms, text,
};
use crate::{
    Acting, LiveState,
    check::Requestable,
    commit::Tries,
    error::{Error, Result},
};
use askfirst_domain::{
    Ident, Span, Timestamp,
    binding::Call,
    decision::Place,
    request::{Request, RequestKind},
    schema::Role,
    task::TaskLink,
};
use std::sync::Arc;

/// The longest that an approval of an evaluation lasts: tokens about it are believed as long.
const LONGEST: u64 = 30 * 86_400;

/// A wish to do what was denied.
#[derive(Debug, Clone)]
pub(crate) struct AskEvaluation {
    /// The role that would have allowed it, and the element through which it is asked for.
    pub(crate) through: Requestable,
    /// The key of the tenant in which it is asked for.
    pub(crate) tenant: String,
    pub(crate) bound: Bound,
    pub(crate) reason: String,
    /// Until when the approval is to last.
    pub(crate) until: Option<Timestamp>,
}

/// What an approval will be bound to.
#[derive(Debug, Clone)]
pub(crate) struct Bound {
    /// `type:id` of what was evaluated, which need not be where the role is held.
    pub(crate) resource: String,
    pub(crate) call: Call,
    pub(crate) link: TaskLink,
    pub(crate) sharing: Sharing,
}

/// Whether a pending request for the same, of another task, is the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sharing {
    /// It is.
    Shared,
    /// Each task has its own, as the items of a bundle do.
    Own,
}

impl Acting {
    /// Opens a request for exactly one evaluation, or finds the pending one for the same.
    ///
    /// # Errors
    /// [`crate::Kind::NotFound`] when the person does not belong to the tenant, or what is asked about is gone;
    /// [`crate::Kind::Invalid`] for more than the element allows.
    pub(crate) async fn request_evaluation(&self, ask: AskEvaluation) -> Result<Request> {
        let reason = text("reason", &ask.reason)?;
        let mut tries = Tries::default();
        loop {
            let state = self.scope.state();
            let wanted = self.wanted_evaluation(&state, &ask, reason.clone()).await?;
            if let Some(asked) = self.open(&state, wanted).await? {
                return Ok(asked.view.request);
            }
            tries.again()?;
        }
    }

    /// Refuses what [`Acting::request_evaluation`] would refuse, and writes nothing.
    ///
    /// # Errors
    /// As there.
    pub(crate) async fn refuse_evaluation(&self, ask: &AskEvaluation) -> Result<()> {
        let state = self.scope.state();
        let wanted = self.wanted_evaluation(&state, ask, text("reason", &ask.reason)?).await?;
        self.refuse_beyond_agent(&state, &wanted)?;
        self.refuse_held(&state, &wanted)?;
        let link = wanted.target.link();
        let binding = self.binding(&wanted, link.as_ref())?;
        let print = self.wish_of(&wanted, link.as_ref(), binding.as_ref());
        let request = self.new_request(&wanted, link, print.clone(), binding)?;
        let pending = self.scope.engine.store().pending_request(self.scope.env.id, &print).await?;
        if pending.is_none() {
            self.denied_before(&wanted, &request).await?;
        }
        Ok(())
    }

    async fn wanted_evaluation(
        &self,
        state: &LiveState,
        ask: &AskEvaluation,
        reason: String,
    ) -> Result<Wanted> {
        let element = super::open::element(state, &Ident::from(ask.through.element.as_str()))?;
        let tenant = self.own_tenant(&Ident::from(ask.tenant.as_str())).await?;
        let resource = resource_of(state, &element, None)?;
        let role = role(state, ask)?;
        let target = match (&ask.through.role.at, ask.through.kind) {
            (Place::Tenant(_), _) => Target::Tenant,
            (Place::Instance(at), RequestKind::AccessRequest) => {
                let found = self.scope.find_instance(at.key.as_str(), Some(at.resource.as_str())).await?;
                Target::Instance(found.value)
            }
            (Place::Instance(at), RequestKind::OperationApproval) => {
                let on = state.snapshot.schema().resource_by_key(at.resource.as_str());
                let on = on.ok_or_else(|| Error::not_found("resource", &at.resource))?;
                self.operation_target(on, Some(at.key.as_str()), &tenant).await?
            }
        };
        Ok(Wanted {
            kind: ask.through.kind,
            times: self.times(ask, &element)?,
            element,
            tenant,
            resource: resource.map(|resource| (resource.id, resource.key.clone())),
            target,
            role,
            reason,
            suggested: Vec::new(),
            uses: None,
            call: None,
            bound: Some(ask.bound.clone()),
            manner: Manner::Asked,
        })
    }

    /// Such an approval always ends.
    fn times(&self, ask: &AskEvaluation, element: &askfirst_domain::element::Element) -> Result<Times> {
        let server = self.scope.engine.settings().requests;
        let longest = Span::try_from(LONGEST).unwrap_or(Span::DAY);
        let cap = terms::cap(ask.through.kind, element, server).unwrap_or(server.approval_lasts).min(longest);
        let lasts = match ask.until {
            None => cap,
            Some(until) => {
                let micros = until.micros().saturating_sub(self.scope.op.now.micros());
                let seconds = u64::try_from(micros.div_euclid(1_000_000)).unwrap_or(0);
                let asked = Span::try_from(seconds).map_err(|_| {
                    Error::invalid("`requested_access.requested_until` is not a moment to come.")
                })?;
                if asked > cap {
                    return Err(Error::invalid(format!(
                        "What is approved through `{}` lasts {cap} at most; ask for less, or leave `requested_until` out.",
                        element.key
                    )));
                }
                asked
            }
        };
        Ok(Times { lasts: Some(lasts), ..Times::default() })
    }
}

fn role(state: &LiveState, ask: &AskEvaluation) -> Result<Arc<Role>> {
    let on = match &ask.through.role.at {
        Place::Instance(at) => Some(at.resource.as_str()),
        Place::Tenant(_) => None,
    };
    let role = state.snapshot.schema().role_by_key(on, ask.through.role.role.as_str());
    role.cloned().ok_or_else(|| Error::not_found("role", &ask.through.role.role))
}
