//! Applying a policy file: the whole of it in one transaction, or nothing.
//!
//! Applying adds what is not there and changes what differs; what the file does not name stays as it is. Applying the same
//! file again changes nothing and writes nothing.

mod facts;
mod plan;
mod schema;

use crate::{
    EnvScope,
    commit::{About, Draft, Outcome, Tries},
    error::{Error, Result},
};
use askfirst_policy::file;
use plan::Plan;
use serde::Serialize;
use serde_json::json;
use std::collections::BTreeMap;

pub use askfirst_policy::file::Diagnostic;

/// What applying a file did: how many of each kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Default)]
pub struct Applied {
    pub created: BTreeMap<&'static str, usize>,
    pub changed: BTreeMap<&'static str, usize>,
    /// How many things were as the file says already.
    pub unchanged: usize,
    /// The revision at which it holds.
    pub revision: u64,
}

/// Why a file was not applied. Nothing of it was.
#[derive(Debug)]
pub enum ApplyError {
    /// The file is wrong in these places.
    File(Vec<Diagnostic>),
    /// It could not be written.
    Failed(Error),
}

impl From<Error> for ApplyError {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

impl EnvScope {
    /// Applies the text of a policy file.
    ///
    /// # Errors
    /// [`ApplyError::File`] with every place that is wrong.
    pub async fn apply_policy(&self, text: &str) -> Result<Applied, ApplyError> {
        let mut tries = Tries::default();
        loop {
            let state = self.state();
            let file = file::parse(text, &state.snapshot).map_err(ApplyError::File)?;
            let mut plan = Plan::new(self, &state);
            plan.schema(&file)?;
            plan.facts(&file).await?;
            let (draft, mut applied) = plan.finish();
            if draft.changes.is_empty() {
                applied.revision = state.revision;
                return Ok(applied);
            }
            let mut about = About::default();
            about.details.insert("created".to_owned(), json!(applied.created));
            about.details.insert("changed".to_owned(), json!(applied.changed));
            let audit = vec![self.audit("policy.applied", about)?];
            match self.commit(Draft { audit, ..draft }).await? {
                Outcome::Done(committed) => {
                    applied.revision = committed.revision;
                    return Ok(applied);
                }
                Outcome::Again => tries.again()?,
            }
        }
    }
}
