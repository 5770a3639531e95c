//! Logging in without a server in between: a user's own token opens an element session.

use super::token::Verifier;
use crate::{
    Engine,
    admin::sessions::{ELEMENT_LIFETIME, LoggedIn},
    error::{Error, Kind, Result},
};
use askfirst_domain::{Ident, id::EnvId};

/// What a front-end sends.
#[derive(Debug, Clone)]
pub struct FrontEndLogin {
    /// The environment's id, with or without hyphens.
    pub env: Ident,
    pub token: String,
    /// The claim that the front-end expects the user's key in; it has to be the one of the environment's settings.
    pub user_key_claim: Option<String>,
    pub tenant: Ident,
}

impl Engine {
    /// Opens an element session for the user whom a token of the environment's front-end vouches for. It ends no later than
    /// the token.
    ///
    /// # Errors
    /// [`Kind::Jwks`] for an environment without keys, or none; [`Kind::Unauthenticated`] for a token that does not count;
    /// as [`EnvScope::element_login`](crate::EnvScope::element_login) for the rest.
    pub async fn front_end_login(&self, login: &FrontEndLogin) -> Result<LoggedIn> {
        let env = login.env.uuid().map(EnvId::new);
        let listing = self.directory().get();
        let known = env.and_then(|env| listing.environment_by_id(env));
        let verifier = Verifier::new(known.and_then(|env| env.jwks.as_ref()))?;
        let op = self.system("front-end-login")?;
        let vouched = verifier.verify(&login.token, login.user_key_claim.as_deref(), op.now)?;
        let Some(env) = env else { return Err(Error::not_found("environment", &login.env)) };
        let scope = self.enter_as_system(env, "front-end-login").await?;
        let ident = Ident::from(vouched.user.as_str());
        let user = scope.find_user(&ident).await?.value;
        if user.key != vouched.user {
            // The claim holds a key. A text that happens to be somebody's id is not theirs.
            return Err(Error::new(
                Kind::NotFound,
                format!("There is no user `{ident}` in this environment."),
            ));
        }
        let until = scope.op.now.plus(ELEMENT_LIFETIME).min(vouched.until);
        scope.log_in(user, &login.tenant, until).await
    }
}
