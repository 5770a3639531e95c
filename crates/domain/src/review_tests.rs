//! Reviews come to the same whatever their order, and only those count that still may.

use crate::{
    Digest, Id, Timestamp,
    request::Person,
    review::{Course, Progress, Review, Vote, outcome, progress},
    terms::{RoleRef, Terms, Threshold},
};
use proptest::prelude::*;
use serde_json::json;
use uuid::Uuid;

/// Something that happens to a request.
#[derive(Debug, Clone)]
enum Event {
    /// This person says this of the matter with this number.
    Says(u8, Vote, u8),
    /// This person's reviews count for nothing from now on.
    Loses(u8),
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let vote = prop::sample::select(vec![Vote::Approve, Vote::Deny]);
    let says = (0_u8..6, vote, 0_u8..2).prop_map(|(who, vote, of)| Event::Says(who, vote, of));
    prop::collection::vec(prop_oneof![4 => says, 1 => (0_u8..6).prop_map(Event::Loses)], 0..16)
}

/// Each counts the people whose number its mask does not strike out.
fn thresholds() -> impl Strategy<Value = Vec<(u32, u32, u8)>> {
    prop::collection::vec((1_u32..4, 1_u32..4, 0_u8..8), 0..4)
}

fn person(n: u8) -> Person {
    Person { id: Id::new(Uuid::from_u128(n.into())), key: format!("u{n}").parse().unwrap() }
}

fn of(n: u8) -> Digest {
    Digest::of_bytes(&[n])
}

fn named(needs: &[(u32, u32, u8)]) -> Vec<Threshold> {
    let one = |(approve, deny, mask): &(u32, u32, u8)| Threshold {
        name: mask.to_string(),
        approve: *approve,
        deny: *deny,
        ..Threshold::usual()
    };
    needs.iter().map(one).collect()
}

fn number(review: &Review) -> u8 {
    u8::try_from(review.by.id.uuid().as_u128()).unwrap()
}

fn heard(events: &[Event]) -> (Course, Vec<u8>) {
    let (mut course, mut lost) = (Course::default(), Vec::new());
    for event in events {
        match *event {
            Event::Says(who, vote, matter) => course.hear(Review {
                by: person(who),
                vote,
                comment: None,
                at: Timestamp::default(),
                of: of(matter),
                stands_for: None,
            }),
            Event::Loses(who) => lost.push(who),
        }
    }
    (course, lost)
}

fn comes_to(needs: &[(u32, u32, u8)], course: &Course, lost: &[u8]) -> Option<Vote> {
    let counts = |review: &Review, threshold: &Threshold| {
        let mask: u8 = threshold.name.parse().unwrap_or(0);
        !lost.contains(&number(review)) && number(review) & mask == 0
    };
    outcome(&progress(&named(needs), &course.reviews, &of(1), counts))
}

proptest! {
    #[test]
    fn it_is_what_the_last_words_of_those_who_still_count_come_to(events in events(), needs in thresholds()) {
        let (course, lost) = heard(&events);
        // Said once more, plainly: of each person the last word, if it is about this and they have not lost their say.
        let last = |who: u8| events.iter().rev().find_map(|event| match *event {
            Event::Says(by, vote, matter) if by == who => Some((vote, matter)),
            _ => None,
        });
        let votes: Vec<(u8, Vote)> = (0..6)
            .filter(|who| !lost.contains(who))
            .filter_map(|who| last(who).filter(|(_, matter)| *matter == 1).map(|(vote, _)| (who, vote)))
            .collect();
        let count = |vote: Vote, mask: u8| {
            u32::try_from(votes.iter().filter(|(who, v)| *v == vote && who & mask == 0).count()).unwrap()
        };
        let asked = if needs.is_empty() { vec![(1, 1, 0)] } else { needs.clone() };
        let denied = asked.iter().any(|(_, deny, mask)| count(Vote::Deny, *mask) >= *deny);
        let approved = asked.iter().all(|(approve, _, mask)| count(Vote::Approve, *mask) >= *approve);
        let expected = if denied { Some(Vote::Deny) } else { approved.then_some(Vote::Approve) };
        prop_assert_eq!(comes_to(&needs, &course, &lost), expected);
    }

    #[test]
    fn one_authority_counts_once_and_its_own_word_first(
        said in prop::collection::vec((0_u8..6, prop::option::of(0_u8..6), any::<bool>()), 0..12),
    ) {
        let mut course = Course::default();
        for (by, other, approve) in said {
            let vote = if approve { Vote::Approve } else { Vote::Deny };
            let stands_for = other.filter(|other| *other != by).map(person);
            let (comment, at) = (None, Timestamp::default());
            course.hear(Review { by: person(by), vote, comment, at, of: of(1), stands_for });
        }
        // Plainly: of each authority its own word, or else the last that was said for it.
        let word = |who: u8| {
            let of_it = course.reviews.iter().filter(|review| review.authority().id == person(who).id);
            of_it.clone().find(|review| review.stands_for.is_none()).or_else(|| of_it.clone().next_back())
        };
        let words: Vec<Vote> = (0..6).filter_map(word).map(|review| review.vote).collect();
        let count = |vote: Vote| u32::try_from(words.iter().filter(|one| **one == vote).count()).unwrap();
        let found = progress(&[], &course.reviews, &of(1), |_, _| true);
        prop_assert_eq!((found[0].approvals, found[0].denials), (count(Vote::Approve), count(Vote::Deny)));
    }

    #[test]
    fn the_order_of_different_people_does_not_matter(events in events(), needs in thresholds(), turn in 0_usize..16) {
        let (course, lost) = heard(&events);
        let mut turned = course.clone();
        let by = turn.min(turned.reviews.len());
        turned.reviews.rotate_left(by);
        prop_assert_eq!(comes_to(&needs, &course, &lost), comes_to(&needs, &turned, &lost));
    }

    #[test]
    fn who_lost_their_say_is_as_if_they_had_said_nothing(events in events(), needs in thresholds(), who in 0_u8..6) {
        let (course, mut lost) = heard(&events);
        let silent: Vec<Event> =
            events.iter().filter(|event| !matches!(event, Event::Says(by, ..) if *by == who)).cloned().collect();
        let without = comes_to(&needs, &heard(&silent).0, &lost);
        lost.push(who);
        prop_assert_eq!(comes_to(&needs, &course, &lost), without);
    }
}

#[test]
fn nobody_is_heard_twice_and_nothing_decides_by_itself() {
    let (course, _) = heard(&[Event::Says(1, Vote::Approve, 1), Event::Says(1, Vote::Approve, 1)]);
    assert_eq!(course.reviews.len(), 1);
    assert_eq!(comes_to(&[(2, 1, 0)], &course, &[]), None);
    assert_eq!(comes_to(&[], &Course::default(), &[]), None);
    assert_eq!(outcome(&[]), None, "no threshold at all approves nothing");
    // A nought is a mistake, and never means that nobody has to agree.
    let none = Threshold { approve: 0, deny: 0, ..Threshold::usual() };
    let found = progress(&[none], &[], &of(1), |_, _| true);
    let wanted = Progress { name: "reviewer".to_owned(), approvals: 0, approve: 1, denials: 0, deny: 1 };
    assert_eq!((outcome(&found), found), (None, vec![wanted]));
}

#[test]
fn terms_are_read_as_they_are_written_and_nothing_else_is() {
    let written = json!({
        "decide_within": "1d", "grant_lasts": null, "most_uses": null, "ask_again_after": "10m",
        "thresholds": [{"name": "two", "approve": 2, "deny": 1, "role": "tenant#admin",
                        "when": {"action.arguments": {"greater-than": 1}}}],
    });
    let terms: Terms = serde_json::from_value(written.clone()).unwrap();
    assert_eq!(serde_json::to_value(&terms).unwrap(), written);
    let stored_before: Terms = serde_json::from_value(json!({"decide_within": 86400})).unwrap();
    assert_eq!(stored_before.decide_within, terms.decide_within);
    for wrong in [
        json!({"treshold": []}),
        json!({"thresholds": [{"approve": 2}]}),
        json!({"thresholds": [{"name": "two", "aprove": 2}]}),
        json!({"thresholds": [{"name": "two", "role": "a b"}]}),
    ] {
        assert!(serde_json::from_value::<Terms>(wrong.clone()).is_err(), "{wrong}");
    }
    let rules = json!({
        "rules": [{"name": "small", "then": "approve", "role": "parent", "lasts": "1h",
                   "during": {"days": ["mon", "fri"], "from": "09:00", "to": "17:30", "zone": "Europe/Berlin"}}],
        "break_glass": {"roles": ["tenant#oncall"], "lasts": "30m"},
    });
    let read: Terms = serde_json::from_value(rules.clone()).unwrap();
    let written = serde_json::to_value(&read).unwrap();
    assert_eq!((&written["rules"], &written["break_glass"]), (&rules["rules"], &rules["break_glass"]));
    for wrong in ["9:00", "24:00", "09:60", "0900", "09:0a", "+9:00"] {
        assert!(wrong.parse::<crate::terms::TimeOfDay>().is_err(), "{wrong}");
    }
    for (text, written) in [("parent", "parent"), ("tenant#admin", "tenant#admin"), ("a#b", "a#b")] {
        assert_eq!(text.parse::<RoleRef>().unwrap().to_string(), written);
    }
}
