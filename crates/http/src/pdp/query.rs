//! The questions of Permit's SDKs, as they write them.

use crate::{error::Answer, permit::wire::Text};
use askfirst_domain::facts::Attributes;
use askfirst_engine::{Error, check::Thing};
use serde::Deserialize;
use serde_json::{Map, Value};
use utoipa::{
    ToSchema,
    openapi::schema::{ObjectBuilder, Schema, SchemaType, Type},
};

/// A user by key; more may be said and does not count.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = UserByKey)]
pub(super) struct UserKey {
    pub(super) key: Text,
}

/// What is asked about.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = Resource)]
pub(super) struct Resource {
    /// The key of a resource.
    #[serde(rename = "type")]
    kind: String,
    /// The key of an instance; none asks about the resource as a whole.
    #[schema(schema_with = nullable_key)]
    key: Option<Value>,
    /// The key of the tenant; the instance's own, or `default`, unless said here or in `context.tenant`.
    tenant: Option<String>,
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    pub(super) attributes: Option<Attributes>,
    #[serde(default)]
    context: Option<Map<String, Value>>,
}

fn nullable_key() -> Schema {
    let kinds = SchemaType::from_iter([Type::String, Type::Number, Type::Null]);
    ObjectBuilder::new().schema_type(kinds).build().into()
}

impl Resource {
    /// In the engine's words.
    pub(super) fn thing(self) -> Answer<Thing> {
        let instance = match self.key {
            None | Some(Value::Null) => None,
            Some(Value::String(key)) => Some(key),
            Some(Value::Number(key)) => Some(key.to_string()),
            Some(_) => {
                return Err(Error::invalid("`resource.key` is a text, the key of the instance.").into());
            }
        };
        // The SDKs put the tenant into the context as well; the member itself comes first.
        let in_context = || Some(self.context.as_ref()?.get("tenant")?.as_str()?.to_owned());
        let tenant = self.tenant.clone().or_else(in_context);
        Ok(Thing { resource: self.kind, instance, tenant })
    }
}
