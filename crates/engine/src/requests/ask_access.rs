//! Asking for a role.

use super::{
    AskAccess, Asked,
    open::{Manner, Target, Wanted},
    text,
};
use crate::{
    Acting, LiveState,
    commit::Tries,
    error::{Error, Kind, Result},
};
use askfirst_domain::{
    Ident, Key,
    element::{Element, ElementType, Level},
    facts::{Instance, Tenant},
    request::RequestKind,
    schema::{Resource, Role},
};
use std::sync::Arc;

impl Acting {
    /// Asks for a role, for the person for whom the call is made.
    ///
    /// # Errors
    /// [`Kind::NotFound`] for an element, tenant or instance that is not there, [`Kind::Invalid`] for a role that can't be
    /// asked for (the sentence names those that can), [`Kind::Conflict`] when the person has the role already.
    pub async fn request_access(&self, ask: AskAccess) -> Result<Asked> {
        let reason = text("reason", &ask.reason)?;
        let mut tries = Tries::default();
        loop {
            let state = self.scope.state();
            let wanted = self.wanted_access(&state, &ask, reason.clone()).await?;
            if let Some(asked) = self.open(&state, wanted).await? {
                return Ok(asked);
            }
            tries.again()?;
        }
    }

    pub(super) async fn wanted_access(
        &self,
        state: &LiveState,
        ask: &AskAccess,
        reason: String,
    ) -> Result<Wanted> {
        let element = access_element(state, &ask.element)?;
        let tenant = self.own_tenant(&ask.tenant).await?;
        let resource = resource_of(state, &element, ask.resource.as_ref())?;
        let role = assignable(state, &element, &ask.role)?;
        let target = self.access_target(&role, resource.as_deref(), ask.instance.as_deref(), &tenant).await?;
        Ok(Wanted {
            kind: RequestKind::AccessRequest,
            element,
            tenant,
            resource: resource.map(|r| (r.id, r.key.clone())),
            target,
            role,
            reason,
            suggested: ask.suggested_reviewers.clone(),
            times: ask.times,
            uses: None,
            call: None,
            bound: None,
            manner: Manner::Asked,
        })
    }

    async fn access_target(
        &self,
        role: &Role,
        resource: Option<&Resource>,
        instance: Option<&str>,
        tenant: &Tenant,
    ) -> Result<Target> {
        match (&role.resource, instance) {
            (None, None) => Ok(Target::Tenant),
            (None, Some(_)) => Err(Error::invalid(format!(
                "The role `{}` is held in a tenant, not on an instance; leave `resource_instance` out.",
                role.key
            ))),
            (Some(on), None) => Err(Error::invalid(format!(
                "The role `{}` is held on an instance of `{on}`; say which in `resource_instance`.",
                role.key
            ))),
            (Some(on), Some(text)) => {
                let resource = resource.map_or(on, |r| &r.key);
                let found = self.scope.find_instance(text, Some(resource.as_str())).await?.value;
                check_place(&found, resource, tenant)?;
                Ok(Target::Instance(found))
            }
        }
    }
}

/// Whether an instance is of this resource and in this tenant.
pub(super) fn check_place(instance: &Instance, resource: &Key, tenant: &Tenant) -> Result<()> {
    let reference = format!("{}:{}", instance.resource, instance.key);
    if instance.resource != *resource {
        return Err(Error::invalid(format!(
            "{reference} is not an instance of `{resource}`; name one that is."
        )));
    }
    if instance.tenant_id != tenant.id {
        return Err(Error::new(
            Kind::TenantMismatch,
            format!("{reference} belongs to the tenant `{}`, not to `{}`.", instance.tenant, tenant.key),
        ));
    }
    Ok(())
}

/// The resource that a request through an element is about; one that the caller names has to be it.
pub(super) fn resource_of(
    state: &LiveState,
    element: &Element,
    named: Option<&Ident>,
) -> Result<Option<Arc<Resource>>> {
    let schema = state.snapshot.schema();
    let named = match named {
        Some(ident) => Some(schema.resource(ident).ok_or_else(|| Error::not_found("resource", ident))?),
        None => None,
    };
    match (&element.resource, named) {
        (Some(own), Some(named)) if *own != named.key => Err(Error::invalid(format!(
            "The element `{}` is about `{own}`, not about `{}`.",
            element.key, named.key
        ))),
        (Some(own), _) => Ok(schema.resource_by_key(own.as_str()).cloned()),
        (None, named) => Ok(named.cloned()),
    }
}

/// The role that an ident names among those that may be asked for through an element.
pub(super) fn assignable(state: &LiveState, element: &Element, ident: &Ident) -> Result<Arc<Role>> {
    let schema = state.snapshot.schema();
    let offered: Vec<&Arc<Role>> = element
        .roles_to_levels
        .get(&Level::Assignable)
        .into_iter()
        .flatten()
        .filter_map(|id| schema.role_by_id(*id))
        .collect();
    let named =
        |role: &&&Arc<Role>| ident.uuid() == Some(role.id.uuid()) || role.key.as_str() == ident.as_str();
    // A role on the resource goes before a tenant role with the same key.
    let mut matching: Vec<_> = offered.iter().filter(named).collect();
    matching.sort_by_key(|role| role.resource.is_none());
    if let Some(role) = matching.first() {
        return Ok(Arc::clone(role));
    }
    let offer = if offered.is_empty() {
        "no role can".to_owned()
    } else {
        let keys: Vec<String> = offered.iter().map(|role| format!("`{}`", role.key)).collect();
        format!("what can is: {}", keys.join(", "))
    };
    let own = element.resource.as_ref().map(Key::as_str);
    let existing = schema.role(own, ident).or_else(|| schema.role(None, ident));
    Err(if let Some(role) = existing {
        Error::invalid(format!(
            "The role `{}` can't be asked for through `{}`; {offer}.",
            role.key, element.key
        ))
    } else {
        Error::new(
            Kind::NotFound,
            format!("There is no role `{ident}` that can be asked for through `{}`; {offer}.", element.key),
        )
    })
}

/// The `user_management` element that an ident stands for.
pub(super) fn access_element(state: &LiveState, ident: &Ident) -> Result<Arc<Element>> {
    let element = super::open::element(state, ident)?;
    match element.kind {
        ElementType::UserManagement => Ok(element),
        ElementType::ApprovalFlow => {
            let mut elements = state.snapshot.schema().elements();
            let behind = elements.find(|e| {
                e.kind == ElementType::UserManagement && e.is_active && e.resource == element.resource
            });
            behind.cloned().ok_or_else(|| {
                Error::invalid(format!(
                    "The element `{}` has no user_management element on the same resource behind it, \
                     so nobody could decide; create one.",
                    element.key
                ))
            })
        }
        _ => Err(Error::invalid(format!(
            "Access requests go through a user_management element; `{}` is another kind of element.",
            element.key
        ))),
    }
}
