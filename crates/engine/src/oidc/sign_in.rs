//! From the button to a session.

use super::{
    flow::{Answer, Begun, Flow, same},
    issuer::{Issuer, Mailbox, Metadata, Tokens},
    token::Claims,
};
use crate::{
    Engine, Op, Secret,
    admin::sessions::{BROWSER_LIFETIME, Opened},
    commit::About,
    error::{Error, Kind, Result},
    passwords::Place,
};
use askfirst_domain::{
    Ident,
    facts::User,
    id::EnvId,
    scope::{Identity, OpenedWith, Session, SessionKind},
};
use askfirst_store::{AdminCommit, AdminOp};
use serde_json::{Map, Value};

/// The longest code, in bytes.
const LONGEST_CODE: usize = 4096;
/// The longest e-mail address that is looked for, in bytes (RFC 5321, 4.5.3.1.3).
const LONGEST_EMAIL: usize = 254;

/// Why somebody whom the issuer knows is not let in, for the audit log.
#[derive(Debug, Clone, Copy)]
enum Unknown {
    /// The issuer tells no address that it has verified.
    Unverified,
    /// No user has the address.
    Nobody,
    /// Several users have it.
    Several,
    /// Its user is somebody else at the issuer.
    Taken,
}

impl Unknown {
    fn as_str(self) -> &'static str {
        match self {
            Self::Unverified => "unverified_email",
            Self::Nobody => "no_user",
            Self::Several => "several_users",
            Self::Taken => "linked_otherwise",
        }
    }

    fn sentence(self, issuer: &Issuer) -> String {
        let name = issuer.name();
        match self {
            Self::Unverified => format!(
                "{name} does not say that it has verified an e-mail address of yours, and that is how you are found the first time."
            ),
            Self::Nobody => {
                format!("{name} knows you, but nobody here has the e-mail address that it gives for you.")
            }
            Self::Several => {
                format!(
                    "{name} knows you, but more than one user here has the e-mail address that it gives for you."
                )
            }
            Self::Taken => format!(
                "The user with the e-mail address that {name} gives for you is linked with another account of {name}."
            ),
        }
    }
}

impl Engine {
    /// The issuer that humans may sign in with.
    pub fn issuer(&self) -> Option<&Issuer> {
        self.settings().oidc.as_deref()
    }

    fn issuer_or_none(&self) -> Result<&Issuer> {
        self.issuer().ok_or_else(|| {
            Error::new(
                Kind::NotFound,
                "Signing in with an OpenID Connect issuer is not set up on this server.",
            )
        })
    }

    /// Begins a sign-in to an environment; without one, to the only one that there is.
    ///
    /// # Errors
    /// [`Kind::Unavailable`] when the issuer does not answer as it has to; [`Kind::NotFound`] when there is none.
    pub async fn begin_oidc(&self, place: Option<Place>) -> Result<Begun> {
        let issuer = self.issuer_or_none()?;
        let now = self.now();
        let metadata = issuer.metadata(now).await?;
        let flow = Flow::begin(now, place, self.entropy())?;
        let mut url = metadata.authorization_endpoint.0.clone();
        url.query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("client_id", issuer.client())
            .append_pair("redirect_uri", &self.oidc_callback())
            .append_pair("scope", "openid email")
            .append_pair("state", flow.state.reveal())
            .append_pair("nonce", flow.nonce.reveal())
            .append_pair("code_challenge", &flow.challenge())
            .append_pair("code_challenge_method", "S256");
        Ok(Begun { url: Secret::presented(url), flow: flow.kept() })
    }

    fn oidc_callback(&self) -> String {
        Issuer::callback(&self.settings().public_url)
    }

    /// Opens a browser session for whoever the issuer says it is.
    ///
    /// # Errors
    /// [`Kind::Invalid`] for an answer that this browser did not ask for; [`Kind::Unauthenticated`] for one that is not
    /// believed; [`Kind::Forbidden`] for somebody who is no user here; [`Kind::Unavailable`] when the issuer can't be asked.
    pub async fn finish_oidc(&self, answer: Answer) -> Result<Opened> {
        let issuer = self.issuer_or_none()?;
        let op = self.system("sign-in")?;
        let flow = answer.flow.as_ref().and_then(|kept| Flow::read(kept, op.now));
        // Before anything else is looked at: what nobody here asked for means nothing.
        let flow = flow
            .filter(|flow| answer.state.as_ref().is_some_and(|state| same(state.reveal(), &flow.state)))
            .ok_or_else(|| {
                Error::invalid(
                    "This sign-in was not begun in this browser, or more than ten minutes ago; begin it again.",
                )
            })?;
        let _place = issuer.places.try_acquire().map_err(|_| {
            Error::new(Kind::Unavailable, "Too many people are signing in at once; try again in a moment.")
        })?;
        let metadata = issuer.metadata(op.now).await?;
        match &answer.issuer {
            Some(named) if named != issuer.url() => {
                return Err(issuer.not_accepted("the answer names another issuer (`iss`)"));
            }
            None if metadata.authorization_response_iss_parameter_supported => {
                return Err(
                    issuer.not_accepted("the answer does not name the issuer, which says that it does")
                );
            }
            _ => {}
        }
        let code = answer.code.filter(|code| !answer.refused && code.reveal().len() <= LONGEST_CODE);
        let code = code.ok_or_else(|| {
            let name = issuer.name();
            Error::new(Kind::Unauthenticated, format!("The sign-in with {name} was broken off there."))
        })?;
        let tokens = issuer.exchange(&metadata, &code, &flow.verifier, &self.oidc_callback()).await?;
        let (claims, subject) = issuer.believed(&tokens.id_token, &flow.nonce, op.now).await?;
        let Some(env) = self.place(flow.place.as_ref()) else {
            // Like an environment in which nobody has the address: which there are is not told.
            return Err(Error::forbidden(Unknown::Nobody.sentence(issuer)));
        };
        let found = if let Some(found) = self.linked(issuer, env, &subject).await? {
            Ok(found)
        } else {
            let mailbox = mailbox(issuer, &metadata, &tokens, &claims, &subject).await?;
            self.link(issuer, &op, env, &subject, mailbox).await?
        };
        match found {
            Ok((user, identity)) => self.open_for(issuer, &op, user, identity).await,
            Err(unknown) => {
                let why = ("why".to_owned(), unknown.as_str().into());
                self.tell_failed(&op, env, OpenedWith::Oidc, None, Some(why)).await?;
                Err(Error::forbidden(unknown.sentence(issuer)))
            }
        }
    }

    /// Whom a subject was linked with.
    async fn linked(&self, issuer: &Issuer, env: EnvId, subject: &str) -> Result<Option<(User, Identity)>> {
        let Some(identity) = self.store().identity(env, issuer.url(), subject).await? else {
            return Ok(None);
        };
        let user = self.store().user(env, &Ident::from(identity.user.uuid())).await?.map(|found| found.value);
        // A key may look like an id.
        if let Some(user) = user.filter(|user| user.id == identity.user) {
            return Ok(Some((user, identity)));
        }
        // It was linked at the moment at which its user went.
        self.store().unlink_identities(env, identity.user).await?;
        Ok(None)
    }

    /// Links a subject with the one user who has the address.
    async fn link(
        &self,
        issuer: &Issuer,
        op: &Op,
        env: EnvId,
        subject: &str,
        mailbox: Option<String>,
    ) -> Result<Result<(User, Identity), Unknown>> {
        let store = self.store();
        let Some(email) = mailbox else { return Ok(Err(Unknown::Unverified)) };
        let mut found = store.users_with_email(env, &email).await?;
        let (Some(user), None) = (found.pop(), found.pop()) else {
            let several = !store.users_with_email(env, &email).await?.is_empty();
            return Ok(Err(if several { Unknown::Several } else { Unknown::Nobody }));
        };
        if store.identities(env, user.id).await?.iter().any(|known| known.issuer == issuer.url()) {
            return Ok(Err(Unknown::Taken));
        }
        let identity = Identity {
            env,
            user: user.id,
            issuer: issuer.url().to_owned(),
            subject: subject.to_owned(),
            linked_at: op.now,
        };
        let details = Map::from_iter([
            ("issuer".to_owned(), identity.issuer.as_str().into()),
            ("subject".to_owned(), subject.into()),
        ]);
        let about = About { on_behalf_of: Some(user.key.to_string()), details, ..About::default() };
        let audit = vec![(Some(env), self.audit_event(op, "identity.linked", about)?)];
        // First the event, then the link: there may be an event too many, and never a link that nobody was told of.
        store.commit_admin(AdminCommit { ops: Vec::new(), audit }).await?;
        if store.link_identity(&identity).await? {
            return Ok(Ok((user, identity)));
        }
        // Somebody was quicker, or the user is gone.
        match self.linked(issuer, env, subject).await? {
            Some(found) => Ok(Ok(found)),
            None => Ok(Err(Unknown::Taken)),
        }
    }

    async fn open_for(&self, issuer: &Issuer, op: &Op, user: User, identity: Identity) -> Result<Opened> {
        let session = Session {
            id: self.fresh_id(op)?,
            env: identity.env,
            kind: SessionKind::Browser,
            user: user.id,
            tenant: None,
            token_hash: String::new(),
            opened_with: Some(OpenedWith::Oidc),
            created_at: op.now,
            expires_at: op.now.plus(BROWSER_LIFETIME),
        };
        let id = session.id;
        let opened = self.open_session(op, "", session, user.key, None).await?;
        // Whoever takes a link away ends the sessions of its user. One that was opened meanwhile ends here.
        let now = self.store().identity(identity.env, &identity.issuer, &identity.subject).await?;
        if now.as_ref() != Some(&identity) {
            let ops = vec![AdminOp::DeleteSession(id)];
            self.store().commit_admin(AdminCommit { ops, audit: Vec::new() }).await?;
            return Err(issuer.not_accepted("the link with the user was taken away meanwhile"));
        }
        Ok(opened)
    }
}

/// The address that the issuer has verified. Address and word about it come from one place: the ID token, or, where that has no
/// address, what the issuer says of the same subject when it is asked.
async fn mailbox(
    issuer: &Issuer,
    metadata: &Metadata,
    tokens: &Tokens,
    claims: &Claims,
    subject: &str,
) -> Result<Option<String>> {
    let said = if claims.contains_key("email") {
        let email = claims.get("email").and_then(Value::as_str).map(str::to_owned);
        Mailbox {
            sub: Some(subject.to_owned()),
            email,
            email_verified: claims.get("email_verified").cloned(),
        }
    } else {
        let Some(said) = issuer.mailbox(metadata, tokens).await? else { return Ok(None) };
        said
    };
    if said.sub.as_deref() != Some(subject) {
        return Err(issuer.not_accepted("the userinfo endpoint speaks of somebody else"));
    }
    let verified = said.email_verified == Some(Value::Bool(true));
    let email = said.email.filter(|email| verified && email.contains('@') && email.len() <= LONGEST_EMAIL);
    Ok(email.filter(|email| !email.contains(|c: char| c.is_control() || c.is_whitespace())))
}
