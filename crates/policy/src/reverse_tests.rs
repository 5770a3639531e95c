//! Every list holds exactly what the check allows, on random worlds with rules over condition sets.

use crate::{
    CallAttributes, HoldingFilter, Part, Question, Reaching, Snapshot, TENANT_TYPE,
    fixture::Fixture,
    oracle_tests::World,
    sets_tests::{add_sets, attributes, resource_set, rule, set as users_in, user_set},
};
use askfirst_domain::{
    Timestamp, UserKey,
    change::Change,
    decision::{Allowance, Decision, Place},
    facts::Attributes,
    schema::RuleResources,
};
use proptest::prelude::*;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};

const NOW: Timestamp = Timestamp::from_micros(1_000_000);
const TENANTS: [Option<&str>; 4] = [None, Some("default"), Some("t1"), Some("mars")];

/// What there is, and what the call says.
struct Asker {
    snapshot: Snapshot,
    users: Vec<String>,
    resources: Vec<String>,
    /// Keys by resource, with one that is not there.
    instances: BTreeMap<String, Vec<String>>,
    tenants: Vec<String>,
    given: [Attributes; 4],
    /// Answers that only a rule gave.
    by_rule: usize,
}

impl Asker {
    fn new(tape: Vec<u16>, limit: u32) -> Self {
        let mut world = World::new(tape);
        add_sets(&mut world);
        let snapshot = Snapshot::empty().with_max_depth(limit).apply(&world.fixture.changes);
        let dice = &mut world.dice;
        let given =
            std::array::from_fn(|_| if dice.one_in(2) { attributes(dice) } else { Attributes::new() });
        let naive = &world.naive;
        let mut instances: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for instance in &naive.instances {
            instances.entry(instance.resource.to_string()).or_default().push(instance.key.to_string());
        }
        let nobody = ["nobody".to_owned()];
        Self {
            snapshot,
            users: naive.users.iter().map(|u| u.key.to_string()).chain(nobody).collect(),
            resources: naive.schema.resources().map(|r| r.key.to_string()).chain(["rx".to_owned()]).collect(),
            instances,
            tenants: naive.tenants.iter().map(|t| t.key.to_string()).collect(),
            given,
            by_rule: 0,
        }
    }

    fn call(&self) -> CallAttributes<'_> {
        let [user, resource, tenant, context] = &self.given;
        CallAttributes {
            user: Some(user),
            resource: Some(resource),
            tenant: Some(tenant),
            context: Some(context),
            action: None,
        }
    }

    fn may(&self, q: &Question<'_>) -> bool {
        self.snapshot.is_allowed_with(q, &self.call(), NOW)
    }

    fn keys(&self, resource: &str) -> Vec<&str> {
        self.instances.get(resource).into_iter().flatten().map(String::as_str).collect()
    }

    fn users(&mut self, resource: &str, action: &str) {
        let keys = self.keys(resource).into_iter().map(Some).chain([None, Some("unknown")]);
        let mut by_rule = 0;
        for instance in keys {
            for tenant in TENANTS {
                let asked = |user| Question { user, action, resource, instance, tenant };
                let mut expected: Vec<&str> =
                    self.users.iter().map(String::as_str).filter(|user| self.may(&asked(user))).collect();
                expected.sort_unstable();
                let found = self.snapshot.users_allowed(&asked("nobody"), &self.call(), NOW);
                let found: Vec<&str> = found.iter().map(UserKey::as_str).collect();
                assert_eq!(found, expected, "{:?}", asked("*"));
                for user in expected {
                    let answer = self.snapshot.check_with(&asked(user), &self.call(), NOW);
                    by_rule += usize::from(matches!(answer, Decision::Allow(Allowance::Rule(_))));
                }
            }
        }
        self.by_rule += by_rule;
    }

    fn instances(&self, reaching: &Reaching<'_>, tenant: Option<&str>) {
        let Reaching { user, action, resource } = *reaching;
        let mut expected = self.keys(resource);
        expected.sort_unstable();
        expected.retain(|key| self.may(&Question { user, action, resource, instance: Some(key), tenant }));
        let (mut found, mut after): (Vec<String>, Option<String>) = (Vec::new(), None);
        loop {
            let part = Part { after: after.as_deref(), limit: 2 };
            let page = self.snapshot.instances_allowed(reaching, tenant, &self.call(), NOW, &part);
            assert!(page.total.is_none_or(|total| total == expected.len()), "{reaching:?} {tenant:?}");
            assert!(page.items.len() == 2 || !page.more, "a part is full when there are more");
            for item in &page.items {
                let home = self.snapshot.instance_tenant(resource, item.key.as_str());
                assert_eq!(home.as_ref(), Some(&item.tenant));
            }
            found.extend(page.items.iter().map(|item| item.key.to_string()));
            after = found.last().cloned();
            if !page.more {
                break;
            }
        }
        assert_eq!(found, expected, "{reaching:?} {tenant:?}");
    }

    fn tenants(&self, reaching: &Reaching<'_>, instance: Option<&str>) {
        let Reaching { user, action, resource } = *reaching;
        let asked = |tenant| Question { user, action, resource, instance, tenant: Some(tenant) };
        let mut expected: Vec<&str> =
            self.tenants.iter().map(String::as_str).filter(|tenant| self.may(&asked(tenant))).collect();
        expected.sort_unstable();
        let found = self.snapshot.tenants_allowed(reaching, instance, &self.call(), NOW);
        let found: Vec<&str> = found.iter().map(|tenant| tenant.key.as_str()).collect();
        assert_eq!(found, expected, "{reaching:?} {instance:?}");
    }

    /// Each permission where the list has it, against the check.
    fn holdings(&self, user: &str) {
        let filter = HoldingFilter::default();
        let all = self.snapshot.holdings(user, &filter, Some(&self.call()), NOW, 0..usize::MAX);
        let mut parts = Vec::new();
        for start in (0..all.len()).step_by(3) {
            parts.extend(self.snapshot.holdings(user, &filter, Some(&self.call()), NOW, start..start + 3));
        }
        assert_eq!(parts, all, "part by part");
        let listed: BTreeSet<(String, String)> = all
            .iter()
            .flat_map(|held| {
                let place = match &held.place {
                    Place::Tenant(key) => format!("{TENANT_TYPE}:{key}"),
                    Place::Instance(at) => at.to_string(),
                };
                held.permissions.iter().map(move |p| (place.clone(), format!("{}:{}", p.resource, p.action)))
            })
            .collect();
        for resource in &self.resources {
            for action in ["a0", "a1"] {
                let permission = format!("{resource}:{action}");
                let has = |place: String| listed.contains(&(place, permission.clone()));
                let asked = |instance, tenant| Question {
                    user,
                    action,
                    resource: resource.as_str(),
                    instance,
                    tenant,
                };
                for tenant in &self.tenants {
                    let may = self.may(&asked(None, Some(tenant)));
                    assert_eq!(
                        has(format!("{TENANT_TYPE}:{tenant}")),
                        may,
                        "{user} {permission} in {tenant}"
                    );
                }
                for key in self.keys(resource) {
                    let home = self.snapshot.instance_tenant(resource, key).expect("it is there");
                    let listed = has(format!("{resource}:{key}")) || has(format!("{TENANT_TYPE}:{home}"));
                    assert_eq!(listed, self.may(&asked(Some(key), None)), "{user} {permission} on {key}");
                }
            }
        }
        self.narrowed(user, &all);
    }

    /// Filters leave what they let through as it was.
    fn narrowed(&self, user: &str, all: &[crate::Holding]) {
        let (types, tenants) = ([TENANT_TYPE.to_owned(), "r0".to_owned()], ["t1".to_owned()]);
        let places = ["r0:i0".to_owned(), format!("{TENANT_TYPE}:t1")];
        for (types, tenants, places) in [
            (Some(types.as_slice()), None, None),
            (None, Some(tenants.as_slice()), None),
            (None, None, Some(places.as_slice())),
            (Some(types.as_slice()), Some(tenants.as_slice()), Some(places.as_slice())),
        ] {
            let filter = HoldingFilter { tenants, places, types };
            let found = self.snapshot.holdings(user, &filter, Some(&self.call()), NOW, 0..usize::MAX);
            let passes =
                |names: Option<&[String]>, name: &str| names.is_none_or(|n| n.iter().any(|n| n == name));
            let expected = all.iter().filter(|held| {
                let (ty, key) = match &held.place {
                    Place::Tenant(key) => (TENANT_TYPE, key),
                    Place::Instance(at) => (at.resource.as_str(), &at.key),
                };
                passes(types, ty)
                    && passes(tenants, held.tenant.key.as_str())
                    && passes(places, &format!("{ty}:{key}"))
            });
            assert!(found.iter().eq(expected), "{filter:?}: {found:?} of {all:?}");
        }
    }
}

fn every_list_agrees(tape: Vec<u16>, limit: u32) -> usize {
    let mut asker = Asker::new(tape, limit);
    for resource in asker.resources.clone() {
        for action in ["a0", "a1", "fly"] {
            asker.users(&resource, action);
            for user in &asker.users {
                let reaching = Reaching { user, action, resource: &resource };
                for tenant in TENANTS {
                    asker.instances(&reaching, tenant);
                }
                for instance in asker.keys(&resource).into_iter().map(Some).chain([None, Some("unknown")]) {
                    asker.tenants(&reaching, instance);
                }
            }
        }
    }
    for user in &asker.users {
        asker.holdings(user);
    }
    asker.by_rule
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn every_list_agrees_with_the_check(
        tape in prop::collection::vec(any::<u16>(), 300..900),
        limit in prop::sample::select(vec![1_u32, 32]),
    ) {
        every_list_agrees(tape, limit);
    }
}

/// Worlds in which no rule decided anything would prove nothing.
#[test]
fn rules_decide_often_enough_in_these_worlds() {
    use proptest::{strategy::ValueTree as _, test_runner::TestRunner};
    let mut runner = TestRunner::deterministic();
    let tapes = prop::collection::vec(any::<u16>(), 300..900);
    let by_rule: usize =
        (0..60).map(|_| every_list_agrees(tapes.new_tree(&mut runner).unwrap().current(), 32)).sum();
    assert!(by_rule > 100, "{by_rule}");
}

/// Lists that are too long to be put in order at once are the same, part by part.
#[test]
fn a_long_list_is_what_the_check_allows_in_order() {
    const COUNT: usize = 6_000;
    let mut fixture = Fixture::default().resource("doc", &["read", "copy"]).tenant("default").user("ann");
    // Keys that begin alike, and are not written in their order.
    let name = |number: usize| format!("document-of-the-house-{}", number * 7 % COUNT);
    for number in 0..COUNT {
        fixture = fixture.instance(&format!("doc:{}", name(number)), "default");
        if let Some(Change::PutInstance(instance)) = fixture.changes.last_mut() {
            instance.attributes.insert("number".to_owned(), (number % 100).into());
        }
    }
    let everybody = user_set(1, "all", None, json!({}));
    let few = resource_set(2, "few", "doc", None, json!({"resource.number": {"equals": 3}}));
    let many = resource_set(3, "many", "doc", None, json!({"resource.number": {"less-than": 40}}));
    let on = |set: &str| RuleResources::Set(set.parse().unwrap());
    for set in [everybody, few, many] {
        fixture.changes.push(Change::PutConditionSet(set));
    }
    for (number, action, set) in [(4, "doc:read", "few"), (5, "doc:copy", "many")] {
        fixture.changes.push(Change::PutSetRule(rule(number, users_in("all"), action, on(set))));
    }
    let snapshot = Snapshot::empty().apply(&fixture.changes);
    for (action, passes) in [("read", 1_usize), ("copy", 40)] {
        let reaching = Reaching { user: "ann", action, resource: "doc" };
        let allowed = |number: &usize| if passes == 1 { number % 100 == 3 } else { number % 100 < passes };
        let mut expected: Vec<String> = (0..COUNT).filter(allowed).map(name).collect();
        expected.sort_unstable();
        let (mut found, mut after): (Vec<String>, Option<String>) = (Vec::new(), None);
        loop {
            let part = Part { after: after.as_deref(), limit: 25 };
            let page = snapshot.instances_allowed(&reaching, None, &CallAttributes::default(), NOW, &part);
            found.extend(page.items.iter().map(|item| item.key.to_string()));
            after = found.last().cloned();
            if !page.more {
                break;
            }
            assert_eq!(page.items.len(), 25);
        }
        assert_eq!(found, expected, "{action}");
    }
}
