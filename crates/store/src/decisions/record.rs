//! One decision, as the log keeps it.

use askfirst_domain::{Id, Timestamp, id::kind};
use uuid::Uuid;

/// The id of a logged decision: a version 7 UUID of the decision's time.
pub type DecisionId = Id<kind::Decision>;

/// One decision. `T` is a text: borrowed on its way in, owned on its way out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecisionRecord<T = String> {
    pub stamp: Stamp,
    /// The time that the decision was made for.
    pub at: Timestamp,
    pub epoch: Uuid,
    /// The revision of the environment that it was made at.
    pub revision: u64,
    pub allow: bool,
    pub user: T,
    pub action: T,
    pub resource: T,
    pub instance: Option<T>,
    /// The tenant as it was asked.
    pub tenant: Option<T>,
    /// The tenant that it was decided in.
    pub in_tenant: T,
    /// By which door the question came in.
    pub door: T,
    /// Whose credential asked, as JSON.
    pub asker: T,
    /// Why, in words.
    pub reason: Option<T>,
    /// Why, as JSON.
    pub trace: Option<T>,
    /// What the call said besides the names, as JSON.
    pub given: Option<T>,
    /// Why `given` is not there although something was given.
    pub left_out: Option<LeftOut>,
}

/// Why what a call said besides the names is not in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LeftOut {
    /// It is larger than the log takes.
    TooLarge,
    /// The operator wants none of it in the log.
    Redacted,
}

/// What makes decisions of one microsecond different: who wrote them, and its count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Stamp {
    seq: u64,
    writer: u64,
}

const SEQ_BITS: u32 = 40;
const SEQ_LOW_BITS: u32 = 28;
const WRITER_BITS: u32 = 34;

impl Stamp {
    /// `writer`: 34 random bits of a process; `seq`: its count, 40 bits of it. What goes beyond is dropped.
    pub fn new(writer: u64, seq: u64) -> Self {
        Self { seq: seq & mask(SEQ_BITS), writer: writer & mask(WRITER_BITS) }
    }

    pub(super) fn seq(self) -> u64 {
        self.seq
    }

    pub(super) fn writer(self) -> u64 {
        self.writer
    }

    /// The id of the decision with this stamp: milliseconds, count, writer, in the places that version 7 leaves.
    pub(super) fn id(self, at: Timestamp) -> DecisionId {
        let millis = u128::try_from(at.micros().div_euclid(1000)).unwrap_or(0) & u128::from(mask(48));
        let (high, low) = (self.seq >> SEQ_LOW_BITS, self.seq & mask(SEQ_LOW_BITS));
        let bits = (millis << 80)
            | (0x7 << 76)
            | (u128::from(high) << 64)
            | (0b10 << 62)
            | (u128::from(low) << WRITER_BITS)
            | u128::from(self.writer);
        Id::new(Uuid::from_u128(bits))
    }
}

const fn mask(bits: u32) -> u64 {
    (1 << bits) - 1
}

/// The milliseconds that an id names, as a range of time; none when it is no id of a decision.
pub(super) fn moment(id: DecisionId) -> Option<(Timestamp, Timestamp)> {
    let bits = id.uuid().as_u128();
    if id.uuid().get_version_num() != 7 {
        return None;
    }
    let millis = i64::try_from(bits >> 80).ok()?;
    let from = millis.checked_mul(1000)?;
    Some((Timestamp::from_micros(from), Timestamp::from_micros(from.checked_add(999)?)))
}

/// A place in the order of the log: what stands before it is older.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mark {
    pub at: Timestamp,
    pub id: DecisionId,
}

impl Mark {
    /// After everything of this moment.
    pub fn after(at: Timestamp) -> Self {
        Self { at, id: Id::new(Uuid::max()) }
    }
}

impl<T> DecisionRecord<T> {
    /// The id.
    pub fn id(&self) -> DecisionId {
        self.stamp.id(self.at)
    }

    /// Where it stands in the log.
    pub fn mark(&self) -> Mark {
        Mark { at: self.at, id: self.id() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_of_version_7_and_sort_by_time_and_count() {
        let at = Timestamp::from_micros(1_790_000_000_123_456);
        let ids: Vec<_> = [(at, 1), (at, 2), (at, 1 << 30), (Timestamp::from_micros(at.micros() + 1000), 0)]
            .map(|(at, seq)| Stamp::new(u64::MAX, seq).id(at))
            .into();
        assert!(ids.is_sorted());
        assert!(ids.iter().all(|id| id.uuid().get_version_num() == 7));
        assert_eq!(ids[0].uuid().get_variant(), uuid::Variant::RFC4122);
        let (from, to) = moment(ids[0]).unwrap();
        assert!(from <= at && at <= to && to.micros() - from.micros() == 999);
    }

    #[test]
    fn other_ids_name_no_moment() {
        assert_eq!(moment(Id::new(Uuid::from_u128(7))), None);
    }
}
