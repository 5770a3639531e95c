//! The decision log: every question that was answered, with the answer and why.
//!
//! A decision is noted and never waited for: noting moves what was asked into a bounded queue, together with the state
//! that it was decided on. A task of its own (`keeper`) takes the queue several times a second, works out from that
//! state why the answer was what it was, and writes it. What does not fit into the queue is counted, and the count is
//! kept with the log.

mod bounds;
mod decide;
mod keeper;
mod pack;
mod queue;
mod read;

pub use askfirst_store::decisions::{
    DecisionFilter, DecisionId, DecisionLog, LeftOut, Mark, Missed, Thing as LoggedThing,
};
pub use decide::Answer;
pub use read::{AskedBy, DecisionPage, DecisionWalk, LoggedDecision, MarkError, Said, mark_text, read_mark};

use crate::{
    Engine,
    error::{Error, Kind, Result},
};
use keeper::Order;
use queue::Queue;
use std::{sync::Arc, time::Duration};
use tokio::{
    sync::{mpsc, oneshot},
    time::timeout,
};

/// By which door a question came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Door {
    /// `/allowed` and its like, as Permit's SDKs ask.
    Pdp,
    /// A question that a proxy asks.
    Proxy,
    AuthZen,
    /// Our own API.
    Api,
    Mcp,
}

impl Door {
    /// Its name in the log.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pdp => "pdp",
            Self::Proxy => "proxy",
            Self::AuthZen => "authzen",
            Self::Api => "api",
            Self::Mcp => "mcp",
        }
    }
}

/// What an operator may set about the log.
#[derive(Debug, Clone)]
pub struct LogSettings {
    /// How long decisions are kept; none means for ever.
    pub age: Option<Duration>,
    /// How many bytes of the log are kept; none means any number.
    pub bytes: Option<u64>,
    pub attributes: CallWords,
}

impl Default for LogSettings {
    fn default() -> Self {
        Self {
            age: Some(Duration::from_hours(30 * 24)),
            bytes: Some(1024 * 1024 * 1024),
            attributes: CallWords::Kept,
        }
    }
}

/// What becomes of the attributes and the context that a call gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallWords {
    /// They are in the log, so that a decision can be made again.
    Kept,
    /// They are not, and neither is what conditions say about them.
    Redacted,
}

/// The log of an engine that keeps one.
#[derive(Debug)]
pub(crate) struct Logging {
    log: Arc<dyn DecisionLog>,
    queue: Arc<Queue>,
    orders: mpsc::Sender<Order>,
}

/// How long a question to the log waits for what was just decided to be in it.
const PATIENCE: Duration = Duration::from_secs(2);

impl Engine {
    /// Keeps a log of decisions from now on. The second call on one engine changes nothing.
    ///
    /// # Errors
    /// When there is no randomness.
    pub fn log_decisions(&self, log: Arc<dyn DecisionLog>, settings: LogSettings) -> Result<()> {
        let mut random = [0; 8];
        self.entropy().fill(&mut random)?;
        let queue = Arc::new(Queue::new(u64::from_le_bytes(random)));
        let (orders, taken) = mpsc::channel(16);
        let logging = Logging { log: Arc::clone(&log), queue: Arc::clone(&queue), orders };
        if self.0.decisions.set(logging).is_ok() {
            tokio::spawn(keeper::keep(Arc::downgrade(&self.0), queue, log, settings, taken));
        }
        Ok(())
    }

    /// Writes what was decided, and closes the log; decisions after it are not logged.
    pub async fn close_decisions(&self) {
        self.order(Order::Stop).await;
    }

    /// Returns when what was decided until now is in the log, or when that takes too long.
    pub(crate) async fn flush_decisions(&self) {
        // Where it takes too long, the list is answered with what is there.
        let _ = timeout(PATIENCE, self.order(Order::Flush)).await;
    }

    async fn order(&self, order: fn(oneshot::Sender<()>) -> Order) {
        let Some(logging) = self.0.decisions.get() else { return };
        let (done, answer) = oneshot::channel();
        if logging.orders.send(order(done)).await.is_ok() {
            // No answer means that the keeper has ended, and has written all before.
            let _ = answer.await;
        }
    }

    fn decision_log(&self) -> Result<&Arc<dyn DecisionLog>> {
        self.0.decisions.get().map(|logging| &logging.log).ok_or_else(|| {
            Error::new(Kind::NotFound, "This server keeps no decision log: it runs with --no-decision-log.")
        })
    }
}
