//! Which tables a database has, as the database says it: a table that is new is copied and compared like the others.

use super::connection::{Cell, Connection, Kind, assembled};
use crate::{
    StoreError,
    sql::{Dialect, Statement, Value},
};
use std::collections::BTreeMap;

/// What belongs to one database and not to the installation, and what can be made anew.
const OWN: [&str; 4] = ["image", "image_part", "unfinished", "witness"];
/// What others refer to comes first; the rest follows by name.
const FIRST: [&str; 3] = ["organization", "project", "environment"];

/// The columns of all tables: table, column, type, place in the primary key from 1 or 0, whether the database counts it.
const SQLITE: &str = "SELECT t.name, c.name, lower(c.type), c.pk, 0 \
     FROM pragma_table_list AS t JOIN pragma_table_xinfo(t.name, t.schema) AS c \
     WHERE t.type = 'table' AND t.schema <> 'temp' AND t.name NOT LIKE 'sqlite\\_%' ESCAPE '\\' \
     AND t.name NOT LIKE '\\_sqlx%' ESCAPE '\\' ORDER BY t.name, c.name";
const POSTGRES: &str = "SELECT CAST(t.relname AS text), CAST(c.attname AS text), format_type(c.atttypid, c.atttypmod), \
     CAST(coalesce(array_position(CAST(k.indkey AS int2[]), c.attnum) + 1, 0) AS bigint), \
     CAST(CASE WHEN c.attidentity <> '' THEN 1 ELSE 0 END AS bigint) \
     FROM pg_class AS t JOIN pg_attribute AS c ON c.attrelid = t.oid AND c.attnum > 0 AND NOT c.attisdropped \
     LEFT JOIN pg_index AS k ON k.indrelid = t.oid AND k.indisprimary \
     WHERE t.relkind = 'r' AND t.relnamespace = CAST(current_schema() AS regnamespace) \
     AND t.relname NOT LIKE '\\_sqlx%' ORDER BY 1, 2";

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) kind: Kind,
    /// Its place in the primary key.
    key: Option<i64>,
    /// The database counts it up by itself.
    pub(super) counted: bool,
}

/// A table, its columns by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Table {
    pub(super) name: String,
    pub(super) columns: Vec<Column>,
}

/// The tables of the installation, in an order in which they can be filled.
pub(super) async fn tables(connection: &mut Connection) -> Result<Vec<Table>, StoreError> {
    let (sql, kinds) = match connection.dialect() {
        Dialect::Sqlite => (SQLITE, [Kind::Text, Kind::Text, Kind::Text, Kind::Int, Kind::Int]),
        Dialect::Postgres => (POSTGRES, [Kind::Text, Kind::Text, Kind::Text, Kind::Int, Kind::Int]),
    };
    let mut tables: BTreeMap<String, Vec<Column>> = BTreeMap::new();
    for row in connection.rows(Statement::new(sql, Vec::new()), &kinds).await? {
        let [Cell::Text(table), Cell::Text(name), Cell::Text(ty), Cell::Int(key), Cell::Int(counted)] =
            row.as_slice()
        else {
            return Err(unknown(format!("{row:?}")));
        };
        if OWN.contains(&table.as_str()) {
            continue;
        }
        let kind = kind_of(ty).ok_or_else(|| unknown(format!("`{table}.{name}` is of the type `{ty}`")))?;
        let column =
            Column { name: name.clone(), kind, key: (*key > 0).then_some(*key), counted: *counted > 0 };
        tables.entry(table.clone()).or_default().push(column);
    }
    let mut tables: Vec<_> = tables.into_iter().map(|(name, columns)| Table { name, columns }).collect();
    tables.sort_by_key(|table| FIRST.iter().position(|name| *name == table.name).unwrap_or(FIRST.len()));
    Ok(tables)
}

fn kind_of(ty: &str) -> Option<Kind> {
    match ty {
        "integer" | "bigint" | "smallint" => Some(Kind::Int),
        "text" => Some(Kind::Text),
        "uuid" => Some(Kind::Uuid),
        "blob" | "bytea" => Some(Kind::Bytes),
        _ => None,
    }
}

fn unknown(detail: String) -> StoreError {
    StoreError::Corrupt { what: "table", detail }
}

impl Table {
    pub(super) fn kinds(&self) -> Vec<Kind> {
        self.columns.iter().map(|column| column.kind).collect()
    }

    /// The columns of the key, in its order, and where they stand.
    fn key(&self) -> Vec<(usize, &Column)> {
        let mut key: Vec<_> =
            self.columns.iter().enumerate().filter(|(_, column)| column.key.is_some()).collect();
        key.sort_by_key(|(_, column)| column.key);
        key
    }

    /// Whether the other is the same table in another database.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        self.name == other.name
            && self.columns.len() == other.columns.len()
            && self.columns.iter().zip(&other.columns).all(|(one, other)| {
                let alike = |kind| if kind == Kind::Uuid { Kind::Bytes } else { kind };
                one.name == other.name && one.key == other.key && alike(one.kind) == alike(other.kind)
            })
    }

    /// The next rows in the order of the key, after a row.
    pub(super) fn page(
        &self,
        dialect: Dialect,
        after: Option<&[Cell]>,
        most: u32,
    ) -> Result<Statement, StoreError> {
        let key = self.key();
        if key.is_empty() {
            return Err(unknown(format!("`{}` has no primary key", self.name)));
        }
        let ordered = |column: &Column| match (dialect, column.kind) {
            // As bytes, in both databases.
            (Dialect::Postgres, Kind::Text) => format!("{} COLLATE \"C\"", column.name),
            _ => column.name.clone(),
        };
        let order: Vec<_> = key.iter().map(|(_, column)| ordered(column)).collect();
        let order = order.join(", ");
        let cells = |column: &Column| match (dialect, column.kind) {
            (Dialect::Postgres, Kind::Int) => format!("CAST({} AS bigint)", column.name),
            _ => column.name.clone(),
        };
        let cells: Vec<_> = self.columns.iter().map(cells).collect();
        let (mut condition, mut args) = (String::new(), Vec::new());
        if let Some(row) = after {
            for (at, column) in &key {
                args.push(row.get(*at).cloned().unwrap_or(Cell::Null).into_value(column.kind)?);
            }
            let places: Vec<_> = (1..=args.len()).map(|n| format!("${n}")).collect();
            condition = format!(" WHERE ({order}) > ({})", places.join(", "));
        }
        let (cells, table) = (cells.join(", "), &self.name);
        Ok(assembled(format!("SELECT {cells} FROM {table}{condition} ORDER BY {order} LIMIT {most}"), args))
    }

    /// The statement that writes rows, of which SQLite takes [`Table::at_once`] at most.
    pub(super) fn insert(&self, dialect: Dialect, rows: Vec<Vec<Value>>) -> Statement {
        let names: Vec<_> = self.columns.iter().map(|column| column.name.as_str()).collect();
        let (table, names) = (&self.name, names.join(", "));
        match dialect {
            Dialect::Sqlite => {
                let row = format!("({})", vec!["?"; self.columns.len()].join(", "));
                let places = vec![row.as_str(); rows.len()].join(", ");
                let sql = format!("INSERT INTO {table} ({names}) VALUES {places}");
                assembled(sql, rows.into_iter().flatten().collect())
            }
            Dialect::Postgres => {
                let places: Vec<_> = (1..=self.columns.len()).map(|n| format!("${n}")).collect();
                let sql = format!(
                    "INSERT INTO {table} ({names}) OVERRIDING SYSTEM VALUE SELECT * FROM unnest({})",
                    places.join(", ")
                );
                assembled(sql, crate::sql::tables::by_column(rows))
            }
        }
    }

    /// The statement after which the database goes on counting where the rows end, for a column that it counts.
    pub(super) fn go_on(&self, column: &Column) -> Statement {
        let (table, name) = (&self.name, &column.name);
        assembled(
            format!(
                "SELECT setval(pg_get_serial_sequence('{table}', '{name}'), max({name})) FROM {table} \
                 HAVING max({name}) IS NOT NULL"
            ),
            Vec::new(),
        )
    }
}
