//! Invitations: somebody is asked in with a role, and becomes a user with that role once it is approved that they came.

use super::{
    FactNote,
    assign::AssignmentSpec,
    members::UserView,
    resolve::{Absent, Resolver, link, same_tenant},
    users::{NewUser, UserEdit, checked_email, edited},
};
use crate::{
    EnvScope, Patch,
    commit::{Draft, Outcome, Tries},
    error::{Error, Kind, Result},
};
use askfirst_domain::{
    Ident, UserKey,
    change::{Change, Expect, ObjectRef},
    facts::{Attributes, User},
    invite::{Invite, InviteStatus},
};
use askfirst_store::{InviteFilter, Listed, Page, Versioned};

/// An invitation to be made.
#[derive(Debug, Clone)]
pub struct NewInvite {
    /// The key that the user is to have, if it is known already.
    pub key: Option<UserKey>,
    pub email: String,
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    /// A tenant role, or with an instance a role of its resource.
    pub role: Ident,
    pub tenant: Ident,
    /// `type:key` or an id.
    pub instance: Option<String>,
}

/// What is said about an invitation.
#[derive(Debug, Clone, Default)]
pub struct InviteEdit {
    pub key: Patch<UserKey>,
    pub email: Option<String>,
    pub first_name: Patch<String>,
    pub last_name: Patch<String>,
    pub role: Option<Ident>,
    pub tenant: Option<Ident>,
    pub instance: Patch<String>,
}

/// Which invitations are listed.
#[derive(Debug, Clone, Default)]
pub struct InviteQuery {
    pub status: Option<InviteStatus>,
    /// By its id, or by the key of a tenant role.
    pub role: Option<Ident>,
    pub tenant: Option<Ident>,
}

/// Who has come.
#[derive(Debug, Clone)]
pub struct Arrival {
    /// The invited address, in any case.
    pub email: String,
    pub key: UserKey,
    pub attributes: Attributes,
}

impl EnvScope {
    /// Invitations, in the order of their creation.
    ///
    /// # Errors
    /// [`Kind::NotFound`] for the role or the tenant.
    pub async fn list_invites(&self, query: &InviteQuery, page: Page) -> Result<Listed<Invite>> {
        let role = match &query.role {
            Some(ident) => Some(self.invited_role(ident)?),
            None => None,
        };
        let tenant = match &query.tenant {
            Some(ident) => Some(self.find_tenant(ident).await?.value.id),
            None => None,
        };
        let filter = InviteFilter { status: query.status, role, tenant };
        Ok(self.engine.store().invites(self.env.id, &filter, page).await?)
    }

    /// One invitation.
    ///
    /// # Errors
    /// [`Kind::NotFound`].
    pub async fn invite(&self, id: &Ident) -> Result<Invite> {
        Ok(self.find_invite(id).await?.value)
    }

    /// Invites somebody.
    ///
    /// # Errors
    /// [`Kind::NotFound`] for the role, the tenant or the instance; [`Kind::Duplicate`] when the same person has a
    /// pending invitation to the same; [`Kind::TenantMismatch`], [`Kind::Invalid`].
    pub async fn create_invite(&self, new: &NewInvite) -> Result<Invite> {
        let mut tries = Tries::default();
        loop {
            let mut resolver = Resolver::new(self);
            let invite = self.made_invite(&mut resolver, new).await?;
            let draft = resolver.into_draft();
            if self.put_invite(draft, &invite, "invite.created").await? {
                return Ok(invite);
            }
            tries.again()?;
        }
    }

    /// Changes a pending invitation.
    ///
    /// # Errors
    /// As [`EnvScope::create_invite`]; [`Kind::Conflict`] for one that was approved.
    pub async fn update_invite(&self, id: &Ident, edit: &InviteEdit) -> Result<Invite> {
        let mut tries = Tries::default();
        loop {
            let found = self.find_invite(id).await?;
            let old = pending(found.value)?;
            let instance = old.instance.as_ref().map(|on| on.id.to_string());
            let new = NewInvite {
                key: edit.key.clone().over(old.key),
                email: edit.email.clone().unwrap_or(old.email),
                first_name: edit.first_name.clone().over(old.first_name),
                last_name: edit.last_name.clone().over(old.last_name),
                role: edit.role.clone().unwrap_or_else(|| Ident::from(old.role_id.uuid())),
                tenant: edit.tenant.clone().unwrap_or_else(|| Ident::from(old.tenant_id.uuid())),
                instance: edit.instance.clone().over(instance),
            };
            let mut resolver = Resolver::new(self);
            let made = self.made_invite(&mut resolver, &new).await?;
            let invite = Invite { id: old.id, created_at: old.created_at, ..made };
            let mut draft = resolver.into_draft();
            draft.expects.push(Expect::AtRevision(ObjectRef::Invite(old.id), found.revision));
            if self.put_invite(draft, &invite, "invite.updated").await? {
                return Ok(invite);
            }
            tries.again()?;
        }
    }

    /// Deletes an invitation. Of one that was approved the user and the role stay.
    ///
    /// # Errors
    /// [`Kind::NotFound`].
    pub async fn delete_invite(&self, id: &Ident) -> Result<()> {
        let mut tries = Tries::default();
        loop {
            let invite = self.find_invite(id).await?.value;
            let draft = Draft {
                expects: vec![Expect::Exists(ObjectRef::Invite(invite.id))],
                facts: vec![FactNote::new("invite.deleted", &invite.email)],
                changes: vec![Change::DeleteInvite { id: invite.id }],
                ..Draft::default()
            };
            if self.settled(draft).await? {
                return Ok(());
            }
            tries.again()?;
        }
    }

    /// Makes the invited person a user with the role of the invitation. A user with the key who is there already keeps
    /// what is said about them; what is missing is filled in, and attributes are laid over.
    ///
    /// # Errors
    /// [`Kind::Conflict`] for an invitation that was approved; [`Kind::Invalid`] for another address or key than the
    /// invited one; [`Kind::NotFound`] when the role, tenant or instance is not there any more.
    pub async fn approve_invite(&self, id: &Ident, arrival: &Arrival) -> Result<UserView> {
        let mut tries = Tries::default();
        loop {
            let found = self.find_invite(id).await?;
            let invite = pending(found.value)?;
            if !invite.email.eq_ignore_ascii_case(&arrival.email) {
                let message = format!("The invitation is for `{}`; send this e-mail address.", invite.email);
                return Err(Error::invalid(message));
            }
            if let Some(key) = invite.key.as_ref().filter(|key| **key != arrival.key) {
                let message = format!(
                    "The invitation is for the user key `{key}`, and the call says `{}`.",
                    arrival.key
                );
                return Err(Error::invalid(message));
            }
            let (user, expect) = self.arrived(&invite, arrival).await?;
            let spec = AssignmentSpec {
                user: Ident::from(user.key.as_str()),
                role: Ident::from(invite.role_id.uuid()),
                tenant: Some(Ident::from(invite.tenant_id.uuid())),
                instance: invite.instance.as_ref().map(|on| on.id.to_string()),
                expires_at: None,
            };
            let mut draft = self.plan_assignments(&[spec], std::slice::from_ref(&user)).await?.draft;
            draft.expects.push(Expect::AtRevision(ObjectRef::Invite(invite.id), found.revision));
            draft.expects.extend(expect);
            draft.changes.insert(0, Change::PutUser(user.clone()));
            draft.facts.push(FactNote::new("invite.approved", &invite.email));
            draft.changes.push(Change::PutInvite(Invite {
                status: InviteStatus::Approved,
                key: Some(user.key.clone()),
                user: Some(user.id),
                updated_at: self.op.now,
                ..invite
            }));
            if self.settled(draft).await? {
                return self.with_membership(user).await;
            }
            tries.again()?;
        }
    }

    /// The user who came, and what has to hold for that when the user was there already.
    async fn arrived(&self, invite: &Invite, arrival: &Arrival) -> Result<(User, Option<Expect>)> {
        let ident = Ident::from(arrival.key.as_str());
        let known = self.engine.store().user(self.env.id, &ident).await?;
        let known = known.filter(|found| found.value.key == arrival.key);
        let fill = |current: Option<&String>, offered: Option<&String>| match current {
            Some(_) => Patch::Keep,
            None => Patch::from(offered.cloned()),
        };
        let old = known.as_ref().map(|found| &found.value);
        let mut attributes = old.map(|user| user.attributes.clone()).unwrap_or_default();
        attributes.extend(arrival.attributes.clone());
        let edit = UserEdit {
            email: fill(old.and_then(|user| user.email.as_ref()), Some(&invite.email)),
            first_name: fill(old.and_then(|user| user.first_name.as_ref()), invite.first_name.as_ref()),
            last_name: fill(old.and_then(|user| user.last_name.as_ref()), invite.last_name.as_ref()),
            attributes: Patch::Set(attributes),
        };
        if let Some(Versioned { value, revision }) = known {
            let expect = Expect::AtRevision(ObjectRef::User(value.id), revision);
            let user = User { updated_at: self.op.now, ..edited(value, &edit)? };
            return Ok((user, Some(expect)));
        }
        let new = NewUser { key: arrival.key.clone(), edit, roles: Vec::new() };
        Ok((self.made_user(&new)?, None))
    }

    async fn made_invite(&self, resolver: &mut Resolver<'_>, new: &NewInvite) -> Result<Invite> {
        let email = checked_email(&new.email)?.to_owned();
        let tenant = resolver.tenant(&new.tenant).await?;
        let instance = match &new.instance {
            Some(text) => Some(resolver.instance(text, None, Absent::Refuse).await?),
            None => None,
        };
        if let Some(on) = &instance {
            same_tenant(on, &tenant)?;
        }
        let role = resolver.role(instance.as_ref().map(|on| &on.resource), &new.role)?;
        Ok(Invite {
            id: self.engine.fresh_id(&self.op)?,
            key: new.key.clone(),
            email,
            first_name: new.first_name.clone(),
            last_name: new.last_name.clone(),
            status: InviteStatus::Pending,
            role: role.key.clone(),
            role_id: role.id,
            tenant: tenant.key,
            tenant_id: tenant.id,
            instance: instance.as_ref().map(link),
            user: None,
            created_at: self.op.now,
            updated_at: self.op.now,
        })
    }

    /// False means: plan anew.
    async fn put_invite(&self, mut draft: Draft, invite: &Invite, code: &'static str) -> Result<bool> {
        draft.facts.push(FactNote::new(code, &invite.email));
        draft.changes.push(Change::PutInvite(invite.clone()));
        match self.commit(draft).await {
            Ok(Outcome::Done(_)) => Ok(true),
            Ok(Outcome::Again) => Ok(false),
            Err(e) if e.kind() == Kind::Duplicate => {
                let message = format!(
                    "`{}` already has a pending invitation to this; approve, change or delete that one.",
                    invite.email
                );
                Err(Error::new(Kind::Duplicate, message))
            }
            Err(e) => Err(e),
        }
    }

    async fn find_invite(&self, id: &Ident) -> Result<Versioned<Invite>> {
        let found = match id.uuid() {
            Some(uuid) => self.engine.store().invite(self.env.id, askfirst_domain::Id::new(uuid)).await?,
            None => None,
        };
        found.ok_or_else(|| Error::not_found("invitation", id))
    }

    fn invited_role(&self, ident: &Ident) -> Result<askfirst_domain::id::RoleId> {
        let state = self.state();
        let schema = state.snapshot.schema();
        let by_id = ident.uuid().and_then(|uuid| schema.role_by_id(askfirst_domain::Id::new(uuid)));
        match by_id {
            Some(role) => Ok(role.id),
            None => crate::schema::find_role(schema, None, ident).map(|role| role.id),
        }
    }
}

fn pending(invite: Invite) -> Result<Invite> {
    match invite.status {
        InviteStatus::Pending => Ok(invite),
        InviteStatus::Approved => {
            let message =
                format!("The invitation of `{}` was approved already; nothing was changed.", invite.email);
            Err(Error::conflict(message))
        }
    }
}
