//! How often a password may be tried.
//!
//! Counted in the memory of each process, by what was typed and not by whom it names: so nobody learns from a wait
//! whether there is such a user, and an attacker writes nothing to the database. Several processes each count for
//! themselves, and a start forgets.

use askfirst_domain::{Timestamp, id::EnvId};
use sha2::{Digest as _, Sha256};
use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

/// How many wrong tries a name has before it waits.
pub const FREE_TRIES: u32 = 5;
/// How long wrong tries count after the last one, or after the wait for it.
pub const TRIES_COUNT_FOR: Duration = Duration::from_mins(15);
/// The first wait; it doubles with each further wrong try.
pub const FIRST_WAIT: Duration = Duration::from_mins(1);
/// The longest wait.
pub const LONGEST_WAIT: Duration = Duration::from_hours(1);
/// How many wrong tries a process takes in a minute, whatever the names.
pub const TRIES_A_MINUTE: u32 = 60;
/// How many of these are told in the audit log.
pub const TOLD_A_MINUTE: u32 = 10;

const MINUTE: Duration = Duration::from_mins(1);

/// What was typed, for counting: no text of it is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Name([u8; 32]);

impl Name {
    pub(crate) fn of(env: Option<EnvId>, typed: &str) -> Self {
        let mut digest = Sha256::new();
        digest.update(env.map_or([0; 16], |env| env.uuid().into_bytes()));
        digest.update(typed.to_lowercase().as_bytes());
        Self(digest.finalize().into())
    }
}

#[derive(Debug)]
struct Wrong {
    times: u32,
    waits_until: Timestamp,
    forgotten_at: Timestamp,
}

/// The tries of this process.
#[derive(Debug, Default)]
pub(crate) struct Tries(Mutex<Counted>);

#[derive(Debug, Default)]
struct Counted {
    names: HashMap<Name, Wrong>,
    minute_ends: Timestamp,
    in_minute: u32,
    told_in_minute: u32,
}

/// A try that may be made. It counts as a wrong one until it is taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Try {
    May,
    /// So many seconds are to be waited first.
    Wait(u64),
}

/// Whether a wrong try is told in the audit log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Telling {
    Told,
    Silent,
}

impl Tries {
    /// Counts a try as a wrong one before it is made, so that many at the same moment are not more than they may be.
    pub(crate) fn begin(&self, name: Name, now: Timestamp) -> Try {
        let mut counted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if counted.minute_ends <= now {
            (counted.minute_ends, counted.in_minute, counted.told_in_minute) = (now.plus(MINUTE), 0, 0);
            counted.names.retain(|_, wrong| wrong.forgotten_at > now);
        }
        if counted.in_minute >= TRIES_A_MINUTE {
            return Try::Wait(seconds(now, counted.minute_ends));
        }
        let wrong =
            counted.names.entry(name).or_insert(Wrong { times: 0, waits_until: now, forgotten_at: now });
        if wrong.forgotten_at <= now {
            wrong.times = 0;
        }
        if wrong.waits_until > now {
            return Try::Wait(seconds(now, wrong.waits_until));
        }
        wrong.times += 1;
        wrong.waits_until = now.plus(wait_after(wrong.times));
        wrong.forgotten_at = wrong.waits_until.plus(TRIES_COUNT_FOR);
        counted.in_minute += 1;
        Try::May
    }

    /// The try was right: what was wrong before is forgotten.
    pub(crate) fn right(&self, name: Name) {
        let mut counted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        counted.names.remove(&name);
        counted.in_minute = counted.in_minute.saturating_sub(1);
    }

    /// The try was wrong.
    pub(crate) fn wrong(&self) -> Telling {
        let mut counted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if counted.told_in_minute >= TOLD_A_MINUTE {
            return Telling::Silent;
        }
        counted.told_in_minute += 1;
        Telling::Told
    }
}

fn wait_after(times: u32) -> Duration {
    let Some(more) = times.checked_sub(FREE_TRIES) else { return Duration::ZERO };
    FIRST_WAIT.saturating_mul(2_u32.saturating_pow(more)).min(LONGEST_WAIT)
}

fn seconds(now: Timestamp, then: Timestamp) -> u64 {
    let micros = u64::try_from(then.micros().saturating_sub(now.micros())).unwrap_or(0);
    micros.div_ceil(1_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_micros(seconds * 1_000_000)
    }

    #[test]
    fn waits_grow_and_end_and_a_right_try_forgets() {
        let (tries, joe) = (Tries::default(), Name::of(None, "joe"));
        for _ in 0..FREE_TRIES {
            assert_eq!(tries.begin(joe, at(1)), Try::May);
        }
        assert_eq!(tries.begin(joe, at(1)), Try::Wait(60));
        assert_eq!(tries.begin(Name::of(None, "JOE"), at(31)), Try::Wait(30), "it is the same name");
        assert_eq!(tries.begin(Name::of(None, "ann"), at(31)), Try::May);
        assert_eq!(tries.begin(joe, at(61)), Try::May);
        assert_eq!(tries.begin(joe, at(61)), Try::Wait(120), "longer than before");
        assert_eq!(tries.begin(joe, at(181)), Try::May);
        tries.right(joe);
        for _ in 0..FREE_TRIES {
            assert_eq!(tries.begin(joe, at(182)), Try::May);
        }
        assert_eq!(tries.begin(joe, at(182)), Try::Wait(60));
        assert_eq!(tries.begin(joe, at(242 + 15 * 60)), Try::May);
        assert_eq!(tries.begin(joe, at(242 + 15 * 60)), Try::May, "long ago does not count");
        assert_eq!(wait_after(u32::MAX), LONGEST_WAIT);
    }

    #[test]
    fn a_process_takes_and_tells_so_many_in_a_minute() {
        let tries = Tries::default();
        let name = |n: u32| Name::of(None, &n.to_string());
        for n in 0..TRIES_A_MINUTE {
            assert_eq!(tries.begin(name(n), at(1)), Try::May);
            let told = if n < TOLD_A_MINUTE { Telling::Told } else { Telling::Silent };
            assert_eq!(tries.wrong(), told);
        }
        assert_eq!(tries.begin(name(999), at(11)), Try::Wait(50));
        assert_eq!(tries.begin(name(999), at(61)), Try::May);
        assert_eq!(tries.wrong(), Telling::Told);
    }
}
