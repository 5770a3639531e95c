//! A fault at each call to the store, one after the other, and a client that tries once more as clients do: what was
//! acknowledged is there, and nothing happens twice.

use super::{Came, Fault, Ground, call, ident, is_no_answer, under, wish, with, yes};
use askfirst_domain::{grant::Outcome, id::RequestId, request::Status};
use askfirst_engine::{Acting, Error, Kind, Result};

/// What a client does with one call, one after the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Ask,
    Approve,
    Redeem,
    Record,
}

/// How often the fault may be put further; more calls than any step makes.
const FAR: u32 = 200;

impl Step {
    /// Who takes it.
    fn by(self) -> &'static str {
        if self == Self::Approve { "joe" } else { "henry" }
    }
}

/// One step of the life of call number `number`. Gives the request, as far as it is known by then.
async fn take(by: &Acting, step: Step, number: u32, id: Option<RequestId>) -> Result<RequestId> {
    let known = || id.ok_or_else(|| Error::invalid("nothing was asked for"));
    match step {
        Step::Ask => Ok(by.request_operation(wish(call(number))).await?.view.request.id),
        Step::Approve => Ok(by.decide(&ident(known()?), yes()).await?.request.id),
        Step::Redeem => Ok(by.redeem(&ident(known()?), &with(call(number))).await?.id()),
        Step::Record => {
            Ok(by.record_outcome(&ident(known()?), 1, Outcome::Succeeded, None).await?.request.id)
        }
    }
}

/// The step with the fault at its call number `at`. None: it was over before the fault's turn came.
async fn strike(ground: &mut Ground, step: Step, fault: Fault, at: u32, number: u32) -> Option<()> {
    let mut id = None;
    for before in [Step::Ask, Step::Approve, Step::Redeem] {
        if before == step {
            break;
        }
        let by = ground.user(before.by()).await;
        id = Some(take(&by, before, number, id).await.unwrap());
    }
    // Finding out who calls is no part of the step: it is the same for all of them.
    let by = ground.user(step.by()).await;
    let came = under(fault, at, take(&by, step, number, id)).await;
    let first = match came {
        Came::Answered { struck: false, answer } => {
            answer.unwrap();
            return None;
        }
        Came::Answered { answer, .. } => Some(answer),
        Came::Died => {
            ground.restart().await;
            None
        }
    };
    let acknowledged = matches!(first, Some(Ok(_)));
    if let Some(Err(error)) = &first {
        assert!(is_no_answer(error.kind()), "{step:?} {fault:?} at {at}: {error}");
    }
    let by = ground.user(step.by()).await;
    let again = take(&by, step, number, id).await;
    let id = match (step, &again, acknowledged) {
        (Step::Redeem, Err(error), _) => {
            // It was spent the first time, whether or not anybody heard of it: nothing may run again.
            assert_eq!(error.kind(), Kind::Conflict, "{fault:?} at {at}: {error}");
            id.unwrap()
        }
        (Step::Redeem, Ok(_), true) => panic!("spent twice, {fault:?} at {at}"),
        (_, Ok(id), _) => *id,
        (_, Err(error), _) => panic!("{step:?} {fault:?} at {at} can't be done again: {error}"),
    };
    let stored = ground.stored(id).await;
    let context = format!("{step:?} {fault:?} at {at}");
    assert_eq!(ground.told(id, "request.created").await, 1, "{context}");
    let of_this_call = ground.all_requests().await;
    let of_this_call = of_this_call.iter().filter(|r| r.wish == stored.wish).count();
    assert_eq!(of_this_call, 1, "{context}: one request, however often it was asked");
    if step != Step::Ask {
        assert_eq!(stored.status, Status::Approved, "{context}");
        assert_eq!(ground.told(id, "request.approved").await, 1, "{context}");
    }
    if matches!(step, Step::Redeem | Step::Record) {
        assert_eq!(stored.grant.as_ref().unwrap().spent.len(), 1, "{context}");
        assert_eq!(ground.told(id, "grant.redeemed").await, 1, "{context}");
    }
    if step == Step::Record {
        assert_eq!(stored.grant.unwrap().spent[0].outcome, Outcome::Succeeded, "{context}");
        assert_eq!(ground.told(id, "grant.recorded").await, 1, "{context}");
    }
    Some(())
}

async fn at_every_call(step: Step) {
    let mut ground = Ground::new().await;
    let mut number = 0;
    for fault in Fault::ALL {
        let mut met = 0;
        for at in 0..FAR {
            number += 1;
            if strike(&mut ground, step, fault, at, number).await.is_none() {
                break;
            }
            met += 1;
        }
        assert!((2..FAR).contains(&met), "{step:?} makes {met} calls to the store");
    }
    ground.is_sound().await;
}

#[tokio::test]
async fn asking_survives_a_fault_at_every_call() {
    at_every_call(Step::Ask).await;
}

#[tokio::test]
async fn deciding_survives_a_fault_at_every_call() {
    at_every_call(Step::Approve).await;
}

#[tokio::test]
async fn redeeming_survives_a_fault_at_every_call() {
    at_every_call(Step::Redeem).await;
}

#[tokio::test]
async fn recording_survives_a_fault_at_every_call() {
    at_every_call(Step::Record).await;
}
