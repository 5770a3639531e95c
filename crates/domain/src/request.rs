//! Requests: access requests ("give me this role there") and operation approvals ("let me do this"), and the only ways
//! in which one moves.
//!
//! `pending` goes to `approved`, `denied`, `canceled` or `expired`, once. What an approval gives is spent, revoked or
//! ends: see [`crate::grant`]. The functions in [`moves`] are the whole state machine; they decide nothing about who is a
//! reviewer (policy does), but they refuse whatever no policy may allow: deciding one's own request, deciding twice or too
//! late, cancelling somebody else's, spending what is spent.
//!
//! Ends count when a request is looked at ([`Request::at`]); whether anything has written them down is another matter.

mod moves;

use crate::{
    Digest, Key, Span, Timestamp, UserKey,
    binding::{Binding, CallError},
    facts::InstanceLink,
    grant::{Grant, GrantState, Offer},
    id::{ElementId, RequestId, ResourceId, RoleId, TenantId, UserId},
    principal::Principal,
    review::{Course, MAX_QUESTIONS},
    task::TaskLink,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::fmt;
use thiserror::Error;

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RequestKind {
    AccessRequest,
    OperationApproval,
}

impl fmt::Display for RequestKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AccessRequest => "access request",
            Self::OperationApproval => "operation approval",
        })
    }
}

/// Where a request stands. The spelling is Permit's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    Pending,
    Approved,
    Denied,
    Canceled,
    /// Nobody decided in time. Our word: Permit has no end of a pending request.
    Expired,
}

impl Status {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Pending, Self::Approved, Self::Denied, Self::Canceled, Self::Expired];

    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Approved => "approved",
            Self::Denied => "denied",
            Self::Canceled => "canceled",
            Self::Expired => "expired",
        }
    }
}

impl std::str::FromStr for Status {
    type Err = Refusal;
    fn from_str(s: &str) -> Result<Self, Refusal> {
        Self::ALL
            .into_iter()
            .find(|status| status.as_str() == s)
            .ok_or_else(|| Refusal::UnknownStatus(s.to_owned()))
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A person in a request: the id binds, the key is for reading.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    pub id: UserId,
    pub key: UserKey,
}

/// A role in a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WantedRole {
    pub id: RoleId,
    pub key: Key,
}

/// An access request or operation approval.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Request {
    pub id: RequestId,
    pub kind: RequestKind,
    pub element: ElementId,
    pub element_key: Key,
    pub requester: Person,
    pub tenant: Key,
    pub tenant_id: TenantId,
    /// None only for an access request for a tenant role.
    pub resource: Option<Key>,
    pub resource_id: Option<ResourceId>,
    pub instance: Option<InstanceLink>,
    /// The role that an approval gives. A reviewer may change it on an access request while it is pending.
    pub role: WantedRole,
    pub reason: String,
    pub status: Status,
    pub reviewer: Option<Person>,
    pub reviewer_comment: Option<String>,
    pub reviewed_at: Option<Timestamp>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    /// Who opened it, from the credential.
    pub opened_by: Principal,
    /// Equal for two requests that ask for the same: see [`wish`].
    pub wish: String,
    /// From then on it can't be decided any more; none for one that was opened before there were deadlines.
    #[serde(default)]
    pub deadline: Option<Timestamp>,
    /// What an approval gives at most.
    #[serde(default)]
    pub offer: Offer,
    /// The one call that an approval is for. With it an approval gives no role and has to be redeemed.
    #[serde(default)]
    pub binding: Option<Binding>,
    /// What the approval gave; none before, and for one that was given before this was kept.
    #[serde(default)]
    pub grant: Option<Grant>,
    /// How the decision falls, or fell.
    #[serde(default)]
    pub course: Course,
    /// The AuthZEN task that opened it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<TaskLink>,
}

/// The fingerprint of what is asked: the same person asking for the same role in the same place, and for the same call
/// where there is one.
pub fn wish(
    kind: RequestKind,
    requester: UserId,
    role: RoleId,
    tenant: TenantId,
    instance: Option<&InstanceLink>,
    binding: Option<&Binding>,
) -> String {
    let place = instance.map_or_else(|| "-".to_owned(), |i| format!("{}:{}", i.resource, i.key));
    let call = binding.map_or_else(String::new, |binding| format!("\n{}", binding.digest));
    Digest::of_bytes(format!("{}\n{requester}\n{role}\n{tenant}\n{place}{call}", kind as u8).as_bytes())
        .as_str()
        .to_owned()
}

impl Request {
    /// The fingerprint of what is asked for, whether by itself or in a bundle; see [`wish`].
    pub fn asks(&self) -> String {
        let (role, tenant) = (self.role.id, self.tenant_id);
        wish(self.kind, self.requester.id, role, tenant, self.instance.as_ref(), self.binding.as_ref())
    }
}

/// Why a request can't move as asked. Each prints as one sentence.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Refusal {
    /// Somebody has decided already.
    #[error("this {kind} was already {status} by {by} at {at}, so it can't be decided again")]
    AlreadyDecided { kind: RequestKind, status: Status, by: String, at: Timestamp },
    /// The requester decides.
    #[error("the user {user} asked for this and so can't decide it; somebody else who may review has to")]
    SelfReview { user: UserKey },
    /// Somebody else than the requester cancels.
    #[error("only {requester}, who asked for this, may cancel it")]
    NotTheRequester { requester: UserKey },
    /// An operation approval has no role to choose.
    #[error("the role of an operation approval can't be changed; it always gives `_Approved_`")]
    FixedRole,
    /// The thread of a request is for talking, and not for ever.
    #[error("{MAX_QUESTIONS} questions were asked about this already; decide it now")]
    TooManyQuestions,
    /// Nobody has asked that.
    #[error("no question about this waits for an answer{}", .0.map(|n| format!(" with the number {n}")).unwrap_or_default())]
    NothingAsked(Option<u32>),
    /// Somebody else than the requester answers.
    #[error("{requester}, who asked for this, is asked; nobody else answers")]
    NotAsked { requester: UserKey },
    /// Nothing to look at afterwards.
    #[error("this {kind} was not taken in an emergency, so there is nothing to look at afterwards")]
    NoEmergency { kind: RequestKind },
    /// Somebody has said so already.
    #[error("{by} has looked at this afterwards already")]
    LookedAt { by: UserKey },
    /// Not a status.
    #[error("`{0}` is not a status; use pending, approved, denied, canceled or expired")]
    UnknownStatus(String),
    /// Nobody decided in time.
    #[error(
        "this {kind} expired at {at} because nobody decided in time; if it is still wanted it has to be asked for again"
    )]
    Expired { kind: RequestKind, at: Timestamp },
    /// Only an approval can be spent or taken away.
    #[error("this {kind} is {status}, so it gives nothing that could be spent or taken away")]
    NotApproved { kind: RequestKind, status: Status },
    /// It was approved before uses were counted.
    #[error("this {kind} was approved before uses were counted, so it can't be redeemed; ask again")]
    Uncounted { kind: RequestKind },
    /// It gives a role.
    #[error(
        "an access request gives a role, which is not spent; ask the decision point whether the role allows it"
    )]
    NotSpendable,
    /// What it gave is over.
    #[error("what this approval gave is {}; ask again if it is still wanted", over(*state, *at))]
    Over { state: GrantState, at: Option<Timestamp> },
    /// A reviewer gives more than was asked for.
    #[error("this was asked for {asked}; a reviewer may give less and not more")]
    LongerThanAsked { asked: String },
    /// Arguments of a request that has none.
    #[error("this request is not about one call, so its arguments can't be changed")]
    NoCall,
    /// The changed call can't be bound.
    #[error(transparent)]
    Call(#[from] CallError),
    /// There is no such use.
    #[error("this approval was not spent a {0}th time")]
    NoSuchUse(u32),
    /// The outcome is known.
    #[error("the outcome of this use is known already: {0}")]
    OutcomeKnown(crate::grant::Outcome),
}

fn over(state: GrantState, at: Option<Timestamp>) -> String {
    let when = at.map(|at| format!(" at {at}")).unwrap_or_default();
    match state {
        GrantState::Spent => format!("spent{when}"),
        GrantState::Revoked => format!("taken away{when}"),
        GrantState::Ended => format!("over: it ended{when}"),
        GrantState::Active => "active".to_owned(),
    }
}

impl Request {
    /// When something about it ends by itself: the wait for a decision, or what the approval gave. None: nothing does, or it
    /// has been written down.
    pub fn ends_at(&self) -> Option<Timestamp> {
        match self.status {
            Status::Pending => self.deadline,
            Status::Approved => {
                let grant = self.grant.as_ref().filter(|grant| {
                    grant.ended.is_none() && grant.revoked.is_none() && grant.left() != Some(0)
                })?;
                grant.ends_at
            }
            Status::Denied | Status::Canceled | Status::Expired => None,
        }
    }
}

impl Request {
    /// When further reviewers are to be told that it waits; none: nobody is, or it does not wait any more.
    pub fn escalates_at(&self) -> Option<Timestamp> {
        self.course.escalates_at.filter(|_| self.status == Status::Pending)
    }

    /// In whose place it was decided, when whoever decided it stood in for somebody.
    pub fn decided_for(&self) -> Option<&Person> {
        let review = self.course.review_of(self.reviewer.as_ref()?)?;
        review.stands_for.as_ref().filter(|_| matches!(self.status, Status::Approved | Status::Denied))
    }
}

/// What a transition led to.
#[derive(Debug, Clone, PartialEq)]
#[must_use]
pub enum Moved {
    /// The request has moved; store it.
    Now(Request),
    /// The identical decision had been made by the same person; nothing is to be stored.
    Before(Request),
}

/// A reviewer's decision.
#[derive(Debug, Clone, PartialEq)]
pub enum Ruling {
    Approve(Approval),
    Deny,
}

/// What a reviewer gives. The default is what was asked for.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Approval {
    /// Another role, of an access request.
    pub role: Option<WantedRole>,
    /// A shorter time than was asked for.
    pub lasts: Option<Span>,
    /// Other arguments of the call: the approval is for these, and has another digest.
    pub arguments: Option<Value>,
}
