//! Random policy files that hold together, made of choices that a property test shrinks.

use askfirst_domain::{
    Key, Span, Timestamp,
    element::{ElementType, Level, Terms},
    facts::InstanceRef,
    review::Vote,
    schema::{
        AttributeType, DerivationRule, DerivationSettings, Permission, RuleResources, RuleUsers, SetKind,
    },
    terms::{BreakGlass, Escalation, RoleRef, RoleScope, Rule, Schedule, Threshold, Weekday},
    url_mapping::{AuthMechanism, MappingRule, Method, UrlKind},
};
use askfirst_policy::{
    RoleName,
    file::{
        ActionEntry, AssignmentEntry, AttributeEntry, DerivationEntry, ElementEntry, GroupEntry,
        InstanceEntry, PolicyFile, ProxyConfigEntry, RelationEntry, ResourceEntry, RoleEntry, RuleEntry,
        Section, SetEntry, TenantEntry, Token, TupleEntry, UserEntry, WebhookEntry,
    },
};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

pub(crate) const RESOURCES: [&str; 3] = ["folder", "doc", "true"];
pub(crate) const ACTIONS: [&str; 3] = ["read", "1", "no"];
pub(crate) const ROLES: [&str; 3] = ["owner", "editor", "007"];
pub(crate) const TENANT_ROLES: [&str; 2] = ["admin", "owner"];
pub(crate) const TENANTS: [&str; 3] = ["default", "acme", "null"];
pub(crate) const USERS: [&str; 4] = ["joe", "ann@x.io", "auth0|1e5", "..."];
pub(crate) const INSTANCES: [&str; 3] = ["a", "2026-01-01", "on"];
const WORDS: [&str; 14] = [
    "",
    "plain",
    "two words",
    " lead",
    "trail ",
    "yes",
    "1.50",
    "a: b # c",
    "line\nbreak\ttab",
    "\"quoted\" \\ it's",
    "größe € 漢字 🦀",
    "hidden \u{202e}\u{200b}\u{feff}\u{85}\u{7f}",
    "<<",
    "- [x]: {y}",
];

/// Choices; those that run out are all the first.
#[derive(Debug)]
pub(crate) struct Dice {
    tape: Vec<u16>,
    at: usize,
}

impl Dice {
    pub(crate) fn new(tape: Vec<u16>) -> Self {
        Self { tape, at: 0 }
    }

    pub(crate) fn roll(&mut self, sides: usize) -> usize {
        let number = self.tape.get(self.at).copied().unwrap_or_default();
        self.at += 1;
        usize::from(number) % sides
    }

    fn one<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.roll(of.len())]
    }

    fn some<T: Copy>(&mut self, of: &[T]) -> Vec<T> {
        of.iter().copied().filter(|_| self.roll(2) == 1).collect()
    }

    fn maybe<T>(&mut self, make: impl FnOnce(&mut Self) -> T) -> Option<T> {
        (self.roll(3) == 2).then(|| make(self))
    }

    fn word(&mut self) -> String {
        self.one(&WORDS).to_owned()
    }

    fn value(&mut self, depth: usize) -> Value {
        match self.roll(if depth == 0 { 9 } else { 11 }) {
            0 => Value::Bool(true),
            1 => json!(i64::try_from(self.roll(1000)).unwrap() - 500),
            2 => self
                .one(
                    &[json!(u64::MAX), json!(i64::MIN), json!(1e300), json!(-0.0), json!(0.1), json!(1e16)]
                        .each_ref(),
                )
                .clone(),
            3 => json!(f64::from(u16::try_from(self.roll(60_000)).unwrap()) / 7.0),
            4..=6 => self.word().into(),
            7 => Value::Null,
            8 => Value::Bool(false),
            9 => (0..self.roll(4)).map(|_| self.value(depth - 1)).collect(),
            _ => Value::Object(self.object(depth - 1)),
        }
    }

    fn object(&mut self, depth: usize) -> Map<String, Value> {
        (0..self.roll(4)).map(|_| (self.word(), self.value(depth))).collect()
    }
}

pub(crate) fn key(text: &str) -> Key {
    text.parse().unwrap()
}

/// A file under all sections, that refers to nothing else than what it says.
pub(crate) fn file(dice: &mut Dice) -> PolicyFile {
    let mut file = PolicyFile {
        sections: Section::ALL.into_iter().filter(|section| *section != Section::Tests).collect(),
        user_attributes: attributes(dice),
        tenant_attributes: attributes(dice),
        ..PolicyFile::default()
    };
    file.resources = RESOURCES.iter().enumerate().map(|(n, name)| resource(dice, n, name)).collect();
    let all: Vec<Permission> = permissions(&file);
    for (number, name) in TENANT_ROLES.into_iter().enumerate() {
        let permissions = all.iter().filter(|_| dice.roll(4) == 3).cloned().collect();
        let extends = if number == 1 && dice.roll(2) == 1 { vec![key("admin")] } else { Vec::new() };
        file.tenant_roles.push(RoleEntry { extends, ..role(dice, name, permissions) });
    }
    sets(dice, &mut file);
    rules(dice, &all, &mut file);
    elements(dice, &mut file);
    proxy_configs(dice, &mut file);
    facts(dice, &mut file);
    file
}

fn permissions(file: &PolicyFile) -> Vec<Permission> {
    let of = |resource: &ResourceEntry| -> Vec<Permission> {
        let one =
            |action: &ActionEntry| Permission { resource: resource.key.clone(), action: action.key.clone() };
        resource.actions.iter().map(one).collect()
    };
    file.resources.iter().flat_map(of).collect()
}

fn attributes(dice: &mut Dice) -> Vec<AttributeEntry> {
    let kinds =
        [AttributeType::String, AttributeType::Number, AttributeType::ObjectArray, AttributeType::Time];
    let mut names = dice.some(&["age", "size", "yes"]);
    names.sort_unstable();
    let one = |name: &str, dice: &mut Dice| AttributeEntry {
        key: key(name),
        kind: dice.one(&kinds),
        description: dice.maybe(Dice::word),
    };
    names.into_iter().map(|name| one(name, dice)).collect()
}

fn resource(dice: &mut Dice, number: usize, name: &str) -> ResourceEntry {
    let mut names = dice.some(&ACTIONS);
    names.sort_unstable();
    let actions: Vec<ActionEntry> = names
        .into_iter()
        .map(|name| ActionEntry {
            key: key(name),
            name: dice.maybe(Dice::word).unwrap_or_else(|| name.to_owned()),
            description: dice.maybe(Dice::word),
            attributes: dice.maybe(|dice| json!({"x": dice.roll(5)})),
            compat: Map::new(),
        })
        .collect();
    let keys: Vec<Key> = actions.iter().map(|action| action.key.clone()).collect();
    let own = |action: &Key| Permission { resource: key(name), action: action.clone() };
    // A resource is related to those before it, so that all that is named is there; `parent` never to itself. The subject
    // is the same in every file, as it can't change.
    let subjects = [("parent", number.checked_sub(1)), ("serves", Some(number))];
    let relations: Vec<RelationEntry> = subjects
        .into_iter()
        .filter_map(|(relation, subject)| {
            Some(RelationEntry {
                key: key(relation),
                subject_resource: key(RESOURCES[subject?]),
                name: dice.maybe(Dice::word).unwrap_or_else(|| relation.to_owned()),
                description: dice.maybe(Dice::word),
            })
        })
        .collect();
    let roles = ROLES
        .into_iter()
        .enumerate()
        .map(|(n, role_name)| {
            let permissions = keys.iter().filter(|_| dice.roll(2) == 1).map(own).collect();
            let extends = if n > 0 && dice.roll(2) == 1 { vec![key(ROLES[n - 1])] } else { Vec::new() };
            let granted_to = dice.maybe(|dice| derivation(dice, &relations));
            RoleEntry { extends, granted_to, ..role(dice, role_name, permissions) }
        })
        .collect();
    ResourceEntry {
        key: key(name),
        name: dice.maybe(Dice::word).unwrap_or_else(|| name.to_owned()),
        description: dice.maybe(Dice::word),
        urn: dice.maybe(Dice::word),
        type_attributes: dice.maybe(|dice| Value::Object(dice.object(1))),
        compat: dice
            .maybe(|dice| Map::from_iter([("v1compat_x".to_owned(), dice.value(1))]))
            .unwrap_or_default(),
        attributes: attributes(dice),
        action_groups: dice
            .maybe(|dice| GroupEntry {
                key: key("group"),
                name: dice.maybe(Dice::word).unwrap_or_else(|| "group".to_owned()),
                description: None,
                attributes: dice.maybe(|dice| json!([dice.roll(9)])),
                actions: keys.clone(),
            })
            .into_iter()
            .collect(),
        actions,
        relations,
        roles,
    }
}

fn role(dice: &mut Dice, name: &str, permissions: Vec<Permission>) -> RoleEntry {
    RoleEntry {
        key: key(name),
        name: dice.maybe(Dice::word).unwrap_or_else(|| name.to_owned()),
        description: dice.maybe(Dice::word),
        permissions,
        extends: Vec::new(),
        granted_to: None,
        attributes: dice.maybe(|dice| Value::Object(dice.object(1))),
        compat: Map::new(),
    }
}

fn derivation(dice: &mut Dice, relations: &[RelationEntry]) -> DerivationEntry {
    let settings = |dice: &mut Dice| DerivationSettings { no_direct_roles_on_object: dice.roll(2) == 1 };
    let rules = relations.iter().filter(|_| dice.roll(2) == 1).cloned().collect::<Vec<_>>();
    let source = |relation: RelationEntry, dice: &mut Dice| DerivationRule {
        role: key(dice.one(&ROLES)),
        on_resource: relation.subject_resource,
        linked_by_relation: relation.key,
        when: dice.maybe(settings),
    };
    DerivationEntry {
        when: settings(dice),
        users_with_role: rules.into_iter().map(|relation| source(relation, dice)).collect(),
    }
}

fn conditions(dice: &mut Dice) -> Value {
    let leaf = |dice: &mut Dice, root: &str| {
        let test = match dice.roll(4) {
            0 => json!({"equals": dice.word()}),
            1 => json!({"greater-than": dice.roll(9)}),
            2 => json!({"in": [dice.word(), dice.roll(3), null]}),
            _ => json!({"equals": {"ref": "user.key"}}),
        };
        json!({(format!("{root}.age")): test})
    };
    match dice.roll(4) {
        0 => json!({}),
        1 => leaf(dice, "user"),
        2 => json!({"not": [leaf(dice, "resource")]}),
        _ => json!({"allOf": [leaf(dice, "user"), {"anyOf": [leaf(dice, "context"), leaf(dice, "tenant")]}]}),
    }
}

fn sets(dice: &mut Dice, file: &mut PolicyFile) {
    for (number, name) in ["adults", "no-one", "0x1F", "big"].into_iter().enumerate() {
        if dice.roll(3) == 0 {
            continue;
        }
        let kind = if number < 2 { SetKind::Userset } else { SetKind::Resourceset };
        let resource = (number >= 2).then(|| key("doc"));
        let mut parents = file.sets.iter().filter(|set| set.kind == kind).map(|set| set.key.clone());
        let parent = parents.next_back().filter(|_| dice.roll(2) == 1);
        file.sets.push(SetEntry {
            key: key(name),
            kind,
            resource,
            parent,
            name: dice.maybe(Dice::word).unwrap_or_else(|| name.to_owned()),
            description: dice.maybe(Dice::word),
            conditions: conditions(dice),
            autogenerated: dice.roll(4) == 3,
        });
    }
}

fn rules(dice: &mut Dice, all: &[Permission], file: &mut PolicyFile) {
    for permission in all {
        if dice.roll(2) == 0 {
            continue;
        }
        let user_sets: Vec<Key> =
            file.sets.iter().filter(|s| s.kind == SetKind::Userset).map(|s| s.key.clone()).collect();
        let sets: Vec<Key> = file
            .sets
            .iter()
            .filter(|set| set.resource.as_ref() == Some(&permission.resource))
            .map(|set| set.key.clone())
            .collect();
        let users = match dice.roll(3) {
            0 => RuleUsers::Role { resource: None, key: key("admin") },
            1 if !user_sets.is_empty() => RuleUsers::Set(user_sets[dice.roll(user_sets.len())].clone()),
            _ => RuleUsers::Role { resource: Some(permission.resource.clone()), key: key(dice.one(&ROLES)) },
        };
        let resources = match dice.roll(2) {
            1 if !sets.is_empty() => RuleResources::Set(sets[dice.roll(sets.len())].clone()),
            _ => RuleResources::Resource(permission.resource.clone()),
        };
        file.rules.push(RuleEntry { users, permission: permission.clone(), resources });
    }
}

fn proxy_configs(dice: &mut Dice, file: &mut PolicyFile) {
    for name in ["shop", "yes"] {
        if dice.roll(2) == 0 {
            continue;
        }
        let rules = (0..dice.roll(4)).map(|_| mapping_rule(dice)).collect();
        file.proxy_configs.push(ProxyConfigEntry {
            key: key(name),
            name: dice.maybe(Dice::word).unwrap_or_else(|| name.to_owned()),
            auth_mechanism: dice.one(&[AuthMechanism::Bearer, AuthMechanism::Basic, AuthMechanism::Headers]),
            rules,
        });
    }
}

fn mapping_rule(dice: &mut Dice) -> MappingRule {
    let (kind, url) = dice.one(&[
        (UrlKind::Template, "https://api.example.com/docs/{id}?limit={limit}"),
        (UrlKind::Template, "/1e5: #"),
        (UrlKind::Regex, r"^/docs/(?P<id>\d+)$"),
        (UrlKind::Regex, "no"),
    ]);
    let headers = (0..dice.roll(3)).map(|_| (dice.word(), dice.word())).collect();
    MappingRule {
        url: url.to_owned(),
        kind,
        method: dice.one(&[Method::Get, Method::Post, Method::Options]),
        resource: key(dice.one(&RESOURCES)),
        action: dice.maybe(|dice| key(dice.one(&ACTIONS))),
        headers,
        priority: dice.one(&[0, 0, 1, i64::MIN, i64::MAX]),
    }
}

fn elements(dice: &mut Dice, file: &mut PolicyFile) {
    for (name, kind) in [("requests", ElementType::UserManagement), ("no", ElementType::AuditLog)] {
        let element = key(name);
        if dice.roll(2) == 0 {
            continue;
        }
        let resource = dice.maybe(|dice| key(dice.one(&RESOURCES)));
        let mut levels: BTreeMap<Level, Vec<RoleName>> = BTreeMap::new();
        let tenant_role = |name: &str| RoleName { resource: None, key: key(name) };
        let mut roles: Vec<RoleName> = TENANT_ROLES.map(tenant_role).to_vec();
        if let Some(resource) = &resource {
            roles.extend(ROLES.map(|role| RoleName { resource: Some(resource.clone()), key: key(role) }));
        }
        for role in roles {
            let level = dice.one(&[Level::Owner, Level::Viewer, Level::Assignable, Level::Hidden]);
            if dice.roll(2) == 1 {
                levels.entry(level).or_default().push(role);
            }
        }
        let webhook = dice.maybe(|dice| WebhookEntry {
            url: "https://hooks.example/x?a=b#c".to_owned(),
            token: dice
                .one(&[Token::None, Token::Named("REQUESTS_WEBHOOK_TOKEN".to_owned())].each_ref())
                .clone(),
        });
        let voters: Vec<RoleName> = levels.values().flatten().cloned().collect();
        let has_admin = file.tenant_roles.iter().any(|role| role.key.as_str() == "admin");
        let terms = terms(dice, &voters, has_admin);
        let settings = [("title", json!(dice.word())), ("rows", json!(dice.roll(90))), ("yes", json!(true))];
        file.elements.push(ElementEntry {
            key: element,
            name: dice.maybe(Dice::word).unwrap_or_else(|| name.to_owned()),
            kind,
            resource,
            levels,
            settings: settings
                .into_iter()
                .filter(|_| dice.roll(2) == 1)
                .map(|(n, v)| (n.to_owned(), v))
                .collect(),
            email_notifications: dice.roll(2) == 1,
            active: dice.roll(3) != 2,
            webhook,
            terms,
        });
    }
}

fn terms(dice: &mut Dice, voters: &[RoleName], has_admin: bool) -> Terms {
    let mut thresholds = Vec::new();
    for name in ["two", "more of them"] {
        if dice.roll(3) == 1 {
            thresholds.push(Threshold {
                name: name.to_owned(),
                approve: 1 + u32::try_from(dice.roll(3)).unwrap(),
                deny: 1 + u32::try_from(dice.roll(3)).unwrap(),
                role: voters.get(dice.roll(voters.len() + 1)).map(role_ref),
                when: dice.maybe(|dice| json!({"action.arguments.amount": {"greater-than": dice.roll(100)}})),
            });
        }
    }
    let rules = dice.maybe(|dice| Rule {
        name: "by itself".to_owned(),
        then: if dice.roll(2) == 1 { Vote::Approve } else { Vote::Deny },
        when: dice.maybe(|_| json!({"user.age": {"greater-than": 17}})),
        role: voters.get(dice.roll(voters.len() + 1)).map(role_ref),
        during: dice.maybe(|dice| Schedule {
            days: vec![Weekday::Mon],
            from: dice.maybe(|_| "09:00".parse().unwrap()),
            to: None,
            zone: "Europe/Berlin".to_owned(),
        }),
        lasts: dice.maybe(|dice| span(dice.roll(9_000))),
        reason: dice.maybe(Dice::word),
    });
    let rules = rules.into_iter().collect();
    Terms {
        decide_within: dice.maybe(|dice| span(dice.roll(90_000))),
        grant_lasts: dice.maybe(|dice| span(dice.roll(900_000))),
        most_uses: dice.maybe(|dice| 1 + u32::try_from(dice.roll(5)).unwrap()),
        thresholds,
        rules,
        escalation: voters
            .iter()
            .take(1)
            .map(|role| Escalation { after: span(600), roles: vec![role_ref(role)] })
            .collect(),
        break_glass: dice
            .maybe(|dice| BreakGlass {
                roles: vec![RoleRef { scope: RoleScope::Tenant, key: key("admin") }],
                lasts: dice.maybe(|dice| span(dice.roll(3_000))),
                agents: dice.roll(2) == 1,
            })
            .filter(|_| has_admin),
        ask_again_after: dice.maybe(|dice| span(dice.roll(9_000))),
    }
}

fn role_ref(name: &RoleName) -> RoleRef {
    let scope = name.resource.clone().map_or(RoleScope::Tenant, RoleScope::On);
    RoleRef { scope, key: name.key.clone() }
}

fn span(seconds: usize) -> Span {
    Span::try_from(seconds as u64 + 1).unwrap()
}

fn facts(dice: &mut Dice, file: &mut PolicyFile) {
    for tenant in TENANTS {
        file.tenants.push(TenantEntry {
            key: key(tenant),
            name: dice.maybe(Dice::word).unwrap_or_else(|| tenant.to_owned()),
            description: dice.maybe(Dice::word),
            attributes: dice.object(2),
        });
    }
    for user in USERS {
        file.users.push(UserEntry {
            key: user.parse().unwrap(),
            email: dice.maybe(Dice::word),
            first_name: dice.maybe(Dice::word),
            last_name: dice.maybe(Dice::word),
            attributes: dice.object(3),
        });
    }
    for (number, resource) in RESOURCES.into_iter().enumerate() {
        for instance in dice.some(&INSTANCES) {
            file.instances.push(InstanceEntry {
                at: InstanceRef { resource: key(resource), key: key(instance) },
                // The same in every file, as an instance can't move.
                tenant: key(TENANTS[(number + instance.len()) % TENANTS.len()]),
                attributes: dice.object(2),
            });
        }
    }
    for object in &file.instances {
        let resource = file.resources.iter().find(|resource| resource.key == object.at.resource);
        for relation in resource.map(|resource| resource.relations.as_slice()).unwrap_or_default() {
            let subjects = file.instances.iter().filter(|subject| {
                subject.at.resource == relation.subject_resource && subject.tenant == object.tenant
            });
            for subject in subjects {
                if dice.roll(2) == 1 {
                    file.tuples.push(TupleEntry {
                        subject: subject.at.clone(),
                        relation: relation.key.clone(),
                        object: object.at.clone(),
                    });
                }
            }
        }
    }
    assignments(dice, file);
}

fn assignments(dice: &mut Dice, file: &mut PolicyFile) {
    for user in USERS {
        for role in TENANT_ROLES {
            let tenant = dice.one(&TENANTS);
            if dice.roll(3) == 2 {
                file.assignments.push(AssignmentEntry {
                    user: user.parse().unwrap(),
                    role: key(role),
                    on: None,
                    tenant: (tenant != "default").then(|| key(tenant)),
                    expires_at: dice.maybe(moment),
                });
            }
        }
        for at in file.instances.iter().map(|instance| instance.at.clone()).collect::<Vec<_>>() {
            if dice.roll(4) == 3 {
                file.assignments.push(AssignmentEntry {
                    user: user.parse().unwrap(),
                    role: key(dice.one(&ROLES)),
                    on: Some(at),
                    tenant: None,
                    expires_at: dice.maybe(moment),
                });
            }
        }
    }
}

fn moment(dice: &mut Dice) -> Timestamp {
    let micros = i64::try_from(dice.roll(60_000)).unwrap() * 86_400_000_123;
    Timestamp::from_micros(micros)
}
