//! What the databases share: the statements as text with bound values, and how a row is read.
//!
//! Nothing here talks to a database. A body (`sqlite`, `postgres`) runs the statements; where the dialects part, [`Dialect`] says
//! how.

mod admin;
pub(crate) mod audit;
mod cells;
mod delete;
mod epochs;
mod expect;
pub(crate) mod identities;
pub(crate) mod image;
mod list;
mod log;
pub(crate) mod outbox;
pub(crate) mod packed;
pub(crate) mod payload;
mod purge;
mod put;
pub(crate) mod read;
pub(crate) mod rows;
pub(crate) mod spots;
mod statement;
pub(crate) mod tables;
pub(crate) mod tasks;

pub(crate) use admin::{admin_steps, still_good, take_link};
pub(crate) use cells::{Cells, Row};
pub(crate) use epochs::new_epochs;
pub(crate) use expect::{first_taken, holds, probes, revisions_of, thing_of};
pub(crate) use list::{Filtered, Select};
pub(crate) use log::{change_rows, change_statements, outbox_row, write_changes, write_outbox};
pub(crate) use purge::purge;
pub(crate) use put::{name_of, steps, touches_schema};
pub(crate) use statement::{Dialect, Statement, Value, holds_nul, number, whole};
pub(crate) use tables::Pace;
