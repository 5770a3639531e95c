//! Resources, roles, relations and derivations.

use super::members;
use crate::{
    RoleName,
    file::{
        data::{
            ActionEntry, AttributeEntry, DerivationEntry, GroupEntry, RelationEntry, ResourceEntry, RoleEntry,
        },
        reader::{Reader, Spot},
        tree::{Content, Node, Text},
    },
    parse_permission,
};
use askfirst_domain::{
    Key,
    schema::{DerivationRule, DerivationSettings, Permission, is_built_in},
};
use serde_json::Map;

pub(in crate::file) const ATTRIBUTE_TYPES: [&str; 8] =
    ["bool", "number", "string", "time", "array", "json", "object", "object_array"];

impl Reader {
    pub(super) fn resources(&mut self, node: Option<&Node>) -> Vec<ResourceEntry> {
        let entries = self.entries(node, "resources");
        entries.iter().filter_map(|(name, node)| self.resource(name, node)).collect()
    }

    fn resource(&mut self, text: &Text, node: &Node) -> Option<ResourceEntry> {
        let key: Key = self.key(text)?;
        if is_built_in(&key) {
            let hint = "write `user_attributes` or `tenant_attributes`".to_owned();
            self.complain(text.at, format!("`{key}` is no resource to be declared"), Some(hint));
            return None;
        }
        self.note(Spot::Resource(key.clone()), text.at);
        let fields = self.fields(node, "a resource", members::RESOURCE)?;
        let name = self.optional_text(fields.get("name")).unwrap_or_else(|| key.to_string());
        Some(ResourceEntry {
            name,
            description: self.optional_text(fields.get("description")),
            urn: self.optional_text(fields.get("urn")),
            type_attributes: fields.get("type_attributes").map(Node::to_json),
            compat: self.object(fields.get("compat"), "members for old clients"),
            actions: self.actions(fields.get("actions")),
            attributes: self.attributes(fields.get("attributes")),
            action_groups: self.groups(&key, fields.get("action_groups")),
            relations: self.relations(&key, fields.get("relations")),
            roles: self.roles(Some(&key), fields.get("roles")),
            key,
        })
    }

    /// `[read, update]`, or `{read: {name: Read}}`.
    fn actions(&mut self, node: Option<&Node>) -> Vec<ActionEntry> {
        let Some(node) = node else { return Vec::new() };
        let mut actions: Vec<ActionEntry> = Vec::new();
        if let Content::Map(members) = &node.content {
            for (text, node) in members {
                let Some(key) = self.key::<Key>(text) else { continue };
                let Some(fields) = self.fields(node, "an action", members::ACTION) else { continue };
                let name = self.optional_text(fields.get("name")).unwrap_or_else(|| key.to_string());
                actions.push(ActionEntry {
                    key,
                    name,
                    description: self.optional_text(fields.get("description")),
                    attributes: fields.get("attributes").map(Node::to_json),
                    compat: self.object(fields.get("compat"), "members for old clients"),
                });
            }
            return actions;
        }
        if !matches!(node.content, Content::List(_)) {
            let message = format!("actions are a list of keys, or a mapping, not {}", node.content.kind());
            self.complain(node.at, message, Some("write `[read, update]`".to_owned()));
            return actions;
        }
        for (key, at) in self.keys::<Key>(Some(node), "actions") {
            if actions.iter().any(|action| action.key == key) {
                self.complain(at, format!("the action `{key}` stands here twice"), None);
            }
            let name = key.to_string();
            actions.push(ActionEntry { key, name, description: None, attributes: None, compat: Map::new() });
        }
        actions
    }

    /// `{size: number}`, or `{size: {type: number, description: In bytes}}`.
    pub(super) fn attributes(&mut self, node: Option<&Node>) -> Vec<AttributeEntry> {
        let entries = self.entries(node, "attributes");
        entries.iter().filter_map(|(text, node)| self.attribute(text, node)).collect()
    }

    fn attribute(&mut self, text: &Text, node: &Node) -> Option<AttributeEntry> {
        let (kind, description) = if matches!(node.content, Content::Text(_)) {
            (node, None)
        } else {
            let fields = self.fields(node, "an attribute", members::ATTRIBUTE)?;
            let kind = self.required(&fields, "an attribute", "type")?;
            (kind, self.optional_text(fields.get("description")))
        };
        let word = self.text(kind)?;
        let kind = self.word(word, kind.at, "a type of attribute", &ATTRIBUTE_TYPES);
        Some(AttributeEntry { key: self.key(text)?, kind: kind?, description })
    }

    /// `{edit: [read, update]}`, or `{edit: {name: Editing, actions: [read, update]}}`.
    fn groups(&mut self, resource: &Key, node: Option<&Node>) -> Vec<GroupEntry> {
        let mut groups = Vec::new();
        for (text, node) in self.entries(node, "groups of actions") {
            let Some(key) = self.key::<Key>(text) else { continue };
            self.note(Spot::Group(resource.clone(), key.clone()), text.at);
            if matches!(node.content, Content::List(_)) {
                let actions = self.keys(Some(node), "actions").into_iter().map(|(key, _)| key).collect();
                let name = key.to_string();
                groups.push(GroupEntry { key, name, description: None, attributes: None, actions });
                continue;
            }
            let Some(fields) = self.fields(node, "a group of actions", members::GROUP) else { continue };
            let actions = self.keys(fields.get("actions"), "actions").into_iter().map(|(key, _)| key);
            groups.push(GroupEntry {
                actions: actions.collect(),
                name: self.optional_text(fields.get("name")).unwrap_or_else(|| key.to_string()),
                description: self.optional_text(fields.get("description")),
                attributes: fields.get("attributes").map(Node::to_json),
                key,
            });
        }
        groups
    }

    /// `{serves: restaurants}`, or `{serves: {subject: restaurants, name: Serves}}`.
    fn relations(&mut self, resource: &Key, node: Option<&Node>) -> Vec<RelationEntry> {
        let entries = self.entries(node, "relations");
        entries.iter().filter_map(|(text, node)| self.relation(resource, text, node)).collect()
    }

    fn relation(&mut self, resource: &Key, text: &Text, node: &Node) -> Option<RelationEntry> {
        let key: Key = self.key(text)?;
        let (subject, name, description) = if matches!(node.content, Content::Text(_)) {
            (node, None, None)
        } else {
            let fields = self.fields(node, "a relation", members::RELATION)?;
            let subject = self.required(&fields, "a relation", "subject")?;
            let name = self.optional_text(fields.get("name"));
            (subject, name, self.optional_text(fields.get("description")))
        };
        self.note(Spot::Relation(resource.clone(), key.clone()), subject.at);
        let subject_resource = self.parsed(subject)?;
        let name = name.unwrap_or_else(|| key.to_string());
        Some(RelationEntry { key, subject_resource, name, description })
    }

    pub(super) fn roles(&mut self, resource: Option<&Key>, node: Option<&Node>) -> Vec<RoleEntry> {
        let entries = self.entries(node, "roles");
        entries.iter().filter_map(|(text, node)| self.role(resource, text, node)).collect()
    }

    fn role(&mut self, resource: Option<&Key>, text: &Text, node: &Node) -> Option<RoleEntry> {
        let role = RoleName { resource: resource.cloned(), key: self.key(text)? };
        self.note(Spot::Role(role.clone()), text.at);
        let fields = self.fields(node, "a role", members::ROLE)?;
        let permissions = self.permissions(&role, fields.get("permissions"));
        let mut extends = Vec::new();
        for (base, at) in self.keys::<Key>(fields.get("extends"), "the roles that a role extends") {
            self.note(Spot::Extends(role.clone(), base.clone()), at);
            extends.push(base);
        }
        let granted_to = fields.get("granted_to").and_then(|node| self.derivation(&role, node));
        Some(RoleEntry {
            name: self.optional_text(fields.get("name")).unwrap_or_else(|| role.key.to_string()),
            description: self.optional_text(fields.get("description")),
            permissions,
            extends,
            granted_to,
            attributes: fields.get("attributes").map(Node::to_json),
            compat: self.object(fields.get("compat"), "members for old clients"),
            key: role.key,
        })
    }

    fn permissions(&mut self, role: &RoleName, node: Option<&Node>) -> Vec<Permission> {
        let mut permissions = Vec::new();
        for item in self.items(node, "permissions") {
            let Some(text) = self.text(item) else { continue };
            match parse_permission(role, text) {
                Ok(permission) => {
                    self.note(Spot::Permission(role.clone(), permission.clone()), item.at);
                    if !permissions.contains(&permission) {
                        permissions.push(permission);
                    }
                }
                Err(error) => self.complain(item.at, error, None),
            }
        }
        permissions
    }

    fn derivation(&mut self, role: &RoleName, node: &Node) -> Option<DerivationEntry> {
        if role.resource.is_none() {
            let message = format!("the role {role} is held in tenants and can't be derived");
            self.complain(node.at, message, Some("only roles on a resource can".to_owned()));
            return None;
        }
        let what = "the derivation of a role";
        let fields = self.fields(node, what, members::DERIVATION)?;
        let sources = self.required(&fields, what, "users_with_role");
        let mut users_with_role = Vec::new();
        for item in self.items(sources, "the sources of a derivation") {
            if let Some(rule) = self.source(item) {
                self.note(Spot::Derivation(role.clone(), users_with_role.len()), item.at);
                users_with_role.push(rule);
            }
        }
        let when = self.when(fields.get("when")).unwrap_or_default();
        Some(DerivationEntry { when, users_with_role })
    }

    fn source(&mut self, node: &Node) -> Option<DerivationRule> {
        let what = "the source of a derivation";
        let fields = self.fields(node, what, members::SOURCE)?;
        let [role, on_resource, relation] = ["role", "on_resource", "linked_by_relation"]
            .map(|name| self.required(&fields, what, name).and_then(|node| self.parsed(node)));
        let when = self.when(fields.get("when"));
        Some(DerivationRule { role: role?, on_resource: on_resource?, linked_by_relation: relation?, when })
    }

    fn when(&mut self, node: Option<&Node>) -> Option<DerivationSettings> {
        let fields = self.fields(node?, "the settings of a derivation", members::WHEN)?;
        let no_direct_roles_on_object = self.flag(fields.get("no_direct_roles_on_object"));
        Some(DerivationSettings { no_direct_roles_on_object })
    }
}
