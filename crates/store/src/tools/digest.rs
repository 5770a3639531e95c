//! What a table comes to, in a number that is the same in both databases.

use super::{
    Progress, ToolError, Watcher,
    catalog::Table,
    connection::{Cell, Connection},
};
use sha2::{Digest as _, Sha256};

/// How many rows are read at a time.
pub(super) const PAGE: u32 = 2000;

/// Rows, counted and hashed in their order.
#[derive(Debug, Clone, Default)]
pub(super) struct Sum {
    pub(super) rows: u64,
    hash: Sha256,
}

impl Sum {
    pub(super) fn add_all(&mut self, rows: &[Vec<Cell>]) {
        for row in rows {
            self.add(row);
        }
    }

    pub(super) fn add(&mut self, row: &[Cell]) {
        self.rows += 1;
        for cell in row {
            let (tag, bytes): (u8, &[u8]) = match cell {
                Cell::Null => (0, &[]),
                Cell::Int(int) => (1, &int.to_be_bytes()),
                Cell::Text(text) => (2, text.as_bytes()),
                Cell::Bytes(bytes) => (3, bytes),
            };
            self.hash.update([tag]);
            self.hash.update((bytes.len() as u64).to_be_bytes());
            self.hash.update(bytes);
        }
    }

    pub(super) fn value(&self) -> Vec<u8> {
        self.hash.clone().finalize().to_vec()
    }
}

/// Reads a table from its beginning to its end.
pub(super) async fn sum(
    connection: &mut Connection,
    table: &Table,
    of: u64,
    watcher: Watcher<'_>,
) -> Result<Sum, ToolError> {
    let mut sum = Sum::default();
    let mut last: Option<Vec<Cell>> = None;
    loop {
        let page = table.page(connection.dialect(), last.as_deref(), PAGE)?;
        let rows = connection.rows(page, &table.kinds()).await?;
        sum.add_all(&rows);
        watcher(Progress { doing: "comparing", what: table.name.clone(), done: sum.rows, of });
        match rows.into_iter().next_back() {
            Some(row) => last = Some(row),
            None => return Ok(sum),
        }
    }
}
