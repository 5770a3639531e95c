//! The removal of what has ended by itself.

use super::{Statement, number};
use askfirst_domain::Timestamp;

const SESSIONS: &str = "DELETE FROM session WHERE id IN \
     (SELECT id FROM session WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2) RETURNING 1";
const LINKS: &str = "DELETE FROM link WHERE id IN \
     (SELECT id FROM link WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2) RETURNING 1";

/// The statements that remove up to `most` sessions, and up to `most` sign-in links. Each gives a row for each.
pub(crate) fn purge(now: Timestamp, most: u64) -> [Statement; 2] {
    [SESSIONS, LINKS].map(|sql| Statement::new(sql, vec![now.into(), number(most).into()]))
}
