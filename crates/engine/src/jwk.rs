//! What a public key of somebody else is for.

use jsonwebtoken::{
    Algorithm,
    jwk::{AlgorithmParameters, EllipticCurve, Jwk, PublicKeyUse},
};
use serde_json::Value;

/// The fewest bytes of an RSA key's modulus: 2048 bits.
const RSA_BYTES: usize = 256;

/// The algorithm that a key is for. None for a key that is not for signatures, is too weak, or says something else.
pub(crate) fn algorithm_of(jwk: &Jwk, value: &Value) -> Option<Algorithm> {
    let by_shape = match &jwk.algorithm {
        AlgorithmParameters::EllipticCurve(key) if key.curve == EllipticCurve::P256 => Algorithm::ES256,
        AlgorithmParameters::OctetKeyPair(key) if key.curve == EllipticCurve::Ed25519 => Algorithm::EdDSA,
        AlgorithmParameters::RSA(key) if modulus_bytes(&key.n) >= RSA_BYTES => Algorithm::RS256,
        _ => return None,
    };
    let name = match by_shape {
        Algorithm::ES256 => "ES256",
        Algorithm::EdDSA => "EdDSA",
        _ => "RS256",
    };
    let fits = value.get("alg").is_none_or(|alg| alg.as_str() == Some(name));
    let signs = jwk.common.public_key_use.as_ref().is_none_or(|purpose| *purpose == PublicKeyUse::Signature);
    (fits && signs).then_some(by_shape)
}

/// The length of an unpadded base64url number without its leading zeros.
fn modulus_bytes(text: &str) -> usize {
    use base64::Engine as _;
    let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(text).unwrap_or_default();
    bytes.iter().skip_while(|byte| **byte == 0).count()
}
