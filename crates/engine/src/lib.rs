//! The use cases: the only place where things happen.
//!
//! Transports translate a call, make an [`Op`] from the credential, call one function here and translate back. Nothing
//! here knows a transport; nothing elsewhere touches the store or the policy.

mod access;
mod audit;
mod commit;
mod context;
mod directory;
mod error;
mod live;
mod patch;
mod secret;

pub mod admin;
pub mod check;
pub mod elements;
pub mod facts;
pub mod policy;
pub mod requests;
pub mod schema;

pub use access::{Acting, EnvScope, OrgScope, Via};
pub use context::{Clock, Entropy, EntropyError, Op, SystemClock, SystemEntropy};
pub use error::{Error, Kind, Result};
pub use live::LiveState;
pub use patch::Patch;
pub use secret::Secret;

pub use askfirst_store::{Listed, Page};

use askfirst_domain::id::EnvId;
use askfirst_store::Store;
use directory::Directory;
use live::Live;
use std::{collections::HashMap, sync::Arc};
use tokio::sync::{Mutex, OnceCell};

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
    live: Mutex<HashMap<EnvId, Arc<OnceCell<Arc<Live>>>>>,
}

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
            live: Mutex::default(),
        }));
        for env in engine.0.directory.get().environments() {
            engine.live(env.id).await?;
        }
        Ok(engine)
    }

    /// The settings.
    pub fn settings(&self) -> &Settings {
        &self.0.settings
    }

    /// Whether the database answers.
    pub async fn ready(&self) -> Result<()> {
        Ok(self.0.store.ping().await?)
    }

    pub(crate) fn store(&self) -> &dyn Store {
        self.0.store.as_ref()
    }

    pub(crate) fn entropy(&self) -> &dyn Entropy {
        self.0.entropy.as_ref()
    }

    pub(crate) fn directory(&self) -> &Directory {
        &self.0.directory
    }

    /// The live state of an environment; loads it the first time.
    pub(crate) async fn live(&self, env: EnvId) -> Result<Arc<Live>> {
        let cell = Arc::clone(self.0.live.lock().await.entry(env).or_default());
        cell.get_or_try_init(|| async { Ok(Arc::new(Live::load(self.store(), env).await?)) }).await.cloned()
    }

    /// Forgets a deleted environment.
    pub(crate) async fn forget(&self, env: EnvId) {
        self.0.live.lock().await.remove(&env);
    }
}
