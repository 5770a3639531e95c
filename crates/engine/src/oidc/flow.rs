//! One sign-in on its way: what the browser keeps while it is at the issuer.

use crate::{
    Secret,
    context::{Entropy, EntropyError},
    passwords::Place,
};
use askfirst_domain::Timestamp;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest as _, Sha256};
use std::time::Duration;
use subtle::ConstantTimeEq as _;

/// How long somebody may take at the issuer.
pub const FLOW_LASTS: Duration = Duration::from_mins(10);
/// The longest name of an environment that is remembered, in bytes.
const LONGEST_PLACE: usize = 200;
/// The longest flow that is read, in bytes.
const MOST: usize = 1024;

/// A sign-in that has begun.
#[derive(Debug)]
pub struct Begun {
    /// Where the browser goes. It holds what the flow is known by, so it is shown to that browser alone.
    pub url: Secret,
    /// What the browser keeps meanwhile, for [`FLOW_LASTS`] at most.
    pub flow: Secret,
}

/// What a browser brings back from the issuer.
#[derive(Debug)]
pub struct Answer {
    /// What it has kept.
    pub flow: Option<Secret>,
    pub state: Option<Secret>,
    pub code: Option<Secret>,
    /// Who answers (RFC 9207).
    pub issuer: Option<String>,
    /// Whether the issuer says that there is no code.
    pub refused: bool,
}

/// What was made for one sign-in: each part has 256 random bits.
#[derive(Debug)]
pub(super) struct Flow {
    /// Comes back with the code: the answer is to what this browser asked.
    pub(super) state: Secret,
    /// Comes back in the ID token: it was made for this sign-in.
    pub(super) nonce: Secret,
    /// Goes with the code: whoever else has seen the code can't use it (RFC 7636).
    pub(super) verifier: Secret,
    pub(super) began_at: Timestamp,
    /// None: the only environment that there is.
    pub(super) place: Option<Place>,
}

impl Flow {
    pub(super) fn begin(
        now: Timestamp,
        place: Option<Place>,
        entropy: &dyn Entropy,
    ) -> Result<Self, EntropyError> {
        Ok(Self {
            state: Secret::make("", entropy)?,
            nonce: Secret::make("", entropy)?,
            verifier: Secret::make("", entropy)?,
            began_at: now,
            place: place.filter(|place| place.project.len() + place.env.len() < LONGEST_PLACE),
        })
    }

    /// What is asked of the issuer, so that it gives the code only for the verifier.
    pub(super) fn challenge(&self) -> String {
        URL_SAFE_NO_PAD.encode(Sha256::digest(self.verifier.reveal().as_bytes()))
    }

    /// As the browser keeps it. It is not signed: whoever writes their own signs in for themselves.
    pub(super) fn kept(&self) -> Secret {
        let place = self.place.as_ref().map(|place| format!("{}/{}", place.project, place.env));
        let parts = [&self.state, &self.nonce, &self.verifier].map(Secret::reveal);
        Secret::presented(format!(
            "{}.{}.{}",
            parts.join("."),
            self.began_at.micros(),
            URL_SAFE_NO_PAD.encode(place.unwrap_or_default())
        ))
    }

    /// What a browser has kept, if it was begun a short time ago.
    pub(super) fn read(kept: &Secret, now: Timestamp) -> Option<Self> {
        let text = kept.reveal();
        if text.len() > MOST {
            return None;
        }
        let parts: Vec<_> = text.split('.').collect();
        let [state, nonce, verifier, began_at, place] = parts.as_slice() else { return None };
        let began_at = Timestamp::from_micros(began_at.parse().ok()?);
        if now < began_at || began_at.plus(FLOW_LASTS) <= now {
            return None;
        }
        // An empty one would be equal to what somebody leaves out.
        if [state, nonce, verifier].iter().any(|part| part.is_empty()) {
            return None;
        }
        let place = String::from_utf8(URL_SAFE_NO_PAD.decode(place).ok()?).ok()?;
        let place = place
            .split_once('/')
            .map(|(project, env)| Place { project: project.to_owned(), env: env.to_owned() });
        let [state, nonce, verifier] = [state, nonce, verifier].map(|part| Secret::presented(*part));
        Some(Self { state, nonce, verifier, began_at, place })
    }
}

/// Whether a text is this secret; how long it takes tells nothing about where they part.
pub(super) fn same(given: &str, secret: &Secret) -> bool {
    given.as_bytes().ct_eq(secret.reveal().as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SystemEntropy;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_micros(seconds * 1_000_000)
    }

    #[test]
    fn what_a_browser_keeps_reads_back_for_ten_minutes() {
        let place = Place { project: "default".to_owned(), env: "dev/ü".to_owned() };
        for place in [None, Some(place)] {
            let flow = Flow::begin(at(1), place.clone(), &SystemEntropy).unwrap();
            let kept = flow.kept();
            let back = Flow::read(&kept, at(600)).unwrap();
            assert_eq!((back.place, back.began_at), (place, at(1)));
            assert!(same(back.state.reveal(), &flow.state) && same(back.nonce.reveal(), &flow.nonce));
            assert!(same(back.verifier.reveal(), &flow.verifier));
            assert!(Flow::read(&kept, at(601)).is_none() && Flow::read(&kept, at(0)).is_none());
        }
        let long = Place { project: "x".repeat(300), env: String::new() };
        assert_eq!(Flow::begin(at(1), Some(long), &SystemEntropy).unwrap().place, None);
        for broken in ["", "a.b.c.1000000", "..c.1000000.", "a.b.c.x.", "a.b.c.1000000.%", "a.b.c.1000000..d"]
        {
            assert!(Flow::read(&Secret::presented(broken), at(2)).is_none(), "{broken}");
        }
    }

    #[test]
    fn the_parts_are_all_different_and_never_printed() {
        let flow = Flow::begin(at(1), None, &SystemEntropy).unwrap();
        let parts = [flow.state.reveal(), flow.nonce.reveal(), flow.verifier.reveal()];
        assert!(parts.iter().all(|part| part.len() == 43));
        assert!(parts[0] != parts[1] && parts[1] != parts[2] && parts[0] != parts[2]);
        let printed = format!("{flow:?} {:?}", flow.kept());
        assert!(parts.iter().all(|part| !printed.contains(part)), "{printed}");
        // RFC 7636, appendix B.
        let verifier = Secret::presented("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
        let flow = Flow { verifier, ..flow };
        assert_eq!(flow.challenge(), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    }
}
