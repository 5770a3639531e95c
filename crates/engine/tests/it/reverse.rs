//! The lists say what the check says, on random models that are built like the family's.

use crate::support::World;
use askfirst_domain::{Key, UserKey};
use askfirst_engine::{
    EnvScope, Page,
    check::{PermissionFilter, Thing},
};
use proptest::prelude::*;
use std::{collections::BTreeSet, fmt::Write as _, time::Duration};

const ACTIONS: [&str; 3] = ["read", "operate", "close"];
const RESOURCES: [&str; 2] = ["restaurants", "dishes"];
const ROLES: [&str; 3] = ["parent", "child", "guest"];
const TENANT_ROLES: [&str; 2] = ["auditor", "helper"];
const TENANTS: [&str; 2] = ["default", "smith"];
const USERS: [&str; 5] = ["joe", "jane", "henry", "rose", "ann"];
const INSTANCES: usize = 6;

/// Numbers to make choices with; proptest shrinks them.
struct Dice {
    tape: Vec<u16>,
    at: usize,
}

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.at += 1;
        usize::from(self.tape[self.at % self.tape.len()]) % sides
    }

    fn some<'a>(&mut self, of: &[&'a str]) -> Vec<&'a str> {
        of.iter().filter(|_| self.roll(2) == 0).copied().collect()
    }

    fn one<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[self.roll(of.len())]
    }
}

/// The text of a policy file with its facts.
fn model(dice: &mut Dice) -> String {
    let mut file = String::from("askfirst: 1\nresources:\n");
    for resource in RESOURCES {
        let _ = writeln!(file, "  {resource}:\n    actions: [{}]", ACTIONS.join(", "));
        let _ = writeln!(file, "    relations: {{serves: restaurants}}\n    roles:");
        for (number, role) in ROLES.into_iter().enumerate() {
            let _ =
                writeln!(file, "      {role}:\n        permissions: [{}]", dice.some(&ACTIONS).join(", "));
            // A circle of roles would be refused.
            let others = &ROLES[number + 1..];
            if !others.is_empty() && dice.roll(3) == 0 {
                let _ = writeln!(file, "        extends: [{}]", dice.one(others));
            }
            if dice.roll(2) == 0 {
                let _ = writeln!(
                    file,
                    "        granted_to:\n          when: {{no_direct_roles_on_object: {}}}\n          users_with_role:\n            - {{role: {}, on_resource: restaurants, linked_by_relation: serves}}",
                    dice.roll(3) == 0,
                    dice.one(&ROLES),
                );
            }
        }
    }
    file.push_str("roles:\n");
    for role in TENANT_ROLES {
        let permission = format!("{}:{}", dice.one(&RESOURCES), dice.one(&ACTIONS));
        let _ = writeln!(file, "  {role}: {{permissions: [\"{permission}\"]}}");
    }
    facts(dice, &mut file);
    file
}

fn facts(dice: &mut Dice, file: &mut String) {
    file.push_str("tenants: {default: {}, smith: {}}\n");
    let _ = writeln!(file, "users: {{{}}}\ninstances:", USERS.map(|user| format!("{user}: {{}}")).join(", "));
    let mut homes = Vec::new();
    for resource in RESOURCES {
        for number in 0..INSTANCES {
            let home = dice.one(&TENANTS);
            let _ = writeln!(file, "  \"{resource}:{number}\": {{tenant: {home}}}");
            homes.push((resource, number, home));
        }
    }
    let mut tuples = BTreeSet::new();
    for _ in 0..14 {
        let subject = homes[dice.roll(INSTANCES)];
        let object = homes[dice.roll(homes.len())];
        if subject.2 == object.2 && (subject.0, subject.1) != (object.0, object.1) {
            tuples.insert(format!("{}:{} serves {}:{}", subject.0, subject.1, object.0, object.1));
        }
    }
    if !tuples.is_empty() {
        file.push_str("tuples:\n");
    }
    for tuple in tuples {
        let _ = writeln!(file, "  - \"{tuple}\"");
    }
    let mut assignments = BTreeSet::new();
    for _ in 0..12 {
        let user = dice.one(&USERS);
        assignments.insert(if dice.roll(5) == 0 {
            format!("user: {user}, role: {}, tenant: {}", dice.one(&TENANT_ROLES), dice.one(&TENANTS))
        } else {
            let (resource, number, _) = homes[dice.roll(homes.len())];
            format!("user: {user}, role: {}, on: \"{resource}:{number}\"", dice.one(&ROLES))
        });
    }
    file.push_str("assignments:\n");
    for assignment in assignments {
        // The clock of the test starts at 2026-09-21T14:13:20Z, and is moved past the end.
        let end = if dice.roll(6) == 0 { ", expires_at: 2026-09-21T15:00:00Z" } else { "" };
        let _ = writeln!(file, "  - {{{assignment}{end}}}");
    }
}

fn thing(resource: &str, instance: Option<&str>, tenant: Option<&str>) -> Thing {
    Thing {
        resource: resource.to_owned(),
        instance: instance.map(str::to_owned),
        tenant: tenant.map(str::to_owned),
    }
}

fn may(dev: &EnvScope, user: &str, action: &str, on: &Thing) -> bool {
    dev.is_allowed(&on.clone().asked(user, action))
}

/// Whom and what the check allows on each thing, against the lists of users and actions.
fn users_and_actions(dev: &EnvScope, resource: &str, instance: Option<&str>, tenant: Option<&str>) {
    let on = thing(resource, instance, tenant);
    for action in ACTIONS.iter().chain(&["fly"]) {
        let mut expected: Vec<&str> = USERS.into_iter().filter(|user| may(dev, user, action, &on)).collect();
        expected.sort_unstable();
        let found = dev.users_allowed(action, &on);
        let found: Vec<&str> = found.iter().map(UserKey::as_str).collect();
        assert_eq!(found, expected, "users who may {action} {on:?}");
        let authorized = dev.authorized(action, &on);
        let found: Vec<&str> = authorized.users.keys().map(UserKey::as_str).collect();
        assert_eq!(found, expected, "authorized users who may {action} {on:?}");
        assert!(authorized.users.values().all(|roles| !roles.is_empty()), "each for a reason");
    }
    for user in USERS.iter().chain(&["nobody"]) {
        let mut expected: Vec<&str> =
            ACTIONS.into_iter().filter(|action| may(dev, user, action, &on)).collect();
        expected.sort_unstable();
        let found = dev.actions_allowed(user, &on);
        let found: Vec<&str> = found.iter().map(Key::as_str).collect();
        assert_eq!(found, expected, "what {user} may do to {on:?}");
    }
}

/// The instances on which the check allows it, against the list, read three at a time.
async fn instances(dev: &EnvScope, user: &str, action: &str, resource: &str, tenant: Option<&str>) {
    let numbers: Vec<String> = (0..INSTANCES).map(|number| number.to_string()).collect();
    let expected: BTreeSet<&str> = numbers
        .iter()
        .map(String::as_str)
        .filter(|key| may(dev, user, action, &thing(resource, Some(key), tenant)))
        .collect();
    let (mut found, mut offset) = (Vec::new(), Some(0));
    while let Some(at) = offset {
        let page = Page { offset: at, limit: 3 };
        let part = dev.instances_allowed(user, action, resource, tenant, page).await.expect("a list");
        assert_eq!(part.total, u64::try_from(expected.len()).unwrap());
        found.extend(part.items.into_iter().map(|item| item.key.to_string()));
        offset = part.next;
    }
    let set: BTreeSet<&str> = found.iter().map(String::as_str).collect();
    assert_eq!(
        (set, found.len()),
        (expected.clone(), expected.len()),
        "{user} {action} {resource} {tenant:?}"
    );
}

/// A user's permissions and tenants against the check.
async fn permissions(dev: &EnvScope, user: &str) {
    let held = dev.permissions_of(user, &PermissionFilter::default(), Page::ALL).await.expect("a list");
    let listed: BTreeSet<(String, String)> = held
        .iter()
        .flat_map(|h| h.permissions.iter().map(|p| (h.name(), format!("{}:{}", p.resource, p.action))))
        .collect();
    for resource in RESOURCES {
        for action in ACTIONS {
            let permission = format!("{resource}:{action}");
            let has = |place: &str| listed.contains(&(place.to_owned(), permission.clone()));
            let allowing: Vec<&str> = TENANTS
                .into_iter()
                .filter(|tenant| may(dev, user, action, &thing(resource, None, Some(tenant))))
                .collect();
            let found =
                dev.tenants_allowed(user, action, &thing(resource, None, None)).await.expect("a list");
            let found: Vec<&str> = found.iter().map(|tenant| tenant.key.as_str()).collect();
            assert_eq!(found, allowing, "tenants where {user} may {action} {resource}");
            for tenant in TENANTS {
                assert_eq!(
                    has(&format!("__tenant:{tenant}")),
                    allowing.contains(&tenant),
                    "{user} {permission}"
                );
            }
            for number in 0..INSTANCES {
                let key = number.to_string();
                let allowed = may(dev, user, action, &thing(resource, Some(&key), None));
                let home = dev.state().snapshot.instance_tenant(resource, &key).expect("it exists");
                let listed = has(&format!("{resource}:{key}")) || has(&format!("__tenant:{home}"));
                assert_eq!(listed, allowed, "{user} {permission} on {key}");
            }
        }
    }
}

async fn every_list_agrees(tape: Vec<u16>) {
    let world = World::fresh().await;
    let text = model(&mut Dice { tape, at: 0 });
    let applied = world.dev().await.apply_policy(&text).await;
    applied.unwrap_or_else(|e| panic!("the model is refused: {e:?}\n{text}"));
    world.clock.advance(Duration::from_hours(1));
    let dev = world.dev().await;
    for resource in RESOURCES.iter().chain(&["castles"]) {
        for tenant in [None, Some("default"), Some("smith"), Some("mars")] {
            for instance in [None, Some("0"), Some("1"), Some("2"), Some("3"), Some("unknown")] {
                users_and_actions(&dev, resource, instance, tenant);
            }
            for user in USERS.iter().chain(&["nobody"]) {
                for action in ACTIONS.iter().chain(&["fly"]) {
                    instances(&dev, user, action, resource, tenant).await;
                }
            }
        }
    }
    for user in USERS {
        permissions(&dev, user).await;
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, max_shrink_iters: 60, ..ProptestConfig::default() })]
    #[test]
    fn every_list_agrees_with_the_check(tape in prop::collection::vec(any::<u16>(), 64..256)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(every_list_agrees(tape));
    }
}
