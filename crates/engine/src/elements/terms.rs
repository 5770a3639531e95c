//! The terms of an element: how long its requests wait, who has to agree, what its approvals give.

use crate::{
    EnvScope,
    commit::{Outcome, Tries},
    error::Result,
};
use askfirst_domain::{Ident, element::Element, terms::Terms};
use serde_json::json;

impl EnvScope {
    /// Sets the whole terms of an element. They hold for pending requests too: who has to agree is looked at when somebody
    /// decides.
    ///
    /// # Errors
    /// [`Kind::NotFound`](crate::Kind::NotFound), and [`Kind::Invalid`](crate::Kind::Invalid) for terms that can't be kept:
    /// a role that is not there, a condition that can't be read, a threshold that nobody has to pass.
    pub async fn set_terms(&self, ident: &Ident, terms: Terms) -> Result<Element> {
        let mut tries = Tries::default();
        loop {
            let state = self.state();
            let old = self.element(ident)?;
            let mut terms = terms.clone();
            state.snapshot.schema().settle_terms(old.resource.as_ref(), &mut terms);
            if old.terms == terms {
                return Ok(Element::clone(&old));
            }
            let element = Element { terms, updated_at: self.op.now, ..Element::clone(&old) };
            let mut draft = self.element_draft(&state, "element.terms_set", &element, Some(&old))?;
            for event in &mut draft.audit {
                event.details.insert("terms".to_owned(), json!(element.terms));
            }
            match self.commit(draft).await? {
                Outcome::Done(_) => return Ok(element),
                Outcome::Again => tries.again()?,
            }
        }
    }
}
