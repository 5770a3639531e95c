//! A store with one organisation, project and environment in it.

use super::{
    Failure, Model, Things,
    things::{at, fresh},
};
use crate::{AdminCommit, AdminOp, ChangeRecord, Commit, CommitError, Committed, Store};
use askfirst_domain::{
    audit::{AuditEvent, Salt},
    change::{Change, Expect},
    id::EnvId,
    scope::{Environment, Organization, Project},
};
use std::sync::Arc;
use uuid::Uuid;

/// Where a case plays.
#[derive(Debug, Clone)]
pub struct World {
    pub store: Arc<dyn Store>,
    pub org: Organization,
    pub project: Project,
    pub environment: Environment,
    pub env: EnvId,
    pub epoch: Uuid,
}

impl World {
    /// Makes the organisation `org`, the project `project` and the environment `env`.
    pub async fn start(store: Arc<dyn Store>) -> Result<Self, Failure> {
        let org = Organization {
            id: fresh(),
            key: "org".parse()?,
            name: "Org".to_owned(),
            created_at: at(0),
            updated_at: at(0),
        };
        let project = project(&org, "project")?;
        let environment = environment(&project, "env")?;
        let epoch = Uuid::from_u128(77);
        let world = Self { store, org, project, env: environment.id, environment, epoch };
        world
            .admin(vec![
                AdminOp::PutOrganization(world.org.clone()),
                AdminOp::PutProject(world.project.clone()),
                AdminOp::PutEnvironment { environment: world.environment.clone(), epoch },
            ])
            .await?;
        Ok(world)
    }

    pub async fn admin(&self, ops: Vec<AdminOp>) -> Result<(), CommitError> {
        self.store.commit_admin(AdminCommit { ops, audit: Vec::new() }).await
    }

    /// A commit that nobody has handed in yet.
    pub fn draft(&self, expects: Vec<Expect>, changes: Vec<Change>) -> Commit {
        Commit {
            env: self.env,
            at: at(0),
            actor: Things::actor(),
            call: None,
            expects,
            changes,
            audit: Vec::new(),
            outbox: Vec::new(),
        }
    }

    pub async fn commit(&self, changes: Vec<Change>) -> Result<Committed, CommitError> {
        self.store.commit(self.draft(Vec::new(), changes)).await
    }

    pub async fn commit_if(&self, expect: Expect, changes: Vec<Change>) -> Result<Committed, CommitError> {
        self.store.commit(self.draft(vec![expect], changes)).await
    }

    /// The newest revision.
    pub async fn revision(&self) -> Result<u64, Failure> {
        Ok(self.store.head(self.env).await?.ok_or("the environment is not there")?.revision)
    }

    /// The whole change log.
    pub async fn log(&self) -> Result<Vec<ChangeRecord>, Failure> {
        Ok(self.store.changes_after(self.env, 0, usize::MAX).await?)
    }

    /// What the store loads, as a model.
    pub async fn loaded(&self) -> Result<Model, Failure> {
        let mut model = Model::default();
        let mut at_odds = false;
        let head = self
            .store
            .load(self.env, &mut |chunk| {
                for change in chunk {
                    at_odds |= model.apply(&change).is_err();
                }
            })
            .await?;
        assert!(!at_odds, "what is loaded holds something twice");
        assert_eq!(head.revision, self.revision().await?);
        Ok(model)
    }

    /// An audit event of `code` that nobody has handed in yet.
    pub fn event(code: &str) -> AuditEvent {
        AuditEvent {
            id: fresh(),
            at: at(0),
            code: code.to_owned(),
            actor: Things::actor(),
            on_behalf_of: None,
            model_named_user: false,
            request: None,
            object: None,
            details: serde_json::Map::new(),
            salt: Salt::new([7; 32]),
            erased: Vec::new(),
        }
    }
}

/// A project in the organisation.
pub(super) fn project(org: &Organization, key: &str) -> Result<Project, Failure> {
    Ok(Project {
        id: fresh(),
        org: org.id,
        key: key.parse()?,
        name: key.to_owned(),
        urn_namespace: None,
        description: None,
        settings: None,
        created_at: at(0),
        updated_at: at(0),
    })
}

/// An environment in the project.
pub(super) fn environment(project: &Project, key: &str) -> Result<Environment, Failure> {
    Ok(Environment {
        id: fresh(),
        project: project.id,
        org: project.org,
        key: key.parse()?,
        name: key.to_owned(),
        description: None,
        custom_branch_name: None,
        jwks: None,
        settings: None,
        created_at: at(0),
        updated_at: at(0),
    })
}
