//! The task that writes the log and keeps it in order.

use super::{DecisionLog, LogSettings, Missed, pack, queue::Queue};
use crate::{Engine, Inner};
use askfirst_domain::{Timestamp, id::EnvId};
use askfirst_store::{
    StoreError,
    decisions::{Keep, Packed, Segment, Step},
};
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
    /// Since segments were merged.
    writes: u32,
    tidied: Instant,
    /// Whether there may be something to merge.
    merging: Step,
    /// Whether there may be something to purge.
    purging: Step,
}

/// Keeps the log until it is told to stop, or the engine is gone.
pub(super) async fn keep(
    engine: Weak<Inner>,
    queue: Arc<Queue>,
    log: Arc<dyn DecisionLog>,
    settings: LogSettings,
    mut orders: mpsc::Receiver<Order>,
) {
    let mut keeper = Keeper {
        engine,
        queue,
        log,
        settings,
        unwritten: Packed::default(),
        writes: 0,
        tidied: Instant::now(),
        merging: Step::More,
        purging: Step::More,
    };
    loop {
        match keeper.next(&mut orders).await {
            Next::Order(Order::Flush(done)) => {
                keeper.flush().await;
                // Whoever asked may have gone.
                let _ = done.send(());
                // However often somebody asks, there is time for this.
                keeper.tidy().await;
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
        if self.is_behind() {
            return tokio::select! {
                order = orders.recv() => order.into(),
                () = sleep(AGAIN) => Next::Time,
            };
        }
        let is_tidy = self.merging == Step::Done && self.purging == Step::Done;
        let pause = if is_tidy { TIDY } else { FLUSH };
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

    /// Whether there is something that could not be written.
    fn is_behind(&self) -> bool {
        !self.unwritten.segments.is_empty() || !self.unwritten.missed.is_empty()
    }

    /// Writes what waits. What can't be written now is kept, and the queue fills meanwhile.
    async fn flush(&mut self) {
        if self.is_behind() {
            if let Err(error) = self.write().await {
                tracing::debug!(%error, "the decision log still can't be written");
                return;
            }
            tracing::info!("the decision log can be written again");
        }
        let (noted, missed) = self.queue.drain();
        warn_of(&missed);
        self.unwritten.missed = missed.into_iter().collect();
        if !noted.is_empty() {
            let (writer, words) = (self.queue.writer, self.settings.attributes);
            // Working out the reasons takes long enough to be in the way of calls.
            let packed = tokio::task::spawn_blocking(move || pack::pack(&noted, writer, words)).await;
            self.unwritten.segments = packed.unwrap_or_else(|error| {
                tracing::error!(%error, "decisions could not be packed for the log and are lost");
                Vec::new()
            });
            self.writes += 1;
        }
        if let Err(error) = self.write().await {
            tracing::error!(
                error = ?error,
                "the decision log can't be written; decisions wait, and are dropped when they are too many"
            );
        }
    }

    async fn write(&mut self) -> Result<(), StoreError> {
        self.log.append(&self.unwritten).await?;
        self.unwritten = Packed::default();
        Ok(())
    }

    /// Writes the rest and closes the log.
    async fn stop(&mut self) {
        self.queue.close();
        self.flush().await;
        let lost: usize = self.unwritten.segments.iter().map(Segment::decisions).sum();
        if lost > 0 {
            tracing::error!(decisions = lost, "decisions could not be written to the log and are lost");
        }
        self.log.close().await;
    }

    /// Does a little of what keeps the log small.
    async fn tidy(&mut self) {
        let Some(engine) = self.engine.upgrade().map(Engine) else { return };
        let now = engine.0.clock.now();
        let is_time = self.tidied.elapsed() >= TIDY;
        if is_time {
            self.tidied = Instant::now();
            self.purging = Step::More;
        }
        if is_time || self.writes >= MERGE_EVERY {
            self.writes = 0;
            self.merging = Step::More;
        }
        for _ in 0..STEPS {
            if self.merging == Step::More {
                self.merging = left("merged", self.log.merge(now).await);
            }
        }
        if self.purging == Step::More {
            self.purging = left("purged", self.purge(&engine, now).await);
        }
    }

    async fn purge(&self, engine: &Engine, now: Timestamp) -> Result<Step, StoreError> {
        // Asked of the database: another process may just have made one.
        let environments = engine.store().environments(None).await?.into_iter().map(|env| env.id).collect();
        let keep = Keep {
            since: self.settings.age.map(|age| now.minus(age)),
            bytes: self.settings.bytes,
            environments: Some((environments, now.minus(STRANGE))),
        };
        for _ in 0..STEPS {
            if self.log.purge(&keep).await? == Step::Done {
                return Ok(Step::Done);
            }
        }
        Ok(Step::More)
    }
}

/// What is left to do; after a failure nothing, until it is time again.
fn left(what: &'static str, outcome: Result<Step, StoreError>) -> Step {
    outcome.unwrap_or_else(|error| {
        tracing::warn!(error = ?error, what, "the decision log could not be kept small");
        Step::Done
    })
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
