//! Whether encrypted connections are possible at all.

/// The HTTP client panics when it is built in a process that has not installed a TLS provider, so this is asked first.
pub(crate) fn provider_is_installed() -> bool {
    rustls::crypto::CryptoProvider::get_default().is_some()
}

/// What to do about it.
pub(crate) const NO_PROVIDER: &str =
    "this process has no TLS provider; install `rustls::crypto::ring::default_provider()` at its start";
