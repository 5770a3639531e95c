//! The organisation, its projects, environments, keys and webhooks, in memory: small, read at every call, read anew after every
//! administrative write, whichever process made it.

use crate::{
    error::{Error, Kind, Result},
    level::Level,
};
use arc_swap::ArcSwap;
use askfirst_domain::{
    Ident,
    id::{EnvId, ProjectId},
    scope::{ApiKey, Environment, Organization, Project},
    webhook::Webhook,
};
use askfirst_store::{Store, StoreError};
use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::time::Instant;

/// How many credentials that are no API keys are kept in mind at most.
const UNKNOWN_KEPT: usize = 4096;

/// The directory as it was at one moment.
#[derive(Debug, Clone, Default)]
pub(crate) struct Listing {
    /// As the store counts them; what stands here is at least as new.
    version: u64,
    pub(crate) organization: Option<Organization>,
    pub(crate) projects: Vec<Arc<Project>>,
    environments: Vec<Arc<Environment>>,
    keys: HashMap<String, Arc<ApiKey>>,
    webhooks: Vec<Arc<Webhook>>,
}

impl Listing {
    pub(crate) fn version(&self) -> u64 {
        self.version
    }

    pub(crate) fn environments(&self) -> &[Arc<Environment>] {
        &self.environments
    }

    pub(crate) fn key(&self, secret_hash: &str) -> Option<&Arc<ApiKey>> {
        self.keys.get(secret_hash)
    }

    pub(crate) fn keys(&self) -> impl Iterator<Item = &ApiKey> {
        self.keys.values().map(Arc::as_ref)
    }

    /// Those that an environment has set, the oldest first.
    pub(crate) fn webhooks(&self, env: EnvId) -> impl Iterator<Item = &Arc<Webhook>> {
        self.webhooks.iter().filter(move |webhook| webhook.env == env)
    }

    pub(crate) fn organization(&self) -> Result<&Organization> {
        self.organization
            .as_ref()
            .ok_or_else(|| Error::new(Kind::Unavailable, "This server has not finished its first start yet."))
    }

    pub(crate) fn project(&self, ident: &Ident) -> Result<&Arc<Project>> {
        self.projects
            .iter()
            .find(|p| ident.uuid() == Some(p.id.uuid()) || p.key.as_str() == ident.as_str())
            .ok_or_else(|| Error::new(Kind::NotFound, format!("There is no project `{ident}`.")))
    }

    pub(crate) fn environment(&self, project: ProjectId, ident: &Ident) -> Result<&Arc<Environment>> {
        self.environments
            .iter()
            .filter(|e| e.project == project)
            .find(|e| ident.uuid() == Some(e.id.uuid()) || e.key.as_str() == ident.as_str())
            .ok_or_else(|| {
                Error::new(Kind::NotFound, format!("There is no environment `{ident}` in this project."))
            })
    }

    pub(crate) fn environment_by_id(&self, id: EnvId) -> Option<&Arc<Environment>> {
        self.environments.iter().find(|e| e.id == id)
    }
}

/// The hashes of credentials that were no API keys when the directory had this version.
#[derive(Debug, Default)]
struct Unknown {
    version: u64,
    hashes: HashSet<String>,
}

#[derive(Debug)]
pub(crate) struct Directory {
    listing: ArcSwap<Listing>,
    /// Held while reading, so that what is read later is put in place later.
    reading: tokio::sync::Mutex<()>,
    level: Level,
    unknown: Mutex<Unknown>,
}

impl Directory {
    pub(crate) async fn load(store: &dyn Store) -> Result<Self> {
        let asked = Instant::now();
        Ok(Self {
            listing: ArcSwap::from_pointee(read(store).await?),
            reading: tokio::sync::Mutex::default(),
            level: Level::known_at(asked),
            unknown: Mutex::default(),
        })
    }

    pub(crate) async fn reload(&self, store: &dyn Store) -> Result<(), StoreError> {
        let _reading = self.reading.lock().await;
        let asked = Instant::now();
        self.listing.store(Arc::new(read(store).await?));
        self.level.known(asked);
        Ok(())
    }

    pub(crate) fn get(&self) -> Arc<Listing> {
        self.listing.load_full()
    }

    /// It was level with the database at this moment.
    pub(crate) fn known(&self, at: Instant) {
        self.level.known(at);
    }

    /// How long it is not known that this was level with the database.
    pub(crate) fn lag(&self) -> Duration {
        self.level.lag()
    }

    fn unknown(&self) -> MutexGuard<'_, Unknown> {
        // At worst something is looked up once more, so a poisoned lock has nothing broken behind it.
        self.unknown.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the store was asked for this credential already, and there was no such API key in this version.
    pub(crate) fn is_unknown(&self, secret_hash: &str, version: u64) -> bool {
        let unknown = self.unknown();
        unknown.version == version && unknown.hashes.contains(secret_hash)
    }

    /// Keeps in mind that there is no such API key in this version.
    pub(crate) fn put_unknown(&self, secret_hash: String, version: u64) {
        let mut unknown = self.unknown();
        if unknown.version != version || unknown.hashes.len() >= UNKNOWN_KEPT {
            *unknown = Unknown { version, hashes: HashSet::new() };
        }
        unknown.hashes.insert(secret_hash);
    }
}

async fn read(store: &dyn Store) -> Result<Listing, StoreError> {
    Ok(Listing {
        // First: what is read afterwards is not older.
        version: store.position().await?.directory,
        organization: store.organization().await?,
        projects: store.projects().await?.into_iter().map(Arc::new).collect(),
        environments: store.environments(None).await?.into_iter().map(Arc::new).collect(),
        keys: store.api_keys().await?.into_iter().map(|k| (k.secret_hash.clone(), Arc::new(k))).collect(),
        webhooks: store.webhooks().await?.into_iter().map(Arc::new).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_was_looked_up_in_vain_is_kept_in_mind_for_one_version() {
        let store = askfirst_store::SqliteStore::open_in_memory().await.unwrap();
        let directory = Directory::load(&store).await.unwrap();
        directory.put_unknown("a".to_owned(), 1);
        directory.put_unknown("b".to_owned(), 1);
        assert!(directory.is_unknown("a", 1) && directory.is_unknown("b", 1));
        assert!(!directory.is_unknown("a", 2) && !directory.is_unknown("c", 1));
        directory.put_unknown("c".to_owned(), 2);
        assert!(directory.is_unknown("c", 2) && !directory.is_unknown("a", 1));
        // However many are tried, so many are kept.
        for n in 0..=UNKNOWN_KEPT {
            directory.put_unknown(n.to_string(), 2);
        }
        assert!(directory.unknown().hashes.len() <= UNKNOWN_KEPT);
        assert!(directory.is_unknown(&UNKNOWN_KEPT.to_string(), 2));
    }
}
