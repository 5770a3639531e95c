//! From what a file says to how it is written: the order of members, and what is left away because it is as usual.

use super::{
    cases::{Case, Expected},
    data::{
        ActionEntry, AssignmentEntry, AttributeEntry, DerivationEntry, ElementEntry, GroupEntry,
        InstanceEntry, PolicyFile, ProxyConfigEntry, RelationEntry, ResourceEntry, RoleEntry, RuleEntry,
        Section, SetEntry, TenantEntry, Token, TupleEntry, UserEntry,
    },
    world::set_section,
    yaml::{Tree, document},
};
use crate::RoleName;
use askfirst_domain::{
    Key,
    element::{Level, Terms},
    facts::DEFAULT_TENANT,
    schema::{DerivationRule, DerivationSettings, Permission, RuleResources, RuleUsers},
    url_mapping::{AuthMechanism, MappingRule, UrlKind},
};
use serde::Serialize;
use serde_json::{Map, Value};

/// The members of a mapping that is being put together.
#[derive(Debug, Default)]
pub(super) struct Members(pub(super) Vec<(String, Tree)>);

impl Members {
    fn put(&mut self, name: &str, tree: Tree) {
        self.0.push((name.to_owned(), tree));
    }

    fn name(&mut self, name: &str, key: &impl AsRef<str>) {
        if name != key.as_ref() {
            self.put("name", Tree::text(&name));
        }
    }

    fn text(&mut self, name: &str, text: Option<&impl ToString>) {
        if let Some(text) = text {
            self.put(name, Tree::text(&text.to_string()));
        }
    }

    fn value(&mut self, name: &str, value: Option<&Value>) {
        if let Some(value) = value.filter(|value| !value.is_null()) {
            self.put(name, Tree::Value(value.clone()));
        }
    }

    fn object(&mut self, name: &str, members: &Map<String, Value>) {
        if !members.is_empty() {
            self.put(name, Tree::Value(Value::Object(members.clone())));
        }
    }

    fn values<T: Serialize>(&mut self, name: &str, items: &[T]) {
        // What the terms hold always serializes; a test writes and reads it.
        let items: Vec<Tree> =
            items.iter().filter_map(|item| serde_json::to_value(item).ok()).map(Tree::Value).collect();
        if !items.is_empty() {
            self.put(name, Tree::List(items));
        }
    }

    fn list<T: ToString>(&mut self, name: &str, items: impl IntoIterator<Item = T>) {
        let items: Vec<Tree> = items.into_iter().map(|item| Tree::text(&item)).collect();
        if !items.is_empty() {
            self.put(name, Tree::List(items));
        }
    }

    fn map(&mut self, name: &str, members: Vec<(String, Tree)>) {
        if !members.is_empty() {
            self.put(name, Tree::Map(members));
        }
    }

    fn open(&mut self, name: &str, members: Vec<(String, Tree)>) {
        if !members.is_empty() {
            self.put(name, Tree::Open(members));
        }
    }

    fn flag(&mut self, name: &str, value: bool) {
        self.put(name, Tree::Value(Value::Bool(value)));
    }
}

/// A word that is written as its type says.
fn word(value: impl Serialize) -> String {
    let value = serde_json::to_value(value).unwrap_or_default();
    value.as_str().unwrap_or_default().to_owned()
}

impl PolicyFile {
    /// The file as YAML. [`super::parse`] reads the same from it; what is as usual is not written.
    pub fn to_yaml(&self) -> String {
        let mut sections = vec![("askfirst".to_owned(), Tree::Value(super::VERSION.into()))];
        for section in &self.sections {
            sections.push((section.as_str().to_owned(), self.section(*section)));
        }
        document(&sections)
    }

    fn section(&self, section: Section) -> Tree {
        let sets = |wanted: Section| {
            let sets = self.sets.iter().filter(|set| set_section(set.kind) == wanted);
            Tree::Open(sets.map(|set| (set.key.to_string(), Tree::Map(set_members(set).0))).collect())
        };
        match section {
            Section::UserAttributes => Tree::Open(attribute_members(&self.user_attributes)),
            Section::TenantAttributes => Tree::Open(attribute_members(&self.tenant_attributes)),
            Section::Resources => Tree::Open(self.resources.iter().map(resource).collect()),
            Section::Roles => Tree::Open(roles(None, &self.tenant_roles)),
            Section::UserSets | Section::ResourceSets => sets(section),
            Section::SetRules => {
                Tree::Items(self.rules.iter().map(|rule| Tree::Map(rule_members(rule).0)).collect())
            }
            Section::Elements => {
                let element = |e: &ElementEntry| (e.key.to_string(), Tree::Open(element_members(e).0));
                Tree::Open(self.elements.iter().map(element).collect())
            }
            Section::ProxyConfigs => {
                let config = |c: &ProxyConfigEntry| (c.key.to_string(), Tree::Open(proxy_members(c).0));
                Tree::Open(self.proxy_configs.iter().map(config).collect())
            }
            Section::Tenants => {
                let tenant = |t: &TenantEntry| (t.key.to_string(), Tree::Map(tenant_members(t).0));
                Tree::Open(self.tenants.iter().map(tenant).collect())
            }
            Section::Users => {
                let user = |u: &UserEntry| (u.key.to_string(), Tree::Map(user_members(u).0));
                Tree::Open(self.users.iter().map(user).collect())
            }
            Section::Instances => {
                let instance = |i: &InstanceEntry| (i.at.to_string(), Tree::Map(instance_members(i).0));
                Tree::Open(self.instances.iter().map(instance).collect())
            }
            Section::Tuples => Tree::Items(self.tuples.iter().map(|t| Tree::text(&tuple_line(t))).collect()),
            Section::Assignments => {
                let assignment = |a: &AssignmentEntry| Tree::Map(assignment_members(a).0);
                Tree::Items(self.assignments.iter().map(assignment).collect())
            }
            Section::Tests => {
                Tree::Items(self.tests.iter().map(|case| Tree::Map(case_members(case).0)).collect())
            }
        }
    }
}

fn resource(entry: &ResourceEntry) -> (String, Tree) {
    let mut members = resource_members(entry);
    for (name, tree) in &mut members.0 {
        // `[read, update]` where nothing more is said of any.
        if let ("actions", Tree::Open(actions)) = (name.as_str(), &*tree)
            && actions.iter().all(|(_, said)| matches!(said, Tree::Map(said) if said.is_empty()))
        {
            *tree = Tree::List(actions.iter().map(|(key, _)| Tree::text(&key)).collect());
        }
    }
    let relation = |relation: &RelationEntry| (relation.key.to_string(), relation_tree(relation));
    members.map("relations", entry.relations.iter().map(relation).collect());
    members.open("roles", roles(Some(&entry.key), &entry.roles));
    (entry.key.to_string(), Tree::Open(members.0))
}

/// What is said of the resource alone.
pub(super) fn resource_members(entry: &ResourceEntry) -> Members {
    let mut members = Members::default();
    members.name(&entry.name, &entry.key);
    members.text("description", entry.description.as_ref());
    members.text("urn", entry.urn.as_ref());
    let action = |action: &ActionEntry| (action.key.to_string(), Tree::Map(action_members(action).0));
    members.open("actions", entry.actions.iter().map(action).collect());
    members.map("attributes", attribute_members(&entry.attributes));
    let group = |group: &GroupEntry| (group.key.to_string(), group_tree(group));
    members.map("action_groups", entry.action_groups.iter().map(group).collect());
    members.value("type_attributes", entry.type_attributes.as_ref());
    members.object("compat", &entry.compat);
    members
}

fn action_members(entry: &ActionEntry) -> Members {
    let mut members = Members::default();
    members.name(&entry.name, &entry.key);
    members.text("description", entry.description.as_ref());
    members.value("attributes", entry.attributes.as_ref());
    members.object("compat", &entry.compat);
    members
}

pub(super) fn attribute_members(entries: &[AttributeEntry]) -> Vec<(String, Tree)> {
    let one = |entry: &AttributeEntry| {
        let kind = Tree::text(&word(entry.kind));
        let tree = match &entry.description {
            None => kind,
            Some(description) => Tree::Map(vec![
                ("type".to_owned(), kind),
                ("description".to_owned(), Tree::text(&description)),
            ]),
        };
        (entry.key.to_string(), tree)
    };
    entries.iter().map(one).collect()
}

fn group_tree(entry: &GroupEntry) -> Tree {
    let actions = Tree::List(entry.actions.iter().map(Tree::text).collect());
    if entry.name == entry.key.as_str() && entry.description.is_none() && entry.attributes.is_none() {
        return actions;
    }
    let mut members = Members::default();
    members.name(&entry.name, &entry.key);
    members.text("description", entry.description.as_ref());
    members.value("attributes", entry.attributes.as_ref());
    members.put("actions", actions);
    Tree::Map(members.0)
}

pub(super) fn relation_tree(entry: &RelationEntry) -> Tree {
    let subject = Tree::text(&entry.subject_resource);
    if entry.name == entry.key.as_str() && entry.description.is_none() {
        return subject;
    }
    let mut members = Members::default();
    members.put("subject", subject);
    members.name(&entry.name, &entry.key);
    members.text("description", entry.description.as_ref());
    Tree::Map(members.0)
}

fn roles(on: Option<&Key>, entries: &[RoleEntry]) -> Vec<(String, Tree)> {
    entries.iter().map(|role| (role.key.to_string(), Tree::Map(role_members(on, role).0))).collect()
}

/// `on` is the resource that the role is held on, none for a tenant role.
pub(super) fn role_members(on: Option<&Key>, entry: &RoleEntry) -> Members {
    let mut members = Members::default();
    members.name(&entry.name, &entry.key);
    members.text("description", entry.description.as_ref());
    let permission = |permission: &Permission| match on {
        Some(_) => permission.action.to_string(),
        None => format!("{}:{}", permission.resource, permission.action),
    };
    members.list("permissions", entry.permissions.iter().map(permission));
    members.list("extends", &entry.extends);
    if let Some(derivation) = &entry.granted_to {
        members.put("granted_to", derivation_tree(derivation));
    }
    members.value("attributes", entry.attributes.as_ref());
    members.object("compat", &entry.compat);
    members
}

fn derivation_tree(entry: &DerivationEntry) -> Tree {
    let mut members = Members::default();
    if entry.when != DerivationSettings::default() {
        members.put("when", when_tree(entry.when));
    }
    let source = |rule: &DerivationRule| {
        let mut members = Members::default();
        members.put("role", Tree::text(&rule.role));
        members.put("on_resource", Tree::text(&rule.on_resource));
        members.put("linked_by_relation", Tree::text(&rule.linked_by_relation));
        if let Some(when) = rule.when {
            members.put("when", when_tree(when));
        }
        Tree::Map(members.0)
    };
    members.put("users_with_role", Tree::List(entry.users_with_role.iter().map(source).collect()));
    Tree::Map(members.0)
}

fn when_tree(when: DerivationSettings) -> Tree {
    let flag = Tree::Value(Value::Bool(when.no_direct_roles_on_object));
    Tree::Map(vec![("no_direct_roles_on_object".to_owned(), flag)])
}

pub(super) fn set_members(entry: &SetEntry) -> Members {
    let mut members = Members::default();
    members.text("resource", entry.resource.as_ref());
    members.name(&entry.name, &entry.key);
    members.text("description", entry.description.as_ref());
    members.text("parent", entry.parent.as_ref());
    if entry.conditions.as_object().is_none_or(|conditions| !conditions.is_empty()) {
        members.put("conditions", Tree::Value(entry.conditions.clone()));
    }
    if entry.autogenerated {
        members.flag("autogenerated", true);
    }
    members
}

pub(super) fn rule_members(entry: &RuleEntry) -> Members {
    let mut members = Members::default();
    match &entry.users {
        RuleUsers::Set(key) => members.put("user_set", Tree::text(&key)),
        role @ RuleUsers::Role { .. } => members.put("role", Tree::text(&role)),
    }
    let Permission { resource, action } = &entry.permission;
    members.put("permission", Tree::text(&format!("{resource}:{action}")));
    if let RuleResources::Set(key) = &entry.resources {
        members.put("resource_set", Tree::text(&key));
    }
    members
}

pub(super) fn element_members(entry: &ElementEntry) -> Members {
    let mut members = Members::default();
    members.name(&entry.name, &entry.key);
    members.put("type", Tree::text(&word(entry.kind)));
    members.text("resource", entry.resource.as_ref());
    let level = |(level, roles): (&Level, &Vec<RoleName>)| {
        let roles = roles.iter().map(|role| Tree::text(&level_role(entry, role)));
        (word(level), Tree::List(roles.collect()))
    };
    members.map("levels", entry.levels.iter().map(level).collect());
    members.object("settings", &entry.settings);
    if entry.email_notifications {
        members.flag("email_notifications", true);
    }
    if !entry.active {
        members.flag("active", false);
    }
    if let Some(hook) = &entry.webhook {
        let mut said = Members::default();
        said.put("url", Tree::text(&hook.url));
        match &hook.token {
            Token::None => {}
            Token::Written(token) => said.put("bearer_token", Tree::text(&token)),
            Token::Named(name) => said.put("token_from", Tree::text(&name)),
        }
        members.map("webhook", said.0);
    }
    members.map("terms", terms_members(&entry.terms).0);
    members
}

fn terms_members(terms: &Terms) -> Members {
    let mut members = Members::default();
    members.text("decide_within", terms.decide_within.as_ref());
    members.text("grant_lasts", terms.grant_lasts.as_ref());
    members.value("most_uses", terms.most_uses.map(Value::from).as_ref());
    members.values("thresholds", &terms.thresholds);
    members.text("ask_again_after", terms.ask_again_after.as_ref());
    members.values("rules", &terms.rules);
    let glass = terms.break_glass.as_ref().and_then(|glass| serde_json::to_value(glass).ok());
    members.value("break_glass", glass.as_ref());
    members.values("escalation", &terms.escalation);
    members
}

pub(super) fn proxy_members(entry: &ProxyConfigEntry) -> Members {
    let mut members = Members::default();
    members.name(&entry.name, &entry.key);
    if entry.auth_mechanism != AuthMechanism::default() {
        members.put("auth_mechanism", Tree::text(&word(entry.auth_mechanism)));
    }
    let rules: Vec<Tree> = entry.rules.iter().map(mapping_rule).collect();
    if !rules.is_empty() {
        members.put("rules", Tree::Items(rules));
    }
    members
}

fn mapping_rule(rule: &MappingRule) -> Tree {
    let mut members = Members::default();
    members.put("url", Tree::text(&rule.url));
    if rule.kind != UrlKind::Template {
        members.put("kind", Tree::text(&word(rule.kind)));
    }
    members.put("method", Tree::text(&rule.method.as_str()));
    members.put("resource", Tree::text(&rule.resource));
    members.text("action", rule.action.as_ref());
    members
        .map("headers", rule.headers.iter().map(|(name, value)| (name.clone(), Tree::text(value))).collect());
    if rule.priority != 0 {
        members.value("priority", Some(&rule.priority.into()));
    }
    Tree::Map(members.0)
}

/// A tenant role is told from one of the element's resource, which goes first when it is named alone.
fn level_role(element: &ElementEntry, role: &RoleName) -> String {
    match (&role.resource, &element.resource) {
        (None, None) => role.key.to_string(),
        (None, Some(_)) => format!("tenant#{}", role.key),
        (Some(resource), Some(own)) if resource == own => role.key.to_string(),
        (Some(resource), _) => format!("{resource}#{}", role.key),
    }
}

pub(super) fn tenant_members(entry: &TenantEntry) -> Members {
    let mut members = Members::default();
    members.name(&entry.name, &entry.key);
    members.text("description", entry.description.as_ref());
    members.object("attributes", &entry.attributes);
    members
}

pub(super) fn user_members(entry: &UserEntry) -> Members {
    let mut members = Members::default();
    members.text("email", entry.email.as_ref());
    members.text("first_name", entry.first_name.as_ref());
    members.text("last_name", entry.last_name.as_ref());
    members.object("attributes", &entry.attributes);
    members
}

pub(super) fn instance_members(entry: &InstanceEntry) -> Members {
    let mut members = Members::default();
    if entry.tenant.as_str() != DEFAULT_TENANT {
        members.put("tenant", Tree::text(&entry.tenant));
    }
    members.object("attributes", &entry.attributes);
    members
}

pub(super) fn tuple_line(entry: &TupleEntry) -> String {
    format!("{} {} {}", entry.subject, entry.relation, entry.object)
}

pub(super) fn assignment_members(entry: &AssignmentEntry) -> Members {
    let mut members = Members::default();
    members.put("user", Tree::text(&entry.user));
    members.put("role", Tree::text(&entry.role));
    members.text("on", entry.on.as_ref());
    members.text("tenant", entry.tenant.as_ref());
    members.text("expires_at", entry.expires_at.as_ref());
    members
}

pub(super) fn case_members(case: &Case) -> Members {
    let mut members = Members::default();
    members.text("name", case.name.as_ref());
    members.put("user", Tree::text(&case.user));
    members.put("action", Tree::text(&case.action));
    let about = match &case.instance {
        Some(key) => format!("{}:{key}", case.resource),
        None => case.resource.to_string(),
    };
    members.put("resource", Tree::text(&about));
    members.text("tenant", case.tenant.as_ref());
    members.object("user_attributes", &case.user_attributes);
    members.object("resource_attributes", &case.resource_attributes);
    members.object("tenant_attributes", &case.tenant_attributes);
    members.object("action_attributes", &case.action_attributes);
    members.object("context", &case.context);
    members.text("at", case.at.as_ref());
    match &case.expected {
        Expected::Deny { cause } => {
            members.put("expect", Tree::text(&"deny"));
            members.text("cause", cause.as_ref());
        }
        Expected::Allow { by_role, by_rule } => {
            members.put("expect", Tree::text(&"allow"));
            members.text("by_role", by_role.as_ref());
            if let Some(rule) = by_rule {
                let mut said = Members::default();
                match &rule.users {
                    None => {}
                    Some(RuleUsers::Set(key)) => said.put("user_set", Tree::text(&key)),
                    Some(role @ RuleUsers::Role { .. }) => said.put("role", Tree::text(&role)),
                }
                said.text("resource_set", rule.resource_set.as_ref());
                members.map("by_rule", said.0);
            }
        }
    }
    members
}
