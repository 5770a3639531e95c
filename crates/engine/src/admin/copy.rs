//! Copying the policy of an environment into another one of the same project: resources with their actions, attributes,
//! action groups and relations, roles, condition sets and the rules over those. Facts, elements and requests stay where
//! they are. The copy is one write: all of it, or nothing.

use super::environments::NewEnvironment;
use crate::{
    OrgScope,
    error::{Error, Kind, Result},
    schema::Stage,
};
use askfirst_domain::{
    Ident, Key,
    schema::{
        ActionGroup, ConditionSet, Derivation, Relation, Resource, Role, RuleResources, RuleUsers, SetKind,
        SetRule,
    },
    scope::Environment,
};
use askfirst_policy::{RoleName, Schema};
use serde_json::{Map, json};
use std::{collections::BTreeSet, sync::Arc};

/// What is to be copied where.
#[derive(Debug, Clone)]
pub struct EnvironmentCopy {
    pub target: Target,
    pub conflict: Conflict,
    pub scope: CopyScope,
}

/// The environment that the copy goes into.
#[derive(Debug, Clone)]
pub enum Target {
    Existing(Ident),
    New(NewEnvironment),
}

/// What becomes of a thing whose key the target has already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Conflict {
    /// Nothing is copied.
    #[default]
    Fail,
    /// The target's becomes like the source's and keeps its id. What only the target has stays.
    Overwrite,
}

/// Which things are copied, by their keys.
#[derive(Debug, Clone, Default)]
pub struct CopyScope {
    /// A resource brings its actions, attributes, action groups and relations along.
    pub resources: KeyFilter,
    /// Tenant roles, and the roles of the resources that are copied.
    pub roles: KeyFilter,
    pub user_sets: KeyFilter,
    /// Of the resources that are copied.
    pub resource_sets: KeyFilter,
}

impl CopyScope {
    fn takes_set(&self, set: &ConditionSet, copied: &BTreeSet<&Key>) -> bool {
        match set.kind {
            SetKind::Userset => self.user_sets.takes(&set.key),
            SetKind::Resourceset => {
                self.resource_sets.takes(&set.key)
                    && set.resource.as_ref().is_some_and(|key| copied.contains(key))
            }
        }
    }
}

/// Keys to take and keys to leave, `*` standing for anything.
#[derive(Debug, Clone, Default)]
pub struct KeyFilter {
    /// Empty means everything.
    pub include: Vec<String>,
    pub exclude: Vec<String>,
}

impl KeyFilter {
    fn takes(&self, key: &Key) -> bool {
        let is = |pattern: &String| matches(pattern, key.as_str());
        (self.include.is_empty() || self.include.iter().any(is)) && !self.exclude.iter().any(is)
    }
}

/// Whether `pattern`, in which `*` stands for any text, is the text.
fn matches(pattern: &str, text: &str) -> bool {
    let Some((head, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(mut left) = text.strip_prefix(head) else { return false };
    let (middle, tail) = rest.rsplit_once('*').unwrap_or(("", rest));
    for part in middle.split('*').filter(|part| !part.is_empty()) {
        match left.split_once(part) {
            Some((_, behind)) => left = behind,
            None => return false,
        }
    }
    left.ends_with(tail)
}

impl OrgScope {
    /// Copies the policy of an environment. Answers the environment that it was copied into.
    ///
    /// # Errors
    /// [`Kind::NotFound`]; [`Kind::Duplicate`] for a key that both have, unless they are to be overwritten, and for the
    /// key of a new environment; [`Kind::Forbidden`] with a key of one environment; what the checks of the schema
    /// refuse, such as a role that permits something on a resource that neither is copied nor was there.
    pub async fn copy_environment(
        &self,
        project: &Ident,
        env: &Ident,
        copy: &EnvironmentCopy,
    ) -> Result<Arc<Environment>> {
        let source_env = self.get_environment(project, env)?;
        self.govern("project")?;
        let source = self.engine.enter(self.op.clone(), project, env).await?;
        let (target, made) = match &copy.target {
            Target::Existing(ident) => (self.get_environment(project, ident)?, false),
            Target::New(new) => {
                let made = self.create_environment(project, new.clone()).await?;
                (Arc::new(made), true)
            }
        };
        if target.id == source_env.id {
            return Err(Error::invalid("An environment can't be copied into itself; name another one."));
        }
        let ident = Ident::from(target.id.uuid());
        let written = async {
            let scope = self.engine.enter(self.op.clone(), project, &ident).await?;
            let state = source.state();
            let from = state.snapshot.schema();
            scope.write_schema(|stage| Copier { from, copy, stage }.run(&source_env.key)).await
        };
        match written.await {
            Ok(()) => Ok(target),
            Err(error) if made => {
                self.delete_environment(project, &ident).await?;
                Err(error)
            }
            Err(error) => Err(error),
        }
    }
}

struct Copier<'a, 's> {
    from: &'a Schema,
    copy: &'a EnvironmentCopy,
    stage: &'a mut Stage<'s>,
}

impl Copier<'_, '_> {
    fn run(mut self, source: &Key) -> Result<()> {
        let scope = &self.copy.scope;
        let resources: Vec<_> =
            self.from.resources().filter(|r| scope.resources.takes(&r.key)).cloned().collect();
        for resource in &resources {
            self.resource(resource)?;
        }
        let copied: BTreeSet<&Key> = resources.iter().map(|r| &r.key).collect();
        for relation in self.from.relations().filter(|r| copied.contains(&r.object_resource)) {
            self.relation(relation)?;
        }
        let here = |role: &&Arc<Role>| role.resource.as_ref().is_none_or(|on| copied.contains(on));
        let roles: Vec<_> =
            self.from.roles().filter(here).filter(|r| scope.roles.takes(&r.key)).cloned().collect();
        self.roles(&roles)?;
        let mut sets = BTreeSet::new();
        for set in self.from.condition_sets().filter(|set| scope.takes_set(set, &copied)) {
            self.set(set, &copied, &mut sets)?;
        }
        let names: BTreeSet<RoleName> = roles.iter().map(|r| RoleName::from(r.as_ref())).collect();
        let mut rules = 0;
        for rule in self.from.set_rules() {
            let users = match &rule.users {
                RuleUsers::Set(key) => sets.contains(key),
                RuleUsers::Role { resource, key } => {
                    names.contains(&RoleName { resource: resource.clone(), key: key.clone() })
                }
            };
            let things = match &rule.resources {
                RuleResources::Set(key) => sets.contains(key),
                RuleResources::Resource(key) => copied.contains(key),
            };
            if users && things && self.rule(rule)? {
                rules += 1;
            }
        }
        let counts = json!({
            "resources": resources.len(), "roles": roles.len(), "condition_sets": sets.len(), "set_rules": rules,
        });
        let details = Map::from_iter([("copied".to_owned(), counts)]);
        self.stage.note_with("environment.copied", format!("from {source}"), details)
    }

    /// The answer to a key that both have.
    fn meets(&self, what: &str, key: impl std::fmt::Display) -> Result<()> {
        match self.copy.conflict {
            Conflict::Overwrite => Ok(()),
            Conflict::Fail => Err(Error::new(
                Kind::Duplicate,
                format!(
                    "The {what} `{key}` is in both environments, and nothing was copied; send \
                     `\"conflict_strategy\": \"overwrite\"` or leave it out of the scope."
                ),
            )),
        }
    }

    fn resource(&mut self, source: &Resource) -> Result<()> {
        let known = self.stage.schema().resource_by_key(source.key.as_str()).cloned();
        if known.is_some() {
            self.meets("resource", &source.key)?;
        }
        let mut made = source.clone();
        made.updated_at = self.stage.now();
        made.id = match &known {
            Some(known) => known.id,
            None => self.stage.fresh_id()?,
        };
        made.created_at = known.as_ref().map_or(self.stage.now(), |known| known.created_at);
        for action in &mut made.actions {
            let same = known.iter().flat_map(|k| &k.actions).find(|a| a.key == action.key);
            action.id = same.map_or_else(|| self.stage.fresh_id(), |a| Ok(a.id))?;
        }
        for attribute in &mut made.attributes {
            let same = known.iter().flat_map(|k| &k.attributes).find(|a| a.key == attribute.key);
            attribute.id = same.map_or_else(|| self.stage.fresh_id(), |a| Ok(a.id))?;
        }
        let groups: &[ActionGroup] = known.as_ref().map_or(&[], |k| &k.action_groups);
        for group in &mut made.action_groups {
            let same = groups.iter().find(|g| g.key == group.key);
            group.id = same.map_or_else(|| self.stage.fresh_id(), |g| Ok(g.id))?;
        }
        self.stage.put_resource(made)
    }

    fn relation(&mut self, source: &Relation) -> Result<()> {
        let object = source.object_resource.as_str();
        let known = self.stage.schema().relation_by_key(object, source.key.as_str()).cloned();
        let kept = known.as_ref().filter(|known| known.subject_resource == source.subject_resource);
        let (id, created_at) = match kept {
            Some(kept) => (kept.id, kept.created_at),
            None => (self.stage.fresh_id()?, self.stage.now()),
        };
        if let Some(other) = known.as_ref().filter(|known| known.id != id) {
            // Its tuples start at things of another type.
            self.stage.delete_relation(other);
        }
        self.stage.put_relation(Relation { id, created_at, updated_at: self.stage.now(), ..source.clone() })
    }

    /// In two passes, since roles name each other in any order.
    fn roles(&mut self, roles: &[Arc<Role>]) -> Result<()> {
        let mut made = Vec::with_capacity(roles.len());
        for source in roles {
            let on = source.resource.as_ref().map(Key::as_str);
            let known = self.stage.schema().role_by_key(on, source.key.as_str()).cloned();
            if known.is_some() {
                self.meets("role", RoleName::from(source.as_ref()))?;
            }
            let block = known.as_ref().and_then(|known| known.granted_to.as_ref().map(|block| block.id));
            let granted_to = match &source.granted_to {
                Some(derivation) => {
                    let id = block.map_or_else(|| Ok(self.stage.fresh_id::<()>()?.uuid()), Ok::<_, Error>)?;
                    Some(Derivation { id, ..derivation.clone() })
                }
                None => None,
            };
            let role = Role {
                id: known.as_ref().map_or_else(|| self.stage.fresh_id(), |known| Ok(known.id))?,
                created_at: known.as_ref().map_or(self.stage.now(), |known| known.created_at),
                updated_at: self.stage.now(),
                granted_to,
                ..Role::clone(source)
            };
            self.stage.put_role(Role { extends: Vec::new(), granted_to: None, ..role.clone() })?;
            made.push(role);
        }
        made.into_iter().try_for_each(|role| self.stage.put_role(role))
    }

    /// A set after its parents. Parents that lead back are not in a schema.
    fn set(
        &mut self,
        source: &ConditionSet,
        copied: &BTreeSet<&Key>,
        done: &mut BTreeSet<Key>,
    ) -> Result<()> {
        if !done.insert(source.key.clone()) {
            return Ok(());
        }
        let from = self.from;
        let parent = source.parent.as_ref().and_then(|key| from.condition_set_by_key(key.as_str()));
        if let Some(parent) = parent.filter(|parent| self.copy.scope.takes_set(parent, copied)) {
            self.set(parent, copied, done)?;
        }
        let known = self.stage.schema().condition_set_by_key(source.key.as_str()).cloned();
        if known.is_some() {
            self.meets("condition set", &source.key)?;
        }
        let set = ConditionSet {
            id: known.as_ref().map_or_else(|| self.stage.fresh_id(), |known| Ok(known.id))?,
            created_at: known.as_ref().map_or(self.stage.now(), |known| known.created_at),
            updated_at: self.stage.now(),
            ..source.clone()
        };
        self.stage.put_condition_set(set)
    }

    /// False when the target has the rule already.
    fn rule(&mut self, source: &SetRule) -> Result<bool> {
        let name = source.name();
        if self.stage.schema().set_rules().any(|known| known.name() == name) {
            return Ok(false);
        }
        let (id, now) = (self.stage.fresh_id()?, self.stage.now());
        self.stage.put_set_rule(SetRule { id, created_at: now, updated_at: now, ..source.clone() })?;
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_text() {
        for (pattern, text, is) in [
            ("test*", "test-1", true),
            ("test*", "test", true),
            ("*", "anything", true),
            ("*admin*", "superadmin-2", true),
            ("a*b*c", "a-b-c", true),
            ("a*b*c", "a-c-b", false),
            ("test", "test-1", false),
            ("*test", "test-1", false),
            ("ab*ba", "aba", false),
            ("", "x", false),
        ] {
            assert_eq!(matches(pattern, text), is, "{pattern} {text}");
        }
    }

    #[test]
    fn what_is_excluded_is_not_taken_though_it_is_included() {
        let filter = KeyFilter { include: vec!["doc*".to_owned()], exclude: vec!["*-old".to_owned()] };
        let taken = |key: &str| filter.takes(&key.parse().unwrap());
        assert_eq!((taken("doc"), taken("doc-old"), taken("file")), (true, false, false));
        assert!(KeyFilter::default().takes(&"anything".parse().unwrap()));
    }
}
