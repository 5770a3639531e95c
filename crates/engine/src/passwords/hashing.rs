//! Hashes of passwords: slow on purpose, a few at a time, on threads of their own.

use crate::{
    Engine, Secret,
    error::{Error, Kind, Result},
};
use argon2::{
    Algorithm, Argon2, Params, Version,
    password_hash::{PasswordHasher as _, PasswordVerifier as _, phc::PasswordHash},
};
use std::sync::{
    Arc, OnceLock,
    atomic::{AtomicU64, Ordering},
};
use tokio::sync::Semaphore;

/// OWASP's password storage cheat sheet, Argon2id: 19 MiB of memory, two passes, one lane.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;
/// How many are worked out at once, so that nobody fills the memory by signing in.
const AT_ONCE: usize = 4;
const SALT_BYTES: usize = 16;

/// How a password that was given stands to the one that is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verified {
    Wrong,
    Right,
    /// Right, and hashed with parameters that are not today's.
    Outdated,
}

/// Works out hashes.
#[derive(Debug)]
pub(crate) struct Hashing {
    places: Arc<Semaphore>,
    /// What is verified where there is nothing to verify.
    nobody: OnceLock<String>,
    verified: AtomicU64,
}

impl Default for Hashing {
    fn default() -> Self {
        Self {
            places: Arc::new(Semaphore::new(AT_ONCE)),
            nobody: OnceLock::new(),
            verified: AtomicU64::new(0),
        }
    }
}

impl Hashing {
    /// Holds a password against what is kept. Without anything kept it is as much work, and wrong.
    pub(crate) async fn verify(
        &self,
        engine: &Engine,
        given: Secret,
        kept: Option<String>,
    ) -> Result<Verified> {
        let nobody = if let Some(text) = self.nobody.get() {
            text.clone()
        } else {
            let made = self.hash(engine, Secret::make("", engine.entropy())?).await?;
            self.nobody.get_or_init(|| made).clone()
        };
        self.verified.fetch_add(1, Ordering::Relaxed);
        self.slowly(move || match kept {
            Some(kept) => compare(&given, &kept),
            None => compare(&given, &nobody).map(|_| Verified::Wrong),
        })
        .await
    }

    /// The hash of a password, with a fresh salt.
    pub(crate) async fn hash(&self, engine: &Engine, password: Secret) -> Result<String> {
        let mut salt = [0; SALT_BYTES];
        engine.entropy().fill(&mut salt)?;
        self.slowly(move || hash(&password, &salt, params()?)).await
    }

    /// How often a password was held against something.
    #[cfg(test)]
    pub(crate) fn verified(&self) -> u64 {
        self.verified.load(Ordering::Relaxed)
    }

    async fn slowly<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let place = Arc::clone(&self.places).acquire_owned().await.map_err(Error::internal)?;
        // The place is held by the work itself: a caller who goes away does not make room for another one.
        tokio::task::spawn_blocking(move || {
            let _place = place;
            work()
        })
        .await
        .map_err(Error::internal)?
    }
}

fn params() -> Result<Params> {
    Params::new(MEMORY_KIB, PASSES, LANES, None).map_err(broken)
}

fn hash(password: &Secret, salt: &[u8], params: Params) -> Result<String> {
    let argon = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let hash = argon.hash_password_with_salt(password.reveal().as_bytes(), salt).map_err(broken)?;
    Ok(hash.to_string())
}

fn compare(given: &Secret, kept: &str) -> Result<Verified> {
    let kept = PasswordHash::new(kept).map_err(broken)?;
    if Argon2::default().verify_password(given.reveal().as_bytes(), &kept).is_err() {
        return Ok(Verified::Wrong);
    }
    let todays = Params::try_from(&kept)
        .is_ok_and(|p| (p.m_cost(), p.t_cost(), p.p_cost()) == (MEMORY_KIB, PASSES, LANES));
    Ok(if todays { Verified::Right } else { Verified::Outdated })
}

/// The text of the library's errors holds neither password nor hash.
fn broken(error: impl std::fmt::Display) -> Error {
    tracing::error!(%error, "a password can't be hashed");
    Error::new(Kind::Internal, "A password can't be hashed.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_is_of_its_password_and_of_todays_parameters() {
        let password = Secret::presented("correct horse battery");
        let kept = hash(&password, &[7; SALT_BYTES], params().unwrap()).unwrap();
        assert!(kept.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{kept}");
        assert_eq!(compare(&password, &kept).unwrap(), Verified::Right);
        assert_eq!(compare(&Secret::presented("correct horse"), &kept).unwrap(), Verified::Wrong);
        let old = hash(&password, &[7; SALT_BYTES], Params::new(8 * 1024, 1, 1, None).unwrap()).unwrap();
        assert_eq!(compare(&password, &old).unwrap(), Verified::Outdated);
        assert_eq!(compare(&Secret::presented("correct horse"), &old).unwrap(), Verified::Wrong);
        assert!(compare(&password, "no hash").is_err());
    }
}
