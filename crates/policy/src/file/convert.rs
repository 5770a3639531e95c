//! From the file as it is written to what it says: keys, references and times are read, positions are noted.

use super::{
    VERSION,
    data::{
        ActionEntry, AssignmentEntry, AttributeEntry, DerivationEntry, ElementEntry, InstanceEntry,
        PolicyFile, RelationEntry, ResourceEntry, RoleEntry, TenantEntry, TupleEntry, UserEntry,
        WebhookEntry,
    },
    diagnostic::{Diagnostic, suggest},
    raw::{
        Entries, RawAssignment, RawDerivation, RawElement, RawFile, RawInstance, RawResource, RawRole,
        RawTuple, RawWhen, Text,
    },
};
use crate::{RoleName, parse_permission};
use askfirst_domain::{
    Key, Timestamp, UserKey,
    element::{ElementType, Level},
    facts::{DEFAULT_TENANT, InstanceRef},
    schema::{AttributeType, DerivationRule, DerivationSettings, Permission},
};
use rustc_hash::FxHashMap;
use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_saphyr::{Location, Spanned};
use std::{collections::BTreeMap, fmt, str::FromStr};

const ELEMENT_TYPES: [&str; 5] =
    ["user_management", "audit_log", "approval_flow", "operation_approval", "approval_management"];
const LEVELS: [&str; 6] = ["LEVEL_1", "LEVEL_2", "LEVEL_3", "LEVEL_4", "HIDDEN", "UNCONFIGURED"];
const ATTRIBUTE_TYPES: [&str; 8] =
    ["bool", "number", "string", "time", "array", "json", "object", "object_array"];

/// Something in the file that a later check may complain about; its text is the same wherever it is built.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Spot {
    Resource(Key),
    Relation(Key, Key),
    Role(RoleName),
    Permission(RoleName, Permission),
    Extends(RoleName, Key),
    Rule(RoleName, usize),
    Element(Key),
    Level(Key, RoleName),
    Instance(usize),
    Tuple(usize),
    Assignment(usize),
}

/// Gathers what is wrong and where things stand.
#[derive(Debug, Default)]
pub(super) struct Reader {
    pub(super) diagnostics: Vec<Diagnostic>,
    positions: FxHashMap<Spot, Location>,
}

impl Reader {
    pub(super) fn complain(&mut self, at: Location, message: impl fmt::Display, hint: Option<String>) {
        let message = message.to_string();
        self.diagnostics.push(Diagnostic { line: at.line(), column: at.column(), message, hint });
    }

    pub(super) fn position(&self, spot: &Spot) -> Location {
        self.positions.get(spot).copied().unwrap_or(Location::UNKNOWN)
    }

    pub(super) fn file(&mut self, raw: RawFile) -> PolicyFile {
        if raw.askfirst.value != VERSION {
            let message = format!("this is version {} of the format", raw.askfirst.value);
            self.complain(raw.askfirst.referenced, message, Some(format!("write `askfirst: {VERSION}`")));
        }
        let mut file = PolicyFile {
            resources: self.entries(raw.resources, Self::resource),
            tenant_roles: self.entries(raw.roles, |reader, key, raw| reader.role(None, key, raw)),
            elements: self.entries(raw.elements, Self::element),
            tenants: self.entries(raw.tenants, |reader, key, raw| {
                let key: Key = reader.read(key)?;
                let name = raw.name.unwrap_or_else(|| key.to_string());
                Some(TenantEntry { key, name, description: raw.description, attributes: raw.attributes })
            }),
            users: self.entries(raw.users, |reader, key, raw| {
                Some(UserEntry {
                    key: reader.read(key)?,
                    email: raw.email,
                    first_name: raw.first_name,
                    last_name: raw.last_name,
                    attributes: raw.attributes,
                })
            }),
            ..PolicyFile::default()
        };
        for (key, raw) in raw.instances.0 {
            if let Some(instance) = self.instance(&key, raw) {
                self.positions.insert(Spot::Instance(file.instances.len()), key.referenced);
                file.instances.push(instance);
            }
        }
        for raw in raw.tuples {
            let at = raw.referenced;
            if let Some(tuple) = self.tuple(raw) {
                self.positions.insert(Spot::Tuple(file.tuples.len()), at);
                file.tuples.push(tuple);
            }
        }
        for raw in raw.assignments {
            let at = raw.referenced;
            if let Some(assignment) = self.assignment(&raw.value) {
                self.positions.insert(Spot::Assignment(file.assignments.len()), at);
                file.assignments.push(assignment);
            }
        }
        file
    }

    fn entries<V, T>(&mut self, raw: Entries<V>, read: impl Fn(&mut Self, &Text, V) -> Option<T>) -> Vec<T> {
        raw.0.into_iter().filter_map(|(key, value)| read(self, &key, value)).collect()
    }

    /// Reads a key or anything else with rules of its own.
    fn read<T: FromStr<Err: fmt::Display>>(&mut self, text: &Text) -> Option<T> {
        text.value.parse().map_err(|error| self.complain(text.referenced, error, None)).ok()
    }

    /// Reads one of the words that a type is written with.
    fn word<T: DeserializeOwned>(&mut self, text: &Text, what: &str, words: &[&str]) -> Option<T> {
        let read = serde_json::from_value(Value::String(text.value.clone())).ok();
        if read.is_none() {
            let message = format!("`{}` is not {what}", text.value);
            self.complain(text.referenced, message, suggest(&text.value, words));
        }
        read
    }

    /// Reads `type:key`.
    fn instance_ref(&mut self, text: &str, at: Location) -> Option<InstanceRef> {
        let read = text.split_once(':').and_then(|(resource, key)| {
            Some(InstanceRef { resource: resource.parse().ok()?, key: key.parse().ok()? })
        });
        if read.is_none() {
            let hint = "write `resource:key`, with letters, digits, `-` and `_` in each";
            self.complain(at, format!("`{text}` does not name an instance"), Some(hint.to_owned()));
        }
        read
    }

    fn resource(&mut self, key: &Text, raw: RawResource) -> Option<ResourceEntry> {
        let at = key.referenced;
        let key: Key = self.read(key)?;
        self.positions.insert(Spot::Resource(key.clone()), at);
        let mut actions = Vec::new();
        for (text, action) in raw.actions.0 {
            if let Some(action_key) = self.read::<Key>(&text) {
                if actions.iter().any(|a: &ActionEntry| a.key == action_key) {
                    self.complain(
                        text.referenced,
                        format!("the action `{action_key}` stands here twice"),
                        None,
                    );
                }
                let name = action.name.unwrap_or_else(|| action_key.to_string());
                actions.push(ActionEntry { key: action_key, name, description: action.description });
            }
        }
        let attributes = self.entries(raw.attributes, |reader, text, kind| {
            let kind: Option<AttributeType> = reader.word(&kind, "a type of attribute", &ATTRIBUTE_TYPES);
            Some(AttributeEntry { key: reader.read(text)?, kind: kind? })
        });
        let relations = self.entries(raw.relations, |reader, text, subject| {
            let subject_resource: Option<Key> = reader.read(&subject);
            let relation: Key = reader.read(text)?;
            reader.positions.insert(Spot::Relation(key.clone(), relation.clone()), subject.referenced);
            Some(RelationEntry { key: relation, subject_resource: subject_resource? })
        });
        let roles = self.entries(raw.roles, |reader, text, role| reader.role(Some(&key), text, role));
        let name = raw.name.unwrap_or_else(|| key.to_string());
        Some(ResourceEntry { key, name, description: raw.description, actions, attributes, relations, roles })
    }

    fn role(&mut self, resource: Option<&Key>, text: &Text, raw: RawRole) -> Option<RoleEntry> {
        let role = RoleName { resource: resource.cloned(), key: self.read(text)? };
        self.positions.insert(Spot::Role(role.clone()), text.referenced);
        let mut permissions = Vec::new();
        for text in raw.permissions {
            match parse_permission(&role, &text.value) {
                Ok(permission) => {
                    self.positions
                        .insert(Spot::Permission(role.clone(), permission.clone()), text.referenced);
                    permissions.push(permission);
                }
                Err(error) => self.complain(text.referenced, error, None),
            }
        }
        let mut extends = Vec::new();
        for text in raw.extends {
            if let Some(base) = self.read::<Key>(&text) {
                self.positions.insert(Spot::Extends(role.clone(), base.clone()), text.referenced);
                extends.push(base);
            }
        }
        let granted_to = raw.granted_to.and_then(|derivation| self.derivation(&role, derivation));
        let name = raw.name.unwrap_or_else(|| role.key.to_string());
        Some(RoleEntry {
            key: role.key,
            name,
            description: raw.description,
            permissions,
            extends,
            granted_to,
        })
    }

    fn derivation(&mut self, role: &RoleName, raw: Spanned<RawDerivation>) -> Option<DerivationEntry> {
        let settings =
            |when: &RawWhen| DerivationSettings { no_direct_roles_on_object: when.no_direct_roles_on_object };
        if role.resource.is_none() {
            let message = format!("the role {role} is held in tenants and can't be derived");
            self.complain(raw.referenced, message, Some("only roles on a resource can".to_owned()));
            return None;
        }
        let mut users_with_role = Vec::new();
        for rule in raw.value.users_with_role {
            self.positions.insert(Spot::Rule(role.clone(), users_with_role.len()), rule.referenced);
            let rule = rule.value;
            let (source, on) = (self.read(&rule.role), self.read(&rule.on_resource));
            users_with_role.push(DerivationRule {
                role: source?,
                on_resource: on?,
                linked_by_relation: self.read(&rule.linked_by_relation)?,
                when: rule.when.as_ref().map(settings),
            });
        }
        Some(DerivationEntry { when: settings(&raw.value.when), users_with_role })
    }

    fn element(&mut self, text: &Text, raw: RawElement) -> Option<ElementEntry> {
        let key: Key = self.read(text)?;
        self.positions.insert(Spot::Element(key.clone()), text.referenced);
        let kind: Option<ElementType> = self.word(&raw.kind, "a type of element", &ELEMENT_TYPES);
        let resource: Option<Key> = raw.resource.as_ref().and_then(|text| self.read(text));
        let mut levels: BTreeMap<Level, Vec<RoleName>> = BTreeMap::new();
        for (level, roles) in raw.levels.0 {
            let level: Option<Level> = self.word(&level, "a level", &LEVELS);
            for text in roles {
                let role = self.level_role(resource.as_ref(), &text);
                if let (Some(level), Some(role)) = (level, role) {
                    self.positions.insert(Spot::Level(key.clone(), role.clone()), text.referenced);
                    levels.entry(level).or_default().push(role);
                }
            }
        }
        let name = raw.name.unwrap_or_else(|| key.to_string());
        let webhook = raw.webhook.and_then(|webhook| {
            if !webhook.url.value.starts_with("https://") && !webhook.url.value.starts_with("http://") {
                let hint = "write an address that starts with https:// or http://";
                self.complain(
                    webhook.url.referenced,
                    "this is not an address for a webhook",
                    Some(hint.to_owned()),
                );
                return None;
            }
            Some(WebhookEntry { url: webhook.url.value, bearer_token: webhook.bearer_token })
        });
        let email_notifications = raw.email_notifications;
        Some(ElementEntry {
            key,
            name,
            kind: kind?,
            resource,
            levels,
            settings: raw.settings,
            email_notifications,
            webhook,
        })
    }

    /// `parent` is a role on the element's resource, or a tenant role where the element has none; `tenant#admin` is a
    /// tenant role in any element.
    fn level_role(&mut self, resource: Option<&Key>, text: &Text) -> Option<RoleName> {
        let (resource, key) = match text.value.split_once('#') {
            Some(("tenant", key)) => (None, key),
            Some(_) => {
                let hint = "write the role's key alone, or `tenant#key` for a tenant role".to_owned();
                self.complain(
                    text.referenced,
                    format!("`{}` does not name a role here", text.value),
                    Some(hint),
                );
                return None;
            }
            None => (resource.cloned(), text.value.as_str()),
        };
        let key = key.parse().map_err(|error| self.complain(text.referenced, error, None)).ok()?;
        Some(RoleName { resource, key })
    }

    fn instance(&mut self, text: &Text, raw: RawInstance) -> Option<InstanceEntry> {
        let at = self.instance_ref(&text.value, text.referenced)?;
        let tenant = match raw.tenant {
            Some(tenant) => self.read(&tenant)?,
            None => default_tenant()?,
        };
        Some(InstanceEntry { at, tenant, attributes: raw.attributes.into_iter().collect() })
    }

    fn tuple(&mut self, raw: Spanned<RawTuple>) -> Option<TupleEntry> {
        match raw.value {
            RawTuple::Parts(parts) => Some(TupleEntry {
                subject: self.instance_ref(&parts.subject.value, parts.subject.referenced)?,
                relation: self.read(&parts.relation)?,
                object: self.instance_ref(&parts.object.value, parts.object.referenced)?,
            }),
            RawTuple::Line(line) => {
                let mut words = line.split_whitespace();
                let parts = (words.next(), words.next(), words.next(), words.next());
                let (Some(subject), Some(relation), Some(object), None) = parts else {
                    let hint = "write `resource:key relation resource:key`".to_owned();
                    self.complain(raw.referenced, format!("`{line}` is not a relationship"), Some(hint));
                    return None;
                };
                let relation =
                    relation.parse().map_err(|error| self.complain(raw.referenced, error, None)).ok()?;
                Some(TupleEntry {
                    subject: self.instance_ref(subject, raw.referenced)?,
                    relation,
                    object: self.instance_ref(object, raw.referenced)?,
                })
            }
        }
    }

    fn assignment(&mut self, raw: &RawAssignment) -> Option<AssignmentEntry> {
        let user: Option<UserKey> = self.read(&raw.user);
        let role: Option<Key> = self.read(&raw.role);
        let on = match &raw.on {
            Some(text) => Some(self.instance_ref(&text.value, text.referenced)?),
            None => None,
        };
        let tenant = match &raw.tenant {
            Some(text) => Some(self.read(text)?),
            None => None,
        };
        let expires_at = match &raw.expires_at {
            Some(text) => Some(self.time(text)?),
            None => None,
        };
        Some(AssignmentEntry { user: user?, role: role?, on, tenant, expires_at })
    }

    fn time(&mut self, text: &Text) -> Option<Timestamp> {
        let read = text.value.parse::<jiff::Timestamp>();
        if read.is_err() {
            let hint = "write it as 2027-01-31T18:30:00Z".to_owned();
            self.complain(text.referenced, format!("`{}` is not a point in time", text.value), Some(hint));
        }
        read.ok().map(|time| Timestamp::from_micros(time.as_microsecond()))
    }
}

fn default_tenant() -> Option<Key> {
    DEFAULT_TENANT.parse().ok()
}
