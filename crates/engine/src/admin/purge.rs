//! What has ended by itself leaves the database: sessions and sign-in links.

use crate::{Engine, error::Result};
use std::{convert::Infallible, time::Duration};
use tokio::time::MissedTickBehavior;

/// How many of each kind are removed with one write, so that nobody waits long behind it.
const BATCH: u64 = 500;
/// How often they are looked for.
const EVERY: Duration = Duration::from_mins(10);

impl Engine {
    /// Removes the sessions and sign-in links that have ended, some at a time. Gives how many there were.
    pub async fn purge_expired(&self) -> Result<u64> {
        let mut purged = 0;
        loop {
            let some = self.store().purge_expired(self.0.clock.now(), BATCH).await?;
            purged += some;
            // There may be more of a kind of which a whole batch went.
            if some < BATCH {
                return Ok(purged);
            }
        }
    }

    /// Removes them again and again, until it is dropped.
    pub async fn keep_tidy(self) -> Infallible {
        let mut ticks = tokio::time::interval(EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            match self.purge_expired().await {
                Ok(0) => {}
                Ok(purged) => tracing::debug!(purged, "removed sessions and sign-in links that had ended"),
                Err(error) => {
                    tracing::warn!(?error, "what has ended could not be removed; trying again later");
                }
            }
        }
    }
}
