//! Taking at once what would have to be asked for, in an emergency; and looking at it afterwards.

use super::{
    Ahead, AskAccess, AskOperation, Asked, RequestView, comment, delivery,
    list::Part,
    open::{Manner, Wanted},
    text,
};
use crate::{
    Acting, LiveState, Via,
    commit::{Draft, Outcome, Tries},
    error::{Error, Result},
};
use askfirst_domain::{
    Ident,
    change::{Change, Expect, ObjectRef},
    request::{Moved, Request, Status},
    review::{AfterVerdict, Look},
    terms::BreakGlass,
};
use askfirst_store::{Emergencies, Listed, Page, RequestFilter, Standing};
use serde_json::json;
use std::collections::BTreeSet;

impl Acting {
    /// Takes a role at once. The element has to allow it to a role that the person holds there; it is short, it needs a
    /// reason, and somebody looks at it afterwards.
    ///
    /// # Errors
    /// [`Kind::Forbidden`](crate::Kind::Forbidden) where the element does not allow it to this person, or not to an agent;
    /// [`Kind::Invalid`](crate::Kind::Invalid) without a reason; and as [`Acting::request_access`].
    pub async fn take_access(&self, ask: AskAccess) -> Result<Asked> {
        let reason = urgent(&ask.reason)?;
        let mut tries = Tries::default();
        loop {
            let state = self.scope.state();
            let wanted = self.wanted_access(&state, &ask, reason.clone()).await?;
            let wanted = Wanted { manner: Manner::Emergency, ..wanted };
            if let Some(asked) = self.open(&state, wanted).await? {
                return Ok(asked);
            }
            tries.again()?;
        }
    }

    /// Takes leave to do something at once; otherwise as [`Acting::take_access`].
    ///
    /// # Errors
    /// As [`Acting::take_access`].
    pub async fn take_operation(&self, ask: AskOperation) -> Result<Asked> {
        let reason = urgent(&ask.reason)?;
        let mut tries = Tries::default();
        loop {
            let state = self.scope.state();
            let wanted = self.wanted_operation(&state, &ask, reason.clone()).await?;
            let wanted = Wanted { manner: Manner::Emergency, ..wanted };
            if let Some(asked) = self.open(&state, wanted).await? {
                return Ok(asked);
            }
            tries.again()?;
        }
    }

    /// The request as it was taken, with what that writes.
    pub(super) async fn take(
        &self,
        state: &LiveState,
        wanted: &Wanted,
        request: &Request,
        draft: &mut Draft,
    ) -> Result<Request> {
        let glass = self.may_take(state, wanted, request)?;
        let taken = request.break_glass(glass.lasts.unwrap_or(BreakGlass::MOST), self.scope.op.now)?;
        draft.expects.push(Expect::NothingTakenSince { user: self.person.id, revision: state.revision });
        self.scope.give(&taken, self.about(), draft).await?;
        let mut about = self.about();
        about.details.insert("reason".to_owned(), json!(taken.reason));
        draft.audit.push(self.scope.event_of_request("break_glass.used", &taken, about)?);
        Ok(taken)
    }

    /// Whether the person may take this at once; what the element says about it.
    pub(super) fn may_take<'w>(
        &self,
        state: &LiveState,
        wanted: &'w Wanted,
        request: &Request,
    ) -> Result<&'w BreakGlass> {
        let element = &wanted.element;
        let Some(glass) = &element.terms.break_glass else {
            return Err(Error::forbidden(format!(
                "Nothing can be taken without a decision through `{}`; ask for it.",
                element.key
            )));
        };
        if matches!(self.via, Via::Agent | Via::Model) && !glass.agents {
            return Err(Error::forbidden(format!(
                "An agent takes nothing without a decision here; {} may, if it can't wait.",
                self.person.key
            )));
        }
        let mut sight = self.sight();
        let schema = state.snapshot.schema();
        let mut roles = glass.roles.iter();
        let held = roles.any(|role| {
            let role = schema.role_of_terms(element.resource.as_ref(), role);
            role.is_some_and(|role| sight.holds(role.id, request))
        });
        if held {
            return Ok(glass);
        }
        let roles: Vec<String> = glass.roles.iter().map(|role| format!("`{role}`")).collect();
        Err(Error::forbidden(format!(
            "{} may not take this without a decision; it takes the role {} there. Ask for it.",
            self.person.key,
            roles.join(" or ")
        )))
    }

    /// Says afterwards whether it was right to take something in an emergency. Whoever may decide the request may, and never
    /// who took it.
    ///
    /// # Errors
    /// As [`Acting::decide`]; [`Kind::Invalid`](crate::Kind::Invalid) for what was not taken in an emergency.
    pub async fn look_at(
        &self,
        id: &Ident,
        verdict: AfterVerdict,
        said: Option<String>,
    ) -> Result<RequestView> {
        let said = comment(said.as_ref())?;
        let mut tries = Tries::default();
        loop {
            let found = self.visible(id).await?;
            let state = self.scope.state();
            self.refuse_non_reviewer(&state, &found.value)?;
            let look =
                Look { by: self.person.clone(), verdict, comment: said.clone(), at: self.scope.op.now };
            let request = match found.value.look_at(look)? {
                Moved::Before(request) => return self.view(request).await,
                Moved::Now(request) => request,
            };
            let element = state.snapshot.schema().element_by_id(request.element);
            let mut about = self.about();
            about.details.insert("verdict".to_owned(), json!(verdict));
            about.details.insert("said".to_owned(), json!(said));
            let draft = Draft {
                expects: vec![
                    Expect::AtRevision(ObjectRef::Request(request.id), found.revision),
                    Expect::SchemaAt(state.schema_revision),
                    Expect::NothingTakenSince { user: self.person.id, revision: state.revision },
                ],
                audit: vec![self.scope.event_of_request("break_glass.reviewed", &request, about)?],
                outbox: delivery::news(&self.scope, element.map(AsRef::as_ref), &request)?.collect(),
                facts: Vec::new(),
                changes: vec![Change::PutRequest(Box::new(request.clone()))],
            };
            match self.scope.commit(draft).await? {
                Outcome::Done(_) => return self.view(request).await,
                Outcome::Again => tries.again()?,
            }
        }
    }

    /// What was taken in an emergency and waits for this person to look at it, newest first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn emergencies(&self, page: Page) -> Result<Listed<RequestView>> {
        let mut sight = self.sight();
        let standing = Some(Standing::only(Status::Approved, self.scope.op.now));
        let filter = RequestFilter {
            standing,
            tenant: self.tenant,
            emergencies: Emergencies::Unlooked,
            ..RequestFilter::default()
        };
        let me = self.person.id;
        let part = Part { page, ahead: Ahead::Counted };
        let waits = |request: &Request| request.course.is_unlooked() && request.requester.id != me;
        // There are few of them, whatever else there is.
        let listed = self.sift(&filter, BTreeSet::new(), part, |r| waits(r) && sight.decides(r)).await?;
        self.viewed(listed, &mut sight).await
    }
}

fn urgent(reason: &str) -> Result<String> {
    let reason = text("reason", reason)?;
    if reason.is_empty() {
        return Err(Error::invalid(
            "Say why this can't wait for a decision; whoever looks at it afterwards reads it.",
        ));
    }
    Ok(reason)
}
