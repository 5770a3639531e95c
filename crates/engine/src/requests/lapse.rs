//! What has ended by itself is written down: a request that nobody decided in time, and what an approval gave.
//!
//! Nothing depends on when this happens, since whoever looks at a request compares its ends with the time of the look. It
//! is done so that an event tells of it, and the webhook.

use super::delivery;
use crate::{
    Engine, EnvScope, LiveState,
    commit::{About, Draft, Outcome, Tries},
    error::Result,
};
use askfirst_domain::{
    change::{Change, Expect, ObjectRef},
    id::EnvId,
    request::{Request, Status},
};
use askfirst_store::{AssignmentFilter, Page, RequestFilter, Versioned};
use std::{convert::Infallible, time::Duration};
use tokio::time::MissedTickBehavior;

/// How many are written down with one commit, so that nobody waits long behind it.
const BATCH: u32 = 100;
/// How often they are looked for.
const EVERY: Duration = Duration::from_secs(5);

impl Engine {
    /// Writes down what has ended by itself in all environments, and which requests are put before more people. Gives how many
    /// there were.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn write_down_ends(&self) -> Result<u64> {
        let environments: Vec<EnvId> =
            self.directory().get().environments().iter().map(|env| env.id).collect();
        let mut written = 0;
        for env in environments {
            let scope = self.enter_as_system(env, "expiry").await?;
            written += scope.write_down_ends().await?;
            written += scope.tell_of_escalations().await?;
        }
        Ok(written)
    }

    /// Does so again and again, until it is dropped.
    pub async fn keep_writing_down_ends(self) -> Infallible {
        let mut ticks = tokio::time::interval(EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            match self.write_down_ends().await {
                Ok(0) => {}
                Ok(written) => tracing::debug!(written, "wrote down what has ended by itself"),
                Err(error) => {
                    tracing::warn!(?error, "what has ended could not be written down; trying again later");
                }
            }
        }
    }
}

impl EnvScope {
    async fn write_down_ends(&self) -> Result<u64> {
        let filter = RequestFilter { ends_by: Some(self.op.now), ..RequestFilter::default() };
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
                if let Some(before) = self.engine.store().request(self.env.id, request.id).await?
                    && let Some(lapsed) = before.value.lapse(self.op.now)
                {
                    self.draft_lapse(&state, &before, lapsed, &mut draft).await?;
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

    /// Adds to a draft what writes down that a request, or what it gave, has ended.
    pub(super) async fn draft_lapse(
        &self,
        state: &LiveState,
        before: &Versioned<Request>,
        lapsed: Request,
        draft: &mut Draft,
    ) -> Result<()> {
        draft.expects.push(Expect::AtRevision(ObjectRef::Request(lapsed.id), before.revision));
        let code = if lapsed.status == Status::Expired { "request.expired" } else { "grant.ended" };
        draft.audit.push(self.event_of_request(code, &lapsed, About::default())?);
        if lapsed.status == Status::Expired {
            let element = state.snapshot.schema().element_by_id(lapsed.element);
            draft.outbox.extend(delivery::news(self, element.map(AsRef::as_ref), &lapsed)?);
        } else {
            draft.outbox.extend(delivery::news_of_grant(self, &lapsed, code)?);
            self.draft_end_of_role(&lapsed, draft).await?;
        }
        draft.changes.push(Change::PutRequest(Box::new(lapsed)));
        Ok(())
    }

    /// Takes away the role that an approval gave, if it is still there as it was given.
    pub(super) async fn draft_end_of_role(&self, request: &Request, draft: &mut Draft) -> Result<()> {
        let Some(held) = self.assignment_of(request).await? else { return Ok(()) };
        if held.value.origin != Some(request.id) {
            return Ok(());
        }
        draft.expects.push(Expect::AtRevision(ObjectRef::Assignment(held.value.id), held.revision));
        let mut about = About {
            request: Some(request.id),
            object: held.value.instance.as_ref().map(|i| i.reference().to_string()),
            ..About::default()
        };
        about.details.insert("user".to_owned(), held.value.user.as_str().into());
        about.details.insert("role".to_owned(), held.value.role.as_str().into());
        about.details.insert("tenant".to_owned(), held.value.tenant.as_str().into());
        draft.audit.push(self.audit("role_assignment.deleted", about)?);
        draft.changes.push(Change::DeleteAssignment(held.value));
        Ok(())
    }

    /// The assignment of a request's role to its requester in its place, ended or not, whoever gave it.
    pub(super) async fn assignment_of(
        &self,
        request: &Request,
    ) -> Result<Option<Versioned<askfirst_domain::facts::RoleAssignment>>> {
        let filter = AssignmentFilter {
            users: Some(vec![request.requester.id]),
            roles: Some(vec![request.role.id]),
            tenants: Some(vec![request.tenant_id]),
            instance: request.instance.as_ref().map(|i| i.id),
            ..AssignmentFilter::default()
        };
        let (store, env) = (self.engine.store(), self.env.id);
        let found = store.assignments(env, &filter, Page { offset: 0, limit: 1 }).await?;
        match found.items.into_iter().next() {
            Some(assignment) => Ok(store.assignment(env, assignment.id).await?),
            None => Ok(None),
        }
    }
}
