//! A whole installation, from one database into another, empty one.
//!
//! All tables are read at one moment and written as they are, in the order of their keys; at the end the target is read
//! again and compared. Until then a row in the target says that it is unfinished, and no server takes it. The copy goes
//! another way than the source from there on, so its environments get new epochs.

use super::{
    Place, Progress, ToolError, Watcher,
    catalog::{self, Table},
    connection::{Access, Connection},
    digest::{PAGE, Sum, sum},
};
use crate::{StoreError, sql, sql::Dialect};

/// What a migration writes by itself.
const SEEDED: [&str; 1] = ["directory"];
/// The most values that a statement takes; SQLite's limit is higher.
const VALUES: usize = 4000;

/// What was copied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Copied {
    /// Tables and how many rows of each, in the order in which they were copied.
    pub tables: Vec<(String, u64)>,
}

impl Copied {
    /// All rows.
    pub fn rows(&self) -> u64 {
        self.tables.iter().map(|(_, rows)| rows).sum()
    }
}

/// Copies the installation in `from` into the empty database `to`. What is written to `from` after the copy began is not in
/// it. After an error, or when the process ends, `to` is unfinished: no server takes it, and no second copy goes into it.
///
/// # Errors
/// [`ToolError::NotEmpty`] when there is something in `to`, and [`ToolError::Unequal`] when what was written does not read
/// back.
pub async fn copy(from: &Place, to: &Place, watcher: Watcher<'_>) -> Result<Copied, ToolError> {
    if from == to {
        return Err(ToolError::NotEmpty(to.to_string(), "it is what is to be copied".to_owned()));
    }
    let mut source = Connection::open(from, Access::Read).await?;
    source.require_current().await?;
    let mut target = Connection::open(to, Access::Make).await?;
    let copied = copy_between(&mut source, &mut target, watcher).await;
    source.close().await;
    target.close().await;
    copied
}

async fn copy_between(
    source: &mut Connection,
    target: &mut Connection,
    watcher: Watcher<'_>,
) -> Result<Copied, ToolError> {
    target.require_current().await?;
    source.begin_look().await?;
    let pairs = pairs(source, target).await?;
    claim(target, &pairs).await?;
    let mut sums = Vec::new();
    for (one, other) in &pairs {
        let of = source.count(&one.name).await?;
        sums.push(copy_table(source, target, (one, other), of, watcher).await?);
    }
    source.run("COMMIT").await?;
    let mut tables = Vec::new();
    for ((_, other), read) in pairs.iter().zip(&sums) {
        let written = sum(target, other, read.rows, watcher).await?;
        if (written.rows, written.value()) != (read.rows, read.value()) {
            let table = other.name.clone();
            return Err(ToolError::Unequal { table, rows: read.rows, written: written.rows });
        }
        tables.push((other.name.clone(), read.rows));
    }
    target.run("BEGIN").await?;
    for statement in sql::new_epochs(target.dialect()) {
        target.run(statement).await?;
    }
    target.run("DELETE FROM unfinished").await?;
    target.run("COMMIT").await?;
    Ok(Copied { tables })
}

/// The tables of both, which are the same. The decision log of an SQLite file that never had one is not missed.
async fn pairs(source: &mut Connection, target: &mut Connection) -> Result<Vec<(Table, Table)>, ToolError> {
    let from = catalog::tables(source).await?;
    let to = catalog::tables(target).await?;
    let mut pairs = Vec::new();
    for table in from {
        let like = to.iter().find(|other| other.is_like(&table)).cloned();
        let like = like.ok_or_else(|| StoreError::Corrupt {
            what: "table",
            detail: format!("`{}` is not the same in {}", table.name, target.place()),
        })?;
        pairs.push((table, like));
    }
    Ok(pairs)
}

/// Makes the target ours, when it is empty.
async fn claim(target: &mut Connection, pairs: &[(Table, Table)]) -> Result<(), ToolError> {
    target.run(begin_writing(target.dialect())).await?;
    for (_, table) in pairs {
        if SEEDED.contains(&table.name.as_str()) {
            target
                .execute(super::connection::assembled(format!("DELETE FROM {}", table.name), Vec::new()))
                .await?;
        } else if target.count(&table.name).await? > 0 {
            target.run("ROLLBACK").await?;
            let there = format!("there are rows in its table `{}`", table.name);
            return Err(ToolError::NotEmpty(target.place().to_string(), there));
        }
    }
    target.run("INSERT INTO unfinished (id) VALUES (1)").await?;
    Ok(target.run("COMMIT").await?)
}

fn begin_writing(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Sqlite => "BEGIN IMMEDIATE",
        Dialect::Postgres => "BEGIN",
    }
}

async fn copy_table(
    source: &mut Connection,
    target: &mut Connection,
    (from, to): (&Table, &Table),
    of: u64,
    watcher: Watcher<'_>,
) -> Result<Sum, ToolError> {
    let mut sum = Sum::default();
    let mut last = None;
    loop {
        let page = from.page(source.dialect(), last.as_deref(), PAGE)?;
        let rows = source.rows(page, &from.kinds()).await?;
        sum.add_all(&rows);
        last = rows.last().cloned();
        if last.is_none() {
            break;
        }
        target.run(begin_writing(target.dialect())).await?;
        write(target, to, rows).await?;
        target.run("COMMIT").await?;
        watcher(Progress { doing: "copying", what: to.name.clone(), done: sum.rows, of });
    }
    for column in to.columns.iter().filter(|column| column.counted) {
        target.execute(to.go_on(column)).await?;
    }
    Ok(sum)
}

async fn write(
    target: &mut Connection,
    table: &Table,
    rows: Vec<Vec<super::connection::Cell>>,
) -> Result<(), ToolError> {
    let kinds = table.kinds();
    let at_once = match target.dialect() {
        Dialect::Sqlite => (VALUES / kinds.len().max(1)).max(1),
        Dialect::Postgres => rows.len(),
    };
    let mut values = Vec::with_capacity(rows.len());
    for row in rows {
        let row = row.into_iter().zip(&kinds).map(|(cell, kind)| cell.into_value(*kind));
        values.push(row.collect::<Result<Vec<_>, _>>()?);
    }
    let mut values = values.into_iter();
    while values.len() > 0 {
        let these = values.by_ref().take(at_once).collect();
        target.execute(table.insert(target.dialect(), these)).await?;
    }
    Ok(())
}
