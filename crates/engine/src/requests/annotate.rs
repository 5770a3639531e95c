//! A reviewer's note on a pending request, or another role for it.

use super::{RequestView, comment, decide::other_role, delivery};
use crate::{
    Acting,
    commit::{Draft, Outcome, Tries},
    error::Result,
};
use askfirst_domain::{
    Ident,
    change::{Change, Expect, ObjectRef},
};

impl Acting {
    /// Notes a comment or another role, without deciding.
    ///
    /// # Errors
    /// As [`Acting::decide`].
    pub async fn annotate(
        &self,
        id: &Ident,
        role: Option<Ident>,
        note: Option<String>,
    ) -> Result<RequestView> {
        let note = comment(note.as_ref())?;
        let mut tries = Tries::default();
        loop {
            let found = self.visible(id).await?;
            let state = self.scope.state();
            self.refuse_non_reviewer(&state, &found.value)?;
            let role = match &role {
                Some(ident) => Some(other_role(&state, &found.value, ident)?),
                None => None,
            };
            let request = found.value.annotate(&self.person, role, note.clone(), self.scope.op.now)?;
            let element = state.snapshot.schema().element_by_id(request.element);
            let outbox = delivery::news(&self.scope, element.map(AsRef::as_ref), &request)?;
            let draft = Draft {
                expects: vec![
                    Expect::AtRevision(ObjectRef::Request(request.id), found.revision),
                    Expect::SchemaAt(state.schema_revision),
                ],
                audit: vec![self.request_event("request.annotated", &request)?],
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
