//! Taking away what an approval gave.

use super::{RequestView, comment, delivery};
use crate::{
    Acting, Via,
    commit::{Draft, Outcome, Tries},
    error::{Error, Result},
};
use askfirst_domain::{
    Ident,
    change::{Change, Expect, ObjectRef},
    request::Moved,
};

impl Acting {
    /// Takes away what an approval gave, with the role if it gave one. Whoever may decide the request may do so, and the
    /// requester, who gives it back.
    ///
    /// # Errors
    /// [`Kind::NotFound`](crate::Kind::NotFound) for a request that the person may not see,
    /// [`Kind::Forbidden`](crate::Kind::Forbidden) for whoever may only see it, [`Kind::Conflict`](crate::Kind::Conflict) when
    /// there is nothing to take away (any more).
    pub async fn revoke(&self, id: &Ident, reason: Option<String>) -> Result<RequestView> {
        let reason = comment(reason.as_ref())?;
        let mut tries = Tries::default();
        loop {
            let found = self.visible(id).await?;
            let own = found.value.requester.id == self.person.id;
            if !own && (self.via == Via::Agent || !self.sight().decides(&found.value)) {
                return Err(Error::forbidden(format!(
                    "{} may not take back this {}; its requester may, and whoever may decide it.",
                    self.person.key, found.value.kind
                )));
            }
            let state = self.scope.state();
            let moved = found.value.revoke(&self.person, reason.clone(), self.scope.op.now)?;
            let request = match moved {
                Moved::Before(request) => return self.view(request).await,
                Moved::Now(request) => request,
            };
            let mut draft = Draft {
                expects: vec![
                    Expect::AtRevision(ObjectRef::Request(request.id), found.revision),
                    Expect::SchemaAt(state.schema_revision),
                ],
                audit: vec![self.request_event("grant.revoked", &request)?],
                outbox: delivery::news_of_grant(&self.scope, &request, "grant.revoked")?,
                ..Draft::default()
            };
            self.scope.draft_end_of_role(&request, &mut draft).await?;
            draft.changes.push(Change::PutRequest(Box::new(request.clone())));
            match self.scope.commit(draft).await? {
                Outcome::Done(_) => return self.view(request).await,
                Outcome::Again => tries.again()?,
            }
        }
    }
}
