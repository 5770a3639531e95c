//! One call and what was said of it before: found by the call itself, without a request's id.
//!
//! Whoever holds a call (a hook, a permission prompt, an agent that was started again) often has nothing else. What is
//! found is the person's own, asked through the same agent, on the same thing, with the same action, arguments and context.

use super::{Again, Pass, Redeem, RequestQuery, RequestView};
use crate::{
    Acting,
    error::{Error, Kind, Result},
};
use askfirst_domain::{
    Ident,
    binding::{Binding, Call, agent_of},
    grant::{GrantState, Outcome},
    request::{Request, RequestKind, Status, wish},
};
use askfirst_store::{Page, RequestFilter};

/// How many of the person's requests are looked at, the newest first.
const MOST: u32 = 500;

/// A call, and where it is to be made.
#[derive(Debug, Clone)]
pub struct CallAt {
    /// An `operation_approval` element, or an `approval_management` element on the same resource.
    pub element: Ident,
    pub tenant: Ident,
    /// `type:key`, key or id; none: on whatever thing it was approved.
    pub instance: Option<String>,
    pub call: Call,
}

/// How a request is about a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum About {
    /// It was asked for this call. A reviewer may have changed the arguments since.
    Asked,
    /// It is good for exactly this call.
    Exactly,
}

impl Acting {
    /// What was said of this call already and still holds: an approval that is not used up (a reviewer may have changed its
    /// arguments), else a denial that stands (`Acting::denial_stands`). A wish that is pending is not looked for: asking
    /// anew finds it.
    ///
    /// # Errors
    /// When the element is not there, or the store fails.
    pub async fn answer_to_call(&self, at: &CallAt) -> Result<Option<RequestView>> {
        let now = self.scope.op.now;
        let state = self.scope.state();
        let stands = |request: &Request| {
            let element = state.snapshot.schema().element_by_id(request.element)?;
            let until = request.reviewed_at?.plus(self.denial_stands(element, Again::Unbidden)?.duration());
            Some(until > now)
        };
        let holds = |request: &Request| match request.status {
            Status::Approved => is_active(request, now),
            Status::Denied => stands(request).unwrap_or(false),
            _ => false,
        };
        let statuses = vec![Status::Approved, Status::Denied];
        let found = match self.newest_about(at, statuses, About::Asked, holds).await {
            // Nothing was ever said of a thing that is not there yet.
            Err(error) if error.kind() == Kind::NotFound && at.instance.is_some() => None,
            found => found?,
        };
        match found {
            Some(request) => Ok(Some(self.view(request).await?)),
            None => Ok(None),
        }
    }

    /// Spends one use of the newest approval of exactly this call.
    ///
    /// # Errors
    /// [`Kind::NotFound`] when there is none, and those of [`Acting::redeem`]. In each case nothing is spent.
    pub async fn redeem_call(&self, at: &CallAt) -> Result<Pass> {
        let now = self.scope.op.now;
        let active = |request: &Request| is_active(request, now);
        let found = self.newest_about(at, vec![Status::Approved], About::Exactly, active).await?;
        let request = found.ok_or_else(|| {
            Error::new(
                Kind::NotFound,
                format!(
                    "There is no unused approval of exactly this call of `{}`, so it must not be made; ask for one first.",
                    at.call.action
                ),
            )
        })?;
        let redeem = Redeem { call: Some(at.call.clone()), ..Redeem::default() };
        self.redeem(&Ident::from(request.id.uuid()), &redeem).await
    }

    /// Says what came of the newest use of an approval of exactly this call of which nobody has said so yet.
    ///
    /// # Errors
    /// [`Kind::NotFound`] when there is no such use, and those of [`Acting::record_outcome`].
    pub async fn record_call(
        &self,
        at: &CallAt,
        outcome: Outcome,
        note: Option<String>,
    ) -> Result<RequestView> {
        let open = |request: &Request| open_use(request).is_some();
        let found = self.newest_about(at, vec![Status::Approved], About::Exactly, open).await?;
        let Some((request, number)) =
            found.and_then(|found| open_use(&found).map(|number| (found.id, number)))
        else {
            return Err(Error::new(
                Kind::NotFound,
                format!(
                    "No approval of exactly this call of `{}` was used without an outcome, so there is nothing to say.",
                    at.call.action
                ),
            ));
        };
        self.record_outcome(&Ident::from(request.uuid()), number, outcome, note).await
    }

    /// The newest of the person's requests about a call.
    async fn newest_about(
        &self,
        at: &CallAt,
        statuses: Vec<Status>,
        about: About,
        fits: impl Fn(&Request) -> bool,
    ) -> Result<Option<Request>> {
        at.call.check()?;
        let query = RequestQuery {
            kind: Some(RequestKind::OperationApproval),
            element: Some(at.element.clone()),
            statuses: Some(statuses),
            tenant: Some(at.tenant.clone()),
            instance: at.instance.clone(),
            ..RequestQuery::default()
        };
        let filter = self.narrow(&self.scope.state(), &query).await?;
        let filter = RequestFilter { requester: Some(self.person.id), ..filter };
        let page = Page { offset: 0, limit: MOST };
        let listed = self.scope.engine.store().requests(self.scope.env.id, &filter, page).await?;
        for request in listed.items {
            if fits(&request) && self.is_about(&request, &at.call, about)? {
                return Ok(Some(request));
            }
        }
        Ok(None)
    }

    fn is_about(&self, request: &Request, call: &Call, about: About) -> Result<bool> {
        let Some(bound) = request.binding.as_ref().filter(|bound| bound.call.action == call.action) else {
            return Ok(false);
        };
        let agent = agent_of(&self.scope.op.principal);
        let this =
            Binding::new(self.scope.env.id, self.person.id, agent, bound.resource.clone(), call.clone())?;
        Ok(match about {
            About::Exactly => this.digest == bound.digest,
            About::Asked => {
                let instance = request.instance.as_ref();
                let (role, tenant) = (request.role.id, request.tenant_id);
                request.wish == wish(request.kind, self.person.id, role, tenant, instance, Some(&this))
            }
        })
    }
}

fn is_active(request: &Request, now: askfirst_domain::Timestamp) -> bool {
    request.grant.as_ref().is_some_and(|grant| grant.state(now) == GrantState::Active)
}

/// The number of the newest use of which nobody has said what came of it.
fn open_use(request: &Request) -> Option<u32> {
    let spent = &request.grant.as_ref()?.spent;
    let place = spent.iter().rposition(|used| used.outcome == Outcome::Unknown)?;
    u32::try_from(place + 1).ok()
}
