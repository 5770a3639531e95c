//! The issuer: what the operator says of it, and what it says of itself.

use super::fetch::{self, Unusable};
use crate::{
    Secret,
    error::{Error, Kind},
    jwk::algorithm_of,
};
use askfirst_domain::Timestamp;
use jsonwebtoken::{Algorithm, DecodingKey, jwk::Jwk};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::{Client, RequestBuilder, Url};
use serde::Deserialize;
use serde_json::Value;
use std::{sync::Arc, time::Duration};
use thiserror::Error as ThisError;
use tokio::sync::{Mutex, Semaphore};

/// How long what the issuer says of itself counts: as long may a key be used that it has withdrawn.
const COUNTS_FOR: Duration = Duration::from_mins(10);
/// How long it is left in peace before an unknown key is asked for again.
const KEYS_REST: Duration = Duration::from_secs(30);
/// How long it is left in peace after it has failed.
const FAILURE_RESTS: Duration = Duration::from_secs(5);
/// How many sign-ins talk with it at once.
const AT_ONCE: usize = 16;
/// The longest name on the button, in characters.
const LONGEST_NAME: usize = 60;

/// Why an issuer can't be used.
#[derive(Debug, ThisError)]
pub enum IssuerError {
    /// Not the address of an issuer.
    #[error(
        "an issuer is written as it calls itself, https://HOST or https://HOST/PATH (http:// on this machine alone), without ? and #"
    )]
    Address,
    /// There is no name for us.
    #[error("the client id is empty")]
    Client,
    /// A name that does not fit on a button.
    #[error("the name on the button has 1 to {LONGEST_NAME} characters, none of them a control character")]
    Name,
    /// There is no TLS provider.
    #[error("can't make an HTTP client: {0}")]
    Http(#[from] reqwest::Error),
}

/// An issuer whose word counts. The process must have installed a TLS provider before (`rustls::crypto::ring`).
#[derive(Debug)]
pub struct Issuer {
    /// As it calls itself.
    url: String,
    discovery: Url,
    client: String,
    secret: Option<Secret>,
    name: String,
    http: Client,
    known: Mutex<Known>,
    pub(super) places: Semaphore,
}

/// What was fetched, and when.
#[derive(Debug, Default)]
struct Known {
    metadata: Option<(Timestamp, Arc<Metadata>)>,
    keys: Option<(Timestamp, Vec<Value>)>,
    failed_at: Option<Timestamp>,
}

/// What the issuer says of itself (OpenID Connect Discovery 1.0, RFC 8414), as far as it matters here.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Metadata {
    issuer: String,
    pub(super) authorization_endpoint: Endpoint,
    token_endpoint: Endpoint,
    jwks_uri: Endpoint,
    userinfo_endpoint: Option<Endpoint>,
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
    /// Whether it names itself in each answer (RFC 9207).
    #[serde(default)]
    pub(super) authorization_response_iss_parameter_supported: bool,
}

/// An address that may be called.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct Endpoint(pub(super) Url);

impl TryFrom<String> for Endpoint {
    type Error = &'static str;
    fn try_from(text: String) -> Result<Self, &'static str> {
        let url = Url::parse(&text).map_err(|_| "no address")?;
        if fetch::is_safe(&url) { Ok(Self(url)) } else { Err("not https") }
    }
}

#[derive(Deserialize)]
struct KeySet {
    /// Each is read by itself: one of a kind that we do not know must not hide the others.
    keys: Vec<Value>,
}

/// What a code was exchanged for. Without `Debug`: they are secrets.
#[derive(Deserialize)]
pub(super) struct Tokens {
    pub(super) id_token: String,
    access_token: Option<String>,
}

/// The claims about an e-mail address.
#[derive(Debug, Deserialize)]
pub(super) struct Mailbox {
    pub(super) sub: Option<String>,
    pub(super) email: Option<String>,
    pub(super) email_verified: Option<Value>,
}

impl Issuer {
    /// One at which we are known as `client`; without a secret we are a public client, and PKCE alone keeps a stolen code from
    /// being used. `name` stands on the button; without one the host does.
    ///
    /// # Errors
    /// [`IssuerError`].
    pub fn new(
        url: &str,
        client: &str,
        secret: Option<Secret>,
        name: Option<&str>,
    ) -> Result<Self, IssuerError> {
        let parsed = Url::parse(url).map_err(|_| IssuerError::Address)?;
        if !fetch::is_safe(&parsed) || parsed.query().is_some() || url.trim() != url {
            return Err(IssuerError::Address);
        }
        if client.trim().is_empty() {
            return Err(IssuerError::Client);
        }
        let name = name.or(parsed.host_str()).unwrap_or_default();
        if name.trim().is_empty()
            || name.chars().count() > LONGEST_NAME
            || name.contains(|c: char| c.is_control())
        {
            return Err(IssuerError::Name);
        }
        let discovery = format!("{}/.well-known/openid-configuration", url.trim_end_matches('/'));
        Ok(Self {
            url: url.to_owned(),
            discovery: Url::parse(&discovery).map_err(|_| IssuerError::Address)?,
            client: client.to_owned(),
            secret,
            name: name.to_owned(),
            http: fetch::client(parsed.scheme() == "http")?,
            known: Mutex::default(),
            places: Semaphore::new(AT_ONCE),
        })
    }

    /// What stands on the button.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// As it calls itself.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Where it sends browsers back to.
    pub fn callback(public_url: &str) -> String {
        format!("{public_url}/login/oidc/callback")
    }

    /// Who we are there.
    pub(super) fn client(&self) -> &str {
        &self.client
    }

    /// What it says of itself.
    pub(super) async fn metadata(&self, now: Timestamp) -> Result<Arc<Metadata>, Error> {
        let mut known = self.known.lock().await;
        if let Some((at, metadata)) = &known.metadata
            && now < at.plus(COUNTS_FOR)
        {
            return Ok(Arc::clone(metadata));
        }
        let fetched = known.fetch(now, async { self.fetch_metadata().await }).await;
        let metadata = Arc::new(fetched.map_err(|why| self.unusable(&why))?);
        known.metadata = Some((now, Arc::clone(&metadata)));
        Ok(metadata)
    }

    async fn fetch_metadata(&self) -> Result<Metadata, Unusable> {
        let found: Metadata = fetch::json("its metadata", self.http.get(self.discovery.clone())).await?;
        if found.issuer != self.url {
            return Err(Unusable::failed(
                "its metadata: it calls itself otherwise than --oidc-issuer does, to the letter",
            ));
        }
        let endpoints = [&found.authorization_endpoint, &found.token_endpoint, &found.jwks_uri];
        let plain = self.discovery.scheme() == "http";
        for Endpoint(url) in endpoints.into_iter().chain(&found.userinfo_endpoint) {
            if url.scheme() == "http" && !plain {
                return Err(Unusable::failed("its metadata: an endpoint is not https"));
            }
        }
        Ok(found)
    }

    /// The key with this id, or without one the only key of the algorithm. One that is not known may be new, so it is asked for.
    pub(super) async fn key(
        &self,
        id: Option<&str>,
        algorithm: Algorithm,
        now: Timestamp,
    ) -> Result<Option<DecodingKey>, Error> {
        let metadata = self.metadata(now).await?;
        let mut known = self.known.lock().await;
        if let Some((at, keys)) = &known.keys {
            let key = pick(keys, id, algorithm);
            let rests = now < at.plus(KEYS_REST);
            if rests || (key.is_some() && now < at.plus(COUNTS_FOR)) {
                return Ok(key);
            }
        }
        let call = self.http.get(metadata.jwks_uri.0.clone());
        let fetched = known.fetch(now, fetch::json::<KeySet>("its keys", call)).await;
        let keys = fetched.map_err(|why| self.unusable(&why))?.keys;
        let key = pick(&keys, id, algorithm);
        known.keys = Some((now, keys));
        Ok(key)
    }

    /// Exchanges a code, which works once.
    pub(super) async fn exchange(
        &self,
        metadata: &Metadata,
        code: &Secret,
        verifier: &Secret,
        redirect: &str,
    ) -> Result<Tokens, Error> {
        let form = vec![
            ("grant_type", "authorization_code"),
            ("code", code.reveal()),
            ("redirect_uri", redirect),
            ("code_verifier", verifier.reveal()),
        ];
        let call = self.http.post(metadata.token_endpoint.0.clone());
        let tokens = fetch::json("its token endpoint", self.as_client(metadata, call, form)).await;
        tokens.map_err(|why| match why {
            Unusable::Refused(why) => self.not_accepted(&why),
            failed @ Unusable::Failed(_) => self.unusable(&failed),
        })
    }

    /// The request with who we are: by HTTP Basic unless the issuer knows only the other way (RFC 6749, 2.3.1).
    fn as_client<'f>(
        &'f self,
        metadata: &Metadata,
        call: RequestBuilder,
        mut form: Vec<(&'f str, &'f str)>,
    ) -> RequestBuilder {
        let Some(secret) = &self.secret else {
            form.push(("client_id", &self.client));
            return call.form(&form);
        };
        let methods = metadata.token_endpoint_auth_methods_supported.as_deref();
        if methods.is_none_or(|all| all.iter().any(|one| one == "client_secret_basic")) {
            let encoded = |text| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
            return call
                .basic_auth(encoded(self.client.as_str()), Some(encoded(secret.reveal())))
                .form(&form);
        }
        form.extend([("client_id", self.client.as_str()), ("client_secret", secret.reveal())]);
        call.form(&form)
    }

    /// What the issuer says of an address where the ID token says nothing; none when it is not to be asked.
    pub(super) async fn mailbox(
        &self,
        metadata: &Metadata,
        tokens: &Tokens,
    ) -> Result<Option<Mailbox>, Error> {
        let (Some(url), Some(token)) = (&metadata.userinfo_endpoint, &tokens.access_token) else {
            return Ok(None);
        };
        let call = self.http.get(url.0.clone()).bearer_auth(token);
        let said = fetch::json("its userinfo endpoint", call).await;
        said.map(Some).map_err(|why| self.unusable(&why))
    }

    /// It can't be used now: that is told to the operator, and the person is asked to wait.
    fn unusable(&self, why: &Unusable) -> Error {
        let (Unusable::Refused(why) | Unusable::Failed(why)) = why;
        tracing::warn!(issuer = %self.url, why, "nobody can sign in with the OpenID Connect issuer");
        Error::new(
            Kind::Unavailable,
            format!("{} can't be used for signing in just now; try again in a moment.", self.name),
        )
    }

    /// What came back is not believed.
    pub(super) fn not_accepted(&self, why: &str) -> Error {
        tracing::warn!(issuer = %self.url, why, "what an OpenID Connect issuer answered is not accepted");
        Error::new(
            Kind::Unauthenticated,
            format!("What {} answered is not accepted, so nobody was signed in; try again.", self.name),
        )
    }
}

impl Known {
    /// Fetches, unless that has failed a moment ago.
    async fn fetch<T>(
        &mut self,
        now: Timestamp,
        fetched: impl Future<Output = Result<T, Unusable>>,
    ) -> Result<T, Unusable> {
        if self.failed_at.is_some_and(|at| now < at.plus(FAILURE_RESTS)) {
            return Err(Unusable::failed("it has failed a moment ago"));
        }
        let fetched = fetched.await;
        self.failed_at = fetched.is_err().then_some(now);
        fetched
    }
}

/// The one key of this algorithm with this id.
fn pick(keys: &[Value], id: Option<&str>, algorithm: Algorithm) -> Option<DecodingKey> {
    let named = keys.iter().filter(|key| id.is_none() || key.get("kid").and_then(Value::as_str) == id);
    let mut fit = named.filter_map(|value| {
        let jwk = Jwk::deserialize(value).ok()?;
        (algorithm_of(&jwk, value)? == algorithm).then_some(jwk)
    });
    let (Some(jwk), None) = (fit.next(), fit.next()) else { return None };
    DecodingKey::from_jwk(&jwk).ok()
}
