//! How words of the domain look on the wire, for the description. The domain itself knows nothing of it.

use askfirst_domain::key::MAX_KEY_LEN;
use std::borrow::Cow;
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        RefOr, Schema,
        schema::{KnownFormat, ObjectBuilder, SchemaFormat, SchemaType, Type},
    },
};

/// A type that only says how something looks, and by which name the description has it.
macro_rules! shape {
    ($(#[$meta:meta])* $name:ident as $known:literal = $made:expr) => {
        $(#[$meta])*
        #[derive(Debug)]
        pub(crate) enum $name {}

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                let made: Schema = $made;
                made.into()
            }
        }

        impl ToSchema for $name {
            fn name() -> Cow<'static, str> {
                Cow::Borrowed($known)
            }
        }
    };
}
pub(super) use shape;

const KEY: &str = r"^[A-Za-z0-9\-_]+$";
const USER_KEY: &str = r"^[A-Za-z0-9|@+\-\._]+$";

shape!(
    /// The key of anything but a user.
    KeyShape as "Key" = key(text(), KEY)
);
shape!(
    /// The key of a user.
    UserKeyShape as "UserKey" = key(text(), USER_KEY)
);
shape!(
    /// The key of something new, which may come as a number.
    NewKeyShape as "KeyOrNumber" = key(text_or_number(), KEY)
);
shape!(
    /// The key of a new user, which may come as a number.
    NewUserKeyShape as "UserKeyOrNumber" = key(text_or_number(), USER_KEY)
);
shape!(
    /// An id of whatever kind.
    IdShape as "Id" = text().format(Some(SchemaFormat::KnownFormat(KnownFormat::Uuid))).build().into()
);

shape!(
    /// What is never there, as models of Permit's have it.
    NullShape as "Null" = ObjectBuilder::new().schema_type(Type::Null).build().into()
);

shape!(
    /// What a setting of an element may be.
    SettingShape as "ElementsSetting" = {
        let either = SchemaType::from_iter([Type::String, Type::Integer, Type::Boolean]);
        ObjectBuilder::new().schema_type(either).build().into()
    }
);

fn key(text: ObjectBuilder, pattern: &str) -> Schema {
    text.pattern(Some(pattern)).min_length(Some(1)).max_length(Some(MAX_KEY_LEN)).build().into()
}

/// A moment, as RFC 3339 in UTC.
pub(crate) fn moment() -> RefOr<Schema> {
    text().format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime))).build().into()
}

/// A key or id; keys of callers that count may come as numbers.
pub(crate) fn key_or_id() -> RefOr<Schema> {
    text_or_number().build().into()
}

fn text() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String)
}

fn text_or_number() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(SchemaType::from_iter([Type::String, Type::Integer]))
}
