//! The steps that bring a file's tables up to date. A step that was shipped is never edited; a change is a new step.

use super::exec::failed;
use crate::StoreError;
use sqlx::{
    SqlSafeStr, SqliteConnection,
    migrate::{MigrateError, Migration, MigrationType, Migrator},
};

/// Number, name, text. The other databases have the same numbers and names.
const STEPS: [(i64, &str, &str); 1] = [(1, "start", include_str!("../../migrations/sqlite/0001_start.sql"))];

/// Runs the steps that the file has not seen.
pub(super) async fn migrate(connection: &mut SqliteConnection) -> Result<(), StoreError> {
    let steps = STEPS.map(|(number, name, text)| {
        Migration::new(number, name.into(), MigrationType::Simple, text.into_sql_str(), false)
    });
    let outcome = Migrator::with_migrations(steps.into()).run(connection).await;
    outcome.map_err(|e| match e {
        MigrateError::VersionMissing(version) => StoreError::Corrupt {
            what: "database",
            detail: format!("it was written by a newer version of this program (step {version})"),
        },
        MigrateError::VersionMismatch(version) => StoreError::Corrupt {
            what: "database",
            detail: format!("its tables were made by another step {version} than this program's"),
        },
        other => failed("bringing the tables up to date")(sqlx::Error::Migrate(Box::new(other))),
    })
}
