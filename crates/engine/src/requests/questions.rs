//! A reviewer's question about a pending request, and the answer of who asked for it.

use super::{RequestView, delivery, text};
use crate::{
    Acting,
    commit::{Draft, Outcome, Tries},
    error::{Error, Result},
};
use askfirst_domain::{
    Ident,
    change::{Change, Expect, ObjectRef},
    request::Request,
    review::Reply,
};
use askfirst_store::Versioned;

impl Acting {
    /// Asks the requester something before deciding. Whoever waits for the decision is woken, and told.
    ///
    /// # Errors
    /// As [`Acting::decide`]; [`Kind::Invalid`](crate::Kind::Invalid) without a question.
    pub async fn ask_back(&self, id: &Ident, question: &str) -> Result<RequestView> {
        let question = said("question", question)?;
        let mut tries = Tries::default();
        loop {
            let found = self.visible(id).await?;
            let state = self.scope.state();
            self.refuse_non_reviewer(&state, &found.value)?;
            let next = found.value.ask_back(&self.person, question.clone(), self.scope.op.now)?;
            let expects = vec![
                Expect::SchemaAt(state.schema_revision),
                Expect::NothingTakenSince { user: self.person.id, revision: state.revision },
            ];
            if let Some(view) = self.write_thread("request.question_asked", &found, next, expects).await? {
                return Ok(view);
            }
            tries.again()?;
        }
    }

    /// Answers a question about the person's own request: the one of this number, else the oldest that waits. Their agent may
    /// do so too; whose words they are stays with them.
    ///
    /// # Errors
    /// [`Kind::NotFound`](crate::Kind::NotFound) for a request that the person may not see,
    /// [`Kind::Forbidden`](crate::Kind::Forbidden) for somebody else's, [`Kind::Conflict`](crate::Kind::Conflict) when nothing
    /// is asked (any more).
    pub async fn answer(&self, id: &Ident, number: Option<u32>, answer: &str) -> Result<RequestView> {
        let answer = said("answer", answer)?;
        let mut tries = Tries::default();
        loop {
            let found = self.visible(id).await?;
            let op = &self.scope.op;
            let reply = Reply { by: op.principal.clone(), text: answer.clone(), at: op.now };
            let next = found.value.answer(self.person.id, number, reply)?;
            if let Some(view) =
                self.write_thread("request.question_answered", &found, next, Vec::new()).await?
            {
                return Ok(view);
            }
            tries.again()?;
        }
    }

    /// None: somebody else wrote first.
    async fn write_thread(
        &self,
        code: &str,
        found: &Versioned<Request>,
        next: Request,
        expects: Vec<Expect>,
    ) -> Result<Option<RequestView>> {
        let state = self.scope.state();
        let element = state.snapshot.schema().element_by_id(next.element);
        let mut draft = Draft {
            expects,
            audit: vec![self.request_event(code, &next)?],
            outbox: delivery::news(&self.scope, element.map(AsRef::as_ref), &next)?.collect(),
            facts: Vec::new(),
            changes: vec![Change::PutRequest(Box::new(next.clone()))],
        };
        draft.expects.push(Expect::AtRevision(ObjectRef::Request(next.id), found.revision));
        match self.scope.commit(draft).await? {
            Outcome::Done(_) => Ok(Some(self.view(next).await?)),
            Outcome::Again => Ok(None),
        }
    }
}

fn said(what: &str, given: &str) -> Result<String> {
    let kept = text(what, given)?;
    if kept.is_empty() {
        return Err(Error::invalid(format!("Say something in the {what}.")));
    }
    Ok(kept)
}
