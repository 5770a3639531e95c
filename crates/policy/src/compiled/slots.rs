//! Which small number stands for which resource, role and relation. A number stays as long as its thing does, since
//! the facts are written in them; numbers of deleted things are given out again once their facts are gone.

use super::roleset::RoleIndex;
use askfirst_domain::id::{RelationId, ResourceId, RoleId};
use rustc_hash::FxHashMap;

/// A type of node: a resource, or the tenants.
pub(crate) type TypeIndex = u16;

/// The type of tenants; tenant roles are its roles.
pub(crate) const TENANT: TypeIndex = 0;

/// The most roles on one type: as many as words of 64 can be counted.
const MAX_ROLES: usize = 64 * (u16::MAX as usize);

/// A role's type and place in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct RoleSlot {
    pub(crate) ty: TypeIndex,
    pub(crate) role: RoleIndex,
}

/// A relation's number and the types that it joins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RelationSlot {
    pub(crate) number: u32,
    pub(crate) subject: TypeIndex,
    pub(crate) object: TypeIndex,
}

/// The numbers given out.
#[derive(Debug, Clone)]
pub(crate) struct Slots {
    /// By [`TypeIndex`]: the roles by [`RoleIndex`]. None is free.
    types: Vec<Option<Vec<Option<RoleId>>>>,
    type_of: FxHashMap<ResourceId, TypeIndex>,
    role_of: FxHashMap<RoleId, RoleSlot>,
    relations: Vec<Option<RelationId>>,
    relation_of: FxHashMap<RelationId, RelationSlot>,
}

impl Default for Slots {
    fn default() -> Self {
        Self {
            types: vec![Some(Vec::new())],
            type_of: FxHashMap::default(),
            role_of: FxHashMap::default(),
            relations: Vec::new(),
            relation_of: FxHashMap::default(),
        }
    }
}

impl Slots {
    pub(crate) fn types(&self) -> usize {
        self.types.len()
    }

    pub(crate) fn type_of(&self, resource: ResourceId) -> Option<TypeIndex> {
        self.type_of.get(&resource).copied()
    }

    pub(crate) fn role(&self, role: RoleId) -> Option<RoleSlot> {
        self.role_of.get(&role).copied()
    }

    pub(crate) fn relation(&self, relation: RelationId) -> Option<RelationSlot> {
        self.relation_of.get(&relation).copied()
    }

    /// None when there are no numbers left.
    pub(crate) fn add_type(&mut self, resource: ResourceId) -> Option<TypeIndex> {
        if let Some(ty) = self.type_of(resource) {
            return Some(ty);
        }
        let at = free(&mut self.types);
        let ty = TypeIndex::try_from(at).ok()?;
        *self.types.get_mut(at)? = Some(Vec::new());
        self.type_of.insert(resource, ty);
        Some(ty)
    }

    /// None when there are no numbers left.
    pub(crate) fn add_role(&mut self, role: RoleId, ty: TypeIndex) -> Option<RoleSlot> {
        if let Some(slot) = self.role(role) {
            return Some(slot);
        }
        let roles = self.types.get_mut(usize::from(ty))?.as_mut()?;
        let at = free(roles);
        if at >= MAX_ROLES {
            return None;
        }
        *roles.get_mut(at)? = Some(role);
        let slot = RoleSlot { ty, role: RoleIndex::try_from(at).ok()? };
        self.role_of.insert(role, slot);
        Some(slot)
    }

    /// None when there are no numbers left.
    pub(crate) fn add_relation(
        &mut self,
        relation: RelationId,
        subject: TypeIndex,
        object: TypeIndex,
    ) -> Option<RelationSlot> {
        let number = if let Some(slot) = self.relation(relation) {
            slot.number
        } else {
            let at = free(&mut self.relations);
            *self.relations.get_mut(at)? = Some(relation);
            u32::try_from(at).ok()?
        };
        let slot = RelationSlot { number, subject, object };
        self.relation_of.insert(relation, slot);
        Some(slot)
    }

    pub(crate) fn remove_type(&mut self, resource: ResourceId) {
        if let Some(ty) = self.type_of.remove(&resource)
            && let Some(roles) = self.types.get_mut(usize::from(ty))
        {
            *roles = None;
        }
    }

    pub(crate) fn remove_role(&mut self, role: RoleId) {
        if let Some(slot) = self.role_of.remove(&role)
            && let Some(Some(roles)) = self.types.get_mut(usize::from(slot.ty))
            && let Some(place) = usize::try_from(slot.role).ok().and_then(|at| roles.get_mut(at))
        {
            *place = None;
        }
    }

    pub(crate) fn remove_relation(&mut self, relation: RelationId) {
        if let Some(slot) = self.relation_of.remove(&relation)
            && let Some(place) = usize::try_from(slot.number).ok().and_then(|at| self.relations.get_mut(at))
        {
            *place = None;
        }
    }
}

/// The first free place, made when there is none.
fn free<T>(places: &mut Vec<Option<T>>) -> usize {
    places.iter().position(Option::is_none).unwrap_or_else(|| {
        places.push(None);
        places.len() - 1
    })
}
