//! Segments on their way out: opened, looked through, and decisions taken from them.

use super::{
    bytes::{Column, Reader},
    filter::{DecisionFilter, Thing},
    packer::{ALLOWED, CELLS, Cell, FULL, REDACTED, TOO_LARGE, VERSION},
    record::{DecisionRecord, LeftOut, Mark, Stamp},
};
use crate::StoreError;
use askfirst_domain::Timestamp;
use std::{collections::BTreeSet, ops::Range};
use uuid::Uuid;

/// A segment whose columns are read; the words are looked at when they are wanted.
#[derive(Debug)]
pub(super) struct Opened {
    rows: usize,
    at: Vec<u64>,
    seq: Vec<u64>,
    revision: Vec<u64>,
    cells: Vec<Column>,
    /// Where in the body each word is.
    words: Vec<Range<usize>>,
    body: Vec<u8>,
}

fn corrupt(detail: &str) -> StoreError {
    StoreError::Corrupt { what: "segment of the decision log", detail: detail.to_owned() }
}

impl Opened {
    /// # Errors
    /// When the body does not read.
    pub(super) fn new(body: Vec<u8>) -> Result<Self, StoreError> {
        match body.first() {
            Some(&VERSION) => {}
            Some(other) => {
                return Err(corrupt(&format!("it was written by another version of this program ({other})")));
            }
            None => return Err(corrupt("it is empty")),
        }
        Self::read(body).ok_or_else(|| corrupt("it breaks off"))
    }

    fn read(body: Vec<u8>) -> Option<Self> {
        let mut reader = Reader::new(&body);
        reader.byte()?;
        let rows = reader.count()?;
        let known = reader.count()?;
        // Each word takes a byte at least.
        if known > reader.left() {
            return None;
        }
        let mut words = Vec::with_capacity(known);
        for _ in 0..known {
            let length = reader.count()?;
            let start = body.len().checked_sub(reader.left())?;
            reader.take(length)?;
            words.push(start..start.checked_add(length)?);
        }
        // A column of equal cells is short however many rows it claims.
        if rows > 4 * FULL {
            return None;
        }
        let at = reader.column(rows)?.followed(rows);
        let seq = reader.column(rows)?.followed(rows);
        let revision = reader.column(rows)?.followed(rows);
        let cells = (0..CELLS).map(|_| reader.column(rows)).collect::<Option<Vec<_>>>()?;
        Some(Self { rows, at, seq, revision, cells, words, body })
    }

    fn cell(&self, row: usize, cell: Cell) -> Option<u64> {
        self.cells.get(cell as usize)?.get(row)
    }

    fn text(&self, place: u64) -> Option<&str> {
        let range = self.words.get(usize::try_from(place).ok()?)?;
        std::str::from_utf8(self.body.get(range.clone())?).ok()
    }

    /// The number of a word here.
    fn place(&self, text: &str) -> Option<u64> {
        let found = |range: &Range<usize>| self.body.get(range.clone()) == Some(text.as_bytes());
        u64::try_from(self.words.iter().position(found)?).ok()
    }

    /// How many decisions it holds.
    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    /// The decision in a row.
    ///
    /// # Errors
    /// When the row does not read.
    pub(super) fn record(&self, row: usize) -> Result<DecisionRecord<&str>, StoreError> {
        self.read_row(row).ok_or_else(|| corrupt(&format!("its row {row} does not read")))
    }

    fn read_row(&self, row: usize) -> Option<DecisionRecord<&str>> {
        let word = |cell| self.text(self.cell(row, cell)?);
        let maybe = |cell| match self.cell(row, cell)? {
            0 => Some(None),
            place => self.text(place - 1).map(Some),
        };
        let flags = self.cell(row, Cell::Flags)?;
        Some(DecisionRecord {
            stamp: self.stamp(row)?,
            at: self.moment(row)?,
            epoch: Uuid::try_parse(word(Cell::Epoch)?).ok()?,
            revision: *self.revision.get(row)?,
            allow: flags & ALLOWED != 0,
            user: word(Cell::User)?,
            action: word(Cell::Action)?,
            resource: word(Cell::Resource)?,
            instance: maybe(Cell::Instance)?,
            tenant: maybe(Cell::Tenant)?,
            in_tenant: word(Cell::InTenant)?,
            door: word(Cell::Door)?,
            asker: word(Cell::Asker)?,
            reason: maybe(Cell::Reason)?,
            trace: maybe(Cell::Trace)?,
            given: maybe(Cell::Given)?,
            left_out: match flags & (TOO_LARGE | REDACTED) {
                0 => None,
                TOO_LARGE => Some(LeftOut::TooLarge),
                _ => Some(LeftOut::Redacted),
            },
        })
    }

    fn stamp(&self, row: usize) -> Option<Stamp> {
        Some(Stamp::new(self.cell(row, Cell::Writer)?, *self.seq.get(row)?))
    }

    fn moment(&self, row: usize) -> Option<Timestamp> {
        Some(Timestamp::from_micros(self.at.get(row)?.cast_signed()))
    }

    /// Adds the users whom its decisions since a moment are about.
    pub(super) fn users_since(&self, since: Timestamp, users: &mut BTreeSet<String>) {
        let recent = (0..self.rows).filter(|row| self.moment(*row).is_some_and(|at| at >= since));
        let places: BTreeSet<_> = recent.filter_map(|row| self.cell(row, Cell::User)).collect();
        for user in places.into_iter().filter_map(|place| self.text(place)) {
            if !users.contains(user) {
                users.insert(user.to_owned());
            }
        }
    }

    /// The rows that match, newest first, with their places in the log.
    pub(super) fn matching<'a>(
        &'a self,
        filter: &'a DecisionFilter,
        before: Option<Mark>,
    ) -> impl Iterator<Item = (usize, Mark)> + 'a {
        let wanted = Wanted::new(self, filter);
        let rows = if wanted.is_some() { self.rows } else { 0 };
        (0..rows).rev().filter_map(move |row| {
            let at = self.moment(row)?;
            let mark = Mark { at, id: self.stamp(row)?.id(at) };
            let is_in_time = filter.from.is_none_or(|from| from <= at)
                && filter.to.is_none_or(|to| at <= to)
                && before.is_none_or(|before| mark < before);
            let is_wanted = is_in_time
                && filter.revisions.contains(self.revision.get(row)?)
                && wanted.as_ref()?.takes(self, row)?;
            is_wanted.then_some((row, mark))
        })
    }
}

/// What a filter looks for, in the numbers of one segment.
struct Wanted {
    users: Option<Vec<u64>>,
    action: Option<u64>,
    things: Option<Vec<(u64, Option<u64>)>>,
    tenant: Option<u64>,
    allow: Option<bool>,
}

impl Wanted {
    /// None when the segment lacks a word that all of it must have.
    fn new(segment: &Opened, filter: &DecisionFilter) -> Option<Self> {
        let one = |text: &Option<String>| match text {
            None => Some(None),
            Some(text) => segment.place(text).map(Some),
        };
        let thing = |thing: &Thing| {
            let resource = segment.place(&thing.resource)?;
            match &thing.instance {
                None => Some((resource, None)),
                Some(key) => Some((resource, Some(segment.place(key)?))),
            }
        };
        Some(Self {
            users: filter
                .users
                .as_ref()
                .map(|users| users.iter().filter_map(|user| segment.place(user)).collect()),
            action: one(&filter.action)?,
            things: filter.things.as_ref().map(|things| things.iter().filter_map(thing).collect()),
            tenant: one(&filter.tenant)?,
            allow: filter.allow,
        })
    }

    /// None when the row does not read; it is no match then, and who reads it whole says what is wrong with it.
    fn takes(&self, segment: &Opened, row: usize) -> Option<bool> {
        let cell = |cell| segment.cell(row, cell);
        let is = |wanted: Option<u64>, found: u64| wanted.is_none_or(|wanted| wanted == found);
        let user = match &self.users {
            None => true,
            Some(users) => users.contains(&cell(Cell::User)?),
        };
        let thing = match &self.things {
            None => true,
            Some(things) => {
                let (resource, instance) = (cell(Cell::Resource)?, cell(Cell::Instance)?);
                things.iter().any(|(kind, key)| *kind == resource && is(key.map(|key| key + 1), instance))
            }
        };
        let allowed = cell(Cell::Flags)? & ALLOWED != 0;
        Some(
            user && thing
                && is(self.action, cell(Cell::Action)?)
                && is(self.tenant, cell(Cell::InTenant)?)
                && self.allow.is_none_or(|allow| allow == allowed),
        )
    }
}

impl DecisionRecord<&str> {
    /// With texts of its own.
    pub(super) fn owned(&self) -> DecisionRecord {
        let own = |text: &str| text.to_owned();
        DecisionRecord {
            stamp: self.stamp,
            at: self.at,
            epoch: self.epoch,
            revision: self.revision,
            allow: self.allow,
            user: own(self.user),
            action: own(self.action),
            resource: own(self.resource),
            instance: self.instance.map(own),
            tenant: self.tenant.map(own),
            in_tenant: own(self.in_tenant),
            door: own(self.door),
            asker: own(self.asker),
            reason: self.reason.map(own),
            trace: self.trace.map(own),
            given: self.given.map(own),
            left_out: self.left_out,
        }
    }
}
