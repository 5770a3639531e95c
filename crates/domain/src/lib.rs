//! The words of the trade and the rules that need no I/O.
//!
//! Nothing here reads a clock, draws a random number, opens a file or awaits: times and ids are given by the
//! caller. Every other crate speaks in these types.

pub mod agent;
pub mod audit;
pub mod binding;
pub mod change;
pub mod decision;
pub mod delegation;
pub mod digest;
pub mod element;
pub mod evaluation;
pub mod facts;
pub mod grant;
pub mod id;
pub mod invite;
pub mod key;
pub mod principal;
pub mod request;
#[cfg(test)]
mod request_tests;
pub mod review;
#[cfg(test)]
mod review_tests;
pub mod revision;
pub mod schema;
pub mod scope;
pub mod span;
pub mod task;
pub mod terms;
pub mod time;
pub mod url_mapping;
#[cfg(test)]
mod value_tests;
pub mod visible;
pub mod webhook;

pub use digest::Digest;
pub use id::Id;
pub use key::{Ident, Key, KeyError, UserKey};
pub use revision::RevisionToken;
pub use span::Span;
pub use time::Timestamp;
