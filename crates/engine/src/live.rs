//! The live state of an environment: a snapshot in memory that readers take without a lock and that follows the change
//! log, revision by revision, whichever process wrote it.

use crate::{
    audit::Feed,
    error::{Error, Kind, Result},
    level::{Level, Target},
    task::Task,
};
use arc_swap::ArcSwap;
use askfirst_domain::{RevisionToken, change::Change, id::EnvId, request::Request};
use askfirst_policy::{Limits, Loader, Snapshot};
use askfirst_store::{Committed, Head, Store, StoreError};
use std::{
    collections::BTreeMap,
    sync::{
        Arc, OnceLock, Weak,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::{
    sync::{Mutex, Notify, broadcast, watch},
    time::{Instant, sleep, timeout},
};
use uuid::Uuid;

/// How many decisions a slow listener may be behind before it has to read the store again.
const EVENTS_KEPT: usize = 1024;
/// How many changes are read from the log at once.
const CATCH_UP: usize = 10_000;
/// How long a writer of this process is left to bring the state further itself before the log is read.
const SETTLE: Duration = Duration::from_millis(20);
/// How long to let the database be after it has failed.
const RETRY: Duration = Duration::from_millis(250);
/// How long a commit that is on the disk may take to show.
const SHOW: Duration = Duration::from_secs(5);

/// The state of an environment at one revision.
#[derive(Debug, Clone)]
pub struct LiveState {
    pub env: EnvId,
    pub epoch: Uuid,
    pub revision: u64,
    /// The newest revision that changed the schema, or an earlier state's whole revision after a start.
    pub schema_revision: u64,
    pub snapshot: Snapshot,
}

impl LiveState {
    /// Where this state stands, for callers to hand back.
    pub fn token(&self) -> RevisionToken {
        RevisionToken { epoch: self.epoch, env: self.env, revision: self.revision }
    }

    async fn load(store: &dyn Store, env: EnvId, limits: Limits) -> Result<Self, StoreError> {
        let mut loader = Loader::within(limits);
        let head = store.load(env, &mut |changes| loader.load(&changes)).await?;
        Ok(Self {
            env,
            epoch: head.epoch,
            revision: head.revision,
            schema_revision: head.revision,
            snapshot: loader.finish(),
        })
    }
}

/// The live state and whoever waits for it to change.
#[derive(Debug)]
pub(crate) struct Live {
    env: EnvId,
    limits: Limits,
    state: ArcSwap<LiveState>,
    /// Commits that were answered before the ones in front of them. Held while applying, so states never go back.
    waiting: Mutex<BTreeMap<u64, Vec<Change>>>,
    /// Another one after a reload, so that whoever listened to the one before looks again.
    requests: ArcSwap<broadcast::Sender<Arc<Request>>>,
    /// The audit log as it grows.
    feed: Feed,
    /// The newest revision that changed the schema, for whoever waits for that.
    schema: watch::Sender<u64>,
    /// How many commits of this process are under way; each brings the state further by itself.
    writing: AtomicUsize,
    /// One of them has ended.
    settled: Notify,
    /// The database may have something that is not here.
    nudged: Arc<Notify>,
    level: Level,
    target: Target,
    follower: OnceLock<Task>,
}

/// What reading the log came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Caught {
    /// The state is as new as the log was when it was read.
    Up,
    /// There may be more.
    Partly,
    /// The environment is not there any more.
    Gone,
}

/// A commit of this process that is under way.
#[derive(Debug)]
pub(crate) struct Writing<'l>(&'l Live);

impl Drop for Writing<'_> {
    fn drop(&mut self) {
        self.0.writing.fetch_sub(1, Ordering::AcqRel);
        self.0.settled.notify_one();
    }
}

impl Live {
    /// Builds the state from the store, and follows the log from there for as long as somebody holds this.
    pub(crate) async fn start(store: &Arc<dyn Store>, env: EnvId, limits: Limits) -> Result<Arc<Self>> {
        let asked = Instant::now();
        let state = LiveState::load(store.as_ref(), env, limits).await?;
        let live = Arc::new(Self {
            env,
            limits,
            state: ArcSwap::from_pointee(state),
            waiting: Mutex::default(),
            requests: ArcSwap::from_pointee(broadcast::channel(EVENTS_KEPT).0),
            feed: Feed::of(env),
            schema: watch::channel(0).0,
            writing: AtomicUsize::new(0),
            settled: Notify::new(),
            nudged: Arc::default(),
            level: Level::known_at(asked),
            target: Target::default(),
            follower: OnceLock::new(),
        });
        let follower = Task::spawn(follow(Arc::downgrade(&live), Arc::clone(store)));
        // Nobody else has this yet, so nobody has set one.
        let _ = live.follower.set(follower);
        Ok(live)
    }

    /// The newest state that this process has.
    pub(crate) fn state(&self) -> Arc<LiveState> {
        self.state.load_full()
    }

    /// Looks at the newest state without counting a reference to it, for the hot path.
    pub(crate) fn with<T>(&self, look: impl FnOnce(&LiveState) -> T) -> T {
        look(&self.state.load())
    }

    fn revision(&self) -> u64 {
        self.state.load().revision
    }

    /// Every request as it is written, from now on, by whichever process. A listener that lags must read the store, and
    /// so must one whose channel was closed.
    pub(crate) fn requests(&self) -> broadcast::Receiver<Arc<Request>> {
        self.requests.load().subscribe()
    }

    /// The audit log as it grows.
    pub(crate) fn feed(&self) -> &Feed {
        &self.feed
    }

    /// Changes whenever the schema has, by whichever process.
    pub(crate) fn schema_moves(&self) -> watch::Receiver<u64> {
        self.schema.subscribe()
    }

    /// How long it is not known that this was level with the database.
    pub(crate) fn lag(&self) -> Duration {
        self.level.lag()
    }

    /// Takes what the database said of the environment when it was asked at `asked`.
    pub(crate) fn seen(&self, asked: Instant, head: Head) {
        let state = self.state.load();
        if head.epoch != state.epoch {
            self.nudged.notify_one();
            return;
        }
        if let Some(known) = self.target.seen(asked, head.revision, state.revision) {
            self.level.known(known);
        }
        if head.revision > state.revision {
            self.nudged.notify_one();
        }
    }

    /// To be held while a commit of this process is under way.
    pub(crate) fn writing(&self) -> Writing<'_> {
        self.writing.fetch_add(1, Ordering::AcqRel);
        Writing(self)
    }

    /// Takes a commit that the store has answered; returns once the state shows it.
    ///
    /// # Errors
    /// When the commits in front of it can't be read for a long time. It is written all the same.
    pub(crate) async fn committed(
        &self,
        store: &dyn Store,
        committed: Committed,
        changes: Vec<Change>,
    ) -> Result<()> {
        {
            let mut waiting = self.waiting.lock().await;
            // Of another epoch, it means nothing beside what waits; without changes, its revision is somebody else's. The
            // log has both.
            if committed.epoch == self.state.load().epoch && !changes.is_empty() {
                waiting.insert(committed.revision, changes);
                self.advance(&mut waiting);
            }
        }
        match timeout(SHOW, self.reach(store, committed.epoch, committed.revision)).await {
            Ok(()) => Ok(()),
            Err(_) => Err(Error::new(
                Kind::Unavailable,
                "This was written, but it can't be shown yet because the database does not answer; read it again \
                 before you write it again.",
            )),
        }
    }

    /// Returns once the state shows a revision of an epoch, or belongs to another epoch than both; for a revision that
    /// the log has.
    pub(crate) async fn reach(&self, store: &dyn Store, epoch: Uuid, revision: u64) {
        let before = self.state.load().epoch;
        loop {
            let now = self.with(|state| (state.epoch, state.revision));
            if (now.0 == epoch && now.1 >= revision) || (now.0 != epoch && now.0 != before) {
                return;
            }
            match self.read_log_again(store, epoch, revision).await {
                Ok(Caught::Gone) => return,
                Ok(Caught::Partly) => {}
                Ok(Caught::Up) => sleep(SETTLE).await,
                Err(_) => sleep(RETRY).await,
            }
        }
    }

    /// Reads the log, unless somebody has brought the state there while this waited to.
    async fn read_log_again(
        &self,
        store: &dyn Store,
        epoch: Uuid,
        revision: u64,
    ) -> Result<Caught, StoreError> {
        let mut waiting = self.waiting.lock().await;
        if self.with(|state| state.epoch == epoch && state.revision >= revision) {
            return Ok(Caught::Partly);
        }
        self.read_log(store, &mut waiting).await
    }

    /// Reads what others have written.
    pub(crate) async fn catch_up(&self, store: &dyn Store) -> Result<()> {
        self.read_whole_log(store).await?;
        Ok(())
    }

    async fn read_whole_log(&self, store: &dyn Store) -> Result<Caught, StoreError> {
        let mut waiting = self.waiting.lock().await;
        loop {
            match self.read_log(store, &mut waiting).await? {
                Caught::Partly => {}
                done => return Ok(done),
            }
        }
    }

    async fn read_log(
        &self,
        store: &dyn Store,
        waiting: &mut BTreeMap<u64, Vec<Change>>,
    ) -> Result<Caught, StoreError> {
        let (epoch, before) = self.with(|state| (state.epoch, state.revision));
        let records = store.changes_after(self.env, before, CATCH_UP).await?;
        // Looked at afterwards: what was read is of this epoch, or of none that counts.
        let Some(head) = store.head(self.env).await? else { return Ok(Caught::Gone) };
        if head.epoch != epoch || head.revision < before {
            waiting.clear();
            self.state.store(Arc::new(LiveState::load(store, self.env, self.limits).await?));
            self.schema.send_modify(|schema| *schema = head.revision);
            self.requests.store(Arc::new(broadcast::channel(EVENTS_KEPT).0));
            self.feed.replaced().await;
            return Ok(Caught::Partly);
        }
        let mut by_revision: BTreeMap<u64, Vec<Change>> = BTreeMap::new();
        for record in records {
            by_revision.entry(record.revision).or_default().push(record.change);
        }
        waiting.extend(by_revision);
        self.advance(waiting);
        Ok(if self.revision() >= head.revision { Caught::Up } else { Caught::Partly })
    }

    /// Applies what follows the state without a gap.
    fn advance(&self, waiting: &mut BTreeMap<u64, Vec<Change>>) {
        let mut state = LiveState::clone(&self.state.load());
        let mut written = Vec::new();
        let before = state.revision;
        while let Some(entry) = waiting.first_entry() {
            let revision = *entry.key();
            if revision > state.revision + 1 {
                break;
            }
            let changes = entry.remove();
            if revision <= state.revision {
                continue;
            }
            state.snapshot = state.snapshot.apply(&changes);
            state.revision = revision;
            if changes.iter().any(Change::is_schema) {
                state.schema_revision = revision;
            }
            written.extend(changes.into_iter().filter_map(|change| match change {
                Change::PutRequest(request) => Some(Arc::from(request)),
                _ => None,
            }));
        }
        if state.revision > before {
            let schema = state.schema_revision;
            self.state.store(Arc::new(state));
            self.feed.grew();
            self.schema.send_if_modified(|known| std::mem::replace(known, schema) != schema);
        }
        let requests = self.requests.load();
        for request in written {
            // Nobody listening is no failure.
            let _ = requests.send(request);
        }
    }
}

/// Follows the log for as long as somebody holds the environment's state.
async fn follow(live: Weak<Live>, store: Arc<dyn Store>) {
    loop {
        let Some((env, before, nudged)) =
            live.upgrade().map(|live| (live.env, live.revision(), Arc::clone(&live.nudged)))
        else {
            return;
        };
        // The state is not held while nothing happens, so that it can end.
        let moved = tokio::select! {
            moved = store.moved(env, before) => moved,
            () = nudged.notified() => Ok(()),
        };
        let Some(live) = live.upgrade() else { return };
        let read = match moved {
            Ok(()) => live.take_in(store.as_ref(), before).await,
            Err(error) => Err(error),
        };
        match read {
            Ok(Caught::Gone) | Err(StoreError::Closed | StoreError::NoSuchEnvironment(_)) => return,
            // Woken for nothing: not again at once.
            Ok(Caught::Up) if live.revision() == before => sleep(SETTLE).await,
            Ok(Caught::Up | Caught::Partly) => {}
            Err(error) => {
                tracing::debug!(%error, %env, "the change log can't be followed; trying again");
                drop(live);
                sleep(RETRY).await;
            }
        }
    }
}

impl Live {
    /// Brings the state beyond a revision, by way of this process's own commits if there are any.
    async fn take_in(&self, store: &dyn Store, before: u64) -> Result<Caught, StoreError> {
        if self.writing.load(Ordering::Acquire) > 0 {
            // Commits of others may take as long as they like, so no longer than this.
            let _ = timeout(SETTLE, self.settled.notified()).await;
            if self.revision() > before {
                return Ok(Caught::Partly);
            }
        }
        self.read_whole_log(store).await
    }
}
