//! The first start of an installation: organisation, project `default` with `dev` and `production`, and the first keys.

use crate::{
    Engine, Secret,
    commit::{About, Draft, Outcome},
    error::{Error, Kind, Result},
};
use askfirst_domain::{
    Ident, Key,
    change::Change,
    facts::{Attributes, DEFAULT_TENANT, Tenant},
    id::{EnvId, OrgId, ProjectId},
    scope::{ApiKey, Environment, KeyScope, Organization, Project},
};
use askfirst_store::{AdminCommit, AdminOp, CommitError};
use serde_json::json;

/// The environments that a new project gets when its creator names none: key and name.
pub const INITIAL_ENVIRONMENTS: [(&str, &str); 2] = [("dev", "Development"), ("production", "Production")];

/// A key that the first start has made. The secret is shown once.
#[derive(Debug, Clone)]
pub struct FirstKey {
    /// What it opens, for people: `environment default/dev`.
    pub opens: String,
    pub secret: Secret,
}

impl Engine {
    /// Makes organisation, project, environments and keys if there is none yet; answers the keys that it made. Of several
    /// processes on one database, one makes them. `dev_key`
    /// becomes the key of `default`/`dev` instead of a made one.
    ///
    /// # Errors
    /// When the store or the randomness fails. What was not finished is finished by the next start.
    pub async fn first_start(&self, dev_key: Option<Secret>) -> Result<Option<Vec<FirstKey>>> {
        self.first_start_keeping(dev_key, &mut |_| Ok(())).await
    }

    /// As [`Engine::first_start`]; `keep` gets the keys before they open anything, to write them down: a crash in between
    /// leaves keys that open nothing, and the next start makes others.
    ///
    /// # Errors
    /// What `keep` answers, besides; then nothing was made.
    pub async fn first_start_keeping(
        &self,
        dev_key: Option<Secret>,
        keep: &mut (dyn FnMut(&[FirstKey]) -> std::io::Result<()> + Send),
    ) -> Result<Option<Vec<FirstKey>>> {
        if self.directory().get().organization.is_none() {
            // Another process may have been faster.
            self.directory().reload(self.store()).await?;
        }
        let keys = if self.directory().get().organization.is_none() {
            self.make_installation(dev_key, keep).await?
        } else {
            None
        };
        for env in self.directory().get().environments() {
            self.furnish(env.id).await?;
        }
        self.adopt_agent_keys().await?;
        Ok(keys)
    }

    async fn make_installation(
        &self,
        dev_key: Option<Secret>,
        keep: &mut (dyn FnMut(&[FirstKey]) -> std::io::Result<()> + Send),
    ) -> Result<Option<Vec<FirstKey>>> {
        let op = self.system("first start")?;
        let now = op.now;
        let org = Organization {
            id: self.fresh_id(&op)?,
            key: key("default")?,
            name: "Default".to_owned(),
            created_at: now,
            updated_at: now,
        };
        let project = Project {
            id: self.fresh_id(&op)?,
            org: org.id,
            key: key("default")?,
            name: "Default".to_owned(),
            urn_namespace: None,
            description: None,
            settings: None,
            created_at: now,
            updated_at: now,
        };
        let mut ops = vec![AdminOp::PutOrganization(org.clone()), AdminOp::PutProject(project.clone())];
        let mut scopes = vec![
            ("organization default".to_owned(), KeyScope::Organization, None),
            ("project default".to_owned(), KeyScope::Project { project: project.id }, None),
        ];
        let mut dev_key = dev_key;
        for (env_key, name) in INITIAL_ENVIRONMENTS {
            let environment = self.new_environment(&op, org.id, project.id, key(env_key)?, name)?;
            let own = if env_key == "dev" { dev_key.take() } else { None };
            let scope = KeyScope::Environment { project: project.id, env: environment.id };
            scopes.push((format!("environment default/{env_key}"), scope, own));
            ops.push(AdminOp::PutEnvironment { environment, epoch: self.fresh_id::<()>(&op)?.uuid() });
        }
        let mut keys = Vec::new();
        for (opens, scope, own) in scopes {
            let secret = match own {
                Some(secret) => secret,
                None => Secret::make(super::keys::PREFIX, self.entropy())?,
            };
            ops.push(AdminOp::PutApiKey(ApiKey {
                id: self.fresh_id(&op)?,
                org: org.id,
                scope,
                name: Some(format!("first key of {opens}")),
                secret_hash: secret.hash(),
                created_at: now,
                expires_at: None,
                revoked_at: None,
            }));
            keys.push(FirstKey { opens, secret });
        }
        keep(&keys).map_err(|e| {
            Error::new(Kind::Unavailable, format!("The first keys could not be written down: {e}."))
        })?;
        let event = self.audit_event(&op, "installation.created", About::default())?;
        let made = self.store().commit_admin(AdminCommit { ops, audit: vec![(None, event)] }).await;
        self.directory().reload(self.store()).await?;
        match made {
            Ok(()) => Ok(Some(keys)),
            // Another process has made another one since; the keys open nothing.
            Err(CommitError::Duplicate { .. }) if self.directory().get().organization.is_some() => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// A new environment's record.
    pub(crate) fn new_environment(
        &self,
        op: &crate::Op,
        org: OrgId,
        project: ProjectId,
        key: Key,
        name: &str,
    ) -> Result<Environment> {
        Ok(Environment {
            id: self.fresh_id(op)?,
            project,
            org,
            key,
            name: name.to_owned(),
            description: None,
            custom_branch_name: None,
            jwks: None,
            settings: None,
            created_at: op.now,
            updated_at: op.now,
        })
    }

    /// Gives an environment what every environment has: the tenant `default`.
    ///
    /// # Errors
    /// When the store fails.
    pub(crate) async fn furnish(&self, env: EnvId) -> Result<()> {
        if self.store().tenant(env, &Ident::from(DEFAULT_TENANT)).await?.is_some() {
            return Ok(());
        }
        let scope = self.enter_as_system(env, "first start").await?;
        let now = scope.op.now;
        let tenant = Tenant {
            id: self.fresh_id(&scope.op)?,
            key: key(DEFAULT_TENANT)?,
            name: "Default Tenant".to_owned(),
            description: None,
            attributes: Attributes::new(),
            created_at: now,
            updated_at: now,
            last_action_at: now,
        };
        let mut about = About { object: Some(DEFAULT_TENANT.to_owned()), ..About::default() };
        about.details.insert("name".to_owned(), json!(tenant.name));
        let draft = Draft {
            changes: vec![Change::PutTenant(tenant)],
            audit: vec![scope.audit("tenant.created", about)?],
            ..Draft::default()
        };
        match scope.commit(draft).await {
            Ok(Outcome::Done(_) | Outcome::Again) => Ok(()),
            // Another process was faster.
            Err(e) if e.kind() == crate::Kind::Duplicate => Ok(()),
            Err(e) => Err(e),
        }
    }
}

fn key(text: &str) -> Result<Key> {
    text.parse().map_err(Error::from)
}
