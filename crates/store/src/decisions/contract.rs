//! What every body of the decision log has to do: cases that a body's tests run with
//! [`decision_log_tests!`](crate::decision_log_tests).

use super::{
    DecisionFilter, DecisionLog, DecisionRecord, Keep, LeftOut, Mark, Missed, Packed, Packer, Stamp, Step,
    Thing,
};
use crate::{
    StoreError,
    contract::{Failure, Outcome},
};
use askfirst_domain::{Id, Timestamp, id::EnvId};
use std::{collections::BTreeSet, sync::Arc};
use uuid::Uuid;

/// Makes one test of each case. Takes the path of an `async fn() -> Option<Arc<dyn DecisionLog>>` that gives an empty log,
/// or none where there is no such database. With `in_one_test:` before it all cases are one test, for databases that take
/// long to start.
#[macro_export]
macro_rules! decision_log_tests {
    (in_one_test: $make:path) => {
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn the_contract_is_kept() {
            $crate::decision_log_tests! { @cases run $make }
        }
    };
    ($make:path) => {
        $crate::decision_log_tests! { @cases test $make }
    };
    (@cases $how:ident $make:path) => {
        $crate::decision_log_tests! { @$how $make;
            what_was_written_reads_back
            pages_give_each_decision_once_newest_first
            filters_agree_with_a_plain_look
            users_are_those_of_recent_decisions
            a_decision_is_found_by_its_id_in_its_environment
            merging_loses_nothing_and_leaves_few
            what_is_merged_twice_at_once_is_there_once
            what_is_old_goes
            the_oldest_go_when_there_is_too_much
            what_belongs_to_no_environment_goes
            what_is_missing_is_told
            a_closed_log_says_so
        }
    };
    (@test $make:path; $($case:ident)*) => {
        $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $case() {
            $crate::decision_log_tests! { @run $make; $case }
        })*
    };
    (@run $make:path; $($case:ident)*) => {
        $(
            let log: Option<std::sync::Arc<dyn $crate::decisions::DecisionLog>> = $make().await;
            let Some(log) = log else { return };
            if let Err(error) = $crate::decisions::contract::$case(log).await {
                panic!("{}: {error}", stringify!($case));
            }
        )*
    };
}

/// The beginning of an hour.
const START: i64 = 1_789_999_200_000_000;
const MINUTE: i64 = 60_000_000;

/// Numbers that look random and are the same each time.
#[derive(Debug)]
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides.max(1)
    }

    fn micros(&mut self, within: i64) -> i64 {
        i64::try_from(self.roll(within.unsigned_abs())).unwrap_or(0)
    }
}

fn env(n: u128) -> EnvId {
    Id::new(Uuid::from_u128(n))
}

/// The `n`th decision of a small world, at a moment.
fn decision(dice: &mut Dice, n: u64, at: i64) -> DecisionRecord {
    let instance = (dice.roll(3) > 0).then(|| format!("i{}", dice.roll(9)));
    DecisionRecord {
        stamp: Stamp::new(1 + n % 2, n),
        at: Timestamp::from_micros(at),
        epoch: Uuid::from_u128(5),
        revision: n / 10,
        allow: dice.roll(3) > 0,
        user: format!("user-{}", dice.roll(7)),
        action: ["read", "write", "user-1"]
            .get(usize::try_from(dice.roll(3)).unwrap_or(0))
            .map_or("", |a| a)
            .to_owned(),
        resource: format!("r{}", dice.roll(3)),
        instance,
        tenant: (dice.roll(2) > 0).then(|| "acme".to_owned()),
        in_tenant: format!("t{}", dice.roll(3)),
        door: "pdp".to_owned(),
        asker: "{\"kind\":\"api_key\"}".to_owned(),
        reason: (dice.roll(2) > 0).then(|| format!("because of {n}")),
        trace: None,
        given: (dice.roll(4) == 0).then(|| format!("{{\"n\":{n}}}")),
        left_out: None,
    }
}

/// Decisions of two hours and a bit, in no order, in batches of all sizes; returned newest first.
async fn written(log: &dyn DecisionLog, env: EnvId, count: u64) -> Result<Vec<DecisionRecord>, Failure> {
    let mut dice = Dice(count);
    let mut all = Vec::new();
    let mut batch = Vec::new();
    for n in 0..count {
        let at = START + dice.micros(130 * MINUTE);
        // Many of the same moment.
        let at = if dice.roll(5) == 0 { START + MINUTE } else { at };
        batch.push(decision(&mut dice, n, at));
        if dice.roll(60) == 0 || n + 1 == count {
            append(log, env, &batch).await?;
            all.append(&mut batch);
        }
    }
    all.sort_by_key(DecisionRecord::mark);
    all.reverse();
    Ok(all)
}

async fn append(log: &dyn DecisionLog, env: EnvId, records: &[DecisionRecord]) -> Outcome {
    let mut packer = Packer::default();
    for record in records {
        packer.push(env, record);
    }
    log.append(&Packed { segments: packer.finish(), missed: Vec::new() }).await?;
    Ok(())
}

/// All that a filter lists, page by page.
async fn listed(
    log: &dyn DecisionLog,
    env: EnvId,
    filter: &DecisionFilter,
    limit: u32,
) -> Result<Vec<DecisionRecord>, Failure> {
    let (mut all, mut before) = (Vec::new(), None);
    loop {
        let page = log.page(env, filter, before, limit).await?;
        assert!(page.records.len() <= usize::try_from(limit)?, "a page has its limit");
        all.extend(page.records);
        match page.next {
            None => return Ok(all),
            Some(next) => {
                assert!(before.is_none_or(|before| next < before), "each page gets ahead");
                before = Some(next);
            }
        }
    }
}

/// Whatever a text holds, and whatever is missing, comes back.
pub async fn what_was_written_reads_back(log: Arc<dyn DecisionLog>) -> Outcome {
    let mut dice = Dice(1);
    let plain = decision(&mut dice, 1, START);
    let odd = DecisionRecord {
        stamp: Stamp::new(u64::MAX, u64::MAX),
        at: Timestamp::from_micros(START + 1),
        epoch: Uuid::max(),
        revision: u64::try_from(i64::MAX)?,
        user: String::new(),
        action: "nul \0 and größe \u{1f355}".to_owned(),
        resource: "x".repeat(70_000),
        instance: Some(String::new()),
        tenant: Some("acme".to_owned()),
        reason: Some(String::new()),
        trace: Some("{}".to_owned()),
        given: None,
        left_out: Some(LeftOut::TooLarge),
        ..plain.clone()
    };
    let redacted = DecisionRecord {
        stamp: Stamp::new(3, 3),
        at: Timestamp::from_micros(START + 2),
        left_out: Some(LeftOut::Redacted),
        ..plain.clone()
    };
    append(log.as_ref(), env(1), &[odd.clone(), redacted.clone(), plain.clone()]).await?;
    let all = listed(log.as_ref(), env(1), &DecisionFilter::default(), 10).await?;
    assert_eq!(all, [redacted, odd, plain]);
    assert!(log.size().await? > 70_000);
    Ok(())
}

/// However large the pages, and whatever is merged between them.
pub async fn pages_give_each_decision_once_newest_first(log: Arc<dyn DecisionLog>) -> Outcome {
    let all = written(log.as_ref(), env(1), 500).await?;
    let others = written(log.as_ref(), env(2), 50).await?;
    let everything = DecisionFilter::default();
    for limit in [3, 100, 5000] {
        assert_eq!(listed(log.as_ref(), env(1), &everything, limit).await?, all, "pages of {limit}");
    }
    assert_eq!(listed(log.as_ref(), env(2), &everything, 10).await?, others);
    assert_eq!(listed(log.as_ref(), env(3), &everything, 10).await?, []);

    let (mut seen, mut before) = (Vec::new(), None);
    loop {
        let page = log.page(env(1), &everything, before, 13).await?;
        seen.extend(page.records);
        let Some(next) = page.next else { break };
        before = Some(next);
        log.merge(Timestamp::from_micros(START + 500 * MINUTE)).await?;
    }
    assert_eq!(seen, all);
    Ok(())
}

fn takes(filter: &DecisionFilter, record: &DecisionRecord) -> bool {
    let thing = |thing: &Thing| {
        thing.resource == record.resource && (thing.instance.is_none() || thing.instance == record.instance)
    };
    filter.users.as_ref().is_none_or(|users| users.contains(&record.user))
        && filter.action.as_ref().is_none_or(|action| *action == record.action)
        && filter.things.as_ref().is_none_or(|things| things.iter().any(thing))
        && filter.tenant.as_ref().is_none_or(|tenant| *tenant == record.in_tenant)
        && filter.allow.is_none_or(|allow| allow == record.allow)
        && filter.from.is_none_or(|from| from <= record.at)
        && filter.to.is_none_or(|to| record.at <= to)
        && filter.revisions.contains(&record.revision)
}

/// Any filter lists and counts what going through everything finds.
pub async fn filters_agree_with_a_plain_look(log: Arc<dyn DecisionLog>) -> Outcome {
    let all = written(log.as_ref(), env(1), 600).await?;
    let mut dice = Dice(99);
    for round in 0..120 {
        let mut maybe = |sides: u64| (dice.roll(3) == 0).then(|| dice.roll(sides));
        let filter = DecisionFilter {
            users: maybe(8).map(|n| (0..n % 3).map(|k| format!("user-{}", n + k)).collect()),
            action: maybe(2).map(|n| if n == 0 { "read".to_owned() } else { "user-1".to_owned() }),
            things: maybe(30).map(|n| {
                let instance = (n % 2 == 0).then(|| format!("i{}", n / 3));
                vec![Thing { resource: format!("r{}", n % 4), instance }]
            }),
            tenant: maybe(4).map(|n| format!("t{n}")),
            allow: maybe(2).map(|n| n == 0),
            from: maybe(100).map(|n| Timestamp::from_micros(START + MINUTE * i64::try_from(n).unwrap_or(0))),
            to: maybe(140).map(|n| Timestamp::from_micros(START + MINUTE * i64::try_from(n).unwrap_or(0))),
            revisions: maybe(60).map_or(0..=u64::MAX, |n| n..=n + 9),
        };
        let expected: Vec<_> = all.iter().filter(|record| takes(&filter, record)).cloned().collect();
        let found = listed(log.as_ref(), env(1), &filter, 20).await?;
        assert_eq!(found, expected, "{filter:?}");
        let count = u64::try_from(expected.len())?;
        assert_eq!(log.count(env(1), &filter, u64::MAX).await?, count, "{filter:?}");
        assert_eq!(log.count(env(1), &filter, 3).await?, count.min(3), "{filter:?}");
        if round % 40 == 20 {
            log.merge(Timestamp::from_micros(START)).await?;
        }
    }
    Ok(())
}

/// Each once, of this environment alone.
pub async fn users_are_those_of_recent_decisions(log: Arc<dyn DecisionLog>) -> Outcome {
    let all = written(log.as_ref(), env(1), 40).await?;
    let other = DecisionRecord { user: "somebody-else".to_owned(), ..decision(&mut Dice(7), 1, START) };
    append(log.as_ref(), env(2), &[other]).await?;
    for minutes in [0, 30, 119, 125, 200] {
        let since = Timestamp::from_micros(START + minutes * MINUTE);
        let recent = all.iter().filter(|record| record.at >= since);
        let expected: BTreeSet<_> = recent.map(|record| record.user.clone()).collect();
        assert_eq!(log.users(env(1), since).await?, expected, "since minute {minutes}");
    }
    Ok(())
}

/// And nowhere else.
pub async fn a_decision_is_found_by_its_id_in_its_environment(log: Arc<dyn DecisionLog>) -> Outcome {
    let all = written(log.as_ref(), env(1), 300).await?;
    for record in &all {
        assert_eq!(log.find(env(1), record.id()).await?.as_ref(), Some(record));
        assert_eq!(log.find(env(2), record.id()).await?, None);
    }
    assert_eq!(log.find(env(1), Id::new(Uuid::from_u128(1))).await?, None);
    assert_eq!(log.find(env(1), Id::new(Uuid::max())).await?, None);
    Ok(())
}

async fn merged(log: &dyn DecisionLog, now: i64) -> Result<u32, Failure> {
    let mut steps = 0;
    while log.merge(Timestamp::from_micros(now)).await? == Step::More {
        steps += 1;
        assert!(steps < 1000, "merging comes to an end");
    }
    Ok(steps)
}

/// Small segments of an hour become one when they are many, or when the hour is over.
pub async fn merging_loses_nothing_and_leaves_few(log: Arc<dyn DecisionLog>) -> Outcome {
    let mut dice = Dice(3);
    let mut all = Vec::new();
    for n in 0..63 {
        all.push(decision(&mut dice, n, START + i64::try_from(n)?));
        append(log.as_ref(), env(1), all.get(all.len() - 1..).unwrap_or_default()).await?;
    }
    assert_eq!(merged(log.as_ref(), START).await?, 0, "few of this hour wait for more");
    all.push(decision(&mut dice, 63, START + 63));
    append(log.as_ref(), env(1), all.get(63..).unwrap_or_default()).await?;
    let before = log.size().await?;
    assert_eq!(merged(log.as_ref(), START).await?, 1);
    assert!(log.size().await? * 3 < before, "words stand once");
    all.reverse();
    assert_eq!(listed(log.as_ref(), env(1), &DecisionFilter::default(), 10).await?, all);

    // What is left of an hour that is over; nothing goes across hours.
    let older = written(log.as_ref(), env(2), 900).await?;
    assert!(merged(log.as_ref(), START + 600 * MINUTE).await? > 0);
    assert_eq!(listed(log.as_ref(), env(2), &DecisionFilter::default(), 100).await?, older);
    assert_eq!(merged(log.as_ref(), START + 600 * MINUTE).await?, 0);
    Ok(())
}

/// Several processes may merge.
pub async fn what_is_merged_twice_at_once_is_there_once(log: Arc<dyn DecisionLog>) -> Outcome {
    let all = written(log.as_ref(), env(1), 1500).await?;
    let merge = || async { merged(log.as_ref(), START + 600 * MINUTE).await };
    let (one, other, third) = futures::join!(merge(), merge(), merge());
    assert!(one? + other? + third? > 0);
    assert_eq!(listed(log.as_ref(), env(1), &DecisionFilter::default(), 1000).await?, all);
    Ok(())
}

async fn purged(log: &dyn DecisionLog, keep: &Keep) -> Outcome {
    for _ in 0..1000 {
        if log.purge(keep).await? == Step::Done {
            return Ok(());
        }
    }
    Err("purging does not come to an end".into())
}

/// Segments that end before the moment, and what was missing before it.
pub async fn what_is_old_goes(log: Arc<dyn DecisionLog>) -> Outcome {
    let all = written(log.as_ref(), env(1), 900).await?;
    let since = Timestamp::from_micros(START + 60 * MINUTE);
    let missed = |at| Missed { from: at, to: at, decisions: 1 };
    let (early, late) = (Timestamp::from_micros(START), Timestamp::from_micros(START + 90 * MINUTE));
    let missing = vec![(env(1), missed(early)), (env(1), missed(late))];
    log.append(&Packed { segments: Vec::new(), missed: missing }).await?;
    purged(log.as_ref(), &Keep { since: Some(since), ..Keep::default() }).await?;
    let left = listed(log.as_ref(), env(1), &DecisionFilter::default(), 500).await?;
    let newer: Vec<_> = all.iter().filter(|record| record.at >= since).cloned().collect();
    assert_eq!(left, newer, "the hour that is over is gone, the others are whole");
    assert_eq!(log.missed(env(1), None, None).await?, [missed(late)]);
    purged(log.as_ref(), &Keep::default()).await?;
    assert_eq!(log.count(env(1), &DecisionFilter::default(), u64::MAX).await?, u64::try_from(newer.len())?);
    Ok(())
}

/// Of whichever environment they are.
pub async fn the_oldest_go_when_there_is_too_much(log: Arc<dyn DecisionLog>) -> Outcome {
    let mut dice = Dice(4);
    for n in 0..200 {
        let record = decision(&mut dice, n, START + i64::try_from(n)? * MINUTE);
        append(log.as_ref(), env(u128::from(n % 2)), &[record]).await?;
    }
    let most = log.size().await? / 4;
    purged(log.as_ref(), &Keep { bytes: Some(most), ..Keep::default() }).await?;
    let size = log.size().await?;
    assert!(size <= most && size > most / 2, "{size} of {most}");
    let middle = Timestamp::from_micros(START + 140 * MINUTE);
    for n in 0..2 {
        let left = listed(log.as_ref(), env(n), &DecisionFilter::default(), 500).await?;
        assert!(left.iter().all(|record| record.at > middle) && left.len() > 15, "the newest are left");
    }
    Ok(())
}

/// Once it is old enough for that to be sure.
pub async fn what_belongs_to_no_environment_goes(log: Arc<dyn DecisionLog>) -> Outcome {
    let mut dice = Dice(5);
    let mut at = |n: u64, at| decision(&mut dice, n, at);
    let (kept, old, young) = (at(1, START), at(2, START), at(3, START + 70 * MINUTE));
    append(log.as_ref(), env(1), &[kept]).await?;
    append(log.as_ref(), env(2), &[old, young]).await?;
    let before = Timestamp::from_micros(START + MINUTE);
    purged(log.as_ref(), &Keep { environments: Some((vec![env(1)], before)), ..Keep::default() }).await?;
    let left = |n| log.count(env(n), const { &everything() }, u64::MAX);
    assert_eq!((left(1).await?, left(2).await?), (1, 1));
    Ok(())
}

const fn everything() -> DecisionFilter {
    DecisionFilter {
        users: None,
        action: None,
        things: None,
        tenant: None,
        allow: None,
        from: None,
        to: None,
        revisions: 0..=u64::MAX,
    }
}

/// With its times, to those who look at these times.
pub async fn what_is_missing_is_told(log: Arc<dyn DecisionLog>) -> Outcome {
    let at = |n| Timestamp::from_micros(START + n * MINUTE);
    let one = Missed { from: at(1), to: at(2), decisions: 7 };
    let other = Missed { from: at(4), to: at(5), decisions: 1 };
    log.append(&Packed { segments: Vec::new(), missed: vec![(env(1), one), (env(1), other)] }).await?;
    assert_eq!(log.missed(env(1), None, None).await?, [one, other]);
    assert_eq!(log.missed(env(1), Some(at(2)), Some(at(3))).await?, [one]);
    assert_eq!(log.missed(env(1), Some(at(3)), Some(at(9))).await?, [other]);
    assert_eq!(log.missed(env(2), None, None).await?, []);
    let page = log.page(env(1), &everything(), Some(Mark::after(at(9))), 1).await?;
    assert_eq!(page.records, []);
    Ok(())
}

/// Whatever is asked.
pub async fn a_closed_log_says_so(log: Arc<dyn DecisionLog>) -> Outcome {
    log.close().await;
    log.close().await;
    assert!(matches!(log.size().await, Err(StoreError::Closed)));
    assert!(matches!(log.page(env(1), &everything(), None, 1).await, Err(StoreError::Closed)));
    let outcome = append(log.as_ref(), env(1), &[decision(&mut Dice(1), 1, START)]).await;
    assert!(outcome.is_err());
    Ok(())
}
