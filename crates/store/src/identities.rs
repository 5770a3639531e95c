//! Who users are at OpenID Connect issuers.
//!
//! Each write is whole by itself. Its audit event is written before it, so that a process that ends in between leaves an event
//! too many, and never a link that nobody was told of.

use crate::{
    Found, StoreError,
    body::Body,
    sql::{Cells, identities, rows as decode},
    store::{all, one, upkeep},
};
use askfirst_domain::{
    facts::User,
    id::{EnvId, UserId},
    scope::Identity,
};
use async_trait::async_trait;

/// Links between users and who they are elsewhere. Part of every [`crate::Store`]. A link goes with its user.
#[async_trait]
pub trait Identities: Send + Sync {
    /// Links a user to who they are at an issuer. False when it is linked already, to whomever, when the user is somebody
    /// else there, or when there is no such user: nothing is written then.
    async fn link_identity(&self, identity: &Identity) -> Result<bool, StoreError>;
    /// Removes all links of a user; gives how many there were.
    async fn unlink_identities(&self, env: EnvId, user: UserId) -> Result<u64, StoreError>;
    /// The link of somebody at an issuer.
    async fn identity(&self, env: EnvId, issuer: &str, subject: &str) -> Found<Identity>;
    /// Who a user is, at each issuer.
    async fn identities(&self, env: EnvId, user: UserId) -> Result<Vec<Identity>, StoreError>;
    /// The users with an e-mail address, written in whatever case: as many as it takes to know whether it is one alone.
    async fn users_with_email(&self, env: EnvId, email: &str) -> Result<Vec<User>, StoreError>;
}

fn identity<B: Body>(row: &B::Row) -> Result<Identity, StoreError> {
    let mut c = Cells::of("identity", row);
    Ok(Identity { env: c.id()?, issuer: c.text()?, subject: c.text()?, user: c.id()?, linked_at: c.at()? })
}

#[async_trait]
impl<B: Body> Identities for B {
    async fn link_identity(&self, identity: &Identity) -> Result<bool, StoreError> {
        Ok(upkeep(self, identities::link(identity)).await? > 0)
    }

    async fn unlink_identities(&self, env: EnvId, user: UserId) -> Result<u64, StoreError> {
        upkeep(self, identities::unlink(env, user)).await
    }

    async fn identity(&self, env: EnvId, issuer: &str, subject: &str) -> Found<Identity> {
        one(self, identities::one(env, issuer, subject), identity::<B>).await
    }

    async fn identities(&self, env: EnvId, user: UserId) -> Result<Vec<Identity>, StoreError> {
        all(self, identities::of_user(env, user), identity::<B>).await
    }

    async fn users_with_email(&self, env: EnvId, email: &str) -> Result<Vec<User>, StoreError> {
        let statement = identities::users_with(env, email);
        if statement.holds_nul() {
            return Ok(Vec::new());
        }
        let mut found: Vec<User> = all(self, statement, |row| Ok(decode::user(row)?.value)).await?;
        // Databases do not agree on what is lower case beyond ASCII.
        found.retain(|user| user.email.as_deref().is_some_and(|known| known.eq_ignore_ascii_case(email)));
        Ok(found)
    }
}
