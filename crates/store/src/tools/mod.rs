//! What operators do with an installation as a whole: look at it, check it, copy it to the other database, back it up and
//! put it back.
//!
//! The tools work beside a server and not through one: they read at one moment, and write only where nobody serves.

mod backup;
mod catalog;
mod chains;
mod check;
mod connection;
mod copy;
mod digest;
mod info;
mod place;

pub use backup::{backup, restore};
pub use check::{Finding, check};
pub use copy::{Copied, copy};
pub use info::{EnvironmentInfo, Info, TableInfo, info};
pub use place::{Place, decisions_beside};

use crate::{StoreError, sql};
use connection::{Access, Connection};
use thiserror::Error;

/// How far a tool is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    /// What it does: "copying", "comparing".
    pub doing: &'static str,
    /// The table or environment it is at.
    pub what: String,
    pub done: u64,
    pub of: u64,
}

/// Told again and again how far a tool is; must be quick.
pub type Watcher<'w> = &'w mut (dyn FnMut(Progress) + Send);

/// Why a tool did not do what it was told.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ToolError {
    /// There is no database, or none of this program.
    #[error("there is no installation in {0}")]
    Nothing(String),
    /// Its tables are those of another version.
    #[error("the tables of {0} are those of an older version; start this version's server on it once")]
    Older(String),
    /// Somebody's data are there.
    #[error("{0} is not empty: {1}")]
    NotEmpty(String, String),
    /// What was written is not what was read.
    #[error(
        "the table `{table}` came out different: {rows} rows were read and {written} are there; do not use the copy"
    )]
    Unequal { table: String, rows: u64, written: u64 },
    /// Not with this database.
    #[error("{0}")]
    NotHere(String),
    /// A file could not be read or written.
    #[error("can't {doing} {path}")]
    File {
        doing: &'static str,
        path: String,
        #[source]
        source: std::io::Error,
    },
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Gives every environment another epoch, so that all revision tokens from before are refused: for a database that was
/// put back to an older state by means of its own. Gives how many environments there are. Servers that run on it notice.
///
/// # Errors
/// When the database can't be reached or is not of this version.
pub async fn new_epochs(place: &Place) -> Result<u64, ToolError> {
    let mut connection = Connection::open(place, Access::Write).await?;
    connection.require_current().await?;
    connection.run("BEGIN").await?;
    for statement in sql::new_epochs(connection.dialect()) {
        connection.run(statement).await?;
    }
    let environments = connection.count("environment").await?;
    connection.run("COMMIT").await?;
    connection.close().await;
    Ok(environments)
}
