//! Whether the terms of an element may be written, and what the roles in them mean.

use super::Schema;
use crate::condition::{Condition, ConditionError, ConditionLimits};
use askfirst_domain::{
    Key,
    schema::Role,
    terms::{MAX_ENTRIES, MAX_NAME, RoleRef, RoleScope, Terms, Threshold},
};
use serde_json::Value;
use std::{collections::BTreeSet, sync::Arc};
use thiserror::Error;

/// Why terms may not be written. Each prints as a part of a sentence.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum TermsError {
    /// A role that is not there, or that nobody can hold where the element's requests are about.
    #[error("name the role {role}, which is neither a role on its resource nor one of the tenant")]
    UnknownRole { role: RoleRef },
    /// A condition that can't be read.
    #[error("have a wrong condition in `{name}`: {cause}")]
    Condition { name: String, cause: ConditionError },
    /// Two of one name.
    #[error("name `{name}` twice")]
    Twice { name: String },
    /// No name, or a very long one.
    #[error("have a name that is empty or has more than {MAX_NAME} characters: `{name}`")]
    Name { name: String },
    /// A threshold that would be reached by nobody.
    #[error("say 0 in `{name}`; at least one approval is needed, and at least one denial ends a request")]
    Nobody { name: String },
    /// A long list.
    #[error("have {found} entries in a list that may have {MAX_ENTRIES}")]
    TooMany { found: usize },
}

impl Schema {
    /// The role that the terms of an element on this resource mean; none when it is not there, or is held elsewhere.
    pub fn role_of_terms(&self, resource: Option<&Key>, role: &RoleRef) -> Option<&Arc<Role>> {
        let own = || resource.and_then(|on| self.role_by_key(Some(on.as_str()), role.key.as_str()));
        let of_tenant = || self.role_by_key(None, role.key.as_str());
        match &role.scope {
            RoleScope::Near => own().or_else(of_tenant),
            RoleScope::Tenant => of_tenant(),
            RoleScope::On(on) => own().filter(|_| resource == Some(on)),
        }
    }

    /// Writes for each role in the terms which one it is, so that it stays that one.
    pub fn settle_terms(&self, resource: Option<&Key>, terms: &mut Terms) {
        for role in terms.roles_mut() {
            if role.scope == RoleScope::Near
                && let Some(found) = self.role_of_terms(resource, role)
            {
                role.scope = found.resource.clone().map_or(RoleScope::Tenant, RoleScope::On);
            }
        }
    }

    /// Whether these terms may be written for an element on this resource.
    pub(super) fn check_terms(&self, resource: Option<&Key>, terms: &Terms) -> Result<(), TermsError> {
        check_names(terms.thresholds.iter().map(|threshold| &threshold.name))?;
        terms.thresholds.iter().try_for_each(|threshold| self.check_threshold(resource, threshold))
    }

    fn check_threshold(&self, resource: Option<&Key>, threshold: &Threshold) -> Result<(), TermsError> {
        if threshold.approve == 0 || threshold.deny == 0 {
            return Err(TermsError::Nobody { name: threshold.name.clone() });
        }
        if let Some(role) = &threshold.role {
            self.check_role_of_terms(resource, role)?;
        }
        self.check_when(&threshold.name, threshold.when.as_ref())
    }

    fn check_role_of_terms(&self, resource: Option<&Key>, role: &RoleRef) -> Result<(), TermsError> {
        match self.role_of_terms(resource, role) {
            Some(_) => Ok(()),
            None => Err(TermsError::UnknownRole { role: role.clone() }),
        }
    }

    fn check_when(&self, name: &str, when: Option<&Value>) -> Result<(), TermsError> {
        let Some(when) = when else { return Ok(()) };
        Condition::compile_within(when, self.condition_limits)
            .map(drop)
            .map_err(|cause| TermsError::Condition { name: name.to_owned(), cause })
    }
}

/// A condition of terms, as it is evaluated: also one that was written when more was allowed.
///
/// # Errors
/// See [`Condition::compile`].
pub fn condition_of_terms(when: &Value) -> Result<Condition, ConditionError> {
    Condition::compile_within(when, ConditionLimits::MOST)
}

fn check_names<'a>(names: impl ExactSizeIterator<Item = &'a String>) -> Result<(), TermsError> {
    if names.len() > MAX_ENTRIES {
        return Err(TermsError::TooMany { found: names.len() });
    }
    let mut seen = BTreeSet::new();
    for name in names {
        if name.trim().is_empty() || name.chars().count() > MAX_NAME {
            return Err(TermsError::Name { name: name.clone() });
        }
        if !seen.insert(name) {
            return Err(TermsError::Twice { name: name.clone() });
        }
    }
    Ok(())
}
