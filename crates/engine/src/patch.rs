//! A member of a partial update: left alone, cleared, or set.

use serde::{Deserialize, Deserializer};

/// What an update says about one member that may be empty. Absent in JSON leaves it (`#[serde(default)]`), `null` clears
/// it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Patch<T> {
    /// Not mentioned.
    #[default]
    Keep,
    /// To be emptied.
    Clear,
    /// To be this.
    Set(T),
}

impl<T> Patch<T> {
    /// The member after the update.
    pub fn over(self, current: Option<T>) -> Option<T> {
        match self {
            Self::Keep => current,
            Self::Clear => None,
            Self::Set(value) => Some(value),
        }
    }

    /// The value that it sets, or nothing.
    pub fn set(self) -> Option<T> {
        self.over(None)
    }

    /// As part of a replacement: what is not mentioned is cleared.
    #[must_use]
    pub fn or_clear(self) -> Self {
        match self {
            Self::Keep => Self::Clear,
            other => other,
        }
    }

    /// The same about what `f` makes of the value.
    ///
    /// # Errors
    /// As `f`.
    pub fn try_map<U, E>(self, f: impl FnOnce(T) -> Result<U, E>) -> Result<Patch<U>, E> {
        Ok(match self {
            Self::Keep => Patch::Keep,
            Self::Clear => Patch::Clear,
            Self::Set(value) => Patch::Set(f(value)?),
        })
    }

    /// The same about what `f` makes of the value.
    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> Patch<U> {
        match self {
            Self::Keep => Patch::Keep,
            Self::Clear => Patch::Clear,
            Self::Set(value) => Patch::Set(f(value)),
        }
    }
}

impl<T> From<Option<T>> for Patch<T> {
    /// For creation: nothing stays nothing.
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Keep, Self::Set)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Patch<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Option::<T>::deserialize(deserializer)?.map_or(Self::Clear, Self::Set))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Deserialize)]
    struct Update {
        #[serde(default)]
        name: Patch<String>,
    }

    #[test]
    fn absent_null_and_a_value_differ() -> Result<(), serde_json::Error> {
        let read = |text| serde_json::from_str::<Update>(text).map(|u| u.name.over(Some("old".to_owned())));
        assert_eq!(read("{}")?.as_deref(), Some("old"));
        assert_eq!(read(r#"{"name": null}"#)?, None);
        assert_eq!(read(r#"{"name": "new"}"#)?.as_deref(), Some("new"));
        Ok(())
    }

    #[test]
    fn a_replacement_clears_what_it_does_not_mention() {
        assert_eq!(Patch::<u8>::Keep.or_clear().over(Some(1)), None);
        assert_eq!(Patch::Set(2).or_clear().over(Some(1)), Some(2));
    }
}
