//! One test for each sentence of the crate's documentation about what a check means.

use crate::{
    PlaceRef, Question, Snapshot,
    fixture::{Fixture, Gate},
};
use askfirst_domain::{
    Timestamp,
    change::Change,
    decision::{Allowance, Decision, Denial, DenialCause, Grant},
    id::RoleId,
};

const NOW: Timestamp = Timestamp::from_micros(1_000_000);

/// Folders hold documents; a folder's owner edits them, an editor may read as well.
fn drive() -> Fixture {
    Fixture::default()
        .resource("folder", &["list"])
        .resource("doc", &["read", "write"])
        .relation("folder", "within", "folder")
        .relation("doc", "holder", "folder")
        .role("folder", "owner", &["list"])
        .derived("owner", "folder", "within")
        .role("folder", "boss", &[])
        .extending(&["owner"])
        .role("doc", "viewer", &["read"])
        .role("doc", "editor", &["write"])
        .extending(&["viewer"])
        .derived("owner", "folder", "holder")
        .tenant_role("reader", &["doc:read"])
        .tenant_role("admin", &["doc:write"])
        .extending(&["reader"])
        .tenant("default")
        .tenant("acme")
        .user("joe")
        .user("ann")
        .instance("folder:top", "default")
        .instance("folder:mid", "default")
        .instance("doc:plan", "default")
        .instance("doc:acme-plan", "acme")
        .tuple("folder:top", "within", "folder:mid")
        .tuple("folder:mid", "holder", "doc:plan")
}

fn snapshot(fixture: &Fixture) -> Snapshot {
    let snapshot = Snapshot::empty().apply(&fixture.changes);
    assert_eq!(snapshot.stats().ignored, 0);
    snapshot
}

/// `user action type:key`, or `user action type` for no instance; `@tenant` at the end names the tenant.
fn ask(snapshot: &Snapshot, question: &str) -> Decision {
    let (question, tenant) = question.split_once('@').map_or((question, None), |(q, t)| (q.trim(), Some(t)));
    let [user, action, place] = question.split(' ').collect::<Vec<_>>()[..] else { panic!("{question}") };
    let (resource, instance) = place.split_once(':').map_or((place, None), |(r, k)| (r, Some(k)));
    let q = Question { user, action, resource, instance, tenant };
    let decision = snapshot.check(&q, NOW);
    assert_eq!(snapshot.is_allowed(&q, NOW), decision.is_allow(), "{question}");
    decision
}

fn grant(snapshot: &Snapshot, question: &str) -> Grant {
    match ask(snapshot, question) {
        Decision::Allow(Allowance::Role(grant)) => grant,
        Decision::Allow(Allowance::Rule(rule)) => panic!("{question}: {rule:?}"),
        Decision::Deny(denial) => panic!("{question}: {denial:?}"),
    }
}

fn denial(snapshot: &Snapshot, question: &str) -> Denial {
    match ask(snapshot, question) {
        Decision::Deny(denial) => denial,
        Decision::Allow(grant) => panic!("{question}: {grant:?}"),
    }
}

fn cause(snapshot: &Snapshot, question: &str) -> DenialCause {
    denial(snapshot, question).cause
}

fn would_allow(snapshot: &Snapshot, question: &str) -> Vec<String> {
    denial(snapshot, question).would_allow.iter().map(ToString::to_string).collect()
}

fn role_id(fixture: &Fixture, resource: Option<&str>, key: &str) -> RoleId {
    let found = fixture.changes.iter().rev().find_map(|change| match change {
        Change::PutRole(r) if r.key.as_str() == key && r.resource.as_ref().map(AsRef::as_ref) == resource => {
            Some(r.id)
        }
        _ => None,
    });
    found.expect("a role of the fixture")
}

#[test]
fn a_known_instance_has_its_own_tenant_and_no_other() {
    let s = snapshot(&drive().assign("joe", "reader", "acme"));
    assert!(ask(&s, "joe read doc:acme-plan").is_allow());
    assert!(ask(&s, "joe read doc:acme-plan@acme").is_allow());
    assert_eq!(cause(&s, "joe read doc:acme-plan@default"), DenialCause::TenantMismatch);
    assert_eq!(cause(&s, "joe read doc:acme-plan@nowhere"), DenialCause::TenantMismatch);
    assert_eq!(cause(&s, "joe read doc:plan"), DenialCause::NoRole);
    assert_eq!(would_allow(&s, "joe read doc:acme-plan@default"), Vec::<String>::new());
}

#[test]
fn without_a_known_instance_the_named_tenant_counts_or_the_default_one() {
    let s = snapshot(&drive().assign("joe", "reader", "acme").assign("ann", "reader", "default"));
    for place in ["doc", "doc:unknown"] {
        assert!(ask(&s, &format!("joe read {place}@acme")).is_allow());
        assert!(!ask(&s, &format!("joe read {place}")).is_allow());
        assert!(ask(&s, &format!("ann read {place}")).is_allow());
        assert_eq!(cause(&s, &format!("ann read {place}@nowhere")), DenialCause::UnknownTenant);
    }
}

#[test]
fn a_resource_role_reaches_its_instance_only() {
    let s = snapshot(&drive().instance("doc:other", "default").assign("joe", "viewer", "doc:plan"));
    assert!(ask(&s, "joe read doc:plan").is_allow());
    assert!(!ask(&s, "joe read doc:other").is_allow());
    assert!(!ask(&s, "joe read doc").is_allow(), "not the resource as a whole");
    assert!(!ask(&s, "joe write doc:plan").is_allow());
}

#[test]
fn extending_gives_what_the_other_role_has_through_any_number_of_steps_and_around_cycles() {
    let s = snapshot(&drive().assign("joe", "editor", "doc:plan").assign("ann", "admin", "default"));
    assert_eq!(grant(&s, "joe read doc:plan").permitting().to_string(), "doc:plan#viewer");
    assert_eq!(grant(&s, "ann read doc:plan").permitting().to_string(), "reader in tenant default");
    let round = Fixture::default()
        .resource("r", &["a"])
        .role("r", "x", &[])
        .extending(&["y"])
        .role("r", "y", &[])
        .extending(&["x", "z"])
        .role("r", "z", &["a"])
        .tenant("default")
        .user("joe")
        .instance("r:1", "default")
        .assign("joe", "x", "r:1");
    assert_eq!(grant(&snapshot(&round), "joe a r:1").steps.len(), 2);
}

#[test]
fn derivation_is_transitive_and_starts_from_roles_that_extend_the_source_too() {
    let s = snapshot(&drive().assign("joe", "owner", "folder:top").assign("ann", "boss", "folder:top"));
    let g = grant(&s, "joe read doc:plan");
    assert_eq!(g.held.to_string(), "folder:top#owner");
    let roles: Vec<String> = g.steps.iter().map(|step| step.role().to_string()).collect();
    assert_eq!(roles, ["folder:mid#owner", "doc:plan#editor", "doc:plan#viewer"]);
    assert!(ask(&s, "ann write doc:plan").is_allow());
    assert!(!ask(&s, "joe write doc:acme-plan").is_allow());
}

#[test]
fn no_direct_roles_on_object_stops_derivation_for_who_was_given_a_role_there() {
    for gate in [Gate::Block, Gate::Rule] {
        let base = Fixture::default()
            .resource("f", &["x"])
            .resource("d", &["read", "write"])
            .relation("d", "in", "f")
            .role("f", "owner", &[])
            .role("d", "viewer", &["read"])
            .role("d", "editor", &["write"])
            .derived_when("owner", "f", "in", Some(gate))
            .tenant_role("admin", &["d:read"])
            .tenant("default")
            .user("joe")
            .instance("f:1", "default")
            .instance("d:1", "default")
            .tuple("f:1", "in", "d:1")
            .assign("joe", "owner", "f:1");
        let editor = role_id(&base, Some("d"), "editor");
        let at = PlaceRef::Instance { resource: "d", key: "1" };
        assert!(ask(&snapshot(&base), "joe write d:1").is_allow());
        let tenant = snapshot(&base.clone().assign("joe", "admin", "default"));
        assert!(ask(&tenant, "joe write d:1").is_allow(), "a tenant role is no role on the object");
        let ended = snapshot(&base.clone().assign_until("joe", "viewer", "d:1", Some(1_000_000)));
        assert!(ask(&ended, "joe write d:1").is_allow(), "an ended one counts for nothing");
        let direct = snapshot(&base.clone().assign("joe", "viewer", "d:1"));
        assert!(!ask(&direct, "joe write d:1").is_allow());
        assert!(ask(&direct, "joe read d:1").is_allow());
        assert_eq!(direct.holders(&at, &[editor], NOW), Vec::new());
        assert_eq!(direct.places("joe", &[editor], NOW), Vec::new());
        assert_eq!(would_allow(&direct, "joe write d:1"), ["d:1#editor"], "owner would not help");
    }
}

#[test]
fn an_assignment_counts_until_its_end_and_the_denial_says_that_it_has_ended() {
    let base = drive();
    let s = snapshot(&base.clone().assign_until("joe", "viewer", "doc:plan", Some(1_000_001)));
    assert_eq!(grant(&s, "joe read doc:plan").expires_at, Some(Timestamp::from_micros(1_000_001)));
    let s = snapshot(&base.clone().assign_until("joe", "viewer", "doc:plan", Some(1_000_000)));
    let DenialCause::Expired { role, at } = cause(&s, "joe read doc:plan") else { panic!() };
    assert_eq!((role.to_string().as_str(), at), ("doc:plan#viewer", NOW));
    assert_eq!(cause(&s, "joe write doc:plan"), DenialCause::NoRole, "it never allowed that");
    let s = snapshot(&base.assign_until("joe", "owner", "folder:top", Some(5)));
    let DenialCause::Expired { role, .. } = cause(&s, "joe write doc:plan") else { panic!() };
    assert_eq!(role.to_string(), "folder:top#owner");
}

#[test]
fn giving_the_same_role_again_replaces_its_end() {
    let short = drive().assign_until("joe", "viewer", "doc:plan", Some(5));
    assert!(!ask(&snapshot(&short), "joe read doc:plan").is_allow());
    let forever = snapshot(&short.clone().assign("joe", "viewer", "doc:plan"));
    assert!(ask(&forever, "joe read doc:plan").is_allow());
    assert_eq!(forever.stats().assignments, 1);
    let ended = snapshot(&short.clone().assign("joe", "viewer", "doc:plan").assign_until(
        "joe",
        "viewer",
        "doc:plan",
        Some(7),
    ));
    assert!(!ask(&ended, "joe read doc:plan").is_allow());
    let gone = snapshot(&short.unassign("joe", "viewer", "doc:plan").assign("joe", "viewer", "doc:plan"));
    assert!(ask(&gone, "joe read doc:plan").is_allow(), "an end goes with its assignment");
}

#[test]
fn cycles_of_tuples_are_walked_once() {
    let s = snapshot(
        &drive()
            .tuple("folder:mid", "within", "folder:top")
            .tuple("folder:top", "within", "folder:top")
            .assign("ann", "owner", "folder:mid"),
    );
    assert!(!ask(&s, "joe read doc:plan").is_allow());
    assert!(ask(&s, "ann list folder:top").is_allow());
}

#[test]
fn a_walk_that_is_cut_off_says_so() {
    let mut chain = drive();
    for n in 0..40 {
        chain = chain.instance(&format!("folder:n{n}"), "default");
        if n > 0 {
            chain = chain.tuple(&format!("folder:n{n}"), "within", &format!("folder:n{}", n - 1));
        }
    }
    let s =
        snapshot(&chain.clone().assign("joe", "owner", "folder:n32").assign("ann", "owner", "folder:n33"));
    assert_eq!(grant(&s, "joe list folder:n0").steps.len(), 32);
    assert_eq!(cause(&s, "ann list folder:n0"), DenialCause::TooDeep { limit: 32 });
    assert_eq!(
        cause(&s, "ann list folder:n34"),
        DenialCause::NoRole,
        "the walk came to the end of the chain"
    );
    assert!(ask(&s.clone().with_max_depth(33), "ann list folder:n0").is_allow());
    assert!(!ask(&s.with_max_depth(0), "joe list folder:n31").is_allow());
}

#[test]
fn a_denial_names_what_would_allow_it_nearest_and_least_first() {
    let s = snapshot(&drive());
    assert_eq!(
        would_allow(&s, "joe read doc:plan"),
        [
            "doc:plan#viewer",
            "doc:plan#editor",
            "folder:mid#boss",
            "folder:mid#owner",
            "folder:top#boss",
            "folder:top#owner",
            "reader in tenant default",
            "admin in tenant default",
        ]
    );
    assert_eq!(would_allow(&s, "joe write doc"), ["admin in tenant default"]);
    assert_eq!(would_allow(&s, "joe write doc:new@acme"), ["doc:new#editor", "admin in tenant acme"]);
}

#[test]
fn names_that_are_not_there_are_told_apart() {
    let s = snapshot(&drive());
    assert_eq!(cause(&s, "joe read nothing:plan"), DenialCause::UnknownResource);
    assert_eq!(cause(&s, "joe fly doc:plan"), DenialCause::UnknownAction);
    assert_eq!(cause(&s, "joe read doc:plan"), DenialCause::NoRole);
    let unknown = denial(&s, "nobody read doc:plan");
    assert_eq!(unknown.cause, DenialCause::UnknownUser);
    assert_eq!(unknown.would_allow, denial(&s, "joe read doc:plan").would_allow);
    assert_eq!(cause(&Snapshot::empty(), "joe read doc:plan"), DenialCause::UnknownResource);
}

#[test]
fn a_key_that_is_used_again_inherits_nothing() {
    let base = || drive().assign("joe", "viewer", "doc:plan").assign("joe", "admin", "acme");
    assert!(ask(&snapshot(&base()), "joe read doc:plan").is_allow());
    assert!(ask(&snapshot(&base()), "joe read doc:acme-plan").is_allow());
    for again in [
        base().delete_user("joe").user("joe"),
        base().user("joe"),
        base().delete_instance("doc:plan").instance("doc:plan", "default"),
        base().instance("doc:plan", "default"),
        base().delete_role(Some("doc"), "viewer").role("doc", "viewer", &["read"]),
        base()
            .delete_resource("doc")
            .resource("doc", &["read"])
            .role("doc", "viewer", &["read"])
            .instance("doc:plan", "default"),
        base().delete_tenant("default").tenant("default").instance("doc:plan", "default"),
    ] {
        assert!(!ask(&snapshot(&again), "joe read doc:plan").is_allow(), "{:?}", again.changes.last());
    }
    let tenant = base().delete_tenant("acme").tenant("acme").instance("doc:acme-plan", "acme");
    assert!(!ask(&snapshot(&tenant), "joe read doc:acme-plan").is_allow());
    let derived = || drive().assign("joe", "owner", "folder:top");
    assert!(ask(&snapshot(&derived()), "joe read doc:plan").is_allow());
    let relation = derived().delete_relation("doc", "holder").relation("doc", "holder", "folder");
    assert!(!ask(&snapshot(&relation), "joe read doc:plan").is_allow());
    let between = derived().delete_instance("folder:mid").instance("folder:mid", "default");
    assert!(!ask(&snapshot(&between), "joe read doc:plan").is_allow());
}

#[test]
fn a_change_that_names_what_is_gone_changes_nothing() {
    let mut fixture = drive();
    let stale = Change::PutAssignment(fixture.assignment("joe", "viewer", "doc:plan", None));
    let again = fixture.delete_user("joe").user("joe");
    let snapshot = snapshot(&again).apply(&[stale]);
    assert_eq!(snapshot.stats().ignored, 1);
    assert!(!ask(&snapshot, "joe read doc:plan").is_allow(), "the new joe is not the old one");
}

#[test]
fn lists_follow_extension_and_derivation_and_the_tenant() {
    let base = drive().assign("joe", "boss", "folder:top").assign("ann", "admin", "default");
    let s = snapshot(&base);
    let (viewer, owner, reader) = (
        role_id(&base, Some("doc"), "viewer"),
        role_id(&base, Some("folder"), "owner"),
        role_id(&base, None, "reader"),
    );
    let plan = PlaceRef::Instance { resource: "doc", key: "plan" };
    let names = |roles: &[RoleId]| -> Vec<String> {
        s.holders(&plan, roles, NOW).iter().map(ToString::to_string).collect()
    };
    assert_eq!(names(&[viewer]), ["joe"]);
    assert_eq!(names(&[viewer, reader]), ["ann", "joe"]);
    let places = |user: &str, role: RoleId| -> Vec<String> {
        s.places(user, &[role], NOW).iter().map(ToString::to_string).collect()
    };
    assert_eq!(places("joe", owner), ["folder:mid", "folder:top"]);
    assert_eq!(places("joe", viewer), ["doc:plan"]);
    assert_eq!(places("ann", reader), ["tenant default"]);
    let roles: Vec<String> = s.roles_on("joe", &plan, NOW).iter().map(|role| role.at.to_string()).collect();
    assert_eq!(roles, ["doc:plan#editor", "doc:plan#viewer"]);
    let direct = s.roles_on("joe", &PlaceRef::Instance { resource: "folder", key: "top" }, NOW);
    assert!(direct.iter().any(|role| role.is_direct() && role.role().as_str() == "boss"));
    assert_eq!(s.instance_tenant("doc", "acme-plan").unwrap().as_str(), "acme");
    assert!(s.has_user("joe") && !s.has_user("eve") && s.has_tenant("acme") && !s.has_tenant("other"));
}

#[test]
fn more_roles_than_a_word_has_bits() {
    let mut many = Fixture::default().resource("f", &["go"]).relation("f", "in", "f");
    for n in 0..200 {
        let action: &[&str] = if n == 130 { &["go"] } else { &[] };
        many = many.role("f", &format!("k{n}"), action);
        if n == 199 {
            many = many.extending(&["k130"]);
        }
        if n == 130 {
            many = many.derived("k1", "f", "in").derived("k70", "f", "in");
        }
    }
    many = many
        .tenant("default")
        .instance("f:a", "default")
        .instance("f:b", "default")
        .tuple("f:a", "in", "f:b");
    for n in 0..200 {
        many = many.user(&format!("u{n}")).assign(&format!("u{n}"), &format!("k{n}"), "f:a");
    }
    let s = snapshot(&many);
    for n in 0..200 {
        assert_eq!(ask(&s, &format!("u{n} go f:a")).is_allow(), [130, 199].contains(&n), "{n}");
        assert_eq!(ask(&s, &format!("u{n} go f:b")).is_allow(), [1, 70].contains(&n), "{n}");
    }
    let go = role_id(&many, Some("f"), "k130");
    assert_eq!(s.holders(&PlaceRef::Instance { resource: "f", key: "b" }, &[go], NOW).len(), 2);
    assert_eq!(s.places("u70", &[go], NOW).len(), 1);
}

#[test]
fn explained_decisions_read_as_a_person_would_tell_them() {
    let base = drive()
        .assign("joe", "boss", "folder:top")
        .assign_until("ann", "admin", "default", Some(9_000_000))
        .user("eve")
        .assign_until("eve", "editor", "doc:plan", Some(5));
    let s = snapshot(&base);
    let told: Vec<String> =
        ["joe read doc:plan", "ann read doc:plan", "eve write doc:plan", "eve list folder:mid"]
            .into_iter()
            .map(|question| {
                format!(
                    "{question}
{}",
                    serde_json::to_string_pretty(&ask(&s, question)).unwrap()
                )
            })
            .collect();
    insta::assert_snapshot!(told.join("\n\n"));
}
