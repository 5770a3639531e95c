//! What an operator sees of links, and takes away.

use crate::{
    EnvScope,
    commit::About,
    error::{Error, Kind, Result},
};
use askfirst_domain::{Ident, scope::Identity};
use askfirst_store::{AdminCommit, AdminOp};

impl EnvScope {
    /// Who a user is at which issuer.
    ///
    /// # Errors
    /// [`Kind::NotFound`] when there is no such user.
    pub async fn identities(&self, user: &Ident) -> Result<Vec<Identity>> {
        let user = self.find_user(user).await?.value;
        Ok(self.engine.store().identities(self.env.id, user.id).await?)
    }

    /// Takes all links of a user away, and ends all sessions of the user: whoever signs in next with the user's e-mail address
    /// is linked anew.
    ///
    /// # Errors
    /// [`Kind::NotFound`] when there is no such user, or no link.
    pub async fn unlink_identities(&self, user: &Ident) -> Result<()> {
        let user = self.find_user(user).await?.value;
        let (store, env) = (self.engine.store(), self.env.id);
        if store.identities(env, user.id).await?.is_empty() {
            return Err(Error::new(
                Kind::NotFound,
                format!("The user `{}` is linked with nobody at any issuer.", user.key),
            ));
        }
        let about = About { on_behalf_of: Some(user.key.to_string()), ..About::default() };
        let audit = vec![(Some(env), self.audit("identity.unlinked", about)?)];
        store.commit_admin(AdminCommit { ops: Vec::new(), audit }).await?;
        store.unlink_identities(env, user.id).await?;
        // Behind the link: a sign-in that is on its way looks at the link once it has its session.
        let ops = vec![AdminOp::DeleteSessionsOf { env, user: user.id, but: None }];
        Ok(store.commit_admin(AdminCommit { ops, audit: Vec::new() }).await?)
    }
}
