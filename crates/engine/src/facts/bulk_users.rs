//! Users, many at once.

use super::{
    FactNote, MAX_USERS, bounded,
    users::{NewUser, UserEdit, edited, spec},
};
use crate::{
    EnvScope,
    commit::{Draft, Outcome, Tries},
    error::{Error, Result},
};
use askfirst_domain::{
    Ident,
    change::{Change, Expect, ObjectRef},
    facts::User,
};
use std::collections::{HashMap, HashSet};

impl EnvScope {
    /// Creates many users; when one is there already, none.
    ///
    /// # Errors
    /// [`crate::Kind::Duplicate`], [`crate::Kind::TooLarge`]; as [`EnvScope::create_user`].
    pub async fn create_users(&self, new: &[NewUser]) -> Result<()> {
        bounded("users", new.len(), MAX_USERS)?;
        distinct(new)?;
        let mut tries = Tries::default();
        loop {
            let mut planned = Vec::with_capacity(new.len());
            for new in new {
                planned.push((self.made_user(new)?, new, "user.created"));
            }
            let draft = self.plan_users(planned).await?;
            if draft.changes.is_empty() {
                return Ok(());
            }
            match self.commit(draft).await? {
                Outcome::Done(_) => return Ok(()),
                Outcome::Again => tries.again()?,
            }
        }
    }

    /// Makes many users exactly what is said (what is not said is emptied), whether or not they are there; roles that
    /// they have stay, roles that are given along are added.
    ///
    /// # Errors
    /// [`crate::Kind::TooLarge`]; as [`EnvScope::create_user`].
    pub async fn replace_users(&self, new: &[NewUser]) -> Result<()> {
        bounded("users", new.len(), MAX_USERS)?;
        distinct(new)?;
        let mut tries = Tries::default();
        loop {
            let mut planned = Vec::with_capacity(new.len());
            let mut expects = Vec::new();
            let keys: Vec<_> = new.iter().map(|new| new.key.as_str()).collect();
            let there = self.engine.store().users_by_key(self.env.id, &keys).await?;
            let mut there: HashMap<_, _> =
                there.into_iter().map(|found| (found.value.key.clone(), found)).collect();
            for new in new {
                planned.push(match there.remove(&new.key) {
                    Some(found) => {
                        let object = ObjectRef::User(found.value.id);
                        expects.push(Expect::AtRevision(object, found.revision));
                        (self.replaced_user(found.value, &new.edit)?, new, "user.updated")
                    }
                    None => (self.made_user(new)?, new, "user.created"),
                });
            }
            let mut draft = self.plan_users(planned).await?;
            draft.expects.extend(expects);
            if self.settled(draft).await? {
                return Ok(());
            }
            tries.again()?;
        }
    }

    /// Deletes many users; those that are not there are passed over.
    ///
    /// # Errors
    /// [`crate::Kind::TooLarge`].
    pub async fn delete_users(&self, idents: &[Ident]) -> Result<()> {
        bounded("users", idents.len(), MAX_USERS)?;
        let mut tries = Tries::default();
        loop {
            let mut draft = Draft::default();
            let mut seen = HashSet::new();
            for ident in idents {
                let Some(found) = self.engine.store().user(self.env.id, ident).await? else { continue };
                let (id, key) = (found.value.id, found.value.key);
                if seen.insert(id) {
                    draft.expects.push(Expect::Exists(ObjectRef::User(id)));
                    draft.facts.push(FactNote::new("user.deleted", &key));
                    draft.changes.push(Change::DeleteUser { id, key });
                }
            }
            if self.settled(draft).await? {
                return Ok(());
            }
            tries.again()?;
        }
    }

    fn replaced_user(&self, user: User, edit: &UserEdit) -> Result<User> {
        let whole = UserEdit {
            email: edit.email.clone().or_clear(),
            first_name: edit.first_name.clone().or_clear(),
            last_name: edit.last_name.clone().or_clear(),
            attributes: edit.attributes.clone().or_clear(),
        };
        edited(User { updated_at: self.op.now, ..user }, &whole)
    }

    /// The write of these users and of the roles that go along.
    async fn plan_users(&self, planned: Vec<(User, &NewUser, &'static str)>) -> Result<Draft> {
        let specs: Vec<_> =
            planned.iter().flat_map(|(user, new, _)| new.roles.iter().map(|role| spec(user, role))).collect();
        let users: Vec<_> = planned.iter().map(|(user, ..)| user.clone()).collect();
        let roles = self.plan_assignments(&specs, &users).await?.draft;
        let mut draft = Draft { expects: roles.expects, ..Draft::default() };
        for (user, _, code) in planned {
            draft.facts.push(FactNote::new(code, &user.key));
            draft.changes.push(Change::PutUser(user));
        }
        draft.facts.extend(roles.facts);
        draft.changes.extend(roles.changes);
        Ok(draft)
    }
}

/// Refuses a call that names a user twice.
fn distinct(new: &[NewUser]) -> Result<()> {
    let mut keys = HashSet::new();
    match new.iter().find(|new| !keys.insert(&new.key)) {
        Some(twice) => Err(Error::invalid(format!("The user `{}` is named twice in this call.", twice.key))),
        None => Ok(()),
    }
}
