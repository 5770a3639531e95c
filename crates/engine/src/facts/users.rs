//! Users: listed, created, synchronised, changed, deleted.

use super::{FactNote, assign::AssignmentSpec, members::UserView};
use crate::{
    EnvScope, Patch,
    commit::{Draft, Tries},
    error::{Error, Kind, Result},
};
use askfirst_domain::{
    Ident, UserKey,
    change::{Change, Expect, ObjectRef},
    facts::{Attributes, User},
};
use askfirst_store::{Listed, Page, UserFilter};

/// What is said about a user.
#[derive(Debug, Clone, Default)]
pub struct UserEdit {
    pub email: Patch<String>,
    pub first_name: Patch<String>,
    pub last_name: Patch<String>,
    pub attributes: Patch<Attributes>,
}

/// A user to be made, or made over.
#[derive(Debug, Clone)]
pub struct NewUser {
    pub key: UserKey,
    pub edit: UserEdit,
    pub roles: Vec<UserRoleSpec>,
}

/// A role that a new user gets, as in [`AssignmentSpec`].
#[derive(Debug, Clone)]
pub struct UserRoleSpec {
    pub role: Ident,
    pub tenant: Option<Ident>,
    pub instance: Option<String>,
}

impl EnvScope {
    /// Users, in the order of their creation; of one tenant: those who belong to it.
    ///
    /// # Errors
    /// [`Kind::NotFound`] for the tenant.
    pub async fn list_users(
        &self,
        tenant: Option<&Ident>,
        search: Option<String>,
        page: Page,
    ) -> Result<Listed<UserView>> {
        let tenant = match tenant {
            Some(ident) => Some(self.find_tenant(ident).await?.value.id),
            None => None,
        };
        let filter = UserFilter { search, tenant, ids: None };
        let found = self.engine.store().users(self.env.id, &filter, page).await?;
        Ok(Listed { items: self.with_memberships(found.items).await?, total: found.total })
    }

    /// One user.
    ///
    /// # Errors
    /// [`Kind::NotFound`].
    pub async fn user(&self, ident: &Ident) -> Result<UserView> {
        let user = self.find_user(ident).await?.value;
        self.with_membership(user).await
    }

    /// Creates a user, with the roles that are given along.
    ///
    /// # Errors
    /// [`Kind::Duplicate`]; as [`EnvScope::assign_role`] for the roles.
    pub async fn create_user(&self, new: &NewUser) -> Result<UserView> {
        let mut tries = Tries::default();
        loop {
            let ident = Ident::from(new.key.as_str());
            if let Some(found) = self.engine.store().user(self.env.id, &ident).await?
                && found.value.key == new.key
            {
                return Err(Error::duplicate("user", &new.key));
            }
            if let Some(user) = self.try_create(new).await? {
                return self.with_membership(user).await;
            }
            tries.again()?;
        }
    }

    /// Creates the user that `path` names, or changes what is said about the one that is there; missing roles are
    /// given.
    ///
    /// # Errors
    /// [`Kind::Invalid`] when `key` is another than the user's; as [`EnvScope::create_user`].
    pub async fn sync_user(
        &self,
        path: &Ident,
        key: Option<UserKey>,
        edit: &UserEdit,
        roles: &[UserRoleSpec],
    ) -> Result<UserView> {
        let mut tries = Tries::default();
        loop {
            let found = self.engine.store().user(self.env.id, path).await?;
            let named = match &found {
                Some(found) => found.value.key.clone(),
                None => path.as_str().parse()?,
            };
            if let Some(other) = key.as_ref().filter(|key| **key != named) {
                return Err(Error::invalid(format!(
                    "The path names the user `{named}` and the body the key `{other}`; they must be the same."
                )));
            }
            let written = if let Some(found) = found {
                self.try_change(found.value, found.revision, edit, roles).await?
            } else {
                let new = NewUser { key: named, edit: edit.clone(), roles: roles.to_vec() };
                self.try_create(&new).await?
            };
            if let Some(user) = written {
                return self.with_membership(user).await;
            }
            tries.again()?;
        }
    }

    /// Changes what is said about a user.
    ///
    /// # Errors
    /// [`Kind::NotFound`].
    pub async fn update_user(&self, ident: &Ident, edit: &UserEdit) -> Result<UserView> {
        let mut tries = Tries::default();
        loop {
            let found = self.find_user(ident).await?;
            if let Some(user) = self.try_change(found.value, found.revision, edit, &[]).await? {
                return self.with_membership(user).await;
            }
            tries.again()?;
        }
    }

    /// Deletes a user and all roles that the user has. A user who is made later under the same key inherits nothing.
    ///
    /// # Errors
    /// [`Kind::NotFound`].
    pub async fn delete_user(&self, ident: &Ident) -> Result<()> {
        let mut tries = Tries::default();
        loop {
            let user = self.find_user(ident).await?.value;
            let draft = Draft {
                expects: vec![Expect::Exists(ObjectRef::User(user.id))],
                facts: vec![FactNote::new("user.deleted", &user.key)],
                changes: vec![Change::DeleteUser { id: user.id, key: user.key }],
                ..Draft::default()
            };
            if self.settled(draft).await? {
                return Ok(());
            }
            tries.again()?;
        }
    }

    async fn try_create(&self, new: &NewUser) -> Result<Option<User>> {
        let user = self.made_user(new)?;
        let specs: Vec<_> = new.roles.iter().map(|role| spec(&user, role)).collect();
        let mut draft = self.plan_assignments(&specs, std::slice::from_ref(&user)).await?.draft;
        draft.changes.insert(0, Change::PutUser(user.clone()));
        draft.facts.insert(0, FactNote::new("user.created", &user.key));
        Ok(self.settled(draft).await?.then_some(user))
    }

    async fn try_change(
        &self,
        user: User,
        revision: u64,
        edit: &UserEdit,
        roles: &[UserRoleSpec],
    ) -> Result<Option<User>> {
        let specs: Vec<_> = roles.iter().map(|role| spec(&user, role)).collect();
        let mut draft = self.plan_assignments(&specs, std::slice::from_ref(&user)).await?.draft;
        draft.expects.push(Expect::AtRevision(ObjectRef::User(user.id), revision));
        let changed = edited(user.clone(), edit)?;
        if changed != user {
            let changed = User { updated_at: self.op.now, ..changed };
            draft.facts.push(FactNote::new("user.updated", &user.key));
            draft.changes.push(Change::PutUser(changed.clone()));
            return Ok(self.settled(draft).await?.then_some(changed));
        }
        Ok(self.settled(draft).await?.then_some(user))
    }

    /// A new user's record.
    pub(crate) fn made_user(&self, new: &NewUser) -> Result<User> {
        let blank = User {
            id: self.engine.fresh_id(&self.op)?,
            key: new.key.clone(),
            email: None,
            first_name: None,
            last_name: None,
            attributes: Attributes::new(),
            created_at: self.op.now,
            updated_at: self.op.now,
        };
        edited(blank, &new.edit)
    }
}

pub(super) fn spec(user: &User, role: &UserRoleSpec) -> AssignmentSpec {
    AssignmentSpec {
        user: Ident::from(user.key.as_str()),
        role: role.role.clone(),
        tenant: role.tenant.clone(),
        instance: role.instance.clone(),
        expires_at: None,
    }
}

/// The user with the edit laid over.
pub(super) fn edited(user: User, edit: &UserEdit) -> Result<User> {
    if let Patch::Set(email) = &edit.email {
        checked_email(email)?;
    }
    Ok(User {
        email: edit.email.clone().over(user.email),
        first_name: edit.first_name.clone().over(user.first_name),
        last_name: edit.last_name.clone().over(user.last_name),
        attributes: edit.attributes.clone().over(Some(user.attributes)).unwrap_or_default(),
        ..user
    })
}

/// Refuses what can't be an e-mail address.
pub(super) fn checked_email(email: &str) -> Result<&str> {
    if email.split_once('@').is_some_and(|(name, host)| !name.is_empty() && !host.is_empty()) {
        return Ok(email);
    }
    Err(Error::new(Kind::Invalid, format!("`{email}` is not an e-mail address.")))
}
