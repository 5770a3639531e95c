//! The log, on whatever database gives [`Segments`].

use super::{
    COUNTED_AT_ONCE, DecisionFilter, DecisionId, DecisionLog, DecisionPage, DecisionRecord, Keep, Mark,
    Missed, Packed, Packer, Step,
    opened::Opened,
    packer::{FULL, FULL_BYTES, SPAN, span_of},
    record::moment,
    segments::{HEADERS_AT_ONCE, Header, Headers, Segments, Table, Terms, kept},
};
use crate::{Found, StoreError, body::failed};
use askfirst_domain::{Timestamp, id::EnvId};
use async_trait::async_trait;
use std::collections::{BTreeMap, BTreeSet};

const READING: &str = "reading the decision log";
const WRITING: &str = "writing the decision log";

/// How many segments a list opens before it answers with what it has: some two million decisions.
const OPENED_AT_ONCE: usize = 512;
/// How many segments a list passes over before it does.
const PASSED_AT_ONCE: usize = 16_384;
/// How many small segments of one span are merged at once, and how many make it worth while.
const MANY: i64 = 64;
/// How many segments a step of purging deletes.
const PURGED_AT_ONCE: i64 = 64;

/// Goes through the segments that may hold what is looked for, newest first.
struct Walk<'a, T> {
    table: T,
    filter: &'a DecisionFilter,
    which: Headers,
    chunk: std::vec::IntoIter<Header>,
    is_last_chunk: bool,
}

impl<'a, T: Table> Walk<'a, T> {
    /// Over what is before the mark.
    fn new(table: T, env: EnvId, filter: &'a DecisionFilter, before: Option<Mark>) -> Self {
        let from = filter.from.map_or(i64::MIN, Timestamp::micros);
        let to = filter.to.map_or(i64::MAX, Timestamp::micros);
        let to = before.map_or(to, |mark| mark.at.micros().min(to));
        // No segment goes beyond the end of the hour that it begins in.
        let end = span_of(Timestamp::from_micros(to)).saturating_add(1).saturating_mul(SPAN);
        let which = Headers {
            env,
            from,
            to,
            after: (end, i64::MAX),
            first_revision: kept(*filter.revisions.start()),
            last_revision: kept(*filter.revisions.end()),
            with_terms: if filter.names_something() { Terms::With } else { Terms::Without },
        };
        Self { table, filter, which, chunk: Vec::new().into_iter(), is_last_chunk: false }
    }

    /// The next segment that there is, whether or not it can match.
    async fn header(&mut self) -> Result<Option<Header>, StoreError> {
        loop {
            if let Some(header) = self.chunk.next() {
                self.which.after = (header.last.micros(), header.id);
                return Ok(Some(header));
            }
            if self.is_last_chunk {
                return Ok(None);
            }
            let chunk = self.table.headers(&self.which).await.map_err(failed(READING))?;
            self.is_last_chunk = chunk.len() < HEADERS_AT_ONCE;
            self.chunk = chunk.into_iter();
        }
    }

    /// Whether it is worth opening.
    fn may_match(&self, header: &Header) -> bool {
        self.filter.may_be_among(header.decisions, header.allowed)
            && (self.which.with_terms == Terms::Without || self.filter.may_be_in(&header.terms))
    }

    async fn open(&mut self, header: &Header) -> Result<Opened, StoreError> {
        Opened::new(self.table.body(header.id).await.map_err(failed(READING))?)
    }

    /// Whether all of a segment matches, as can be seen from outside.
    fn takes_all(&self, header: &Header) -> bool {
        let (filter, which) = (self.filter, &self.which);
        which.with_terms == Terms::Without
            && filter.allow.is_none()
            && which.from <= header.first.micros()
            && header.last.micros() <= which.to
            && which.first_revision <= header.first_revision
            && header.last_revision <= which.last_revision
    }
}

/// The newest that were found, one more than are wanted.
struct Newest {
    most: usize,
    found: BTreeMap<Mark, DecisionRecord>,
}

impl Newest {
    fn new(limit: u32) -> Self {
        let most = usize::try_from(limit).unwrap_or(usize::MAX).saturating_add(1);
        Self { most, found: BTreeMap::new() }
    }

    fn is_full(&self) -> bool {
        self.found.len() >= self.most
    }

    /// Whether what is no newer than this moment comes too late.
    fn is_settled(&self, moment: Timestamp) -> bool {
        self.is_full() && self.found.first_key_value().is_some_and(|(oldest, _)| oldest.at > moment)
    }

    /// Takes the matches of a segment.
    fn take(
        &mut self,
        segment: &Opened,
        filter: &DecisionFilter,
        before: Option<Mark>,
    ) -> Result<(), StoreError> {
        for (row, mark) in segment.matching(filter, before) {
            if self.is_full() {
                if self.found.first_key_value().is_none_or(|(oldest, _)| mark < *oldest) {
                    break;
                }
                self.found.pop_first();
            }
            self.found.insert(mark, segment.record(row)?.owned());
        }
        Ok(())
    }

    /// The page, when everything was looked at that could be on it.
    fn whole(mut self) -> DecisionPage {
        let mut next = None;
        if self.is_full() {
            self.found.pop_first();
            next = self.found.first_key_value().map(|(mark, _)| *mark);
        }
        DecisionPage { records: self.found.into_values().rev().collect(), next }
    }

    /// The page, when only what is newer than this moment was looked at.
    fn part(mut self, moment: Timestamp) -> DecisionPage {
        let rest = Mark::after(moment);
        self.found.retain(|mark, _| *mark > rest);
        let mut page = self.whole();
        page.next.get_or_insert(rest);
        page
    }
}

#[async_trait]
impl<S: Segments> DecisionLog for S {
    async fn append(&self, packed: &Packed) -> Result<(), StoreError> {
        if packed.segments.is_empty() && packed.missed.is_empty() {
            return Ok(());
        }
        let mut table = self.begin().await.map_err(failed(WRITING))?;
        for segment in &packed.segments {
            table.insert(segment).await.map_err(failed(WRITING))?;
        }
        for (env, missed) in &packed.missed {
            table.insert_missed(*env, missed).await.map_err(failed(WRITING))?;
        }
        table.commit().await.map_err(failed(WRITING))
    }

    async fn page(
        &self,
        env: EnvId,
        filter: &DecisionFilter,
        before: Option<Mark>,
        limit: u32,
    ) -> Result<DecisionPage, StoreError> {
        let table = self.look().await.map_err(failed(READING))?;
        let mut walk = Walk::new(table, env, filter, before);
        let mut newest = Newest::new(limit);
        let (mut opened, mut passed) = (0, 0);
        while let Some(header) = walk.header().await? {
            if newest.is_settled(header.last) {
                break;
            }
            let is_enough = opened >= OPENED_AT_ONCE || passed >= PASSED_AT_ONCE;
            // Where the page would not get ahead of the last one, it goes on.
            if is_enough && before.is_none_or(|before| header.last < before.at) {
                return Ok(newest.part(header.last));
            }
            passed += 1;
            if walk.may_match(&header) {
                opened += 1;
                newest.take(&walk.open(&header).await?, filter, before)?;
            }
        }
        Ok(newest.whole())
    }

    async fn find(&self, env: EnvId, id: DecisionId) -> Found<DecisionRecord> {
        let Some((from, to)) = moment(id) else { return Ok(None) };
        let filter = DecisionFilter { from: Some(from), to: Some(to), ..DecisionFilter::default() };
        let table = self.look().await.map_err(failed(READING))?;
        let mut walk = Walk::new(table, env, &filter, None);
        while let Some(header) = walk.header().await? {
            let segment = walk.open(&header).await?;
            let found = segment.matching(&filter, None).find(|(_, mark)| mark.id == id);
            if let Some((row, _)) = found {
                return segment.record(row).map(|record| Some(record.owned()));
            }
        }
        Ok(None)
    }

    async fn count(&self, env: EnvId, filter: &DecisionFilter, at_most: u64) -> Result<u64, StoreError> {
        let table = self.look().await.map_err(failed(READING))?;
        let mut walk = Walk::new(table, env, filter, None);
        let mut count = 0_u64;
        while let Some(header) = walk.header().await? {
            if count >= at_most {
                break;
            }
            if walk.takes_all(&header) {
                count = count.saturating_add(header.decisions.try_into().unwrap_or(0));
            } else if walk.may_match(&header) {
                let found = walk.open(&header).await?.matching(filter, None).count();
                count = count.saturating_add(found.try_into().unwrap_or(0));
            }
        }
        Ok(count.min(at_most))
    }

    async fn users(&self, env: EnvId, since: Timestamp) -> Result<BTreeSet<String>, StoreError> {
        let filter = DecisionFilter { from: Some(since), ..DecisionFilter::default() };
        let table = self.look().await.map_err(failed(READING))?;
        let mut walk = Walk::new(table, env, &filter, None);
        let mut users = BTreeSet::new();
        for _ in 0..COUNTED_AT_ONCE {
            let Some(header) = walk.header().await? else { break };
            walk.open(&header).await?.users_since(since, &mut users);
        }
        Ok(users)
    }

    async fn missed(
        &self,
        env: EnvId,
        from: Option<Timestamp>,
        to: Option<Timestamp>,
    ) -> Result<Vec<Missed>, StoreError> {
        let from = from.map_or(i64::MIN, Timestamp::micros);
        let to = to.map_or(i64::MAX, Timestamp::micros);
        let mut table = self.look().await.map_err(failed(READING))?;
        table.missed(env, from, to).await.map_err(failed(READING))
    }

    async fn size(&self) -> Result<u64, StoreError> {
        let mut table = self.look().await.map_err(failed(READING))?;
        Ok(table.size().await.map_err(failed(READING))?.try_into().unwrap_or(0))
    }

    async fn merge(&self, now: Timestamp) -> Result<Step, StoreError> {
        let mut table = self.begin().await.map_err(failed(WRITING))?;
        let found = table.scattered(MANY, span_of(now)).await.map_err(failed(WRITING))?;
        let Some((env, span)) = found else { return Ok(Step::Done) };
        let small = table.small(env, span, MANY).await.map_err(failed(WRITING))?;
        let (mut decisions, mut bytes, mut taken) = (0_i64, 0_i64, 0_usize);
        let mut packer = Packer::default();
        for (id, its_decisions, its_bytes) in small {
            if decisions >= kept(FULL) || bytes >= kept(FULL_BYTES) {
                break;
            }
            decisions = decisions.saturating_add(its_decisions);
            bytes = bytes.saturating_add(its_bytes);
            // Gone when another process merges the same.
            let Some(body) = table.take(id).await.map_err(failed(WRITING))? else { continue };
            let segment = Opened::new(body)?;
            for row in 0..segment.rows() {
                packer.push(env, &segment.record(row)?);
            }
            taken += 1;
        }
        if taken < 2 {
            return Ok(Step::Done);
        }
        for segment in packer.finish() {
            table.insert(&segment).await.map_err(failed(WRITING))?;
        }
        table.commit().await.map_err(failed(WRITING))?;
        Ok(Step::More)
    }

    async fn purge(&self, keep: &Keep) -> Result<Step, StoreError> {
        let mut table = self.begin().await.map_err(failed(WRITING))?;
        let purged = purge(&mut table, keep).await.map_err(failed(WRITING))?;
        table.commit().await.map_err(failed(WRITING))?;
        if purged == 0 {
            return Ok(Step::Done);
        }
        self.tidy().await.map_err(failed(WRITING))?;
        Ok(Step::More)
    }

    async fn close(&self) {
        self.disconnect().await;
    }
}

/// How many rows are gone.
async fn purge<T: Table>(table: &mut T, keep: &Keep) -> Result<u64, sqlx::Error> {
    let mut purged = 0;
    if let Some(since) = keep.since {
        purged += table.delete_before(since.micros(), PURGED_AT_ONCE).await?;
        purged += table.forget_missed_before(since.micros()).await?;
    }
    if let Some((kept, before)) = &keep.environments {
        for env in table.environments().await? {
            if !kept.contains(&env) {
                purged += table.delete_of(env, before.micros(), PURGED_AT_ONCE).await?;
            }
        }
    }
    if let Some(most) = keep.bytes {
        let mut over = table.size().await?.saturating_sub(kept(most));
        if over > 0 {
            for (id, bytes) in table.oldest(PURGED_AT_ONCE).await? {
                if over <= 0 {
                    break;
                }
                if table.take(id).await?.is_some() {
                    purged += 1;
                }
                over = over.saturating_sub(bytes);
            }
        }
    }
    Ok(purged)
}
