//! When a delivery that failed is tried again.

use askfirst_domain::Timestamp;
use std::time::Duration;

/// How long is waited after each failure; after as many and one more an item is given up, about three days after it was
/// written.
const WAITS: [Duration; 11] = [
    Duration::from_secs(5),
    Duration::from_secs(30),
    Duration::from_mins(2),
    Duration::from_mins(10),
    Duration::from_mins(30),
    Duration::from_hours(1),
    Duration::from_hours(3),
    Duration::from_hours(6),
    Duration::from_hours(12),
    Duration::from_hours(24),
    Duration::from_hours(24),
];
/// The longest that a receiver may ask us to wait.
const LONGEST_WISH: Duration = Duration::from_hours(24);

/// When the next attempt is due after `failed` of them have failed; none when it was the last. `wish` is what the receiver
/// asked for (`Retry-After`), and is never shortened but for its bound; `luck` spreads what failed together, up to a fifth later.
pub(super) fn next(now: Timestamp, failed: u32, wish: Option<Duration>, luck: u8) -> Option<Timestamp> {
    let index = usize::try_from(failed).ok()?.checked_sub(1)?;
    let wait = *WAITS.get(index)?;
    let spread = wait / 5 * u32::from(luck) / 255;
    Some(now.plus((wait + spread).max(wish.unwrap_or_default().min(LONGEST_WISH))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn waits_grow_and_end() {
        let start = Timestamp::from_micros(0);
        let mut now = start;
        let mut failed = 0;
        let mut last = Duration::ZERO;
        loop {
            failed += 1;
            let Some(at) = next(now, failed, None, 0) else { break };
            let waited = Duration::from_micros(u64::try_from(at.micros() - now.micros()).unwrap());
            assert!(waited >= last, "{failed}: {waited:?} after {last:?}");
            (now, last) = (at, waited);
        }
        assert_eq!(failed, 12);
        assert!(
            now > start.plus(Duration::from_hours(70)) && now < start.plus(Duration::from_hours(76)),
            "{now}"
        );
    }

    proptest! {
        #[test]
        fn nothing_is_tried_before_it_is_wished(failed in 1_u32..=11, wish in 0_u64..200_000, luck: u8) {
            let now = Timestamp::from_micros(1);
            let wish = Duration::from_secs(wish);
            let at = next(now, failed, Some(wish), luck).unwrap();
            prop_assert!(at >= now.plus(wish.min(LONGEST_WISH)));
            prop_assert!(at >= next(now, failed, None, 0).unwrap());
            prop_assert!(at <= now.plus(Duration::from_hours(29)));
        }
    }
}
