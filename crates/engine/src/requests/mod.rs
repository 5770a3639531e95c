//! Access requests and operation approvals: asked, seen, decided, withdrawn, waited for.
//!
//! How one moves is [`askfirst_domain::request`]; this module says who may move it, and what an approval gives. What the
//! compatible API leaves open is settled here:
//!
//! - **Who may ask.** Any user in a tenant that they belong to; everybody belongs to `default`.
//! - **What may be asked for.** Access requests: the assignable roles (`LEVEL_4`) of a `user_management` element.
//!   Operation approvals: `_Approved_` on an instance of the element's resource. The instance need not exist yet; left
//!   out, a key is made up, and the approval is for that one instance.
//! - **Asking twice.** The same wish (person, role, place) while one is pending answers with the pending one. A role that
//!   the person effectively has already is refused.
//! - **Who sees one.** The requester; for access requests whoever effectively has a `LEVEL_1` to `LEVEL_3` role on the
//!   instance or in its tenant; for operation approvals whoever effectively has `_Reviewer_` on the instance. To
//!   everybody else it does not exist.
//! - **Who decides.** For access requests a `LEVEL_1` role, for operation approvals `_Reviewer_`; never the requester, and
//!   never an agent, which is sent to the page where its human confirms.
//! - **More than one reviewer.** An element may name thresholds ([`askfirst_domain::terms`]). Each review counts for those that
//!   it fits, one of each person; who has lost what made them a reviewer counts for nothing when the decision falls.
//! - **Deciding twice.** The same decision by the same person is answered like the first; any other is refused with a
//!   sentence that says who decided what and when. What makes the reviewer one has to hold still when the decision is
//!   written.
//! - **Ends.** A request that nobody decides in time has expired; what an approval gives lasts as long as it says. Ends count
//!   when somebody looks; they are written down later (`lapse`).
//! - **What an approval gives.** The role, in the transaction of the decision. When the person has been given that role for
//!   as long already, nothing is added. Leave for one call gives no role: it is redeemed, see [`Acting::redeem`].

mod again;
mod annotate;
mod ask_access;
mod ask_evaluation;
mod ask_operation;
mod calls;
mod cancel;
mod counting;
mod decide;
pub(crate) mod delivery;
mod emergency;
mod escalate;
mod foresee;
mod give;
mod lapse;
mod list;
mod narrow;
mod open;
mod predicate;
mod questions;
mod redeem;
mod revoke;
mod rules;
mod sight;
mod stand_ins;
mod suggest;
mod terms;
mod through;
mod view;
mod wait;

pub(crate) use ask_evaluation::{AskEvaluation, Bound, Sharing};
pub use askfirst_domain::Span;
pub use calls::CallAt;
pub use foresee::{Foreseen, Foresight};
pub use list::COUNTED;
pub use redeem::{Pass, Redeem};
pub use stand_ins::{NewStandIn, StandInView, Until};
pub use suggest::MOST_NAMED;
pub use terms::{Again, RequestTimes, Times};
pub use view::{Gives, Heard, PersonView, RequestView, Rights};

use crate::{Acting, error::Error, error::Result};
use askfirst_domain::{
    Ident, Timestamp,
    binding::Call,
    id::RequestId,
    request::{RequestKind, Status},
};
use serde_json::Value;

/// The longest reason or comment, in characters.
pub const MAX_TEXT: usize = 10_000;

/// A wish for a role.
#[derive(Debug, Clone)]
pub struct AskAccess {
    /// A `user_management` element, or an `approval_flow` element on the same resource.
    pub element: Ident,
    pub tenant: Ident,
    /// May be left out where the element is about one resource; must agree with it.
    pub resource: Option<Ident>,
    /// `type:key`, key or id. Required for a role on a resource, refused for a role in a tenant.
    pub instance: Option<String>,
    pub role: Ident,
    pub reason: String,
    /// Who is to look at it first: users who may decide it, [`MOST_NAMED`] at most. None named: the server suggests some.
    pub suggested_reviewers: Vec<Ident>,
    pub times: Times,
}

/// A wish to do something once somebody has looked at it.
#[derive(Debug, Clone)]
pub struct AskOperation {
    /// An `operation_approval` element, or an `approval_management` element on the same resource.
    pub element: Ident,
    pub tenant: Ident,
    /// May be left out; must agree with the element.
    pub resource: Option<Ident>,
    /// `type:key`, key or id; an instance that does not exist is created, none at all gets a key of its own.
    pub instance: Option<String>,
    pub reason: String,
    /// Who is to look at it first: users who may decide it, [`MOST_NAMED`] at most. None named: the server suggests some.
    pub suggested_reviewers: Vec<Ident>,
    pub times: Times,
    /// How often the approval is to be spent; once unless said.
    pub uses: Option<u32>,
    /// The one call that the approval is to be for. It gives no role then, and has to be redeemed.
    pub call: Option<Call>,
}

/// What came of asking.
#[derive(Debug, Clone)]
pub struct Asked {
    pub view: RequestView,
    /// The same was asked before and is still pending; this is that request.
    pub existed: bool,
    /// The same was asked before and denied: the newest such request.
    pub denied: Option<Denied>,
}

/// A denial of the same wish.
#[derive(Debug, Clone, PartialEq)]
pub struct Denied {
    pub request: RequestId,
    /// A person's key, or the rule.
    pub by: Option<String>,
    pub reason: Option<String>,
    pub at: Timestamp,
}

/// Narrows a list of requests. Each member that names something unknown is an error.
#[derive(Debug, Clone, Default)]
pub struct RequestQuery {
    pub kind: Option<RequestKind>,
    /// Resolved as when asking: an `approval_flow` lists what its `user_management` element holds, an
    /// `approval_management` what the operation approvals on its resource hold.
    pub element: Option<Ident>,
    /// One of these; none: any.
    pub statuses: Option<Vec<Status>>,
    pub role: Option<Ident>,
    pub resource: Option<Ident>,
    pub instance: Option<String>,
    pub tenant: Option<Ident>,
    pub ahead: Ahead,
}

/// How far behind its page a list is counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Ahead {
    /// [`COUNTED`] more.
    #[default]
    Counted,
    /// Not further than it takes to say whether there is more.
    OneMore,
}

/// A reviewer's decision.
#[derive(Debug, Clone)]
pub struct Decide {
    pub approve: Verdict,
    pub comment: Option<String>,
}

/// Which way.
#[derive(Debug, Clone)]
pub enum Verdict {
    Approve(Approve),
    Deny,
}

/// What a reviewer gives. The default is what was asked for.
#[derive(Debug, Clone, Default)]
pub struct Approve {
    /// Another assignable role, of an access request.
    pub role: Option<Ident>,
    /// A shorter time than was asked for.
    pub lasts: Option<Span>,
    /// Other arguments of the call: the approval is for these.
    pub arguments: Option<Value>,
}

impl Decide {
    /// The decision, if it is one that may be made here: a denial says why.
    ///
    /// # Errors
    /// [`Kind::Invalid`](crate::Kind::Invalid) for a denial without a comment.
    pub fn explained(self) -> Result<Self> {
        let silent = self.comment.as_ref().is_none_or(|comment| comment.trim().is_empty());
        if matches!(self.approve, Verdict::Deny) && silent {
            return Err(Error::invalid(
                "Say why it is denied: the requester and their agent read it, and go by it. Nothing was decided.",
            ));
        }
        Ok(self)
    }
}

impl Acting {
    /// The page on which the human decides. Holds no secret: whoever opens it has to sign in.
    pub fn confirm_url(&self, id: RequestId) -> String {
        format!("{}/inbox/requests/{id}", self.scope.engine.settings().public_url)
    }
}

/// A reason or comment as it is kept.
pub(crate) fn text(what: &str, text: &str) -> Result<String> {
    let length = text.chars().count();
    if length > MAX_TEXT {
        return Err(Error::invalid(format!(
            "The {what} may have {MAX_TEXT} characters at most; it has {length}."
        )));
    }
    Ok(text.trim().to_owned())
}

/// A comment as it is kept; an empty one is none.
fn comment(given: Option<&String>) -> Result<Option<String>> {
    Ok(given.map(|given| text("comment", given)).transpose()?.filter(|comment| !comment.is_empty()))
}
