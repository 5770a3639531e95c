//! The task that writes the log and keeps it in order.

use super::{DecisionLog, LogSettings, Missed, pack, queue::Queue};
use crate::{Engine, Inner};
use askfirst_domain::{Timestamp, id::EnvId};
use askfirst_store::decisions::{Keep, Packed, Step};
use std::{
    collections::BTreeMap,
    sync::{Arc, Weak},
    time::Duration,
};
use tokio::{
    sync::{mpsc, oneshot},
    time::{Instant, sleep},
};

/// How long the first decision that waits has to wait for company: what a killed process loses.
const FLUSH: Duration = Duration::from_millis(100);
/// How long to wait when the log can't be written.
const AGAIN: Duration = Duration::from_secs(1);
/// After how many writes small segments are looked for.
const MERGE_EVERY: u32 = 32;
/// How often it is looked whether something is old.
const TIDY: Duration = Duration::from_mins(1);
/// How many steps of tidying are made before decisions are written again.
const STEPS: u32 = 4;
/// How long an environment that nobody knows is given to become known.
const STRANGE: Duration = Duration::from_hours(1);

/// What others want of the keeper; it answers when it is done.
#[derive(Debug)]
pub(super) enum Order {
    Flush(oneshot::Sender<()>),
    Stop(oneshot::Sender<()>),
}

struct Keeper {
    engine: Weak<Inner>,
    queue: Arc<Queue>,
    log: Arc<dyn DecisionLog>,
    settings: LogSettings,
    /// What could not be written yet.
    unwritten: Packed,
    writes: u32,
    tidied: Instant,
    /// Whether there is more to be purged.
    is_untidy: bool,
}

/// Keeps the log until it is told to stop, or the engine is gone.
pub(super) async fn keep(
    engine: Weak<Inner>,
    queue: Arc<Queue>,
    log: Arc<dyn DecisionLog>,
    settings: LogSettings,
    mut orders: mpsc::Receiver<Order>,
) {
    let unwritten = Packed::default();
    let tidied = Instant::now();
    let mut keeper = Keeper { engine, queue, log, settings, unwritten, writes: 0, tidied, is_untidy: true };
    loop {
        match keeper.next(&mut orders).await {
            Next::Order(Order::Flush(done)) => {
                keeper.flush().await;
                // Whoever asked may have gone.
                let _ = done.send(());
            }
            Next::Order(Order::Stop(done)) => {
                keeper.stop().await;
                let _ = done.send(());
                return;
            }
            Next::Nobody => return keeper.stop().await,
            Next::Time => {
                keeper.flush().await;
                keeper.tidy().await;
            }
        }
    }
}

enum Next {
    Order(Order),
    Time,
    Nobody,
}

impl From<Option<Order>> for Next {
    fn from(order: Option<Order>) -> Self {
        order.map_or(Self::Nobody, Self::Order)
    }
}

impl Keeper {
    /// Waits until there is something to do.
    async fn next(&self, orders: &mut mpsc::Receiver<Order>) -> Next {
        if !self.unwritten.segments.is_empty() {
            return tokio::select! {
                order = orders.recv() => order.into(),
                () = sleep(AGAIN) => Next::Time,
            };
        }
        let pause = if self.is_untidy { FLUSH } else { TIDY };
        tokio::select! {
            order = orders.recv() => return order.into(),
            () = sleep(pause) => return Next::Time,
            () = self.queue.first.notified() => {}
        }
        tokio::select! {
            order = orders.recv() => order.into(),
            () = sleep(FLUSH) => Next::Time,
            () = self.queue.plenty.notified() => Next::Time,
        }
    }

    /// Writes what waits. What can't be written now is kept, and the queue fills meanwhile.
    async fn flush(&mut self) {
        let failed_before = !self.unwritten.segments.is_empty() || !self.unwritten.missed.is_empty();
        if !failed_before {
            let (noted, missed) = self.queue.drain();
            warn_of(&missed);
            let (writer, words) = (self.queue.writer, self.settings.attributes);
            let packed = match noted.is_empty() {
                true => Ok(Vec::new()),
                // Working out the reasons takes long enough to be in the way of calls.
                false => tokio::task::spawn_blocking(move || pack::pack(&noted, writer, words)).await,
            };
            let segments = packed.unwrap_or_else(|error| {
                tracing::error!(%error, "decisions could not be packed for the log and are lost");
                Vec::new()
            });
            self.unwritten = Packed { segments, missed: missed.into_iter().collect() };
        }
        match self.log.append(&self.unwritten).await {
            Ok(()) => {
                if failed_before {
                    tracing::info!("the decision log can be written again");
                }
                if !self.unwritten.segments.is_empty() {
                    self.writes += 1;
                }
                self.unwritten = Packed::default();
            }
            Err(error) if failed_before => tracing::debug!(%error, "the decision log still can't be written"),
            Err(error) => {
                tracing::error!(error = ?error, "the decision log can't be written; decisions wait, and are dropped when they are too many");
            }
        }
    }

    /// Writes the rest and closes the log.
    async fn stop(&mut self) {
        self.queue.close();
        // What could not be written before, and then what came since.
        self.flush().await;
        self.flush().await;
        let lost: usize =
            self.unwritten.segments.iter().map(askfirst_store::decisions::Segment::decisions).sum();
        if lost > 0 {
            tracing::error!(decisions = lost, "decisions could not be written to the log and are lost");
        }
        self.log.close().await;
    }

    /// Does a little of what keeps the log small.
    async fn tidy(&mut self) {
        let Some(engine) = self.engine.upgrade().map(Engine) else { return };
        let now = engine.0.clock.now();
        if self.writes >= MERGE_EVERY {
            self.writes = 0;
            for _ in 0..STEPS {
                match self.log.merge(now).await {
                    Ok(Step::More) => {}
                    Ok(Step::Done) => break,
                    Err(error) => {
                        tracing::warn!(error = ?error, "the decision log could not be merged");
                        break;
                    }
                }
            }
        }
        if self.is_untidy || self.tidied.elapsed() >= TIDY {
            self.tidied = Instant::now();
            self.is_untidy = match self.purge(&engine, now).await {
                Ok(Step::More) => true,
                Ok(Step::Done) => {
                    // Also what is left of hours in which little was decided.
                    self.writes = self.writes.max(1).saturating_mul(MERGE_EVERY);
                    false
                }
                Err(error) => {
                    tracing::warn!(error = ?error, "the decision log could not be purged");
                    false
                }
            };
        }
    }

    async fn purge(&self, engine: &Engine, now: Timestamp) -> Result<Step, askfirst_store::StoreError> {
        // Asked of the database: another process may just have made one.
        let environments = engine.store().environments(None).await?.into_iter().map(|env| env.id).collect();
        let keep = Keep {
            since: self.settings.age.map(|age| before(now, age)),
            bytes: self.settings.bytes,
            environments: Some((environments, before(now, STRANGE))),
        };
        for _ in 0..STEPS {
            if self.log.purge(&keep).await? == Step::Done {
                return Ok(Step::Done);
            }
        }
        Ok(Step::More)
    }
}

fn before(now: Timestamp, by: Duration) -> Timestamp {
    let by = i64::try_from(by.as_micros()).unwrap_or(i64::MAX);
    Timestamp::from_micros(now.micros().saturating_sub(by))
}

fn warn_of(missed: &BTreeMap<EnvId, Missed>) {
    for (env, missed) in missed {
        tracing::warn!(
            %env,
            decisions = missed.decisions,
            from = %missed.from,
            to = %missed.to,
            "decisions were made faster than they can be logged; these are not in the decision log"
        );
    }
}
