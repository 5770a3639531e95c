//! Putting values into bytes. [`Bytes`](super::bytes::Bytes) is the way back, value by value.

use askfirst_domain::{Key, Timestamp, UserKey};
use std::{collections::HashMap, hash::Hash};
use uuid::Uuid;

/// Bytes that grow, and what stands in them already.
#[derive(Debug, Default)]
pub(super) struct Pack {
    out: Vec<u8>,
    keys: Seen<Key>,
    user_keys: Seen<UserKey>,
    ids: Seen<Uuid>,
    last: i64,
}

/// Values by the order in which they came.
#[derive(Debug)]
struct Seen<T>(HashMap<T, u64>);

impl<T> Default for Seen<T> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<T: Eq + Hash + Clone> Seen<T> {
    /// The value's number, from 1; none when it has none yet, and then it gets one.
    fn number(&mut self, value: &T) -> Option<u64> {
        if let Some(number) = self.0.get(value) {
            return Some(*number);
        }
        let next = self.0.len() as u64 + 1;
        self.0.insert(value.clone(), next);
        None
    }
}

impl Pack {
    pub(super) fn len(&self) -> usize {
        self.out.len()
    }

    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.out
    }

    pub(super) fn byte(&mut self, byte: u8) {
        self.out.push(byte);
    }

    /// Seven bits a byte, the lowest first; the eighth says that more follow.
    fn whole(&mut self, mut n: u64) {
        while n > 0x7f {
            self.out.push((n & 0x7f) as u8 | 0x80);
            n >>= 7;
        }
        self.out.push((n & 0x7f) as u8);
    }

    pub(super) fn text(&mut self, text: &str) {
        self.whole(text.len() as u64);
        self.out.extend_from_slice(text.as_bytes());
    }

    pub(super) fn optional<T>(&mut self, value: Option<T>, put: impl FnOnce(&mut Self, T)) {
        self.byte(u8::from(value.is_some()));
        if let Some(value) = value {
            put(self, value);
        }
    }

    pub(super) fn optional_text(&mut self, text: Option<&str>) {
        self.optional(text, Self::text);
    }

    /// An id that nothing else names.
    pub(super) fn fresh_id(&mut self, id: Uuid) {
        self.out.extend_from_slice(id.as_bytes());
    }

    /// A number, or 0 and the value that gets the next number.
    pub(super) fn id(&mut self, id: Uuid) {
        let number = self.ids.number(&id);
        self.whole(number.unwrap_or(0));
        if number.is_none() {
            self.fresh_id(id);
        }
    }

    pub(super) fn key(&mut self, key: &Key) {
        let number = self.keys.number(key);
        self.whole(number.unwrap_or(0));
        if number.is_none() {
            self.text(key.as_str());
        }
    }

    pub(super) fn user_key(&mut self, key: &UserKey) {
        let number = self.user_keys.number(key);
        self.whole(number.unwrap_or(0));
        if number.is_none() {
            self.text(key.as_str());
        }
    }

    /// What is between it and the moment before it: mostly little.
    pub(super) fn at(&mut self, at: Timestamp) {
        let between = at.micros().wrapping_sub(self.last);
        self.last = at.micros();
        // The sign goes to the lowest bit, so that small steps back are small numbers too.
        self.whole(((between << 1) ^ (between >> 63)).cast_unsigned());
    }
}
