//! An enforcement point of AuthZEN and its Access Request and Approval Profile: [`Pep`] calls a server, and the functions say
//! what its answers are worth (which is a permit, which task is an approval, which of the addresses that a server names may be
//! called). In doubt it is a denial.
//!
//! ```
//! use askfirst_agent::pep::{Decision, Next, Progress, Timestamp, decision, progress};
//! use serde_json::json;
//!
//! assert_eq!(decision(&json!({"decision": true})), Decision::Permit);
//! assert_eq!(decision(&json!({"decision": "true"})), Decision::Deny(Next::Nothing));
//!
//! let task = json!({"task": {"status": "approved"}, "result": {"mode": "reevaluate", "approval": {"id": "a"}}});
//! let approval = Progress::Present(json!({"id": "a"}));
//! assert_eq!(progress(&task, Timestamp("2026-11-24T03:10:00Z")), approval);
//! ```

mod answer;
mod client;
mod place;
#[cfg(test)]
mod tests;

pub use answer::{Decision, Next, Progress, Timestamp, decision, items, progress};
pub use client::{Outcome, Pep, PepError, Question, Surroundings};
pub use place::{NotThere, Places};
