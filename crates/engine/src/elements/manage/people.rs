//! The people of a place: listed, added, removed.

use super::{Desk, ManagedPlace, roles::written, told};
use crate::{
    Acting, EnvScope, Patch,
    commit::{Draft, Tries},
    error::{Error, Kind, Result},
    facts::{FactNote, Membership, NewUser, UserEdit, UserView},
};
use askfirst_domain::{
    Ident, UserKey,
    change::{Change, Expect},
    facts::{Attributes, RoleAssignment, User},
    id::UserId,
    schema::Role,
};
use askfirst_store::{Listed, Page, UserFilter};
use std::{collections::HashMap, sync::Arc};

/// Somebody who is added to a place.
#[derive(Debug, Clone)]
pub struct NewPerson {
    pub key: UserKey,
    pub email: Option<String>,
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    /// What they are to be at the place: one role at least.
    pub roles: Vec<Ident>,
}

/// Somebody who was added.
#[derive(Debug)]
pub struct Added {
    pub person: UserView,
    /// The environment did not know them before.
    pub is_new: bool,
}

impl Acting {
    /// Who was given one of the element's roles at a place, in the order of their creation, with these roles and no other
    /// ones. Attributes are left out: they are the server's.
    ///
    /// # Errors
    /// [`Kind::PermissionLevel`] below a viewer; as [`Acting::element_level_at`].
    pub async fn managed_users(
        &self,
        place: &ManagedPlace,
        search: Option<String>,
        page: Page,
    ) -> Result<Listed<UserView>> {
        let desk = self.desk(place).await?;
        let mut given: HashMap<UserId, Vec<RoleAssignment>> = HashMap::new();
        for assignment in desk.given(None).await? {
            given.entry(assignment.user_id).or_default().push(assignment);
        }
        if given.is_empty() {
            return Ok(Listed { items: Vec::new(), total: 0 });
        }
        let ids = Some(given.keys().copied().collect());
        let filter = UserFilter { search: search.filter(|text| !text.is_empty()), tenant: None, ids };
        let found = self.scope.engine.store().users(self.scope.env.id, &filter, page).await?;
        let view = |user: User| {
            let roles = given.remove(&user.id).unwrap_or_default();
            desk.shown(user, &roles)
        };
        Ok(Listed { items: found.items.into_iter().map(view).collect(), total: found.total })
    }

    /// Adds somebody to a place. What is said about a user who is there already stays as it is; roles that they have
    /// already are passed over.
    ///
    /// # Errors
    /// [`Kind::PermissionLevel`] for whoever is not an owner; [`Kind::Invalid`] without a role; as
    /// [`Acting::give_managed_role`] for the roles.
    pub async fn add_managed_user(&self, place: &ManagedPlace, new: &NewPerson) -> Result<Added> {
        let mut tries = Tries::default();
        loop {
            let desk = self.desk(place).await?;
            desk.owner()?;
            if new.roles.is_empty() {
                return Err(Error::invalid(format!(
                    "Say which `role` the user is to have {}; without one they would not belong here.",
                    desk.place()
                )));
            }
            let roles: Vec<_> =
                new.roles.iter().map(|ident| desk.may_change(ident)).collect::<Result<_>>()?;
            let found =
                self.scope.engine.store().user(self.scope.env.id, &Ident::from(new.key.as_str())).await?;
            let known = found.map(|found| found.value).filter(|user| user.key == new.key);
            if let Some(user) = &known {
                desk.refuse_self(user)?;
            }
            let is_new = known.is_none();
            let user = match known {
                Some(user) => user,
                None => self.scope.made_user(&new.user())?,
            };
            let draft = desk.added(&user, &roles, is_new).await?;
            if draft.changes.is_empty() || written(self.scope.commit(draft).await)? {
                let given = desk.given(Some(&user)).await?;
                return Ok(Added { person: desk.shown(user, &given), is_new });
            }
            tries.again()?;
        }
    }

    /// Removes somebody from a place: takes away what they were given there of the element's roles. The user, and roles
    /// elsewhere, stay.
    ///
    /// # Errors
    /// [`Kind::PermissionLevel`] for whoever is not an owner; [`Kind::NotFound`] for somebody who has none of the roles.
    pub async fn remove_managed_user(&self, place: &ManagedPlace, user: &Ident) -> Result<()> {
        let mut tries = Tries::default();
        loop {
            let desk = self.desk(place).await?;
            desk.owner()?;
            let user = desk.member(user).await?;
            let given = desk.given(Some(&user)).await?;
            if given.is_empty() {
                return Err(Error::new(
                    Kind::NotFound,
                    format!(
                        "The user `{}` was given no role {} that could be taken.",
                        user.key,
                        desk.place()
                    ),
                ));
            }
            let mut draft = EnvScope::removal(given);
            draft.expects.push(Expect::SchemaAt(desk.state.schema_revision));
            if written(self.scope.commit(draft).await)? {
                return Ok(());
            }
            tries.again()?;
        }
    }
}

impl NewPerson {
    fn user(&self) -> NewUser {
        let edit = UserEdit {
            email: Patch::from(self.email.clone()),
            first_name: Patch::from(self.first_name.clone()),
            last_name: Patch::from(self.last_name.clone()),
            attributes: Patch::Keep,
        };
        NewUser { key: self.key.clone(), edit, roles: Vec::new() }
    }
}

impl Desk<'_> {
    /// What adds a user with roles.
    async fn added(&self, user: &User, roles: &[Arc<Role>], is_new: bool) -> Result<Draft> {
        let scope = self.scope();
        let specs: Vec<_> = roles.iter().map(|role| self.spec(user, role)).collect();
        let vouched = if is_new { std::slice::from_ref(user) } else { &[] };
        let mut draft = scope.plan_assignments(&specs, vouched).await?.draft;
        if is_new {
            draft.changes.insert(0, Change::PutUser(user.clone()));
            draft.facts.insert(0, FactNote::new("user.created", &user.key));
        }
        if !draft.changes.is_empty() {
            draft.expects.push(Expect::SchemaAt(self.state.schema_revision));
            draft.outbox.extend(told::user_added(self, user, roles)?);
        }
        Ok(draft)
    }

    /// A user as they are seen here: with the managed roles that they were given here.
    fn shown(&self, user: User, given: &[RoleAssignment]) -> UserView {
        let keys = || given.iter().map(|a| a.role.clone());
        let membership = match self.reference() {
            None => Membership {
                tenant: self.tenant.key.clone(),
                roles: keys().collect(),
                instance_roles: Vec::new(),
            },
            Some(on) => Membership {
                tenant: self.tenant.key.clone(),
                roles: Vec::new(),
                instance_roles: keys().map(|role| (on.clone(), role)).collect(),
            },
        };
        UserView { user: User { attributes: Attributes::new(), ..user }, memberships: vec![membership] }
    }
}
