//! Tenants, users, instances, tuples and assignments.

use super::members;
use crate::file::{
    data::{AssignmentEntry, InstanceEntry, TenantEntry, TupleEntry, UserEntry},
    reader::{Reader, Spot},
    tree::{Content, Node, Text},
};
use askfirst_domain::{
    Key, UserKey,
    facts::{DEFAULT_TENANT, InstanceRef},
};

impl Reader {
    pub(super) fn tenants(&mut self, node: Option<&Node>) -> Vec<TenantEntry> {
        let entries = self.entries(node, "tenants");
        let mut tenants = Vec::with_capacity(entries.len());
        for (text, node) in entries {
            let Some(key) = self.key::<Key>(text) else { continue };
            let Some(fields) = self.fields(node, "a tenant", members::TENANT) else { continue };
            tenants.push(TenantEntry {
                name: self.optional_text(fields.get("name")).unwrap_or_else(|| key.to_string()),
                description: self.optional_text(fields.get("description")),
                attributes: self.object(fields.get("attributes"), "attributes"),
                key,
            });
        }
        tenants
    }

    pub(super) fn users(&mut self, node: Option<&Node>) -> Vec<UserEntry> {
        let entries = self.entries(node, "users");
        let mut users = Vec::with_capacity(entries.len());
        for (text, node) in entries {
            let Some(key) = self.key(text) else { continue };
            let Some(fields) = self.fields(node, "a user", members::USER) else { continue };
            users.push(UserEntry {
                key,
                email: self.optional_text(fields.get("email")),
                first_name: self.optional_text(fields.get("first_name")),
                last_name: self.optional_text(fields.get("last_name")),
                attributes: self.object(fields.get("attributes"), "attributes"),
            });
        }
        users
    }

    pub(super) fn instances(&mut self, node: Option<&Node>, into: &mut Vec<InstanceEntry>) {
        for (text, node) in self.entries(node, "instances") {
            if let Some(instance) = self.instance(text, node) {
                self.note(Spot::Instance(into.len()), text.at);
                into.push(instance);
            }
        }
    }

    fn instance(&mut self, text: &Text, node: &Node) -> Option<InstanceEntry> {
        let at = self.instance_ref(&text.value, text.at)?;
        let fields = self.fields(node, "an instance", members::INSTANCE)?;
        let tenant = match fields.get("tenant") {
            Some(node) => self.parsed(node)?,
            None => DEFAULT_TENANT.parse().ok()?,
        };
        Some(InstanceEntry { at, tenant, attributes: self.object(fields.get("attributes"), "attributes") })
    }

    pub(super) fn tuples(&mut self, node: Option<&Node>, into: &mut Vec<TupleEntry>) {
        for item in self.items(node, "tuples") {
            let tuple = match &item.content {
                Content::Text(line) => self.tuple_line(line, item),
                _ => self.tuple(item),
            };
            if let Some(tuple) = tuple {
                self.note(Spot::Tuple(into.len()), item.at);
                into.push(tuple);
            }
        }
    }

    /// `type:key relation type:key`
    fn tuple_line(&mut self, line: &str, node: &Node) -> Option<TupleEntry> {
        let mut words = line.split_whitespace();
        let parts = (words.next(), words.next(), words.next(), words.next());
        let (Some(subject), Some(relation), Some(object), None) = parts else {
            let hint = "write `resource:key relation resource:key`".to_owned();
            self.complain(node.at, format!("`{line}` is not a relationship"), Some(hint));
            return None;
        };
        Some(TupleEntry {
            subject: self.instance_ref(subject, node.at)?,
            relation: self.part(relation, node.at)?,
            object: self.instance_ref(object, node.at)?,
        })
    }

    fn tuple(&mut self, node: &Node) -> Option<TupleEntry> {
        let what = "a tuple";
        let fields = self.fields(node, what, members::TUPLE)?;
        let [subject, relation, object] =
            ["subject", "relation", "object"].map(|name| self.required(&fields, what, name));
        let relation = self.parsed(relation?)?;
        Some(TupleEntry {
            subject: self.written_ref(subject?)?,
            relation,
            object: self.written_ref(object?)?,
        })
    }

    fn written_ref(&mut self, node: &Node) -> Option<InstanceRef> {
        let text = self.text(node)?;
        self.instance_ref(text, node.at)
    }

    pub(super) fn assignments(&mut self, node: Option<&Node>, into: &mut Vec<AssignmentEntry>) {
        for item in self.items(node, "assignments") {
            if let Some(assignment) = self.assignment(item) {
                self.note(Spot::Assignment(into.len()), item.at);
                into.push(assignment);
            }
        }
    }

    fn assignment(&mut self, node: &Node) -> Option<AssignmentEntry> {
        let what = "an assignment";
        let fields = self.fields(node, what, members::ASSIGNMENT)?;
        let user: Option<UserKey> = self.required(&fields, what, "user").and_then(|node| self.parsed(node));
        let role: Option<Key> = self.required(&fields, what, "role").and_then(|node| self.parsed(node));
        let on = match fields.get("on") {
            Some(node) => Some(self.written_ref(node)?),
            None => None,
        };
        let tenant = match fields.get("tenant") {
            Some(node) => Some(self.parsed(node)?),
            None => None,
        };
        let expires_at = match fields.get("expires_at") {
            Some(node) => Some(self.time(node)?),
            None => None,
        };
        Some(AssignmentEntry { user: user?, role: role?, on, tenant, expires_at })
    }
}
