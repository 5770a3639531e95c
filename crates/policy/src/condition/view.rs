//! What a condition is evaluated against.

use super::{kind::Seen, path::Root};
use serde_json::{Map, Value};

/// The attributes of one question. Implemented by whoever evaluates; borrowed, so that nothing is copied.
pub trait Attributes {
    /// The attribute of a root, none when it is absent. JSON null counts as absent too (except where a condition asks
    /// for null itself).
    fn attribute(&self, root: Root, name: &str) -> Option<Seen<'_>>;

    /// The stored instance of a resource, for `fk_resource_type`; none when there is no such instance, or none that
    /// this question may look at.
    fn instance(&self, resource: &str, key: &str) -> Option<Instance<'_>>;
}

/// A stored instance, as `match` looks at it: its attributes, and `key` and `tenant`, which no attribute overrides.
#[derive(Debug, Clone, Copy)]
pub struct Instance<'a> {
    pub key: &'a str,
    pub tenant: &'a str,
    pub attributes: &'a Map<String, Value>,
}

impl<'a> Instance<'a> {
    pub(super) fn member(&self, name: &str) -> Option<Seen<'a>> {
        match name {
            "key" => Some(Seen::Text(self.key)),
            "tenant" => Some(Seen::Text(self.tenant)),
            _ => self.attributes.get(name).map(Seen::Json),
        }
    }
}

/// Looks stored instances up.
pub trait Instances {
    /// None when there is no such instance, or none that this question may look at.
    fn instance(&self, resource: &str, key: &str) -> Option<Instance<'_>>;
}

/// Nothing is stored.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoInstances;

impl Instances for NoInstances {
    fn instance(&self, _resource: &str, _key: &str) -> Option<Instance<'_>> {
        None
    }
}

/// The attributes of one root, in layers: what is fixed goes before what the call gives, and that before what is
/// stored. A null in the call hides what is stored.
#[derive(Debug, Clone, Copy, Default)]
pub struct Layers<'a> {
    /// What nobody may override: keys, the tenant, the roles held.
    pub fixed: &'a [(&'a str, Seen<'a>)],
    pub call: Option<&'a Map<String, Value>>,
    pub stored: Option<&'a Map<String, Value>>,
}

impl<'a> Layers<'a> {
    /// The attribute of this name in the first layer that has it.
    pub fn get(&self, name: &str) -> Option<Seen<'a>> {
        let fixed = self.fixed.iter().find(|(fixed, _)| *fixed == name).map(|(_, seen)| *seen);
        let given =
            |layer: Option<&'a Map<String, Value>>| layer.and_then(|map| map.get(name)).map(Seen::Json);
        fixed.or_else(|| given(self.call)).or_else(|| given(self.stored))
    }
}

/// The attributes of one question in the usual layers.
#[derive(Debug, Clone, Copy)]
pub struct Given<'a, I> {
    pub user: Layers<'a>,
    pub resource: Layers<'a>,
    pub tenant: Layers<'a>,
    pub context: Layers<'a>,
    pub action: Layers<'a>,
    pub instances: I,
}

impl<I: Default> Default for Given<'_, I> {
    fn default() -> Self {
        Self {
            user: Layers::default(),
            resource: Layers::default(),
            tenant: Layers::default(),
            context: Layers::default(),
            action: Layers::default(),
            instances: I::default(),
        }
    }
}

impl<I: Instances> Attributes for Given<'_, I> {
    fn attribute(&self, root: Root, name: &str) -> Option<Seen<'_>> {
        let layers = match root {
            Root::User => &self.user,
            Root::Resource => &self.resource,
            Root::Tenant => &self.tenant,
            Root::Context => &self.context,
            Root::Action => &self.action,
        };
        layers.get(name)
    }

    fn instance(&self, resource: &str, key: &str) -> Option<Instance<'_>> {
        self.instances.instance(resource, key)
    }
}
