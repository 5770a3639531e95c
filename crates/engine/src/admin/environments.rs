//! Environments of a project: listed, created, changed, deleted.

use super::start::INITIAL_ENVIRONMENTS;
use crate::{
    OrgScope, Patch,
    error::{Error, Kind, Result},
    schema::paged,
};
use askfirst_domain::{
    Ident, Key,
    id::ProjectId,
    scope::{ApiKey, Environment, KeyScope},
};
use askfirst_store::{AdminOp, Listed, Page};
use serde_json::Value;
use std::sync::Arc;

/// An environment to be made.
#[derive(Debug, Clone)]
pub struct NewEnvironment {
    pub key: Key,
    pub name: String,
    pub description: Option<String>,
    pub custom_branch_name: Option<String>,
    pub jwks: Option<Value>,
    pub settings: Option<Value>,
}

/// What is said about an environment.
#[derive(Debug, Clone, Default)]
pub struct EnvironmentEdit {
    pub name: Option<String>,
    pub description: Patch<String>,
    pub custom_branch_name: Patch<String>,
    pub jwks: Patch<Value>,
    pub settings: Patch<Value>,
}

/// The environments of a project that says nothing of them.
pub(super) fn initial() -> Result<Vec<NewEnvironment>> {
    let made = INITIAL_ENVIRONMENTS.iter().map(|(key, name)| {
        Ok(NewEnvironment {
            key: key.parse()?,
            name: (*name).to_owned(),
            description: None,
            custom_branch_name: None,
            jwks: None,
            settings: None,
        })
    });
    made.collect()
}

impl OrgScope {
    /// The environments of a project that this key reaches, in the order of their creation.
    ///
    /// # Errors
    /// [`Kind::NotFound`] for the project.
    pub fn list_environments(&self, project: &Ident, page: Page) -> Result<Listed<Arc<Environment>>> {
        let project = self.get_project(project)?.id;
        let listing = self.engine.directory().get();
        let reached = listing
            .environments()
            .iter()
            .filter(|e| e.project == project && self.reaches(project, Some(e.id)));
        Ok(paged(reached.cloned(), page))
    }

    /// One environment.
    ///
    /// # Errors
    /// [`Kind::NotFound`] when there is none that this key reaches.
    pub fn get_environment(&self, project: &Ident, env: &Ident) -> Result<Arc<Environment>> {
        let project = self.get_project(project)?.id;
        let listing = self.engine.directory().get();
        let found = listing.environment(project, env).ok().filter(|e| self.reaches(project, Some(e.id)));
        found.cloned().ok_or_else(|| {
            Error::new(Kind::NotFound, format!("There is no environment `{env}` that this key opens."))
        })
    }

    /// The oldest key that opens exactly this environment. Its secret is known to nobody here.
    ///
    /// # Errors
    /// [`Kind::NotFound`] for the environment, or when it has no key of its own.
    pub fn environment_key(&self, project: &Ident, env: &Ident) -> Result<ApiKey> {
        let id = self.get_environment(project, env)?.id;
        let opens = |key: &ApiKey| matches!(key.scope, KeyScope::Environment { env, .. } if env == id);
        self.list_keys().into_iter().find(opens).ok_or_else(|| {
            Error::new(
                Kind::NotFound,
                format!("The environment `{env}` has no API key of its own; create one."),
            )
        })
    }

    /// Creates an environment with the tenant `default`.
    ///
    /// # Errors
    /// [`Kind::NotFound`] for the project, [`Kind::Duplicate`]; [`Kind::Forbidden`] with a key of one environment.
    pub async fn create_environment(&self, project: &Ident, new: NewEnvironment) -> Result<Environment> {
        let project = self.get_project(project)?.id;
        self.govern("project")?;
        let environment = self.made_environment(project, new)?;
        let epoch = self.engine.fresh_id::<()>(&self.op)?.uuid();
        let op = AdminOp::PutEnvironment { environment: environment.clone(), epoch };
        self.write_place("environment.created", &environment.key, vec![op]).await?;
        self.engine.furnish(environment.id).await?;
        Ok(environment)
    }

    /// Changes what is said about an environment.
    ///
    /// # Errors
    /// [`Kind::NotFound`]; [`Kind::Forbidden`] with a key of one environment.
    pub async fn update_environment(
        &self,
        project: &Ident,
        env: &Ident,
        edit: EnvironmentEdit,
    ) -> Result<Environment> {
        let old = Environment::clone(self.get_environment(project, env)?.as_ref());
        self.govern("environment")?;
        let environment = Environment {
            name: edit.name.unwrap_or(old.name),
            description: edit.description.over(old.description),
            custom_branch_name: edit.custom_branch_name.over(old.custom_branch_name),
            jwks: edit.jwks.over(old.jwks),
            settings: edit.settings.over(old.settings),
            updated_at: self.op.now,
            ..old
        };
        // The epoch of an environment that is there is not touched.
        let epoch = self.engine.fresh_id::<()>(&self.op)?.uuid();
        let op = AdminOp::PutEnvironment { environment: environment.clone(), epoch };
        self.write_place("environment.updated", &environment.key, vec![op]).await?;
        Ok(environment)
    }

    /// Deletes an environment with all that is in it and the keys that open it.
    ///
    /// # Errors
    /// [`Kind::NotFound`]; [`Kind::Forbidden`] with a key of one environment.
    pub async fn delete_environment(&self, project: &Ident, env: &Ident) -> Result<()> {
        let gone = self.get_environment(project, env)?;
        self.govern("project")?;
        self.write_place("environment.deleted", &gone.key, vec![AdminOp::DeleteEnvironment(gone.id)]).await?;
        self.engine.forget(gone.id);
        Ok(())
    }

    pub(super) fn made_environment(&self, project: ProjectId, new: NewEnvironment) -> Result<Environment> {
        let org = self.organization()?.id;
        let blank = self.engine.new_environment(&self.op, org, project, new.key, &new.name)?;
        Ok(Environment {
            description: new.description,
            custom_branch_name: new.custom_branch_name,
            jwks: new.jwks,
            settings: new.settings,
            ..blank
        })
    }
}
