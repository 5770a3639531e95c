//! The policy file: an environment's schema, and its facts where wanted, as one YAML document.
//!
//! [`parse`] reads and checks a whole file and gives plain data; turning that into changes is the engine's work.

mod convert;
mod data;
mod diagnostic;
mod raw;
mod references;

use crate::Snapshot;
use raw::RawFile;
use serde_saphyr::{Location, Options};

pub use data::{
    ActionEntry, AssignmentEntry, AttributeEntry, DerivationEntry, ElementEntry, InstanceEntry, PolicyFile,
    RelationEntry, ResourceEntry, RoleEntry, TenantEntry, TupleEntry, UserEntry, WebhookEntry,
};
pub use diagnostic::Diagnostic;

/// The format's version: `askfirst: 1` stands in every file.
pub const VERSION: u64 = 1;

/// Reads a policy file. Names may refer to what the file says and to what `existing` has.
///
/// # Errors
/// Everything that is wrong, by position; a file that is not YAML of the right shape gives its first error only.
pub fn parse(text: &str, existing: &Snapshot) -> Result<PolicyFile, Vec<Diagnostic>> {
    let options = Options { with_snippet: false, strict_booleans: true, ..Options::default() };
    let raw: RawFile =
        serde_saphyr::from_str_with_options(text, options).map_err(|e| vec![shape_error(&e)])?;
    let mut reader = convert::Reader::default();
    let file = reader.file(raw);
    reader.check_references(&file, existing);
    if reader.diagnostics.is_empty() {
        Ok(file)
    } else {
        reader.diagnostics.sort();
        Err(reader.diagnostics)
    }
}

/// What the YAML reader says, with a suggestion for a name that it does not know.
fn shape_error(error: &serde_saphyr::Error) -> Diagnostic {
    let location = error.location().unwrap_or(Location::UNKNOWN);
    let message = match error {
        serde_saphyr::Error::Message { msg, .. } => msg.clone(),
        other => {
            let told = other.to_string();
            told.split_once(" at line ").map(|(told, _)| told.to_owned()).unwrap_or(told)
        }
    };
    let named = message.split('`').nth(1);
    let hint = match named {
        Some(written) if message.starts_with("unknown field") => {
            let known = message.split_once("expected one of ").map_or("", |(_, known)| known);
            diagnostic::suggest(written, known.split(", ").map(|name| name.trim_matches('`')))
        }
        Some(field) if message.starts_with("missing field") => Some(format!("write `{field}: ...` here")),
        _ => None,
    };
    Diagnostic { line: location.line(), column: location.column(), message, hint }
}

#[cfg(test)]
mod tests;
