//! The permissions of a type of element. A type has no settings of its own: what it says is what its elements say, and what
//! is said about it is said about each of them.

use super::{ElementPatch, RoleLevel};
use crate::{
    EnvScope,
    commit::{Draft, Outcome, Tries},
    error::{Error, Result},
};
use askfirst_domain::element::{ElementType, Level};
use std::collections::{BTreeMap, HashSet};

impl EnvScope {
    /// The roles that have a level in elements of a type, strongest level first; a role at its strongest level.
    pub fn element_type(&self, kind: ElementType) -> Vec<RoleLevel> {
        let elements = self.elements();
        let mut roles: Vec<RoleLevel> = elements
            .iter()
            .filter(|element| element.kind == kind)
            .flat_map(|element| self.element_roles(element))
            .collect();
        roles.sort_by_key(|held| held.level);
        let mut seen = HashSet::new();
        roles.retain(|held| seen.insert(held.role.id));
        roles
    }

    /// Sets the levels of every element of a type at once.
    ///
    /// # Errors
    /// [`Kind::Conflict`](crate::Kind::Conflict) when there is no such element; as
    /// [`EnvScope::update_element`] for any of them, then nothing is written.
    pub async fn set_element_type(
        &self,
        kind: ElementType,
        levels: &BTreeMap<Level, Vec<String>>,
    ) -> Result<Vec<RoleLevel>> {
        let patch = ElementPatch { roles_to_levels: Some(levels.clone()), ..ElementPatch::default() };
        let mut tries = Tries::default();
        loop {
            let state = self.state();
            let elements = state.snapshot.schema().elements().filter(|element| element.kind == kind);
            let mut draft = Draft::default();
            for old in elements {
                let element = self.patched(&state, old, &patch)?;
                let one = self.element_draft(&state, "element.updated", &element, Some(old))?;
                draft.expects.extend(one.expects);
                draft.changes.extend(one.changes);
                draft.audit.extend(one.audit);
            }
            if draft.changes.is_empty() {
                return Err(Error::conflict(
                    "There is no element of this type yet; its levels are those of its elements, so create one first.",
                ));
            }
            match self.commit(draft).await? {
                Outcome::Done(_) => return Ok(self.element_type(kind)),
                Outcome::Again => tries.again()?,
            }
        }
    }
}
