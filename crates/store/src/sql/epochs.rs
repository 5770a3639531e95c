//! Another history: what was said about the old one holds no longer.

use super::Dialect;

/// The statements that give every environment another epoch, and throw away the images, which are of the old ones. The
/// directory gets another version, so that whoever holds it in memory reads it again.
pub(crate) fn new_epochs(dialect: Dialect) -> [&'static str; 3] {
    let environments = match dialect {
        Dialect::Sqlite => "UPDATE environment SET epoch = randomblob(16)",
        Dialect::Postgres => "UPDATE environment SET epoch = gen_random_uuid()",
    };
    ["UPDATE directory SET version = version + 1", environments, "DELETE FROM image"]
}
