//! Setting, changing and clearing passwords, and what a human sees of the own sessions.

use super::{
    hashing::Verified,
    tries::{Name, Try},
};
use crate::{
    Acting, EnvScope, Secret,
    access::Via,
    commit::About,
    error::{Error, Kind, Result},
};
use askfirst_domain::{
    Ident, Timestamp,
    facts::User,
    id::SessionId,
    principal::Principal,
    scope::{OpenedWith, PasswordHash, Session},
};
use askfirst_store::{AdminCommit, AdminOp};
use std::time::Duration;

/// How many characters a password has at least and at most. NIST SP 800-63B asks for length, and for no rules of composition.
pub const LEAST_CHARACTERS: usize = 12;
pub const MOST_CHARACTERS: usize = 128;
/// How many bytes, whatever the characters.
const MOST_BYTES: usize = 512;
/// For how long a link that signed somebody in stands for the old password.
const LINK_IS_FRESH_FOR: Duration = Duration::from_mins(15);

/// A session of one's own.
#[derive(Debug, Clone)]
pub struct OwnSession {
    pub opened_with: OpenedWith,
    pub opened_at: Timestamp,
    pub ends_at: Timestamp,
    /// Whether it is the one that looks.
    pub is_this: bool,
}

/// How a signed-in human gets in.
#[derive(Debug, Clone)]
pub struct SignInWays {
    pub password_changed_at: Option<Timestamp>,
    /// Whether the old password is asked for before there is another one.
    pub asks_for_old: bool,
    pub sessions: Vec<OwnSession>,
}

pub(super) fn is_too_long(password: &str) -> bool {
    password.len() > MOST_BYTES || password.chars().count() > MOST_CHARACTERS
}

/// Refuses what is no good password for a user.
fn fit(password: &Secret, user: &User) -> Result<()> {
    let text = password.reveal();
    if is_too_long(text) || text.chars().count() < LEAST_CHARACTERS {
        return Err(Error::invalid(format!(
            "A password has {LEAST_CHARACTERS} to {MOST_CHARACTERS} characters, and {MOST_BYTES} bytes at most."
        )));
    }
    let same = |known: &str| known.to_lowercase() == text.to_lowercase();
    if same(user.key.as_str()) || user.email.as_deref().is_some_and(same) {
        return Err(Error::invalid("The user's own key or e-mail address is no password."));
    }
    Ok(())
}

impl Acting {
    /// The password and the sessions of whoever is signed in.
    ///
    /// # Errors
    /// [`Kind::Forbidden`] for whoever is not signed in.
    pub async fn sign_in_ways(&self) -> Result<SignInWays> {
        let this = self.own_session()?;
        let kept = self.scope.engine.store().password(self.scope.env.id, self.person.id).await?;
        let open = self.open_sessions().await?;
        let sessions = open.iter().map(|session| OwnSession {
            opened_with: session.opened_with.unwrap_or(OpenedWith::Link),
            opened_at: session.created_at,
            ends_at: session.expires_at,
            is_this: session.id == this,
        });
        Ok(SignInWays {
            password_changed_at: kept.as_ref().map(|kept| kept.changed_at),
            asks_for_old: kept.is_some() && !self.is_fresh(&open, this),
            sessions: sessions.collect(),
        })
    }

    /// Sets or changes the own password, and ends all other sessions.
    ///
    /// # Errors
    /// [`Kind::Forbidden`] when the old password is asked for and wrong, [`Kind::Invalid`] for what is no good one,
    /// [`Kind::Unavailable`] after too many wrong ones.
    pub async fn change_password(&self, old: Option<Secret>, new: Secret) -> Result<()> {
        let this = self.own_session()?;
        let engine = &self.scope.engine;
        let user = self.scope.find_user(&Ident::from(self.person.id.uuid())).await?.value;
        fit(&new, &user)?;
        let kept = engine.store().password(self.scope.env.id, user.id).await?;
        if let Some(kept) = kept
            && !self.is_fresh(&self.open_sessions().await?, this)
        {
            let old = old.filter(|old| !is_too_long(old.reveal())).unwrap_or_else(|| Secret::presented(""));
            let name = Name::of(Some(self.scope.env.id), user.key.as_str());
            if let Try::Wait(seconds) = engine.passwords().tries.begin(name, self.scope.op.now) {
                return Err(Error::new(
                    Kind::Unavailable,
                    format!("There were too many wrong tries; wait for {seconds} seconds."),
                ));
            }
            if engine.passwords().hashing.verify(engine, old, Some(kept.hash)).await? == Verified::Wrong {
                return Err(Error::forbidden(
                    "The old password is not right. A sign-in link is the way in without it.",
                ));
            }
            engine.passwords().tries.right(name);
        }
        self.scope.put_password(&user, new, Some(this)).await
    }

    /// Ends all sessions of the user, this one too.
    ///
    /// # Errors
    /// [`Kind::Forbidden`] for whoever is not signed in.
    pub async fn sign_out_everywhere(&self) -> Result<()> {
        self.own_session()?;
        let (env, user) = (self.scope.env.id, self.person.id);
        let about = About { on_behalf_of: Some(self.person.key.to_string()), ..About::default() };
        let audit = vec![(Some(env), self.scope.audit("sessions.ended", about)?)];
        let ops = vec![AdminOp::DeleteSessionsOf { env, user, but: None }];
        Ok(self.scope.engine.store().commit_admin(AdminCommit { ops, audit }).await?)
    }

    fn own_session(&self) -> Result<SessionId> {
        match (&self.scope.op.principal, self.via, self.tenant) {
            (Principal::User { session, .. }, Via::Session, None) => Ok(*session),
            _ => Err(Error::forbidden("Only a human who is signed in does this.")),
        }
    }

    async fn open_sessions(&self) -> Result<Vec<Session>> {
        let store = self.scope.engine.store();
        let mut all = store.browser_sessions(self.scope.env.id, self.person.id).await?;
        all.retain(|session| session.expires_at > self.scope.op.now);
        Ok(all)
    }

    /// Whether this session was opened with a link a moment ago: whoever has forgotten the password comes in by one.
    fn is_fresh(&self, open: &[Session], this: SessionId) -> bool {
        open.iter().any(|session| {
            session.id == this
                && session.opened_with == Some(OpenedWith::Link)
                && self.scope.op.now < session.created_at.plus(LINK_IS_FRESH_FOR)
        })
    }
}

impl EnvScope {
    /// Sets a user's password: the server that holds the key says so. All sessions of the user end.
    ///
    /// # Errors
    /// [`Kind::NotFound`] when there is no such user, [`Kind::Invalid`] for what is no good password.
    pub async fn set_password(&self, user: &Ident, new: Secret) -> Result<()> {
        let user = self.find_user(user).await?.value;
        fit(&new, &user)?;
        self.put_password(&user, new, None).await
    }

    /// Takes a user's password away, and ends all sessions of the user. A link is the way in to set another one.
    ///
    /// # Errors
    /// [`Kind::NotFound`] when there is no such user, or no password.
    pub async fn clear_password(&self, user: &Ident) -> Result<()> {
        let user = self.find_user(user).await?.value;
        let (store, env) = (self.engine.store(), self.env.id);
        if store.password(env, user.id).await?.is_none() {
            return Err(Error::new(Kind::NotFound, format!("The user `{}` has no password.", user.key)));
        }
        let ops = vec![
            AdminOp::DeletePassword { env, user: user.id },
            AdminOp::DeleteSessionsOf { env, user: user.id, but: None },
        ];
        self.write_password("password.cleared", &user, ops).await
    }

    async fn put_password(&self, user: &User, new: Secret, but: Option<SessionId>) -> Result<()> {
        let hash = self.engine.passwords().hashing.hash(&self.engine, new).await?;
        let env = self.env.id;
        let ops = vec![
            AdminOp::PutPassword(PasswordHash { env, user: user.id, hash, changed_at: self.op.now }),
            AdminOp::DeleteSessionsOf { env, user: user.id, but },
        ];
        self.write_password("password.set", user, ops).await
    }

    async fn write_password(&self, code: &str, user: &User, ops: Vec<AdminOp>) -> Result<()> {
        let about = About { on_behalf_of: Some(user.key.to_string()), ..About::default() };
        let audit = vec![(Some(self.env.id), self.audit(code, about)?)];
        Ok(self.engine.store().commit_admin(AdminCommit { ops, audit }).await?)
    }
}
