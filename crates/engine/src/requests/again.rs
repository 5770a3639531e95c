//! Asking again for what was denied.

use super::{Again, Denied, open::Wanted};
use crate::{
    Acting, Via,
    error::{Error, Result},
};
use askfirst_domain::{
    Span,
    element::Element,
    request::{Request, Status},
};
use askfirst_store::{Page, RequestFilter, Standing};

/// How many denials of the same person, role and place are looked through for the same wish.
const LOOKED_THROUGH: u32 = 100;

impl Acting {
    /// The newest denial of the same thing, also where one of the two was asked for in a bundle. Refuses the wish when it comes
    /// too soon after it: what a person has refused is not asked for until they give in.
    pub(super) async fn denied_before(&self, wanted: &Wanted, request: &Request) -> Result<Option<Denied>> {
        let now = self.scope.op.now;
        let filter = RequestFilter {
            kind: Some(wanted.kind),
            standing: Some(Standing::only(Status::Denied, now)),
            requester: Some(self.person.id),
            tenant: Some(wanted.tenant.id),
            instance: request.instance.as_ref().map(|link| link.id),
            ..RequestFilter::default()
        };
        let (page, asked) = (Page { offset: 0, limit: LOOKED_THROUGH }, request.asks());
        let denials = self.scope.engine.store().requests(self.scope.env.id, &filter, page).await?.items;
        let newest = denials
            .into_iter()
            .filter(|denial| denial.asks() == asked)
            .max_by_key(|denial| denial.reviewed_at);
        let Some(denial) = newest else { return Ok(None) };
        let said = denied(&denial);
        let then = self
            .denial_stands(&wanted.element, wanted.times.again)
            .map(|pause| said.at.plus(pause.duration()));
        match then.filter(|then| *then > now) {
            Some(then) => Err(Error::conflict(format!(
                "{} Do not try it in another way, and do not ask for it again: the same is not taken before {then}, and \
                 after that ask only if {} tells you to.",
                said.sentence(),
                self.person.key
            ))),
            None => Ok(Some(said)),
        }
    }

    /// How long a denial stands: so long the same wish is not taken again, and a call that was denied is answered with the
    /// denial. The element says, and then for everybody. Where it does not, an agent has to leave it for an hour unless its human
    /// says otherwise, and people ask when they like.
    pub(super) fn denial_stands(&self, element: &Element, again: Again) -> Option<Span> {
        let unbidden = matches!(self.via, Via::Agent | Via::Model) && again == Again::Unbidden;
        element.terms.ask_again_after.or_else(|| unbidden.then_some(Span::HOUR))
    }
}

fn denied(request: &Request) -> Denied {
    Denied {
        request: request.id,
        by: request
            .reviewer
            .as_ref()
            .map(|by| by.key.to_string())
            .or_else(|| request.course.rule.as_ref().map(|rule| format!("the rule `{rule}`"))),
        reason: request.reviewer_comment.clone(),
        at: request.reviewed_at.unwrap_or(request.updated_at),
    }
}

impl Denied {
    /// Who denied it, when and why.
    pub fn sentence(&self) -> String {
        let by = self.by.as_ref().map(|by| format!(" by {by}")).unwrap_or_default();
        let why =
            self.reason.as_ref().map(|why| format!(", because: \u{201c}{why}\u{201d}")).unwrap_or_default();
        format!("The same was denied{by} at {}{why}.", self.at)
    }
}
