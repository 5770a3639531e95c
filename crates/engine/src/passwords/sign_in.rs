//! Signing in with a password.

use super::{
    hashing::Verified,
    tries::{Name, Telling, Try},
};
use crate::{
    Engine, Op, Secret,
    admin::sessions::{BROWSER_LIFETIME, Opened},
    commit::About,
    error::{Error, Kind, Result},
};
use askfirst_domain::{
    Ident,
    facts::User,
    id::{EnvId, UserId},
    scope::{OpenedWith, PasswordHash, Session, SessionKind},
};
use askfirst_store::{AdminCommit, AdminOp};
use serde_json::Value;
use uuid::Uuid;

/// The environment that somebody signs in to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    pub project: String,
    pub env: String,
}

/// What somebody types to sign in.
#[derive(Debug)]
pub struct SignIn {
    /// None: the only one that there is.
    pub place: Option<Place>,
    /// Key of the user.
    pub user: String,
    pub password: Secret,
}

impl Engine {
    /// The environment that everybody signs in to, where there is one alone.
    pub fn only_place(&self) -> Option<Place> {
        let listing = self.directory().get();
        let [only] = listing.environments() else { return None };
        let project = listing.projects.iter().find(|project| project.id == only.project)?;
        Some(Place { project: project.key.to_string(), env: only.key.to_string() })
    }

    /// Opens a browser session for whoever knows the password. An unknown environment, an unknown user, a user without a
    /// password and a wrong password are answered alike, after the same work.
    ///
    /// # Errors
    /// [`Kind::Unauthenticated`]; [`Kind::Unavailable`] after too many wrong tries, which says how long to wait.
    pub async fn sign_in(&self, given: SignIn) -> Result<Opened> {
        let op = self.system("sign-in")?;
        let env = self.place(given.place.as_ref());
        let typed = given.user.trim();
        let name = Name::of(env, typed);
        let tries = &self.passwords().tries;
        if let Try::Wait(seconds) = tries.begin(name, op.now) {
            return Err(Error::new(
                Kind::Unavailable,
                format!(
                    "There were too many wrong tries; wait for {seconds} seconds, or ask for a sign-in link, which works at once."
                ),
            ));
        }
        let (user, kept) = self.kept(env, typed).await?;
        let hash = kept.as_ref().map(|kept| kept.hash.clone());
        // What is longer was never taken as a password, and is not worth more work.
        let password = if super::set::is_too_long(given.password.reveal()) {
            Secret::presented("")
        } else {
            given.password
        };
        let verified = self.passwords().hashing.verify(self, password.clone(), hash).await?;
        let (Some(user), Some(kept), Verified::Right | Verified::Outdated) = (&user, kept, verified) else {
            if let Some(env) = env {
                self.tell_failed(&op, env, OpenedWith::Password, user.as_ref(), None).await?;
            }
            return Err(wrong());
        };
        tries.right(name);
        let renewed = match verified {
            Verified::Outdated => Some(self.passwords().hashing.hash(self, password).await?),
            _ => None,
        };
        self.let_in(&op, user, &kept, renewed).await
    }

    /// The environment that somebody signs in to.
    pub(crate) fn place(&self, place: Option<&Place>) -> Option<EnvId> {
        let listing = self.directory().get();
        let Some(place) = place else {
            let [only] = listing.environments() else { return None };
            return Some(only.id);
        };
        let project = listing.project(&Ident::new(place.project.clone())).ok()?;
        Some(listing.environment(project.id, &Ident::new(place.env.clone())).ok()?.id)
    }

    /// The user with a key, and their password; as much is read for nobody.
    async fn kept(&self, env: Option<EnvId>, typed: &str) -> Result<(Option<User>, Option<PasswordHash>)> {
        let nowhere = EnvId::new(Uuid::nil());
        let env = env.unwrap_or(nowhere);
        let user = self.store().user(env, &Ident::new(typed.to_owned())).await?.map(|found| found.value);
        // By key alone: nobody types an id, and one that is typed is no key.
        let user = user.filter(|user| user.key.as_str() == typed);
        let id = user.as_ref().map_or_else(|| UserId::new(Uuid::nil()), |user| user.id);
        let kept = self.store().password(env, id).await?;
        Ok((user, kept))
    }

    /// Tells of a try that came to nothing, with one detail more. What was typed is not told where it names nobody: it may be
    /// a password.
    pub(crate) async fn tell_failed(
        &self,
        op: &Op,
        env: EnvId,
        with: OpenedWith,
        user: Option<&User>,
        detail: Option<(String, Value)>,
    ) -> Result<()> {
        if self.passwords().tries.wrong() == Telling::Silent {
            return Ok(());
        }
        let on_behalf_of = user.map(|user| user.key.to_string());
        let with = ("with".to_owned(), with.as_str().into());
        let details = std::iter::once(with).chain(detail).collect();
        let about = About { on_behalf_of, details, ..About::default() };
        let audit = vec![(Some(env), self.audit_event(op, "sign_in.failed", about)?)];
        Ok(self.store().commit_admin(AdminCommit { ops: Vec::new(), audit }).await?)
    }

    async fn let_in(
        &self,
        op: &Op,
        user: &User,
        kept: &PasswordHash,
        renewed: Option<String>,
    ) -> Result<Opened> {
        let session = Session {
            id: self.fresh_id(op)?,
            env: kept.env,
            kind: SessionKind::Browser,
            user: user.id,
            tenant: None,
            token_hash: String::new(),
            opened_with: Some(OpenedWith::Password),
            created_at: op.now,
            expires_at: op.now.plus(BROWSER_LIFETIME),
        };
        let id = session.id;
        let opened = self.open_session(op, "", session, user.key.clone(), None).await?;
        // Whoever changes a password ends the sessions of the old one. One that was opened meanwhile ends here.
        let now = self.store().password(kept.env, user.id).await?;
        if now.as_ref() != Some(kept) {
            let ops = vec![AdminOp::DeleteSession(id)];
            self.store().commit_admin(AdminCommit { ops, audit: Vec::new() }).await?;
            return Err(wrong());
        }
        if let Some(hash) = renewed {
            let ops = vec![AdminOp::PutPassword(PasswordHash { hash, ..kept.clone() })];
            self.store().commit_admin(AdminCommit { ops, audit: Vec::new() }).await?;
        }
        Ok(opened)
    }
}

fn wrong() -> Error {
    Error::new(Kind::Unauthenticated, "There is no such user with this password here.")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Parts, Settings, SystemClock, SystemEntropy,
        facts::{NewUser, UserEdit},
    };
    use askfirst_domain::UserKey;
    use askfirst_store::{Options, SqliteStore};
    use std::sync::Arc;

    fn typed(place: &str, user: &str, password: &str) -> SignIn {
        let (project, env) = place.split_once('/').unwrap();
        let place = Some(Place { project: project.to_owned(), env: env.to_owned() });
        SignIn { place, user: user.to_owned(), password: Secret::presented(password) }
    }

    /// Whoever measures learns nothing: each refusal, whatever its reason, has held the password against a hash.
    #[tokio::test]
    async fn nobody_is_as_much_work_as_somebody() {
        let dir = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(dir.path().join("a.db"), Options::default()).await.unwrap();
        let (clock, entropy) = (Arc::new(SystemClock), Arc::new(SystemEntropy));
        let parts = Parts { store: Arc::new(store), clock, entropy, settings: Settings::default() };
        let engine = Engine::start(parts).await.unwrap();
        engine.first_start(Some(Secret::presented("key-of-dev"))).await.unwrap();
        let key = engine.authenticate(&Secret::presented("key-of-dev")).await.unwrap();
        let scope = engine.enter_own(key).await.unwrap();
        for key in ["joe", "ann"] {
            let key: UserKey = key.parse().unwrap();
            let new = NewUser { key, edit: UserEdit::default(), roles: Vec::new() };
            scope.create_user(&new).await.unwrap();
        }
        scope.set_password(&Ident::new("joe".to_owned()), Secret::presented("twelve letters")).await.unwrap();
        let long = "x".repeat(100_000);
        let refused = [
            ("default/dev", "nobody", "twelve letters"),
            ("default/dev", "ann", "twelve letters"),
            ("default/dev", "joe", "twelve digits"),
            ("default/dev", "joe", ""),
            ("default/dev", "joe", long.as_str()),
            ("default/none", "joe", "twelve letters"),
            ("none/dev", "joe", "twelve letters"),
        ];
        for (n, (place, user, password)) in (1..).zip(refused) {
            let error = engine.sign_in(typed(place, user, password)).await.unwrap_err();
            assert_eq!((error.kind(), error.message()), (wrong().kind(), wrong().message()));
            assert_eq!(engine.passwords().hashing.verified(), n, "{user} in {place}");
        }
        let opened = engine.sign_in(typed("default/dev", " joe ", "twelve letters")).await.unwrap();
        assert_eq!(opened.user.as_str(), "joe");
    }
}
