//! What may be written of condition sets and the rules over them, and what a deletion takes along.

use super::{Schema, SchemaError, error::Names, validate::names};
use crate::{compiled::sets::MAX_CHAIN, condition::Condition};
use askfirst_domain::{
    Key,
    schema::{ConditionSet, RuleResources, RuleUsers, SetKind, SetRule},
};
use std::sync::Arc;

impl Schema {
    /// Whether the set may be written: its resource and parent are there and fit, nothing leads back to it, and its
    /// conditions compile.
    ///
    /// # Errors
    /// The first rule that does not hold.
    pub fn check_condition_set(&self, set: &ConditionSet) -> Result<(), SchemaError> {
        match (set.kind, &set.resource) {
            (SetKind::Userset, None) => {}
            (SetKind::Userset, Some(_)) => {
                return Err(SchemaError::UserSetWithResource { set: set.key.clone() });
            }
            (SetKind::Resourceset, None) => {
                return Err(SchemaError::SetWithoutResource { set: set.key.clone() });
            }
            (SetKind::Resourceset, Some(resource)) => {
                self.require_resource(resource)?;
            }
        }
        if let Some(parent) = &set.parent {
            self.check_parent(set, parent)?;
        }
        match Condition::compile_within(&set.conditions, self.condition_limits) {
            Ok(_) => Ok(()),
            Err(cause) => Err(SchemaError::WrongConditions { set: set.key.clone(), cause }),
        }
    }

    fn check_parent(&self, set: &ConditionSet, parent: &Key) -> Result<(), SchemaError> {
        let (mut next, mut depth) = (Some(parent), 1);
        while let Some(key) = next {
            if *key == set.key {
                return Err(SchemaError::ParentCycle { set: set.key.clone(), parent: parent.clone() });
            }
            let above =
                self.condition_set_by_key(key.as_str()).ok_or_else(|| SchemaError::UnknownParentSet {
                    set: set.key.clone(),
                    parent: key.clone(),
                    available: self.set_names(|other| other.resource == set.resource && other.key != set.key),
                })?;
            if above.kind != set.kind || above.resource != set.resource {
                return Err(SchemaError::ForeignParentSet { set: set.key.clone(), parent: key.clone() });
            }
            depth += 1;
            if depth > MAX_CHAIN {
                return Err(SchemaError::LongSetChain { set: set.key.clone(), limit: MAX_CHAIN });
            }
            next = above.parent.as_ref();
        }
        Ok(())
    }

    /// Whether the rule may be written: all that it names is there and fits together. Whether the same rule is there
    /// already is not looked at.
    ///
    /// # Errors
    /// The first rule that does not hold.
    pub fn check_set_rule(&self, rule: &SetRule) -> Result<(), SchemaError> {
        let permission = &rule.permission;
        let resource = self.require_resource(&permission.resource)?;
        if resource.actions.iter().all(|action| action.key != permission.action) {
            return Err(SchemaError::UnknownRuleAction {
                resource: permission.resource.clone(),
                action: permission.action.clone(),
                available: names(resource.actions.iter().map(|action| &action.key)),
            });
        }
        match &rule.resources {
            RuleResources::Resource(key) if *key == permission.resource => {}
            RuleResources::Resource(key) => {
                return Err(SchemaError::ForeignRuleResource {
                    resources: key.clone(),
                    resource: permission.resource.clone(),
                });
            }
            RuleResources::Set(key) => {
                self.rule_set(key, "resource set", |set| set.kind == SetKind::Resourceset)?;
                self.rule_set(key, "resource set", |set| set.resource.as_ref() == Some(&permission.resource))
                    .map_err(|_| SchemaError::ForeignRuleResource {
                        resources: key.clone(),
                        resource: permission.resource.clone(),
                    })?;
            }
        }
        match &rule.users {
            RuleUsers::Set(key) => self.rule_set(key, "user set", |set| set.kind == SetKind::Userset),
            RuleUsers::Role { resource, key } => self.rule_role(resource.as_ref(), key, &permission.resource),
        }
    }

    fn rule_set(
        &self,
        key: &Key,
        what: &'static str,
        fits: impl Fn(&ConditionSet) -> bool,
    ) -> Result<(), SchemaError> {
        match self.condition_set_by_key(key.as_str()).filter(|set| fits(set)) {
            Some(_) => Ok(()),
            None => {
                Err(SchemaError::UnknownRuleSet { what, key: key.clone(), available: self.set_names(fits) })
            }
        }
    }

    fn rule_role(&self, on: Option<&Key>, key: &Key, resource: &Key) -> Result<(), SchemaError> {
        let scope = on.map(Key::as_str);
        if on.is_some_and(|on| on != resource) || self.role_by_key(scope, key.as_str()).is_none() {
            let own = self.roles_of(Some(resource.as_str())).map(|role| format!("{resource}#{}", role.key));
            let available = self.roles_of(None).map(|role| role.key.to_string()).chain(own).collect();
            let role = RuleUsers::Role { resource: on.cloned(), key: key.clone() }.to_string();
            return Err(SchemaError::UnknownRuleRole { role, available: Names(available) });
        }
        Ok(())
    }

    fn set_names(&self, fits: impl Fn(&ConditionSet) -> bool) -> Names {
        names(self.condition_sets().filter(|set| fits(set)).map(|set| &set.key))
    }

    /// The set, and the sets that have it among their ancestors: to be deleted together, since without its ancestor a
    /// set would hold more.
    pub fn with_descendants(&self, key: &Key) -> Vec<Arc<ConditionSet>> {
        let mut found: Vec<Arc<ConditionSet>> =
            self.condition_set_by_key(key.as_str()).cloned().into_iter().collect();
        let mut at = 0;
        while let Some(parent) = found.get(at).map(|set| set.key.clone()) {
            let below = self.condition_sets().filter(|set| set.parent.as_ref() == Some(&parent));
            let new: Vec<_> = below.filter(|set| found.iter().all(|f| f.id != set.id)).cloned().collect();
            found.extend(new);
            at += 1;
        }
        found
    }

    /// The rules that name one of these sets.
    pub fn rules_of_sets(&self, keys: &[&Key]) -> Vec<Arc<SetRule>> {
        self.rules_where(|rule| {
            let users = matches!(&rule.users, RuleUsers::Set(key) if keys.contains(&key));
            users || matches!(&rule.resources, RuleResources::Set(key) if keys.contains(&key))
        })
    }

    /// The rules that name this role as their users.
    pub fn rules_of_role(&self, on: Option<&Key>, role: &Key) -> Vec<Arc<SetRule>> {
        self.rules_where(|rule| match &rule.users {
            RuleUsers::Role { resource, key } => resource.as_ref() == on && key == role,
            RuleUsers::Set(_) => false,
        })
    }

    /// The rules about this resource.
    pub fn rules_of_resource(&self, resource: &Key) -> Vec<Arc<SetRule>> {
        self.rules_where(|rule| rule.permission.resource == *resource)
    }

    fn rules_where(&self, wanted: impl Fn(&SetRule) -> bool) -> Vec<Arc<SetRule>> {
        self.set_rules().filter(|rule| wanted(rule)).cloned().collect()
    }
}
