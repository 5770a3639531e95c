//! The user of a question, as Permit's SDKs write it.

use crate::permit::wire::Text;
use askfirst_domain::facts::Attributes;
use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor, value::MapAccessDeserializer},
};
use std::fmt;
use utoipa::ToSchema;

/// The user, or, in the API's first version, just a key: told apart to answer as Permit does.
#[derive(Debug)]
pub(super) enum User {
    Known(Box<Person>),
    FirstVersion,
}

impl<'de> Deserialize<'de> for User {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(UserVisitor)
    }
}

struct UserVisitor;

impl<'de> Visitor<'de> for UserVisitor {
    type Value = User;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a user as an object with a `key`")
    }

    fn visit_str<E>(self, _: &str) -> Result<User, E> {
        Ok(User::FirstVersion)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<User, A::Error> {
        Person::deserialize(MapAccessDeserializer::new(map)).map(|person| User::Known(Box::new(person)))
    }
}

/// A user by key, with what the call says of them: attributes, and the parts of their profile that conditions see.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = User)]
pub(super) struct Person {
    key: Text,
    #[schema(value_type = Option<Object>)]
    attributes: Option<Attributes>,
    email: Option<String>,
    first_name: Option<String>,
    last_name: Option<String>,
    // The SDKs write the names in one way or the other.
    #[serde(rename = "firstName")]
    other_first_name: Option<String>,
    #[serde(rename = "lastName")]
    other_last_name: Option<String>,
}

impl Person {
    /// The key, and what conditions see of the rest. A profile's null says nothing; an attribute's hides what is stored.
    pub(super) fn into_parts(self) -> (String, Attributes) {
        let mut attributes = self.attributes.unwrap_or_default();
        let profile = [
            ("email", self.email),
            ("first_name", self.first_name.or(self.other_first_name)),
            ("last_name", self.last_name.or(self.other_last_name)),
        ];
        for (name, value) in profile {
            if let Some(value) = value {
                attributes.insert(name.to_owned(), value.into());
            }
        }
        (self.key.0, attributes)
    }
}
