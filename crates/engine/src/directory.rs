//! The organisation, its projects, environments and keys, in memory: small, read at every call, reloaded after every
//! administrative write.

use crate::error::{Error, Kind, Result};
use arc_swap::ArcSwap;
use askfirst_domain::{
    Ident,
    id::{EnvId, ProjectId},
    scope::{ApiKey, Environment, Organization, Project},
};
use askfirst_store::Store;
use std::{collections::HashMap, sync::Arc};

/// The directory as it was at one moment.
#[derive(Debug, Clone, Default)]
pub(crate) struct Listing {
    pub(crate) organization: Option<Organization>,
    pub(crate) projects: Vec<Arc<Project>>,
    environments: Vec<Arc<Environment>>,
    keys: HashMap<String, ApiKey>,
}

impl Listing {
    pub(crate) fn environments(&self) -> &[Arc<Environment>] {
        &self.environments
    }

    pub(crate) fn key(&self, secret_hash: &str) -> Option<&ApiKey> {
        self.keys.get(secret_hash)
    }

    pub(crate) fn keys(&self) -> impl Iterator<Item = &ApiKey> {
        self.keys.values()
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

#[derive(Debug)]
pub(crate) struct Directory(ArcSwap<Listing>);

impl Directory {
    pub(crate) async fn load(store: &dyn Store) -> Result<Self> {
        Ok(Self(ArcSwap::from_pointee(read(store).await?)))
    }

    pub(crate) async fn reload(&self, store: &dyn Store) -> Result<()> {
        self.0.store(Arc::new(read(store).await?));
        Ok(())
    }

    pub(crate) fn get(&self) -> Arc<Listing> {
        self.0.load_full()
    }
}

async fn read(store: &dyn Store) -> Result<Listing> {
    Ok(Listing {
        organization: store.organization().await?,
        projects: store.projects().await?.into_iter().map(Arc::new).collect(),
        environments: store.environments(None).await?.into_iter().map(Arc::new).collect(),
        keys: store.api_keys().await?.into_iter().map(|k| (k.secret_hash.clone(), k)).collect(),
    })
}
