//! The removal of what has ended by itself.

use super::{Statement, number};
use askfirst_domain::Timestamp;

const SESSIONS: &str = "DELETE FROM session WHERE id IN \
     (SELECT id FROM session WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2) RETURNING 1";
const LINKS: &str = "DELETE FROM link WHERE id IN \
     (SELECT id FROM link WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2) RETURNING 1";

const TASKS: &str = "DELETE FROM access_task WHERE (env, id) IN \
     (SELECT env, id FROM access_task WHERE kept_until <= $1 ORDER BY kept_until LIMIT $2) RETURNING 1";
const NAMES: &str = "DELETE FROM access_task_name WHERE (env, name) IN \
     (SELECT env, name FROM access_task_name WHERE kept_until <= $1 ORDER BY kept_until LIMIT $2) RETURNING 1";
const KEYS: &str = "DELETE FROM token_key WHERE id IN \
     (SELECT id FROM token_key WHERE kept_until <= $1 ORDER BY kept_until LIMIT $2) RETURNING 1";

/// The statements that remove up to `most` sessions, as many sign-in links, and so on. Each gives a row for each.
pub(crate) fn purge(now: Timestamp, most: u64) -> [Statement; 5] {
    [SESSIONS, LINKS, TASKS, NAMES, KEYS]
        .map(|sql| Statement::new(sql, vec![now.into(), number(most).into()]))
}
