//! Which revision an answer stands at, and calls that demand one.

use crate::{
    Engine, EnvScope, LiveState,
    error::{Error, Kind, Result},
    live::Live,
};
use askfirst_domain::RevisionToken;
use askfirst_store::Head;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::time::timeout;

/// What a call has seen of its environment; all clones are one.
#[derive(Debug, Clone, Default)]
pub(crate) struct Seen(Arc<Mutex<Option<Head>>>);

impl Seen {
    /// The call has seen, or written, this.
    pub(crate) fn note(&self, head: Head) {
        // A head is never half written, so a poisoned lock has nothing broken behind it.
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match &mut *seen {
            Some(before) if before.epoch == head.epoch => {
                before.revision = before.revision.max(head.revision);
            }
            other => *other = Some(head),
        }
    }

    fn get(&self) -> Option<Head> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Names the revision of an answer, once it is made.
#[derive(Debug, Clone)]
pub struct Trail {
    engine: Engine,
    live: Arc<Live>,
    seen: Seen,
}

impl Trail {
    /// The revision of an answer that came from the live state alone: the newest one that the call has looked at.
    pub fn decided(&self) -> RevisionToken {
        let now = self.live.with(LiveState::token);
        match self.seen.get() {
            Some(head) => RevisionToken { epoch: head.epoch, revision: head.revision, ..now },
            None => now,
        }
    }

    /// The revision of an answer that may come from the store as well, which can be ahead of the live state: one at which
    /// everything that was read there holds. None when the environment is not there any more.
    pub async fn read(&self) -> Option<RevisionToken> {
        let decided = self.decided();
        match self.engine.store().head(decided.env).await {
            Ok(head) => {
                head.map(|head| RevisionToken { epoch: head.epoch, revision: head.revision, ..decided })
            }
            // What can't be read now has hardly been read just before.
            Err(_) => Some(decided),
        }
    }
}

impl EnvScope {
    /// For naming the revision of this call's answer.
    pub fn trail(&self) -> Trail {
        Trail { engine: self.engine.clone(), live: Arc::clone(&self.live), seen: self.seen.clone() }
    }

    /// Looks at the newest state without counting a reference to it, for the hot path.
    pub(crate) fn look<T>(&self, look: impl FnOnce(&LiveState) -> T) -> T {
        self.live.with(|state| {
            self.seen.note(Head { epoch: state.epoch, revision: state.revision });
            look(state)
        })
    }

    /// Returns once this process shows what a token names, so that the call is answered from there or from later. Waits
    /// no longer than the settings say.
    ///
    /// # Errors
    /// [`Kind::Invalid`] for a text that is no token, or one of another environment; [`Kind::Conflict`] for a token of a
    /// history that a restored backup has ended, or of a revision that has not happened; [`Kind::Unavailable`] when the
    /// time is over.
    pub async fn at_least(&self, token: &str) -> Result<()> {
        let token: RevisionToken = token.trim().parse().map_err(|_| {
            Error::invalid(
                "The revision that is demanded can't be read; send it exactly as the header askfirst-revision of an \
                 answer has given it.",
            )
        })?;
        if token.env != self.env.id {
            return Err(Error::invalid(
                "The revision that is demanded is of another environment; send one that an answer of this environment has given.",
            ));
        }
        let has = |state: &LiveState| state.epoch == token.epoch && state.revision >= token.revision;
        if self.live.with(has) {
            return Ok(());
        }
        let late = || {
            Error::new(
                Kind::Unavailable,
                format!(
                    "This replica has not reached the revision that is demanded within {} s; try again, or ask another replica.",
                    self.engine.settings().at_least_wait.as_secs_f64()
                ),
            )
        };
        match timeout(self.engine.settings().at_least_wait, self.reach(token)).await {
            Ok(reached) => reached,
            Err(_) => Err(late()),
        }
    }

    async fn reach(&self, token: RevisionToken) -> Result<()> {
        let store = self.engine.store();
        let head = store.head(token.env).await?.ok_or_else(|| {
            Error::new(Kind::NotFound, "The environment of this credential does not exist any more.")
        })?;
        if head.epoch != token.epoch {
            return Err(Error::conflict(
                "The revision that is demanded is from before this environment was restored from a backup; read again what \
                 you need, and go on from the revision of that answer.",
            ));
        }
        if head.revision < token.revision {
            return Err(Error::conflict(format!(
                "The revision that is demanded has not happened: this environment is at revision {}. Perhaps a backup was \
                 restored; read again what you need.",
                head.revision
            )));
        }
        self.live.reach(store, token.epoch, token.revision).await;
        Ok(())
    }
}
