//! Rules over condition sets, compiled: each with all that has to hold, its sets' ancestors included.
//!
//! A rule that names something that is not there, or a set whose conditions do not compile, comes to nothing.

use super::{
    Compiled,
    roleset::RoleSet,
    slots::{Slots, TENANT},
};
use crate::{
    Schema,
    condition::{Condition, Read, Root},
};
use askfirst_domain::{
    Key,
    id::ConditionSetId,
    schema::{ConditionSet, RuleResources, RuleUsers, SetRule},
};
use rustc_hash::FxHashMap;
use std::sync::Arc;

/// How long a chain of sets and their parents may be.
pub(crate) const MAX_CHAIN: usize = 32;

/// All of these have to hold.
pub(crate) type Conditions = Box<[Arc<Condition>]>;

/// A rule that allows one action on one type.
#[derive(Debug, Clone)]
pub(crate) struct CompiledRule {
    pub(crate) rule: Arc<SetRule>,
    pub(crate) users: Users,
    pub(crate) things: Things,
}

/// Whom it allows.
#[derive(Debug, Clone)]
pub(crate) enum Users {
    Set(Conditions),
    /// Who has one of these roles in the tenant.
    InTenant(RoleSet),
    /// Who has one of these roles on the instance.
    OnInstance(RoleSet),
}

/// On what it allows.
#[derive(Debug, Clone)]
pub(crate) enum Things {
    Set(Conditions),
    All,
}

/// Conditions by their set; none for those that do not compile.
#[derive(Default)]
struct Sets(FxHashMap<ConditionSetId, Option<Arc<Condition>>>);

impl Sets {
    /// The conditions of the set and its ancestors; none when one of them does not stand.
    fn chain<'s>(
        &mut self,
        schema: &'s Schema,
        key: &'s Key,
        stands: impl Fn(&ConditionSet) -> bool,
    ) -> Option<Conditions> {
        let mut chain = Vec::new();
        let mut next = Some(key);
        while let Some(key) = next {
            let set = schema.condition_set_by_key(key.as_str()).filter(|set| stands(set))?;
            if chain.len() >= MAX_CHAIN {
                return None;
            }
            let compiled = self
                .0
                .entry(set.id)
                .or_insert_with(|| Condition::compile(&set.conditions).ok().map(Arc::new));
            chain.push(Arc::clone(compiled.as_ref()?));
            next = set.parent.as_ref();
        }
        Some(chain.into())
    }
}

impl Compiled {
    /// Puts every rule to the action that it allows. Comes after the roles.
    pub(super) fn add_set_rules(&mut self, schema: &Schema, slots: &Slots) {
        let mut sets = Sets::default();
        for rule in schema.set_rules() {
            let permission = &rule.permission;
            let Some(ty) = self.type_of(permission.resource.as_str()) else { continue };
            let things = match &rule.resources {
                RuleResources::Resource(key) if *key == permission.resource => Some(Things::All),
                RuleResources::Resource(_) => None,
                RuleResources::Set(key) => {
                    let stands = |set: &ConditionSet| set.resource.as_ref() == Some(&permission.resource);
                    sets.chain(schema, key, stands).map(Things::Set)
                }
            };
            let users = match &rule.users {
                RuleUsers::Set(key) => sets.chain(schema, key, |set| set.resource.is_none()).map(Users::Set),
                RuleUsers::Role { resource, key } => {
                    let slot = schema
                        .role_by_key(resource.as_ref().map(Key::as_str), key.as_str())
                        .and_then(|role| slots.role(role.id));
                    slot.and_then(|slot| {
                        let sufficient = self.role(slot)?.sufficient.clone();
                        match slot.ty {
                            TENANT => Some(Users::InTenant(sufficient)),
                            on if on == ty => Some(Users::OnInstance(sufficient)),
                            _ => None,
                        }
                    })
                }
            };
            let (Some(users), Some(things)) = (users, things) else { continue };
            let action =
                self.types.get_mut(usize::from(ty)).and_then(|ty| ty.actions.get_mut(&permission.action));
            if let Some(need) = action {
                need.rules.push(CompiledRule { rule: Arc::clone(rule), users, things });
            }
        }
        self.reads_roles = sets.0.values().flatten().any(|condition| reads_roles(condition));
    }
}

fn reads_roles(condition: &Condition) -> bool {
    condition.attributes().iter().any(|read| match read {
        Read::Attribute(path) | Read::Member { of: path, .. } => {
            path.root() == Some(Root::User) && path.name() == "roles"
        }
        Read::Stored { .. } => false,
    })
}
