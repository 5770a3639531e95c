//! Reading a row cell by cell, in the order of its columns.

use crate::StoreError;
use askfirst_domain::{Id, Timestamp, audit::Hash};
use serde::de::DeserializeOwned;
use std::str::FromStr;
use uuid::Uuid;

/// A row of some database.
pub(crate) trait Row {
    fn uuid(&self, column: usize) -> Result<Option<Uuid>, sqlx::Error>;
    fn text(&self, column: usize) -> Result<Option<&str>, sqlx::Error>;
    fn int(&self, column: usize) -> Result<Option<i64>, sqlx::Error>;
    fn bytes(&self, column: usize) -> Result<Option<&[u8]>, sqlx::Error>;
}

/// The cells of a row, from the left; `what` names the row in errors.
#[derive(Debug)]
pub(crate) struct Cells<'r, R> {
    what: &'static str,
    row: &'r R,
    next: usize,
}

impl<'r, R: Row> Cells<'r, R> {
    pub(crate) fn of(what: &'static str, row: &'r R) -> Self {
        Self { what, row, next: 0 }
    }

    fn corrupt(&self, detail: &impl ToString) -> StoreError {
        let (column, detail) = (self.next.saturating_sub(1), detail.to_string());
        StoreError::Corrupt { what: self.what, detail: format!("column {column}: {detail}") }
    }

    fn step(&mut self) -> usize {
        let column = self.next;
        self.next += 1;
        column
    }

    fn there<T>(&self, cell: Option<T>) -> Result<T, StoreError> {
        cell.ok_or_else(|| self.corrupt(&"is null"))
    }

    pub(crate) fn opt_uuid(&mut self) -> Result<Option<Uuid>, StoreError> {
        let column = self.step();
        self.row.uuid(column).map_err(|e| self.corrupt(&e))
    }

    pub(crate) fn uuid(&mut self) -> Result<Uuid, StoreError> {
        let cell = self.opt_uuid()?;
        self.there(cell)
    }

    pub(crate) fn id<K>(&mut self) -> Result<Id<K>, StoreError> {
        self.uuid().map(Id::new)
    }

    pub(crate) fn opt_id<K>(&mut self) -> Result<Option<Id<K>>, StoreError> {
        Ok(self.opt_uuid()?.map(Id::new))
    }

    fn opt_str(&mut self) -> Result<Option<&'r str>, StoreError> {
        let column = self.step();
        self.row.text(column).map_err(|e| self.corrupt(&e))
    }

    pub(crate) fn str(&mut self) -> Result<&'r str, StoreError> {
        let cell = self.opt_str()?;
        self.there(cell)
    }

    pub(crate) fn opt_text(&mut self) -> Result<Option<String>, StoreError> {
        Ok(self.opt_str()?.map(str::to_owned))
    }

    pub(crate) fn text(&mut self) -> Result<String, StoreError> {
        self.str().map(str::to_owned)
    }

    /// A text that is a key, or whatever else parses.
    pub(crate) fn parsed<T: FromStr<Err: ToString>>(&mut self) -> Result<T, StoreError> {
        let text = self.str()?;
        text.parse().map_err(|e: T::Err| self.corrupt(&e))
    }

    pub(crate) fn opt_parsed<T: FromStr<Err: ToString>>(&mut self) -> Result<Option<T>, StoreError> {
        let text = self.opt_str()?;
        text.map(str::parse).transpose().map_err(|e: T::Err| self.corrupt(&e))
    }

    pub(crate) fn json<T: DeserializeOwned>(&mut self) -> Result<T, StoreError> {
        let text = self.str()?;
        serde_json::from_str(text).map_err(|e| self.corrupt(&e))
    }

    /// Attributes: most are empty, and then nothing is parsed.
    pub(crate) fn attributes(&mut self) -> Result<askfirst_domain::facts::Attributes, StoreError> {
        match self.str()? {
            "{}" => Ok(serde_json::Map::new()),
            text => serde_json::from_str(text).map_err(|e| self.corrupt(&e)),
        }
    }

    pub(crate) fn opt_int(&mut self) -> Result<Option<i64>, StoreError> {
        let column = self.step();
        self.row.int(column).map_err(|e| self.corrupt(&e))
    }

    pub(crate) fn int(&mut self) -> Result<i64, StoreError> {
        let cell = self.opt_int()?;
        self.there(cell)
    }

    pub(crate) fn bytes(&mut self) -> Result<Vec<u8>, StoreError> {
        let column = self.step();
        let cell = self.row.bytes(column).map_err(|e| self.corrupt(&e))?;
        self.there(cell.map(<[u8]>::to_vec))
    }

    pub(crate) fn hash(&mut self) -> Result<Hash, StoreError> {
        let bytes = self.bytes()?;
        Hash::try_from(bytes.as_slice()).map_err(|e| self.corrupt(&e))
    }

    pub(crate) fn whole(&mut self) -> Result<u64, StoreError> {
        let int = self.int()?;
        super::whole(self.what, int)
    }

    pub(crate) fn at(&mut self) -> Result<Timestamp, StoreError> {
        self.int().map(Timestamp::from_micros)
    }

    pub(crate) fn opt_at(&mut self) -> Result<Option<Timestamp>, StoreError> {
        Ok(self.opt_int()?.map(Timestamp::from_micros))
    }
}
