//! What an ID token has to be (OpenID Connect Core 1.0, 3.1.3.7).

use super::{flow::same, issuer::Issuer};
use crate::{
    Secret,
    error::{Error, Result},
};
use askfirst_domain::Timestamp;
use jsonwebtoken::{Algorithm, Validation, decode, decode_header};
use serde_json::{Map, Value};

/// The longest ID token, in bytes.
const MOST: usize = 64 * 1024;
/// How far the issuer's clock and ours may be apart, in seconds.
const SKEW: i64 = 60;
/// The longest `sub`, in bytes (OpenID Connect Core 1.0, 2).
const LONGEST_SUBJECT: usize = 255;
/// What a token may be signed with: one key signs, another, public one is held against it.
const ALGORITHMS: [Algorithm; 3] = [Algorithm::RS256, Algorithm::ES256, Algorithm::EdDSA];

/// The claims of a good ID token.
pub(super) type Claims = Map<String, Value>;

impl Issuer {
    /// The claims and the subject of an ID token that this issuer made for us, now, and for the sign-in with this nonce.
    pub(super) async fn believed(
        &self,
        token: &str,
        nonce: &Secret,
        now: Timestamp,
    ) -> Result<(Claims, String)> {
        let claims = self.signed(token, now).await?;
        let subject = check(&claims, self.url(), self.client(), nonce, now);
        let subject = subject.map_err(|why| self.not_accepted(why))?.to_owned();
        Ok((claims, subject))
    }

    /// The claims of a token that this issuer's key signed.
    async fn signed(&self, token: &str, now: Timestamp) -> Result<Claims> {
        let bad = |why: &str| -> Error { self.not_accepted(why) };
        if token.len() > MOST {
            return Err(bad("the ID token is too long"));
        }
        let header = decode_header(token)
            .map_err(|_| bad("the ID token can't be read, or is signed in a way that is not known here"))?;
        if !ALGORITHMS.contains(&header.alg) {
            return Err(bad("the ID token is signed with an algorithm that is not accepted"));
        }
        if header.crit.is_some() {
            return Err(bad("the header of the ID token demands what is not known here"));
        }
        if header.typ.is_some_and(|typ| !typ.eq_ignore_ascii_case("JWT")) {
            return Err(bad("the token is of another type than an ID token"));
        }
        let key = self.key(header.kid.as_deref(), header.alg, now).await?;
        let key = key.ok_or_else(|| bad("the key of the ID token is not among those of the issuer"))?;
        let mut validation = Validation::new(header.alg);
        // Time, issuer and audience are looked at below, by our own clock.
        validation.required_spec_claims.clear();
        validation.validate_exp = false;
        validation.validate_nbf = false;
        validation.validate_aud = false;
        let decoded = decode::<Claims>(token, &key, &validation);
        Ok(decoded.map_err(|_| bad("the signature of the ID token is not good"))?.claims)
    }
}

/// The subject, if the claims are of this issuer, for this client and this sign-in, and count now.
fn check<'c>(
    claims: &'c Claims,
    issuer: &str,
    client: &str,
    nonce: &Secret,
    now: Timestamp,
) -> Result<&'c str, &'static str> {
    let text = |name: &str| claims.get(name).and_then(Value::as_str);
    if text("iss") != Some(issuer) {
        return Err("somebody else made the ID token than the issuer");
    }
    let audience: Vec<_> = match claims.get("aud") {
        Some(Value::String(one)) => vec![one.as_str()],
        Some(Value::Array(many)) => many.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    if !audience.contains(&client) {
        return Err("the ID token is for somebody else");
    }
    let bearer = claims.get("azp");
    if bearer.is_some_and(|azp| azp.as_str() != Some(client)) || (bearer.is_none() && audience.len() > 1) {
        return Err("the ID token was given to somebody else (`azp`)");
    }
    let now = now.micros().div_euclid(1_000_000);
    let seconds = |name: &str| {
        let value = claims.get(name)?;
        #[expect(
            clippy::cast_possible_truncation,
            reason = "casts of floats saturate, and fractions of a second are nothing"
        )]
        value.as_i64().or_else(|| value.as_f64().map(|seconds| seconds as i64))
    };
    let until = seconds("exp").ok_or("the ID token never ends")?;
    if until.saturating_add(SKEW) <= now {
        return Err("the ID token has ended");
    }
    let made = seconds("iat").ok_or("the ID token does not say when it was made")?;
    let begins =
        if claims.contains_key("nbf") { seconds("nbf").ok_or("its `nbf` is no number")? } else { made };
    if made.max(begins) > now.saturating_add(SKEW) {
        return Err("the ID token was made in the future");
    }
    if !text("nonce").is_some_and(|given| same(given, nonce)) {
        return Err("the ID token is of another sign-in (`nonce`)");
    }
    let subject = text("sub").filter(|subject| !subject.is_empty() && subject.len() <= LONGEST_SUBJECT);
    subject
        .filter(|subject| !subject.contains(|c: char| c.is_control()))
        .ok_or("the ID token does not say who it is (`sub`)")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const NOW: i64 = 1_790_000_000;

    fn checked(change: impl FnOnce(&mut Value)) -> Result<String, &'static str> {
        let mut claims = json!({
            "iss": "https://id.example", "aud": "us", "sub": "1", "nonce": "n", "iat": NOW, "exp": NOW + 300,
        });
        change(&mut claims);
        let Value::Object(claims) = claims else { unreachable!() };
        let now = Timestamp::from_micros(NOW * 1_000_000);
        let nonce = Secret::presented("n");
        check(&claims, "https://id.example", "us", &nonce, now).map(str::to_owned)
    }

    #[test]
    fn claims_are_of_the_issuer_for_us_and_now() {
        let long = "x".repeat(256);
        for (name, value) in [
            ("iss", json!("https://id.example/")),
            ("iss", json!(["https://id.example"])),
            ("aud", json!("them")),
            ("aud", json!([])),
            ("aud", json!(["us", "them"])),
            ("aud", json!({"us": true})),
            ("azp", json!("them")),
            ("azp", json!(null)),
            ("exp", json!(NOW - 60)),
            ("exp", json!("never")),
            ("iat", json!(NOW + 61)),
            ("iat", json!(null)),
            ("nbf", json!(NOW + 61)),
            ("nbf", json!("soon")),
            ("nonce", json!("m")),
            ("nonce", json!("")),
            ("nonce", json!(1)),
            ("sub", json!("")),
            ("sub", json!(1)),
            ("sub", json!("a\u{0}b")),
            ("sub", json!(long)),
        ] {
            assert!(checked(|claims| claims[name] = value.clone()).is_err(), "{name}: {value}");
        }
        for name in ["iss", "aud", "exp", "iat", "nonce", "sub"] {
            let missing = checked(|claims| drop(claims.as_object_mut().unwrap().remove(name)));
            assert!(missing.is_err(), "{name}");
        }
    }

    #[test]
    fn clocks_may_be_a_minute_apart() {
        for (name, value) in [
            ("exp", json!(NOW - 59)),
            ("iat", json!(NOW + 60)),
            ("iat", json!(1_790_000_000.5)),
            ("nbf", json!(NOW + 60)),
            ("azp", json!("us")),
            ("aud", json!(["us"])),
        ] {
            assert_eq!(checked(|claims| claims[name] = value.clone()).as_deref(), Ok("1"), "{name}: {value}");
        }
        let both = checked(|claims| {
            claims["aud"] = json!(["us", "them"]);
            claims["azp"] = json!("us");
        });
        assert_eq!(both.as_deref(), Ok("1"));
    }
}
