//! Passwords of humans: set, changed, cleared, and signed in with.

mod hashing;
mod set;
mod sign_in;
mod tries;

pub use set::{LEAST_CHARACTERS, MOST_CHARACTERS, OwnSession, SignInWays};
pub use sign_in::{Place, SignIn};
pub use tries::{FIRST_WAIT, FREE_TRIES, LONGEST_WAIT, TOLD_A_MINUTE, TRIES_A_MINUTE, TRIES_COUNT_FOR};

/// What an engine keeps in memory for them.
#[derive(Debug, Default)]
pub(crate) struct Passwords {
    hashing: hashing::Hashing,
    tries: tries::Tries,
}
