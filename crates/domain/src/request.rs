//! Requests: access requests ("give me this role there") and operation approvals ("let me do this"), and the only ways
//! in which one moves.
//!
//! `pending` goes to `approved`, `denied` or `canceled`, once. The functions here are the whole state machine; they
//! decide nothing about who is a reviewer (policy does), but they refuse whatever no policy may allow: deciding one's
//! own request, deciding twice, cancelling somebody else's.

use crate::{
    Digest, Key, Timestamp, UserKey,
    facts::InstanceLink,
    id::{ElementId, RequestId, ResourceId, RoleId, TenantId, UserId},
    principal::Principal,
};
use serde::{Deserialize, Serialize};
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
}

impl Status {
    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Approved => "approved",
            Self::Denied => "denied",
            Self::Canceled => "canceled",
        }
    }
}

impl std::str::FromStr for Status {
    type Err = Refusal;
    fn from_str(s: &str) -> Result<Self, Refusal> {
        [Self::Pending, Self::Approved, Self::Denied, Self::Canceled]
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
}

/// The fingerprint of what is asked: the same person asking for the same role in the same place.
pub fn wish(
    kind: RequestKind,
    requester: UserId,
    role: RoleId,
    tenant: TenantId,
    instance: Option<&InstanceLink>,
) -> String {
    let place = instance.map_or_else(|| "-".to_owned(), |i| format!("{}:{}", i.resource, i.key));
    Digest::of_bytes(format!("{}\n{requester}\n{role}\n{tenant}\n{place}", kind as u8).as_bytes())
        .as_str()
        .to_owned()
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
    /// Not a status.
    #[error("`{0}` is not a status; use pending, approved, denied or canceled")]
    UnknownStatus(String),
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
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ruling {
    /// Give the role, or another one.
    Approve {
        role: Option<WantedRole>,
    },
    Deny,
}

impl Request {
    /// A reviewer decides. That this person may review has been checked by the caller.
    ///
    /// # Errors
    /// [`Refusal::SelfReview`], [`Refusal::AlreadyDecided`], [`Refusal::FixedRole`].
    pub fn decide(
        &self,
        by: &Person,
        ruling: Ruling,
        comment: Option<String>,
        at: Timestamp,
    ) -> Result<Moved, Refusal> {
        if by.id == self.requester.id {
            return Err(Refusal::SelfReview { user: by.key.clone() });
        }
        let (status, role) = match ruling {
            Ruling::Approve { role } => (Status::Approved, role),
            Ruling::Deny => (Status::Denied, None),
        };
        if let Some(wanted) = &role
            && self.kind == RequestKind::OperationApproval
            && wanted.id != self.role.id
        {
            return Err(Refusal::FixedRole);
        }
        if self.status != Status::Pending {
            let same_role = role.as_ref().is_none_or(|r| r.id == self.role.id);
            let same_person = self.reviewer.as_ref().is_some_and(|r| r.id == by.id);
            return if self.status == status && same_person && same_role {
                Ok(Moved::Before(self.clone()))
            } else {
                Err(self.already_decided())
            };
        }
        Ok(Moved::Now(Self {
            status,
            role: role.unwrap_or_else(|| self.role.clone()),
            reviewer: Some(by.clone()),
            reviewer_comment: comment.or_else(|| self.reviewer_comment.clone()),
            reviewed_at: Some(at),
            updated_at: at,
            ..self.clone()
        }))
    }

    /// A reviewer notes a comment or another role, without deciding.
    ///
    /// # Errors
    /// As [`Request::decide`].
    pub fn annotate(
        &self,
        by: &Person,
        role: Option<WantedRole>,
        comment: Option<String>,
        at: Timestamp,
    ) -> Result<Request, Refusal> {
        if by.id == self.requester.id {
            return Err(Refusal::SelfReview { user: by.key.clone() });
        }
        if self.status != Status::Pending {
            return Err(self.already_decided());
        }
        if self.kind == RequestKind::OperationApproval && role.as_ref().is_some_and(|r| r.id != self.role.id)
        {
            return Err(Refusal::FixedRole);
        }
        Ok(Self {
            role: role.unwrap_or_else(|| self.role.clone()),
            reviewer_comment: comment.or_else(|| self.reviewer_comment.clone()),
            updated_at: at,
            ..self.clone()
        })
    }

    /// The requester takes it back. A given reason replaces the request's own (Permit's rule).
    ///
    /// # Errors
    /// [`Refusal::NotTheRequester`], [`Refusal::AlreadyDecided`].
    pub fn cancel(&self, by: UserId, reason: Option<String>, at: Timestamp) -> Result<Moved, Refusal> {
        if by != self.requester.id {
            return Err(Refusal::NotTheRequester { requester: self.requester.key.clone() });
        }
        match self.status {
            Status::Pending => Ok(Moved::Now(Self {
                status: Status::Canceled,
                reason: reason.unwrap_or_else(|| self.reason.clone()),
                updated_at: at,
                ..self.clone()
            })),
            Status::Canceled => Ok(Moved::Before(self.clone())),
            Status::Approved | Status::Denied => Err(self.already_decided()),
        }
    }

    fn already_decided(&self) -> Refusal {
        Refusal::AlreadyDecided {
            kind: self.kind,
            status: self.status,
            by: self.reviewer.as_ref().unwrap_or(&self.requester).key.to_string(),
            at: self.reviewed_at.unwrap_or(self.updated_at),
        }
    }
}
