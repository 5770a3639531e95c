//! What a check costs, and that it does not grow with the facts beside it: everything at a thousand and at a million
//! facts; and what memory they take.
//!
//! `cargo bench -p askfirst-policy`; a smaller world with `ASKFIRST_BENCH_FACTS=100000`.

use askfirst_domain::{
    Id, Key, Timestamp, UserKey,
    change::Change,
    facts::{Instance, InstanceLink, RelationshipTuple, RoleAssignment, Tenant, User},
    id::{RelationId, ResourceId, RoleId, TenantId},
    schema::{Action, Derivation, DerivationRule, DerivationSettings, Permission, Relation, Resource, Role},
};
use askfirst_policy::{Loader, Question, Snapshot};
use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use serde_json::Map;
use std::hint::black_box;
use uuid::Uuid;

const NOW: Timestamp = Timestamp::from_micros(1_000_000);
/// Documents in a folder; a folder lies in a box, a box in a shelf.
const SIZE: u64 = 10;

fn id<K>(kind: u64, number: u64) -> Id<K> {
    Id::new(Uuid::from_u64_pair(kind, number))
}

fn key(text: &str) -> Key {
    text.parse().unwrap_or_else(|_| unreachable!("{text} is a key"))
}

fn user_key(number: u64) -> UserKey {
    format!("user-{number}").parse().unwrap_or_else(|_| unreachable!("a user key"))
}

const RESOURCES: [&str; 4] = ["shelf", "box", "folder", "doc"];

fn resource(ty: u64) -> (&'static str, ResourceId) {
    (RESOURCES.get(usize::try_from(ty).unwrap_or(0)).copied().unwrap_or("doc"), id(1, ty))
}

fn role_id(ty: u64, viewer: bool) -> RoleId {
    id(2, ty * 2 + u64::from(viewer))
}

fn relation_id(ty: u64) -> RelationId {
    id(3, ty)
}

fn tenant_id() -> TenantId {
    id(4, 0)
}

fn schema() -> Vec<Change> {
    let at = Timestamp::default();
    let mut changes = Vec::new();
    for ty in 0..4 {
        let (name, resource_id) = resource(ty);
        let action = |action: &str| Action {
            id: id(5, ty),
            key: key(action),
            name: action.to_owned(),
            description: None,
            attributes: None,
            compat: Map::new(),
            created_at: at,
            updated_at: at,
        };
        changes.push(Change::PutResource(Resource {
            id: resource_id,
            key: key(name),
            name: name.to_owned(),
            urn: None,
            description: None,
            type_attributes: None,
            compat: Map::new(),
            actions: vec![action("read"), action("write")],
            attributes: Vec::new(),
            action_groups: Vec::new(),
            created_at: at,
            updated_at: at,
        }));
        if ty > 0 {
            changes.push(Change::PutRelation(Relation {
                id: relation_id(ty),
                key: key("holds"),
                name: "Holds".to_owned(),
                description: None,
                subject_resource: key(resource(ty - 1).0),
                object_resource: key(name),
                created_at: at,
                updated_at: at,
            }));
        }
        for (role, viewer) in [("owner", false), ("viewer", true)] {
            let rule = |ty: u64| DerivationRule {
                role: key(role),
                on_resource: key(resource(ty - 1).0),
                linked_by_relation: key("holds"),
                when: None,
            };
            changes.push(Change::PutRole(Role {
                id: role_id(ty, viewer),
                key: key(role),
                resource: Some(key(name)),
                name: role.to_owned(),
                description: None,
                permissions: vec![Permission {
                    resource: key(name),
                    action: key(if viewer { "read" } else { "write" }),
                }],
                extends: if viewer { Vec::new() } else { vec![key("viewer")] },
                granted_to: (ty > 0).then(|| Derivation {
                    id: Uuid::nil(),
                    when: DerivationSettings::default(),
                    users_with_role: vec![rule(ty)],
                }),
                attributes: None,
                compat: Map::new(),
                created_at: at,
                updated_at: at,
            }));
        }
    }
    changes
}

/// A world of about so many facts: a tenth users, a third documents with their folders, a third relations, and the
/// rest assignments; every other user owns one shelf, and all view a handful of documents.
struct World {
    snapshot: Snapshot,
    users: u64,
    docs: u64,
    shelves: u64,
    /// Instances by type.
    counts: [u64; 4],
}

fn link(ty: u64, number: u64) -> InstanceLink {
    let (name, _) = resource(ty);
    InstanceLink { id: id(6 + ty, number), resource: key(name), key: key(&format!("{name}-{number}")) }
}

fn instance(ty: u64, number: u64) -> Change {
    let (name, resource_id) = resource(ty);
    let InstanceLink { id, key: instance, .. } = link(ty, number);
    Change::PutInstance(Instance {
        id,
        key: instance,
        resource: key(name),
        resource_id,
        tenant: key("default"),
        tenant_id: tenant_id(),
        attributes: Map::new(),
        created_at: NOW,
        updated_at: NOW,
    })
}

fn tuple(ty: u64, number: u64) -> Change {
    Change::PutTuple(RelationshipTuple {
        id: id(10 + ty, number),
        subject: link(ty - 1, number / SIZE),
        relation: key("holds"),
        relation_id: relation_id(ty),
        object: link(ty, number),
        tenant: key("default"),
        tenant_id: tenant_id(),
        created_at: NOW,
        updated_at: NOW,
    })
}

fn assignment(user: u64, ty: u64, number: u64, viewer: bool, ends: Option<Timestamp>) -> RoleAssignment {
    RoleAssignment {
        id: id(20, user * 1_000 + number),
        user: user_key(user),
        user_id: id(30, user),
        role: key(if viewer { "viewer" } else { "owner" }),
        role_id: role_id(ty, viewer),
        tenant: key("default"),
        tenant_id: tenant_id(),
        instance: Some(link(ty, number)),
        expires_at: ends,
        origin: None,
        created_at: NOW,
    }
}

fn user(number: u64) -> Change {
    Change::PutUser(User {
        id: id(30, number),
        key: user_key(number),
        email: None,
        first_name: None,
        last_name: None,
        attributes: Map::new(),
        created_at: NOW,
        updated_at: NOW,
    })
}

impl World {
    fn new(facts: u64) -> Self {
        let docs = facts * 3 / 10;
        let users = facts / 20;
        let mut loader = Loader::new();
        loader.load(&schema());
        loader.load(&[Change::PutTenant(Tenant {
            id: tenant_id(),
            key: key("default"),
            name: "Default".to_owned(),
            description: None,
            attributes: Map::new(),
            created_at: NOW,
            updated_at: NOW,
            last_action_at: NOW,
        })]);
        let counts = [3_u32, 2, 1, 0].map(|levels| docs.div_ceil(SIZE.pow(levels)));
        for (ty, count) in (0..).zip(counts) {
            (0..count).for_each(|number| loader.load(&[instance(ty, number)]));
        }
        for (ty, count) in (0..).zip(counts).skip(1) {
            (0..count).for_each(|number| loader.load(&[tuple(ty, number)]));
        }
        let shelves = counts.first().copied().unwrap_or(1);
        for number in 0..users {
            loader.load(&[user(number)]);
            if number % 2 == 1 {
                let owned = assignment(number, 0, number % shelves, false, None);
                loader.load(&[Change::PutAssignment(owned)]);
            }
            for n in 0..4 {
                let doc = (number * 7_919 + n * 104_729) % docs;
                let ends = (n == 3).then(|| Timestamp::from_micros(2_000_000));
                loader.load(&[Change::PutAssignment(assignment(number, 3, doc, true, ends))]);
            }
        }
        Self { snapshot: loader.finish(), users, docs, shelves, counts }
    }

    /// The length of all keys together, in bytes: what no representation could do without.
    fn key_text(&self) -> usize {
        let users: usize = (0..self.users).map(|number| user_key(number).as_str().len()).sum();
        let instances =
            (0..).zip(self.counts).flat_map(|(ty, count)| (0..count).map(move |n| link(ty, n).key));
        users + instances.map(|key| key.as_str().len()).sum::<usize>()
    }
}

/// Many keys, so that nothing stays in a cache that would not in life.
struct Names {
    users: Vec<String>,
    docs: Vec<String>,
}

impl Names {
    /// Pairs of a user and a document that `pick` makes of a number.
    fn new(pick: impl Fn(u64) -> (u64, u64)) -> Self {
        let pairs: Vec<(u64, u64)> =
            (0..65_536_u64).map(|n| pick(n.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 20)).collect();
        Self {
            users: pairs.iter().map(|(user, _)| format!("user-{user}")).collect(),
            docs: pairs.iter().map(|(_, doc)| format!("doc-{doc}")).collect(),
        }
    }
}

fn checks(c: &mut Criterion, facts: u64, world: &World) {
    let World { snapshot, users, docs, shelves, .. } = world;
    let granted = |n: u64| {
        let user = n % users;
        (user, (user * 7_919 + n % 4 * 104_729) % docs)
    };
    let owned = |n: u64| {
        let user = (n % users) | 1;
        (user, (user % shelves * SIZE.pow(3) + n / users % SIZE.pow(3)).min(docs - 1))
    };
    let denied = |n: u64| ((n % users) & !1, n / users % docs);
    let kinds: [(&str, &str, bool, Names); 3] = [
        ("direct role", "read", true, Names::new(granted)),
        ("three derivations", "write", true, Names::new(owned)),
        ("deny after the full walk", "write", false, Names::new(denied)),
    ];
    for (name, action, expected, names) in &kinds {
        let mut next = 0_usize;
        c.bench_function(&format!("{name}/{facts}"), |b| {
            b.iter(|| {
                next = (next + 1) % names.users.len();
                let (Some(user), Some(doc)) = (names.users.get(next), names.docs.get(next)) else { return };
                let q = Question { user, action, resource: "doc", instance: Some(doc), tenant: None };
                assert_eq!(black_box(snapshot.is_allowed(&q, NOW)), *expected, "{q:?}");
            });
        });
        report_percentiles(name, facts, names, |user, doc| {
            let q = Question { user, action, resource: "doc", instance: Some(doc), tenant: None };
            snapshot.is_allowed(&q, NOW)
        });
    }
}

/// Criterion has no percentiles; these are single calls, the clock's own cost taken off.
fn report_percentiles(name: &str, facts: u64, names: &Names, ask: impl Fn(&str, &str) -> bool) {
    let time = |work: &dyn Fn()| {
        #[expect(clippy::disallowed_methods, reason = "a benchmark measures time")]
        let start = std::time::Instant::now();
        work();
        start.elapsed().as_nanos()
    };
    let mut clock: Vec<u128> = (0..1_000).map(|_| time(&|| ())).collect();
    clock.sort_unstable();
    let own = clock.get(500).copied().unwrap_or(0);
    let mut taken: Vec<u128> = names
        .users
        .iter()
        .zip(&names.docs)
        .map(|(user, doc)| {
            // Whoever asks has just read the question: its own text is in the cache.
            let (user, doc) = (user.clone(), doc.clone());
            time(&|| {
                black_box(ask(&user, &doc));
            })
            .saturating_sub(own)
        })
        .collect();
    taken.sort_unstable();
    let at = |share: usize| taken.get(taken.len() * share / 1_000).copied().unwrap_or(0);
    #[expect(clippy::print_stderr, reason = "a benchmark reports")]
    {
        eprintln!(
            "{name}/{facts}: single calls p50 {} ns, p99 {} ns, p99.9 {} ns",
            at(500),
            at(990),
            at(999)
        );
    }
}

fn explained(c: &mut Criterion, facts: u64, world: &World) {
    let World { snapshot, users, docs, .. } = world;
    let names = Names::new(|n| (n % users, n % docs));
    let mut next = 0_usize;
    c.bench_function(&format!("explained decision/{facts}"), |b| {
        b.iter(|| {
            next = (next + 1) % names.users.len();
            let (Some(user), Some(doc)) = (names.users.get(next), names.docs.get(next)) else { return };
            let q = Question { user, action: "write", resource: "doc", instance: Some(doc), tenant: None };
            black_box(snapshot.check(&q, NOW));
        });
    });
}

fn writes(c: &mut Criterion, facts: u64, world: &World) {
    let mut next = 0_u64;
    c.bench_function(&format!("apply one assignment/{facts}"), |b| {
        b.iter_batched(
            || {
                next += 7_919;
                [Change::PutAssignment(assignment(
                    next % world.users,
                    3,
                    next * 31 % world.docs,
                    false,
                    None,
                ))]
            },
            |changes| world.snapshot.apply(&changes),
            BatchSize::SmallInput,
        );
    });
}

/// The memory of this process, in bytes, as the system counts it: with all that an allocator adds and loses.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kib.unwrap_or(0) * 1024
}

fn all(c: &mut Criterion) {
    #[expect(clippy::disallowed_methods, reason = "the size of a benchmark is nobody's configuration")]
    let large = std::env::var("ASKFIRST_BENCH_FACTS").ok().and_then(|n| n.parse().ok()).unwrap_or(1_000_000);
    for facts in [1_000, large] {
        let before = resident();
        let world = World::new(facts);
        let stats = world.snapshot.stats();
        let held = stats.users + stats.instances + stats.assignments + stats.tuples;
        let (bytes, keys) = (resident().saturating_sub(before), world.key_text());
        #[expect(clippy::print_stderr, reason = "a benchmark reports")]
        {
            eprintln!("{facts}: {stats:?}, {} bytes a fact", stats.approx_bytes / held.max(1));
            eprintln!("memory/{facts}: {bytes} bytes for {held} facts, {keys} of them key text");
        }
        checks(c, facts, &world);
        explained(c, facts, &world);
        writes(c, facts, &world);
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .warm_up_time(std::time::Duration::from_millis(500))
        .measurement_time(std::time::Duration::from_secs(2))
        .sample_size(50);
    targets = all
}
criterion_main!(benches);
