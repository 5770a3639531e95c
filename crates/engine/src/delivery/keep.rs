//! The round: what is due is claimed and sent, beside everything else.

use super::{
    backoff,
    courier::{Courier, PATIENCE, Refused},
    letter::Turned,
};
use crate::{Engine, error};
use askfirst_store::{Attempt, Queued};
use std::{collections::HashMap, convert::Infallible, time::Duration};
use tokio::{
    task::{JoinError, JoinSet},
    time::sleep,
};
use uuid::Uuid;

/// How many are sent at once.
const AT_ONCE: usize = 64;
/// How long a claim lasts: longer than any attempt.
const CLAIM: Duration = Duration::from_secs(PATIENCE.as_secs() * 3);
/// How many are sent to one receiver at once.
const FOR_ONE: usize = 8;
/// How often it is looked what other processes have left.
const LOOK: Duration = Duration::from_secs(1);
/// How long is waited at least between two looks.
const BREATH: Duration = Duration::from_millis(5);

/// How much is under way to whom.
#[derive(Debug, Clone, Default)]
struct Busy(HashMap<Uuid, usize>);

impl Busy {
    /// Those to whom no more is sent.
    fn full(&self) -> Vec<Uuid> {
        self.0.iter().filter(|(_, number)| **number >= FOR_ONE).map(|(receiver, _)| *receiver).collect()
    }

    /// Takes one more for a receiver, unless there are enough.
    fn took(&mut self, receiver: Option<Uuid>) -> bool {
        let Some(receiver) = receiver else { return true };
        let number = self.0.entry(receiver).or_default();
        if *number >= FOR_ONE {
            return false;
        }
        *number += 1;
        true
    }

    /// One is through.
    fn left(&mut self, ended: Option<Result<Option<Uuid>, JoinError>>) {
        match ended {
            Some(Ok(Some(receiver))) => {
                if let Some(number) = self.0.get_mut(&receiver) {
                    *number = number.saturating_sub(1);
                }
                self.0.retain(|_, number| *number > 0);
            }
            Some(Ok(None)) | None => {}
            // It is not known whose it was. At worst somebody has a few more places for a while.
            Some(Err(error)) => {
                tracing::error!(%error, "a delivery broke off");
                self.0.clear();
            }
        }
    }
}

impl Engine {
    /// Delivers for ever, until it is dropped. Any number of processes on one database may do so.
    pub async fn keep_delivering(self, courier: Courier) -> Infallible {
        let mut under_way = JoinSet::new();
        let mut busy = Busy::default();
        loop {
            let room = AT_ONCE.saturating_sub(under_way.len());
            if room == 0 {
                // Whatever is due waits for a place; looking would not make one.
                busy.left(under_way.join_next().await);
                continue;
            }
            let pause = self.until_next(&busy.full()).await;
            if pause.is_zero() {
                match self.claim_due(room, &busy).await {
                    Ok(claimed) => {
                        for queued in claimed {
                            let (engine, courier) = (self.clone(), courier.clone());
                            let receiver = queued.item.receiver;
                            busy.took(receiver);
                            under_way.spawn(async move {
                                engine.deliver(&courier, queued).await;
                                receiver
                            });
                        }
                    }
                    Err(error) => tracing::warn!(?error, "the outbox could not be read; trying again"),
                }
            }
            tokio::select! {
                () = self.0.left.notified() => {}
                // A moment at least: what is due and can't be claimed has been claimed by another one.
                () = sleep(pause.max(BREATH)) => {}
                Some(ended) = under_way.join_next() => busy.left(Some(ended)),
            }
        }
    }

    /// Delivers what is due now, and waits until it is through. Gives how many attempts were made.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn deliver_due(&self, courier: &Courier) -> error::Result<usize> {
        let claimed = self.claim_due(AT_ONCE, &Busy::default()).await?;
        let made = claimed.len();
        let mut under_way = JoinSet::new();
        for queued in claimed {
            let (engine, courier) = (self.clone(), courier.clone());
            under_way.spawn(async move { engine.deliver(&courier, queued).await });
        }
        under_way.join_all().await;
        Ok(made)
    }

    /// How long nothing is due for those who are not busy, as far as this process knows.
    async fn until_next(&self, busy: &[Uuid]) -> Duration {
        match self.store().outbox_next(busy).await {
            Ok(Some(at)) => {
                let left = at.micros().saturating_sub(self.0.clock.now().micros());
                Duration::from_micros(u64::try_from(left).unwrap_or(0)).min(LOOK)
            }
            Ok(None) | Err(_) => LOOK,
        }
    }

    async fn claim_due(&self, most: usize, busy: &Busy) -> error::Result<Vec<Queued>> {
        let now = self.0.clock.now();
        let until = now.plus(CLAIM);
        let most = u32::try_from(most).unwrap_or(u32::MAX);
        let mut due = self.store().outbox_due(now, most, &busy.full()).await?;
        let mut busy = busy.clone();
        due.retain(|queued| busy.took(queued.item.receiver));
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

    async fn mail(&self, letter: lettre::Message) -> Result<(), Refused> {
        match &self.settings().post {
            Some(post) => post.send(letter).await,
            None => Err(Refused::now("this server sends no mail")),
        }
    }

    async fn attempt(&self, courier: &Courier, queued: &Queued) -> error::Result<Attempt> {
        let refused = match self.letter(queued).await? {
            Turned::Nobody => return Ok(Attempt::Delivered),
            Turned::Stuck(why) => Refused { why, wait: None, for_good: true },
            Turned::Mail(letter) => match self.mail(*letter).await {
                Ok(()) => return Ok(Attempt::Delivered),
                Err(refused) => refused,
            },
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
