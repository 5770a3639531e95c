//! The questions of Permit's SDKs, as they write them.

use crate::{error::Answer, permit::wire::Text};
use askfirst_domain::facts::Attributes;
use askfirst_engine::{Error, check::Thing};
use serde::Deserialize;
use serde_json::{Map, Value};

/// A user by key. Attributes take part once the policy has conditions.
#[derive(Debug, Deserialize)]
pub(super) struct UserKey {
    pub(super) key: Text,
}

/// What is asked about.
#[derive(Debug, Deserialize)]
pub(super) struct Resource {
    #[serde(rename = "type")]
    kind: String,
    key: Option<Value>,
    tenant: Option<String>,
    #[serde(default)]
    pub(super) attributes: Option<Attributes>,
    #[serde(default)]
    context: Option<Map<String, Value>>,
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
