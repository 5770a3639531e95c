//! What the tools are about where a call leaves it open: what the connection names, else the only thing that fits.

use super::connection::Connection;
use askfirst_domain::{
    Ident, Key,
    element::{Element, ElementType},
    facts::DEFAULT_TENANT,
    request::RequestKind,
};
use askfirst_engine::{Error, Page, Result};
use std::sync::Arc;

impl Connection {
    /// The tenant in which is asked.
    pub(super) fn tenant(&self) -> Ident {
        Ident::new(self.place.tenant.as_deref().unwrap_or(DEFAULT_TENANT))
    }

    /// The tenant, if the connection names one.
    pub(super) fn named_tenant(&self) -> Option<Ident> {
        self.place.tenant.as_deref().map(Ident::from)
    }

    /// The resource, if the connection names one.
    pub(super) fn named_resource(&self) -> Option<Ident> {
        self.place.resource.as_deref().map(Ident::from)
    }

    /// The element of a kind, if the connection names one.
    pub(super) fn named_element(&self, kind: RequestKind) -> Option<Ident> {
        let name = match kind {
            RequestKind::AccessRequest => &self.place.access_element,
            RequestKind::OperationApproval => &self.place.operation_element,
        };
        name.as_deref().map(Ident::from)
    }

    /// The element through which is asked: the one that the connection names, else the only one that fits. `instance` is
    /// what the model wrote; written as `type:key` it says which resource it is about.
    ///
    /// # Errors
    /// When there is none, or more than one.
    pub(super) fn element(&self, kind: RequestKind, instance: Option<&str>) -> Result<Ident> {
        if let Some(named) = self.named_element(kind) {
            return Ok(named);
        }
        let resource = match (instance.and_then(|text| text.split_once(':')), self.named_resource()) {
            (Some((resource, _)), _) => Some(self.resource_key(&Ident::new(resource))?),
            (None, Some(named)) => Some(self.resource_key(&named)?),
            (None, None) => None,
        };
        let wanted = match kind {
            RequestKind::AccessRequest => ElementType::UserManagement,
            RequestKind::OperationApproval => ElementType::OperationApproval,
        };
        // Without an instance a role in the tenant may be meant, and there an element is about no resource.
        let fits = |element: &Element| {
            element.kind == wanted
                && element.is_active
                && (resource.is_none() || element.resource == resource)
                && (instance.is_none() || element.resource.is_some())
        };
        let fitting: Vec<Arc<Element>> = self.scope.elements().into_iter().filter(|e| fits(e)).collect();
        match fitting.as_slice() {
            [only] => Ok(Ident::new(only.key.as_str())),
            [] => Err(none_fits(kind, resource.as_ref())),
            several => Err(choose(kind, several)),
        }
    }

    /// The resource of a bare instance key: the one that the connection names, else that of the elements that it names,
    /// else the only one that the policy has.
    pub(super) fn resource_of_keys(&self) -> Result<Option<Key>> {
        if let Some(named) = self.named_resource() {
            return self.resource_key(&named).map(Some);
        }
        for kind in [RequestKind::AccessRequest, RequestKind::OperationApproval] {
            if let Some(ident) = self.named_element(kind)
                && let Some(resource) = &self.scope.element(&ident)?.resource
            {
                return Ok(Some(resource.clone()));
            }
        }
        let resources = self.scope.list_resources(Page { offset: 0, limit: 2 });
        Ok(match resources.items.as_slice() {
            [only] => Some(only.resource.key.clone()),
            _ => None,
        })
    }

    fn resource_key(&self, ident: &Ident) -> Result<Key> {
        Ok(self.scope.resource(ident)?.resource.key.clone())
    }
}

fn none_fits(kind: RequestKind, resource: Option<&Key>) -> Error {
    let about = resource.map(|key| format!(" for the resource {key}")).unwrap_or_default();
    let element = match kind {
        RequestKind::AccessRequest => "user_management",
        RequestKind::OperationApproval => "operation_approval",
    };
    Error::invalid(format!(
        "Nothing can be asked for here: this environment has no active {element} element{about}; whoever runs it has to make one."
    ))
}

fn choose(kind: RequestKind, several: &[Arc<Element>]) -> Error {
    let keys: Vec<&str> = several.iter().map(|e| e.key.as_str()).collect();
    let (parameter, variable) = match kind {
        RequestKind::AccessRequest => ("access_element", "ACCESS_ELEMENTS_CONFIG_ID"),
        RequestKind::OperationApproval => ("operation_element", "OPERATION_ELEMENTS_CONFIG_ID"),
    };
    Error::invalid(format!(
        "Several elements take such a request ({}); write resource_instance as type:key, or let whoever set up this \
         connection choose one: {parameter}=KEY in the MCP URL, or {variable} for `askfirst mcp`.",
        keys.join(", ")
    ))
}
