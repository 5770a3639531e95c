//! A request moves from pending to one decision and never again, whatever happens in whatever order; and what an
//! approval gives is spent no more often and no longer than it says.

use crate::{
    Id, Span, Timestamp,
    binding::{Binding, Call},
    facts::InstanceLink,
    grant::{Grant, GrantState, Offer, Outcome},
    principal::Principal,
    request::{Approval, Moved, Person, Refusal, Request, RequestKind, Ruling, Status, WantedRole, wish},
};
use proptest::prelude::*;
use serde_json::json;
use uuid::Uuid;

fn id<K>(n: u128) -> Id<K> {
    Id::new(Uuid::from_u128(n))
}

fn person(name: &str) -> Person {
    let n = name.bytes().fold(0, |n, b| n * 256 + u128::from(b));
    Person { id: id(n), key: name.parse().unwrap() }
}

fn role(key: &str) -> WantedRole {
    WantedRole { id: id(u128::from(key.as_bytes()[0])), key: key.parse().unwrap() }
}

fn link(key: &str) -> InstanceLink {
    InstanceLink { id: id(7), resource: "restaurants".parse().unwrap(), key: key.parse().unwrap() }
}

fn at(n: usize) -> Timestamp {
    Timestamp::from_micros(i64::try_from(n).unwrap())
}

/// Henry asks for the role `child` at pizza-palace.
fn request(kind: RequestKind) -> Request {
    let requester = person("henry");
    let opened_by = Principal::System { name: "test".to_owned() };
    Request {
        id: id(1),
        kind,
        element: id(2),
        element_key: "restaurant-requests".parse().unwrap(),
        tenant: "default".parse().unwrap(),
        tenant_id: id(3),
        resource: Some("restaurants".parse().unwrap()),
        resource_id: Some(id(4)),
        instance: Some(link("pizza-palace")),
        role: role("child"),
        reason: "hungry".to_owned(),
        status: Status::Pending,
        reviewer: None,
        reviewer_comment: None,
        reviewed_at: None,
        created_at: at(0),
        updated_at: at(0),
        opened_by,
        wish: wish(kind, requester.id, id(99), id(3), Some(&link("pizza-palace")), None),
        requester,
        deadline: None,
        offer: Offer::default(),
        binding: None,
        grant: None,
        course: crate::review::Course::default(),
        task: None,
    }
}

fn approve(role: Option<WantedRole>) -> Ruling {
    Ruling::Approve(Approval { role, ..Approval::default() })
}

/// Leave for one call, three times within a minute, if somebody decides within ten microseconds.
fn bound() -> Request {
    let call = Call {
        action: "order".to_owned(),
        arguments: json!({"dish": "pizza"}),
        context: serde_json::Map::new(),
    };
    let base = request(RequestKind::OperationApproval);
    let binding = Binding::new(id(8), base.requester.id, None, "restaurants:pizza-palace".to_owned(), call);
    Request {
        deadline: Some(at(10)),
        offer: Offer { lasts: Some(Span::try_from(60).unwrap()), uses: Some(3) },
        binding: Some(binding.unwrap()),
        ..base
    }
}

#[derive(Debug, Clone)]
enum Event {
    Approve(&'static str, Option<&'static str>),
    Deny(&'static str),
    Annotate(&'static str, Option<&'static str>, Option<String>),
    Cancel(&'static str, Option<String>),
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let who = || prop::sample::select(vec!["henry", "joe", "jane"]);
    let role = || prop::option::of(prop::sample::select(vec!["child", "parent", "guest"]));
    let text = || prop::option::of("[a-z]{1,5}");
    let event = prop_oneof![
        (who(), role()).prop_map(|(who, role)| Event::Approve(who, role)),
        who().prop_map(Event::Deny),
        (who(), role(), text()).prop_map(|(who, role, comment)| Event::Annotate(who, role, comment)),
        (who(), text()).prop_map(|(who, reason)| Event::Cancel(who, reason)),
    ];
    prop::collection::vec(event, 1..25)
}

fn kinds() -> impl Strategy<Value = RequestKind> {
    prop::sample::select(vec![RequestKind::AccessRequest, RequestKind::OperationApproval])
}

/// The whole of what a request may never change.
fn fixed_part(request: &Request) -> (Id<crate::id::kind::Request>, Person, String, Timestamp) {
    (request.id, request.requester.clone(), request.wish.clone(), request.created_at)
}

fn happen(request: &Request, event: &Event, now: Timestamp) -> Result<Moved, Refusal> {
    match event {
        Event::Approve(who, wanted) => request.decide(&person(who), approve(wanted.map(role)), None, now),
        Event::Deny(who) => request.decide(&person(who), Ruling::Deny, Some("no".to_owned()), now),
        Event::Annotate(who, wanted, comment) => {
            request.annotate(&person(who), wanted.map(role), comment.clone(), now).map(Moved::Now)
        }
        Event::Cancel(who, reason) => request.cancel(person(who).id, reason.clone(), now),
    }
}

proptest! {
    #[test]
    fn one_decision_at_most_and_nothing_moves_after_it(kind in kinds(), events in events()) {
        let mut current = request(kind);
        let start = fixed_part(&current);
        let mut decisions = 0;
        for (n, event) in events.iter().enumerate() {
            let now = at(n + 1);
            let before = current.clone();
            match happen(&current, event, now) {
                Ok(Moved::Now(next)) => {
                    prop_assert_eq!(before.status, Status::Pending, "terminal is terminal");
                    prop_assert_eq!(next.updated_at, now);
                    decisions += usize::from(next.status != Status::Pending);
                    current = next;
                }
                Ok(Moved::Before(same)) => {
                    prop_assert_ne!(before.status, Status::Pending);
                    prop_assert_eq!(same, before, "the repeated answer is the first one");
                }
                Err(Refusal::AlreadyDecided { status, at, .. }) => {
                    prop_assert_eq!(status, before.status);
                    prop_assert_eq!(at, before.reviewed_at.unwrap_or(before.updated_at));
                }
                Err(_) => {}
            }
            prop_assert_eq!(fixed_part(&current), start.clone());
            prop_assert_eq!(current.reviewer.is_some(), matches!(current.status, Status::Approved | Status::Denied));
            prop_assert_eq!(current.reviewer.is_some(), current.reviewed_at.is_some());
        }
        prop_assert!(decisions <= 1);
    }

    #[test]
    fn the_requester_never_decides_and_nobody_else_cancels(kind in kinds(), events in events()) {
        let mut current = request(kind);
        for (n, event) in events.iter().enumerate() {
            let result = happen(&current, event, at(n + 1));
            match event {
                Event::Approve("henry", _) | Event::Deny("henry") | Event::Annotate("henry", ..) => {
                    let refused = matches!(result, Err(Refusal::SelfReview { .. }));
                    prop_assert!(refused, "{:?}", result);
                }
                Event::Cancel(who, _) if *who != "henry" => {
                    let refused = matches!(result, Err(Refusal::NotTheRequester { .. }));
                    prop_assert!(refused, "{:?}", result);
                }
                _ => {}
            }
            if let Ok(Moved::Now(next)) = result {
                prop_assert!(next.reviewer.as_ref().is_none_or(|reviewer| reviewer.id != next.requester.id));
                current = next;
            }
        }
    }

    #[test]
    fn the_role_moves_on_access_requests_only_and_only_while_pending(kind in kinds(), events in events()) {
        let mut current = request(kind);
        for (n, event) in events.iter().enumerate() {
            let pending = current.status == Status::Pending;
            let result = happen(&current, event, at(n + 1));
            let wanted = match event {
                Event::Approve(who, wanted) | Event::Annotate(who, wanted, _) if *who != "henry" => *wanted,
                _ => None,
            };
            if kind == RequestKind::OperationApproval && wanted.is_some_and(|wanted| wanted != "child") && pending {
                prop_assert_eq!(result.clone(), Err(Refusal::FixedRole));
            }
            if let Ok(Moved::Now(next)) = result {
                prop_assert_eq!(&next.role, &wanted.map_or(current.role.clone(), role));
                current = next;
            }
            if kind == RequestKind::OperationApproval {
                prop_assert_eq!(&current.role, &role("child"));
            }
        }
    }

    #[test]
    fn a_wish_is_the_same_only_for_the_same(
        a in (kinds(), 0_u128..3, 0_u128..3, 0_u128..3, prop::option::of("[ab]{1,2}")),
        b in (kinds(), 0_u128..3, 0_u128..3, 0_u128..3, prop::option::of("[ab]{1,2}")),
    ) {
        let of = |(kind, user, role, tenant, key): &(RequestKind, u128, u128, u128, Option<String>)| {
            wish(*kind, id(*user), id(*role), id(*tenant), key.as_deref().map(link).as_ref(), None)
        };
        prop_assert_eq!(of(&a) == of(&b), a == b);
    }
}

#[test]
fn an_identical_decision_of_the_same_reviewer_is_answered_like_the_first() {
    let Ok(Moved::Now(approved)) = request(RequestKind::AccessRequest).decide(
        &person("joe"),
        approve(Some(role("parent"))),
        Some("enjoy".to_owned()),
        at(5),
    ) else {
        panic!("a pending request can be approved")
    };
    assert_eq!((approved.status, approved.role.key.as_str()), (Status::Approved, "parent"));
    assert_eq!((approved.reviewed_at, approved.reviewer_comment.as_deref()), (Some(at(5)), Some("enjoy")));
    for again in [approve(None), approve(Some(role("parent")))] {
        let repeated = approved.decide(&person("joe"), again, Some("other words".to_owned()), at(9));
        assert_eq!(repeated, Ok(Moved::Before(approved.clone())));
    }
    let told = "this access request was already approved by joe at 1970-01-01T00:00:00.000005Z, so it can't be \
                decided again";
    for (who, ruling) in [
        ("joe", Ruling::Deny),
        ("joe", approve(Some(role("guest")))),
        ("jane", approve(None)),
        ("jane", Ruling::Deny),
    ] {
        assert_eq!(approved.decide(&person(who), ruling, None, at(9)).unwrap_err().to_string(), told);
    }
    assert_eq!(approved.cancel(person("henry").id, None, at(9)).unwrap_err().to_string(), told);
}

#[test]
fn a_cancelled_request_says_who_took_it_back() {
    let pending = request(RequestKind::OperationApproval);
    let Ok(Moved::Now(canceled)) = pending.cancel(person("henry").id, Some("not hungry".to_owned()), at(3))
    else {
        panic!("the requester may cancel")
    };
    assert_eq!((canceled.status, canceled.reason.as_str()), (Status::Canceled, "not hungry"));
    assert_eq!(canceled.cancel(person("henry").id, None, at(4)), Ok(Moved::Before(canceled.clone())));
    let refused = canceled.decide(&person("joe"), Ruling::Deny, None, at(4)).unwrap_err().to_string();
    assert!(refused.starts_with("this operation approval was already canceled by henry at "), "{refused}");
    let kept = pending.cancel(person("henry").id, None, at(3));
    assert!(matches!(kept, Ok(Moved::Now(request)) if request.reason == "hungry"));
}

#[test]
fn statuses_are_spelt_as_on_the_wire() {
    for status in Status::ALL {
        assert_eq!(status.as_str().parse::<Status>(), Ok(status));
        assert_eq!(serde_json::to_value(status).unwrap(), status.as_str());
    }
    let refused = "cancelled".parse::<Status>().unwrap_err().to_string();
    assert_eq!(refused, "`cancelled` is not a status; use pending, approved, denied, canceled or expired");
}

/// Something that may happen to a request with an end, so many microseconds later.
#[derive(Debug, Clone)]
enum Late {
    Approve(&'static str, Option<u64>),
    Deny(&'static str),
    Cancel,
    Revoke(&'static str),
    Spend,
    Record(u32, Outcome),
    /// Somebody writes down what has ended.
    Lapse,
    /// The clock goes on, or back.
    Time(i64),
}

fn late() -> impl Strategy<Value = Vec<Late>> {
    let who = || prop::sample::select(vec!["henry", "joe", "jane"]);
    let outcome = prop::sample::select(vec![Outcome::Unknown, Outcome::Succeeded, Outcome::Failed]);
    let step = prop_oneof![
        3 => (who(), prop::option::of(1_u64..90)).prop_map(|(who, lasts)| Late::Approve(who, lasts)),
        1 => who().prop_map(Late::Deny),
        1 => Just(Late::Cancel),
        1 => who().prop_map(Late::Revoke),
        5 => Just(Late::Spend),
        2 => (0_u32..5, outcome).prop_map(|(n, outcome)| Late::Record(n, outcome)),
        1 => Just(Late::Lapse),
        2 => prop::sample::select(vec![1_i64, 5, 12, 30_000_000, 70_000_000, -20_000_000]).prop_map(Late::Time),
    ];
    prop::collection::vec(step, 1..40)
}

/// The request that comes of a step, if any does.
fn later(current: &Request, step: &Late, now: Timestamp) -> Option<Request> {
    let server = Principal::System { name: "kitchen".to_owned() };
    let moved = |moved: Result<Moved, Refusal>| match moved {
        Ok(Moved::Now(next)) => Some(next),
        Ok(Moved::Before(_)) | Err(_) => None,
    };
    match step {
        Late::Approve(who, lasts) => {
            let lasts = lasts.map(|seconds| Span::try_from(seconds).unwrap());
            let ruling = Ruling::Approve(Approval { lasts, ..Approval::default() });
            moved(current.decide(&person(who), ruling, None, now))
        }
        Late::Deny(who) => moved(current.decide(&person(who), Ruling::Deny, None, now)),
        Late::Cancel => moved(current.cancel(person("henry").id, None, now)),
        Late::Revoke(who) => moved(current.revoke(&person(who), None, now)),
        Late::Spend => current.spend(&server, now).ok().map(|(next, _)| next),
        Late::Record(n, outcome) => moved(current.record(*n, *outcome, None, now)),
        Late::Lapse => current.lapse(now),
        Late::Time(_) => None,
    }
}

proptest! {
    #[test]
    fn a_grant_is_spent_as_often_as_it_says_and_never_after_its_end(steps in late()) {
        let mut current = bound();
        let mut now = at(1);
        for step in &steps {
            if let Late::Time(by) = step {
                now = Timestamp::from_micros(now.micros() + by);
            }
            let before = current.clone();
            let Some(next) = later(&current, step, now) else { continue };
            let spent = |request: &Request| request.grant.as_ref().map_or(0, |grant| grant.spent.len());
            if spent(&next) > spent(&before) {
                let grant = before.grant.as_ref().unwrap();
                prop_assert_eq!(grant.state(now), GrantState::Active);
                prop_assert!(grant.ends_at.unwrap() > now && grant.revoked.is_none() && grant.ended.is_none());
                prop_assert_eq!(spent(&next), spent(&before) + 1);
            }
            if before.status != next.status {
                prop_assert_eq!(before.status, Status::Pending);
                let in_time = before.deadline.unwrap() > now;
                prop_assert_eq!(next.status == Status::Expired, !in_time, "decided late, or expired early");
            }
            if next.status == Status::Approved && before.status == Status::Pending {
                let ends = next.grant.as_ref().unwrap().ends_at.unwrap();
                prop_assert!(ends <= now.plus(before.offer.lasts.unwrap().duration()), "longer than was asked");
            }
            prop_assert!(spent(&next) <= 3);
            prop_assert_eq!(next.grant.is_some(), next.status == Status::Approved);
            prop_assert_eq!(&next.binding, &before.binding, "what was shown is what runs");
            for (old, new) in before.grant.iter().flat_map(|g| &g.spent).zip(next.grant.iter().flat_map(|g| &g.spent)) {
                prop_assert!(old.outcome == Outcome::Unknown || old == new, "an outcome is said once");
            }
            if let (Some(old), Some(new)) = (&before.grant, &next.grant) {
                let gone = |grant: &Grant| grant.revoked.is_some() || grant.ended.is_some() || grant.left() == Some(0);
                prop_assert!(!gone(old) || gone(new), "what is over does not come back, whatever the clock says");
            }
            current = next;
        }
    }

    #[test]
    fn what_ends_is_written_down_once(steps in late(), after in 0_i64..200_000_000) {
        let mut current = bound();
        let mut now = at(1);
        for step in &steps {
            if let Late::Time(by) = step {
                now = Timestamp::from_micros(now.micros() + by);
            }
            current = later(&current, step, now).unwrap_or(current);
        }
        now = Timestamp::from_micros(now.micros() + after);
        match current.lapse(now) {
            None => prop_assert!(current.ends_at().is_none_or(|at| at > now)),
            Some(lapsed) => {
                prop_assert!(current.ends_at().unwrap() <= now);
                prop_assert_eq!(lapsed.ends_at(), None);
                prop_assert_eq!(lapsed.lapse(now), None);
            }
        }
    }
}

#[test]
fn after_its_deadline_a_request_is_expired_whatever_is_written() {
    let pending = bound();
    assert_eq!(pending.clone().at(at(9)).status, Status::Pending);
    let expired = pending.clone().at(at(10));
    assert_eq!((expired.status, expired.updated_at), (Status::Expired, at(10)));
    let told = "this operation approval expired at 1970-01-01T00:00:00.000010Z because nobody decided in time; if it is \
                still wanted it has to be asked for again";
    for request in [&pending, &expired] {
        assert_eq!(
            request.decide(&person("joe"), approve(None), None, at(10)).unwrap_err().to_string(),
            told
        );
        assert_eq!(request.decide(&person("joe"), Ruling::Deny, None, at(11)).unwrap_err().to_string(), told);
        assert_eq!(request.annotate(&person("joe"), None, None, at(12)).unwrap_err().to_string(), told);
        assert_eq!(request.cancel(person("henry").id, None, at(12)).unwrap_err().to_string(), told);
    }
    // A clock that is set back does not bring back what was written down.
    assert!(matches!(
        expired.decide(&person("joe"), approve(None), None, at(5)),
        Err(Refusal::Expired { .. })
    ));
}

#[test]
fn a_reviewer_gives_less_and_not_more() {
    let lasting = |seconds| {
        Ruling::Approve(Approval { lasts: Some(Span::try_from(seconds).unwrap()), ..Approval::default() })
    };
    let longer = bound().decide(&person("joe"), lasting(61), None, at(2)).unwrap_err();
    assert_eq!(longer.to_string(), "this was asked for 1m; a reviewer may give less and not more");
    let Ok(Moved::Now(shorter)) = bound().decide(&person("joe"), lasting(5), None, at(2)) else {
        panic!("less may be given")
    };
    assert_eq!(shorter.grant.as_ref().unwrap().ends_at, Some(at(5_000_002)));
    assert_eq!(shorter.decide(&person("joe"), lasting(5), None, at(3)), Ok(Moved::Before(shorter.clone())));
    assert!(matches!(
        shorter.decide(&person("joe"), lasting(6), None, at(3)),
        Err(Refusal::AlreadyDecided { .. })
    ));
}

#[test]
fn changed_arguments_are_another_digest() {
    let changed = json!({"dish": "salad"});
    let ruling = || Ruling::Approve(Approval { arguments: Some(changed.clone()), ..Approval::default() });
    let asked = bound();
    let Ok(Moved::Now(approved)) = asked.decide(&person("joe"), ruling(), None, at(2)) else {
        panic!("arguments may be changed")
    };
    let (before, after) = (asked.binding.unwrap(), approved.binding.clone().unwrap());
    assert_eq!(before.difference(&after), Some("arguments"));
    assert_eq!(after.call.arguments, changed);
    assert_eq!(
        request(RequestKind::AccessRequest).decide(&person("joe"), ruling(), None, at(2)),
        Err(Refusal::NoCall)
    );
}

#[test]
fn two_have_to_agree_about_the_same_thing() {
    let two = [crate::terms::Threshold { approve: 2, ..crate::terms::Threshold::usual() }];
    let asked = request(RequestKind::AccessRequest);
    let says = |request: &Request, who: &str, ruling: Ruling| {
        request.review(&person(who).into(), ruling, None, at(3), (&two, |_, _| true))
    };
    let now = |moved: Result<Moved, Refusal>| match moved {
        Ok(Moved::Now(next)) => next,
        other => panic!("{other:?}"),
    };
    let one = now(says(&asked, "joe", approve(None)));
    assert_eq!((one.status, one.course.reviews.len(), one.reviewer.is_none()), (Status::Pending, 1, true));
    assert_eq!(says(&one, "joe", approve(None)), Ok(Moved::Before(one.clone())));
    // Whoever gives another role asks the others anew.
    let other = now(says(&one, "jane", approve(Some(role("guest")))));
    assert_eq!((other.status, other.role.key.as_str()), (Status::Pending, "guest"));
    let both = now(says(&other, "anna", approve(None)));
    assert_eq!((both.status, both.role.key.as_str()), (Status::Approved, "guest"));
    assert_eq!((both.course.reviews.len(), both.course.tally[0].approvals), (3, 2));
    assert_eq!(says(&both, "jane", approve(None)), Ok(Moved::Before(both.clone())));
    assert!(says(&both, "joe", Ruling::Deny).is_err());
    // Nobody is heard twice, and a second thought takes the place of the first.
    let thought_again = now(says(&one, "joe", Ruling::Deny));
    assert_eq!((thought_again.status, thought_again.course.reviews.len()), (Status::Denied, 1));
    // Who counts no more is not counted.
    let alone = one.review(
        &person("jane").into(),
        approve(None),
        None,
        at(4),
        (&two, |review, _| review.by.key.as_str() != "joe"),
    );
    assert_eq!(now(alone).status, Status::Pending);
}

#[test]
fn a_question_is_asked_by_a_reviewer_and_answered_once_by_who_asked() {
    let asked = request(RequestKind::AccessRequest);
    let henry = person("henry");
    let reply = |text: &str, n| crate::review::Reply {
        by: Principal::System { name: "test".to_owned() },
        text: text.to_owned(),
        at: at(n),
    };
    assert!(asked.ask_back(&henry, "why?".to_owned(), at(1)).is_err(), "not of oneself");
    assert_eq!(asked.answer(henry.id, None, reply("so", 1)), Err(Refusal::NothingAsked(None)));
    let two = asked.ask_back(&person("joe"), "why?".to_owned(), at(1)).unwrap();
    let two = two.ask_back(&person("jane"), "for whom?".to_owned(), at(2)).unwrap();
    assert_eq!(two.matter(), asked.matter(), "talking changes nothing of what is decided");
    assert!(matches!(two.answer(person("joe").id, None, reply("so", 3)), Err(Refusal::NotAsked { .. })));
    let second = two.answer(henry.id, Some(2), reply("rose", 3)).unwrap();
    assert_eq!(second.answer(henry.id, Some(2), reply("me", 4)), Err(Refusal::NothingAsked(Some(2))));
    let both = second.answer(henry.id, None, reply("hungry", 4)).unwrap();
    assert_eq!(both.course.questions[0].answer.as_ref().unwrap().text, "hungry");
    assert_eq!(both.course.open_question(), None);
    let denied = match both.decide(&person("joe"), Ruling::Deny, None, at(5)) {
        Ok(Moved::Now(next)) => next,
        other => panic!("{other:?}"),
    };
    assert!(denied.ask_back(&person("joe"), "still?".to_owned(), at(6)).is_err());
    assert!(denied.answer(henry.id, None, reply("yes", 6)).is_err());
}

#[test]
fn what_is_taken_in_an_emergency_is_short_and_looked_at_once() {
    use crate::review::{AfterVerdict, Look};
    let asked = request(RequestKind::AccessRequest);
    let taken = asked.break_glass(Span::DAY, at(1)).unwrap();
    assert_eq!(
        (taken.status, taken.offer.lasts, taken.reviewer.clone()),
        (Status::Approved, Some(Span::HOUR), None)
    );
    assert!(taken.break_glass(Span::HOUR, at(2)).is_err());
    let look = |who: &str, verdict| Look { by: person(who), verdict, comment: None, at: at(3) };
    assert!(matches!(asked.look_at(look("joe", AfterVerdict::Fine)), Err(Refusal::NoEmergency { .. })));
    assert!(matches!(taken.look_at(look("henry", AfterVerdict::Fine)), Err(Refusal::SelfReview { .. })));
    let Ok(Moved::Now(seen)) = taken.look_at(look("joe", AfterVerdict::NotFine)) else {
        panic!("it was not looked at")
    };
    assert!(matches!(seen.look_at(look("joe", AfterVerdict::NotFine)), Ok(Moved::Before(_))));
    for (who, verdict) in [("joe", AfterVerdict::Fine), ("jane", AfterVerdict::NotFine)] {
        assert!(matches!(seen.look_at(look(who, verdict)), Err(Refusal::LookedAt { .. })));
    }
}

#[test]
fn a_rule_decides_in_its_own_name() {
    let rule = crate::terms::Rule {
        name: "small".to_owned(),
        then: crate::review::Vote::Approve,
        when: None,
        role: None,
        during: None,
        lasts: Some(Span::HOUR),
        reason: None,
    };
    let settled = request(RequestKind::AccessRequest).settle(&rule, at(1)).unwrap();
    assert_eq!(
        (settled.status, settled.offer.lasts, settled.reviewer.clone()),
        (Status::Approved, Some(Span::HOUR), None)
    );
    let late = settled.decide(&person("joe"), Ruling::Deny, None, at(2)).unwrap_err().to_string();
    assert!(late.contains("already approved by the rule `small` at"), "{late}");
}
