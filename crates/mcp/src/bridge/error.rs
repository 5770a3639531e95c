//! Why the bridge can't serve. Each prints as one sentence for whoever started it.

use thiserror::Error;

/// Why the bridge did not start, or ended.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum BridgeError {
    /// The address is not one.
    #[error("`{0}` is not the address of a server; write it like http://127.0.0.1:7766")]
    Address(String),
    /// A name that can't be sent.
    #[error("the value for {header} may hold the characters of keys and ids only")]
    Name { header: &'static str },
    /// The HTTP client can't be made.
    #[error("the HTTP client can't be made: {0}")]
    Client(String),
    /// Nothing answers there.
    #[error("askfirst at {0} can't be reached; start it with `askfirst serve`")]
    Unreachable(String),
    /// Something else answers there.
    #[error("what answers at {url} is not askfirst, or another version of it ({detail})")]
    Stranger { url: String, detail: String },
    /// Stdin or stdout failed.
    #[error("the MCP host broke the protocol on stdin: {0}")]
    Stdio(String),
}
