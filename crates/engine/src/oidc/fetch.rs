//! Calls to the issuer: bounded in time and size, and never led elsewhere.

use crate::delivery::is_this_machine;
use reqwest::{Client, RequestBuilder, StatusCode, Url};
use serde::de::DeserializeOwned;
use std::time::Duration;

/// How long the issuer has for one answer, from the first step to the last.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long it may take to reach it.
const CONNECT: Duration = Duration::from_secs(5);
/// The largest answer, in bytes.
const MOST: usize = 256 * 1024;

/// An answer that can't be used. The text is for the operator, and holds nothing that the issuer or a browser wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Unusable {
    /// The issuer refused what it was asked.
    Refused(String),
    /// There was no answer, or none that makes sense.
    Failed(String),
}

impl Unusable {
    pub(super) fn failed(why: impl Into<String>) -> Self {
        Self::Failed(why.into())
    }
}

/// The client for an issuer. It follows no redirect and uses no proxy: where it goes is what the issuer's metadata says.
pub(super) fn client(plain: bool) -> Result<Client, reqwest::Error> {
    Client::builder()
        .user_agent(concat!("askfirst/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(CONNECT)
        .timeout(PATIENCE)
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .https_only(!plain)
        .build()
}

/// Whether an address may be called: https, or http on this machine.
pub(super) fn is_safe(url: &Url) -> bool {
    let there = url.username().is_empty() && url.password().is_none() && url.fragment().is_none();
    there
        && match url.scheme() {
            "https" => url.has_host(),
            "http" => is_this_machine(
                url.host_str().unwrap_or_default().trim_start_matches('[').trim_end_matches(']'),
            ),
            _ => false,
        }
}

/// Sends a request, and reads the answer as JSON.
pub(super) async fn json<T: DeserializeOwned>(what: &str, request: RequestBuilder) -> Result<T, Unusable> {
    let mut answer = request.send().await.map_err(|error| Unusable::Failed(reason(what, error)))?;
    let status = answer.status();
    if status == StatusCode::BAD_REQUEST {
        return Err(Unusable::Refused(format!("{what}: it answered {status}")));
    }
    if !status.is_success() {
        return Err(Unusable::Failed(format!("{what}: it answered {status}")));
    }
    let mut bytes = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(|error| Unusable::Failed(reason(what, error)))? {
        if bytes.len().saturating_add(chunk.len()) > MOST {
            return Err(Unusable::Failed(format!("{what}: the answer has more than {MOST} bytes")));
        }
        bytes.extend_from_slice(&chunk);
    }
    // What a parser says may quote what it reads.
    serde_json::from_slice(&bytes)
        .map_err(|_| Unusable::Failed(format!("{what}: the answer is not the JSON that it has to be")))
}

/// The deepest reason of a failed call, without the address.
fn reason(what: &str, error: reqwest::Error) -> String {
    if error.is_timeout() {
        return format!("{what}: there was no answer within {} s", PATIENCE.as_secs());
    }
    let error = error.without_url();
    let mut deepest: &dyn std::error::Error = &error;
    while let Some(source) = deepest.source() {
        deepest = source;
    }
    format!("{what}: {deepest}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_https_and_this_machine_are_called() {
        for (text, safe) in [
            ("https://id.example/x", true),
            ("http://127.0.0.1:8080/x", true),
            ("http://[::1]/x", true),
            ("http://localhost/x", true),
            ("http://id.example/x", false),
            ("http://localhost.evil.example/x", false),
            ("http://10.0.0.1/x", false),
            ("https://user@id.example/x", false),
            ("https://id.example/x#y", false),
            ("file:///etc/passwd", false),
        ] {
            assert_eq!(is_safe(&text.parse().unwrap()), safe, "{text}");
        }
    }
}
