//! Rules over condition sets, compiled: each with all that has to hold, its sets' ancestors included.
//!
//! A rule that names something that is not there, or a set whose conditions do not compile, comes to nothing.

use super::{
    Compiled,
    roleset::{RoleIndex, RoleSet},
    slots::{Slots, TENANT},
};
use crate::{
    Schema,
    condition::{Condition, ConditionLimits, Path, Read, Root},
};
use askfirst_domain::{
    Key,
    id::ConditionSetId,
    schema::{ConditionSet, RuleResources, RuleUsers, SetRule},
};
use rustc_hash::FxHashMap;
use std::{ops::BitOr, sync::Arc};

/// How long a chain of sets and their parents may be.
pub(crate) const MAX_CHAIN: usize = 32;

/// The parts of a question that something depends on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Reads(u8);

impl Reads {
    pub(crate) const USER: Self = Self(1);
    pub(crate) const TENANT: Self = Self(2);
    /// The instance, or the resource as a whole.
    pub(crate) const THING: Self = Self(4);
    /// `user.roles`, which takes a walk to find out. Comes with the user and the tenant.
    pub(crate) const ROLES: Self = Self(8);

    fn of(condition: &Condition) -> Self {
        let reads = condition.attributes().into_iter().map(|read| match read {
            Read::Attribute(path) | Read::Member { of: path, .. } => Self::of_path(path),
            // Instances can be told of one tenant only.
            Read::Stored { .. } => Self::TENANT,
        });
        reads.fold(Self::default(), BitOr::bitor)
    }

    fn of_path(path: &Path) -> Self {
        match (path.root(), path.name()) {
            (Some(Root::User), "roles") => Self::USER | Self::TENANT | Self::ROLES,
            (Some(Root::User), _) => Self::USER,
            (Some(Root::Resource), "type") | (Some(Root::Context | Root::Action) | None, _) => {
                Self::default()
            }
            (Some(Root::Resource), "tenant") | (Some(Root::Tenant), _) => Self::TENANT,
            (Some(Root::Resource), _) => Self::THING,
        }
    }

    /// Whether it depends on one of these.
    #[inline]
    pub(crate) const fn any(self, of: Self) -> bool {
        self.0 & of.0 != 0
    }
}

impl BitOr for Reads {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// The condition of a set, and what it depends on.
#[derive(Debug, Clone)]
pub(crate) struct Test {
    pub(crate) set: Key,
    pub(crate) condition: Arc<Condition>,
    pub(crate) reads: Reads,
}

/// A rule that allows one action on one type.
#[derive(Debug, Clone)]
pub(crate) struct CompiledRule {
    pub(crate) rule: Arc<SetRule>,
    pub(crate) users: Users,
    /// Those of the resource set and its ancestors; none when the rule is about all of the resource.
    pub(crate) things: Box<[Test]>,
}

impl CompiledRule {
    /// Every condition that has to hold: those about the thing, then those about the user.
    pub(crate) fn tests(&self) -> impl Iterator<Item = &Test> {
        let users = match &self.users {
            Users::Set(tests) => tests.as_ref(),
            Users::InTenant(_) | Users::OnInstance(_) => &[],
        };
        self.things.iter().chain(users)
    }
}

/// Whom a rule allows.
#[derive(Debug, Clone)]
pub(crate) enum Users {
    /// Who is in the set and its ancestors.
    Set(Box<[Test]>),
    /// Who has the role in the tenant.
    InTenant(RuleRole),
    /// Who has the role on the instance.
    OnInstance(RuleRole),
}

/// The role that a rule is about.
#[derive(Debug, Clone)]
pub(crate) struct RuleRole {
    pub(crate) role: RoleIndex,
    /// It and whatever extends it.
    pub(crate) sufficient: RoleSet,
}

/// Conditions by their set; none for those that do not compile.
#[derive(Default)]
struct Sets(FxHashMap<ConditionSetId, Option<(Arc<Condition>, Reads)>>);

impl Sets {
    /// The conditions of the set and its ancestors; none when one of them does not stand.
    fn chain<'s>(
        &mut self,
        schema: &'s Schema,
        key: &'s Key,
        stands: impl Fn(&ConditionSet) -> bool,
    ) -> Option<Box<[Test]>> {
        let mut chain = Vec::new();
        let mut next = Some(key);
        while let Some(key) = next {
            let set = schema.condition_set_by_key(key.as_str()).filter(|set| stands(set))?;
            if chain.len() >= MAX_CHAIN {
                return None;
            }
            let compiled = self.0.entry(set.id).or_insert_with(|| {
                let condition = Condition::compile_within(&set.conditions, ConditionLimits::MOST).ok()?;
                let reads = Reads::of(&condition);
                Some((Arc::new(condition), reads))
            });
            let (condition, reads) = compiled.as_ref()?;
            chain.push(Test { set: set.key.clone(), condition: Arc::clone(condition), reads: *reads });
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
                RuleResources::Resource(key) if *key == permission.resource => Some(Box::default()),
                RuleResources::Resource(_) => None,
                RuleResources::Set(key) => {
                    let stands = |set: &ConditionSet| set.resource.as_ref() == Some(&permission.resource);
                    sets.chain(schema, key, stands)
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
                        let role = RuleRole { role: slot.role, sufficient };
                        match slot.ty {
                            TENANT => Some(Users::InTenant(role)),
                            on if on == ty => Some(Users::OnInstance(role)),
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
    }
}
