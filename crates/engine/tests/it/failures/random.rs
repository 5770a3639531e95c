//! Random orders of everything that can happen to requests, with faults in between: an approval is given and spent once at
//! most, what was acknowledged is never lost, and the audit log is whole.

use super::{Came, Fault, Ground, call, ident, is_no_answer, no, under, wish, with, yes};
use askfirst_domain::{
    grant::Outcome,
    id::RequestId,
    request::{Request, Status},
};
use askfirst_engine::{Error, Kind};
use proptest::prelude::*;
use std::{collections::BTreeMap, time::Duration};

/// How many calls there are to ask for.
const CALLS: u32 = 3;

#[derive(Debug, Clone, Copy)]
enum Event {
    Ask(u32),
    Approve(usize, &'static str),
    Deny(usize, &'static str),
    Cancel(usize),
    /// With the call that was asked for, or with another one.
    Redeem(usize, Made),
    Record(usize, Outcome),
    Revoke(usize),
    Pass(u64),
    WriteDownEnds,
    Restart,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Made {
    AsAsked,
    Otherwise,
}

/// What callers were told, and so has to hold for ever.
#[derive(Debug, Default)]
struct Told {
    number: u32,
    decided: Option<(Status, &'static str)>,
    canceled: bool,
    passes: usize,
    outcome: Option<Outcome>,
    revoked: bool,
}

type Ledger = BTreeMap<RequestId, Told>;

fn events() -> impl Strategy<Value = Vec<(Event, Option<(Fault, u32)>)>> {
    let which = 0..6_usize;
    let who = prop::sample::select(vec!["joe", "jane", "henry", "rose"]);
    let outcome = prop::sample::select(vec![Outcome::Succeeded, Outcome::Failed]);
    let event = prop_oneof![
        4 => (0..CALLS).prop_map(Event::Ask),
        4 => (which.clone(), who.clone()).prop_map(|(i, who)| Event::Approve(i, who)),
        1 => (which.clone(), who).prop_map(|(i, who)| Event::Deny(i, who)),
        1 => which.clone().prop_map(Event::Cancel),
        6 => (which.clone(), prop::sample::select(vec![Made::AsAsked, Made::AsAsked, Made::Otherwise]))
            .prop_map(|(i, made)| Event::Redeem(i, made)),
        2 => (which.clone(), outcome).prop_map(|(i, outcome)| Event::Record(i, outcome)),
        1 => which.prop_map(Event::Revoke),
        1 => prop::sample::select(vec![1_u64, 20, 90, 60 * 25]).prop_map(Event::Pass),
        1 => Just(Event::WriteDownEnds),
        1 => Just(Event::Restart),
    ];
    let fault = prop::option::weighted(0.4, (prop::sample::select(Fault::ALL.to_vec()), 0..14_u32));
    prop::collection::vec((event, fault), 1..40)
}

/// Does one thing; an error is what its caller is told. `told` is what was acknowledged of the request.
async fn happen(ground: &mut Ground, event: Event, fault: Option<(Fault, u32)>, ledger: &mut Ledger) {
    let ids: Vec<RequestId> = ledger.keys().copied().collect();
    let at = |i: usize| ids.get(i % ids.len().max(1)).copied();
    let (fault, call_number) = fault.unwrap_or((Fault::Refused, u32::MAX));
    match event {
        Event::Pass(minutes) => ground.clock.advance(Duration::from_mins(minutes)),
        Event::Restart => ground.restart().await,
        Event::WriteDownEnds => {
            let engine = ground.engine.clone();
            let _ = settle(ground, under(fault, call_number, engine.write_down_ends()).await).await;
        }
        Event::Ask(number) => {
            let henry = ground.user("henry").await;
            let came = under(fault, call_number, henry.request_operation(wish(call(number)))).await;
            if let Some(Ok(asked)) = settle(ground, came).await {
                ledger.entry(asked.view.request.id).or_insert(Told { number, ..Told::default() });
            }
        }
        Event::Approve(i, who) | Event::Deny(i, who) => {
            let Some(id) = at(i) else { return };
            let (decide, status) = match event {
                Event::Approve(..) => (yes(), Status::Approved),
                _ => (no(), Status::Denied),
            };
            let by = ground.user(who).await;
            let came = under(fault, call_number, by.decide(&ident(id), decide)).await;
            if let Some(Ok(_)) = settle(ground, came).await {
                assert!(who == "joe" || who == "jane", "{who} decided");
                ledger.get_mut(&id).unwrap().decided.get_or_insert((status, who));
            }
        }
        Event::Cancel(i) => {
            let Some(id) = at(i) else { return };
            let henry = ground.user("henry").await;
            let came = under(fault, call_number, henry.cancel(&ident(id), None)).await;
            if let Some(Ok(_)) = settle(ground, came).await {
                ledger.get_mut(&id).unwrap().canceled = true;
            }
        }
        Event::Redeem(i, made) => {
            let Some(id) = at(i) else { return };
            let number = ledger.get(&id).unwrap().number;
            let number = if made == Made::AsAsked { number } else { number + CALLS };
            let henry = ground.user("henry").await;
            let came = under(fault, call_number, henry.redeem(&ident(id), &with(call(number)))).await;
            if let Some(Ok(pass)) = settle(ground, came).await {
                assert_eq!(made, Made::AsAsked, "another call got a pass");
                assert_eq!(pass.number(), 1);
                ledger.get_mut(&id).unwrap().passes += 1;
            }
        }
        Event::Record(i, outcome) => {
            let Some(id) = at(i) else { return };
            let henry = ground.user("henry").await;
            let came = under(fault, call_number, henry.record_outcome(&ident(id), 1, outcome, None)).await;
            if let Some(Ok(_)) = settle(ground, came).await {
                ledger.get_mut(&id).unwrap().outcome.get_or_insert(outcome);
            }
        }
        Event::Revoke(i) => {
            let Some(id) = at(i) else { return };
            let jane = ground.user("jane").await;
            let came = under(fault, call_number, jane.revoke(&ident(id), None)).await;
            if let Some(Ok(_)) = settle(ground, came).await {
                ledger.get_mut(&id).unwrap().revoked = true;
            }
        }
    }
}

/// What the caller hears; nothing when the process died, and then there is a new one.
async fn settle<T>(ground: &mut Ground, came: Came<Result<T, Error>>) -> Option<Result<T, Error>> {
    match came {
        Came::Answered { answer, struck } => {
            if let Err(error) = &answer {
                let expected = matches!(error.kind(), Kind::Conflict | Kind::Forbidden | Kind::NotFound);
                assert!(expected || (struck && is_no_answer(error.kind())), "{error:?}");
            }
            Some(answer)
        }
        Came::Died => {
            ground.restart().await;
            None
        }
    }
}

async fn holds(ground: &Ground, stored: &Request, told: Option<&Told>) {
    let id = stored.id;
    let spent = stored.grant.as_ref().map_or(0, |grant| grant.spent.len());
    assert!(spent <= 1, "spent {spent} times");
    assert_eq!(ground.told(id, "grant.redeemed").await, u64::try_from(spent).unwrap());
    let mut ends = 0;
    for code in ["request.approved", "request.denied", "request.canceled", "request.expired"] {
        ends += ground.told(id, code).await;
    }
    assert_eq!(ends, u64::from(stored.status != Status::Pending), "it ended once");
    assert_eq!(ground.told(id, "request.created").await, 1);
    let Some(told) = told else { return };
    assert!(told.passes <= spent, "a pass was handed out and not written down");
    if let Some((status, who)) = told.decided {
        assert_eq!((stored.status, stored.reviewer.as_ref().unwrap().key.as_str()), (status, who));
    }
    assert!(!told.canceled || stored.status == Status::Canceled);
    if let Some(outcome) = told.outcome {
        assert_eq!(stored.grant.as_ref().unwrap().spent[0].outcome, outcome);
    }
    assert!(!told.revoked || stored.grant.as_ref().unwrap().revoked.is_some());
}

async fn play(events: Vec<(Event, Option<(Fault, u32)>)>) {
    let mut ground = Ground::new().await;
    let mut ledger = Ledger::new();
    for (event, fault) in events {
        Box::pin(happen(&mut ground, event, fault, &mut ledger)).await;
    }
    ground.restart().await;
    let stored = ground.all_requests().await;
    for id in ledger.keys() {
        assert!(stored.iter().any(|request| request.id == *id), "an acknowledged request is lost");
    }
    for request in &stored {
        holds(&ground, request, ledger.get(&request.id)).await;
    }
    ground.is_sound().await;
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, max_shrink_iters: 60, ..ProptestConfig::default() })]
    #[test]
    fn whatever_happens_in_whatever_order(events in events()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(play(events));
    }
}
