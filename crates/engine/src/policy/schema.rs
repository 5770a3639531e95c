//! The policy part of a file: resources, then what refers to them, then elements.

use super::plan::Plan;
use crate::{
    elements::operation_roles,
    error::{Error, Result},
};
use askfirst_domain::{
    Key,
    change::Change,
    schema::{Resource, TENANT_RESOURCE, USER_RESOURCE},
};
use askfirst_policy::file::{
    AttributeEntry, PolicyFile, Section,
    build::{Others, Stamp, attributes_over, bare_resource},
};
use std::sync::Arc;

impl Plan<'_> {
    pub(super) fn schema(&mut self) -> Result<()> {
        let (scope, file) = (self.scope, self.file);
        let fresh = || scope.engine.fresh_id::<()>(&scope.op).map(askfirst_domain::Id::uuid);
        let mut stamp = Stamp::new(scope.op.now, &fresh);
        self.built_in(&mut stamp)?;
        for entry in &file.resources {
            let old = self.stage.schema().resource_by_key(entry.key.as_str()).cloned();
            let new = entry.over(old.as_deref(), file.others(&entry.key, self.wish.prune), &mut stamp)?;
            if old.as_deref() != Some(&new) {
                self.stage.put_resource(new)?;
            }
        }
        let mut changes = self.relations(file, &mut stamp)?;
        changes.extend(self.roles(file, &mut stamp)?);
        changes.extend(self.sets(file, &mut stamp)?);
        self.stage.write(changes);
        for resource in file.operation_resources() {
            let Some(resource) = self.stage.schema().resource_by_key(resource.as_str()).cloned() else {
                continue;
            };
            let changes = operation_roles(scope, self.stage.schema(), &resource)?;
            self.stage.write(changes);
        }
        self.elements(&mut stamp)?;
        self.proxy_configs(&mut stamp)
    }

    /// The declared attributes of users and of tenants stand on resources of their own.
    fn built_in(&mut self, stamp: &mut Stamp<'_, Error>) -> Result<()> {
        let file = self.file;
        for (key, entries, section) in [
            (USER_RESOURCE, &file.user_attributes, Section::UserAttributes),
            (TENANT_RESOURCE, &file.tenant_attributes, Section::TenantAttributes),
        ] {
            let whole = file.is_whole(section, self.wish.prune);
            self.attributes(
                &key.parse()?,
                entries,
                if whole { Others::Go { but: &[] } } else { Others::Stay },
                stamp,
            )?;
        }
        Ok(())
    }

    fn attributes(
        &mut self,
        key: &Key,
        entries: &[AttributeEntry],
        others: Others<'_>,
        stamp: &mut Stamp<'_, Error>,
    ) -> Result<()> {
        let old = self.stage.schema().resource_by_key(key.as_str()).cloned();
        if old.is_none() && entries.is_empty() {
            return Ok(());
        }
        let mut resource = match &old {
            Some(old) => Resource::clone(old),
            None => bare_resource(key, stamp)?,
        };
        let attributes = attributes_over(&resource.attributes, entries, others, stamp)?;
        if old.is_none() || attributes != resource.attributes {
            resource.attributes = attributes;
            resource.updated_at = stamp.now();
            self.stage.put_resource(resource)?;
        }
        Ok(())
    }

    fn proxy_configs(&mut self, stamp: &mut Stamp<'_, Error>) -> Result<()> {
        let file = self.file;
        for entry in &file.proxy_configs {
            let old = self.stage.schema().proxy_config_by_key(entry.key.as_str()).cloned();
            let new = entry.over(old.as_deref(), stamp)?;
            if old.as_deref() != Some(&new) {
                self.stage.put_proxy_config(new)?;
            }
        }
        Ok(())
    }

    fn relations(&self, file: &PolicyFile, stamp: &mut Stamp<'_, Error>) -> Result<Vec<Change>> {
        let mut changes = Vec::new();
        for (object, entry) in
            file.resources.iter().flat_map(|r| r.relations.iter().map(move |l| (&r.key, l)))
        {
            let old = self.stage.schema().relation_by_key(object.as_str(), entry.key.as_str());
            if let Some(old) = old.filter(|old| old.subject_resource != entry.subject_resource) {
                let message = format!(
                    "The relation `{}` of `{object}` is there already, from `{}`; a relation's subject can't change, so delete it first or give it another key.",
                    entry.key, old.subject_resource
                );
                return Err(Error::conflict(message));
            }
            let new = entry.over(object, old.map(Arc::as_ref), stamp)?;
            if old.map(Arc::as_ref) != Some(&new) {
                changes.push(Change::PutRelation(new));
            }
        }
        Ok(changes)
    }

    fn roles(&self, file: &PolicyFile, stamp: &mut Stamp<'_, Error>) -> Result<Vec<Change>> {
        let on_resources =
            file.resources.iter().flat_map(|r| r.roles.iter().map(move |role| (Some(&r.key), role)));
        let in_tenants = file.tenant_roles.iter().map(|role| (None, role));
        let mut changes = Vec::new();
        for (resource, entry) in on_resources.chain(in_tenants) {
            let scope = resource.map(Key::as_str);
            let old = self.stage.schema().role_by_key(scope, entry.key.as_str()).map(Arc::as_ref);
            let new = entry.over(resource, old, stamp)?;
            if old != Some(&new) {
                changes.push(Change::PutRole(new));
            }
        }
        Ok(changes)
    }

    fn sets(&self, file: &PolicyFile, stamp: &mut Stamp<'_, Error>) -> Result<Vec<Change>> {
        let mut changes = Vec::new();
        for entry in &file.sets {
            let old = self.stage.schema().condition_set_by_key(entry.key.as_str()).map(Arc::as_ref);
            if let Some(old) = old.filter(|old| old.kind != entry.kind || old.resource != entry.resource) {
                let message = format!(
                    "The set `{}` is there already, and what it is a set of can't change; delete it first or give it another key.",
                    old.key
                );
                return Err(Error::conflict(message));
            }
            let new = entry.over(old, stamp)?;
            if old != Some(&new) {
                changes.push(Change::PutConditionSet(new));
            }
        }
        for entry in &file.rules {
            if !self.stage.schema().set_rules().any(|rule| entry.is(rule)) {
                changes.push(Change::PutSetRule(entry.new_rule(stamp)?));
            }
        }
        Ok(changes)
    }
}
