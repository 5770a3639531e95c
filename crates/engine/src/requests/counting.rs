//! Whose reviews of a request count for which of its thresholds, as things stand.

use super::{predicate, sight::Sight};
use crate::{Acting, LiveState, error::Result};
use askfirst_domain::{
    Timestamp,
    change::{Expect, ObjectRef},
    element::Element,
    id::UserId,
    request::{Person, Request, Status},
    review::{Progress, Review, Voice, progress},
    terms::Threshold,
};
use askfirst_policy::condition::Truth;
use std::collections::{HashMap, HashSet};

/// The thresholds that ask for something of a request, and who counts for which.
#[derive(Debug)]
pub(super) struct Counting {
    pub(super) thresholds: Vec<Threshold>,
    /// Places in the list of thresholds, by the reviewers who are still there, and those for whom they speak, who may still
    /// decide.
    held: HashMap<(UserId, UserId), HashSet<usize>>,
}

impl Counting {
    /// Whether this review counts for this threshold: whether who gave it may still decide, and holds its role.
    pub(super) fn counts(&self, review: &Review, threshold: &Threshold) -> bool {
        let Some(held) = self.held.get(&of_review(review)) else { return false };
        match self.thresholds.iter().position(|one| one.name == threshold.name) {
            Some(place) => held.contains(&place),
            // The one that holds where the element names none.
            None => self.thresholds.is_empty(),
        }
    }

    /// Whether this review counts for any of them.
    pub(super) fn hears(&self, review: &Review) -> bool {
        self.held.get(&of_review(review)).is_some_and(|held| self.thresholds.is_empty() || !held.is_empty())
    }

    /// How far a request is.
    pub(super) fn progress(&self, request: &Request) -> Vec<Progress> {
        let counts = |review: &Review, threshold: &Threshold| self.counts(review, threshold);
        progress(&self.thresholds, &request.course.reviews, &request.matter(), counts)
    }
}

impl Acting {
    /// Looks at who has been heard, and at who is about to be. `there` are those who still exist: a key may belong to
    /// somebody else by now.
    pub(super) fn counting(
        &self,
        state: &LiveState,
        request: &Request,
        voice: Option<&Voice>,
        there: impl Fn(&Person) -> bool,
    ) -> Counting {
        let element = state.snapshot.schema().element_by_id(request.element);
        let thresholds =
            element.map(|element| asking(state, element, request, self.scope.op.now)).unwrap_or_default();
        let resource = element.and_then(|element| element.resource.as_ref());
        let roles: Vec<_> = thresholds
            .iter()
            .map(|threshold| {
                let role = threshold.role.as_ref();
                role.map(|role| state.snapshot.schema().role_of_terms(resource, role).map(|role| role.id))
            })
            .collect();
        let heard = request.course.reviews.iter().filter(|review| {
            let for_other = review.stands_for.as_ref();
            there(&review.by) && for_other.is_none_or(|other| self.stands_in(state, &review.by, other))
        });
        let heard = heard.map(|review| (review.by.id, review.authority()));
        let now = voice.map(|voice| (voice.by.id, voice.authority()));
        let held = heard
            .chain(now)
            .filter(|(by, authority)| ![*by, authority.id].contains(&request.requester.id))
            .filter_map(|(by, authority)| {
                let mut sight: Sight = self.sight_of(authority);
                if !sight.decides_by_role(request) {
                    return None;
                }
                let fits = |role: &Option<Option<_>>| match role {
                    None => true,
                    Some(None) => false,
                    Some(Some(role)) => sight.holds(*role, request),
                };
                let places: Vec<bool> = roles.iter().map(fits).collect();
                let held = (0..).zip(places).filter(|(_, fits)| *fits).map(|(place, _)| place);
                Some(((by, authority.id), held.collect()))
            })
            .collect();
        Counting { thresholds, held }
    }

    /// Whether somebody stands in for somebody else who is still there.
    fn stands_in(&self, state: &LiveState, by: &Person, other: &Person) -> bool {
        let mut delegations = state.snapshot.schema().stood_for(by.id, self.scope.op.now);
        delegations.any(|one| one.from.id == other.id) && state.snapshot.is_user(other.key.as_str(), other.id)
    }

    /// As [`Acting::counting`], having asked the store who is still there.
    pub(super) async fn counting_now(
        &self,
        state: &LiveState,
        request: &Request,
        voice: &Voice,
    ) -> Result<Counting> {
        let people = self.people(request.course.reviews.iter().map(|review| review.by.id).collect()).await?;
        Ok(self.counting(state, request, Some(voice), |person| {
            people.get(&person.id).is_some_and(|user| user.key == person.key)
        }))
    }

    /// What has to hold still when reviews are counted: nobody who counts has lost anything since.
    pub(super) fn expect_of_reviewers(&self, state: &LiveState, request: &Request) -> Vec<Expect> {
        let reviews = request.course.reviews.iter();
        let mut ids: Vec<UserId> = reviews.flat_map(|review| [review.by.id, review.authority().id]).collect();
        ids.push(self.person.id);
        ids.sort_unstable();
        ids.dedup();
        let since = state.revision;
        // Whoever is gone already counts for nothing; that they are gone stays so.
        ids.into_iter().map(|user| Expect::NothingTakenSince { user, revision: since }).collect()
    }

    /// That the person of this call is still there.
    pub(super) fn expect_myself(&self) -> Expect {
        Expect::Exists(ObjectRef::User(self.person.id))
    }

    /// How far a request is: as it was when the decision fell, or as it is now.
    pub(super) fn progress_of(
        &self,
        state: &LiveState,
        request: &Request,
        there: impl Fn(&Person) -> bool,
    ) -> (Vec<Progress>, HashSet<UserId>) {
        let reviews = &request.course.reviews;
        if request.status != Status::Pending {
            return (request.course.tally.clone(), reviews.iter().map(|review| review.by.id).collect());
        }
        let counting = self.counting(state, request, None, there);
        let matter = request.matter();
        let hears = |review: &Review| counting.hears(review);
        let heard = reviews
            .iter()
            .filter(|review| review.of == matter && hears(review) && !review.yields(reviews, &matter, hears));
        (counting.progress(request), heard.map(|review| review.by.id).collect())
    }
}

/// Who said it, and whose authority it is.
fn of_review(review: &Review) -> (UserId, UserId) {
    (review.by.id, review.authority().id)
}

/// The thresholds of an element that ask for something of this request. One whose condition can't be told asks for it: a
/// threshold is there to be passed, and is not passed by what nobody knows.
pub(super) fn asking(
    state: &LiveState,
    element: &Element,
    request: &Request,
    now: Timestamp,
) -> Vec<Threshold> {
    let asks = |threshold: &&Threshold| {
        let when = threshold.when.as_ref();
        when.is_none_or(|when| predicate::comes_to(state, request, when, now) != Truth::False)
    };
    element.terms.thresholds.iter().filter(asks).cloned().collect()
}
