//! What a request would need, without making it.

use super::{AskAccess, AskOperation, counting, open::Wanted, sight::deciding_role_ids, text};
use crate::{Acting, LiveState, error::Result};
use askfirst_domain::{
    Span, Timestamp, UserKey, id::RequestId, request::Status, review::Vote, terms::Threshold,
};
use askfirst_policy::PlaceRef;

/// What would come of asking.
#[derive(Debug, Clone, PartialEq)]
pub enum Foreseen {
    /// It would wait for reviewers.
    Waits,
    /// The same is asked already, and this request waits.
    Pending(RequestId),
    /// A rule of the element would decide it at once.
    Rule { name: String, vote: Vote },
    /// It would be refused, for this reason.
    Refused(String),
}

/// What a request would need.
#[derive(Debug, Clone, PartialEq)]
pub struct Foresight {
    pub foreseen: Foreseen,
    /// Who could review it now, without who asks; sorted.
    pub reviewers: Vec<UserKey>,
    /// Whom the server would suggest, or who was named; the first goes first.
    pub suggested: Vec<UserKey>,
    /// The thresholds that would ask for something; none: one reviewer decides.
    pub thresholds: Vec<Threshold>,
    /// Until when somebody could decide.
    pub deadline: Option<Timestamp>,
    /// How long what is given would last.
    pub lasts: Option<Span>,
    /// How often it could be spent.
    pub uses: Option<u32>,
    /// Whether the person could take it at once, in an emergency.
    pub break_glass: bool,
}

impl Acting {
    /// What asking for a role would need. Writes nothing.
    ///
    /// # Errors
    /// As [`Acting::request_access`] for names that are not there.
    pub async fn foresee_access(&self, ask: AskAccess) -> Result<Foresight> {
        let state = self.scope.state();
        let wanted = self.wanted_access(&state, &ask, text("reason", &ask.reason)?).await?;
        self.foresee(&state, &wanted).await
    }

    /// What asking for an operation would need. Writes nothing.
    ///
    /// # Errors
    /// As [`Acting::request_operation`] for names that are not there.
    pub async fn foresee_operation(&self, ask: AskOperation) -> Result<Foresight> {
        let state = self.scope.state();
        let wanted = self.wanted_operation(&state, &ask, text("reason", &ask.reason)?).await?;
        self.foresee(&state, &wanted).await
    }

    async fn foresee(&self, state: &LiveState, wanted: &Wanted) -> Result<Foresight> {
        let now = self.scope.op.now;
        let (element, link) = (&wanted.element, wanted.target.link());
        let binding = self.binding(wanted, link.as_ref())?;
        let print = self.wish_of(wanted, link.as_ref(), binding.as_ref());
        let request = self.new_request(wanted, link.clone(), print.clone(), binding)?;
        let pending = self.scope.engine.store().pending_request(self.scope.env.id, &print).await?;
        let pending = pending.filter(|pending| pending.value.clone().at(now).status == Status::Pending);
        let refused =
            match self.refuse_held(state, wanted).and_then(|()| self.refuse_beyond_agent(state, wanted)) {
                Err(error) => Some(error),
                Ok(()) => self.denied_before(wanted, &request).await.err(),
            };
        let foreseen = match (pending, refused, self.rule_for(state, element, &request, now)) {
            (Some(pending), _, _) => Foreseen::Pending(pending.value.id),
            (None, Some(error), _) => Foreseen::Refused(error.message().to_owned()),
            (None, None, Some(rule)) => Foreseen::Rule { name: rule.name.clone(), vote: rule.then },
            (None, None, None) => Foreseen::Waits,
        };
        let place = link.as_ref().map_or(PlaceRef::Tenant(wanted.tenant.key.as_str()), |on| {
            PlaceRef::Instance { resource: on.resource.as_str(), key: on.key.as_str() }
        });
        let mut reviewers = state.snapshot.holders(&place, &deciding_role_ids(state, &request), now);
        let schema = state.snapshot.schema();
        let stands_in = schema.delegations().filter(|one| {
            one.holds(now)
                && reviewers.contains(&one.from.key)
                && state.snapshot.is_user(one.from.key.as_str(), one.from.id)
                && one.from.id != self.person.id
        });
        let stand_ins: Vec<UserKey> = stands_in.map(|one| one.to.key.clone()).collect();
        reviewers.extend(stand_ins);
        reviewers.sort_unstable();
        reviewers.dedup();
        reviewers.retain(|reviewer| *reviewer != self.person.key);
        let suggested = Box::pin(self.suggestions(state, &request, &wanted.suggested)).await?;
        Ok(Foresight {
            foreseen,
            suggested: suggested.into_iter().map(|person| person.key).collect(),
            reviewers,
            thresholds: counting::asking(state, element, &request, now),
            deadline: request.deadline,
            lasts: request.offer.lasts,
            uses: request.offer.uses,
            break_glass: self.may_take(state, wanted, &request).is_ok(),
        })
    }
}
