//! Where time and randomness come in, and who is acting.

use askfirst_domain::{Id, Timestamp, principal::Principal};
use rand::{RngCore as _, TryRngCore as _};
use std::{fmt::Debug, time::Duration};
use uuid::Uuid;

/// A clock. The wall clock of the product, or one that a test moves.
pub trait Clock: Send + Sync + Debug {
    /// Now.
    fn now(&self) -> Timestamp;
}

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the one clock")]
    fn now(&self) -> Timestamp {
        let since =
            std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or(Duration::ZERO);
        Timestamp::from_micros(0).plus(since)
    }
}

/// A source of randomness. The operating system's, or a seeded one in a test.
pub trait Entropy: Send + Sync + Debug {
    /// Fills `bytes` with random ones.
    ///
    /// # Errors
    /// When the source can't give any; then nothing may be made from `bytes`.
    fn fill(&self, bytes: &mut [u8]) -> Result<(), EntropyError>;

    /// Fills `bytes` for an id, which has to be unique and is no secret: as [`Entropy::fill`], unless the source has a
    /// quicker way for what every call needs.
    ///
    /// # Errors
    /// As [`Entropy::fill`].
    fn fill_id(&self, bytes: &mut [u8]) -> Result<(), EntropyError> {
        self.fill(bytes)
    }
}

/// There is no randomness to be had.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the operating system gives no randomness: {0}")]
pub struct EntropyError(pub String);

/// The operating system's randomness.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), EntropyError> {
        rand::rngs::OsRng.try_fill_bytes(bytes).map_err(|e| EntropyError(e.to_string()))
    }

    /// From this thread's generator, which the operating system seeds: without asking the system for every call.
    fn fill_id(&self, bytes: &mut [u8]) -> Result<(), EntropyError> {
        rand::rng().fill_bytes(bytes);
        Ok(())
    }
}

/// One call: who acts (from the credential), when, and the call's id for logs and audit.
#[derive(Debug, Clone)]
pub struct Op {
    pub principal: Principal,
    pub now: Timestamp,
    pub call: Uuid,
}

/// A fresh id: a version 7 UUID of this moment, so that ids sort by creation.
pub(crate) fn fresh<K>(now: Timestamp, entropy: &dyn Entropy) -> Result<Id<K>, EntropyError> {
    let mut random = [0_u8; 10];
    entropy.fill_id(&mut random)?;
    let millis = u64::try_from(now.micros() / 1000).unwrap_or(0);
    Ok(Id::new(uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid()))
}
