//! Decisions on their way in: packed into segments.

use super::{
    bytes::{Writer, step},
    record::{DecisionRecord, LeftOut, Mark},
    terms::{self, Term},
};
use askfirst_domain::{Timestamp, id::EnvId};
use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

/// The version of what a segment's body looks like.
pub(super) const VERSION: u8 = 1;
/// A segment of so many decisions is whole: it is not merged any more.
pub(super) const FULL: usize = 4096;
/// So is one of so many bytes.
pub(super) const FULL_BYTES: usize = 256 * 1024;
/// A segment of fewer decisions is worth merging with others,
const SMALL: usize = 1024;
/// unless it has so many bytes.
const SMALL_BYTES: usize = 64 * 1024;
/// A segment's decisions are of one such span of time, in microseconds: an hour. So the segments that can hold a
/// moment are found without looking at all that are newer.
pub(super) const SPAN: i64 = 3600 * 1_000_000;

/// The span that a moment is in.
pub(super) fn span_of(at: Timestamp) -> i64 {
    at.micros().div_euclid(SPAN)
}

/// What a row has besides its place: positions in the list of words (for what may be missing, one more), and flags.
pub(super) const CELLS: usize = 14;
/// The cells, in the order of a body's columns.
#[derive(Debug, Clone, Copy)]
pub(super) enum Cell {
    Flags,
    Writer,
    Epoch,
    User,
    Action,
    Resource,
    Instance,
    Tenant,
    InTenant,
    Door,
    Asker,
    Reason,
    Trace,
    Given,
}

/// Flag: allowed.
pub(super) const ALLOWED: u64 = 1;
/// Flag: what was given is left out for its size.
pub(super) const TOO_LARGE: u64 = 2;
/// Flag: what was given is left out because the operator wants none of it.
pub(super) const REDACTED: u64 = 4;

/// Decisions of one environment and one hour, ready to be written.
#[derive(Debug, Clone)]
pub struct Segment {
    pub(super) env: EnvId,
    pub(super) span: i64,
    pub(super) first: Timestamp,
    pub(super) last: Timestamp,
    pub(super) first_revision: u64,
    pub(super) last_revision: u64,
    pub(super) decisions: usize,
    pub(super) allowed: usize,
    pub(super) terms: Vec<u8>,
    pub(super) body: Vec<u8>,
}

impl Segment {
    /// How many decisions it holds.
    pub fn decisions(&self) -> usize {
        self.decisions
    }

    /// How many bytes it takes.
    pub fn bytes(&self) -> usize {
        self.terms.len() + self.body.len()
    }

    /// Whether it is worth merging with others.
    pub(super) fn is_small(&self) -> bool {
        self.decisions < SMALL && self.bytes() < SMALL_BYTES
    }
}

/// Packs decisions, in any order, into segments.
#[derive(Debug, Default)]
pub struct Packer {
    open: BTreeMap<(EnvId, i64), Open>,
    done: Vec<Segment>,
    expected: usize,
}

impl Packer {
    /// For about so many decisions: room for them is made at once.
    pub fn expecting(decisions: usize) -> Self {
        Self { expected: decisions.min(FULL), ..Self::default() }
    }

    /// Takes a decision.
    pub fn push<T: AsRef<str>>(&mut self, env: EnvId, record: &DecisionRecord<T>) {
        let span = span_of(record.at);
        let expected = self.expected;
        let open = self.open.entry((env, span)).or_insert_with(|| Open::expecting(expected));
        open.push(record);
        if open.rows.len() >= FULL || open.bytes >= FULL_BYTES {
            let full = std::mem::replace(open, Open::expecting(expected));
            self.done.extend(full.close(env, span));
        }
    }

    /// The segments.
    pub fn finish(mut self) -> Vec<Segment> {
        for ((env, span), open) in self.open {
            self.done.extend(open.close(env, span));
        }
        self.done
    }
}

#[derive(Debug)]
struct Row {
    mark: Mark,
    seq: u64,
    revision: u64,
    cells: [u64; CELLS],
}

/// A segment in the making.
#[derive(Debug, Default)]
struct Open {
    places: HashMap<Arc<str>, u64>,
    words: Vec<Arc<str>>,
    /// For each word, of which kinds it is.
    kinds: Vec<u8>,
    /// The word of each cell in the row before: most are the same again.
    last: [Option<u64>; CELLS],
    rows: Vec<Row>,
    /// About what it will take.
    bytes: usize,
}

/// About how many words a decision has that no other has: who, on what, why, and by what way.
const WORDS: usize = 4;

impl Open {
    fn expecting(decisions: usize) -> Self {
        Self {
            places: HashMap::with_capacity(decisions * WORDS),
            rows: Vec::with_capacity(decisions),
            ..Self::default()
        }
    }

    fn push<T: AsRef<str>>(&mut self, record: &DecisionRecord<T>) {
        let mut flags = if record.allow { ALLOWED } else { 0 };
        flags |= match record.left_out {
            None => 0,
            Some(LeftOut::TooLarge) => TOO_LARGE,
            Some(LeftOut::Redacted) => REDACTED,
        };
        let mut epoch = [0; uuid::fmt::Simple::LENGTH];
        let epoch: &str = record.epoch.simple().encode_lower(&mut epoch);
        let cells = [
            flags,
            record.stamp.writer(),
            self.word(Cell::Epoch, epoch, 0),
            self.word(Cell::User, record.user.as_ref(), Term::User.bit()),
            self.word(Cell::Action, record.action.as_ref(), Term::Action.bit()),
            self.word(Cell::Resource, record.resource.as_ref(), Term::Resource.bit()),
            self.maybe(Cell::Instance, record.instance.as_ref(), Term::Instance.bit()),
            self.maybe(Cell::Tenant, record.tenant.as_ref(), 0),
            self.word(Cell::InTenant, record.in_tenant.as_ref(), Term::Tenant.bit()),
            self.word(Cell::Door, record.door.as_ref(), 0),
            self.word(Cell::Asker, record.asker.as_ref(), 0),
            self.maybe(Cell::Reason, record.reason.as_ref(), 0),
            self.maybe(Cell::Trace, record.trace.as_ref(), 0),
            self.maybe(Cell::Given, record.given.as_ref(), 0),
        ];
        // Time, count and half a dozen cells that differ from row to row.
        self.bytes += 12;
        let mark = record.mark();
        self.rows.push(Row { mark, seq: record.stamp.seq(), revision: record.revision, cells });
    }

    fn maybe<T: AsRef<str>>(&mut self, cell: Cell, text: Option<&T>, kind: u8) -> u64 {
        text.map_or(0, |text| self.word(cell, text.as_ref(), kind).saturating_add(1))
    }

    fn word(&mut self, cell: Cell, text: &str, kind: u8) -> u64 {
        if let Some(Some(last)) = self.last.get(cell as usize)
            && self.text(*last) == Some(text)
        {
            // Its kind is noted already: it stood in this cell.
            return *last;
        }
        let place = match self.places.get(text) {
            Some(place) => *place,
            None => self.learn(text),
        };
        let known = usize::try_from(place).ok().and_then(|place| self.kinds.get_mut(place));
        if let Some(kinds) = known {
            *kinds |= kind;
        }
        if let Some(last) = self.last.get_mut(cell as usize) {
            *last = Some(place);
        }
        place
    }

    fn text(&self, place: u64) -> Option<&str> {
        self.words.get(usize::try_from(place).ok()?).map(|word| &**word)
    }

    fn learn(&mut self, text: &str) -> u64 {
        let (place, word) = (number(self.words.len()), Arc::<str>::from(text));
        self.words.push(Arc::clone(&word));
        self.kinds.push(0);
        self.places.insert(word, place);
        self.bytes += text.len() + 2;
        place
    }

    fn close(mut self, env: EnvId, span: i64) -> Option<Segment> {
        self.rows.sort_unstable_by_key(|row| row.mark);
        let (first, last) = (self.rows.first()?.mark.at, self.rows.last()?.mark.at);
        let revisions = || self.rows.iter().map(|row| row.revision);
        Some(Segment {
            env,
            span,
            first,
            last,
            first_revision: revisions().min()?,
            last_revision: revisions().max()?,
            decisions: self.rows.len(),
            allowed: self.column(Cell::Flags).filter(|flags| flags & ALLOWED != 0).count(),
            terms: terms::of(&self.terms()),
            body: self.body(),
        })
    }

    fn terms(&self) -> Vec<(Term, &str)> {
        let words = self.words.iter().zip(&self.kinds);
        let each = words.flat_map(|(word, kinds)| {
            Term::ALL.into_iter().filter(move |term| kinds & term.bit() != 0).map(move |term| (term, &**word))
        });
        each.collect()
    }

    fn column(&self, cell: Cell) -> impl Iterator<Item = u64> + Clone + use<'_> {
        self.rows.iter().map(move |row| row.cells.get(cell as usize).copied().unwrap_or(0))
    }

    fn body(&self) -> Vec<u8> {
        let mut writer = Writer::default();
        writer.byte(VERSION);
        writer.number(number(self.rows.len()));
        writer.number(number(self.words.len()));
        self.words.iter().for_each(|word| writer.text(word));
        let steps = |place: fn(&Row) -> u64| {
            self.rows.iter().scan(0, move |from, row| {
                let to = place(row);
                let step = step(*from, to);
                *from = to;
                Some(step)
            })
        };
        writer.column(steps(|row| row.mark.at.micros().cast_unsigned()));
        writer.column(steps(|row| row.seq));
        writer.column(steps(|row| row.revision));
        for cell in 0..CELLS {
            writer.column(self.rows.iter().map(|row| row.cells.get(cell).copied().unwrap_or(0)));
        }
        writer.into_bytes()
    }
}

fn number(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decisions::{DecisionFilter, Stamp, opened::Opened};
    use askfirst_domain::Id;
    use proptest::prelude::*;
    use uuid::Uuid;

    /// Thousands of decisions, where `distinct` users each ask about a document of theirs.
    fn packed(count: u64, distinct: u64) -> Vec<Segment> {
        let mut packer = Packer::default();
        for n in 0..count {
            let user = format!("user-{}@example.com", n % distinct);
            let key = format!("document-{}", n % distinct);
            let reason = format!("{user} may read document:{key}: {user} holds document:{key}#editor.");
            let record = DecisionRecord {
                stamp: Stamp::new(7, n),
                at: Timestamp::from_micros(1_790_000_000_000_000 + n.cast_signed() * 1000),
                epoch: Uuid::from_u128(2),
                revision: 7,
                allow: true,
                user: user.as_str(),
                action: "read",
                resource: "document",
                instance: Some(&key),
                tenant: None,
                in_tenant: "default",
                door: "pdp",
                asker: "{}",
                reason: Some(&reason),
                trace: None,
                given: None,
                left_out: None,
            };
            packer.push(Id::new(Uuid::from_u128(1)), &record);
        }
        packer.finish()
    }

    #[test]
    fn what_repeats_itself_takes_little() {
        for (distinct, most) in [(1, 10), (200, 25), (4000, 200)] {
            let each = packed(4000, distinct).iter().map(Segment::bytes).sum::<usize>() / 4000;
            assert!(each < most, "{each} bytes for a decision of {distinct} users");
        }
    }

    proptest! {
        /// Whatever a disk makes of a segment, it reads or is refused.
        #[test]
        fn a_broken_body_breaks_nothing(
            flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
            end in any::<prop::sample::Index>(),
            is_cut in any::<bool>(),
        ) {
            let mut body = packed(20, 3).remove(0).body;
            for (place, byte) in flips {
                let place = place.index(body.len());
                body[place] = byte;
            }
            if is_cut {
                body.truncate(end.index(body.len()));
            }
            if let Ok(segment) = Opened::new(body) {
                for row in 0..segment.rows() {
                    let _ = segment.record(row);
                }
                let filter = DecisionFilter { users: Some(vec!["user-1@example.com".to_owned()]), ..DecisionFilter::default() };
                let _ = segment.matching(&filter, None).count();
            }
        }
    }
}
