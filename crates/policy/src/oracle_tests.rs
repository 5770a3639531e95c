//! The snapshot against the plain semantics of [`Naive`], on random schemas, facts and histories.

use crate::{
    EffectiveRole, Loader, PlaceRef, Question, Snapshot,
    fixture::{Fixture, Gate},
    naive::Naive,
};
use askfirst_domain::{
    Timestamp,
    change::Change,
    decision::{Allowance, Decision, DenialCause, Grant, Place, RoleAt, Step},
};
use proptest::prelude::*;
use std::collections::BTreeSet;

const NOW: Timestamp = Timestamp::from_micros(1_000_000);

/// Numbers to make choices with; proptest shrinks them.
pub(crate) struct Dice {
    tape: Vec<u16>,
    at: usize,
}

impl Dice {
    pub(crate) fn roll(&mut self, sides: usize) -> usize {
        self.at += 1;
        usize::from(self.tape[self.at % self.tape.len()]) % sides
    }

    pub(crate) fn one_in(&mut self, sides: usize) -> bool {
        self.roll(sides) == sides - 1
    }

    pub(crate) fn pick<T: Clone>(&mut self, from: &[T]) -> Option<T> {
        (!from.is_empty()).then(|| from[self.roll(from.len())].clone())
    }
}

/// A history in the making, and what is true after it.
pub(crate) struct World {
    pub(crate) fixture: Fixture,
    pub(crate) naive: Naive,
    applied: usize,
    pub(crate) dice: Dice,
    roles: Vec<usize>,
    many_roles: bool,
}

impl World {
    pub(crate) fn new(tape: Vec<u16>) -> Self {
        let mut dice = Dice { tape, at: 0 };
        let roles = (0..=dice.roll(3)).map(|_| 2 + dice.roll(2)).collect();
        let many_roles = dice.one_in(5);
        let mut world = Self {
            fixture: Fixture::default(),
            naive: Naive::default(),
            applied: 0,
            dice,
            roles,
            many_roles,
        };
        world.schema();
        world.facts();
        world
    }

    pub(crate) fn write(&mut self, step: impl FnOnce(Fixture, &mut Dice) -> Fixture) {
        self.fixture = step(std::mem::take(&mut self.fixture), &mut self.dice);
        for change in self.fixture.since(self.applied) {
            self.naive.apply(change);
        }
        self.applied = self.fixture.changes.len();
    }

    fn schema(&mut self) {
        let count = self.roles.len();
        for r in 0..count {
            self.write(|f, _| f.resource(&format!("r{r}"), &["a0", "a1"]));
        }
        for r in 0..count {
            for l in 0..=self.dice.roll(2) {
                self.write(|f, d| {
                    f.relation(&format!("r{r}"), &format!("l{l}"), &format!("r{}", d.roll(count)))
                });
            }
        }
        for r in 0..count {
            if self.many_roles {
                for filler in 0..70 {
                    self.write(|f, _| f.role(&format!("r{r}"), &format!("filler{filler}"), &[]));
                }
            }
            for k in 0..self.roles[r] {
                self.role(r, k);
            }
        }
        for k in 0..self.dice.roll(3) {
            self.tenant_role(k);
        }
    }

    fn role(&mut self, r: usize, k: usize) {
        let (resource, roles) = (format!("r{r}"), self.roles.clone());
        let relations: Vec<(String, String)> = self
            .naive
            .schema
            .relations_of(&resource)
            .map(|relation| (relation.key.to_string(), relation.subject_resource.to_string()))
            .collect();
        self.write(|mut f, d| {
            let permitted: Vec<&str> = ["a0", "a1"].into_iter().filter(|_| d.one_in(2)).collect();
            f = f.role(&resource, &format!("k{k}"), &permitted);
            let extends: Vec<String> =
                (0..roles[r]).filter(|_| d.one_in(4)).map(|other| format!("k{other}")).collect();
            f = f.extending(&extends.iter().map(String::as_str).collect::<Vec<_>>());
            for _ in 0..=d.roll(3) {
                let Some((relation, subject)) = d.pick(&relations) else { break };
                let sources = roles[subject.trim_start_matches('r').parse::<usize>().unwrap()];
                let gate = [None, None, Some(Gate::Block), Some(Gate::Rule)][d.roll(4)];
                f = f.derived_when(&format!("k{}", d.roll(sources)), &subject, &relation, gate);
            }
            f
        });
    }

    fn tenant_role(&mut self, k: usize) {
        let count = self.roles.len();
        self.write(|f, d| {
            let permission = format!("r{}:a{}", d.roll(count), d.roll(2));
            let extends = if d.one_in(2) { vec!["k0"] } else { Vec::new() };
            f.tenant_role(&format!("k{k}"), &[&permission]).extending(&extends)
        });
    }

    fn facts(&mut self) {
        for tenant in ["default", "t1"] {
            self.write(|f, _| f.tenant(tenant));
        }
        for user in 0..3 {
            self.write(|f, _| f.user(&format!("u{user}")));
        }
        for r in 0..self.roles.len() {
            for i in 0..3 {
                self.instance(r, i);
            }
        }
        for _ in 0..40 + self.dice.roll(20) {
            self.change();
        }
    }

    fn instance(&mut self, r: usize, i: usize) {
        let tenants: Vec<String> = self.naive.tenants.iter().map(|t| t.key.to_string()).collect();
        let known = self.naive.schema.resource_by_key(&format!("r{r}")).is_some();
        if known && let Some(tenant) = self.dice.pick(&tenants) {
            self.write(|f, _| f.instance(&format!("r{r}:i{i}"), &tenant));
        }
    }

    fn change(&mut self) {
        match self.dice.roll(44) {
            0..=14 => self.assign(),
            24.. => self.relate(),
            15 | 16 => {
                if let Some(a) = self.dice.pick(&self.naive.assignments.clone()) {
                    let place = a.instance.map_or(a.tenant.to_string(), |i| i.reference().to_string());
                    self.write(|f, _| f.unassign(a.user.as_str(), a.role.as_str(), &place));
                }
            }
            17 => {
                if let Some(t) = self.dice.pick(&self.naive.tuples.clone()) {
                    let (subject, object) = (t.subject.reference(), t.object.reference());
                    self.write(|f, _| {
                        f.untuple(&subject.to_string(), t.relation.as_str(), &object.to_string())
                    });
                }
            }
            18 => {
                if let Some(i) = self.dice.pick(&self.naive.instances.clone()) {
                    let at = format!("{}:{}", i.resource, i.key);
                    self.write(|f, _| f.delete_instance(&at));
                    if !self.dice.one_in(4) {
                        self.write(|f, _| f.instance(&at, i.tenant.as_str()));
                    }
                }
            }
            19 => {
                if let Some(u) = self.dice.pick(&self.naive.users.clone()) {
                    self.write(|f, _| f.delete_user(u.key.as_str()).user(u.key.as_str()));
                }
            }
            20 if self.dice.one_in(4) => {
                if let Some(t) = self.dice.pick(&self.naive.tenants.clone()) {
                    self.write(|f, _| f.delete_tenant(t.key.as_str()));
                    if self.dice.one_in(2) {
                        self.write(|f, _| f.tenant(t.key.as_str()));
                    }
                }
            }
            21 if self.dice.one_in(2) => {
                let r = self.dice.roll(self.roles.len());
                let k = self.dice.roll(self.roles[r]);
                let resource = format!("r{r}");
                if self.naive.schema.role_by_key(Some(&resource), &format!("k{k}")).is_some() {
                    self.write(|f, _| f.delete_role(Some(&resource), &format!("k{k}")));
                    if !self.dice.one_in(4) {
                        self.role(r, k);
                    }
                }
            }
            22 if self.dice.one_in(2) => {
                let relations: Vec<_> = self.naive.schema.relations().cloned().collect();
                if let Some(l) = self.dice.pick(&relations) {
                    let object = l.object_resource.as_str();
                    self.write(|f, _| f.delete_relation(object, l.key.as_str()));
                    if !self.dice.one_in(4) {
                        self.write(|f, _| f.relation(object, l.key.as_str(), l.subject_resource.as_str()));
                    }
                }
            }
            23 if self.dice.one_in(8) => {
                let resources: Vec<_> = self.naive.schema.resources().cloned().collect();
                if let Some(r) = self.dice.pick(&resources) {
                    self.write(|f, _| f.delete_resource(r.key.as_str()));
                    if self.dice.one_in(2) {
                        self.write(|f, _| f.resource(r.key.as_str(), &["a0", "a1"]));
                    }
                }
            }
            _ => {}
        }
    }

    fn assign(&mut self) {
        let Some(user) = self.dice.pick(&self.naive.users.clone()) else { return };
        let instance = if self.dice.one_in(8) { None } else { self.dice.pick(&self.naive.instances.clone()) };
        let tenant = self.dice.pick(&self.naive.tenants.clone());
        let place = match (&instance, tenant) {
            (Some(i), _) => format!("{}:{}", i.resource, i.key),
            (None, Some(t)) => t.key.to_string(),
            (None, None) => return,
        };
        let scope = instance.as_ref().map(|i| i.resource.as_str());
        let mut roles: Vec<String> = self.naive.schema.roles_of(scope).map(|r| r.key.to_string()).collect();
        if !self.dice.one_in(10) {
            roles.retain(|key| key.starts_with('k'));
        }
        let Some(role) = self.dice.pick(&roles) else { return };
        let until =
            [None, None, Some(2_000_001), Some(2_000_000), Some(1_000_000), Some(5)][self.dice.roll(6)];
        self.write(|f, _| f.assign_until(user.key.as_str(), &role, &place, until));
    }

    fn relate(&mut self) {
        let relations: Vec<_> = self.naive.schema.relations().cloned().collect();
        let Some(relation) = self.dice.pick(&relations) else { return };
        let of = |resource: &str| -> Vec<String> {
            let all = self.naive.instances.iter().filter(|i| i.resource.as_str() == resource);
            all.map(|i| format!("{}:{}", i.resource, i.key)).collect()
        };
        let (subjects, objects) =
            (of(relation.subject_resource.as_str()), of(relation.object_resource.as_str()));
        if let (Some(subject), Some(object)) = (self.dice.pick(&subjects), self.dice.pick(&objects)) {
            self.write(|f, _| f.tuple(&subject, relation.key.as_str(), &object));
        }
    }
}

/// The state as a store would load it.
pub(crate) fn dump(naive: &Naive) -> Vec<Change> {
    let schema = &naive.schema;
    let resources = schema.resources().map(|r| Change::PutResource((**r).clone()));
    let relations = schema.relations().map(|r| Change::PutRelation((**r).clone()));
    let roles = schema.roles().map(|r| Change::PutRole((**r).clone()));
    let sets = schema.condition_sets().map(|s| Change::PutConditionSet((**s).clone()));
    let rules = schema.set_rules().map(|r| Change::PutSetRule((**r).clone()));
    resources
        .chain(relations)
        .chain(roles)
        .chain(rules)
        .chain(sets)
        .chain(naive.tenants.iter().cloned().map(Change::PutTenant))
        .chain(naive.users.iter().cloned().map(Change::PutUser))
        .chain(naive.instances.iter().rev().cloned().map(Change::PutInstance))
        .chain(naive.assignments.iter().rev().cloned().map(Change::PutAssignment))
        .chain(naive.tuples.iter().rev().cloned().map(Change::PutTuple))
        .collect()
}

/// Whether every step of the chain is there.
fn verify(naive: &Naive, user: &str, grant: &Grant) {
    let given =
        naive.assignments.iter().find(|a| a.user.as_str() == user && crate::naive::role_at(a) == grant.held);
    let given = given.unwrap_or_else(|| panic!("{user} was not given {}", grant.held));
    assert_eq!(given.expires_at, grant.expires_at);
    assert!(crate::naive::is_live(given, NOW));
    let mut at = &grant.held;
    for step in &grant.steps {
        match step {
            Step::Extends { role } => {
                assert_eq!(role.at, at.at);
                assert!(naive.role(at).unwrap().extends.contains(&role.role), "{at} does not extend {role}");
            }
            Step::Derived { relation, role } => {
                let (Place::Instance(subject), Place::Instance(object)) = (&at.at, &role.at) else {
                    panic!("{at} to {role}")
                };
                assert!(naive.tuples.iter().any(|t| t.subject.reference() == *subject
                    && t.relation == *relation
                    && t.object.reference() == *object));
                let derivation = naive.role(role).unwrap().granted_to.clone().unwrap();
                assert!(derivation.users_with_role.iter().any(|rule| {
                    let gated = derivation.when.no_direct_roles_on_object
                        || rule.when.is_some_and(|when| when.no_direct_roles_on_object);
                    rule.role == at.role
                        && rule.on_resource == subject.resource
                        && rule.linked_by_relation == *relation
                        && !(gated && naive.has_direct_role(user, object, NOW))
                }));
            }
        }
        at = step.role();
    }
}

fn derivations(grant: &Grant) -> usize {
    grant.steps.iter().filter(|step| matches!(step, Step::Derived { .. })).count()
}

fn compare_check(naive: &Naive, snapshot: &Snapshot, q: &Question<'_>, limit: u32) {
    let (expected, answer) = (naive.check(q, NOW, limit), snapshot.check(q, NOW));
    assert_eq!(snapshot.is_allowed(q, NOW), answer.is_allow(), "{q:?}");
    match (expected, answer) {
        (Decision::Allow(Allowance::Role(expected)), Decision::Allow(Allowance::Role(grant))) => {
            verify(naive, q.user, &grant);
            assert!(naive.permits(grant.permitting(), q), "{q:?} {grant:?}");
            assert_eq!(derivations(&grant), derivations(&expected), "{q:?} {grant:?} {expected:?}");
        }
        (Decision::Deny(expected), Decision::Deny(denial)) => {
            match (&expected.cause, &denial.cause) {
                (DenialCause::Expired { .. }, DenialCause::Expired { .. }) => {}
                (DenialCause::NoRole, DenialCause::TooDeep { limit: told }) => assert_eq!(*told, limit),
                (expected, cause) => assert_eq!(expected, cause, "{q:?}"),
            }
            let named: BTreeSet<&RoleAt> = denial.would_allow.iter().collect();
            assert_eq!(named.len(), denial.would_allow.len(), "{q:?} names a role twice");
            assert_eq!(named, expected.would_allow.iter().collect(), "{q:?}");
        }
        (expected, answer) => panic!("{q:?}: expected {expected:?}, got {answer:?}"),
    }
}

fn compare_lists(naive: &Naive, snapshot: &Snapshot, limit: u32) {
    let instances = naive.instances.iter().map(|i| {
        Place::Instance(askfirst_domain::facts::InstanceRef {
            resource: i.resource.clone(),
            key: i.key.clone(),
        })
    });
    let tenants = naive.tenants.iter().map(|t| Place::Tenant(t.key.clone()));
    let all: Vec<_> = naive.schema.roles().map(|role| role.id).collect();
    for place in instances.chain(tenants) {
        let at = PlaceRef::from(&place);
        for user in &naive.users {
            let roles = snapshot.roles_on(user.key.as_str(), &at, NOW);
            let expected = naive.roles_on(user.key.as_str(), &place, NOW, limit);
            for EffectiveRole { at, grant, .. } in &roles {
                verify(naive, user.key.as_str(), grant);
                assert_eq!(grant.permitting(), at);
            }
            let bare = |roles: &[EffectiveRole]| -> BTreeSet<_> {
                roles.iter().map(|role| (role.id, role.at.clone(), derivations(&role.grant))).collect()
            };
            assert_eq!(bare(&roles), bare(&expected), "{} on {at}", user.key);
        }
        for role in &all {
            let holders = snapshot.holders(&at, &[*role], NOW);
            assert_eq!(holders, naive.holders(&place, &[*role], NOW, limit), "holders of {role} on {at}");
        }
        assert_eq!(snapshot.holders(&at, &all, NOW), naive.holders(&place, &all, NOW, limit));
    }
    for user in &naive.users {
        for role in &all {
            let places = snapshot.places(user.key.as_str(), &[*role], NOW);
            assert_eq!(places, naive.places(user.key.as_str(), &[*role], NOW, limit), "{} {role}", user.key);
        }
    }
}

pub(crate) fn for_questions(naive: &Naive, mut ask: impl FnMut(&Question<'_>)) {
    let users: Vec<&str> = naive.users.iter().map(|u| u.key.as_str()).chain(["nobody"]).collect();
    for resource in naive.schema.resources().map(|r| r.key.as_str()).chain(["r9"]) {
        let here =
            naive.instances.iter().filter(|i| i.resource.as_str() == resource).map(|i| Some(i.key.as_str()));
        for instance in here.chain([None, Some("ghost")]) {
            for user in &users {
                for action in ["a0", "a1"] {
                    ask(&Question { user, action, resource, instance, tenant: None });
                }
            }
            for tenant in ["default", "t1", "t9"] {
                ask(&Question { user: users[0], action: "a0", resource, instance, tenant: Some(tenant) });
            }
        }
        ask(&Question { user: "u0", action: "a9", resource, instance: None, tenant: None });
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

    #[test]
    fn every_answer_is_that_of_the_plain_semantics(
        tape in prop::collection::vec(any::<u16>(), 300..900),
        batch in 1_usize..12,
        limit in prop::sample::select(vec![0_u32, 1, 2, 32]),
    ) {
        let World { fixture, naive, .. } = World::new(tape);
        let mut snapshot = Snapshot::empty().with_max_depth(limit);
        let mut history = Vec::new();
        for changes in fixture.changes.chunks(batch) {
            history.push((snapshot.stats(), snapshot.clone()));
            snapshot = snapshot.apply(changes);
        }
        let mut loader = Loader::new();
        dump(&naive).chunks(batch).for_each(|changes| loader.load(changes));
        let rebuilt = loader.finish().with_max_depth(limit);

        let stats = snapshot.stats();
        prop_assert_eq!(stats.ignored, 0);
        prop_assert_eq!(stats.users, naive.users.len());
        prop_assert_eq!(stats.tenants, naive.tenants.len());
        prop_assert_eq!(stats.instances, naive.instances.len());
        prop_assert_eq!(stats.assignments, naive.assignments.len());
        prop_assert_eq!(stats.tuples, naive.tuples.len());

        for_questions(&naive, |q| {
            compare_check(&naive, &snapshot, q, limit);
            assert_eq!(snapshot.check(q, NOW), rebuilt.check(q, NOW), "the same facts, the same words: {q:?}");
        });
        compare_lists(&naive, &snapshot, limit);
        compare_lists(&naive, &rebuilt, limit);
        for (stats, old) in history {
            prop_assert_eq!(stats, old.stats(), "an old snapshot stays as it was");
        }
    }
}

/// A generator that only made trivial worlds would prove nothing.
#[test]
fn the_random_histories_are_worth_asking_about() {
    use proptest::{strategy::ValueTree as _, test_runner::TestRunner};
    let mut runner = TestRunner::deterministic();
    let tapes = prop::collection::vec(any::<u16>(), 300..900);
    let (mut given, mut derived, mut far, mut ended, mut denied) = (0, 0, 0, 0, 0);
    for _ in 0..40 {
        let world = World::new(tapes.new_tree(&mut runner).unwrap().current());
        let snapshot = Snapshot::empty().apply(&world.fixture.changes);
        for_questions(&world.naive, |q| match snapshot.check(q, NOW) {
            Decision::Allow(Allowance::Rule(_)) => {}
            Decision::Allow(Allowance::Role(grant)) => match derivations(&grant) {
                0 => given += 1,
                1 => derived += 1,
                _ => far += 1,
            },
            Decision::Deny(denial) if matches!(denial.cause, DenialCause::Expired { .. }) => ended += 1,
            Decision::Deny(_) => denied += 1,
        });
    }
    let counts = [given, derived, far, ended, denied];
    assert!(counts.iter().all(|count| *count > 30), "{counts:?}");
}
