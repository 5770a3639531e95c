//! The roles of a place: looked at, given, taken.

use super::{Desk, ManagedPlace, told};
use crate::{
    Acting, EnvScope,
    commit::{Outcome, Tries},
    elements::RoleLevel,
    error::{Error, Kind, Result},
    facts::AssignmentSpec,
};
use askfirst_domain::{
    Ident,
    change::Expect,
    element::Level,
    facts::{RoleAssignment, User},
    schema::Role,
};
use askfirst_store::{AssignmentFilter, Page};
use std::sync::Arc;

impl Acting {
    /// The roles that the element shows at a place, strongest level first.
    ///
    /// # Errors
    /// [`Kind::PermissionLevel`] below a viewer; as [`Acting::element_level_at`].
    pub async fn managed_roles(&self, place: &ManagedPlace) -> Result<Vec<RoleLevel>> {
        Ok(self.desk(place).await?.roles())
    }

    /// Gives a member of the tenant a role at a place.
    ///
    /// # Errors
    /// [`Kind::PermissionLevel`] when the person may not give it; [`Kind::Forbidden`] to themselves; [`Kind::NotFound`] for
    /// the role or the user; [`Kind::Duplicate`] when the user has it already.
    pub async fn give_managed_role(
        &self,
        place: &ManagedPlace,
        user: &Ident,
        role: &Ident,
    ) -> Result<RoleAssignment> {
        let mut tries = Tries::default();
        loop {
            let desk = self.desk(place).await?;
            let role = desk.may_change(role)?;
            let user = desk.member(user).await?;
            desk.refuse_self(&user)?;
            let spec = desk.spec(&user, &role);
            let planned = self.scope.plan_assignments(&[spec], &[]).await?;
            if !planned.standing.is_empty() {
                return Err(Error::new(
                    Kind::Duplicate,
                    format!("The user `{}` has the role `{}` {} already.", user.key, role.key, desk.place()),
                ));
            }
            let made = planned.made.into_iter().next();
            let mut draft = planned.draft;
            draft.expects.push(Expect::SchemaAt(desk.state.schema_revision));
            draft.outbox.extend(told::role_given(&desk, &user, &role)?);
            if written(self.scope.commit(draft).await)? {
                return made.ok_or_else(|| Error::not_found("role", &role.key));
            }
            tries.again()?;
        }
    }

    /// Takes a role at a place from a user, who was given it there.
    ///
    /// # Errors
    /// [`Kind::PermissionLevel`] when the person may not take it; [`Kind::NotFound`] for the role, the user, and a role that
    /// the user was not given there.
    pub async fn take_managed_role(&self, place: &ManagedPlace, user: &Ident, role: &Ident) -> Result<()> {
        let mut tries = Tries::default();
        loop {
            let desk = self.desk(place).await?;
            let role = desk.may_change(role)?;
            let user = desk.member(user).await?;
            let given = desk.given(Some(&user)).await?.into_iter().find(|a| a.role_id == role.id);
            let given = given.ok_or_else(|| {
                Error::new(
                    Kind::NotFound,
                    format!(
                        "The user `{}` was not given the role `{}` {}.",
                        user.key,
                        role.key,
                        desk.place()
                    ),
                )
            })?;
            let mut draft = EnvScope::removal([given]);
            draft.expects.push(Expect::SchemaAt(desk.state.schema_revision));
            if written(self.scope.commit(draft).await)? {
                return Ok(());
            }
            tries.again()?;
        }
    }
}

impl Desk<'_> {
    /// A user who belongs to the tenant. Nobody else is known here.
    pub(super) async fn member(&self, ident: &Ident) -> Result<User> {
        let user = self.scope().find_user(ident).await?.value;
        if self.scope().is_member(user.id, self.tenant.id, self.tenant.key.as_str()).await? {
            Ok(user)
        } else {
            Err(Error::not_found("user", ident))
        }
    }

    /// Whoever may give roles does not give them to themselves.
    pub(super) fn refuse_self(&self, user: &User) -> Result<()> {
        if user.id != self.acting.person.id {
            return Ok(());
        }
        Err(Error::forbidden(format!(
            "{} may not give a role to themselves; ask somebody else for it.",
            user.key
        )))
    }

    /// What gives a user a role here.
    pub(super) fn spec(&self, user: &User, role: &Arc<Role>) -> AssignmentSpec {
        AssignmentSpec {
            user: Ident::from(user.key.as_str()),
            role: Ident::from(role.id.uuid()),
            tenant: Some(Ident::from(self.tenant.id.uuid())),
            instance: self.instance.as_ref().map(|on| on.id.to_string()),
            expires_at: None,
        }
    }

    /// The assignments of managed roles that were given here and count now; of one user, or of everybody.
    pub(super) async fn given(&self, user: Option<&User>) -> Result<Vec<RoleAssignment>> {
        let roles = self.role_ids();
        if roles.is_empty() {
            return Ok(Vec::new());
        }
        let filter = AssignmentFilter {
            users: user.map(|user| vec![user.id]),
            roles: Some(roles),
            tenants: Some(vec![self.tenant.id]),
            resource: None,
            instance: self.instance.as_ref().map(|on| on.id),
        };
        let scope = self.scope();
        let found = scope.engine.store().assignments(scope.env.id, &filter, Page::ALL).await?;
        let now = scope.op.now;
        Ok(found.items.into_iter().filter(|a| a.expires_at.is_none_or(|end| end > now)).collect())
    }

    /// Refuses whoever is not an owner here.
    pub(super) fn owner(&self) -> Result<()> {
        self.needs(Level::Owner)
    }
}

/// Whether it was written; if not, somebody else wrote first (also: gave the same role).
pub(super) fn written(outcome: Result<Outcome>) -> Result<bool> {
    match outcome {
        Ok(Outcome::Done(_)) => Ok(true),
        Ok(Outcome::Again) => Ok(false),
        Err(e) if e.kind() == Kind::Duplicate => Ok(false),
        Err(e) => Err(e),
    }
}
