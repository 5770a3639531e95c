//! Where an enforcement point may send its credential: addresses that a server names are fetched only at the origin
//! that was configured, or at one that was allowed.

use reqwest::Url;

/// The origins that may be called.
#[derive(Debug, Clone)]
pub struct Places(Vec<reqwest::Url>);

/// An address that is not called.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum NotThere {
    /// It is no address of a web server.
    #[error("the server named something that is no http or https address; nothing is fetched from it")]
    NoAddress,
    /// It is somewhere else. Only the origin is told: the rest may be a secret.
    #[error(
        "the server named an address at {0}, which is neither its own origin nor an allowed one; it is not called"
    )]
    Elsewhere(String),
}

impl Places {
    /// The server's own origin, and those that are allowed besides.
    pub fn new(server: Url, allowed: impl IntoIterator<Item = Url>) -> Self {
        Self(std::iter::once(server).chain(allowed).collect())
    }

    /// The address that the server named, when it may be called.
    ///
    /// # Errors
    /// It is no address, carries a user name or password, or is at another origin.
    pub fn allowed(&self, named: &str) -> Result<Url, NotThere> {
        let url = Url::parse(named).map_err(|_| NotThere::NoAddress)?;
        if !matches!(url.scheme(), "http" | "https") || !url.username().is_empty() || url.password().is_some()
        {
            return Err(NotThere::NoAddress);
        }
        if self.0.iter().any(|place| place.origin() == url.origin()) {
            return Ok(url);
        }
        Err(NotThere::Elsewhere(url.origin().ascii_serialization()))
    }
}
