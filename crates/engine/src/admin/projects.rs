//! Projects: listed, created with their first environments, changed, deleted.

use super::environments::NewEnvironment;
use crate::{
    OrgScope, Patch,
    commit::About,
    error::{Error, Kind, Result},
    schema::paged,
};
use askfirst_domain::{
    Ident, Key,
    id::EnvId,
    scope::{KeyScope, Project},
};
use askfirst_store::{AdminCommit, AdminOp, Listed, Page};
use serde_json::Value;
use std::sync::Arc;

/// A project to be made.
#[derive(Debug, Clone)]
pub struct NewProject {
    pub key: Key,
    pub name: String,
    pub urn_namespace: Option<String>,
    pub description: Option<String>,
    pub settings: Option<Value>,
    /// None means [`super::start::INITIAL_ENVIRONMENTS`].
    pub environments: Option<Vec<NewEnvironment>>,
}

/// What is said about a project.
#[derive(Debug, Clone, Default)]
pub struct ProjectEdit {
    pub name: Option<String>,
    pub description: Patch<String>,
    pub settings: Patch<Value>,
}

impl OrgScope {
    /// The projects that this key reaches, in the order of their creation.
    pub fn list_projects(&self, page: Page) -> Listed<Arc<Project>> {
        let listing = self.engine.directory().get();
        paged(listing.projects.iter().filter(|p| self.reaches(p.id, None)).cloned(), page)
    }

    /// One project.
    ///
    /// # Errors
    /// [`Kind::NotFound`] when there is none that this key reaches.
    pub fn get_project(&self, ident: &Ident) -> Result<Arc<Project>> {
        self.reachable_project(&self.engine.directory().get(), ident)
    }

    /// Creates a project with its first environments, each with the tenant `default`.
    ///
    /// # Errors
    /// [`Kind::Duplicate`]; [`Kind::Forbidden`] without an organisation key.
    pub async fn create_project(&self, new: NewProject) -> Result<Project> {
        if self.scope != KeyScope::Organization {
            return Err(Error::forbidden("Only a key of the organisation can create a project."));
        }
        let org = self.organization()?.id;
        let project = Project {
            id: self.engine.fresh_id(&self.op)?,
            org,
            key: new.key,
            name: new.name,
            urn_namespace: new.urn_namespace,
            description: new.description,
            settings: new.settings,
            created_at: self.op.now,
            updated_at: self.op.now,
        };
        let initial = match new.environments {
            Some(environments) => environments,
            None => super::environments::initial()?,
        };
        let mut ops = vec![AdminOp::PutProject(project.clone())];
        let mut made = Vec::new();
        for new in initial {
            let environment = self.made_environment(project.id, new)?;
            made.push(environment.id);
            ops.push(AdminOp::PutEnvironment {
                environment,
                epoch: self.engine.fresh_id::<()>(&self.op)?.uuid(),
            });
        }
        self.write_place("project.created", &project.key, ops).await?;
        for env in made {
            self.engine.furnish(env).await?;
        }
        Ok(project)
    }

    /// Changes what is said about a project.
    ///
    /// # Errors
    /// [`Kind::NotFound`]; [`Kind::Forbidden`] with a key of one environment.
    pub async fn update_project(&self, ident: &Ident, edit: ProjectEdit) -> Result<Project> {
        let old = Project::clone(self.get_project(ident)?.as_ref());
        self.govern("project")?;
        let project = Project {
            name: edit.name.unwrap_or(old.name),
            description: edit.description.over(old.description),
            settings: edit.settings.over(old.settings),
            updated_at: self.op.now,
            ..old
        };
        self.write_place("project.updated", &project.key, vec![AdminOp::PutProject(project.clone())]).await?;
        Ok(project)
    }

    /// Deletes a project with all its environments and the keys that open them.
    ///
    /// # Errors
    /// [`Kind::NotFound`]; [`Kind::Forbidden`] without an organisation key.
    pub async fn delete_project(&self, ident: &Ident) -> Result<()> {
        let project = self.get_project(ident)?;
        if self.scope != KeyScope::Organization {
            return Err(Error::forbidden("Only a key of the organisation can delete a project."));
        }
        let listing = self.engine.directory().get();
        let gone: Vec<EnvId> =
            listing.environments().iter().filter(|e| e.project == project.id).map(|e| e.id).collect();
        self.write_place("project.deleted", &project.key, vec![AdminOp::DeleteProject(project.id)]).await?;
        for env in gone {
            self.engine.forget(env);
        }
        Ok(())
    }

    /// Refuses a key that opens one environment only.
    pub(super) fn govern(&self, what: &str) -> Result<()> {
        match &self.scope {
            KeyScope::Organization | KeyScope::Project { .. } => Ok(()),
            KeyScope::Environment { .. } | KeyScope::Agent { .. } => Err(Error::new(
                Kind::Forbidden,
                format!(
                    "A key of one environment can't change the {what}; use a key of the project or the organisation."
                ),
            )),
        }
    }

    /// Writes projects and environments, and lets the process know.
    pub(super) async fn write_place(&self, code: &str, object: &Key, ops: Vec<AdminOp>) -> Result<()> {
        let about = About { object: Some(object.to_string()), ..About::default() };
        let event = self.engine.audit_event(&self.op, code, about)?;
        self.engine.store().commit_admin(AdminCommit { ops, audit: vec![(None, event)] }).await?;
        Ok(self.engine.directory().reload(self.engine.store()).await?)
    }
}
