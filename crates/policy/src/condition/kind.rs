//! Values as conditions see them: kinds, equality, order.

use super::steps::Steps;
use jiff::Timestamp;
use serde_json::{Map, Number, Value};
use std::{cmp::Ordering, fmt};

/// The kind of a value. Values of different kinds cannot be compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Null,
    Bool,
    Number,
    Text,
    List,
    Object,
}

impl Kind {
    pub(super) const fn of(value: &Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(_) => Self::Bool,
            Value::Number(_) => Self::Number,
            Value::String(_) => Self::Text,
            Value::Array(_) => Self::List,
            Value::Object(_) => Self::Object,
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Null => "null",
            Self::Bool => "true or false",
            Self::Number => "a number",
            Self::Text => "a text",
            Self::List => "a list",
            Self::Object => "an object",
        })
    }
}

/// A value of an attribute, borrowed from wherever it lies.
#[derive(Debug, Clone, Copy)]
pub enum Seen<'a> {
    Json(&'a Value),
    /// A text that is not stored as JSON, such as the user's key.
    Text(&'a str),
    /// A list of texts that is not stored as JSON, such as the user's roles.
    Texts(&'a [&'a str]),
}

/// A value taken apart.
#[derive(Debug, Clone, Copy)]
pub(super) enum Shape<'a> {
    Null,
    Bool(bool),
    Number(&'a Number),
    Text(&'a str),
    List(List<'a>),
    Object(&'a Map<String, Value>),
}

/// A list that is stored in one of two ways.
#[derive(Debug, Clone, Copy)]
pub(super) enum List<'a> {
    Json(&'a [Value]),
    Texts(&'a [&'a str]),
}

impl<'a> List<'a> {
    pub(super) fn len(self) -> usize {
        match self {
            Self::Json(items) => items.len(),
            Self::Texts(items) => items.len(),
        }
    }

    fn get(self, index: usize) -> Option<Seen<'a>> {
        match self {
            Self::Json(items) => items.get(index).map(Seen::Json),
            Self::Texts(items) => items.get(index).copied().map(Seen::Text),
        }
    }

    pub(super) fn iter(self) -> impl Iterator<Item = Seen<'a>> {
        (0..self.len()).filter_map(move |index| self.get(index))
    }
}

impl<'a> Seen<'a> {
    pub(super) fn shape(self) -> Shape<'a> {
        match self {
            Self::Json(Value::Null) => Shape::Null,
            Self::Json(Value::Bool(value)) => Shape::Bool(*value),
            Self::Json(Value::Number(number)) => Shape::Number(number),
            Self::Json(Value::String(text)) => Shape::Text(text),
            Self::Json(Value::Array(items)) => Shape::List(List::Json(items)),
            Self::Json(Value::Object(members)) => Shape::Object(members),
            Self::Text(text) => Shape::Text(text),
            Self::Texts(texts) => Shape::List(List::Texts(texts)),
        }
    }

    /// Its kind.
    pub const fn kind(self) -> Kind {
        match self {
            Self::Json(value) => Kind::of(value),
            Self::Text(_) => Kind::Text,
            Self::Texts(_) => Kind::List,
        }
    }

    /// A copy of its own.
    pub fn to_value(self) -> Value {
        match self {
            Self::Json(value) => value.clone(),
            Self::Text(text) => text.into(),
            Self::Texts(texts) => texts.iter().copied().collect(),
        }
    }
}

/// Whether two values are the same: numbers as numbers, times as times, lists item by item, objects member by member.
pub(super) fn same(one: Seen<'_>, other: Seen<'_>, steps: &Steps) -> bool {
    if !steps.take(1) {
        return false;
    }
    match (one.shape(), other.shape()) {
        (Shape::Null, Shape::Null) => true,
        (Shape::Bool(one), Shape::Bool(other)) => one == other,
        (Shape::Number(one), Shape::Number(other)) => compare_numbers(one, other) == Some(Ordering::Equal),
        (Shape::Text(one), Shape::Text(other)) => {
            one == other || time(one).is_some_and(|moment| time(other) == Some(moment))
        }
        (Shape::List(one), Shape::List(other)) => {
            one.len() == other.len()
                && one.iter().zip(other.iter()).all(|(one, other)| same(one, other, steps))
        }
        (Shape::Object(one), Shape::Object(other)) => {
            one.len() == other.len()
                && one.iter().all(|(key, value)| {
                    other.get(key).is_some_and(|other| same(Seen::Json(value), Seen::Json(other), steps))
                })
        }
        _ => false,
    }
}

/// Which of two numbers is less, exactly, however they are written.
pub(super) fn compare_numbers(one: &Number, other: &Number) -> Option<Ordering> {
    match (integer(one), integer(other)) {
        (Some(one), Some(other)) => Some(one.cmp(&other)),
        (Some(one), None) => compare_with_float(one, other.as_f64()?),
        (None, Some(other)) => compare_with_float(other, one.as_f64()?).map(Ordering::reverse),
        (None, None) => one.as_f64()?.partial_cmp(&other.as_f64()?),
    }
}

fn integer(number: &Number) -> Option<i128> {
    number.as_i64().map(i128::from).or_else(|| number.as_u64().map(i128::from))
}

/// Compares without rounding the integer: beyond 2^53 a float cannot hold every one.
fn compare_with_float(integer: i128, float: f64) -> Option<Ordering> {
    /// 2^65: beyond every integer of JSON here, and far within what an `i128` holds.
    const BEYOND: f64 = 36_893_488_147_419_103_232.0;
    if float.is_nan() {
        return None;
    }
    if float >= BEYOND {
        return Some(Ordering::Less);
    }
    if float <= -BEYOND {
        return Some(Ordering::Greater);
    }
    let whole = float.trunc();
    #[expect(clippy::cast_possible_truncation, reason = "whole, and less than 2^65")]
    let floor = whole as i128;
    Some(integer.cmp(&floor).then(0.0_f64.partial_cmp(&(float - whole))?))
}

/// Which of two texts is less: as moments when both are, by code point when neither is, and else there is no order.
pub(super) fn compare_texts(
    one: (&str, Option<Timestamp>),
    other: (&str, Option<Timestamp>),
) -> Option<Ordering> {
    match (one.1, other.1) {
        (Some(one), Some(other)) => Some(one.cmp(&other)),
        (None, None) => Some(one.0.cmp(other.0)),
        _ => None,
    }
}

/// The moment that a text names in RFC 3339: `2026-11-23T15:04:05Z`, with an offset and at most nanoseconds.
pub(super) fn time(text: &str) -> Option<Timestamp> {
    looks_like_time(text.as_bytes()).then(|| text.parse().ok()).flatten()
}

/// Tells nearly every text that is no time apart without parsing it, and what the parser takes beyond RFC 3339.
fn looks_like_time(text: &[u8]) -> bool {
    let Some((date_and_time, rest)) = text.split_at_checked(19) else { return false };
    let shape = b"0000-00-00T00:00:00";
    let fits = date_and_time.iter().zip(shape).all(|(byte, like)| match like {
        b'0' => byte.is_ascii_digit(),
        b'T' => matches!(byte, b'T' | b't'),
        _ => byte == like,
    });
    let offset = match rest {
        [b'.', fraction @ ..] => {
            let digits = fraction.iter().take_while(|byte| byte.is_ascii_digit()).count();
            if digits == 0 {
                return false;
            }
            fraction.get(digits..).unwrap_or_default()
        }
        offset => offset,
    };
    fits && match offset {
        [b'Z' | b'z'] => true,
        [b'+' | b'-', a, b, b':', c, d] => [a, b, c, d].iter().all(|byte| byte.is_ascii_digit()),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn order(one: &Value, other: &Value) -> Option<Ordering> {
        compare_numbers(one.as_number().unwrap(), other.as_number().unwrap())
    }

    #[test]
    fn numbers_are_compared_exactly() {
        let (less, equal, greater) = (Some(Ordering::Less), Some(Ordering::Equal), Some(Ordering::Greater));
        assert_eq!(order(&json!(9_007_199_254_740_993_i64), &json!(9_007_199_254_740_992_i64)), greater);
        assert_eq!(order(&json!(9_007_199_254_740_993_i64), &json!(9_007_199_254_740_992.0)), greater);
        assert_eq!(order(&json!(9_007_199_254_740_992.0), &json!(9_007_199_254_740_993_i64)), less);
        assert_eq!(order(&json!(u64::MAX), &json!(i64::MAX)), greater);
        assert_eq!(order(&json!(u64::MAX), &json!(18_446_744_073_709_551_616.0)), less);
        assert_eq!(order(&json!(1), &json!(1.0)), equal);
        assert_eq!(order(&json!(-1), &json!(-1.5)), greater);
        assert_eq!(order(&json!(-2), &json!(-1.5)), less);
        assert_eq!(order(&json!(0), &json!(-0.0)), equal);
        assert_eq!(order(&json!(1), &json!(1e300)), less);
        assert_eq!(order(&json!(1), &json!(-1e300)), greater);
        assert_eq!(order(&json!(0.1), &json!(0.2)), less);
    }

    #[test]
    fn times_are_those_of_rfc_3339() {
        for text in [
            "2026-11-23T15:04:05Z",
            "2026-11-23t15:04:05z",
            "2026-11-23T15:04:05.123456789+02:00",
            "0001-01-01T00:00:00-23:59",
        ] {
            assert!(time(text).is_some(), "{text}");
        }
        for text in [
            "",
            "2026-11-23",
            "2026-11-23T15:04:05",
            "2026-11-23 15:04:05Z",
            "2026-13-23T15:04:05Z",
            "2026-11-23T15:04:05Z[UTC]",
            "2026-11-23T15:04:05.Z",
            "2026-11-23T15:04:05+0200",
            "2026-11-23T15:04Z",
            "20261123T150405Z",
            "2026-11-23T15:04:05Zé",
            "٢٠٢٦-11-23T15:04:05Z",
        ] {
            assert!(time(text).is_none(), "{text}");
        }
        assert_eq!(time("2026-11-23T15:04:05Z"), time("2026-11-23T17:04:05.000+02:00"));
    }
}
