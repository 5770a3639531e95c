//! Facts: users, tenants, instances, role assignments and relationship tuples. One file each.
//!
//! Reads come from the store. A write is planned from what the store says, commits only if that still holds, and is
//! planned anew if it does not. A bulk call is one write: all of it happens, or nothing.

mod assign;
mod assignments;
mod bulk_users;
mod find;
mod instances;
mod invites;
mod members;
mod notes;
mod resolve;
mod tenants;
mod tuples;
mod unassign;
mod users;

pub use assign::AssignmentSpec;
pub use assignments::{AssignmentDetails, AssignmentQuery};
pub use instances::{InstanceQuery, InstanceView, NewInstance};
pub use invites::{Arrival, InviteEdit, InviteQuery, NewInvite};
pub use members::{Membership, UserView};
pub use tenants::{NewTenant, TenantEdit};
pub use tuples::{TupleDetails, TupleQuery, TupleSpec};
pub use unassign::UnassignmentSpec;
pub use users::{NewUser, UserEdit, UserRoleSpec};

pub(crate) use notes::FactNote;

use crate::{
    EnvScope,
    commit::{Draft, Outcome},
    error::{Error, Kind, Result},
};

/// How many users one call may write.
pub const MAX_USERS: usize = 3000;
/// How many tenants one call may write.
pub const MAX_TENANTS: usize = 2000;
/// How many instances one call may write.
pub const MAX_INSTANCES: usize = 3000;
/// How many role assignments one call may write.
pub const MAX_ASSIGNMENTS: usize = 2000;
/// How many relationship tuples one call may write.
pub const MAX_TUPLES: usize = 1000;

impl EnvScope {
    /// Commits; false means that somebody else wrote first (also: made the same new thing), plan anew.
    async fn settled(&self, draft: Draft) -> Result<bool> {
        if draft.changes.is_empty() {
            return Ok(true);
        }
        match self.commit(draft).await {
            Ok(Outcome::Done(_)) => Ok(true),
            Ok(Outcome::Again) => Ok(false),
            Err(e) if e.kind() == Kind::Duplicate => Ok(false),
            Err(e) => Err(e),
        }
    }
}

/// Refuses a bulk call that is too large.
pub(crate) fn bounded(what: &str, given: usize, most: usize) -> Result<()> {
    if given <= most {
        return Ok(());
    }
    let message =
        format!("One call takes {most} {what} at most; this one has {given}. Send them in several calls.");
    Err(Error::new(Kind::TooLarge, message))
}
