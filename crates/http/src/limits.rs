//! What an operator may bound of calls: their size, their pages, their time. All limits: `docs/limits.md`.

use crate::error::Failure;
use askfirst_engine::{Error, Kind};
use axum::response::{IntoResponse as _, Response};
use std::time::Duration;
use tokio::time::timeout;

/// The bounds of calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The largest body, in bytes.
    pub body: usize,
    /// The largest page of a list.
    pub page: u32,
    /// How long a call may take, its body included; `/mcp` is not bounded.
    pub patience: Duration,
}

impl Limits {
    /// The largest body that an operator may allow.
    pub const MOST_BODY: usize = 256 * 1024 * 1024;
    /// The largest page that an operator may allow.
    pub const MOST_PAGE: u32 = 1000;
}

impl Default for Limits {
    fn default() -> Self {
        Self { body: 8 * 1024 * 1024, page: 100, patience: Duration::from_secs(30) }
    }
}

/// Gives a call up that takes too long.
pub(crate) async fn in_time(patience: Duration, answer: impl Future<Output = Response>) -> Response {
    // The clock is looked at only when the answer is not there at once.
    let Ok(answer) = timeout(patience, answer).await else {
        let message = format!(
            "The call took longer than {} and was given up; what it was to write may have been written: look before you \
             send it again.",
            told(patience)
        );
        return Failure::from(Error::new(Kind::Unavailable, message)).into_response();
    };
    answer
}

fn told(patience: Duration) -> String {
    match patience.as_millis() {
        1000 => "1 second".to_owned(),
        millis if millis % 1000 == 0 => format!("{} seconds", millis / 1000),
        millis => format!("{millis} ms"),
    }
}

/// A number of bytes as a person writes it.
pub(crate) fn bytes(number: usize) -> String {
    const KIB: usize = 1024;
    const MIB: usize = 1024 * KIB;
    match number {
        _ if number >= MIB && number.is_multiple_of(MIB) => format!("{} MiB", number / MIB),
        _ if number >= KIB && number.is_multiple_of(KIB) => format!("{} KiB", number / KIB),
        _ => format!("{number} bytes"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_told_in_the_largest_unit_that_fits() {
        for (number, text) in
            [(8 << 20, "8 MiB"), (64 << 10, "64 KiB"), ((1 << 20) + 1, "1048577 bytes"), (3, "3 bytes")]
        {
            assert_eq!(bytes(number), text);
        }
    }
}
