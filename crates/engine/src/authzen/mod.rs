//! The AuthZEN Access Request and Approval Profile: a denial says that it can be asked about, a submission opens requests, a
//! task follows them, and an approval is presented with the next evaluation.
//!
//! - **A denial binds.** What was denied stands in a signed token, and its digest under the signature of the evaluation's id,
//!   so nothing is written for a denial and nothing has to be remembered. Either of the two is enough for a submission.
//! - **A submission opens requests** of the ordinary state machine, each bound to exactly one evaluation: its approval gives no
//!   role and allows nothing but that evaluation.
//! - **A task is a view** of the requests that it opened.
//! - **An approval is looked up, and the policy is asked again**: it counts as long as what was asked for could still be asked
//!   for, and the evaluation is the one that was approved.

mod catalog;
mod complete;
mod denial;
mod keys;
mod submit;
mod task;
mod wire;

pub use catalog::{RequestForm, RequestableRole};
pub use complete::{Honoured, NotHonoured, Presented};
pub use denial::AccessOffer;
pub use keys::TokenKey;
pub use submit::{Denial, Submission, SubmittedItem};
pub use task::{ApprovalRead, ItemRead, TaskRead};
pub use wire::{REQUESTS, TaskWire};

pub(crate) use keys::TokenKeys;

use crate::error::Error;

/// Why a call about access requests is refused: one of the profile's reasons, or any other.
#[derive(Debug)]
pub enum Rejection {
    /// With a sentence.
    Profile(Reason, String),
    Other(Error),
}

/// The errors of the profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// What was denied can't be asked for (any more).
    NotRequestable,
    /// The denial is too old.
    ExpiredDenial,
    /// The submission is not about what was denied.
    InvalidDenialBinding,
    /// Something else was submitted under the same idempotency key.
    DuplicateRequest,
    /// There is no such task, or none that the caller may know of.
    UnknownTask,
    /// The task is not told of any more.
    TaskExpired,
    /// The task has ended.
    InvalidTaskState,
}

impl Rejection {
    fn new(reason: Reason, message: impl Into<String>) -> Self {
        Self::Profile(reason, message.into())
    }

    fn binding(message: impl Into<String>) -> Self {
        Self::new(Reason::InvalidDenialBinding, message)
    }
}

impl From<Error> for Rejection {
    fn from(error: Error) -> Self {
        Self::Other(error)
    }
}

impl From<askfirst_store::StoreError> for Rejection {
    fn from(error: askfirst_store::StoreError) -> Self {
        Self::Other(error.into())
    }
}
