//! Following an environment's audit log: from any place in it, without a gap, for as long as the credential is good.
//!
//! Nothing is kept for a follower: it says up to where it has the log. The credential is held against the place again
//! before anything of the log is given, so that one that was revoked hears nothing more.

use super::feed::After;
use crate::{Acting, Engine, EnvScope, Secret, error::Result};
use askfirst_domain::{
    Timestamp,
    audit::{AuditEvent, Entry, Hash},
    id::RequestId,
    request::{Request, Status},
    scope::SessionKind,
};
use std::{sync::Arc, time::Duration};
use tokio::{
    sync::watch,
    time::{Instant, sleep},
};

/// How long nothing is said while nothing happens.
const QUIET: Duration = Duration::from_secs(15);
/// How many events are read from the store at once.
const PAGE: u32 = 500;
/// How long a follower may leave what there is to take, unless it is said otherwise.
const PATIENCE: Duration = Duration::from_mins(1);

/// Which events are told.
#[derive(Debug, Clone, Default)]
pub struct EventFilter {
    /// Those of one request.
    pub request: Option<RequestId>,
    /// A code (`request.approved`), or the part before the dot for all that begin so.
    pub code: Option<String>,
}

impl EventFilter {
    fn passes(&self, event: &AuditEvent) -> bool {
        let topic = event.code.split_once('.').map_or(event.code.as_str(), |(topic, _)| topic);
        self.request.is_none_or(|request| event.request == Some(request))
            && self.code.as_ref().is_none_or(|code| *code == event.code || code == topic)
    }
}

/// An event with its place in the log.
#[derive(Debug, Clone, PartialEq)]
pub struct News {
    /// From 1, without gaps.
    pub n: u64,
    /// The hash of the log up to this event.
    pub hash: Hash,
    pub event: AuditEvent,
}

/// That something happened to a request which the person may see. Says no more than where to look.
#[derive(Debug, Clone, PartialEq)]
pub struct Notice {
    /// The event's place in the log.
    pub n: u64,
    pub at: Timestamp,
    /// What happened, such as `request.created`.
    pub code: String,
    pub request: Box<Request>,
    /// Whether it waits for this person's decision now.
    pub waits: bool,
}

/// What a follower is told.
#[derive(Debug, Clone, PartialEq)]
pub enum Told {
    /// To whoever holds a key of the environment.
    Events(Vec<News>),
    /// To a signed-in person.
    Notices(Vec<Notice>),
    /// Nothing has happened for a while; the follower has the log up to this event.
    Quiet(u64),
    /// Nothing more is told.
    Ended(Ended),
}

/// Why nothing more is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// The follower has left what there was for too long. It may come back and say where it was.
    Slow,
    /// The log ends before what the follower has, at this event: a backup was restored, or there never was such an event.
    Elsewhere(u64),
}

/// For whom it is.
#[derive(Debug)]
enum Follower {
    Key(Secret),
    Browser(Secret),
}

/// With what rights, at this moment.
enum Eyes {
    /// A key of the environment.
    Environment,
    Person(Box<Acting>),
}

/// Somebody who follows.
#[derive(Debug)]
pub struct Follow {
    engine: Engine,
    scope: EnvScope,
    follower: Follower,
    filter: EventFilter,
    /// Up to where the follower has the log.
    after: u64,
    grown: watch::Receiver<u64>,
    /// When the last was given.
    given: Option<Instant>,
    patience: Duration,
}

impl Engine {
    /// Follows the log of the environment that a key is for, after event `after` or, without one, from now on.
    ///
    /// # Errors
    /// Those of [`Engine::authenticate`] and [`Engine::enter_own`].
    pub async fn follow(&self, key: Secret, after: Option<u64>, filter: EventFilter) -> Result<Follow> {
        let scope = self.enter_own(self.authenticate(&key).await?).await?;
        self.follow_in(scope, Follower::Key(key), after, filter).await
    }

    /// Follows what happens to the requests that the person of a browser's session may see.
    ///
    /// # Errors
    /// Those of [`Engine::authenticate_session`] and [`Engine::act`].
    pub async fn follow_as_person(&self, session: Secret, after: Option<u64>) -> Result<Follow> {
        let op = self.authenticate_session(&session, SessionKind::Browser).await?;
        let scope = self.act(op).await?.scope;
        self.follow_in(scope, Follower::Browser(session), after, EventFilter::default()).await
    }

    async fn follow_in(
        &self,
        scope: EnvScope,
        follower: Follower,
        after: Option<u64>,
        filter: EventFilter,
    ) -> Result<Follow> {
        // Heard of before it is looked where the log ends, so that nothing can happen in between.
        let grown = scope.live.feed().follow();
        let after = match after {
            Some(after) => after,
            None => scope.live.feed().end(self.store()).await?,
        };
        Ok(Follow {
            engine: self.clone(),
            scope,
            follower,
            filter,
            after,
            grown,
            given: None,
            patience: PATIENCE,
        })
    }
}

impl Follow {
    /// Lets the follower leave what there is to take for so long; then it is told that it is too slow, and nothing more.
    #[must_use]
    pub fn with_patience(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    /// What happens next. Waits for it, but not for ever: see [`Told::Quiet`].
    ///
    /// # Errors
    /// When the credential opens the environment no more, and when the store fails. Nothing is lost: the follower may come
    /// back and say where it was.
    pub async fn next(&mut self) -> Result<Told> {
        if self.given.take().is_some_and(|at| at.elapsed() > self.patience) {
            return Ok(Told::Ended(Ended::Slow));
        }
        loop {
            let eyes = self.eyes().await?;
            self.grown.borrow_and_update();
            let entries = match self.scope.live.feed().after(self.engine.store(), self.after).await? {
                After::Entries(entries) => entries,
                After::Older => self.read().await?,
                After::Nowhere(end) => return Ok(Told::Ended(Ended::Elsewhere(end))),
                After::Nothing => {
                    tokio::select! {
                        _ = self.grown.changed() => continue,
                        () = sleep(QUIET) => return Ok(Told::Quiet(self.after)),
                    }
                }
            };
            let told = match &eyes {
                Eyes::Environment => self.events(&entries)?,
                Eyes::Person(acting) => notices(acting, &entries).await?,
            };
            self.after = entries.last().map_or(self.after, |last| last.n);
            if let Some(told) = told {
                self.given = Some(Instant::now());
                return Ok(told);
            }
        }
    }

    /// The rights that the credential has now.
    async fn eyes(&self) -> Result<Eyes> {
        Ok(match &self.follower {
            Follower::Key(key) => {
                self.engine.enter_own(self.engine.authenticate(key).await?).await?;
                Eyes::Environment
            }
            Follower::Browser(session) => {
                let op = self.engine.authenticate_session(session, SessionKind::Browser).await?;
                Eyes::Person(Box::new(self.engine.act(op).await?))
            }
        })
    }

    async fn read(&self) -> Result<Vec<Arc<Entry>>> {
        let read = self.engine.store().audit_chain(Some(self.scope.env.id), self.after, PAGE).await?;
        Ok(read.into_iter().map(Arc::new).collect())
    }

    fn events(&self, entries: &[Arc<Entry>]) -> Result<Option<Told>> {
        let mut news = Vec::new();
        for entry in entries {
            let entry = News::of(entry)?;
            if self.filter.passes(&entry.event) {
                news.push(entry);
            }
        }
        Ok((!news.is_empty()).then_some(Told::Events(news)))
    }
}

/// What a person is told of events: those of requests that they may see, as these are now.
async fn notices(acting: &Acting, entries: &[Arc<Entry>]) -> Result<Option<Told>> {
    let mut notices = Vec::new();
    for entry in entries {
        let News { event, .. } = News::of(entry)?;
        let Some(request) = event.request else { continue };
        let Some((request, rights)) = acting.glimpse(request).await? else { continue };
        let waits = request.status == Status::Pending && rights.decide;
        notices.push(Notice {
            n: entry.n,
            at: event.at,
            code: event.code,
            request: Box::new(request),
            waits,
        });
    }
    Ok((!notices.is_empty()).then_some(Told::Notices(notices)))
}
