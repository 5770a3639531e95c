//! Stand-ins: while somebody is away, somebody else reviews in their place.
//!
//! A stand-in has the authority of whom they stand for, as far as reviewing goes, and for as long as was said. It is that
//! person's own authority and no borrowed one, so nobody stands in for a stand-in; and it is one authority, so it counts once,
//! however many use it.

use crate::{Span, Timestamp, id::DelegationId, request::Person};
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The longest that somebody stands in for somebody at once, in seconds: a year.
pub const MOST: u64 = 366 * 86_400;

/// Who reviews in whose place, and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delegation {
    pub id: DelegationId,
    /// Who is away.
    pub from: Person,
    /// Who reviews in their place.
    pub to: Person,
    pub starts: Timestamp,
    /// From then on it counts no more.
    pub ends: Timestamp,
    pub created_at: Timestamp,
}

impl Delegation {
    /// Names a stand-in.
    ///
    /// # Errors
    /// For oneself, for a time that is over, empty or longer than [`MOST`].
    pub fn new(
        id: DelegationId,
        (from, to): (Person, Person),
        (starts, ends): (Timestamp, Timestamp),
        now: Timestamp,
    ) -> Result<Self, DelegationError> {
        if from.id == to.id {
            return Err(DelegationError::Oneself);
        }
        if ends <= starts || ends <= now {
            return Err(DelegationError::Over { ends });
        }
        let most = Span::try_from(MOST).map_or(ends, |most| starts.plus(most.duration()));
        if ends > most {
            return Err(DelegationError::TooLong);
        }
        Ok(Self { id, from, to, starts, ends, created_at: now })
    }

    /// Whether it counts at a moment.
    pub fn holds(&self, at: Timestamp) -> bool {
        self.starts <= at && at < self.ends
    }

    /// Whether its time is over.
    pub fn is_over(&self, at: Timestamp) -> bool {
        self.ends <= at
    }
}

/// Why nobody can stand in like that.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum DelegationError {
    #[error("nobody stands in for themselves; name somebody else")]
    Oneself,
    #[error("a stand-in is named until a moment after its beginning and after now; {ends} is not")]
    Over { ends: Timestamp },
    #[error("a stand-in is named for 366 days at most; name them again then")]
    TooLong,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Id;
    use uuid::Uuid;

    fn person(number: u128) -> Person {
        Person { id: Id::new(Uuid::from_u128(number)), key: format!("p{number}").parse().unwrap() }
    }

    fn of(seconds: i64) -> Timestamp {
        Timestamp::from_micros(seconds * 1_000_000)
    }

    fn named(from: u128, to: u128, starts: i64, ends: i64) -> Result<Delegation, DelegationError> {
        let id = Id::new(Uuid::nil());
        Delegation::new(id, (person(from), person(to)), (of(starts), of(ends)), of(100))
    }

    #[test]
    fn it_counts_from_its_beginning_and_not_at_its_end() {
        let week = named(1, 2, 200, 300).unwrap();
        let counts = [199, 200, 299, 300].map(|at| week.holds(of(at)));
        assert_eq!(counts, [false, true, true, false]);
        assert!(week.is_over(of(300)) && !week.is_over(of(299)));
    }

    #[test]
    fn what_means_nothing_is_refused() {
        assert_eq!(named(1, 1, 200, 300), Err(DelegationError::Oneself));
        assert_eq!(named(1, 2, 300, 300), Err(DelegationError::Over { ends: of(300) }));
        assert_eq!(named(1, 2, 50, 100), Err(DelegationError::Over { ends: of(100) }));
        assert_eq!(named(1, 2, 100, 101 + 366 * 86_400), Err(DelegationError::TooLong));
        assert!(named(1, 2, 100, 100 + 366 * 86_400).is_ok());
    }
}
