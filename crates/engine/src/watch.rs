//! Keeping an eye on the database: what other processes have written, and how far behind this one is.
//!
//! Each environment follows its own log (see `live`). This sees what a log does not say: keys and environments that were
//! made or taken away, another epoch, and that the database answers at all.

use crate::{
    Engine, Inner,
    error::{Error, Kind, Result},
    task::Task,
};
use askfirst_store::StoreError;
use std::{
    sync::{Arc, Weak},
    time::Duration,
};
use tokio::time::{Instant, sleep, timeout};

/// How often the database is looked at, whether or not anybody says that something has moved.
const LOOK: Duration = Duration::from_millis(250);
/// How long a look may take before it is given up for another one.
const PATIENCE: Duration = Duration::from_secs(2);

/// Watches for as long as there is an engine.
pub(crate) fn start(engine: &Engine) -> Task {
    Task::spawn(watch(Arc::downgrade(&engine.0)))
}

async fn watch(engine: Weak<Inner>) {
    let mut answers = true;
    loop {
        let Some((store, version)) =
            engine.upgrade().map(|e| (Arc::clone(&e.store), e.directory.get().version()))
        else {
            return;
        };
        // The engine is not held while nothing happens, so that it can end.
        let told = tokio::select! {
            moved = store.directory_moved(version) => match moved {
                Ok(()) => true,
                Err(_) => return,
            },
            () = sleep(LOOK) => false,
        };
        let Some(engine) = engine.upgrade().map(Engine) else { return };
        let looked = match timeout(PATIENCE, engine.look()).await {
            Ok(Err(StoreError::Closed)) => return,
            Ok(Ok(looked)) => Ok(looked),
            Ok(Err(error)) => Err(error.to_string()),
            Err(late) => Err(late.to_string()),
        };
        drop(engine);
        match &looked {
            Ok(_) if !answers => tracing::info!("the database answers again"),
            Err(error) if answers => tracing::warn!(%error, "the database does not answer; trying again"),
            _ => {}
        }
        answers = looked.is_ok();
        if told && !matches!(looked, Ok(Looked::Moved)) {
            // What was told was about nothing: not again at once.
            sleep(LOOK).await;
        }
    }
}

/// What a look at the database found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Looked {
    /// The directory is as it was.
    Same,
    /// The directory was read anew.
    Moved,
}

impl Engine {
    /// Compares what is here with what the database has.
    async fn look(&self) -> Result<Looked, StoreError> {
        let asked = Instant::now();
        let position = self.store().position().await?;
        let directory = self.directory();
        let here = self.0.live.load_full();
        let here = || here.iter().filter_map(|(env, cell)| Some((*env, cell.get()?)));
        // A restored backup may have any version.
        let restored = here().any(|(env, live)| {
            position.heads.get(&env).is_some_and(|head| live.with(|state| state.epoch != head.epoch))
        });
        let looked = if restored || directory.get().version() != position.directory {
            directory.reload(self.store()).await?;
            Looked::Moved
        } else {
            directory.known(asked);
            Looked::Same
        };
        let listing = directory.get();
        for (env, live) in here() {
            match position.heads.get(&env) {
                Some(head) => {
                    live.seen(asked, *head);
                    live.feed().heard(position.events.get(&env).copied().unwrap_or_default());
                }
                // It may have been made since.
                None if listing.environment_by_id(env).is_none() => self.forget(env),
                None => {}
            }
        }
        Ok(looked)
    }

    /// How long it is not known that everything here was level with the database.
    pub fn lag(&self) -> Duration {
        let live = self.0.live.load();
        let environments = live.values().filter_map(|cell| Some(cell.get()?.lag()));
        environments.chain([self.directory().lag()]).max().unwrap_or_default()
    }

    /// Refuses when what is here is further behind than it may be.
    ///
    /// # Errors
    /// [`Kind::Unavailable`].
    pub(crate) fn fresh_enough(&self, lag: impl FnOnce() -> Duration) -> Result<()> {
        let Some(most) = self.settings().max_lag else { return Ok(()) };
        let lag = lag();
        if lag <= most {
            return Ok(());
        }
        Err(Error::new(
            Kind::Unavailable,
            format!(
                "This replica has not heard from the database for {:.1} s, longer than the {} s for which it may answer from memory; \
                 try again, or ask another replica.",
                lag.as_secs_f64(),
                most.as_secs_f64()
            ),
        ))
    }

    /// Whether the database answers, and this process is not too far behind it.
    ///
    /// # Errors
    /// [`Kind::Unavailable`] with the reason.
    pub async fn ready(&self) -> Result<()> {
        if !matches!(timeout(PATIENCE, self.store().ping()).await, Ok(Ok(()))) {
            return Err(Error::new(Kind::Unavailable, "The database does not answer."));
        }
        self.fresh_enough(|| self.lag())
    }
}
