//! The policy file: an environment's policy, its facts and its tests where wanted, as one YAML document.
//!
//! [`parse`] reads and checks a whole file and gives plain data; [`PolicyFile::to_yaml`] writes one. Turning that into
//! changes is the engine's work, with [`build`] for each thing.

mod alone;
pub mod build;
mod cases;
mod convert;
mod data;
mod describe;
mod diagnostic;
mod difference;
mod layout;
mod reader;
mod references;
mod schema;
mod tree;
mod world;
mod yaml;

use crate::Snapshot;
use reader::Reader;
use serde_saphyr::{
    Budget, Location, Options,
    options::{AliasLimits, DuplicateKeyPolicy},
};
use tree::Node;

pub use cases::{Case, Expected, NamedRule, Outcome};
pub use data::{
    ActionEntry, AssignmentEntry, AttributeEntry, DerivationEntry, ElementEntry, GroupEntry, InstanceEntry,
    PolicyFile, ProxyConfigEntry, Prune, RelationEntry, ResourceEntry, RoleEntry, RuleEntry, Section,
    SetEntry, TenantEntry, Token, TupleEntry, UserEntry, WebhookEntry,
};
pub use diagnostic::Diagnostic;
pub use difference::{Difference, FieldChange, Kind, difference};
pub use schema::json_schema;
pub use world::{goes, set_section};

/// The format's version: `askfirst: 1` stands in every file.
pub const VERSION: u64 = 1;

/// How deep a file nests at most: what reads it goes down level by level, on a stack that others need, too.
const MAX_DEPTH: usize = 96;

/// Reads a policy file. Names may refer to what the file says and to what `existing` has and `prune` leaves.
///
/// # Errors
/// Everything that is wrong, by position; a file that is not YAML gives its first error only.
pub fn parse(text: &str, existing: &Snapshot, prune: Prune) -> Result<PolicyFile, Vec<Diagnostic>> {
    let root: Node =
        serde_saphyr::from_str_with_options(text, options()).map_err(|e| vec![syntax_error(&e)])?;
    let mut reader = Reader::default();
    let mut file = reader.file(&root);
    reader.check_references(&mut file, existing, prune);
    if reader.diagnostics.is_empty() {
        return Ok(file);
    }
    reader.diagnostics.sort();
    reader.diagnostics.dedup();
    Err(reader.diagnostics)
}

/// The names under which a file wants tokens of webhooks, as far as it can be read.
pub fn token_names(text: &str) -> Vec<String> {
    let Ok(root) = serde_saphyr::from_str_with_options::<Node>(text, options()) else { return Vec::new() };
    Reader::default().file(&root).token_names().into_iter().map(ToOwned::to_owned).collect()
}

fn options() -> Options {
    Options {
        with_snippet: false,
        strict_booleans: true,
        // Repeats are complained about where they stand, all of them.
        duplicate_keys: DuplicateKeyPolicy::LastWins,
        alias_limits: AliasLimits { max_total_replayed_events: 100_000, ..AliasLimits::default() },
        budget: Some(Budget {
            max_events: 50_000_000,
            max_nodes: 20_000_000,
            max_depth: MAX_DEPTH,
            max_documents: 1,
            max_total_scalar_bytes: 1 << 30,
            ..Budget::default()
        }),
        ..Options::default()
    }
}

/// What the YAML reader says.
fn syntax_error(error: &serde_saphyr::Error) -> Diagnostic {
    let location = error.location().unwrap_or(Location::UNKNOWN);
    let told = match error {
        serde_saphyr::Error::Message { msg, .. } => msg.clone(),
        other => other.to_string(),
    };
    // Either bound may be met first: the reader's, or that of a value (which reads itself).
    let message = if told.contains("budget breached: Depth") || told.contains("recursion limit") {
        format!("this nests too deep; a file nests {MAX_DEPTH} deep at most")
    } else if let serde_saphyr::Error::Message { .. } = error {
        told
    } else {
        told.split_once(" at line ").map(|(told, _)| told.to_owned()).unwrap_or(told)
    };
    Diagnostic { line: location.line(), column: location.column(), message, hint: None }
}

#[cfg(test)]
mod schema_tests;
#[cfg(test)]
mod tests;
