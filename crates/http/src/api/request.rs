//! How our own API shows a request.

use crate::{
    openapi::{IdShape, KeyShape, RequestKindWord, RequestStatusWord, UserKeyShape},
    permit::wire::Moment,
};
use askfirst_domain::{
    Digest, Key, Timestamp, UserKey,
    binding::Call,
    grant::{Grant, GrantState, Offer, Outcome, Spending},
    id::{AgentId, RequestId},
    request::{RequestKind, Status},
    review::{AfterVerdict, Emergency, Progress, Question, Vote},
};
use askfirst_engine::{
    Acting,
    requests::{Asked, Heard, PersonView, RequestView},
};
use serde::Serialize;
use utoipa::ToSchema;

/// A user, as a request names them.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = InboxPerson)]
struct PersonRead {
    #[schema(value_type = UserKeyShape)]
    key: UserKey,
    name: String,
    #[schema(required)]
    email: Option<String>,
}

impl From<&PersonView> for PersonRead {
    fn from(person: &PersonView) -> Self {
        Self { key: person.key.clone(), name: person.display_name(), email: person.email.clone() }
    }
}

/// A request, in our own words.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = InboxRequest)]
pub(super) struct RequestRead {
    #[schema(value_type = IdShape)]
    id: RequestId,
    #[schema(value_type = RequestKindWord)]
    kind: RequestKind,
    #[schema(value_type = RequestStatusWord)]
    status: Status,
    /// Where it stands, in one sentence.
    sentence: String,
    requester: PersonRead,
    #[schema(value_type = KeyShape)]
    role: Key,
    role_name: String,
    /// What the role permits.
    actions: Vec<String>,
    /// `type:key`, or `tenant KEY`.
    place: String,
    #[schema(value_type = KeyShape)]
    tenant: Key,
    /// The key of the element.
    #[schema(value_type = KeyShape)]
    element: Key,
    /// Written by the requester or their agent.
    reason: String,
    /// Who has to agree, and how far that is; of a decided request, how far it was.
    #[schema(value_type = Vec<Object>)]
    thresholds: Vec<Progress>,
    /// Who was named as a reviewer, or suggested by the server; whoever else may decide it may all the same.
    suggested_reviewers: Vec<PersonRead>,
    /// What reviewers have said, oldest first; one of each.
    reviews: Vec<ReviewRead>,
    /// What reviewers have asked before deciding, oldest first.
    questions: Vec<QuestionRead>,
    /// Of a wish just made: the same was denied before.
    #[schema(required)]
    denied_before: Option<DeniedRead>,
    /// `automatic: NAME` of a rule, or the key of a person; `berta for anna` of a stand-in.
    #[schema(required)]
    decided_by: Option<String>,
    /// It was taken in an emergency, and this was said afterwards.
    #[schema(value_type = Option<Object>, required)]
    emergency: Option<EmergencyRead>,
    #[schema(required)]
    reviewer: Option<PersonRead>,
    /// In whose place the reviewer has decided.
    #[schema(required)]
    reviewer_for: Option<PersonRead>,
    #[schema(required)]
    reviewer_comment: Option<String>,
    #[schema(required)]
    reviewed_at: Option<Moment>,
    created_at: Moment,
    updated_at: Moment,
    /// From then on it can't be decided any more.
    deadline: Option<Moment>,
    /// What an approval gives at most.
    #[schema(value_type = Object)]
    offer: Offer,
    /// The one call that it is for, with its digest.
    #[schema(value_type = Option<Object>)]
    call: Option<CallRead>,
    /// What the approval gave.
    #[schema(value_type = Option<Object>)]
    grant: Option<GrantRead>,
    may_decide: bool,
    /// In whose place this user may decide it.
    may_stand_for: Vec<PersonRead>,
    /// It waits for this user, who was not heard about it as it is now.
    awaited: bool,
    may_cancel: bool,
    /// The page on which it is decided.
    url: String,
    /// The digest of all this: a decision that names it holds for exactly this.
    shown: String,
}

/// A question of a reviewer.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Question)]
struct QuestionRead {
    /// From 1.
    number: u32,
    #[schema(value_type = UserKeyShape)]
    by: UserKey,
    text: String,
    at: Moment,
    #[schema(required)]
    answer: Option<String>,
    #[schema(required)]
    answered_at: Option<Moment>,
}

impl QuestionRead {
    fn new((number, question): (u32, &Question)) -> Self {
        Self {
            number,
            by: question.by.key.clone(),
            text: question.text.clone(),
            at: Moment(question.at),
            answer: question.answer.as_ref().map(|answer| answer.text.clone()),
            answered_at: question.answer.as_ref().map(|answer| Moment(answer.at)),
        }
    }
}

/// What was said afterwards of what was taken in an emergency.
#[derive(Debug, Serialize)]
struct EmergencyRead {
    looked_at_by: Option<UserKey>,
    verdict: Option<AfterVerdict>,
    comment: Option<String>,
    looked_at: Option<Moment>,
}

impl EmergencyRead {
    fn new(emergency: &Emergency) -> Self {
        let look = emergency.looked_at.as_ref();
        Self {
            looked_at_by: look.map(|look| look.by.key.clone()),
            verdict: look.map(|look| look.verdict),
            comment: look.and_then(|look| look.comment.clone()),
            looked_at: look.map(|look| Moment(look.at)),
        }
    }
}

/// A denial of the same wish.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DeniedBefore)]
struct DeniedRead {
    #[schema(value_type = IdShape)]
    request: RequestId,
    by: Option<String>,
    reason: Option<String>,
    at: Moment,
}

/// What one reviewer has said.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Review)]
struct ReviewRead {
    by: PersonRead,
    /// In whose place they said it.
    #[schema(required)]
    stands_for: Option<PersonRead>,
    /// `approve` or `deny`.
    #[schema(value_type = String)]
    vote: Vote,
    #[schema(required)]
    comment: Option<String>,
    at: Moment,
    /// Whether it counts: whoever said it may decide, and the request is still as it was then.
    counts: bool,
}

impl ReviewRead {
    fn new(heard: &Heard) -> Self {
        Self {
            by: (&heard.by).into(),
            stands_for: heard.stands_for.as_ref().map(PersonRead::from),
            vote: heard.vote,
            comment: heard.comment.clone(),
            at: Moment(heard.at),
            counts: heard.counts,
        }
    }
}

/// The one call that an approval is for.
#[derive(Debug, Serialize)]
struct CallRead {
    digest: Digest,
    /// The id of the agent; none when no agent asked.
    agent: Option<AgentId>,
    #[serde(flatten)]
    call: Call,
}

/// What an approval gave.
#[derive(Debug, Serialize)]
struct GrantRead {
    state: GrantState,
    ends_at: Option<Moment>,
    /// How many uses are left; null for a role.
    left: Option<u32>,
    uses: Vec<UseRead>,
    revoked_by: Option<UserKey>,
    revoked_because: Option<String>,
}

#[derive(Debug, Serialize)]
struct UseRead {
    at: Moment,
    outcome: Outcome,
    outcome_at: Option<Moment>,
    note: Option<String>,
}

impl GrantRead {
    fn new(grant: &Grant, now: Timestamp) -> Self {
        let use_of = |spent: &Spending| UseRead {
            at: Moment(spent.at),
            outcome: spent.outcome,
            outcome_at: spent.outcome_at.map(Moment),
            note: spent.note.clone(),
        };
        Self {
            state: grant.state(now),
            ends_at: grant.ends_at.map(Moment),
            left: grant.left(),
            uses: grant.spent.iter().map(use_of).collect(),
            revoked_by: grant.revoked.as_ref().map(|revoked| revoked.by.key.clone()),
            revoked_because: grant.revoked.as_ref().and_then(|revoked| revoked.reason.clone()),
        }
    }
}

impl RequestRead {
    /// The request that came of asking.
    pub(super) fn asked(acting: &Acting, asked: &Asked) -> Self {
        let denied_before = asked.denied.as_ref().map(|denied| DeniedRead {
            request: denied.request,
            by: denied.by.clone(),
            reason: denied.reason.clone(),
            at: Moment(denied.at),
        });
        Self { denied_before, ..Self::new(acting, &asked.view) }
    }

    pub(super) fn new(acting: &Acting, view: &RequestView) -> Self {
        let request = &view.request;
        Self {
            id: request.id,
            kind: request.kind,
            status: request.status,
            sentence: view.sentence(),
            requester: (&view.requester).into(),
            role: request.role.key.clone(),
            role_name: view.gives.role_name.clone(),
            actions: view.gives.actions.clone(),
            place: view.place(),
            tenant: request.tenant.clone(),
            element: request.element_key.clone(),
            reason: request.reason.clone(),
            thresholds: view.progress.clone(),
            suggested_reviewers: view.suggested.iter().map(PersonRead::from).collect(),
            reviews: view.heard.iter().map(ReviewRead::new).collect(),
            questions: (1..).zip(&request.course.questions).map(QuestionRead::new).collect(),
            denied_before: None,
            decided_by: view.decided_by(),
            emergency: request.course.emergency.as_ref().map(EmergencyRead::new),
            reviewer: view.reviewer.as_ref().map(PersonRead::from),
            reviewer_for: view.reviewer_for.as_ref().map(PersonRead::from),
            reviewer_comment: request.reviewer_comment.clone(),
            reviewed_at: request.reviewed_at.map(Moment),
            created_at: Moment(request.created_at),
            updated_at: Moment(request.updated_at),
            deadline: request.deadline.map(Moment),
            offer: request.offer,
            call: request.binding.as_ref().map(|binding| CallRead {
                digest: binding.digest.clone(),
                agent: binding.agent,
                call: binding.call.clone(),
            }),
            grant: request.grant.as_ref().map(|grant| GrantRead::new(grant, acting.scope().op().now)),
            may_decide: view.rights.decide,
            may_stand_for: view.may_stand_for.iter().map(PersonRead::from).collect(),
            awaited: view.rights.awaited,
            may_cancel: view.rights.cancel,
            url: acting.confirm_url(request.id),
            shown: view.shown(),
        }
    }
}
