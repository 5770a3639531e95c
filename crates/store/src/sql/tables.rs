//! The tables of an environment, and the statement that writes rows of one.

use super::{Statement, Value};
use std::{fmt::Write as _, sync::LazyLock};

/// How many rows a statement for many writes.
pub(crate) const MANY: usize = 32;

/// A table of an environment. Its columns are `env`, what is read, and what is only searched, in this order.
#[derive(Debug)]
pub(crate) struct Table {
    pub(crate) name: &'static str,
    /// What makes a row the same row: it is rewritten then.
    pub(crate) identity: &'static [&'static str],
    pub(crate) read: &'static [&'static str],
    pub(crate) hidden: &'static [&'static str],
    pub(crate) one: LazyLock<String>,
    pub(crate) many: LazyLock<String>,
}

impl Table {
    /// The statement that writes one row.
    pub(crate) fn put(&'static self, row: Vec<Value>) -> Statement {
        Statement::new(self.one.as_str(), row)
    }

    /// The statement that writes [`MANY`] rows with different identities.
    pub(crate) fn put_many(&'static self, rows: Vec<Vec<Value>>) -> Statement {
        Statement::new(self.many.as_str(), rows.into_iter().flatten().collect())
    }

    /// The columns that are read, as text.
    pub(crate) fn columns(&self) -> String {
        self.read.join(", ")
    }

    pub(crate) fn upsert(&self, rows: usize, places: Places) -> String {
        let columns: Vec<_> = std::iter::once(&"env").chain(self.read).chain(self.hidden).copied().collect();
        let kept: Vec<_> = columns
            .iter()
            .filter(|column| !self.identity.contains(column))
            .map(|column| format!("{column} = excluded.{column}"))
            .collect();
        let mut sql = insert(self.name, &columns, rows, places);
        // Writing to a String does not fail.
        let _ = write!(sql, " ON CONFLICT ({}) DO UPDATE SET {}", self.identity.join(", "), kept.join(", "));
        sql
    }
}

/// How the places of the values are written.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Places {
    /// `$1, $2`: what both databases read.
    Numbered,
    /// `?, ?`: SQLite looks a number up by going through all of them, which hundreds of values feel; these it counts.
    Counted,
}

/// `INSERT INTO table (columns) VALUES (...), ...`.
pub(crate) fn insert(table: &str, columns: &[&str], rows: usize, places: Places) -> String {
    let width = columns.len();
    let place = |n: usize| match places {
        Places::Numbered => format!("${n}"),
        Places::Counted => "?".to_owned(),
    };
    let values: Vec<_> = (0..rows)
        .map(|row| {
            let places: Vec<_> = (1..=width).map(|column| place(row * width + column)).collect();
            format!("({})", places.join(", "))
        })
        .collect();
    format!("INSERT INTO {table} ({}) VALUES {}", columns.join(", "), values.join(", "))
}

macro_rules! tables {
    ($($(#[$doc:meta])* $table:ident = $name:literal by [$($identity:literal),*]
        reads [$($read:literal),*] hides [$($hidden:literal),*];)*) => {$(
        $(#[$doc])*
        pub(crate) static $table: Table = Table {
            name: $name,
            identity: &[$($identity),*],
            read: &[$($read),*],
            hidden: &[$($hidden),*],
            one: LazyLock::new(|| $table.upsert(1, Places::Numbered)),
            many: LazyLock::new(|| $table.upsert(MANY, Places::Counted)),
        };
    )*};
}

tables! {
    /// Resources, roles, relations and elements.
    SCHEMA = "schema_object" by ["env", "kind", "id"]
        reads ["kind", "body", "revision"] hides ["id", "scope", "key", "subject"];
    USERS = "user_" by ["env", "id"]
        reads ["id", "key", "email", "first_name", "last_name", "attributes", "created_at", "updated_at", "revision"]
        hides ["search"];
    TENANTS = "tenant" by ["env", "id"]
        reads ["id", "key", "name", "description", "attributes", "created_at", "updated_at", "last_action_at", "revision"]
        hides ["search"];
    INSTANCES = "instance" by ["env", "id"]
        reads ["id", "key", "resource", "resource_id", "tenant", "tenant_id", "attributes", "created_at", "updated_at",
            "revision"]
        hides ["search"];
    ASSIGNMENTS = "role_assignment" by ["env", "id"]
        reads ["id", "user_key", "user_id", "role", "role_id", "tenant", "tenant_id", "instance_id",
            "instance_resource", "instance_key", "expires_at", "origin", "created_at", "revision"]
        hides [];
    TUPLES = "relationship_tuple" by ["env", "id"]
        reads ["id", "subject_id", "subject_resource", "subject_key", "relation", "relation_id", "object_id",
            "object_resource", "object_key", "tenant", "tenant_id", "created_at", "updated_at", "revision"]
        hides [];
    REQUESTS = "request" by ["env", "id"]
        reads ["body", "revision"]
        hides ["id", "kind", "element", "requester", "tenant_id", "role_id", "resource", "instance_id", "status", "wish",
            "created_at"];
}
