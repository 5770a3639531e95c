//! A key as it stands in the graph: short ones within the node, so that comparing one reads no other memory.

use std::{str::FromStr, sync::Arc};

/// The longest key that stands within.
const SHORT: usize = 22;

/// A key of one alphabet or the other.
#[derive(Debug, Clone)]
pub(crate) enum Name {
    Short { len: u8, bytes: [u8; SHORT] },
    Long(Arc<str>),
}

impl Name {
    pub(crate) fn new(key: &str) -> Self {
        let mut bytes = [0; SHORT];
        match (bytes.get_mut(..key.len()), u8::try_from(key.len())) {
            (Some(place), Ok(len)) => {
                place.copy_from_slice(key.as_bytes());
                Self::Short { len, bytes }
            }
            _ => Self::Long(key.into()),
        }
    }

    #[inline]
    pub(crate) fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Short { len, bytes } => bytes.get(..usize::from(*len)).unwrap_or_default(),
            Self::Long(key) => key.as_bytes(),
        }
    }

    #[inline]
    pub(crate) fn is(&self, key: &str) -> bool {
        self.as_bytes() == key.as_bytes()
    }

    pub(crate) fn as_str(&self) -> &str {
        match self {
            Self::Short { .. } => std::str::from_utf8(self.as_bytes()).unwrap_or_default(),
            Self::Long(key) => key,
        }
    }

    /// The key again; some, since it was made from one.
    pub(crate) fn key<K: FromStr>(&self) -> Option<K> {
        self.as_str().parse().ok()
    }

    /// The memory outside, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        match self {
            Self::Short { .. } => 0,
            Self::Long(key) => 16 + key.len(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_and_long_names_are_what_they_were_made_from() {
        for len in [1, SHORT - 1, SHORT, SHORT + 1, 128] {
            let key = "k".repeat(len);
            let name = Name::new(&key);
            assert_eq!(matches!(name, Name::Short { .. }), len <= SHORT);
            assert!(name.is(&key) && !name.is(&key.replacen('k', "j", 1)) && !name.is(&format!("{key}k")));
            assert_eq!(name.as_str(), key);
            assert_eq!(name.key::<askfirst_domain::Key>().unwrap().as_str(), key);
        }
        assert_eq!(size_of::<Name>(), 24);
    }
}
