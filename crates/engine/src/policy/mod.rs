//! The policy as a file: plan what it would change, apply it in one transaction or not at all, write one of what is there.
//!
//! Applying adds what is not there and changes what differs. What the file does not name stays, unless it is pruned.
//! Applying the same file again changes nothing and writes nothing.

mod apply;
mod elements;
mod existing;
mod export;
mod facts;
mod impact;
mod offline;
mod outcome;
mod plan;
mod prune;
mod replay;
mod schema;

pub use askfirst_policy::file::{Diagnostic, Difference, FieldChange, Kind as DifferenceKind, Prune};
pub use export::Exported;
pub use impact::{Flipped, Impact};
pub use offline::{CaseOutcome, Counts, check_file, json_schema, run_tests, token_names};
pub use outcome::{Applied, ApplyError, LeftOver, PolicyPlan, PolicyText};
pub use replay::{Replay, ReplayChange};
