//! From what a caller wrote to what the store filters by.

use super::{RequestQuery, ask_access::access_element, ask_operation::operation_elements, open::element};
use crate::{
    Acting, LiveState,
    error::{Error, Result},
};
use askfirst_domain::{Ident, element::ElementType, id::RoleId, request::RequestKind};
use askfirst_store::{RequestFilter, Standing};

impl Acting {
    /// The filter that a query comes to.
    pub(super) async fn narrow(&self, state: &LiveState, query: &RequestQuery) -> Result<RequestFilter> {
        let schema = state.snapshot.schema();
        let mut filter = RequestFilter {
            kind: query.kind,
            standing: query.statuses.clone().map(|statuses| Standing { statuses, now: self.scope.op.now }),
            tenant: self.tenant,
            ..Default::default()
        };
        if let Some(ident) = &query.element {
            let element = element(state, ident)?;
            let elements = match (element.kind, query.kind) {
                (
                    ElementType::UserManagement | ElementType::ApprovalFlow,
                    None | Some(RequestKind::AccessRequest),
                ) => {
                    vec![access_element(state, ident)?]
                }
                _ => operation_elements(state, ident)?,
            };
            filter.elements = Some(elements.into_iter().map(|e| e.id).collect());
        }
        if let Some(ident) = &query.tenant {
            let tenant = self.scope.find_tenant(ident).await?.value;
            if self.tenant.is_some_and(|only| only != tenant.id) {
                return Err(Error::not_found("tenant", ident));
            }
            filter.tenant = Some(tenant.id);
        }
        if let Some(ident) = &query.resource {
            let resource = schema.resource(ident).ok_or_else(|| Error::not_found("resource", ident))?;
            filter.resource = Some(resource.key.clone());
        }
        let resource = filter.resource.as_ref().map(ToString::to_string).or_else(|| {
            let only = filter.elements.as_ref().and_then(|ids| ids.first());
            only.and_then(|id| schema.element_by_id(*id)?.resource.as_ref().map(ToString::to_string))
        });
        if let Some(text) = &query.instance {
            filter.instance = Some(self.scope.find_instance(text, resource.as_deref()).await?.value.id);
        }
        if let Some(ident) = &query.role {
            filter.role = Some(role_named(state, resource.as_deref(), ident)?);
        }
        Ok(filter)
    }
}

fn role_named(state: &LiveState, resource: Option<&str>, ident: &Ident) -> Result<RoleId> {
    let schema = state.snapshot.schema();
    if let Some(role) = schema.role(resource, ident).or_else(|| schema.role(None, ident)) {
        return Ok(role.id);
    }
    let named = |id: uuid::Uuid, key: &str| ident.uuid() == Some(id) || key == ident.as_str();
    let mut matching = schema.roles().filter(|r| named(r.id.uuid(), r.key.as_str()));
    match (matching.next(), matching.next()) {
        (Some(role), None) => Ok(role.id),
        (Some(_), Some(_)) => {
            Err(Error::invalid(format!("Several resources have a role `{ident}`; name the resource too.")))
        }
        (None, _) => Err(Error::not_found("role", ident)),
    }
}
