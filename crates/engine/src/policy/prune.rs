//! What the file does not name and is not to stay.

use super::plan::Plan;
use crate::error::Result;
use askfirst_domain::{
    Key,
    change::Change,
    facts::DEFAULT_TENANT,
    schema::{ConditionSet, Relation, Resource, Role, is_built_in},
};
use askfirst_policy::{
    RoleName,
    file::{AssignmentEntry, InstanceEntry, Section, TenantEntry, TupleEntry, UserEntry, goes, set_section},
};
use askfirst_store::{AssignmentFilter, InstanceFilter, Listed, Page, TenantFilter, TupleFilter, UserFilter};
use std::{collections::HashSet, future::Future, sync::Arc};

/// How many facts are read at once.
const CHUNK: u32 = 1000;

impl Plan<'_> {
    fn is_whole(&self, section: Section) -> bool {
        self.file.is_whole(section, self.wish.prune)
    }

    /// Rules, sets, elements, proxy configs, roles, relations and resources that go, in this order: nothing is taken along that would not
    /// go by itself.
    pub(super) fn remove_schema(&mut self) {
        let schema = Arc::clone(self.stage.schema());
        let file = self.file;
        if self.is_whole(Section::SetRules) {
            let gone = schema.set_rules().filter(|rule| !file.rules.iter().any(|entry| entry.is(rule)));
            gone.for_each(|rule| self.stage.delete_set_rule(rule.id));
        }
        let goes_set = |set: &&Arc<ConditionSet>| {
            file.is_whole(set_section(set.kind), self.wish.prune)
                && !file.sets.iter().any(|entry| entry.key == set.key)
        };
        let sets: Vec<Key> = schema.condition_sets().filter(goes_set).map(|set| set.key.clone()).collect();
        for key in &sets {
            self.stage.delete_condition_set(key);
        }
        if self.is_whole(Section::Elements) {
            let gone = schema.elements().filter(|e| !file.elements.iter().any(|entry| entry.key == e.key));
            let changes = gone.map(|element| Change::DeleteElement { id: element.id }).collect();
            self.stage.write(changes);
        }
        if self.is_whole(Section::ProxyConfigs) {
            let gone = schema
                .proxy_configs()
                .filter(|config| !file.proxy_configs.iter().any(|entry| entry.key == config.key));
            gone.for_each(|config| self.stage.delete_proxy_config(config.id));
        }
        let whole = self.is_whole(Section::Resources);
        let goes_resource = |resource: &&Arc<Resource>| {
            whole
                && !is_built_in(&resource.key)
                && !file.resources.iter().any(|entry| entry.key == resource.key)
        };
        let resources: Vec<&Arc<Resource>> = schema.resources().filter(goes_resource).collect();
        let stays = |key: &Key| !resources.iter().any(|resource| resource.key == *key);
        let roles: Vec<&Arc<Role>> = schema
            .roles()
            .filter(|role| role.resource.as_ref().is_none_or(stays))
            .filter(|role| goes(file, &RoleName::from(role.as_ref()), self.wish.prune))
            .collect();
        for role in roles {
            self.stage.delete_role(role);
        }
        let named = |relation: &Relation| {
            let resource = file.resources.iter().find(|entry| entry.key == relation.object_resource);
            resource.is_some_and(|entry| entry.relations.iter().any(|r| r.key == relation.key))
        };
        if whole {
            let gone =
                schema.relations().filter(|relation| !named(relation) && stays(&relation.object_resource));
            gone.for_each(|relation| self.stage.delete_relation(relation));
        }
        for resource in resources {
            self.stage.delete_resource(resource);
        }
    }

    /// Facts that go: those that refer to others first.
    pub(super) async fn remove_facts(&mut self) -> Result<()> {
        if self.is_whole(Section::Assignments) {
            self.remove_assignments().await?;
        }
        if self.is_whole(Section::Tuples) {
            self.remove_tuples().await?;
        }
        if self.is_whole(Section::Instances) {
            self.remove_instances().await?;
        }
        if self.is_whole(Section::Users) {
            self.remove_users().await?;
        }
        if self.is_whole(Section::Tenants) {
            self.remove_tenants().await?;
        }
        Ok(())
    }

    async fn remove_assignments(&mut self) -> Result<()> {
        let (store, env) = (self.scope.engine.store(), self.scope.env.id);
        let named: HashSet<_> = self.file.assignments.iter().map(assignment_name).collect();
        let filter = AssignmentFilter::default();
        let all = all(|page| store.assignments(env, &filter, page)).await?;
        for assignment in all {
            let entry = super::export::assignment(&assignment);
            if !named.contains(&assignment_name(&entry)) {
                self.before.assignments.push(entry);
                self.gone.push(Change::DeleteAssignment(assignment));
            }
        }
        Ok(())
    }

    async fn remove_tuples(&mut self) -> Result<()> {
        let (store, env) = (self.scope.engine.store(), self.scope.env.id);
        let name = |t: &TupleEntry| (t.subject.to_string(), t.relation.clone(), t.object.to_string());
        let named: HashSet<_> = self.file.tuples.iter().map(name).collect();
        let filter = TupleFilter::default();
        for tuple in all(|page| store.tuples(env, &filter, page)).await? {
            let entry = super::export::tuple(&tuple);
            if !named.contains(&name(&entry)) {
                self.before.tuples.push(entry);
                self.gone.push(Change::DeleteTuple(tuple));
            }
        }
        Ok(())
    }

    async fn remove_instances(&mut self) -> Result<()> {
        let (store, env) = (self.scope.engine.store(), self.scope.env.id);
        let named: HashSet<String> = self.file.instances.iter().map(|entry| entry.at.to_string()).collect();
        let filter = InstanceFilter::default();
        for instance in all(|page| store.instances(env, &filter, page)).await? {
            let entry: InstanceEntry = super::export::instance(&instance);
            if !named.contains(&entry.at.to_string()) {
                self.before.instances.push(entry);
                let (id, resource, key) = (instance.id, instance.resource, instance.key);
                self.gone.push(Change::DeleteInstance { id, resource, key });
            }
        }
        Ok(())
    }

    async fn remove_users(&mut self) -> Result<()> {
        let (store, env) = (self.scope.engine.store(), self.scope.env.id);
        let named: HashSet<&str> = self.file.users.iter().map(|entry| entry.key.as_str()).collect();
        let filter = UserFilter::default();
        for user in all(|page| store.users(env, &filter, page)).await? {
            if !named.contains(user.key.as_str()) {
                let entry: UserEntry = super::export::user(&user);
                self.before.users.push(entry);
                self.gone.push(Change::DeleteUser { id: user.id, key: user.key });
            }
        }
        Ok(())
    }

    async fn remove_tenants(&mut self) -> Result<()> {
        let (store, env) = (self.scope.engine.store(), self.scope.env.id);
        let named: HashSet<&str> = self.file.tenants.iter().map(|entry| entry.key.as_str()).collect();
        let filter = TenantFilter::default();
        for tenant in all(|page| store.tenants(env, &filter, page)).await? {
            if !named.contains(tenant.key.as_str()) && tenant.key.as_str() != DEFAULT_TENANT {
                let entry: TenantEntry = super::export::tenant(&tenant);
                self.before.tenants.push(entry);
                self.gone.push(Change::DeleteTenant { id: tenant.id, key: tenant.key });
            }
        }
        Ok(())
    }
}

/// What no two assignments share.
fn assignment_name(entry: &AssignmentEntry) -> (String, Key, String) {
    let place = match (&entry.on, &entry.tenant) {
        (Some(at), _) => at.to_string(),
        (None, Some(tenant)) => tenant.to_string(),
        (None, None) => DEFAULT_TENANT.to_owned(),
    };
    (entry.user.to_string(), entry.role.clone(), place)
}

/// All items of a list, page by page.
pub(super) async fn all<T, E, F>(mut read: impl FnMut(Page) -> F) -> Result<Vec<T>>
where
    F: Future<Output = Result<Listed<T>, E>>,
    crate::Error: From<E>,
{
    let mut found = Vec::new();
    let mut offset = 0;
    loop {
        let page = read(Page { offset, limit: CHUNK }).await?;
        offset += u64::from(CHUNK);
        found.extend(page.items);
        if offset >= page.total {
            return Ok(found);
        }
    }
}
