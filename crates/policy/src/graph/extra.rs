//! The attributes of a user, tenant or instance; nothing is kept for those that have none.

use askfirst_domain::facts::{Attributes, User};
use serde_json::Value;
use std::{
    borrow::Cow,
    sync::{Arc, LazyLock},
};

static NONE: LazyLock<Arc<Attributes>> = LazyLock::new(Arc::default);

/// Attributes, shared between snapshots.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Extra(Option<Arc<Attributes>>);

impl Extra {
    pub(crate) fn new(attributes: &Attributes) -> Self {
        Self((!attributes.is_empty()).then(|| Arc::new(attributes.clone())))
    }

    pub(crate) fn get(&self) -> &Attributes {
        self.0.as_deref().unwrap_or(&NONE)
    }

    /// The same attributes, not copied.
    pub(crate) fn shared(&self) -> Arc<Attributes> {
        self.0.clone().unwrap_or_else(|| Arc::clone(&NONE))
    }

    /// An estimate of the memory outside, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        self.0.as_deref().map_or(0, |attributes| 16 + members(attributes))
    }
}

/// What conditions see of a user: the attributes, and over them the e-mail address and the names.
pub(crate) fn seen_of(user: &User) -> Cow<'_, Attributes> {
    let mut seen = Cow::Borrowed(&user.attributes);
    let profile = [("email", &user.email), ("first_name", &user.first_name), ("last_name", &user.last_name)];
    for (name, value) in profile {
        if let Some(value) = value {
            seen.to_mut().insert(name.to_owned(), value.as_str().into());
        }
    }
    seen
}

fn members(attributes: &Attributes) -> usize {
    attributes
        .iter()
        .map(|(name, value)| name.len() + size_of::<String>() + size_of::<Value>() + outside(value))
        .sum()
}

fn outside(value: &Value) -> usize {
    match value {
        Value::String(text) => text.len(),
        Value::Array(items) => items.iter().map(|item| size_of::<Value>() + outside(item)).sum(),
        Value::Object(inner) => members(inner),
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
    }
}
