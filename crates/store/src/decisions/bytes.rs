//! Numbers and texts as bytes: a number takes seven bits a byte, lowest first.

/// Writes.
#[derive(Debug, Default)]
pub(super) struct Writer(Vec<u8>);

impl Writer {
    pub(super) fn byte(&mut self, byte: u8) {
        self.0.push(byte);
    }

    pub(super) fn number(&mut self, mut number: u64) {
        loop {
            let low = u8::try_from(number & 0x7f).unwrap_or(0);
            number >>= 7;
            if number == 0 {
                self.0.push(low);
                return;
            }
            self.0.push(low | 0x80);
        }
    }

    pub(super) fn text(&mut self, text: &str) {
        self.number(u64::try_from(text.len()).unwrap_or(u64::MAX));
        self.0.extend_from_slice(text.as_bytes());
    }

    /// A column: one number for all rows when it is the same in all.
    pub(super) fn column(&mut self, cells: impl Iterator<Item = u64> + Clone) {
        let first = cells.clone().next().unwrap_or(0);
        if cells.clone().all(|cell| cell == first) {
            self.byte(0);
            self.number(first);
        } else {
            self.byte(1);
            cells.for_each(|cell| self.number(cell));
        }
    }

    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.0
    }
}

/// The difference of two numbers as one without a sign, small when the two are close.
pub(super) fn step(from: u64, to: u64) -> u64 {
    let difference = to.wrapping_sub(from).cast_signed();
    ((difference << 1) ^ (difference >> 63)).cast_unsigned()
}

/// The way back.
pub(super) fn follow(from: u64, step: u64) -> u64 {
    let difference = (step >> 1) ^ 0_u64.wrapping_sub(step & 1);
    from.wrapping_add(difference)
}

/// A column that was read.
#[derive(Debug)]
pub(super) enum Column {
    Same(u64),
    Each(Vec<u64>),
}

impl Column {
    pub(super) fn get(&self, row: usize) -> Option<u64> {
        match self {
            Self::Same(cell) => Some(*cell),
            Self::Each(cells) => cells.get(row).copied(),
        }
    }

    /// The column whose cells are steps, as the numbers that the steps arrive at.
    pub(super) fn followed(self, rows: usize) -> Vec<u64> {
        let mut at = 0;
        let mut arrive = |step| {
            at = follow(at, step);
            at
        };
        match self {
            Self::Same(step) => std::iter::repeat_n(step, rows).map(&mut arrive).collect(),
            Self::Each(mut cells) => {
                for cell in &mut cells {
                    *cell = arrive(*cell);
                }
                cells
            }
        }
    }
}

/// Reads; none where the bytes end or make no sense.
#[derive(Debug)]
pub(super) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(super) fn left(&self) -> usize {
        self.0.len()
    }

    pub(super) fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    pub(super) fn number(&mut self) -> Option<u64> {
        let mut number = 0_u64;
        for place in 0..10 {
            let byte = self.byte()?;
            let low = u64::from(byte & 0x7f);
            let bits = low.checked_shl(place * 7)?;
            if bits >> (place * 7) != low {
                return None;
            }
            number |= bits;
            if byte & 0x80 == 0 {
                return Some(number);
            }
        }
        None
    }

    pub(super) fn count(&mut self) -> Option<usize> {
        usize::try_from(self.number()?).ok()
    }

    pub(super) fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    pub(super) fn column(&mut self, rows: usize) -> Option<Column> {
        match self.byte()? {
            0 => self.number().map(Column::Same),
            // Each cell takes a byte at least, so that no claim makes us reserve more than was sent.
            1 if rows <= self.left() => {
                (0..rows).map(|_| self.number()).collect::<Option<Vec<_>>>().map(Column::Each)
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn columns_read_back(cells in prop::collection::vec(any::<u64>(), 1..50), same in any::<u64>()) {
            let mut writer = Writer::default();
            writer.column(cells.iter().copied());
            writer.column(cells.iter().map(|_| same));
            let mut from = 0;
            let steps: Vec<u64> = cells.iter().map(|&to| { let s = step(from, to); from = to; s }).collect();
            writer.column(steps.iter().copied());
            let bytes = writer.into_bytes();
            let mut reader = Reader::new(&bytes);
            let each = reader.column(cells.len()).unwrap();
            let constant = reader.column(cells.len()).unwrap();
            for (row, cell) in cells.iter().enumerate() {
                prop_assert_eq!(each.get(row), Some(*cell));
                prop_assert_eq!(constant.get(row), Some(same));
            }
            prop_assert_eq!(reader.column(cells.len()).unwrap().followed(cells.len()), cells);
            prop_assert_eq!(reader.left(), 0);
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..64), rows in 0..100_usize) {
            let mut reader = Reader::new(&bytes);
            while reader.column(rows).is_some() && reader.left() > 0 {}
        }
    }
}
