//! Planning a schema write: each step is checked against the schema as the steps before it leave it.

use super::refuse;
use crate::{
    EnvScope,
    commit::{About, Draft, Outcome, Tries},
    error::{Error, Result},
};
use askfirst_domain::{
    Id, Key, Timestamp,
    change::{Change, Expect},
    id::{ProxyConfigId, SetRuleId},
    schema::{ConditionSet, Relation, Resource, Role, SetRule},
    url_mapping::ProxyConfig,
};
use askfirst_policy::{Schema, Snapshot};
use serde_json::{Map, Value};
use std::sync::Arc;

/// A schema write that is being planned.
#[derive(Debug)]
pub(crate) struct Stage<'a> {
    scope: &'a EnvScope,
    snapshot: Snapshot,
    draft: Draft,
}

impl EnvScope {
    /// Plans and commits a schema write; plans anew when somebody else wrote first. A plan without changes writes
    /// nothing.
    pub(crate) async fn write_schema<T>(
        &self,
        plan: impl Fn(&mut Stage<'_>) -> Result<T> + Send + Sync,
    ) -> Result<T> {
        let mut tries = Tries::default();
        loop {
            let state = self.state();
            let mut stage = Stage { scope: self, snapshot: state.snapshot.clone(), draft: Draft::default() };
            stage.draft.expects.push(Expect::SchemaAt(state.schema_revision));
            let planned = plan(&mut stage)?;
            if stage.draft.changes.is_empty() {
                return Ok(planned);
            }
            match self.commit(stage.draft).await? {
                Outcome::Done(_) => return Ok(planned),
                Outcome::Again => tries.again()?,
            }
        }
    }
}

impl<'a> Stage<'a> {
    /// A plan over this state, which whoever makes it commits.
    pub(crate) fn over(scope: &'a EnvScope, snapshot: Snapshot) -> Self {
        Self { scope, snapshot, draft: Draft::default() }
    }
}

impl Stage<'_> {
    /// The schema as the plan so far leaves it.
    pub(crate) fn schema(&self) -> &Arc<Schema> {
        self.snapshot.schema()
    }

    /// The moment of the call.
    pub(crate) fn now(&self) -> Timestamp {
        self.scope.op.now
    }

    /// A fresh id.
    pub(crate) fn fresh_id<K>(&self) -> Result<Id<K>> {
        self.scope.engine.fresh_id(&self.scope.op)
    }

    /// Notes what happened, for the audit log.
    pub(crate) fn note(&mut self, code: &str, object: String) -> Result<()> {
        self.note_with(code, object, Map::new())
    }

    /// As [`Stage::note`], with what it became.
    pub(crate) fn note_with(
        &mut self,
        code: &str,
        object: String,
        details: Map<String, Value>,
    ) -> Result<()> {
        self.note_about(code, About { object: Some(object), details, ..About::default() })
    }

    /// As [`Stage::note`], with all that is said about it.
    pub(crate) fn note_about(&mut self, code: &str, about: About) -> Result<()> {
        self.draft.audit.push(self.scope.audit(code, about)?);
        Ok(())
    }

    /// Writes a resource. Permissions on actions that it does not have any more are taken out of the roles and of its
    /// action groups, and rules over condition sets about those are deleted.
    pub(crate) fn put_resource(&mut self, mut resource: Resource) -> Result<()> {
        let actions: Vec<Key> = resource.actions.iter().map(|a| a.key.clone()).collect();
        if let Some(before) = self.schema().resource_by_id(resource.id) {
            let gone = |key: &Key| !actions.contains(key) && before.actions.iter().any(|a| a.key == *key);
            for group in &mut resource.action_groups {
                group.actions.retain(|key| !gone(key));
            }
        }
        self.schema().check_resource(&resource)?;
        let has = |action: &str| actions.iter().any(|key| key.as_str() == action);
        let reduced: Vec<Role> = self
            .schema()
            .roles()
            .filter(|r| r.permissions.iter().any(|p| p.resource == resource.key && !has(p.action.as_str())))
            .map(|r| {
                let mut role = Role::clone(r);
                role.permissions.retain(|p| p.resource != resource.key || has(p.action.as_str()));
                role.updated_at = self.now();
                role
            })
            .collect();
        let rules = self.schema().rules_of_resource(&resource.key);
        let gone = rules.into_iter().filter(|rule| !has(rule.permission.action.as_str()));
        let changes: Vec<_> = reduced.into_iter().map(Change::PutRole).chain(gone.map(deleted)).collect();
        self.push(changes);
        self.push(vec![Change::PutResource(resource)]);
        Ok(())
    }

    /// Writes a role.
    pub(crate) fn put_role(&mut self, role: Role) -> Result<()> {
        self.schema().check_role(&role).map_err(|error| refuse::of_role(&role, error))?;
        self.push(vec![Change::PutRole(role)]);
        Ok(())
    }

    /// Writes a relation.
    pub(crate) fn put_relation(&mut self, relation: Relation) -> Result<()> {
        self.schema().check_relation(&relation)?;
        self.push(vec![Change::PutRelation(relation)]);
        Ok(())
    }

    /// Deletes a resource with all that stands on it.
    pub(crate) fn delete_resource(&mut self, resource: &Resource) {
        let (id, key) = (resource.id, resource.key.clone());
        let roles: Vec<_> = self.schema().roles_of(Some(key.as_str())).map(|r| r.id).collect();
        let now = self.now();
        let mut changes: Vec<_> = self
            .schema()
            .detach_resource(id)
            .into_iter()
            .map(|role| Change::PutRole(touched(role, now)))
            .collect();
        changes.extend(self.schema().detach_levels(&roles).into_iter().map(Change::PutElement));
        let sets = self.schema().condition_sets().filter(|set| set.resource.as_ref() == Some(&key));
        let sets: Vec<Key> = sets.map(|set| set.key.clone()).collect();
        changes.extend(self.schema().rules_of_resource(&key).into_iter().map(deleted));
        self.push(changes);
        for set in sets {
            self.delete_condition_set(&set);
        }
        self.push(vec![Change::DeleteResource { id, key }]);
    }

    /// Deletes a role and takes it out of what names it.
    pub(crate) fn delete_role(&mut self, role: &Role) {
        let now = self.now();
        let mut changes: Vec<_> = self
            .schema()
            .detach_role(role.id)
            .into_iter()
            .map(|role| Change::PutRole(touched(role, now)))
            .collect();
        changes.extend(self.schema().detach_levels(&[role.id]).into_iter().map(Change::PutElement));
        changes
            .extend(self.schema().rules_of_role(role.resource.as_ref(), &role.key).into_iter().map(deleted));
        changes.push(Change::DeleteRole {
            id: role.id,
            key: role.key.clone(),
            resource: role.resource.clone(),
        });
        self.push(changes);
    }

    /// Deletes a relation and takes it out of what names it.
    pub(crate) fn delete_relation(&mut self, relation: &Relation) {
        let now = self.now();
        let mut changes: Vec<_> = self
            .schema()
            .detach_relation(relation.id)
            .into_iter()
            .map(|role| Change::PutRole(touched(role, now)))
            .collect();
        let (id, key) = (relation.id, relation.key.clone());
        changes.push(Change::DeleteRelation { id, key, object_resource: relation.object_resource.clone() });
        self.push(changes);
    }

    /// Writes a condition set.
    pub(crate) fn put_condition_set(&mut self, set: ConditionSet) -> Result<()> {
        self.schema().check_condition_set(&set)?;
        self.push(vec![Change::PutConditionSet(set)]);
        Ok(())
    }

    /// Deletes a condition set, the sets below it, and the rules that name one of them.
    pub(crate) fn delete_condition_set(&mut self, key: &Key) {
        let sets = self.schema().with_descendants(key);
        let keys: Vec<&Key> = sets.iter().map(|set| &set.key).collect();
        let rules = self.schema().rules_of_sets(&keys).into_iter().map(deleted);
        let gone = sets.iter().map(|set| Change::DeleteConditionSet { id: set.id, key: set.key.clone() });
        let changes = rules.chain(gone).collect();
        self.push(changes);
    }

    /// Writes a rule over condition sets.
    pub(crate) fn put_set_rule(&mut self, rule: SetRule) -> Result<()> {
        self.schema().check_set_rule(&rule)?;
        self.push(vec![Change::PutSetRule(rule)]);
        Ok(())
    }

    /// Deletes a rule over condition sets.
    pub(crate) fn delete_set_rule(&mut self, id: SetRuleId) {
        self.push(vec![Change::DeleteSetRule { id }]);
    }

    /// Writes a proxy config.
    pub(crate) fn put_proxy_config(&mut self, config: ProxyConfig) -> Result<()> {
        self.schema().check_proxy_config(&config)?;
        self.push(vec![Change::PutProxyConfig(config)]);
        Ok(())
    }

    /// Writes an agent.
    pub(crate) fn put_agent(&mut self, agent: askfirst_domain::agent::Agent) {
        self.push(vec![Change::PutAgent(agent)]);
    }

    /// Deletes a proxy config.
    pub(crate) fn delete_proxy_config(&mut self, id: ProxyConfigId) {
        self.push(vec![Change::DeleteProxyConfig { id }]);
    }

    /// Writes what was checked elsewhere.
    pub(crate) fn write(&mut self, changes: Vec<Change>) {
        self.push(changes);
    }

    /// Takes the changes so far away; the schema stays with them.
    pub(crate) fn take(&mut self) -> Vec<Change> {
        std::mem::take(&mut self.draft.changes)
    }

    fn push(&mut self, changes: Vec<Change>) {
        self.snapshot = self.snapshot.apply(&changes);
        self.draft.changes.extend(changes);
    }
}

#[expect(clippy::needless_pass_by_value, reason = "maps over owned rules")]
fn deleted(rule: Arc<SetRule>) -> Change {
    Change::DeleteSetRule { id: rule.id }
}

fn touched(role: Role, now: Timestamp) -> Role {
    Role { updated_at: now, ..role }
}

/// The answer when a key of the schema is taken.
pub(crate) fn taken(what: &str, key: impl std::fmt::Display) -> Error {
    Error::duplicate(what, key)
}
