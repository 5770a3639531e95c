//! Asking for an operation approval.

use super::{
    AskOperation, Asked,
    ask_access::{check_place, resource_of},
    open::{Manner, Target, Wanted},
    text,
};
use crate::{
    Acting, LiveState,
    commit::Tries,
    error::{Error, Result},
};
use askfirst_domain::{
    Ident, Key,
    element::{APPROVED_ROLE, Element, ElementType},
    facts::{Attributes, Instance, Tenant},
    request::RequestKind,
    schema::Resource,
};
use std::sync::Arc;

impl Acting {
    /// Asks for an operation approval, for the person for whom the call is made.
    ///
    /// # Errors
    /// [`Kind::NotFound`](crate::Kind::NotFound) for an element or tenant that is not there,
    /// [`Kind::Conflict`](crate::Kind::Conflict) when the person has an approval on that instance.
    pub async fn request_operation(&self, ask: AskOperation) -> Result<Asked> {
        let reason = text("reason", &ask.reason)?;
        let mut tries = Tries::default();
        loop {
            let state = self.scope.state();
            let wanted = self.wanted_operation(&state, &ask, reason.clone()).await?;
            if let Some(asked) = self.open(&state, wanted).await? {
                return Ok(asked);
            }
            tries.again()?;
        }
    }

    pub(super) async fn wanted_operation(
        &self,
        state: &LiveState,
        ask: &AskOperation,
        reason: String,
    ) -> Result<Wanted> {
        let elements = operation_elements(state, &ask.element)?;
        let element = elements.into_iter().next().ok_or_else(|| Error::not_found("element", &ask.element))?;
        let tenant = self.own_tenant(&ask.tenant).await?;
        let missing = || {
            Error::conflict(format!(
                "The element `{}` is about a resource that does not exist any more.",
                element.key
            ))
        };
        let resource = resource_of(state, &element, ask.resource.as_ref())?.ok_or_else(missing)?;
        let role = state.snapshot.schema().role_by_key(Some(resource.key.as_str()), APPROVED_ROLE).cloned();
        let role = role.ok_or_else(|| {
            Error::conflict(format!(
                "The resource `{}` has lost its role `{APPROVED_ROLE}`, so nothing can be approved on it.",
                resource.key
            ))
        })?;
        let target = self.operation_target(&resource, ask.instance.as_deref(), &tenant).await?;
        Ok(Wanted {
            kind: RequestKind::OperationApproval,
            element,
            tenant,
            resource: Some((resource.id, resource.key.clone())),
            target,
            role,
            reason,
            suggested: ask.suggested_reviewers.clone(),
            times: ask.times,
            uses: ask.uses,
            call: ask.call.clone(),
            bound: None,
            manner: Manner::Asked,
        })
    }

    pub(super) async fn operation_target(
        &self,
        resource: &Resource,
        instance: Option<&str>,
        tenant: &Tenant,
    ) -> Result<Target> {
        let engine = &self.scope.engine;
        let Some(text) = instance else {
            let key = format!("op-{}", engine.fresh_id::<()>(&self.scope.op)?.uuid().simple());
            return self.fresh_instance(resource, key.parse()?, tenant).map(Target::Fresh);
        };
        if let Some(found) = self.scope.look_up_instance(text, Some(resource.key.as_str())).await? {
            check_place(&found.value, &resource.key, tenant)?;
            return Ok(Target::Instance(found.value));
        }
        let key = match text.split_once(':') {
            Some((named, key)) if named == resource.key.as_str() => key,
            Some((named, _)) => {
                return Err(Error::invalid(format!(
                    "`{text}` is on `{named}`, but this element is about `{}`.",
                    resource.key
                )));
            }
            None => text,
        };
        self.fresh_instance(resource, key.parse()?, tenant).map(Target::Fresh)
    }

    fn fresh_instance(&self, resource: &Resource, key: Key, tenant: &Tenant) -> Result<Instance> {
        let op = &self.scope.op;
        Ok(Instance {
            id: self.scope.engine.fresh_id(op)?,
            key,
            resource: resource.key.clone(),
            resource_id: resource.id,
            tenant: tenant.key.clone(),
            tenant_id: tenant.id,
            attributes: Attributes::new(),
            created_at: op.now,
            updated_at: op.now,
        })
    }
}

/// The `operation_approval` elements that an ident stands for; one at least.
pub(super) fn operation_elements(state: &LiveState, ident: &Ident) -> Result<Vec<Arc<Element>>> {
    let element = super::open::element(state, ident)?;
    match element.kind {
        ElementType::OperationApproval => Ok(vec![element]),
        ElementType::ApprovalManagement => {
            let elements = state.snapshot.schema().elements();
            let found: Vec<_> = elements
                .filter(|e| {
                    e.kind == ElementType::OperationApproval && e.is_active && e.resource == element.resource
                })
                .cloned()
                .collect();
            if found.is_empty() {
                return Err(Error::invalid(format!(
                    "The element `{}` has no operation_approval element on the same resource; create one.",
                    element.key
                )));
            }
            Ok(found)
        }
        _ => Err(Error::invalid(format!(
            "Operation approvals go through an operation_approval or approval_management element; \
             `{}` is another kind of element.",
            element.key
        ))),
    }
}
