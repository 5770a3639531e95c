//! Requests as they are reached through an element and a tenant that a path names.

use super::{RequestView, ask_access::access_element, ask_operation::operation_elements};
use crate::{
    Acting,
    error::{Error, Result},
};
use askfirst_domain::{Ident, id::ElementId, request::RequestKind};

impl Acting {
    /// The same person, limited to one tenant.
    ///
    /// # Errors
    /// [`Kind::NotFound`](crate::Kind::NotFound) when there is no such tenant or the credential does not reach it.
    pub async fn within_tenant(&self, tenant: &Ident) -> Result<Self> {
        let id = self.scope.find_tenant(tenant).await?.value.id;
        if self.tenant.is_some_and(|only| only != id) {
            return Err(Error::not_found("tenant", tenant));
        }
        Ok(Self { tenant: Some(id), ..self.clone() })
    }

    /// One request, if it is of this kind and was opened through this element.
    ///
    /// # Errors
    /// [`Kind::NotFound`](crate::Kind::NotFound) when there is none that the person may see.
    pub async fn request_through(
        &self,
        kind: RequestKind,
        element: &Ident,
        id: &Ident,
    ) -> Result<RequestView> {
        let state = self.scope.state();
        let elements: Vec<ElementId> = match kind {
            RequestKind::AccessRequest => vec![access_element(&state, element)?.id],
            RequestKind::OperationApproval => {
                operation_elements(&state, element)?.into_iter().map(|e| e.id).collect()
            }
        };
        let view = self.request(id).await?;
        if view.request.kind == kind && elements.contains(&view.request.element) {
            Ok(view)
        } else {
            Err(Error::new(
                crate::Kind::NotFound,
                format!("There is no {kind} `{id}` in the element `{element}`."),
            ))
        }
    }
}
