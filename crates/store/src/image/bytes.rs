//! Taking values out of bytes that [`Pack`](super::pack::Pack) made.

use super::spoiled;
use crate::StoreError;
use askfirst_domain::{Id, Key, Timestamp, UserKey};
use std::str::FromStr;
use uuid::Uuid;

/// What is left of the bytes, and what came by already.
#[derive(Debug)]
pub(super) struct Bytes<'b> {
    rest: &'b [u8],
    keys: Vec<Key>,
    user_keys: Vec<UserKey>,
    ids: Vec<Uuid>,
    last: i64,
}

impl<'b> Bytes<'b> {
    pub(super) fn new(rest: &'b [u8]) -> Self {
        Self { rest, keys: Vec::new(), user_keys: Vec::new(), ids: Vec::new(), last: 0 }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    fn take(&mut self, length: u64) -> Result<&'b [u8], StoreError> {
        let parts = usize::try_from(length).ok().and_then(|length| self.rest.split_at_checked(length));
        let (taken, rest) = parts.ok_or_else(short)?;
        self.rest = rest;
        Ok(taken)
    }

    pub(super) fn byte(&mut self) -> Result<u8, StoreError> {
        let (byte, rest) = self.rest.split_first().ok_or_else(short)?;
        self.rest = rest;
        Ok(*byte)
    }

    fn whole(&mut self) -> Result<u64, StoreError> {
        let mut n = 0;
        for shift in (0..u64::BITS).step_by(7) {
            let byte = self.byte()?;
            n |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(n);
            }
        }
        Err(spoiled("a number is too long".to_owned()))
    }

    pub(super) fn text(&mut self) -> Result<&'b str, StoreError> {
        let length = self.whole()?;
        std::str::from_utf8(self.take(length)?).map_err(|e| spoiled(e.to_string()))
    }

    pub(super) fn optional<T>(
        &mut self,
        get: impl FnOnce(&mut Self) -> Result<T, StoreError>,
    ) -> Result<Option<T>, StoreError> {
        match self.byte()? {
            0 => Ok(None),
            _ => get(self).map(Some),
        }
    }

    pub(super) fn optional_text(&mut self) -> Result<Option<String>, StoreError> {
        self.optional(|from| from.text().map(str::to_owned))
    }

    fn uuid(&mut self) -> Result<Uuid, StoreError> {
        Uuid::from_slice(self.take(16)?).map_err(|e| spoiled(e.to_string()))
    }

    pub(super) fn fresh_id<K>(&mut self) -> Result<Id<K>, StoreError> {
        self.uuid().map(Id::new)
    }

    pub(super) fn id<K>(&mut self) -> Result<Id<K>, StoreError> {
        let uuid = match self.whole()? {
            0 => {
                let uuid = self.uuid()?;
                self.ids.push(uuid);
                uuid
            }
            number => *numbered(&self.ids, number)?,
        };
        Ok(Id::new(uuid))
    }

    pub(super) fn key(&mut self) -> Result<Key, StoreError> {
        match self.whole()? {
            0 => {
                let key: Key = parsed(self.text()?)?;
                self.keys.push(key.clone());
                Ok(key)
            }
            number => numbered(&self.keys, number).cloned(),
        }
    }

    pub(super) fn user_key(&mut self) -> Result<UserKey, StoreError> {
        match self.whole()? {
            0 => {
                let key: UserKey = parsed(self.text()?)?;
                self.user_keys.push(key.clone());
                Ok(key)
            }
            number => numbered(&self.user_keys, number).cloned(),
        }
    }

    pub(super) fn at(&mut self) -> Result<Timestamp, StoreError> {
        let n = self.whole()?;
        let between = (n >> 1).cast_signed() ^ -(n & 1).cast_signed();
        self.last = self.last.wrapping_add(between);
        Ok(Timestamp::from_micros(self.last))
    }
}

/// The value with a number from 1.
fn numbered<T>(values: &[T], number: u64) -> Result<&T, StoreError> {
    let at = usize::try_from(number).ok().and_then(|number| number.checked_sub(1));
    at.and_then(|at| values.get(at)).ok_or_else(|| spoiled(format!("nothing has the number {number}")))
}

fn parsed<T: FromStr<Err: ToString>>(text: &str) -> Result<T, StoreError> {
    text.parse().map_err(|e: T::Err| spoiled(e.to_string()))
}

fn short() -> StoreError {
    spoiled("it ends too early".to_owned())
}
