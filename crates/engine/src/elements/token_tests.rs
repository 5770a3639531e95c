//! Which tokens of front-ends are accepted, and why others are not.

use super::token::{MAX_TOKEN, Verifier};
use crate::Kind;
use askfirst_domain::Timestamp;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384, PKCS_ED25519, SignatureAlgorithm};
use serde_json::{Value, json};

/// A token that an RSA key of 2048 bits made for `henry`, until 2100; only the public half is here.
const RSA_N: &str = "tm260wzArF1ZwtHHGcPGWYOxhK2ZoEdDp0vcMjN_uYGEhWeYtZCxDazrZ1zCqiSZmpit8s_CX1rxVaq5vtnMJaeVF_xpDDln9dLT\
    wB8c8hanrTcWDesmJyHKjKiA1miW4rvwo30-emBQjxFxqHMJP3BM9nf7iNYPoi8CtLO9ak1FSRi94JQo0wvG1meBpSEQh3dHF8ee\
    _VdipLAuye8W2jNjMs4IlWwYV6CuFHC1GrWyU6fh27fXp9M6qzx_HoNzc9UAS8E1NJ2rBESyEok18DbUQensk04csaM2E7kzuf8N\
    n0WRzkh1xgvz3QVQafV_rk9_iiTChE4pAIdgxQiTiw";
const RSA_TOKEN: &str = "eyJhbGciOiJSUzI1NiIsImtpZCI6InJzYSJ9.eyJzdWIiOiJoZW5yeSIsImV4cCI6NDEwMjQ0NDgwMH0.itiW8H8NuLAczXXRDvV\
    COpOI3LrLmiFlSkpZ8ID9LSTUX2y8M32FYku7yZcAOyljhIHjWPOLKN_Zs-5IWKCtqODSaZ0t4j_MIXd4Zb2x4aG2uOVbONy1t_y\
    Pcg8qqeapVmMP5vnOe-H8zzN7yuOPSLEulsHL5KpjmDf8AkPwMFNf1jxvvIN7UwMo8WHZhfKnokOfxpjD8kmNAXJtuAYQ91pzJn7\
    roAvi0mvvVzgqjwQftRV-5d51Gous6Z7RImeIpF6n2uABMCcfrGbDpB5Q-5nMsls4hbJjceegpD_Lo-WdOiED_SBhjGDpzl7cyhZ\
    HW87feAL1DZOdwcgF1OLgkQ";
/// The same by a key of 1024 bits.
const WEAK_N: &str = "1R-BArmx3JW3G4482DUE1_WwilGj-OHQ_owo7l6UO2adZguiWF_uY5JkpPQFPQv2xrzyw0337obtPE0vsO7RqAnETXaDP2OdfMvv\
    d8CF5m4qSnoZF1IaP6rEdeRLJjHGeIW2J3A3WR4g69AmdAygdAI2HHuSgh1EShL2t79XeC0";
const WEAK_TOKEN: &str = "eyJhbGciOiJSUzI1NiIsImtpZCI6IndlYWsifQ.eyJzdWIiOiJoZW5yeSIsImV4cCI6NDEwMjQ0NDgwMH0.INlqAFLLaOCLeiz6u\
    fuYakpXjuaIRZZM29EntcMLKVMeAdRpPtGvPFdY4rUC5n6YopdioqX9TMHcKO8pZoEZxbwcihGPqrIQu-cm2o9UFxcPAOUnwZ8cI\
    k6Qq1HWN17dBCTU9h-pzuH0r2l0jtLFUzPdeGci-ILxHs7X-1MSXSY";

/// 2026-09-21, in seconds.
const NOW: i64 = 1_790_000_000;

struct Signer {
    key: KeyPair,
    algorithm: Algorithm,
}

impl Signer {
    fn new(kind: &'static SignatureAlgorithm, algorithm: Algorithm) -> Self {
        Self { key: KeyPair::generate_for(kind).unwrap(), algorithm }
    }

    fn es256() -> Self {
        Self::new(&PKCS_ECDSA_P256_SHA256, Algorithm::ES256)
    }

    fn encoding(&self) -> EncodingKey {
        let der = self.key.serialize_der();
        match self.algorithm {
            Algorithm::EdDSA => EncodingKey::from_ed_der(&der),
            _ => EncodingKey::from_ec_der(&der),
        }
    }

    fn token(&self, claims: &Value) -> String {
        let header = Header { kid: Some("k".to_owned()), ..Header::new(self.algorithm) };
        encode(&header, claims, &self.encoding()).unwrap()
    }

    /// The public half, as it stands in a key set under the id `k`.
    fn jwk(&self) -> Value {
        let raw = self.key.public_key_raw();
        if self.algorithm == Algorithm::EdDSA {
            return json!({"kty": "OKP", "crv": "Ed25519", "kid": "k", "x": URL_SAFE_NO_PAD.encode(raw)});
        }
        let (curve, size) = if raw.len() == 65 { ("P-256", 32) } else { ("P-384", 48) };
        let (x, y) = raw[1..].split_at(size);
        json!({
            "kty": "EC", "crv": curve, "kid": "k",
            "x": URL_SAFE_NO_PAD.encode(x), "y": URL_SAFE_NO_PAD.encode(y),
        })
    }
}

fn set(keys: &[Value]) -> Value {
    json!({"jwks": {"keys": keys}})
}

fn claims() -> Value {
    json!({"sub": "henry", "exp": NOW + 60})
}

fn verify(settings: &Value, token: &str) -> Result<String, String> {
    let verifier = Verifier::new(Some(settings)).unwrap();
    let vouched = verifier.verify(token, None, Timestamp::from_micros(NOW * 1_000_000));
    vouched.map(|vouched| vouched.user.to_string()).map_err(|error| {
        assert_eq!(error.kind(), Kind::Unauthenticated, "{error}");
        let why = error.message().strip_prefix("The token in `user_jwt` is not accepted: ").unwrap();
        why.to_owned()
    })
}

fn refused(settings: &Value, token: &str, why: &str) {
    assert_eq!(verify(settings, token).unwrap_err(), why);
}

#[test]
fn three_algorithms_are_known() {
    for signer in [Signer::es256(), Signer::new(&PKCS_ED25519, Algorithm::EdDSA)] {
        assert_eq!(verify(&set(&[signer.jwk()]), &signer.token(&claims())).unwrap(), "henry");
    }
    let rsa = json!({"kty": "RSA", "kid": "rsa", "use": "sig", "alg": "RS256", "n": RSA_N, "e": "AQAB"});
    assert_eq!(verify(&set(&[rsa]), RSA_TOKEN).unwrap(), "henry");
    let weak = json!({"kty": "RSA", "kid": "weak", "n": WEAK_N, "e": "AQAB"});
    refused(&set(&[weak]), WEAK_TOKEN, "its key is not among those of this environment.");
    let p384 = Signer::new(&PKCS_ECDSA_P384_SHA384, Algorithm::ES384);
    let token = p384.token(&claims());
    refused(&set(&[p384.jwk()]), &token, "its key is not among those of this environment.");
}

#[test]
fn a_signature_by_another_key_or_over_something_else_is_not_good() {
    let (signer, other) = (Signer::es256(), Signer::es256());
    let settings = set(&[signer.jwk()]);
    refused(&settings, &other.token(&claims()), "its signature is not good.");
    let token = signer.token(&claims());
    let mut parts: Vec<&str> = token.split('.').collect();
    let forged = URL_SAFE_NO_PAD.encode(json!({"sub": "joe", "exp": NOW + 60}).to_string());
    parts[1] = &forged;
    refused(&settings, &parts.join("."), "its signature is not good.");
}

#[test]
fn the_algorithm_is_the_keys_and_not_the_headers() {
    let signer = Signer::es256();
    let settings = set(&[signer.jwk()]);
    // The public key as the secret of a MAC: the classic confusion.
    let secret = EncodingKey::from_secret(signer.key.public_key_raw());
    let header = Header { kid: Some("k".to_owned()), ..Header::new(Algorithm::HS256) };
    let confused = encode(&header, &claims(), &secret).unwrap();
    refused(&settings, &confused, "its algorithm is not that of the key.");

    let unsigned = |alg: &str| {
        let header = URL_SAFE_NO_PAD.encode(json!({"alg": alg, "kid": "k"}).to_string());
        format!("{header}.{}.", URL_SAFE_NO_PAD.encode(claims().to_string()))
    };
    refused(&settings, &unsigned("none"), "it can't be read.");
    refused(&settings, &unsigned("ES256"), "its signature is not good.");
    let secret = json!({"kty": "oct", "kid": "k", "k": "c2VjcmV0"});
    let by_secret = encode(&header, &claims(), &EncodingKey::from_secret(b"secret")).unwrap();
    refused(&set(&[secret]), &by_secret, "its key is not among those of this environment.");
}

#[test]
fn the_key_is_the_one_that_the_token_names() {
    let (signer, other) = (Signer::es256(), Signer::es256());
    let token = signer.token(&claims());
    let renamed = |id: &str| {
        let mut jwk = signer.jwk();
        jwk["kid"] = json!(id);
        jwk
    };
    refused(&set(&[renamed("another")]), &token, "its key is not among those of this environment.");
    refused(&set(&[signer.jwk(), other.jwk()]), &token, "its key is not among those of this environment.");
    let strange = json!({"kty": "???", "kid": "strange"});
    assert_eq!(verify(&set(&[strange, renamed("x"), signer.jwk()]), &token).unwrap(), "henry");

    let header = Header::new(Algorithm::ES256);
    let nameless = encode(&header, &claims(), &signer.encoding()).unwrap();
    refused(&set(&[signer.jwk()]), &nameless, "its header names no key (`kid`).");
    let header = Header { kid: Some("k".to_owned()), crit: Some(vec!["b64".to_owned()]), ..header };
    let critical = encode(&header, &claims(), &signer.encoding()).unwrap();
    refused(&set(&[signer.jwk()]), &critical, "its header demands what is not known here.");
}

#[test]
fn a_key_that_is_for_something_else_does_not_count() {
    let signer = Signer::es256();
    let token = signer.token(&claims());
    for (member, value) in [("use", "enc"), ("alg", "ES384"), ("alg", "RS256")] {
        let mut jwk = signer.jwk();
        jwk[member] = json!(value);
        refused(&set(&[jwk]), &token, "its key is not among those of this environment.");
    }
}

#[test]
fn a_token_counts_from_its_beginning_to_its_end() {
    let signer = Signer::es256();
    let settings = set(&[signer.jwk()]);
    let cases = [
        (json!({"sub": "henry"}), "it never ends (`exp` is missing)."),
        (json!({"sub": "henry", "exp": NOW}), "it has ended."),
        (json!({"sub": "henry", "exp": "tomorrow"}), "its `exp` is no number."),
        (json!({"sub": "henry", "exp": NOW + 600, "nbf": NOW + 61}), "it counts only later."),
        (json!({"sub": "henry", "exp": NOW + 600, "iat": NOW + 61}), "it counts only later."),
        (json!({"exp": NOW + 600}), "it has no claim `sub` that is a text."),
        (json!({"sub": 7, "exp": NOW + 600}), "it has no claim `sub` that is a text."),
        (json!({"sub": "not a key!", "exp": NOW + 600}), "its claim `sub` is no user key."),
    ];
    for (claims, why) in cases {
        refused(&settings, &signer.token(&claims), why);
    }
    let soon = json!({"sub": "henry", "exp": NOW + 1, "nbf": NOW + 60, "iat": NOW});
    assert_eq!(verify(&settings, &signer.token(&soon)).unwrap(), "henry");
    let forever = json!({"sub": "henry", "exp": i64::MAX});
    assert_eq!(verify(&settings, &signer.token(&forever)).unwrap(), "henry");
    refused(&settings, &"x".repeat(MAX_TOKEN + 1), "it is too long.");
    refused(&settings, "a.b", "it can't be read.");
}

#[test]
fn an_issuer_and_an_audience_count_where_they_are_set() {
    let signer = Signer::es256();
    let mut settings = set(&[signer.jwk()]);
    settings["issuer"] = json!("https://id.example");
    settings["audience"] = json!("elements");
    let token = |issuer: Value, audience: Value| {
        signer.token(&json!({"sub": "henry", "exp": NOW + 60, "iss": issuer, "aud": audience}))
    };
    let right = json!("https://id.example");
    assert_eq!(verify(&settings, &token(right.clone(), json!("elements"))).unwrap(), "henry");
    assert_eq!(verify(&settings, &token(right.clone(), json!(["x", "elements"]))).unwrap(), "henry");
    let somebody_else = "somebody else made it than the environment's `issuer`.";
    refused(&settings, &token(json!("https://evil.example"), json!("elements")), somebody_else);
    let not_for_us = "it is for somebody else than the environment's `audience`.";
    refused(&settings, &token(right.clone(), json!("x")), not_for_us);
    refused(&settings, &token(right, Value::Null), not_for_us);
}

#[test]
fn the_claim_is_chosen_by_the_settings_alone() {
    let signer = Signer::es256();
    let token = signer.token(&json!({"sub": "henry", "nickname": "joe", "exp": NOW + 60}));
    let now = Timestamp::from_micros(NOW * 1_000_000);
    let mut settings = set(&[signer.jwk()]);
    let verifier = Verifier::new(Some(&settings)).unwrap();
    assert_eq!(verifier.verify(&token, Some("nickname"), now).unwrap_err().kind(), Kind::Invalid);
    assert_eq!(verifier.verify(&token, Some("sub"), now).unwrap().user.as_str(), "henry");
    settings["user_key_claim"] = json!("nickname");
    let verifier = Verifier::new(Some(&settings)).unwrap();
    assert_eq!(verifier.verify(&token, None, now).unwrap().user.as_str(), "joe");
    assert_eq!(verifier.verify(&token, Some("sub"), now).unwrap_err().kind(), Kind::Invalid);
}

#[test]
fn without_keys_nobody_logs_in() {
    for settings in [
        json!({}),
        json!({"ttl": 60}),
        json!({"url": "https://id.example/jwks.json"}),
        json!({"jwks": {"keys": []}}),
        json!("keys"),
    ] {
        assert_eq!(Verifier::new(Some(&settings)).unwrap_err().kind(), Kind::Jwks, "{settings}");
    }
    assert_eq!(Verifier::new(None).unwrap_err().kind(), Kind::Jwks);
}
