//! Sign-in: a one-time link for a human's browser, and element sessions that a server makes for its users.

use crate::{
    Engine, EnvScope, Op, Secret,
    commit::About,
    error::{Error, Kind, Result},
};
use askfirst_domain::{
    Ident, Timestamp, UserKey,
    facts::DEFAULT_TENANT,
    id::TenantId,
    principal::Principal,
    scope::{Session, SessionKind, SignInLink},
};
use askfirst_store::{AdminCommit, AdminOp, AssignmentFilter, Page};
use std::time::Duration;

/// How long a sign-in link can be used.
pub const LINK_LIFETIME: Duration = Duration::from_mins(15);
/// How long a browser stays signed in.
pub const BROWSER_LIFETIME: Duration = Duration::from_hours(12);
/// How long an element session lasts.
pub const ELEMENT_LIFETIME: Duration = Duration::from_mins(30);

/// A sign-in link, to be handed to the human and nobody else.
#[derive(Debug, Clone)]
pub struct MadeLink {
    pub token: Secret,
    pub user: UserKey,
    pub expires_at: Timestamp,
}

/// A session that was just opened.
#[derive(Debug, Clone)]
pub struct Opened {
    pub token: Secret,
    pub user: UserKey,
    pub expires_at: Timestamp,
}

impl EnvScope {
    /// Makes a link that signs a user in, once, within [`LINK_LIFETIME`].
    ///
    /// # Errors
    /// [`Kind::NotFound`] when there is no such user.
    pub async fn create_link(&self, user: &Ident) -> Result<MadeLink> {
        let user = self.find_user(user).await?.value;
        let token = Secret::make("", self.engine.entropy())?;
        let link = SignInLink {
            id: self.engine.fresh_id(&self.op)?,
            env: self.env.id,
            user: user.id,
            token_hash: token.hash(),
            created_at: self.op.now,
            expires_at: self.op.now.plus(LINK_LIFETIME),
        };
        let about = About { on_behalf_of: Some(user.key.to_string()), ..About::default() };
        let audit = vec![(Some(self.env.id), self.audit("link.created", about)?)];
        let expires_at = link.expires_at;
        self.engine.store().commit_admin(AdminCommit { ops: vec![AdminOp::PutLink(link)], audit }).await?;
        Ok(MadeLink { token, user: user.key, expires_at })
    }

    /// Opens an element session for a user in a tenant (`elements_login_as`).
    ///
    /// # Errors
    /// [`Kind::NotFound`] when the user or tenant is not there, or the user does not belong to the tenant.
    pub async fn element_login(&self, user: &Ident, tenant: &Ident) -> Result<Opened> {
        let user = self.find_user(user).await?.value;
        let tenant = self.find_tenant(tenant).await?.value;
        if !self.is_member(user.id, tenant.id, tenant.key.as_str()).await? {
            return Err(Error::new(
                Kind::NotFound,
                format!("The user `{}` does not belong to the tenant `{}`.", user.key, tenant.key),
            ));
        }
        let session = Session {
            id: self.engine.fresh_id(&self.op)?,
            env: self.env.id,
            kind: SessionKind::Element,
            user: user.id,
            tenant: Some(tenant.id),
            token_hash: String::new(),
            created_at: self.op.now,
            expires_at: self.op.now.plus(ELEMENT_LIFETIME),
        };
        self.engine.open_session(&self.op, "askfirst_element_", session, user.key).await
    }

    /// Whether a user belongs to a tenant: everybody to `default`, to another whoever holds a role in it.
    pub(crate) async fn is_member(
        &self,
        user: askfirst_domain::id::UserId,
        tenant: TenantId,
        tenant_key: &str,
    ) -> Result<bool> {
        if tenant_key == DEFAULT_TENANT {
            return Ok(true);
        }
        let filter =
            AssignmentFilter { users: Some(vec![user]), tenants: Some(vec![tenant]), ..Default::default() };
        let page = Page { offset: 0, limit: 1 };
        Ok(self.engine.store().assignments(self.env.id, &filter, page).await?.total > 0)
    }
}

impl Engine {
    /// Uses a sign-in link: of any number of tries, one gets the session.
    ///
    /// # Errors
    /// [`Kind::Unauthenticated`] when the link was used, has expired or never was.
    pub async fn redeem_link(&self, token: &Secret) -> Result<Opened> {
        let op = self.system("sign-in")?;
        let refused = || {
            Error::new(
                Kind::Unauthenticated,
                "This sign-in link was used already or has expired; ask for a new one with `askfirst link USER`.",
            )
        };
        let link = self.store().take_link(&token.hash(), op.now).await?.ok_or_else(refused)?;
        let user =
            self.store().user(link.env, &Ident::from(link.user.uuid())).await?.ok_or_else(refused)?.value;
        let session = Session {
            id: self.fresh_id(&op)?,
            env: link.env,
            kind: SessionKind::Browser,
            user: user.id,
            tenant: None,
            token_hash: String::new(),
            created_at: op.now,
            expires_at: op.now.plus(BROWSER_LIFETIME),
        };
        self.open_session(&op, "", session, user.key).await
    }

    /// Ends the session of a signed-in user.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn sign_out(&self, op: &Op) -> Result<()> {
        let Principal::User { session, env, key, .. } = &op.principal else { return Ok(()) };
        let about = About { on_behalf_of: Some(key.to_string()), ..About::default() };
        let audit = vec![(Some(*env), self.audit_event(op, "session.ended", about)?)];
        self.store().commit_admin(AdminCommit { ops: vec![AdminOp::DeleteSession(*session)], audit }).await?;
        Ok(())
    }

    async fn open_session(&self, op: &Op, prefix: &str, session: Session, user: UserKey) -> Result<Opened> {
        let token = Secret::make(prefix, self.entropy())?;
        let session = Session { token_hash: token.hash(), ..session };
        let about = About { on_behalf_of: Some(user.to_string()), ..About::default() };
        let audit = vec![(Some(session.env), self.audit_event(op, "session.opened", about)?)];
        let expires_at = session.expires_at;
        self.store().commit_admin(AdminCommit { ops: vec![AdminOp::PutSession(session)], audit }).await?;
        Ok(Opened { token, user, expires_at })
    }
}
