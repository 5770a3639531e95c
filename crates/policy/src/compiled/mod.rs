//! The schema in the form in which questions are answered: for every action the roles that allow it as bits, closed
//! over `extends`, and for every role the ways in which it is derived.
//!
//! Built anew when the schema changes; that costs as much as the schema is large and nothing of the facts.

pub(crate) mod roleset;
pub(crate) mod sets;
pub(crate) mod slots;

use crate::Schema;
use askfirst_domain::{Key, id::RoleId, schema::Role};
use roleset::{RoleIndex, RoleSet, bit, words};
use rustc_hash::FxHashMap;
use sets::CompiledRule;
use slots::{RoleSlot, Slots, TENANT, TypeIndex};
use std::sync::Arc;

/// What allows an action.
#[derive(Debug, Clone, Default)]
pub(crate) struct Need {
    /// Held on the instance.
    pub(crate) on_instance: Allowing,
    /// Held in its tenant.
    pub(crate) in_tenant: Allowing,
    /// Rules over condition sets, in the order of creation; asked after the roles.
    pub(crate) rules: Vec<CompiledRule>,
}

/// Roles of one type that allow an action.
#[derive(Debug, Clone, Default)]
pub(crate) struct Allowing {
    /// Those that permit it themselves.
    pub(crate) permitting: RoleSet,
    /// Those and whatever extends them.
    pub(crate) sufficient: RoleSet,
}

/// A role as a part of its type.
#[derive(Debug, Clone)]
pub(crate) struct CompiledRole {
    pub(crate) id: RoleId,
    pub(crate) key: Key,
    /// How many permissions it comes to, with what it extends: the measure of privilege.
    pub(crate) weight: usize,
    /// The roles that it extends directly, as written.
    pub(crate) extends: Vec<RoleIndex>,
    /// The roles that come with it: itself and whatever extends it.
    pub(crate) sufficient: RoleSet,
}

/// One way in which a role is derived: whoever has a role of `sources` on the subject has `target` on the object.
#[derive(Debug, Clone)]
pub(crate) struct Rule {
    pub(crate) target: RoleSlot,
    /// The word and bit of the target.
    pub(crate) word: u16,
    pub(crate) bit: u64,
    pub(crate) relation: u32,
    pub(crate) relation_key: Key,
    /// Not for users who were given a role on the object.
    pub(crate) gated: bool,
    pub(crate) source: RoleSlot,
    /// The source and whatever extends it.
    pub(crate) sources: RoleSet,
}

/// A type of node.
#[derive(Debug, Clone, Default)]
pub(crate) struct CompiledType {
    /// The resource's key; none for tenants.
    pub(crate) key: Option<Key>,
    pub(crate) actions: FxHashMap<Key, Need>,
    /// By [`RoleIndex`].
    pub(crate) roles: Vec<Option<CompiledRole>>,
    /// How many words its roles take.
    pub(crate) words: u16,
    /// The rules whose target is a role of this type.
    pub(crate) into: Vec<Rule>,
    /// Where the rules stand whose source is a role of this type: type and place in `into`.
    pub(crate) from: Vec<(TypeIndex, usize)>,
}

impl CompiledType {
    pub(crate) fn role(&self, role: RoleIndex) -> Option<&CompiledRole> {
        self.roles.get(role as usize)?.as_ref()
    }
}

/// The compiled schema.
#[derive(Debug, Clone, Default)]
pub(crate) struct Compiled {
    /// By [`TypeIndex`].
    pub(crate) types: Vec<CompiledType>,
    by_key: FxHashMap<Key, TypeIndex>,
}

impl Compiled {
    pub(crate) fn new(schema: &Schema, slots: &Slots) -> Self {
        let mut compiled = Self { types: vec![CompiledType::default(); slots.types()], ..Self::default() };
        for resource in schema.resources() {
            let Some(ty) = slots.type_of(resource.id) else { continue };
            compiled.by_key.insert(resource.key.clone(), ty);
            if let Some(compiled) = compiled.types.get_mut(usize::from(ty)) {
                compiled.key = Some(resource.key.clone());
                compiled.actions =
                    resource.actions.iter().map(|action| (action.key.clone(), Need::default())).collect();
            }
        }
        for role in schema.roles() {
            compiled.add_role(schema, slots, role);
        }
        for role in schema.roles() {
            compiled.add_to_bases(schema, slots, role);
        }
        for role in schema.roles() {
            compiled.add_permissions(schema, slots, role);
            compiled.add_rules(schema, slots, role);
        }
        compiled.link_rules();
        compiled.add_set_rules(schema, slots);
        compiled
    }

    #[inline]
    pub(crate) fn type_of(&self, resource: &str) -> Option<TypeIndex> {
        self.by_key.get(resource).copied()
    }

    #[inline]
    pub(crate) fn ty(&self, ty: TypeIndex) -> Option<&CompiledType> {
        self.types.get(usize::from(ty))
    }

    pub(crate) fn role(&self, slot: RoleSlot) -> Option<&CompiledRole> {
        self.ty(slot.ty)?.role(slot.role)
    }

    fn add_role(&mut self, schema: &Schema, slots: &Slots, role: &Arc<Role>) {
        let Some(slot) = slots.role(role.id) else { return };
        let Some(ty) = self.types.get_mut(usize::from(slot.ty)) else { return };
        let scope = role.resource.as_ref().map(Key::as_str);
        let index = |role: &Arc<Role>| slots.role(role.id).map(|slot| slot.role);
        let named = |key: &Key| schema.role_by_key(scope, key.as_str()).and_then(index);
        let at = slot.role as usize;
        if ty.roles.len() <= at {
            ty.roles.resize(at + 1, None);
            ty.words = words(ty.roles.len());
        }
        if let Some(place) = ty.roles.get_mut(at) {
            *place = Some(CompiledRole {
                id: role.id,
                key: role.key.clone(),
                weight: schema.permissions_of(role).len(),
                extends: role.extends.iter().filter_map(named).collect(),
                sufficient: RoleSet::default(),
            });
        }
    }

    /// Makes the role sufficient for each that it extends, and for itself.
    fn add_to_bases(&mut self, schema: &Schema, slots: &Slots, role: &Arc<Role>) {
        let Some(slot) = slots.role(role.id) else { return };
        let Some(ty) = self.types.get_mut(usize::from(slot.ty)) else { return };
        for base in schema.extended(role).into_iter().filter_map(|base| slots.role(base.id)) {
            if let Some(Some(base)) = ty.roles.get_mut(base.role as usize) {
                base.sufficient.insert(slot.role);
            }
        }
    }

    fn add_permissions(&mut self, schema: &Schema, slots: &Slots, role: &Arc<Role>) {
        let Some(slot) = slots.role(role.id) else { return };
        let sufficient = self.role(slot).map(|role| role.sufficient.clone()).unwrap_or_default();
        for permission in &role.permissions {
            let Some(resource) = schema.resource_by_key(permission.resource.as_str()) else { continue };
            let Some(ty) = slots.type_of(resource.id).filter(|ty| slot.ty == TENANT || slot.ty == *ty) else {
                continue;
            };
            let need =
                self.types.get_mut(usize::from(ty)).and_then(|ty| ty.actions.get_mut(&permission.action));
            let Some(need) = need else { continue };
            let allowing = if slot.ty == TENANT { &mut need.in_tenant } else { &mut need.on_instance };
            allowing.permitting.insert(slot.role);
            allowing.sufficient.union(&sufficient);
        }
    }

    fn add_rules(&mut self, schema: &Schema, slots: &Slots, role: &Arc<Role>) {
        let (Some(object), Some(derivation)) = (&role.resource, &role.granted_to) else { return };
        let Some(target) = slots.role(role.id) else { return };
        for rule in &derivation.users_with_role {
            let relation = schema.relation_by_key(object.as_str(), rule.linked_by_relation.as_str());
            let source = schema.role_by_key(Some(rule.on_resource.as_str()), rule.role.as_str());
            let (Some(relation), Some(source)) = (relation, source) else { continue };
            let (Some(joined), Some(source)) = (slots.relation(relation.id), slots.role(source.id)) else {
                continue;
            };
            if joined.subject != source.ty || joined.object != target.ty {
                continue;
            }
            let (word, bit) = bit(target.role);
            let gated = derivation.when.no_direct_roles_on_object
                || rule.when.is_some_and(|when| when.no_direct_roles_on_object);
            let sources = self.role(source).map(|role| role.sufficient.clone()).unwrap_or_default();
            let relation_key = relation.key.clone();
            let relation = joined.number;
            if let Some(ty) = self.types.get_mut(usize::from(target.ty)) {
                ty.into.push(Rule { target, word, bit, relation, relation_key, gated, source, sources });
            }
        }
    }

    fn link_rules(&mut self) {
        let mut from = Vec::new();
        for (ty, compiled) in (0..).zip(&self.types) {
            from.extend(compiled.into.iter().enumerate().map(|(at, rule)| (rule.source.ty, (ty, at))));
        }
        for (source, rule) in from {
            if let Some(ty) = self.types.get_mut(usize::from(source)) {
                ty.from.push(rule);
            }
        }
    }

    pub(crate) fn rule(&self, (ty, at): (TypeIndex, usize)) -> Option<&Rule> {
        self.ty(ty)?.into.get(at)
    }
}
