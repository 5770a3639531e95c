//! How far, in time, what is in memory may be behind the database.
//!
//! It is asked how far the database is; once that is here, what is in memory was level with it at the moment of asking.
//! What was asked and never answered counts as much as what was answered and is not here yet.

use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::time::Instant;

/// The latest moment at which something is known to have been level with the database.
#[derive(Debug)]
pub(crate) struct Level {
    base: Instant,
    /// Milliseconds after the base.
    known: AtomicU64,
}

impl Level {
    /// Level at this moment.
    pub(crate) fn known_at(at: Instant) -> Self {
        Self { base: at, known: AtomicU64::new(0) }
    }

    /// Level at this moment, too.
    pub(crate) fn known(&self, at: Instant) {
        let after = at.saturating_duration_since(self.base).as_millis();
        self.known.fetch_max(u64::try_from(after).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// How long that is ago.
    pub(crate) fn lag(&self) -> Duration {
        self.lag_at(Instant::now())
    }

    fn lag_at(&self, now: Instant) -> Duration {
        let known = Duration::from_millis(self.known.load(Ordering::Relaxed));
        now.saturating_duration_since(self.base).saturating_sub(known)
    }
}

/// The revision that has to be here so that something was level with the database, and when that was asked. One at a
/// time: where more is written than can be taken in, a target that moves would never be reached.
#[derive(Debug, Default)]
pub(crate) struct Target(Mutex<Option<(Instant, u64)>>);

impl Target {
    /// The database was at `head` when it was asked at `asked`, and `here` is here now. Gives the latest moment that this
    /// proves, if it proves one.
    pub(crate) fn seen(&self, asked: Instant, head: u64, here: u64) -> Option<Instant> {
        // A target is never half set, so a poisoned lock has nothing broken behind it.
        let mut target = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if here >= head {
            *target = None;
            return Some(asked);
        }
        match *target {
            Some((at, wanted)) if here >= wanted => {
                *target = Some((asked, head));
                Some(at)
            }
            Some(_) => None,
            None => {
                *target = Some((asked, head));
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_never_caught_up_with_is_behind_by_what_was_not_reached() {
        let start = Instant::now();
        let at = |n| start + Duration::from_secs(n);
        let target = Target::default();
        assert_eq!(target.seen(at(1), 5, 5), Some(at(1)), "level");
        assert_eq!(target.seen(at(2), 9, 7), None, "behind");
        assert_eq!(target.seen(at(3), 12, 8), None, "still behind what was there at 2");
        assert_eq!(
            target.seen(at(4), 20, 15),
            Some(at(2)),
            "what was there at 2 is here, and what was at 4 is not"
        );
        assert_eq!(target.seen(at(5), 30, 19), None);
        assert_eq!(target.seen(at(6), 40, 20), Some(at(4)));
        assert_eq!(target.seen(at(7), 40, 40), Some(at(7)), "level again");
    }

    #[test]
    fn a_lag_grows_until_something_is_known() {
        let start = Instant::now();
        let after = |n| start + Duration::from_secs(n);
        let level = Level::known_at(start);
        assert_eq!(level.lag_at(after(3)), Duration::from_secs(3));
        level.known(after(3));
        assert_eq!(level.lag_at(after(4)), Duration::from_secs(1));
        // What is learnt late takes nothing back.
        level.known(after(1));
        assert_eq!(level.lag_at(after(4)), Duration::from_secs(1));
    }
}
