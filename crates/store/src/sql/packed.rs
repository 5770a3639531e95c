//! Many rows in one cell.
//!
//! SQLite's driver pays for each cell of a row: with some fifteen of them, reading a million facts takes most of its time
//! there. A packed page is one cell, taken apart here. Only for tables whose texts hold neither of the separators: keys
//! hold none but letters, digits and a few signs, and JSON writes control characters as escapes.

use super::{Row, Statement, number, tables::Table};
use std::fmt::Display;
use uuid::Uuid;

const BETWEEN_CELLS: char = '\u{1f}';
const BETWEEN_ROWS: char = '\u{1e}';
/// How many rows a page has.
const ROWS: u64 = 1024;

/// The page of a table's rows after a position. Gives the position of its last row, or null, and the page.
pub(crate) fn page(table: &'static Table, env: askfirst_domain::id::EnvId, after: i64) -> Statement {
    let cells: Vec<_> = table
        .read
        .iter()
        .map(|column| if is_uuid(column) { format!("hex({column})") } else { (*column).to_owned() })
        .collect();
    let places = vec!["%s"; cells.len()].join(&BETWEEN_CELLS.to_string());
    let sql = format!(
        "SELECT max(pos), group_concat(line, '{BETWEEN_ROWS}') FROM \
         (SELECT pos, printf('{places}', {}) AS line FROM {} WHERE env = $1 AND pos > $2 ORDER BY pos LIMIT $3)",
        cells.join(", "),
        table.name
    );
    Statement { sql: sql.into(), args: vec![env.into(), after.into(), number(ROWS).into()] }
}

fn is_uuid(column: &str) -> bool {
    matches!(column, "id" | "origin") || column.ends_with("_id")
}

/// A row of a page. An empty cell is null: no text in these tables is empty.
#[derive(Debug)]
pub(crate) struct Line<'p> {
    cells: Vec<&'p str>,
}

/// Calls `each` with the rows of a page, until it fails.
pub(crate) fn unpack<E>(page: &str, mut each: impl FnMut(&Line<'_>) -> Result<(), E>) -> Result<(), E> {
    let mut line = Line { cells: Vec::new() };
    for row in page.split(BETWEEN_ROWS) {
        line.cells.clear();
        line.cells.extend(row.split(BETWEEN_CELLS));
        each(&line)?;
    }
    Ok(())
}

impl<'p> Line<'p> {
    fn cell(&self, column: usize) -> Result<Option<&'p str>, sqlx::Error> {
        let there = self.cells.len();
        match self.cells.get(column) {
            Some(&"") => Ok(None),
            Some(cell) => Ok(Some(cell)),
            None => Err(sqlx::Error::ColumnIndexOutOfBounds { index: column, len: there }),
        }
    }
}

impl Row for Line<'_> {
    fn uuid(&self, column: usize) -> Result<Option<Uuid>, sqlx::Error> {
        let cell = self.cell(column)?;
        cell.map(|hex| Uuid::try_parse_ascii(hex.as_bytes())).transpose().map_err(undecoded)
    }

    fn text(&self, column: usize) -> Result<Option<&str>, sqlx::Error> {
        self.cell(column)
    }

    fn int(&self, column: usize) -> Result<Option<i64>, sqlx::Error> {
        self.cell(column)?.map(str::parse).transpose().map_err(undecoded)
    }

    fn bytes(&self, _: usize) -> Result<Option<&[u8]>, sqlx::Error> {
        Err(undecoded("a packed page has no bytes in it"))
    }
}

fn undecoded(why: impl Display) -> sqlx::Error {
    sqlx::Error::Decode(why.to_string().into())
}
