//! The tables of an environment, and the statement that writes rows of one.

use super::{Dialect, Statement, Value};
use std::sync::LazyLock;

/// How many rows a statement for many writes in SQLite: so many, a few, or some.
const MANY: usize = 256;
const FEW: usize = 32;
const SOME: usize = 8;
/// How many rows a statement for many writes in PostgreSQL at most.
const MOST: usize = 1024;

/// Whether rows for one table are written many at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pace {
    /// In the hope that all of them are new. In SQLite one that is there already is refused, and what was written with
    /// it before may stay: for who rolls back then, and asks again for [`Pace::Many`]. It spares the database a copy of
    /// all that a statement touches, from which it could undo half of a statement.
    New,
    Many,
    /// Slower, and says which row is refused.
    OneByOne,
}

impl Dialect {
    /// How many of `there` rows for one table are written by the next statement.
    pub(crate) fn at_once(self, pace: Pace, there: usize) -> usize {
        match (self, pace) {
            (_, Pace::OneByOne) => 1,
            // Its statements have as many places as values, so there is one for a fixed number of rows.
            (Self::Sqlite, Pace::New | Pace::Many) => match there {
                MANY.. => MANY,
                FEW.. => FEW,
                SOME.. => SOME,
                _ => 1,
            },
            (Self::Postgres, Pace::New | Pace::Many) => there.min(MOST),
        }
    }

    /// The most rows that a statement writes.
    pub(crate) fn most(self) -> usize {
        match self {
            Self::Sqlite => MANY,
            Self::Postgres => MOST,
        }
    }
}

/// A table of an environment. Its columns are `env`, what is read, and what is only searched, in this order.
#[derive(Debug)]
pub(crate) struct Table {
    pub(crate) name: &'static str,
    /// What makes a row the same row: it is rewritten then.
    pub(crate) identity: &'static [&'static str],
    pub(crate) read: &'static [&'static str],
    pub(crate) hidden: &'static [&'static str],
    /// Of these, what stays as it was when a row is rewritten: no index over it has to be written again.
    pub(crate) fixed: &'static [&'static str],
    pub(crate) texts: LazyLock<Inserts>,
    /// For rows that are new.
    pub(crate) fresh: LazyLock<Inserts>,
}

/// The statements that write rows of one table.
#[derive(Debug)]
pub(crate) struct Inserts {
    one: String,
    some: String,
    few: String,
    many: String,
    arrays: String,
}

/// What SQLite does with a statement for many rows, one of which breaks a uniqueness.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Broken {
    /// It is undone.
    Undone,
    /// It stops; whoever runs it undoes more than the statement.
    Stops,
}

impl Inserts {
    /// `tail` stands after the values.
    pub(crate) fn of(table: &str, columns: &[&str], tail: &str, broken: Broken) -> Self {
        let columns_text = columns.join(", ");
        let text = |rows: &str| format!("INSERT INTO {table} ({columns_text}) {rows}{tail}");
        let numbered: Vec<_> = (1..=columns.len()).map(|n| format!("${n}")).collect();
        let numbered = numbered.join(", ");
        // SQLite looks a numbered place up by going through all of them, which hundreds of values feel; these it counts.
        let row = format!("({})", vec!["?"; columns.len()].join(", "));
        let or = if broken == Broken::Stops { " OR FAIL" } else { "" };
        let counted = |rows: usize| {
            let rows = vec![row.as_str(); rows].join(", ");
            format!("INSERT{or} INTO {table} ({columns_text}) VALUES {rows}{tail}")
        };
        Self {
            one: text(&format!("VALUES ({numbered})")),
            some: counted(SOME),
            few: counted(FEW),
            many: counted(MANY),
            arrays: text(&format!("SELECT * FROM unnest({numbered})")),
        }
    }

    /// The statement that writes these rows: one, or as many as [`Dialect::at_once`] says.
    pub(crate) fn statement(&'static self, dialect: Dialect, rows: Vec<Vec<Value>>) -> Statement {
        match (rows.len(), dialect) {
            (..=1, _) => Statement::new(&self.one, rows.into_iter().flatten().collect()),
            (MANY, Dialect::Sqlite) => Statement::new(&self.many, rows.into_iter().flatten().collect()),
            (FEW, Dialect::Sqlite) => Statement::new(&self.few, rows.into_iter().flatten().collect()),
            (_, Dialect::Sqlite) => Statement::new(&self.some, rows.into_iter().flatten().collect()),
            (_, Dialect::Postgres) => Statement::new(&self.arrays, by_column(rows)),
        }
    }
}

/// Rows of equal kinds, turned into one array for each column.
pub(crate) fn by_column(rows: Vec<Vec<Value>>) -> Vec<Value> {
    let mut columns: Vec<Value> = Vec::new();
    for row in rows {
        if columns.is_empty() {
            columns = row.into_iter().map(Value::into_array).collect();
        } else {
            columns.iter_mut().zip(row).for_each(|(column, value)| column.push(value));
        }
    }
    columns
}

impl Table {
    /// The statement that writes rows with different identities: one, or as many as [`Dialect::at_once`] says.
    pub(crate) fn put(&'static self, dialect: Dialect, pace: Pace, rows: Vec<Vec<Value>>) -> Statement {
        match (dialect, pace, rows.len()) {
            (Dialect::Sqlite, Pace::New, 2..) => self.fresh.statement(dialect, rows),
            _ => self.texts.statement(dialect, rows),
        }
    }

    /// The columns that are read, as text.
    pub(crate) fn columns(&self) -> String {
        self.read.join(", ")
    }

    /// The columns that are written.
    fn written(&self) -> Vec<&'static str> {
        std::iter::once(&"env").chain(self.read).chain(self.hidden).copied().collect()
    }

    fn inserts(&self) -> Inserts {
        Inserts::of(self.name, &self.written(), "", Broken::Stops)
    }

    fn upserts(&self) -> Inserts {
        let columns = self.written();
        let kept: Vec<_> = columns
            .iter()
            .filter(|column| !self.identity.contains(column) && !self.fixed.contains(column))
            .map(|column| format!("{column} = excluded.{column}"))
            .collect();
        let tail = format!(" ON CONFLICT ({}) DO UPDATE SET {}", self.identity.join(", "), kept.join(", "));
        Inserts::of(self.name, &columns, &tail, Broken::Undone)
    }
}

macro_rules! tables {
    ($($(#[$doc:meta])* $table:ident = $name:literal by [$($identity:literal),*]
        reads [$($read:literal),*] hides [$($hidden:literal),*] keeps [$($fixed:literal),*];)*) => {$(
        $(#[$doc])*
        pub(crate) static $table: Table = Table {
            name: $name,
            identity: &[$($identity),*],
            read: &[$($read),*],
            hidden: &[$($hidden),*],
            fixed: &[$($fixed),*],
            texts: LazyLock::new(|| $table.upserts()),
            fresh: LazyLock::new(|| $table.inserts()),
        };
    )*};
}

tables! {
    /// Resources, roles, relations and elements.
    SCHEMA = "schema_object" by ["env", "kind", "id"]
        reads ["kind", "body", "revision"] hides ["id", "scope", "key", "subject"] keeps [];
    USERS = "user_" by ["env", "id"]
        reads ["id", "key", "email", "first_name", "last_name", "attributes", "created_at", "updated_at", "revision"]
        hides ["search"] keeps [];
    TENANTS = "tenant" by ["env", "id"]
        reads ["id", "key", "name", "description", "attributes", "created_at", "updated_at", "last_action_at", "revision"]
        hides ["search"] keeps [];
    INSTANCES = "instance" by ["env", "id"]
        reads ["id", "key", "resource", "resource_id", "tenant", "tenant_id", "attributes", "created_at", "updated_at",
            "revision"]
        hides ["search"] keeps [];
    ASSIGNMENTS = "role_assignment" by ["env", "id"]
        reads ["id", "user_key", "user_id", "role", "role_id", "tenant", "tenant_id", "instance_id",
            "instance_resource", "instance_key", "expires_at", "origin", "created_at", "revision"]
        hides [] keeps [];
    TUPLES = "relationship_tuple" by ["env", "id"]
        reads ["id", "subject_id", "subject_resource", "subject_key", "relation", "relation_id", "object_id",
            "object_resource", "object_key", "tenant", "tenant_id", "created_at", "updated_at", "revision"]
        hides [] keeps [];
    REQUESTS = "request" by ["env", "id"]
        reads ["body", "revision"]
        hides ["id", "kind", "element", "requester", "tenant_id", "role_id", "resource", "instance_id", "status", "wish",
            "created_at", "ends_at", "unlooked", "escalates_at"]
        keeps ["kind", "element", "requester", "tenant_id", "resource", "instance_id", "created_at"];
    INVITES = "user_invite" by ["env", "id"]
        reads ["body", "revision"] hides ["id", "status", "role_id", "tenant_id", "wish", "created_at"] keeps [];
}

/// What the log comes to.
pub(crate) static OF_THE_LOG: [&Table; 8] =
    [&SCHEMA, &USERS, &TENANTS, &INSTANCES, &ASSIGNMENTS, &TUPLES, &REQUESTS, &INVITES];
