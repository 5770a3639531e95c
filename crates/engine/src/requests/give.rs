//! The role that an approval gives.

use crate::{
    EnvScope,
    commit::{About, Draft},
    error::Result,
};
use askfirst_domain::{
    Timestamp,
    change::{Change, Expect, ObjectRef},
    facts::RoleAssignment,
    request::Request,
};
use serde_json::json;

impl EnvScope {
    /// Adds to a draft the assignment that an approval gives, if the person does not have it for as long already. Leave for
    /// one call gives none: a check, which knows no arguments, would allow any other call with it.
    pub(super) async fn give(&self, request: &Request, by: About, draft: &mut Draft) -> Result<()> {
        if request.binding.is_some() {
            return Ok(());
        }
        let instance = request.instance.as_ref().map(|i| i.id);
        let expires_at = request.grant.as_ref().and_then(|grant| grant.ends_at);
        match self.assignment_of(request).await? {
            Some(held) if outlasts(held.value.expires_at, expires_at) => {
                // It has to be there still when this is written.
                draft.expects.push(Expect::AtRevision(ObjectRef::Assignment(held.value.id), held.revision));
                return Ok(());
            }
            Some(held) => {
                draft.expects.push(Expect::AtRevision(ObjectRef::Assignment(held.value.id), held.revision));
                draft.changes.push(Change::DeleteAssignment(held.value));
            }
            None => draft.expects.push(Expect::NoAssignment {
                user: request.requester.id,
                role: request.role.id,
                tenant: request.tenant_id,
                instance,
            }),
        }
        let assignment = RoleAssignment {
            id: self.engine.fresh_id(&self.op)?,
            user: request.requester.key.clone(),
            user_id: request.requester.id,
            role: request.role.key.clone(),
            role_id: request.role.id,
            tenant: request.tenant.clone(),
            tenant_id: request.tenant_id,
            instance: request.instance.clone(),
            expires_at,
            origin: Some(request.id),
            created_at: self.op.now,
        };
        let mut about = About {
            request: Some(request.id),
            object: assignment.instance.as_ref().map(|i| i.reference().to_string()),
            ..by
        };
        about.details.insert("user".to_owned(), json!(assignment.user));
        about.details.insert("role".to_owned(), json!(assignment.role));
        about.details.insert("tenant".to_owned(), json!(assignment.tenant));
        draft.audit.push(self.audit("role_assignment.created", about)?);
        draft.changes.push(Change::PutAssignment(assignment));
        Ok(())
    }
}

/// Whether something that ends at `held` (none: never) lasts as long as what ends at `given`.
fn outlasts(held: Option<Timestamp>, given: Option<Timestamp>) -> bool {
    held.is_none_or(|held| given.is_some_and(|given| held >= given))
}
