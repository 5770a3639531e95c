//! The use cases: the only place where things happen.
//!
//! Transports translate a call, make an [`Op`] from the credential, call one function here and translate back. Nothing
//! here knows a transport; nothing elsewhere touches the store or the policy.

mod access;
pub mod audit;
mod commit;
mod context;
mod directory;
mod error;
mod jwk;
mod level;
mod live;
mod patch;
mod revision;
mod secret;
mod task;
mod watch;

pub mod admin;
pub mod agents;
pub mod authzen;
pub mod check;
pub mod decisions;
pub mod delivery;
pub mod elements;
pub mod facts;
pub mod oidc;
pub mod passwords;
pub mod policy;
pub mod requests;
pub mod schema;

pub use access::{Acting, EnvScope, OrgScope, Via};
pub use audit::ChainPart;
pub use context::{Clock, Entropy, EntropyError, Op, SystemClock, SystemEntropy};
pub use error::{Error, Kind, Result};
pub use live::LiveState;
pub use patch::Patch;
pub use revision::Trail;
pub use secret::Secret;

pub use askfirst_policy::{Limits as PolicyLimits, condition::ConditionLimits};
pub use askfirst_store::{Listed, OutboxFilter, Page, Queued};

use arc_swap::ArcSwap;
use askfirst_domain::{audit::SigningKey, id::EnvId};
use askfirst_store::Store;
use directory::Directory;
use live::Live;
use std::{
    collections::HashMap,
    sync::{Arc, OnceLock},
    time::Duration,
};
use task::Task;
use tokio::sync::{Notify, OnceCell};

/// What an engine is made of.
#[derive(Debug)]
pub struct Parts {
    pub store: Arc<dyn Store>,
    pub clock: Arc<dyn Clock>,
    pub entropy: Arc<dyn Entropy>,
    pub settings: Settings,
}

/// What an operator may set.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where browsers reach the server, without a slash at the end: `http://127.0.0.1:7766`.
    pub public_url: String,
    /// How long a call that demands a revision may wait for it; see [`EnvScope::at_least`].
    pub at_least_wait: Duration,
    /// How long this process may answer from memory without hearing from the database. None where nobody else writes to
    /// the database: then there is nothing to be behind.
    pub max_lag: Option<Duration>,
    /// How far decisions look, and how large conditions may be.
    pub policy: PolicyLimits,
    /// Where every event of a request goes, besides what elements say.
    pub webhook: Option<delivery::Hook>,
    /// Where submitters of access requests may be called back; none: nowhere.
    pub callbacks: Option<delivery::Callbacks>,
    /// The way to a mail server; none: nobody is told by e-mail.
    pub post: Option<delivery::Post>,
    /// Which addresses webhooks may have.
    pub reach: delivery::Reach,
    /// With whom humans may sign in; none: with links and passwords alone.
    pub oidc: Option<Arc<oidc::Issuer>>,
    /// How long requests wait, and how long operation approvals last.
    pub requests: requests::RequestTimes,
}

impl Default for Settings {
    /// For one process on its own database, where browsers reach the usual port of this machine.
    fn default() -> Self {
        Self {
            public_url: "http://127.0.0.1:7766".to_owned(),
            at_least_wait: Duration::from_secs(2),
            max_lag: None,
            policy: PolicyLimits::default(),
            webhook: None,
            callbacks: None,
            post: None,
            reach: delivery::Reach::default(),
            oidc: None,
            requests: requests::RequestTimes::default(),
        }
    }
}

/// The engine. Cheap to clone; all clones are one.
#[derive(Debug, Clone)]
pub struct Engine(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    settings: Settings,
    directory: Directory,
    /// Read at each call without a lock; another map for each environment that comes or goes.
    live: ArcSwap<LiveMap>,
    watch: OnceLock<Task>,
    decisions: OnceLock<decisions::Logging>,
    /// Something was left in the outbox.
    left: Notify,
    /// With what audit logs are signed.
    signing: OnceLock<SigningKey>,
    /// With what tokens are signed.
    tokens: authzen::TokenKeys,
    passwords: passwords::Passwords,
}

type LiveMap = HashMap<EnvId, Arc<OnceCell<Arc<Live>>>>;

impl Engine {
    /// Starts on a store, which may be empty; see [`admin::start::first_start`].
    ///
    /// # Errors
    /// When the store can't be read.
    pub async fn start(parts: Parts) -> Result<Self> {
        let directory = Directory::load(parts.store.as_ref()).await?;
        let engine = Self(Arc::new(Inner {
            store: parts.store,
            clock: parts.clock,
            entropy: parts.entropy,
            settings: parts.settings,
            directory,
            live: ArcSwap::default(),
            watch: OnceLock::new(),
            decisions: OnceLock::new(),
            left: Notify::new(),
            signing: OnceLock::new(),
            tokens: authzen::TokenKeys::default(),
            passwords: passwords::Passwords::default(),
        }));
        for env in engine.0.directory.get().environments() {
            engine.live(env.id).await?;
        }
        // Nobody else has this engine yet, so nobody has set one.
        let _ = engine.0.watch.set(watch::start(&engine));
        Ok(engine)
    }

    /// The settings.
    pub fn settings(&self) -> &Settings {
        &self.0.settings
    }

    /// Now, for whoever waits within a call.
    pub(crate) fn now(&self) -> askfirst_domain::Timestamp {
        self.0.clock.now()
    }

    pub(crate) fn store(&self) -> &dyn Store {
        self.0.store.as_ref()
    }

    pub(crate) fn entropy(&self) -> &dyn Entropy {
        self.0.entropy.as_ref()
    }

    pub(crate) fn passwords(&self) -> &passwords::Passwords {
        &self.0.passwords
    }

    pub(crate) fn directory(&self) -> &Directory {
        &self.0.directory
    }

    /// The live state of an environment; loads it the first time.
    pub(crate) async fn live(&self, env: EnvId) -> Result<Arc<Live>> {
        let known = self.0.live.load().get(&env).cloned();
        let cell = known.unwrap_or_else(|| self.place_for(env));
        cell.get_or_try_init(|| Live::start(&self.0.store, env, self.0.settings.policy)).await.cloned()
    }

    /// Where the live state of an environment goes; one for all who ask.
    fn place_for(&self, env: EnvId) -> Arc<OnceCell<Arc<Live>>> {
        let empty = Arc::default();
        self.0.live.rcu(|map| {
            let mut map = LiveMap::clone(map);
            map.entry(env).or_insert_with(|| Arc::clone(&empty));
            map
        });
        self.0.live.load().get(&env).map_or(empty, Arc::clone)
    }

    /// Forgets a deleted environment.
    pub(crate) fn forget(&self, env: EnvId) {
        self.0.live.rcu(|map| {
            let mut map = LiveMap::clone(map);
            map.remove(&env);
            map
        });
    }
}
