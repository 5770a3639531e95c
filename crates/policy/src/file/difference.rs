//! What differs between what two files say.

use super::{
    data::{PolicyFile, Section},
    layout::{
        assignment_members, attribute_members, element_members, instance_members, proxy_members,
        relation_tree, resource_members, role_members, rule_members, set_members, tenant_members, tuple_line,
        user_members,
    },
    world::set_section,
    yaml::Tree,
};
use crate::RoleName;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// What becomes of a thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    Added,
    Changed,
    Removed,
}

/// A thing that is not in both, or not the same in both.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Difference {
    pub kind: Kind,
    /// What it is: the name of a section, or `relations`.
    pub what: String,
    /// Which it is, as the file names it: `restaurants#parent`.
    pub name: String,
    /// In the order of the members' names.
    pub fields: Vec<FieldChange>,
}

/// A member of a thing, before and after; null where it says nothing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FieldChange {
    /// Names of members, joined by dots: `actions.read.name`.
    pub field: String,
    pub before: Value,
    pub after: Value,
}

/// How the things of a kind come in a plan.
const ORDER: [&str; 15] = [
    "user_attributes",
    "tenant_attributes",
    "resources",
    "relations",
    "roles",
    "user_sets",
    "resource_sets",
    "set_rules",
    "elements",
    "proxy_configs",
    "tenants",
    "users",
    "instances",
    "tuples",
    "assignments",
];

/// A thing's members by their names.
type Fields = BTreeMap<String, Value>;
/// Things by the place of their kind in [`ORDER`] and their name.
type Things = BTreeMap<(usize, String), Fields>;

/// Everything that differs, kind by kind, and in each by name. The order of things in the files means nothing, that of the
/// items of a list does.
pub fn difference(before: &PolicyFile, after: &PolicyFile) -> Vec<Difference> {
    let (before, mut after) = (things(before), things(after));
    let mut found: BTreeMap<(usize, String), (Kind, Vec<FieldChange>)> = BTreeMap::new();
    for (thing, old) in before {
        match after.remove(&thing) {
            None => {
                let fields =
                    old.into_iter().map(|(field, before)| FieldChange { field, before, after: Value::Null });
                found.insert(thing, (Kind::Removed, fields.collect()));
            }
            Some(new) => {
                let fields = changed(old, new);
                if !fields.is_empty() {
                    found.insert(thing, (Kind::Changed, fields));
                }
            }
        }
    }
    for (thing, new) in after {
        let fields = new.into_iter().map(|(field, after)| FieldChange { field, before: Value::Null, after });
        found.insert(thing, (Kind::Added, fields.collect()));
    }
    let told = |((place, name), (kind, fields)): ((usize, String), (Kind, Vec<FieldChange>))| {
        let what = ORDER.get(place).copied().unwrap_or_default().to_owned();
        Difference { kind, what, name, fields }
    };
    found.into_iter().map(told).collect()
}

fn changed(mut old: Fields, new: Fields) -> Vec<FieldChange> {
    let mut changes = Vec::new();
    for (field, after) in new {
        let before = old.remove(&field).unwrap_or_default();
        if before != after {
            changes.push(FieldChange { field, before, after });
        }
    }
    changes.extend(old.into_iter().map(|(field, before)| FieldChange { field, before, after: Value::Null }));
    changes.sort_by(|a, b| a.field.cmp(&b.field));
    changes
}

/// Takes what a thing is, its name and its members.
type Put<'a> = dyn FnMut(&str, String, Vec<(String, Tree)>) + 'a;

fn things(file: &PolicyFile) -> Things {
    let mut things = Things::new();
    let mut put = |what: &str, name: String, members: Vec<(String, Tree)>| {
        let place = ORDER.iter().position(|known| *known == what).unwrap_or_default();
        let mut fields = Fields::new();
        flatten("", &Tree::Map(members), &mut fields);
        things.insert((place, name), fields);
    };
    for (what, entries) in
        [("user_attributes", &file.user_attributes), ("tenant_attributes", &file.tenant_attributes)]
    {
        for (name, tree) in attribute_members(entries) {
            put(what, name, vec![("type".to_owned(), tree)]);
        }
    }
    for resource in &file.resources {
        put("resources", resource.key.to_string(), resource_members(resource).0);
        for relation in &resource.relations {
            let name = format!("{}.{}", resource.key, relation.key);
            put("relations", name, vec![("subject".to_owned(), relation_tree(relation))]);
        }
    }
    let on_resources = file
        .resources
        .iter()
        .flat_map(|resource| resource.roles.iter().map(|role| (Some(&resource.key), role)));
    for (on, role) in on_resources.chain(file.tenant_roles.iter().map(|role| (None, role))) {
        let name = RoleName { resource: on.cloned(), key: role.key.clone() };
        put("roles", name.to_string(), role_members(on, role).0);
    }
    for set in &file.sets {
        put(set_section(set.kind).as_str(), set.key.to_string(), set_members(set).0);
    }
    for rule in &file.rules {
        let members = rule_members(rule).0;
        let words: Vec<String> =
            members.iter().map(|(name, tree)| format!("{name} {}", bare(tree))).collect();
        put(Section::SetRules.as_str(), words.join(", "), Vec::new());
    }
    for element in &file.elements {
        put("elements", element.key.to_string(), element_members(element).0);
    }
    for config in &file.proxy_configs {
        put("proxy_configs", config.key.to_string(), proxy_members(config).0);
    }
    facts(file, &mut put);
    things
}

fn facts(file: &PolicyFile, put: &mut Put<'_>) {
    for tenant in &file.tenants {
        put("tenants", tenant.key.to_string(), tenant_members(tenant).0);
    }
    for user in &file.users {
        put("users", user.key.to_string(), user_members(user).0);
    }
    for instance in &file.instances {
        put("instances", instance.at.to_string(), instance_members(instance).0);
    }
    for tuple in &file.tuples {
        put("tuples", tuple_line(tuple), Vec::new());
    }
    for entry in &file.assignments {
        let place = match (&entry.on, &entry.tenant) {
            (Some(at), _) => format!("on {at}"),
            (None, Some(tenant)) => format!("in {tenant}"),
            (None, None) => format!("in {}", askfirst_domain::facts::DEFAULT_TENANT),
        };
        let mut members = assignment_members(entry).0;
        members.retain(|(name, _)| name == "expires_at");
        put("assignments", format!("{} {} {place}", entry.user, entry.role), members);
    }
}

fn bare(tree: &Tree) -> String {
    let value = tree.to_json();
    value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned)
}

/// Members of members by their joined names. What is a value to its owner (attributes, conditions) stays one.
fn flatten(path: &str, tree: &Tree, into: &mut Fields) {
    match tree {
        Tree::Map(members) | Tree::Open(members) if !members.is_empty() => {
            for (name, below) in members {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                // A token that stands in the file is nothing to show.
                if path == "webhook.bearer_token" {
                    into.insert(path, Value::String("(as the file says)".to_owned()));
                } else {
                    flatten(&path, below, into);
                }
            }
        }
        // A thing without members has nothing to show, a part without members is there.
        Tree::Map(_) | Tree::Open(_) if path.is_empty() => {}
        other => {
            into.insert(path.to_owned(), other.to_json());
        }
    }
}
