//! Withdrawing a request.

use super::{RequestView, delivery, text};
use crate::{
    Acting,
    commit::{Draft, Outcome, Tries},
    error::Result,
};
use askfirst_domain::{
    Ident,
    change::{Change, Expect, ObjectRef},
    request::Moved,
};

impl Acting {
    /// Takes one's own request back; a given reason replaces the request's. The requester's agent may do so too.
    ///
    /// # Errors
    /// [`Kind::NotFound`](crate::Kind::NotFound) for a request that the person may not see,
    /// [`Kind::Forbidden`](crate::Kind::Forbidden) for somebody else's, [`Kind::Conflict`](crate::Kind::Conflict) for a
    /// decided one.
    pub async fn cancel(&self, id: &Ident, reason: Option<String>) -> Result<RequestView> {
        let reason = reason.map(|r| text("reason", &r)).transpose()?.filter(|r| !r.is_empty());
        let mut tries = Tries::default();
        loop {
            let found = self.visible(id).await?;
            let moved = found.value.cancel(self.person.id, reason.clone(), self.scope.op.now)?;
            let request = match moved {
                Moved::Before(request) => return self.view(request).await,
                Moved::Now(request) => request,
            };
            let state = self.scope.state();
            let element = state.snapshot.schema().element_by_id(request.element);
            let outbox = delivery::news(&self.scope, element.map(AsRef::as_ref), &request)?;
            let draft = Draft {
                expects: vec![Expect::AtRevision(ObjectRef::Request(request.id), found.revision)],
                audit: vec![self.request_event("request.canceled", &request)?],
                outbox: outbox.collect(),
                facts: Vec::new(),
                changes: vec![Change::PutRequest(Box::new(request.clone()))],
            };
            match self.scope.commit(draft).await? {
                Outcome::Done(_) => return self.view(request).await,
                Outcome::Again => tries.again()?,
            }
        }
    }
}
