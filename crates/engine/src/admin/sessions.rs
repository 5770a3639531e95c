//! Sign-in: a one-time link for a human's browser, and element sessions that a server makes for its users, or that the
//! users' own tokens open.

use crate::{
    Engine, EnvScope, Op, Secret,
    commit::About,
    error::{Error, Kind, Result},
};
use askfirst_domain::{
    Ident, Timestamp, UserKey,
    facts::{DEFAULT_TENANT, User},
    id::TenantId,
    principal::Principal,
    scope::{OpenedWith, Session, SessionKind, SignInLink},
};
use askfirst_store::{AdminCommit, AdminOp, AssignmentFilter, Page};
use std::time::Duration;

/// How long a sign-in link can be used.
pub const LINK_LIFETIME: Duration = Duration::from_mins(15);
/// How long a browser stays signed in.
pub const BROWSER_LIFETIME: Duration = Duration::from_hours(12);
/// How long an element session lasts.
pub const ELEMENT_LIFETIME: Duration = Duration::from_mins(30);
/// How long a ticket can be exchanged for the cookie of an element session.
pub const TICKET_LIFETIME: Duration = Duration::from_mins(2);

/// How a ticket begins. Behind it stand the tenant, the end of the session (microseconds) and the random part; the hash that
/// is kept is of the whole, so the tenant and the end are as certain as the rest. Sign-in links never begin like this, and neither is taken for the other.
const TICKET: &str = "askfirst_ticket_";

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
    /// From now until then.
    pub lasts: Duration,
}

/// An element session, and what takes a browser into one of its own.
#[derive(Debug, Clone)]
pub struct LoggedIn {
    pub opened: Opened,
    /// Works once, within [`TICKET_LIFETIME`], for [`Engine::redeem_ticket`].
    pub ticket: Secret,
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
    pub async fn element_login(&self, user: &Ident, tenant: &Ident) -> Result<LoggedIn> {
        let user = self.find_user(user).await?.value;
        self.log_in(user, tenant, self.op.now.plus(ELEMENT_LIFETIME)).await
    }

    /// Opens an element session that ends at `until`.
    pub(crate) async fn log_in(&self, user: User, tenant: &Ident, until: Timestamp) -> Result<LoggedIn> {
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
            opened_with: None,
            created_at: self.op.now,
            expires_at: until,
        };
        let prefix = format!("{TICKET}{}_{}_", tenant.id.uuid().simple(), until.micros());
        let ticket = Secret::make(&prefix, self.engine.entropy())?;
        let link = SignInLink {
            id: self.engine.fresh_id(&self.op)?,
            env: self.env.id,
            user: user.id,
            token_hash: ticket.hash(),
            created_at: self.op.now,
            expires_at: self.op.now.plus(TICKET_LIFETIME).min(until),
        };
        let opened = self.engine.open_session(&self.op, "askfirst_element_", session, user.key, Some(link));
        Ok(LoggedIn { opened: opened.await?, ticket })
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
        if token.reveal().starts_with(TICKET) {
            return Err(refused());
        }
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
            opened_with: Some(OpenedWith::Link),
            created_at: op.now,
            expires_at: op.now.plus(BROWSER_LIFETIME),
        };
        self.open_session(&op, "", session, user.key, None).await
    }

    /// Exchanges a ticket for another element session of the same user in the same tenant, for the cookie of their browser:
    /// of any number of tries, one gets it.
    ///
    /// # Errors
    /// [`Kind::Unauthenticated`] when the ticket was used, has expired or never was.
    pub async fn redeem_ticket(&self, ticket: &Secret) -> Result<Opened> {
        let op = self.system("element-login")?;
        let refused = || {
            Error::new(
                Kind::Unauthenticated,
                "This login was used already or has expired; let your server log the user in again.",
            )
        };
        let (tenant, until) = written_in(ticket.reveal()).ok_or_else(refused)?;
        let link = self.store().take_link(&ticket.hash(), op.now).await?.ok_or_else(refused)?;
        let user = self.store().user(link.env, &Ident::from(link.user.uuid())).await?.ok_or_else(refused)?;
        let session = Session {
            id: self.fresh_id(&op)?,
            env: link.env,
            kind: SessionKind::Element,
            user: link.user,
            tenant: Some(tenant),
            token_hash: String::new(),
            opened_with: None,
            created_at: op.now,
            expires_at: until,
        };
        self.open_session(&op, "askfirst_element_", session, user.value.key, None).await
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

    pub(crate) async fn open_session(
        &self,
        op: &Op,
        prefix: &str,
        session: Session,
        user: UserKey,
        ticket: Option<SignInLink>,
    ) -> Result<Opened> {
        let token = Secret::make(prefix, self.entropy())?;
        let session = Session { token_hash: token.hash(), ..session };
        let with = session.opened_with.map(|with| ("with".to_owned(), with.as_str().into()));
        let details = with.into_iter().collect();
        let about = About { on_behalf_of: Some(user.to_string()), details, ..About::default() };
        let audit = vec![(Some(session.env), self.audit_event(op, "session.opened", about)?)];
        let expires_at = session.expires_at;
        let ops = [AdminOp::PutSession(session)].into_iter().chain(ticket.map(AdminOp::PutLink)).collect();
        self.store().commit_admin(AdminCommit { ops, audit }).await?;
        let micros = expires_at.micros().saturating_sub(op.now.micros());
        let lasts = Duration::from_micros(u64::try_from(micros).unwrap_or(0));
        Ok(Opened { token, user, expires_at, lasts })
    }
}

/// The tenant that a ticket is for, and when its session ends.
fn written_in(ticket: &str) -> Option<(TenantId, Timestamp)> {
    let (tenant, rest) = ticket.strip_prefix(TICKET)?.split_once('_')?;
    let (until, _) = rest.split_once('_')?;
    Some((TenantId::new(uuid::Uuid::try_parse(tenant).ok()?), Timestamp::from_micros(until.parse().ok()?)))
}
