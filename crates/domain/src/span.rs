//! Lengths of time as people write them in a policy: whole seconds, `90s`, `30m`, `24h`, `7d`.

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr, time::Duration};
use thiserror::Error;

/// The longest span: a hundred years, so that no sum of a moment and a span is out of reach.
const LONGEST: u64 = 100 * 366 * 86_400;
const UNITS: [(char, u64); 4] = [('d', 86_400), ('h', 3600), ('m', 60), ('s', 1)];

/// A length of time in whole seconds, one at least and a hundred years at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u64", into = "u64")]
pub struct Span(u64);

/// Not a span.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "`{0}` is not a length of time; write a whole number with a unit, such as 90s, 30m, 24h or 7d, up to 36600d"
)]
pub struct SpanError(String);

impl Span {
    /// A day.
    pub const DAY: Self = Self(86_400);
    /// An hour.
    pub const HOUR: Self = Self(3600);

    /// The whole seconds.
    pub const fn seconds(self) -> u64 {
        self.0
    }

    /// The same, for adding to a moment.
    pub const fn duration(self) -> Duration {
        Duration::from_secs(self.0)
    }
}

impl TryFrom<u64> for Span {
    type Error = SpanError;
    fn try_from(seconds: u64) -> Result<Self, SpanError> {
        if (1..=LONGEST).contains(&seconds) { Ok(Self(seconds)) } else { Err(SpanError(seconds.to_string())) }
    }
}

impl From<Span> for u64 {
    fn from(span: Span) -> Self {
        span.0
    }
}

impl FromStr for Span {
    type Err = SpanError;
    fn from_str(text: &str) -> Result<Self, SpanError> {
        let wrong = || SpanError(text.to_owned());
        let (number, factor) = UNITS
            .iter()
            .find_map(|(unit, factor)| Some((text.strip_suffix(*unit)?, *factor)))
            .unwrap_or((text, 1));
        if number.is_empty() || !number.bytes().all(|b| b.is_ascii_digit()) {
            return Err(wrong());
        }
        let seconds = number.parse::<u64>().ok().and_then(|n| n.checked_mul(factor)).ok_or_else(wrong)?;
        Self::try_from(seconds).map_err(|_| wrong())
    }
}

/// In the largest unit that is exact.
impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (unit, factor) =
            UNITS.into_iter().find(|(_, factor)| self.0.is_multiple_of(*factor)).unwrap_or(('s', 1));
        write!(f, "{}{unit}", self.0 / factor)
    }
}

/// Spans in JSON as people write them: `"30m"`, or a number of seconds when it is read.
pub mod written {
    use super::Span;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Written {
        Seconds(u64),
        Text(String),
    }

    impl Written {
        fn read<E: Error>(self) -> Result<Span, E> {
            match self {
                Self::Seconds(seconds) => Span::try_from(seconds).map_err(E::custom),
                Self::Text(text) => text.parse().map_err(E::custom),
            }
        }
    }

    /// Writes one.
    ///
    /// # Errors
    /// The serializer's.
    pub fn serialize<S: Serializer>(span: &Span, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(span)
    }

    /// Reads one.
    ///
    /// # Errors
    /// When it is no span.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Span, D::Error> {
        Written::deserialize(deserializer)?.read()
    }

    /// The same where there may be none.
    pub mod option {
        use super::{Span, Written};
        use serde::{Deserialize, Deserializer, Serializer};

        /// Writes one, or null.
        ///
        /// # Errors
        /// The serializer's.
        pub fn serialize<S: Serializer>(span: &Option<Span>, serializer: S) -> Result<S::Ok, S::Error> {
            match span {
                Some(span) => serializer.collect_str(span),
                None => serializer.serialize_none(),
            }
        }

        /// Reads one; null is none.
        ///
        /// # Errors
        /// When it is no span.
        pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Span>, D::Error> {
            Option::<Written>::deserialize(deserializer)?.map(Written::read).transpose()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_read_and_written_as_people_do() {
        for (text, seconds, written) in [
            ("90", 90, "90s"),
            ("90s", 90, "90s"),
            ("30m", 1800, "30m"),
            ("24h", 86_400, "1d"),
            ("7d", 604_800, "7d"),
        ] {
            let span: Span = text.parse().unwrap();
            assert_eq!((span.seconds(), span.to_string().as_str()), (seconds, written));
            assert_eq!(written.parse::<Span>(), Ok(span));
        }
        for wrong in
            ["", "s", "0", "0d", "-1s", "+5s", "1.5h", "1w", "99999999999999999999s", "99999d", "1 h"]
        {
            assert!(wrong.parse::<Span>().is_err(), "{wrong}");
        }
        assert!(serde_json::from_str::<Span>("0").is_err());
        assert_eq!(serde_json::to_value(Span::HOUR).unwrap(), 3600);
    }
}
