//! Taking roles away: one or many at once.

use super::{
    MAX_ASSIGNMENTS,
    assign::assignment_note,
    bounded,
    resolve::{Absent, Resolver, same_tenant},
};
use crate::{
    EnvScope,
    commit::{Draft, Tries},
    error::{Error, Kind, Result},
};
use askfirst_domain::{
    Ident,
    change::{Change, Expect, ObjectRef},
    facts::{RoleAssignment, Tenant},
    id::AssignmentId,
};
use askfirst_store::{AssignmentFilter, Page};
use std::collections::HashSet;

/// A role to be taken away.
#[derive(Debug, Clone)]
pub struct UnassignmentSpec {
    pub user: Ident,
    pub role: Ident,
    /// Needed without an instance.
    pub tenant: Option<Ident>,
    pub instance: Option<String>,
}

impl EnvScope {
    /// Takes a role from a user; answers what it was.
    ///
    /// # Errors
    /// [`Kind::NotFound`] for anything that is not there, the assignment itself included.
    pub async fn unassign_role(&self, spec: &UnassignmentSpec) -> Result<RoleAssignment> {
        let mut tries = Tries::default();
        loop {
            let found = self.find_assignment(&mut Resolver::new(self), spec).await?;
            let found = found.ok_or_else(|| Error::new(Kind::NotFound, not_held(spec)))?;
            if self.settled(Self::removal([found.clone()])).await? {
                return Ok(found);
            }
            tries.again()?;
        }
    }

    /// Takes many roles away; those that are not held are passed over. Answers how many were taken.
    ///
    /// # Errors
    /// [`Kind::NotFound`] for a user, role, tenant or instance that is not there, then nothing is written;
    /// [`Kind::TooLarge`].
    pub async fn unassign_roles(&self, specs: &[UnassignmentSpec]) -> Result<usize> {
        bounded("role assignments", specs.len(), MAX_ASSIGNMENTS)?;
        let mut tries = Tries::default();
        loop {
            let mut resolver = Resolver::new(self);
            let mut seen: HashSet<AssignmentId> = HashSet::new();
            let mut found = Vec::new();
            for spec in specs {
                if let Some(assignment) = self.find_assignment(&mut resolver, spec).await?
                    && seen.insert(assignment.id)
                {
                    found.push(assignment);
                }
            }
            let count = found.len();
            if self.settled(Self::removal(found)).await? {
                return Ok(count);
            }
            tries.again()?;
        }
    }

    /// Takes all roles of a user in a tenant and on its instances away.
    ///
    /// # Errors
    /// [`Kind::NotFound`] when the user has none there (everybody belongs to `default`, with or without one).
    pub async fn remove_tenant_user(&self, tenant: &Ident, user: &Ident) -> Result<()> {
        let mut tries = Tries::default();
        loop {
            let user = self.find_user(user).await?.value;
            let tenant = self.find_tenant(tenant).await?.value;
            let filter = AssignmentFilter {
                users: Some(vec![user.id]),
                tenants: Some(vec![tenant.id]),
                ..AssignmentFilter::default()
            };
            let found = self.engine.store().assignments(self.env.id, &filter, Page::ALL).await?.items;
            if found.is_empty() && !is_default(&tenant) {
                let message =
                    format!("The user `{}` does not belong to the tenant `{}`.", user.key, tenant.key);
                return Err(Error::new(Kind::NotFound, message));
            }
            if self.settled(Self::removal(found)).await? {
                return Ok(());
            }
            tries.again()?;
        }
    }

    pub(crate) fn removal(found: impl IntoIterator<Item = RoleAssignment>) -> Draft {
        let mut draft = Draft::default();
        for assignment in found {
            draft.expects.push(Expect::Exists(ObjectRef::Assignment(assignment.id)));
            draft.facts.push(assignment_note("role_assignment.deleted", &assignment));
            draft.changes.push(Change::DeleteAssignment(assignment));
        }
        draft
    }

    async fn find_assignment(
        &self,
        resolver: &mut Resolver<'_>,
        spec: &UnassignmentSpec,
    ) -> Result<Option<RoleAssignment>> {
        let user = resolver.user(&spec.user).await?;
        let tenant = match &spec.tenant {
            Some(ident) => Some(resolver.tenant(ident).await?),
            None => None,
        };
        let mut filter = AssignmentFilter { users: Some(vec![user.id]), ..AssignmentFilter::default() };
        let role = if let Some(text) = &spec.instance {
            let bare = !text.contains(':') && Ident::from(text.as_str()).uuid().is_none();
            let on = if bare { Some(resolver.resource_of_role(&spec.role, text)?) } else { None };
            let instance = resolver.instance(text, on.as_ref(), Absent::Refuse).await?;
            if let Some(tenant) = &tenant {
                same_tenant(&instance, tenant)?;
            }
            filter.instance = Some(instance.id);
            resolver.role(Some(&instance.resource), &spec.role)?
        } else {
            let tenant =
                tenant.ok_or_else(|| Error::invalid("Name the `tenant` in which the role is held."))?;
            filter.tenants = Some(vec![tenant.id]);
            resolver.role(None, &spec.role)?
        };
        filter.roles = Some(vec![role.id]);
        let found =
            self.engine.store().assignments(self.env.id, &filter, Page { offset: 0, limit: 1 }).await?;
        Ok(found.items.into_iter().next())
    }
}

fn is_default(tenant: &Tenant) -> bool {
    tenant.key.as_str() == askfirst_domain::facts::DEFAULT_TENANT
}

fn not_held(spec: &UnassignmentSpec) -> String {
    let place = match (&spec.instance, &spec.tenant) {
        (Some(on), _) => format!("on `{on}`"),
        (None, Some(tenant)) => format!("in the tenant `{tenant}`"),
        (None, None) => "there".to_owned(),
    };
    format!("The user `{}` does not have the role `{}` {place}.", spec.user, spec.role)
}
