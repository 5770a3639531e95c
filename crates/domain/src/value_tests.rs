//! What the log and the wire rely on: values read back as they were written, and times sort as their texts do.

use crate::{
    Digest, Id, Ident, Key, Timestamp,
    change::Change,
    decision::{Grant, Place, RoleAt, Step},
    element::{Element, ElementType, Level},
    facts::{InstanceLink, InstanceRef, RoleAssignment},
    id::RoleId,
};
use proptest::prelude::*;
use serde_json::{Map, json};
use std::collections::BTreeMap;
use uuid::Uuid;

fn id<K>(n: u128) -> Id<K> {
    Id::new(Uuid::from_u128(n))
}

fn key(text: &str) -> Key {
    text.parse().unwrap()
}

/// The last microsecond of the year 9999.
const LAST: i64 = 253_402_300_799_999_999;

proptest! {
    #[test]
    fn times_sort_as_their_texts_do(a in 0..=LAST, b in 0..=LAST) {
        let (a, b) = (Timestamp::from_micros(a), Timestamp::from_micros(b));
        prop_assert_eq!(a.cmp(&b), a.to_string().cmp(&b.to_string()));
        prop_assert_eq!(a.to_string().len(), "1970-01-01T00:00:00.000000Z".len());
    }

    #[test]
    fn ids_read_back_in_both_spellings(n in any::<u128>()) {
        let role: RoleId = id(n);
        prop_assert_eq!(role.to_string().parse::<RoleId>().unwrap(), role);
        prop_assert_eq!(role.uuid().simple().to_string().parse::<RoleId>().unwrap(), role);
        prop_assert_eq!(Ident::new(role.to_string()).uuid(), Some(role.uuid()));
        let wire = serde_json::to_value(role).unwrap();
        prop_assert_eq!(&wire, &json!(role.to_string()));
        prop_assert_eq!(serde_json::from_value::<RoleId>(wire).unwrap(), role);
    }

    #[test]
    fn keys_are_refused_on_the_wire_as_in_the_code(text in "[ -~]{0,12}") {
        let parsed = text.parse::<Key>();
        let read = serde_json::from_value::<Key>(json!(text));
        prop_assert_eq!(parsed.is_ok(), read.is_ok());
        prop_assert_eq!(parsed.is_ok(), !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c)));
    }

    #[test]
    fn a_digest_does_not_depend_on_the_order_of_members(members in prop::collection::btree_map("[a-z]{1,4}", any::<i32>(), 0..8)) {
        let forward: String = members.iter().map(|(k, v)| format!("{k:?}:{v}")).collect::<Vec<_>>().join(",");
        let backward: String = members.iter().rev().map(|(k, v)| format!("{k:?}: {v}")).collect::<Vec<_>>().join(" , ");
        let digest = |text: String| Digest::of_json(&serde_json::from_str::<serde_json::Value>(&format!("{{{text}}}")).unwrap()).unwrap();
        prop_assert_eq!(digest(forward), digest(backward));
    }
}

#[test]
fn a_change_reads_back_from_the_log() {
    let put = Change::PutAssignment(RoleAssignment {
        id: id(1),
        user: "henry".parse().unwrap(),
        user_id: id(2),
        role: key("parent"),
        role_id: id(3),
        tenant: key("default"),
        tenant_id: id(4),
        instance: Some(InstanceLink { id: id(5), resource: key("restaurants"), key: key("pizza-palace") }),
        expires_at: Some(Timestamp::from_micros(7)),
        origin: None,
        created_at: Timestamp::from_micros(-1),
    });
    let delete = Change::DeleteRole { id: id(3), key: key("parent"), resource: None };
    for change in [put, delete] {
        let text = serde_json::to_string(&change).unwrap();
        assert_eq!(serde_json::from_str::<Change>(&text).unwrap(), change, "{text}");
    }
}

#[test]
fn a_grant_ends_at_the_role_that_permits() {
    let dish = RoleAt {
        role: key("parent"),
        at: Place::Instance(InstanceRef { resource: key("restaurants"), key: key("dish") }),
    };
    let held = RoleAt { role: key("admin"), at: Place::Tenant(key("default")) };
    assert_eq!(
        (dish.to_string().as_str(), held.to_string().as_str()),
        ("restaurants:dish#parent", "admin in tenant default")
    );
    let mut grant = Grant { held: held.clone(), expires_at: None, steps: Vec::new() };
    assert_eq!(grant.permitting(), &held);
    grant.steps.push(Step::Derived { relation: key("serves"), role: dish.clone() });
    assert_eq!(grant.permitting(), &dish);
}

#[test]
fn a_role_has_the_level_that_the_element_gives_it() {
    let element = Element {
        id: id(1),
        key: key("restaurant-requests"),
        name: "Restaurant Requests".to_owned(),
        kind: ElementType::UserManagement,
        settings: Map::new(),
        resource: None,
        email_notifications: false,
        roles_to_levels: BTreeMap::from([(Level::Owner, vec![id(10)]), (Level::Assignable, vec![id(11)])]),
        webhook: None,
        is_active: true,
        terms: crate::element::Terms::default(),
        created_at: Timestamp::default(),
        updated_at: Timestamp::default(),
    };
    assert_eq!(element.level_of(id(10)), Level::Owner);
    assert_eq!(element.level_of(id(11)), Level::Assignable);
    assert_eq!(element.level_of(id(12)), Level::Unconfigured);
    assert!(Level::Owner < Level::Manager && Level::Viewer < Level::Assignable, "strongest first");
    assert_eq!(
        serde_json::to_value(&element.roles_to_levels).unwrap()["LEVEL_1"][0],
        json!(id::<()>(10).to_string())
    );
}
