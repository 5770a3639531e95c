//! Arguments as models write them: strictly the ones that the tool has, leniently spelled where nothing is lost.

use super::{Tool, catalog};
use askfirst_engine::{Error, Page, Result};
use rmcp::model::JsonObject;
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, Visitor},
};
use serde_json::Value;
use std::fmt;

/// The largest page.
const MAX_PER_PAGE: u32 = 100;

/// Reads a tool's arguments.
///
/// # Errors
/// One sentence that says what is wrong and which arguments the tool takes.
pub(super) fn read<T: DeserializeOwned>(tool: Tool, arguments: JsonObject) -> Result<T> {
    serde_json::from_value(Value::Object(arguments)).map_err(|wrong| {
        Error::invalid(format!("{}: {wrong}; it takes {}.", tool.name(), catalog::usage(tool)))
    })
}

/// A name: text, or a whole number that stands for its digits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Name(pub(super) String);

/// An optional name; null and empty text are none.
pub(super) fn given(name: Option<&Name>) -> Option<&str> {
    name.map(|n| n.0.trim()).filter(|n| !n.is_empty())
}

/// An optional text; null and blank text are none.
pub(super) fn text(text: Option<String>) -> Option<String> {
    text.filter(|t| !t.trim().is_empty())
}

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct Names;
        impl Visitor<'_> for Names {
            type Value = Name;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("text or a whole number")
            }
            fn visit_str<E: serde::de::Error>(self, v: &str) -> Result<Name, E> {
                Ok(Name(v.to_owned()))
            }
            fn visit_u64<E: serde::de::Error>(self, v: u64) -> Result<Name, E> {
                Ok(Name(v.to_string()))
            }
            fn visit_i64<E: serde::de::Error>(self, v: i64) -> Result<Name, E> {
                Ok(Name(v.to_string()))
            }
            fn visit_f64<E: serde::de::Error>(self, v: f64) -> Result<Name, E> {
                whole(v)
                    .map(|v| Name(v.to_string()))
                    .ok_or_else(|| E::invalid_type(serde::de::Unexpected::Float(v), &self))
            }
        }
        d.deserialize_any(Names)
    }
}

/// A count: a whole number from 0, also as some clients send it (`1.0`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Count(pub(super) u32);

impl<'de> Deserialize<'de> for Count {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let Name(digits) = Name::deserialize(d)?;
        digits.trim().parse().map(Self).map_err(|_| {
            serde::de::Error::custom(format!("`{digits}` is not a whole number from 0 to {}", u32::MAX))
        })
    }
}

/// A float that is a whole number which a float holds exactly.
fn whole(v: f64) -> Option<i64> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    #[expect(
        clippy::cast_possible_truncation,
        reason = "whole and within the range that a float holds exactly"
    )]
    (v.fract() == 0.0 && v.abs() <= EXACT).then_some(v as i64)
}

/// The window of a list, and its page size.
///
/// # Errors
/// When the page or its size is out of range.
pub(super) fn window(page: Option<Count>, per_page: Option<Count>, default_size: u32) -> Result<(Page, u32)> {
    let (page, size) = (page.map_or(1, |c| c.0), per_page.map_or(default_size, |c| c.0));
    if page == 0 || size == 0 || size > MAX_PER_PAGE {
        return Err(Error::invalid(format!(
            "page counts from 1, and per_page goes from 1 to {MAX_PER_PAGE}."
        )));
    }
    Ok((Page { offset: u64::from(page - 1) * u64::from(size), limit: size }, size))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Some2 {
        resource_instance: Option<Name>,
        page: Option<Count>,
    }

    fn read_instances(arguments: Value) -> Result<Some2> {
        let Value::Object(arguments) = arguments else { panic!("not an object") };
        read(Tool::ListResourceInstances, arguments)
    }

    #[test]
    fn numbers_and_texts_name_things() {
        for (written, read) in
            [(json!("pizza"), "pizza"), (json!(7), "7"), (json!(7.0), "7"), (json!(-1), "-1")]
        {
            let arguments = read_instances(json!({"resource_instance": written})).unwrap();
            assert_eq!(given(arguments.resource_instance.as_ref()), Some(read));
        }
        for none in [json!({}), json!({"resource_instance": null}), json!({"resource_instance": " "})] {
            assert_eq!(given(read_instances(none).unwrap().resource_instance.as_ref()), None);
        }
        assert!(read_instances(json!({"resource_instance": 1.5})).is_err());
        assert_eq!(read_instances(json!({"page": 2.0})).unwrap().page, Some(Count(2)));
        assert_eq!(read_instances(json!({"page": "2"})).unwrap().page, Some(Count(2)));
        assert!(read_instances(json!({"page": -2})).is_err());
    }

    #[test]
    fn a_wrong_argument_is_told_the_right_ones() {
        let wrong = read_instances(json!({"pages": 2})).unwrap_err();
        let message = wrong.message();
        assert!(message.contains("list_resource_instances"), "{message}");
        assert!(message.contains("`pages`") && message.contains("page, per_page"), "{message}");
    }

    #[test]
    fn pages_count_from_one() {
        assert_eq!(window(None, None, 30).unwrap(), (Page { offset: 0, limit: 30 }, 30));
        assert_eq!(
            window(Some(Count(3)), Some(Count(10)), 30).unwrap(),
            (Page { offset: 20, limit: 10 }, 10)
        );
        for (page, per_page) in [(0, 1), (1, 0), (1, 101)] {
            assert!(window(Some(Count(page)), Some(Count(per_page)), 30).is_err());
        }
    }
}
