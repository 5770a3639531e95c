//! The steps that bring a database's tables up to date. A step that was shipped is never edited; a change is a new step,
//! with the same number and name for all databases.

use crate::{StoreError, body::failed, sql::Dialect};
use sqlx::{
    Acquire, SqlSafeStr,
    migrate::{Migrate, MigrateError, Migration, MigrationType, Migrator},
};

/// A step's text for each database.
struct Step {
    number: i64,
    name: &'static str,
    sqlite: &'static str,
    postgres: &'static str,
}

const STEPS: &[Step] = &[
    Step {
        number: 1,
        name: "start",
        sqlite: include_str!("../migrations/sqlite/0001_start.sql"),
        postgres: include_str!("../migrations/postgres/0001_start.sql"),
    },
    Step {
        number: 2,
        name: "replicas",
        sqlite: include_str!("../migrations/sqlite/0002_replicas.sql"),
        postgres: include_str!("../migrations/postgres/0002_replicas.sql"),
    },
    Step {
        number: 3,
        name: "image",
        sqlite: include_str!("../migrations/sqlite/0003_image.sql"),
        postgres: include_str!("../migrations/postgres/0003_image.sql"),
    },
    Step {
        number: 4,
        name: "decisions",
        sqlite: include_str!("../migrations/sqlite/0004_decisions.sql"),
        postgres: include_str!("../migrations/postgres/0004_decisions.sql"),
    },
    Step {
        number: 5,
        name: "permit rest",
        sqlite: include_str!("../migrations/sqlite/0005_permit_rest.sql"),
        postgres: include_str!("../migrations/postgres/0005_permit_rest.sql"),
    },
    Step {
        number: 6,
        name: "delivery",
        sqlite: include_str!("../migrations/sqlite/0006_delivery.sql"),
        postgres: include_str!("../migrations/postgres/0006_delivery.sql"),
    },
    Step {
        number: 7,
        name: "audit chain",
        sqlite: include_str!("../migrations/sqlite/0007_audit_chain.sql"),
        postgres: include_str!("../migrations/postgres/0007_audit_chain.sql"),
    },
    Step {
        number: 8,
        name: "ends",
        sqlite: include_str!("../migrations/sqlite/0008_ends.sql"),
        postgres: include_str!("../migrations/postgres/0008_ends.sql"),
    },
    Step {
        number: 9,
        name: "tasks",
        sqlite: include_str!("../migrations/sqlite/0009_tasks.sql"),
        postgres: include_str!("../migrations/postgres/0009_tasks.sql"),
    },
    Step {
        number: 10,
        name: "webhooks",
        sqlite: include_str!("../migrations/sqlite/0010_webhooks.sql"),
        postgres: include_str!("../migrations/postgres/0010_webhooks.sql"),
    },
    Step {
        number: 11,
        name: "waiting",
        sqlite: include_str!("../migrations/sqlite/0011_waiting.sql"),
        postgres: include_str!("../migrations/postgres/0011_waiting.sql"),
    },
    Step {
        number: 12,
        name: "passwords",
        sqlite: include_str!("../migrations/sqlite/0012_passwords.sql"),
        postgres: include_str!("../migrations/postgres/0012_passwords.sql"),
    },
    Step {
        number: 13,
        name: "escalation",
        sqlite: include_str!("../migrations/sqlite/0013_escalation.sql"),
        postgres: include_str!("../migrations/postgres/0013_escalation.sql"),
    },
    Step {
        number: 14,
        name: "places",
        sqlite: include_str!("../migrations/sqlite/0014_places.sql"),
        postgres: include_str!("../migrations/postgres/0014_places.sql"),
    },
    Step {
        number: 15,
        name: "identities",
        sqlite: include_str!("../migrations/sqlite/0015_identities.sql"),
        postgres: include_str!("../migrations/postgres/0015_identities.sql"),
    },
];

/// The number of the newest step.
pub(crate) fn newest() -> u64 {
    STEPS.last().map_or(0, |step| step.number.unsigned_abs())
}

/// How many steps there are.
pub(crate) fn count() -> u64 {
    STEPS.len() as u64
}

/// Runs the steps that the database has not seen.
pub(crate) async fn migrate<'c, C>(dialect: Dialect, connection: C) -> Result<(), StoreError>
where
    C: Acquire<'c>,
    <C::Connection as std::ops::Deref>::Target: Migrate,
{
    let steps = STEPS.iter().map(|step| {
        let text = match dialect {
            Dialect::Sqlite => step.sqlite,
            Dialect::Postgres => step.postgres,
        };
        Migration::new(step.number, step.name.into(), MigrationType::Simple, text.into_sql_str(), false)
    });
    let outcome = Migrator::with_migrations(steps.collect()).run(connection).await;
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
