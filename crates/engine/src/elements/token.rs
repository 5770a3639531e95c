//! Tokens of an environment's front-end: JSON Web Tokens, held against the keys that the environment's settings list.
//!
//! The algorithm is that of the key, never that of the token's header; keys are told apart by their id; a token that never
//! ends is refused; nothing is fetched.

use crate::{
    error::{Error, Kind, Result},
    jwk::algorithm_of,
};
use askfirst_domain::{Timestamp, UserKey};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header, jwk::Jwk};
use serde::Deserialize;
use serde_json::{Map, Value};

/// The longest token, in bytes.
pub const MAX_TOKEN: usize = 16 * 1024;
/// How far ahead of ours the clock may be that a token's beginning was read from, in seconds.
const SKEW: i64 = 60;
/// The claim that holds a user's key when the settings name none.
const SUBJECT: &str = "sub";

/// `JwksConfig`, with three members of ours.
#[derive(Debug, Default, Deserialize)]
struct Config {
    jwks: Option<Keys>,
    /// The claim that holds the user's key.
    user_key_claim: Option<String>,
    /// Who has to have made a token.
    issuer: Option<String>,
    /// For whom a token has to be.
    audience: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
struct Keys {
    /// Each is read by itself: one of a kind that we do not know must not hide the others.
    keys: Vec<Value>,
}

/// What a token of an environment's front-end is held against.
#[derive(Debug)]
pub(super) struct Verifier {
    config: Config,
}

/// What a good token says.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Vouched {
    pub(super) user: UserKey,
    pub(super) until: Timestamp,
}

impl Verifier {
    /// From the `jwks` of an environment.
    ///
    /// # Errors
    /// [`Kind::Jwks`] when there are no keys in it.
    pub(super) fn new(settings: Option<&Value>) -> Result<Self> {
        let config: Config =
            settings.and_then(|settings| Config::deserialize(settings).ok()).unwrap_or_default();
        if config.jwks.as_ref().is_none_or(|jwks| jwks.keys.is_empty()) {
            return Err(Error::new(
                Kind::Jwks,
                "This environment has no keys for front-end logins; put a key set into its `jwks.jwks` (nothing is \
                 fetched from a `url`).",
            ));
        }
        Ok(Self { config })
    }

    /// Whom a token vouches for. `claim` is the one that the caller expects the user's key in: it has to be the one of the
    /// settings, since whoever may choose the claim may choose whom they are.
    ///
    /// # Errors
    /// [`Kind::Unauthenticated`], with what is wrong with the token; [`Kind::Invalid`] for another claim.
    pub(super) fn verify(&self, token: &str, claim: Option<&str>, now: Timestamp) -> Result<Vouched> {
        let own = self.config.user_key_claim.as_deref().unwrap_or(SUBJECT);
        if claim.is_some_and(|claim| claim != own) {
            return Err(Error::invalid(format!(
                "The user's key is in the claim `{own}` of this environment's tokens; another one is named by \
                 `user_key_claim` in the environment's `jwks`."
            )));
        }
        let claims = self.claims(token)?;
        let until = self.check(&claims, now)?;
        let user = claims.get(own).and_then(Value::as_str);
        let user = user.ok_or_else(|| bad(&format!("it has no claim `{own}` that is a text")))?;
        let user = user.parse().map_err(|_| bad(&format!("its claim `{own}` is no user key")))?;
        Ok(Vouched { user, until })
    }

    /// The claims of a token with a good signature.
    fn claims(&self, token: &str) -> Result<Map<String, Value>> {
        if token.len() > MAX_TOKEN {
            return Err(bad("it is too long"));
        }
        let header = decode_header(token).map_err(|_| bad("it can't be read"))?;
        if header.crit.is_some() {
            return Err(bad("its header demands what is not known here"));
        }
        let id = header.kid.as_deref().ok_or_else(|| bad("its header names no key (`kid`)"))?;
        let (key, algorithm) = self.key(id)?;
        if header.alg != algorithm {
            return Err(bad("its algorithm is not that of the key"));
        }
        let mut validation = Validation::new(algorithm);
        // Time, issuer and audience are looked at below, by our own clock.
        validation.required_spec_claims.clear();
        validation.validate_exp = false;
        validation.validate_nbf = false;
        validation.validate_aud = false;
        let decoded = decode::<Map<String, Value>>(token, &key, &validation);
        Ok(decoded.map_err(|_| bad("its signature is not good"))?.claims)
    }

    /// The one key with this id, and the algorithm that it is for.
    fn key(&self, id: &str) -> Result<(DecodingKey, Algorithm)> {
        let unknown = || bad("its key is not among those of this environment");
        let keys = self.config.jwks.iter().flat_map(|jwks| &jwks.keys);
        let mut named = keys.filter(|key| key.get("kid").and_then(Value::as_str) == Some(id));
        let (Some(value), None) = (named.next(), named.next()) else { return Err(unknown()) };
        let jwk = Jwk::deserialize(value).map_err(|_| unknown())?;
        let algorithm = algorithm_of(&jwk, value).ok_or_else(unknown)?;
        Ok((DecodingKey::from_jwk(&jwk).map_err(|_| unknown())?, algorithm))
    }

    /// When the token ends, if it counts now and here.
    fn check(&self, claims: &Map<String, Value>, now: Timestamp) -> Result<Timestamp> {
        let until = seconds(claims, "exp")?.ok_or_else(|| bad("it never ends (`exp` is missing)"))?;
        if until <= now {
            return Err(bad("it has ended"));
        }
        let soon = Timestamp::from_micros(now.micros().saturating_add(SKEW * 1_000_000));
        for begins in ["nbf", "iat"] {
            if seconds(claims, begins)?.is_some_and(|at| at > soon) {
                return Err(bad("it counts only later"));
            }
        }
        if let Some(issuer) = &self.config.issuer
            && claims.get("iss").and_then(Value::as_str) != Some(issuer)
        {
            return Err(bad("somebody else made it than the environment's `issuer`"));
        }
        if let Some(audience) = &self.config.audience
            && !is_for(claims.get("aud"), audience)
        {
            return Err(bad("it is for somebody else than the environment's `audience`"));
        }
        Ok(until)
    }
}

/// A moment among the claims, which is a number of seconds.
fn seconds(claims: &Map<String, Value>, name: &str) -> Result<Option<Timestamp>> {
    let Some(value) = claims.get(name) else { return Ok(None) };
    #[expect(
        clippy::cast_possible_truncation,
        reason = "casts of floats saturate, and fractions of a second are nothing"
    )]
    let whole = value.as_i64().or_else(|| value.as_f64().map(|seconds| seconds as i64));
    let whole = whole.ok_or_else(|| bad(&format!("its `{name}` is no number")))?;
    Ok(Some(Timestamp::from_micros(whole.saturating_mul(1_000_000))))
}

fn is_for(claim: Option<&Value>, audience: &str) -> bool {
    match claim {
        Some(Value::String(one)) => one == audience,
        Some(Value::Array(many)) => many.iter().any(|one| one.as_str() == Some(audience)),
        _ => false,
    }
}

fn bad(why: &str) -> Error {
    Error::new(Kind::Unauthenticated, format!("The token in `user_jwt` is not accepted: {why}."))
}
