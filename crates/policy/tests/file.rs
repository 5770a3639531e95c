//! Policy files are read as they are written, whatever they say.

#[cfg(test)]
#[path = "support/random_policy.rs"]
mod random_policy;

use askfirst_domain::{Key, Timestamp, schema::Permission};
use askfirst_policy::{
    Bounds, Comparison, Question, Shift, Snapshot, Turn,
    file::{Kind, PolicyFile, Prune, difference, parse},
};
use proptest::prelude::*;
use random_policy::{Dice, USERS, file};
use std::collections::{BTreeMap, BTreeSet};

const NOW: Timestamp = Timestamp::from_micros(1_790_000_000_000_000);
const ALL: Bounds = Bounds { questions: usize::MAX, users: usize::MAX, examples: usize::MAX };

/// An instance and its tenant, or a tenant alone.
type Place = (Option<(Key, Key)>, Key);

fn places(file: &PolicyFile) -> impl Iterator<Item = Place> {
    let instances = file.instances.iter().map(|instance| {
        (Some((instance.at.resource.clone(), instance.at.key.clone())), instance.tenant.clone())
    });
    instances.chain(file.tenants.iter().map(|tenant| (None, tenant.key.clone())))
}

/// What a comparison comes to, question by question.
fn plainly(before: &PolicyFile, after: &PolicyFile) -> Comparison {
    let (old, new) = (before.alone(), after.alone());
    let places: BTreeSet<Place> = places(before).chain(places(after)).collect();
    let permissions: BTreeSet<Permission> = [&old, &new]
        .into_iter()
        .flat_map(|snapshot| snapshot.schema().resources())
        .flat_map(|r| r.actions.iter().map(|a| Permission { resource: r.key.clone(), action: a.key.clone() }))
        .collect();
    let mut found = Comparison::default();
    for (instance, tenant) in &places {
        for permission in &permissions {
            if instance.as_ref().is_some_and(|(resource, _)| *resource != permission.resource) {
                continue;
            }
            found.of += 1;
            found.asked += 1;
            for user in USERS {
                let question = Question {
                    user,
                    action: permission.action.as_str(),
                    resource: permission.resource.as_str(),
                    instance: instance.as_ref().map(|(_, key)| key.as_str()),
                    tenant: Some(tenant.as_str()),
                };
                let shift = match (old.is_allowed(&question, NOW), new.is_allowed(&question, NOW)) {
                    (false, true) => Shift { gained: 1, lost: 0 },
                    (true, false) => Shift { gained: 0, lost: 1 },
                    _ => continue,
                };
                let total: &mut Shift = found.permissions.entry(permission.clone()).or_default();
                total.gained += shift.gained;
                total.lost += shift.lost;
            }
        }
    }
    found
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn what_is_written_is_read_again(tape in prop::collection::vec(any::<u16>(), 0..900)) {
        let written = file(&mut Dice::new(tape));
        let text = written.to_yaml();
        match parse(&text, &Snapshot::empty(), Prune::Nothing) {
            Ok(read) => {
                prop_assert_eq!(&read, &written, "{}", text);
                prop_assert_eq!(read.to_yaml(), text);
                prop_assert_eq!(difference(&written, &read), Vec::new());
            }
            Err(wrong) => prop_assert!(false, "{:#?}\n{}", wrong, text),
        }
    }

    #[test]
    fn a_comparison_finds_every_decision_that_changes(
        before in prop::collection::vec(any::<u16>(), 0..900),
        after in prop::collection::vec(any::<u16>(), 0..900),
    ) {
        let (before, after) = (file(&mut Dice::new(before)), file(&mut Dice::new(after)));
        let found = before.alone().compare(&after.alone(), NOW, ALL);
        let plain = plainly(&before, &after);
        prop_assert_eq!((found.asked, found.of), (plain.asked, plain.of));
        prop_assert_eq!(&found.permissions, &plain.permissions);
        let mut told: BTreeMap<Permission, Shift> = BTreeMap::new();
        for flip in &found.examples {
            let shift = told.entry(flip.permission.clone()).or_default();
            match flip.turn {
                Turn::Gained => shift.gained += 1,
                Turn::Lost => shift.lost += 1,
            }
        }
        prop_assert_eq!(told, found.permissions);

        // Within bounds it is less, and never something else.
        let bounds = Bounds { questions: 20, users: 50, examples: 3 };
        let some = before.alone().compare(&after.alone(), NOW, bounds);
        prop_assert!(some.asked <= 60 && some.of == plain.of && some.examples.len() <= 3);
        for (permission, shift) in &some.permissions {
            let whole = plain.permissions.get(permission).copied().unwrap_or_default();
            prop_assert!(shift.gained <= whole.gained && shift.lost <= whole.lost);
        }
    }

    #[test]
    fn differences_are_those_of_what_is_written(
        before in prop::collection::vec(any::<u16>(), 0..900),
        after in prop::collection::vec(any::<u16>(), 0..900),
    ) {
        let (before, after) = (file(&mut Dice::new(before)), file(&mut Dice::new(after)));
        let (there, back) = (difference(&before, &after), difference(&after, &before));
        prop_assert_eq!(there.is_empty(), back.is_empty());
        prop_assert_eq!(there.len(), back.len());
        for (one, other) in there.iter().zip(&back) {
            prop_assert_eq!((&one.what, &one.name), (&other.what, &other.name));
            let mirrored = match one.kind {
                Kind::Added => Kind::Removed,
                Kind::Removed => Kind::Added,
                Kind::Changed => Kind::Changed,
            };
            prop_assert_eq!(other.kind, mirrored);
        }
    }
}
