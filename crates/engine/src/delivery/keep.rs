//! The round: what is due is claimed and sent, beside everything else.

use super::{
    backoff,
    courier::{Courier, PATIENCE, Refused},
    letter::Turned,
};
use crate::{Engine, error::Result};
use askfirst_store::{Attempt, Queued};
use std::{convert::Infallible, time::Duration};
use tokio::{task::JoinSet, time::sleep};

/// How many are sent at once.
const AT_ONCE: usize = 64;
/// How long a claim lasts: longer than any attempt.
const CLAIM: Duration = Duration::from_secs(PATIENCE.as_secs() * 3);
/// How often it is looked what other processes have left.
const LOOK: Duration = Duration::from_secs(1);

impl Engine {
    /// Delivers for ever, until it is dropped. Any number of processes on one database may do so.
    pub async fn keep_delivering(self, courier: Courier) -> Infallible {
        let mut under_way = JoinSet::new();
        loop {
            let room = AT_ONCE.saturating_sub(under_way.len());
            if room == 0 {
                // Whatever is due waits for a place; looking would not make one.
                under_way.join_next().await;
                continue;
            }
            match self.claim_due(room).await {
                Ok(claimed) if claimed.is_empty() => {}
                Ok(claimed) => {
                    for queued in claimed {
                        let (engine, courier) = (self.clone(), courier.clone());
                        under_way.spawn(async move { engine.deliver(&courier, queued).await });
                    }
                    continue;
                }
                Err(error) => tracing::warn!(?error, "the outbox could not be read; trying again"),
            }
            let pause = self.until_next().await;
            tokio::select! {
                () = self.0.left.notified() => {}
                () = sleep(pause) => {}
                Some(_) = under_way.join_next() => {}
            }
        }
    }

    /// Delivers what is due now, and waits until it is through. Gives how many attempts were made.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn deliver_due(&self, courier: &Courier) -> Result<usize> {
        let claimed = self.claim_due(AT_ONCE).await?;
        let made = claimed.len();
        let mut under_way = JoinSet::new();
        for queued in claimed {
            let (engine, courier) = (self.clone(), courier.clone());
            under_way.spawn(async move { engine.deliver(&courier, queued).await });
        }
        under_way.join_all().await;
        Ok(made)
    }

    /// How long nothing is due, as far as this process knows.
    async fn until_next(&self) -> Duration {
        match self.store().outbox_next().await {
            Ok(Some(at)) => {
                let left = at.micros().saturating_sub(self.0.clock.now().micros());
                // A moment at least: what is due and can't be claimed has been claimed by another one.
                Duration::from_micros(u64::try_from(left).unwrap_or(0)).clamp(Duration::from_millis(20), LOOK)
            }
            Ok(None) | Err(_) => LOOK,
        }
    }

    async fn claim_due(&self, most: usize) -> Result<Vec<Queued>> {
        let now = self.0.clock.now();
        let until = now.plus(CLAIM);
        let due = self.store().outbox_due(now, u32::try_from(most).unwrap_or(u32::MAX)).await?;
        // Handed in together, so that they are written together.
        let claims = due.iter().map(|seen| self.store().outbox_claim(seen, until));
        let claimed = futures::future::try_join_all(claims).await?;
        let ours = due.into_iter().zip(claimed).filter(|(_, claimed)| *claimed);
        Ok(ours.map(|(seen, _)| Queued { due_at: until, ..seen }).collect())
    }

    /// Sends one item and notes what came of it.
    async fn deliver(&self, courier: &Courier, queued: Queued) {
        let (id, topic) = (queued.item.id, queued.item.topic.as_str());
        let attempt = match self.attempt(courier, &queued).await {
            Ok(attempt) => attempt,
            Err(error) => {
                // The claim runs out, and then it is tried again.
                tracing::warn!(%id, topic, ?error, "a delivery could not be prepared");
                return;
            }
        };
        match &attempt {
            Attempt::Delivered => tracing::debug!(%id, topic, "delivered"),
            Attempt::Failed { failure, due_at } => {
                tracing::info!(%id, topic, failure, again = %due_at, "a delivery failed and is tried again");
            }
            Attempt::GivenUp { failure, .. } => {
                tracing::warn!(%id, topic, failure, "a delivery was given up; `askfirst deliveries` lists it");
            }
        }
        match self.store().outbox_settle(id, queued.due_at, &attempt).await {
            Ok(true) => {}
            Ok(false) => {
                tracing::warn!(%id, topic, "a delivery took longer than its claim; another one may have been made");
            }
            Err(error) => {
                tracing::warn!(%id, topic, ?error, "what came of a delivery could not be noted; it will be made again");
            }
        }
    }

    async fn attempt(&self, courier: &Courier, queued: &Queued) -> Result<Attempt> {
        let refused = match self.letter(queued).await? {
            Turned::Nobody => return Ok(Attempt::Delivered),
            Turned::Stuck(why) => Refused { why, wait: None, for_good: true },
            Turned::Letter(letter) => {
                match courier.carry(queued.item.id, self.0.clock.now(), &letter).await {
                    Ok(()) => return Ok(Attempt::Delivered),
                    Err(refused) => refused,
                }
            }
        };
        let now = self.0.clock.now();
        let mut luck = [0];
        self.entropy().fill_id(&mut luck)?;
        let [luck] = luck;
        let failed = queued.attempts.saturating_add(1);
        let again = backoff::next(now, failed, refused.wait, luck).filter(|_| !refused.for_good);
        Ok(match again {
            Some(due_at) => Attempt::Failed { failure: refused.why, due_at },
            None => Attempt::GivenUp { failure: refused.why, at: now },
        })
    }
}
