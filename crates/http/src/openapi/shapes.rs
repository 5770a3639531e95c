//! How words of the domain look on the wire, for the description. The domain itself knows nothing of it.

use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        RefOr, Schema,
        schema::{KnownFormat, ObjectBuilder, SchemaFormat, SchemaType, Type},
    },
};

/// A type that only says how something looks.
macro_rules! shape {
    ($(#[$meta:meta])* $name:ident = $made:expr) => {
        $(#[$meta])*
        #[derive(Debug)]
        pub(crate) enum $name {}

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                let made: Schema = $made;
                made.into()
            }
        }

        impl ToSchema for $name {}
    };
}

shape!(
    /// A user's key.
    UserKeyShape = text().pattern(Some(r"^[A-Za-z0-9|@+._-]+$")).min_length(Some(1)).build().into()
);
shape!(
    /// An id of whatever kind.
    IdShape = text().format(Some(SchemaFormat::KnownFormat(KnownFormat::Uuid))).build().into()
);
/// A moment, as RFC 3339 in UTC.
pub(crate) fn moment() -> RefOr<Schema> {
    text().format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime))).build().into()
}

/// A key or id; keys of callers that count may come as numbers.
pub(crate) fn key_or_id() -> RefOr<Schema> {
    let either = SchemaType::from_iter([Type::String, Type::Integer]);
    ObjectBuilder::new().schema_type(either).min_length(Some(1)).build().into()
}

fn text() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String)
}
