//! The keys with which tokens are signed: Ed25519, one for each process and day. The private half never leaves the process;
//! the public half is kept in the store as long as a token of it may count, so that every process on the database, and a
//! later one, believes it.

use crate::{
    Engine,
    error::{Error, Kind, Result},
};
use arc_swap::{ArcSwap, ArcSwapOption};
use askfirst_domain::{
    Timestamp,
    audit::{Jwk, PublicKey, SigningKey},
};
use jsonwebtoken::{
    Algorithm, DecodingKey, EncodingKey, Header, Validation, crypto, decode, decode_header, encode,
};
use serde::Serialize;
use serde_json::{Map, Value};
use std::{collections::HashMap, fmt, sync::Arc, time::Duration};
use tokio::sync::Mutex;

/// How long a key signs.
const SIGNS: Duration = Duration::from_hours(24);
/// How long its public half is kept after that: longer than any token lasts.
const KEPT: Duration = Duration::from_hours(24 * 32);
/// What stands before the 32 bytes of an Ed25519 key in PKCS #8 (RFC 8410).
const PKCS8: [u8; 16] =
    [0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];
/// The longest token that is looked at, in bytes.
const MAX_TOKEN: usize = 256 * 1024;

/// What a token is for: its `typ`. One for one purpose is never taken for another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Binds a denial to what was denied.
    Binding,
    /// States an approval.
    Approval,
}

impl Purpose {
    fn typ(self) -> &'static str {
        match self {
            Self::Binding => "access-request-binding+jwt",
            Self::Approval => "access-approval+jwt",
        }
    }
}

/// The keys of a process.
#[derive(Debug, Default)]
pub(crate) struct TokenKeys {
    current: ArcSwapOption<Signer>,
    making: Mutex<()>,
    known: ArcSwap<HashMap<String, PublicKey>>,
}

/// A key that signs.
pub(super) struct Signer {
    key: EncodingKey,
    public: PublicKey,
    signs_until: Timestamp,
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signer({})", self.public.id())
    }
}

/// A public key, as clients that hold tokens against it read it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TokenKey {
    #[serde(flatten)]
    pub jwk: Jwk,
    pub r#use: &'static str,
}

impl Signer {
    pub(super) fn id(&self) -> String {
        self.public.id().to_string()
    }

    /// A JWS in the compact form.
    pub(super) fn token(&self, purpose: Purpose, claims: &Map<String, Value>) -> Result<String> {
        let mut header = Header::new(Algorithm::EdDSA);
        header.kid = Some(self.id());
        header.typ = Some(purpose.typ().to_owned());
        encode(&header, claims, &self.key).map_err(|error| unsigned(&error))
    }

    /// A bare signature, in base64url.
    pub(super) fn sign(&self, message: &[u8]) -> Result<String> {
        crypto::sign(message, &self.key, Algorithm::EdDSA).map_err(|error| unsigned(&error))
    }
}

fn unsigned(error: &jsonwebtoken::errors::Error) -> Error {
    tracing::error!(?error, "a token could not be signed");
    Error::new(Kind::Internal, "A token could not be signed; look at the server's log.")
}

impl Engine {
    /// The public keys whose tokens may count. Open to everybody.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn token_keys(&self) -> Result<Vec<TokenKey>> {
        self.signer().await?;
        let keys = self.store().token_keys(self.now()).await?;
        Ok(keys.iter().map(|key| TokenKey { jwk: key.jwk(), r#use: "sig" }).collect())
    }

    /// The key that signs now. A new one is known to the store before it signs anything.
    pub(super) async fn signer(&self) -> Result<Arc<Signer>> {
        let keys = &self.0.tokens;
        let good = |now| keys.current.load_full().filter(|signer| signer.signs_until > now);
        let now = self.now();
        if let Some(signer) = good(now) {
            return Ok(signer);
        }
        let _alone = keys.making.lock().await;
        if let Some(signer) = good(now) {
            return Ok(signer);
        }
        let mut seed = [0_u8; 32];
        self.entropy().fill(&mut seed)?;
        let public = SigningKey::from_seed(&seed).public();
        let key = EncodingKey::from_ed_der(&[PKCS8.as_slice(), &seed].concat());
        let signs_until = now.plus(SIGNS);
        self.store().put_token_key(&public, signs_until.plus(KEPT)).await?;
        let signer = Arc::new(Signer { key, public, signs_until });
        self.know([public]);
        keys.current.store(Some(Arc::clone(&signer)));
        Ok(signer)
    }

    fn know(&self, keys: impl IntoIterator<Item = PublicKey>) {
        let keys: Vec<_> = keys.into_iter().map(|key| (key.id().to_string(), key)).collect();
        self.0.tokens.known.rcu(|known| {
            let mut known = HashMap::clone(known);
            known.extend(keys.iter().cloned());
            known
        });
    }

    /// The key with this name. One that is not known here may be another process's.
    async fn token_key(&self, id: &str) -> Result<Option<DecodingKey>> {
        let known = || self.0.tokens.known.load().get(id).copied();
        if known().is_none() {
            self.know(self.store().token_keys(self.now()).await?);
        }
        Ok(known().and_then(|key| DecodingKey::from_ed_components(&key.jwk().x).ok()))
    }

    /// The claims of a token that one of our keys signed for this purpose, for us; none for any other. Times are for the
    /// caller to look at.
    pub(super) async fn claims(&self, purpose: Purpose, token: &str) -> Result<Option<Map<String, Value>>> {
        if token.len() > MAX_TOKEN {
            return Ok(None);
        }
        let Ok(header) = decode_header(token) else { return Ok(None) };
        let named = header.crit.is_none()
            && header.alg == Algorithm::EdDSA
            && header.typ.as_deref() == Some(purpose.typ());
        let Some(id) = header.kid.filter(|_| named) else { return Ok(None) };
        let Some(key) = self.token_key(&id).await? else { return Ok(None) };
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.required_spec_claims.clear();
        validation.validate_exp = false;
        validation.validate_nbf = false;
        validation.validate_aud = false;
        let claims = decode::<Map<String, Value>>(token, &key, &validation).ok().map(|token| token.claims);
        let ours = Value::String(self.settings().public_url.clone());
        Ok(claims.filter(|claims| claims.get("iss") == Some(&ours) && claims.get("aud") == Some(&ours)))
    }

    /// Whether one of our keys made a bare signature.
    pub(super) async fn signed(&self, id: &str, message: &[u8], signature: &str) -> Result<bool> {
        let Some(key) = self.token_key(id).await? else { return Ok(false) };
        Ok(crypto::verify(signature, message, &key, Algorithm::EdDSA).unwrap_or(false))
    }
}
