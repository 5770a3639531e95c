//! Telling further reviewers that a request has waited for long.
//!
//! Who may review besides depends on the moment of the look alone ([`super::sight::escalated`]) and not on this. When a step
//! begins it is written down, once, and some of those who may decide from now on are told.

use super::sight::{deciding_role_ids, step_roles};
use crate::{
    EnvScope, LiveState,
    commit::{About, Draft, Outcome, Tries},
    delivery::{Occasion, letters},
    error::{Kind, Result},
};
use askfirst_domain::{
    Ident, Timestamp, UserKey,
    change::{Change, Expect, ObjectRef},
    element::Element,
    id::{RoleId, UserId},
    request::{Request, Status},
    terms::Escalation,
};
use askfirst_policy::PlaceRef;
use askfirst_store::{Page, RequestFilter, Versioned};
use serde_json::json;

/// How many are written down with one commit.
const BATCH: u32 = 100;
/// How many are told of one step.
const MOST_TOLD: usize = 20;
/// How many of those who hold its roles are looked at for that.
const LOOKED_AT: usize = 100;

/// When the first step of the element's escalation begins after a moment.
pub(super) fn next(element: &Element, request: &Request, after: Timestamp) -> Option<Timestamp> {
    let steps = element.terms.escalation.iter();
    steps.map(|step| begins(step, request)).filter(|at| *at > after).min()
}

fn begins(step: &Escalation, request: &Request) -> Timestamp {
    request.created_at.plus(step.after.duration())
}

impl EnvScope {
    /// Writes down which steps have begun. Gives how many requests there were.
    pub(super) async fn tell_of_escalations(&self) -> Result<u64> {
        let filter = RequestFilter { escalates_by: Some(self.op.now), ..RequestFilter::default() };
        let (mut written, mut tries) = (0, Tries::default());
        loop {
            let page = Page { offset: 0, limit: BATCH };
            let found = self.engine.store().requests(self.env.id, &filter, page).await?.items;
            if found.is_empty() {
                return Ok(written);
            }
            let (state, mut draft, mut count) = (self.state(), Draft::default(), 0);
            for request in found {
                // Read with its revision; somebody may have written it since it was listed.
                let before = self.engine.store().request(self.env.id, request.id).await?;
                let due =
                    before.filter(|before| before.value.escalates_at().is_some_and(|at| at <= self.op.now));
                if let Some(before) = due {
                    self.draft_escalation(&state, &before, &mut draft).await?;
                    count += 1;
                }
            }
            if draft.changes.is_empty() {
                tries.again()?;
                continue;
            }
            match self.commit(draft).await? {
                Outcome::Done(_) => written += count,
                Outcome::Again => tries.again()?,
            }
        }
    }

    async fn draft_escalation(
        &self,
        state: &LiveState,
        before: &Versioned<Request>,
        draft: &mut Draft,
    ) -> Result<()> {
        let (now, mut request) = (self.op.now, before.value.clone());
        let since = request.course.escalates_at;
        let element = state.snapshot.schema().element_by_id(request.element).cloned();
        request.course.escalates_at = element.as_ref().and_then(|element| next(element, &request, now));
        draft.expects.push(Expect::AtRevision(ObjectRef::Request(request.id), before.revision));
        let waits = request.clone().at(now).status == Status::Pending;
        if let Some(element) = element.filter(|_| waits) {
            let begun = |step: &&Escalation| {
                let at = begins(step, &request);
                at <= now && Some(at) >= since
            };
            let roles = step_roles(state, &element, element.terms.escalation.iter().filter(begun));
            if !roles.is_empty() {
                let mut earlier = deciding_role_ids(state, &request);
                let old = |step: &&Escalation| Some(begins(step, &request)) < since;
                earlier.extend(step_roles(state, &element, element.terms.escalation.iter().filter(old)));
                let told = self.newly_able(state, &request, &roles, &earlier).await?;
                let details = std::iter::once(("told".to_owned(), json!(told.len()))).collect();
                let about = About { details, ..About::default() };
                draft.audit.push(self.event_of_request("request.escalated", &request, about)?);
                draft.outbox.extend(letters(self, Some(&element), request.id, Occasion::Escalated, told)?);
            }
        }
        draft.changes.push(Change::PutRequest(Box::new(request)));
        Ok(())
    }

    /// Some of those who may decide because of these roles, and could not because of the earlier ones: the nearest.
    async fn newly_able(
        &self,
        state: &LiveState,
        request: &Request,
        roles: &[RoleId],
        earlier: &[RoleId],
    ) -> Result<Vec<UserId>> {
        let now = self.op.now;
        let place = request.instance.as_ref().map_or(PlaceRef::Tenant(request.tenant.as_str()), |on| {
            PlaceRef::Instance { resource: on.resource.as_str(), key: on.key.as_str() }
        });
        let could = |key: &UserKey| {
            let held = state.snapshot.roles_on(key.as_str(), &place, now);
            held.iter().any(|role| earlier.contains(&role.id))
        };
        let near = state.snapshot.nearest_holders(&place, roles, now, LOOKED_AT);
        let new =
            near.into_iter().map(|(_, key)| key).filter(|key| *key != request.requester.key && !could(key));
        let mut told = Vec::new();
        for key in new.take(MOST_TOLD) {
            // The state may be a little older than the store.
            match self.find_user(&Ident::from(key.as_str())).await {
                Ok(user) => told.push(user.value.id),
                Err(error) if error.kind() == Kind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        Ok(told)
    }
}
