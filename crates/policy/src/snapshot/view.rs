//! What conditions see of a question: what follows from who and what it is about goes before what the call gives, and
//! that before what is stored.

use super::walk::{Subject, Walk};
use crate::{
    condition::{Attributes, Instance, Layers, Root, Seen},
    graph::{Graph, Node},
    question::CallAttributes,
};
use askfirst_domain::facts;

/// The user of a question.
#[derive(Debug, Clone, Copy)]
pub(super) struct Person<'a> {
    pub(super) key: &'a str,
    pub(super) subject: Subject<'a>,
    stored: Option<&'a facts::Attributes>,
}

impl<'a> Person<'a> {
    /// None when there is no such user.
    pub(super) fn of(graph: &'a Graph, number: u32) -> Option<Self> {
        let user = graph.user(number)?;
        let subject = Subject { number, held: &user.held };
        Some(Self { key: user.key(), subject, stored: graph.attributes_of(number) })
    }
}

/// What a question is about.
#[derive(Debug, Clone, Copy)]
pub(super) enum Thing<'a> {
    /// The resource as a whole, or an instance that is not settled yet.
    Whole,
    /// An instance of this key, which is not known.
    Named(&'a str),
    Known(&'a Node),
}

/// A question, or one of which a part is still open. Conditions that depend on an open part must not be asked.
#[derive(Debug, Clone, Copy)]
pub(super) struct View<'a> {
    /// Its subject is the user.
    pub(super) walk: Walk<'a>,
    pub(super) call: &'a CallAttributes<'a>,
    pub(super) action: &'a str,
    pub(super) resource: &'a str,
    pub(super) user: Option<Person<'a>>,
    /// The tenant's node.
    pub(super) tenant: Option<u32>,
    /// The keys of the user's roles in the tenant, when a condition reads them.
    pub(super) roles: &'a [&'a str],
    pub(super) thing: Thing<'a>,
}

impl<'a> View<'a> {
    /// With the user settled.
    pub(super) fn with_user(self, user: Person<'a>) -> Self {
        Self { walk: Walk { subject: Some(user.subject), ..self.walk }, user: Some(user), ..self }
    }

    fn tenant_node(&self) -> Option<&'a Node> {
        self.walk.graph.node(self.tenant?)
    }

    fn of_user(&self, name: &str) -> Option<Seen<'a>> {
        match name {
            "key" => Some(Seen::Text(self.user?.key)),
            "roles" => Some(Seen::Texts(self.roles)),
            _ => Layers { fixed: &[], call: self.call.user, stored: self.user?.stored }.get(name),
        }
    }

    fn of_resource(&self, name: &str) -> Option<Seen<'a>> {
        match (name, self.thing) {
            ("type", _) => Some(Seen::Text(self.resource)),
            ("tenant", _) => Some(Seen::Text(self.tenant_node()?.key())),
            ("key", Thing::Whole) => None,
            ("key", Thing::Named(key)) => Some(Seen::Text(key)),
            ("key", Thing::Known(node)) => Some(Seen::Text(node.key())),
            (_, thing) => {
                let stored = match thing {
                    Thing::Known(node) => Some(node.attributes.get()),
                    Thing::Whole | Thing::Named(_) => None,
                };
                Layers { fixed: &[], call: self.call.resource, stored }.get(name)
            }
        }
    }

    fn of_tenant(&self, name: &str) -> Option<Seen<'a>> {
        let node = self.tenant_node()?;
        match name {
            "key" => Some(Seen::Text(node.key())),
            _ => Layers { fixed: &[], call: self.call.tenant, stored: Some(node.attributes.get()) }.get(name),
        }
    }
}

impl Attributes for View<'_> {
    fn attribute(&self, root: Root, name: &str) -> Option<Seen<'_>> {
        let given = |call| Layers { fixed: &[], call, stored: None }.get(name);
        match root {
            Root::User => self.of_user(name),
            Root::Resource => self.of_resource(name),
            Root::Tenant => self.of_tenant(name),
            Root::Context => given(self.call.context),
            Root::Action if name == "key" => Some(Seen::Text(self.action)),
            Root::Action => given(self.call.action),
        }
    }

    /// Those of the question's tenant can be told of, and no others.
    fn instance(&self, resource: &str, key: &str) -> Option<Instance<'_>> {
        let graph = self.walk.graph;
        let number = graph.node_number(graph.compiled.type_of(resource)?, key)?;
        let node = graph.node(number).filter(|node| Some(node.tenant) == self.tenant)?;
        let tenant = self.tenant_node()?.key();
        Some(Instance { key: node.key(), tenant, attributes: node.attributes.get() })
    }
}
